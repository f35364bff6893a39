package duty

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// longestShift is the longest that one officer is planned for in one go: a whole
// day's duty.
const longestShift = 24 * time.Hour

// notesLast is how long a note has to be read by whoever takes the next shifts.
const notesLast = 7 * 24 * time.Hour

// Alarms knows what the desk of a has not acknowledged.
type Alarms interface {
	// Waiting counts open live incidents that a's desk may see and nobody there took.
	Waiting(a people.Actor) int
}

// Folk knows who may stand at the desk of a unit.
type Folk interface {
	Person(id people.ID) (people.Person, bool)
}

// Shift is one officer's duty at the desk of a unit.
type Shift struct {
	ID     string
	Unit   place.UnitCode
	Person people.ID
	From   time.Time // as planned
	Until  time.Time
	Taken  time.Time // zero until he is on
	Handed time.Time // zero until he handed over
}

// On reports whether the shift is being stood.
func (s Shift) On() bool { return !s.Taken.IsZero() && s.Handed.IsZero() }

// Owing is what keeps a shift from being handed over.
type Owing struct {
	Incidents int      // open, live, and not acknowledged by the desk
	Notes     []string // handover notes that he has not read
}

// None reports whether nothing is owed.
func (o Owing) None() bool { return o.Incidents == 0 && len(o.Notes) == 0 }

func desk(u place.UnitCode) people.Thing { return people.Thing{Kind: "Area", ID: string(u), Unit: u} }

func (v *Service) may(op string, a people.Actor, verb string) error {
	if unit(a) == "" || !v.Rights.May(a, verb, desk(unit(a))) {
		return fault.New(op, fault.Denied, "fault.denied")
	}
	return nil
}

// Plan puts an officer of a's unit into the rota.
func (v *Service) Plan(ctx context.Context, a people.Actor, id people.ID, from, until time.Time) (Shift, error) {
	const op = "duty.Plan"
	if err := v.may(op, a, "duty.plan"); err != nil {
		return Shift{}, err
	}
	s := Shift{ID: ulid.Make().String(), Unit: unit(a), Person: id, From: whole(from), Until: whole(until)}
	if !s.Until.After(s.From) || s.Until.Sub(s.From) > longestShift || !s.Until.After(v.Now()) {
		return Shift{}, fault.New(op, fault.Invalid, "duty.shift_times")
	}
	p, ok := v.Folk.Person(id)
	stands := people.Actor{Person: id, Name: p.Name, Posts: p.Posts}
	if !ok || !v.Rights.May(stands, "duty.hand_over", desk(s.Unit)) {
		return Shift{}, fault.New(op, fault.Invalid, "duty.not_of_the_desk")
	}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM duty_shift WHERE unit = $1 AND person = $2 AND dropped_ms = 0 AND handed_ms = 0 AND from_ms < $3 AND until_ms > $4`,
			string(s.Unit), string(id), s.Until.UnixMilli(), s.From.UnixMilli()).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fault.New(op, fault.Conflict, "duty.shift_overlaps")
		}
		return add(ctx, tx, s, a)
	})
	return s, fault.Wrap(op, err)
}

// Drop takes a planned shift, that nobody has begun, out of the rota.
func (v *Service) Drop(ctx context.Context, a people.Actor, id string) error {
	const op = "duty.Drop"
	if err := v.may(op, a, "duty.plan"); err != nil {
		return err
	}
	return fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE duty_shift SET dropped_ms = $1 WHERE id = $2 AND unit = $3 AND taken_ms = 0 AND dropped_ms = 0`, v.Now().UnixMilli(), id, string(unit(a)))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.NotFound, Key: "duty.shift_unknown", Err: err}
		}
		return nil
	}))
}

// Take begins a's shift: the planned one that is due, or one that nobody planned. Who
// is on already stays so; a desk may have two.
func (v *Service) Take(ctx context.Context, a people.Actor) (Shift, error) {
	const op = "duty.Take"
	if err := v.may(op, a, "duty.hand_over"); err != nil {
		return Shift{}, err
	}
	if a.Person == "" {
		return Shift{}, fault.New(op, fault.Denied, "people.persons_only")
	}
	now := whole(v.Now())
	var s Shift
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		all, err := readShifts(ctx, tx, unit(a), now)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(all, func(x Shift) bool { return x.Person == a.Person && x.On() }); i >= 0 {
			s = all[i] // pressed twice
			return nil
		}
		due := func(x Shift) bool {
			return x.Person == a.Person && x.Taken.IsZero() && now.Before(x.Until) && now.After(x.From.Add(-time.Hour))
		}
		if i := slices.IndexFunc(all, due); i >= 0 {
			s = all[i]
			s.Taken = now
			_, err := tx.ExecContext(ctx, `UPDATE duty_shift SET taken_ms = $1 WHERE id = $2`, now.UnixMilli(), s.ID)
			return err
		}
		s = Shift{ID: ulid.Make().String(), Unit: unit(a), Person: a.Person, From: now, Until: now.Add(12 * time.Hour), Taken: now}
		return add(ctx, tx, s, a)
	})
	return s, fault.Wrap(op, err)
}

