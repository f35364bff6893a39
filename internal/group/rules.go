package group

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Write makes a new version of the group's rules. Every home signs it anew; the
// versions before stay as they are.
func (v *Service) Write(ctx context.Context, a people.Actor, id place.GroupID, body string) (version int, err error) {
	const op = "group.Write"
	if _, err := v.over(op, a, id, "group.charter", ""); err != nil {
		return 0, err
	}
	body, err = text(op, body, "group.charter_empty", longCharter)
	if err != nil {
		return 0, err
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		last, _, err := newest(ctx, tx, id)
		if err != nil {
			return err
		}
		if last.Text == body { // sent twice, or nothing changed
			version = last.Version
			return nil
		}
		version = last.Version + 1
		return putCharter(ctx, tx, id, Charter{version, body, v.Now(), a.Person})
	})
	return version, fault.Wrap(op, err)
}

// Sign is the yes of a's home to the newest version of the rules. Whoever of the
// home comes first signs for it; what is signed stays.
func (v *Service) Sign(ctx context.Context, a people.Actor, id place.GroupID, version int) error {
	const op = "group.Sign"
	if _, err := v.over(op, a, id, "group.sign", a.Home); err != nil {
		return err
	}
	return fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		last, ok, err := newest(ctx, tx, id)
		if err != nil {
			return err
		}
		if !ok || last.Version != version {
			return fault.New(op, fault.Conflict, "group.charter_changed")
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO group_signature (group_id, version, home, person, at_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (group_id, version, home) DO NOTHING`, id, version, a.Home, a.Person, v.Now().UnixMilli())
		return err
	}))
}

// Name makes somebody leader or deputy from a day until a day. A new leader
// takes over from the one before, whose term ends that day.
func (v *Service) Name(ctx context.Context, a people.Actor, t Term) error {
	const op = "group.Name"
	if _, err := v.over(op, a, t.Group, "group.term", ""); err != nil {
		return err
	}
	now := v.Now()
	t, err := newTerm(op, t, dayOf(now))
	if err != nil {
		return err
	}
	t.ID = newID("t-")
	var touched []people.ID
	err = v.change(ctx, op, a, t.Group, func(tx *sql.Tx, _ *place.Group) (deed, error) {
		all, err := people.Residents(ctx, tx, t.Group)
		if err != nil {
			return deed{}, err
		}
		if !slices.ContainsFunc(all, func(p people.Person) bool { return p.ID == t.Person }) {
			return deed{}, fault.New(op, fault.NotFound, "people.unknown")
		}
		if err := v.makeRoom(ctx, tx, all, t, now); err != nil {
			return deed{}, err
		}
		if err := putTerm(ctx, tx, t, a.Person, now); err != nil {
			return deed{}, err
		}
		touched, err = settleRoles(ctx, tx, t.Group, all, now)
		return record("group.term", onPerson(t.Person), []people.ID{t.Person}, map[string]string{"role": string(t.Role), "from": t.From, "until": t.Until}), err
	})
	v.People.Changed(touched...)
	return err
}

// makeRoom ends what a new term replaces: every open term of the same person, and
// the term of the leader before, also of one whom a village file named.
func (v *Service) makeRoom(ctx context.Context, tx *sql.Tx, all []people.Person, t Term, now time.Time) error {
	terms, err := readTerms(ctx, tx, t.Group)
	if err != nil {
		return err
	}
	for _, o := range terms {
		if o.Ended || o.Until != "" && o.Until <= t.From || o.Person != t.Person && (t.Role != people.Leader || o.Role != people.Leader) {
			continue
		}
		if err := endTerm(ctx, tx, o, t.From, now); err != nil {
			return err
		}
	}
	if t.Role != people.Leader {
		return nil
	}
	for _, p := range all {
		named := slices.ContainsFunc(terms, func(o Term) bool { return o.Person == p.ID && o.Role == people.Leader })
		if p.Role != people.Leader || p.ID == t.Person || named {
			continue
		}
		if err := putTerm(ctx, tx, Term{ID: newID("t-"), Group: t.Group, Person: p.ID, Role: people.Leader, From: "2000-01-01", Until: t.From}, p.ID, now); err != nil {
			return err
		}
	}
	return nil
}

// Dismiss ends a term today. A leader may lay down his own; a group without a
// leader is told so.
func (v *Service) Dismiss(ctx context.Context, a people.Actor, id place.GroupID, term string) error {
	const op = "group.Dismiss"
	if _, err := v.over(op, a, id, "group.term", ""); err != nil {
		return err
	}
	now := v.Now()
	var touched []people.ID
	err := v.change(ctx, op, a, id, func(tx *sql.Tx, _ *place.Group) (deed, error) {
		terms, err := readTerms(ctx, tx, id)
		if err != nil {
			return deed{}, err
		}
		i := slices.IndexFunc(terms, func(t Term) bool { return t.ID == term && !t.Ended })
		if i < 0 {
			return deed{}, fault.New(op, fault.NotFound, "group.term_unknown")
		}
		if err := endTerm(ctx, tx, terms[i], dayOf(now), now); err != nil {
			return deed{}, err
		}
		all, err := people.Residents(ctx, tx, id)
		if err != nil {
			return deed{}, err
		}
		touched, err = settleRoles(ctx, tx, id, all, now)
		return record("group.term_end", onPerson(terms[i].Person), []people.ID{terms[i].Person}, map[string]string{"role": string(terms[i].Role)}), err
	})
	v.People.Changed(touched...)
	return err
}

// settleRoles makes the roles of a group's people what their terms say today, until
// they end: the role ends with its term, to the second. Who never had a term stays
// what he was.
func settleRoles(ctx context.Context, tx *sql.Tx, g place.GroupID, all []people.Person, now time.Time) (touched []people.ID, err error) {
	terms, err := readTerms(ctx, tx, g)
	if err != nil {
		return nil, err
	}
	today := dayOf(now)
	want := roles(terms, today)
	for _, p := range all {
		r, has := want[p.ID]
		until := end(terms, p.ID, r, today)
		if !has || r == p.Role && (r == people.Member || until.Equal(heldUntil(p, g, r))) {
			continue
		}
		if err := people.SetRole(ctx, tx, g, p.ID, r, until, now); err != nil {
			return nil, err
		}
		touched = append(touched, p.ID)
	}
	return touched, nil
}

// end is when the term ends by which somebody holds a role on a day; zero for never.
func end(terms []Term, id people.ID, r people.Role, on day) time.Time {
	for _, t := range terms {
		if t.Person == id && t.Role == r && t.holds(on) && t.Until != "" {
			at, _ := time.ParseInLocation(time.DateOnly, t.Until, vietnam()) // newTerm read it
			return at.UTC()
		}
	}
	return time.Time{}
}

// heldUntil is when p's post in his group ends by itself; zero for never.
func heldUntil(p people.Person, g place.GroupID, r people.Role) time.Time {
	for x := range p.Posts.All() {
		if x.At.Group == g && x.Role == r {
			return x.Until
		}
	}
	return time.Time{}
}

// Keep does what a day brings: terms begin and end, gear that nears its end is
// spoken of. It is safe to repeat.
func (v *Service) Keep(ctx context.Context) error {
	now := v.Now()
	today := dayOf(now)
	var touched []people.ID
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		ids, err := withTerms(ctx, tx)
		if err != nil {
			return err
		}
		for _, g := range ids {
			all, err := people.Residents(ctx, tx, g)
			if err != nil {
				return err
			}
			changed, err := settleRoles(ctx, tx, g, all, now)
			if err != nil {
				return err
			}
			touched = append(touched, changed...)
		}
		if len(touched) == 0 {
			return nil
		}
		return place.Bump(ctx, tx)
	})
	if err == nil && len(touched) > 0 {
		v.People.Changed(touched...)
		err = v.told(ctx, "group.Keep", nil)
	}
	if err != nil {
		return fmt.Errorf("keep terms: %w", err)
	}
	return v.remindGear(ctx, today)
}

// remindGear speaks of what nears its end: to the adults of its home, and to the
// group's leaders. What was told is written down first: better once too few
// than every hour.
func (v *Service) remindGear(ctx context.Context, today day) error {
	if v.Tell == nil {
		return nil
	}
	for _, g := range v.Village.Directory().Groups() {
		due, err := v.dueGear(ctx, g, today)
		if err != nil {
			return fmt.Errorf("remind of gear: %w", err)
		}
		for _, x := range due {
			n, _ := x.left(today)
			key := "group.gear_expires"
			if n < 0 {
				key = "group.gear_expired"
			}
			v.Tell.Remind(ctx, v.keepers(g, x), key, map[string]any{"kind": string(x.Kind), "label": x.Label, "days": n})
		}
	}
	return nil
}

func (v *Service) dueGear(ctx context.Context, g place.Group, today day) (due []Gear, err error) {
	first := v.reminders(g.Commune)
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		all, err := readGear(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		for _, x := range all {
			stage := x.remind(today, first)
			if stage == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE group_gear SET reminded = $2 WHERE id = $1`, x.ID, stage); err != nil {
				return err
			}
			due = append(due, x)
		}
		return nil
	})
	return due, err
}

// keepers are whom a reminder of x goes to.
func (v *Service) keepers(g place.Group, x Gear) (to []people.ID) {
	for _, p := range v.Folk.Group(g.ID) {
		if p.Role == people.Leader || p.Role == people.Deputy || p.Home == x.Home {
			to = append(to, p.ID)
		}
	}
	return to
}

// Run keeps house every hour until ctx is done, the first time when everything else
// has started: what is told must reach somebody.
func (v *Service) Run(ctx context.Context) {
	next := time.NewTimer(time.Minute)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			next.Reset(time.Hour)
		}
		if err := v.Keep(ctx); err != nil && ctx.Err() == nil && v.Note != nil {
			v.Note.Error("groups were not kept", "err", err)
		}
	}
}
