package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// How long things last around a lost phone. They are the product's own choices.
const (
	NewPhoneFor = 7 * 24 * time.Hour // neighbours see that somebody came back with a new phone
	RenewWithin = 24 * time.Hour     // for a second colleague to agree
)

// Recorder keeps a record, inside tx, of what somebody did to somebody's keys and
// sessions: "people.reinvite". by is a person's id, or "token/" and a token's name.
type Recorder func(ctx context.Context, tx *sql.Tx, name, by string, on ID) error

func (v *Service) record(ctx context.Context, tx *sql.Tx, name, by string, on ID) error {
	if v.Record == nil {
		return nil
	}
	return v.Record(ctx, tx, name, by, on)
}

// Phone is how a neighbour reaches Keng.
type Phone struct {
	Person ID           `json:"person"`
	Name   string       `json:"name"`
	Home   place.HomeID `json:"home"`
	Role   Role         `json:"role"`
	New    *time.Time   `json:"new_phone" doc:"when he came back with a new phone, within seven days; null else"`
	In     bool         `json:"signed_in" doc:"has a session; told to whoever may invite"`
}

// Phones lists the people of g, by home, with who came back with a new phone
// lately. leads tells too who is signed in at all.
func (v *Service) Phones(ctx context.Context, g place.Group, leads bool) ([]Phone, error) {
	now := v.Now()
	posts, err := readPosts(ctx, v.DB.Read(), `SELECT g.person, `+postColumns+` FROM people_grant g JOIN person p ON p.id = g.person
		WHERE g.state = 'held' AND p.scope_group = $1`, g.ID)
	if err != nil {
		return nil, err
	}
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT `+personColumns+`, COALESCE(n.at_ms, 0), (SELECT count(*) FROM session s WHERE s.person = p.id AND s.expires_ms > $2)
		FROM person p LEFT JOIN new_phone n ON n.person = p.id AND n.at_ms > $3 WHERE p.scope_group = $1 AND p.home <> '' ORDER BY p.home, p.position, p.id`,
		g.ID, now.UnixMilli(), now.Add(-NewPhoneFor).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read phones: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Phone{}
	for rows.Next() {
		var p Person
		var at int64
		var sessions int
		if err := rows.Scan(append(p.into(), &at, &sessions)...); err != nil {
			return nil, fmt.Errorf("read phones: %w", err)
		}
		p.Posts = posts[p.ID]
		p = p.at(now)
		x := Phone{Person: p.ID, Name: p.Name, Home: p.Home, Role: p.Role, In: leads && sessions > 0}
		if at != 0 {
			t := store.Instant(at)
			x.New = &t
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// Reinvite makes an invite for somebody of g who has a new phone. When it is used,
// everything that let him in before ends, and his neighbours are told. lost ends
// it at once: the old phone may be in other hands.
func (v *Service) Reinvite(ctx context.Context, by Actor, g place.Group, id ID, lost bool) (Invite, error) {
	const op = "people.Reinvite"
	var i Invite
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		p, err := findPerson(ctx, tx, op, id, v.Now())
		if err != nil {
			return err
		}
		if p.Home == "" || p.Scope.Group != g.ID {
			return fault.New(op, fault.NotFound, "people.unknown")
		}
		if lost {
			if err := v.shutOut(ctx, tx, id); err != nil {
				return err
			}
		}
		if i, err = v.invite(ctx, tx, p, true); err != nil {
			return err
		}
		return v.record(ctx, tx, "people.reinvite", by.By(), id)
	})
	if err == nil && lost {
		v.Changed(id)
	}
	return i, err
}

// shutOut ends inside tx everything that lets a person in: sessions, invites, and
// through Renewed his keys.
func (v *Service) shutOut(ctx context.Context, tx *sql.Tx, id ID) error {
	if err := endAll(ctx, tx, id); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM invite WHERE person = $1 AND used_ms = 0`, id); err != nil {
		return fmt.Errorf("end invites: %w", err)
	}
	if v.Renewed == nil {
		return nil
	}
	return v.Renewed(ctx, tx, id)
}