// HandOver ends a's shift, with a note for the next one. It is refused while he owes
// something: an incident that nobody acknowledged, or a note that he has not read.
func (v *Service) HandOver(ctx context.Context, a people.Actor, key, text string) (Handover, error) {
	const op = "duty.HandOver"
	if err := v.may(op, a, "duty.hand_over"); err != nil {
		return Handover{}, err
	}
	s, on, err := v.standing(ctx, a)
	if err != nil {
		return Handover{}, fault.Wrap(op, err)
	}
	if !on {
		return Handover{}, fault.New(op, fault.Conflict, "duty.not_on")
	}
	owed, err := v.Owed(ctx, a)
	if err != nil {
		return Handover{}, err
	}
	if owed.Incidents > 0 {
		return Handover{}, &fault.Error{Op: op, Kind: fault.Conflict, Key: "duty.incidents_waiting", Args: map[string]any{"count": owed.Incidents}}
	}
	if len(owed.Notes) > 0 {
		return Handover{}, &fault.Error{Op: op, Kind: fault.Conflict, Key: "duty.notes_unread", Args: map[string]any{"count": len(owed.Notes)}}
	}
	h, err := v.note(op, a, key, text)
	if err != nil {
		return Handover{}, err
	}
	return h, fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE duty_shift SET handed_ms = $1 WHERE id = $2 AND handed_ms = 0`, v.Now().UnixMilli(), s.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.Conflict, Key: "duty.not_on", Err: err}
		}
		return v.put(ctx, tx, a, h)
	}))
}

// Seen notes that a has read a note of his unit.
func (v *Service) Seen(ctx context.Context, a people.Actor, note string) error {
	const op = "duty.Seen"
	if err := v.may(op, a, "duty.hand_over"); err != nil {
		return err
	}
	if a.Person == "" {
		return fault.New(op, fault.Denied, "people.persons_only")
	}
	return fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM duty_handover WHERE id = $1 AND unit = $2`, note, string(unit(a))).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return fault.New(op, fault.NotFound, "duty.note_unknown")
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO duty_read (handover, person, at_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, note, string(a.Person), v.Now().UnixMilli())
		return err
	}))
}

// Owed is what a has to do before he may hand over: incidents to acknowledge, and
// notes of the last days by others that he has not read.
func (v *Service) Owed(ctx context.Context, a people.Actor) (Owing, error) {
	const op = "duty.Owed"
	o := Owing{Incidents: v.Alarms.Waiting(a), Notes: []string{}}
	if a.Person == "" {
		return o, nil
	}
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT h.id FROM duty_handover h WHERE h.unit = $1 AND h.at_ms > $2 AND h.by_person <> $3
		AND NOT EXISTS (SELECT 1 FROM duty_read r WHERE r.handover = h.id AND r.person = $3) ORDER BY h.at_ms, h.id`,
		string(unit(a)), v.Now().Add(-notesLast).UnixMilli(), string(a.Person))
	if err != nil {
		return o, fault.Wrap(op, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return o, fault.Wrap(op, err)
		}
		o.Notes = append(o.Notes, id)
	}
	return o, fault.Wrap(op, rows.Err())
}

// Rota lists the shifts of a's unit that are stood or to come, by time.
func (v *Service) Rota(ctx context.Context, a people.Actor) ([]Shift, error) {
	const op = "duty.Rota"
	if err := v.may(op, a, "duty.read"); err != nil {
		return nil, err
	}
	all, err := readShifts(ctx, v.DB.Read(), unit(a), v.Now())
	return all, fault.Wrap(op, err)
}

// standing is the shift that a stands now.
func (v *Service) standing(ctx context.Context, a people.Actor) (Shift, bool, error) {
	all, err := readShifts(ctx, v.DB.Read(), unit(a), v.Now())
	if err != nil {
		return Shift{}, false, err
	}
	i := slices.IndexFunc(all, func(x Shift) bool { return x.Person == a.Person && a.Person != "" && x.On() })
	if i < 0 {
		return Shift{}, false, nil
	}
	return all[i], true, nil
}

func add(ctx context.Context, tx *sql.Tx, s Shift, by people.Actor) error {
	taken := int64(0)
	if !s.Taken.IsZero() {
		taken = s.Taken.UnixMilli()
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO duty_shift (id, unit, person, from_ms, until_ms, planned_by, taken_ms, handed_ms, dropped_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
		s.ID, string(s.Unit), string(s.Person), s.From.UnixMilli(), s.Until.UnixMilli(), string(by.Person)+by.Token, taken)
	return err
}

// readShifts lists what is stood, or planned and not over, by time.
func readShifts(ctx context.Context, q place.Querier, u place.UnitCode, now time.Time) ([]Shift, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, unit, person, from_ms, until_ms, taken_ms, handed_ms FROM duty_shift
		WHERE unit = $1 AND dropped_ms = 0 AND handed_ms = 0 AND (taken_ms > 0 OR until_ms > $2) ORDER BY from_ms, id`, string(u), now.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read rota: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := []Shift{}
	for rows.Next() {
		var s Shift
		var from, until, taken, handed int64
		if err := rows.Scan(&s.ID, &s.Unit, &s.Person, &from, &until, &taken, &handed); err != nil {
			return nil, fmt.Errorf("read rota: %w", err)
		}
		s.From, s.Until = time.UnixMilli(from).UTC(), time.UnixMilli(until).UTC()
		if taken != 0 {
			s.Taken = time.UnixMilli(taken).UTC()
		}
		if handed != 0 {
			s.Handed = time.UnixMilli(handed).UTC()
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