// renewed is what happens when somebody comes back with a new invite.
func (v *Service) renewed(ctx context.Context, tx *sql.Tx, id ID, now time.Time) error {
	if err := v.shutOut(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO new_phone (person, at_ms) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET at_ms = excluded.at_ms`, id, now.UnixMilli()); err != nil {
		return fmt.Errorf("note new phone: %w", err)
	}
	return v.record(ctx, tx, "people.renewed", string(id), id)
}

// Renewal is the wish of a colleague that an officer be let in anew.
type Renewal struct {
	ID      string    `json:"id"`
	By      string    `json:"by" doc:"who asked"`
	Mine    bool      `json:"mine" doc:"the asker of this list asked: somebody else must agree"`
	Expires time.Time `json:"expires"`
}

// Colleague is an officer as his colleagues see him.
type Colleague struct {
	Person  ID             `json:"person"`
	Name    string         `json:"name"`
	Role    Role           `json:"role"`
	Unit    place.UnitCode `json:"unit"`
	Self    bool           `json:"self"`
	Renewal *Renewal       `json:"renewal"`
}

// colleagues reports whether a serves where p does, or in the unit above: they
// know each other and may vouch for each other.
func colleagues(a Actor, p Person) bool {
	if a.Person == "" || !a.Role.Officer() || !p.Role.Officer() || p.Scope.Unit == "" {
		return false
	}
	return a.Scope.Unit == p.Scope.Unit || a.Scope.Unit == place.ParentOf(p.Scope.Unit)
}

// Colleagues lists the officers for whom a may vouch, and himself.
func (v *Service) Colleagues(ctx context.Context, a Actor) ([]Colleague, error) {
	const op = "people.Colleagues"
	if a.Person == "" || !a.Role.Officer() {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	all, err := readPeople(ctx, v.DB.Read())
	if err != nil {
		return nil, err
	}
	open, err := v.renewals(ctx)
	if err != nil {
		return nil, err
	}
	names := map[ID]string{}
	for _, p := range all {
		names[p.ID] = p.Name
	}
	list := []Colleague{}
	now := v.Now()
	for _, s := range all {
		p := s.at(now)
		if !colleagues(a, p) {
			continue
		}
		c := Colleague{Person: p.ID, Name: p.Name, Role: p.Role, Unit: p.Scope.Unit, Self: p.ID == a.Person}
		if r, ok := open[p.ID]; ok {
			c.Renewal = &Renewal{ID: r.id, By: names[r.by], Mine: r.by == a.Person, Expires: r.expires}
		}
		list = append(list, c)
	}
	return list, nil
}

type renewal struct {
	id         string
	person, by ID
	expires    time.Time
}

// renewals are those that wait for a second colleague, by person.
func (v *Service) renewals(ctx context.Context) (map[ID]renewal, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT id, person, asked_by, expires_ms FROM renewal WHERE agreed_ms = 0 AND expires_ms > $1`, v.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read renewals: %w", err)
	}
	defer func() { _ = rows.Close() }()
	open := map[ID]renewal{}
	for rows.Next() {
		var r renewal
		var expires int64
		if err := rows.Scan(&r.id, &r.person, &r.by, &expires); err != nil {
			return nil, fmt.Errorf("read renewals: %w", err)
		}
		r.expires = store.Instant(expires)
		open[r.person] = r
	}
	return open, rows.Err()
}

// AskRenewal says that an officer has lost his keys. It lets nobody in before a
// second colleague has agreed.
func (v *Service) AskRenewal(ctx context.Context, a Actor, id ID) (Renewal, error) {
	const op = "people.AskRenewal"
	now := v.Now()
	r := Renewal{ID: string(newID()), By: a.Name, Mine: true, Expires: now.Add(RenewWithin).UTC()}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := v.vouched(ctx, tx, op, a, id); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM renewal WHERE person = $1 AND agreed_ms = 0 AND expires_ms > $2`, id, now.UnixMilli()).Scan(&n); err != nil {
			return fmt.Errorf("read renewals: %w", err)
		}
		if n > 0 {
			return fault.New(op, fault.Conflict, "people.renewal_open")
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO renewal (id, person, asked_by, asked_ms, expires_ms, agreed_by, agreed_ms) VALUES ($1, $2, $3, $4, $5, '', 0)`,
			r.ID, id, a.Person, now.UnixMilli(), r.Expires.UnixMilli()); err != nil {
			return fmt.Errorf("write renewal: %w", err)
		}
		return v.record(ctx, tx, "people.ask_renewal", a.By(), id)
	})
	return r, err
}

// vouched is the officer for whom a may vouch: a colleague other than himself.
func (v *Service) vouched(ctx context.Context, tx *sql.Tx, op string, a Actor, id ID) (Person, error) {
	p, err := findPerson(ctx, tx, op, id, v.Now())
	if err != nil {
		return p, err
	}
	if !colleagues(a, p) {
		return p, fault.New(op, fault.NotFound, "people.unknown")
	}
	if p.ID == a.Person {
		return p, fault.New(op, fault.Denied, "people.not_yourself")
	}
	return p, nil
}

// AgreeRenewal is the second colleague's word: everything that let the officer in
// ends, and an invite is made for him. Who asked cannot agree, nor can who is
// not a colleague any more, and not the officer himself.
func (v *Service) AgreeRenewal(ctx context.Context, a Actor, id string) (Invite, error) {
	const op = "people.AgreeRenewal"
	var i Invite
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		r, err := v.openRenewal(ctx, tx, op, id)
		if err != nil {
			return err
		}
		p, err := v.vouched(ctx, tx, op, a, r.person)
		if err != nil {
			return err
		}
		if r.by == a.Person {
			return fault.New(op, fault.Denied, "people.two_needed")
		}
		asked, err := findPerson(ctx, tx, op, r.by, v.Now())
		if err != nil {
			return err
		}
		if !colleagues(Actor{Person: asked.ID, Role: asked.Role, Scope: asked.Scope}, p) {
			return fault.New(op, fault.Denied, "people.two_needed")
		}
		if _, err := tx.ExecContext(ctx, `UPDATE renewal SET agreed_by = $1, agreed_ms = $2 WHERE id = $3`, a.Person, v.Now().UnixMilli(), id); err != nil {
			return fmt.Errorf("write renewal: %w", err)
		}
		if err := v.shutOut(ctx, tx, p.ID); err != nil {
			return err
		}
		if i, err = v.invite(ctx, tx, p, true); err != nil {
			return err
		}
		return v.record(ctx, tx, "people.agree_renewal", a.By(), p.ID)
	})
	if err == nil {
		v.Changed(i.Person.ID)
	}
	return i, err
}

// RefuseRenewal ends a wish that should not have been: any colleague may, and the
// officer himself, who still has his keys.
func (v *Service) RefuseRenewal(ctx context.Context, a Actor, id string) error {
	const op = "people.RefuseRenewal"
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		r, err := v.openRenewal(ctx, tx, op, id)
		if err != nil {
			return err
		}
		p, err := findPerson(ctx, tx, op, r.person, v.Now())
		if err != nil {
			return err
		}
		if !colleagues(a, p) {
			return fault.New(op, fault.NotFound, "people.renewal_unknown")
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM renewal WHERE id = $1`, id); err != nil {
			return fmt.Errorf("end renewal: %w", err)
		}
		return v.record(ctx, tx, "people.refuse_renewal", a.By(), p.ID)
	})
}

// openRenewal reads one that waits, and keeps others from deciding it meanwhile.
func (v *Service) openRenewal(ctx context.Context, tx *sql.Tx, op, id string) (renewal, error) {
	r := renewal{id: id}
	err := tx.QueryRowContext(ctx, `UPDATE renewal SET agreed_by = '' WHERE id = $1 AND agreed_ms = 0 AND expires_ms > $2 RETURNING person, asked_by`, id, v.Now().UnixMilli()).Scan(&r.person, &r.by)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fault.New(op, fault.NotFound, "people.renewal_unknown")
	}
	if err != nil {
		return r, fmt.Errorf("read renewal: %w", err)
	}
	return r, nil
}
