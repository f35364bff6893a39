package people

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// State is how far a grant has come. Values are stored; append only.
type State string

// The states of a grant.
const (
	Proposed State = "proposed" // waits for a second person
	Held     State = "held"
	Refused  State = "refused"
	Ended    State = "ended"
)

// longTerm is the longest that a role is given for in one go; to be confirmed: Law
// 10/2022/QH15 on grassroots democracy gives the head of a village five years.
const longTerm = 5 * 366 * 24 * time.Hour

// givable are the roles that two persons give to a third.
var givable = []Role{Head, Team, Mediator, Elder, Desk, Chief, Steering, Viewer, Auditor, Admin}

// ofGroup are the roles that a group gives itself, by its own terms.
var ofGroup = []Role{Leader, Deputy}

// Grant is the giving of a role: to whom, which, where, from when to when, by whom.
type Grant struct {
	ID         string
	Person     ID
	Role       Role
	At         place.Scope
	From       time.Time
	Until      time.Time // zero: until it is ended
	State      State
	ProposedBy string // a person's id, or [ByVillage], [ByCommand]
	AsChief    bool   // he was chief there
	Proposed   time.Time
	DecidedBy  ID // who confirmed or refused
	Decided    time.Time
	EndedBy    string
	Ended      time.Time
}

// Acts is the log of who did what. *audit.Log is one.
type Acts interface {
	Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error)
}

// Grants gives roles and takes them back. Fill the fields.
type Grants struct {
	DB     *store.DB
	Rights Rights
	Places func() *place.Directory
	Record Acts // nil: no log is kept, in tests only
	Now    func() time.Time
	// Changed is told who holds something else than before; may be nil.
	Changed func(...ID)
}

// Propose proposes that person shall hold a role at a place. It waits for a second
// person. Leaders and deputies are their group's own business.
func (v *Grants) Propose(ctx context.Context, a Actor, person ID, r Role, at place.Scope, from, until time.Time) (Grant, error) {
	const op = "people.Propose"
	now := v.Now()
	g := Grant{ID: newGrant(), Person: person, Role: r, At: at, From: from.UTC().Truncate(time.Millisecond), Until: until, State: Proposed, ProposedBy: string(a.Person), Proposed: now}
	if from.IsZero() || g.From.Before(now) {
		g.From = now
	}
	if err := v.check(op, &g); err != nil {
		return Grant{}, err
	}
	on := v.thing(g)
	g.AsChief = holdsAt(a, Chief, on)
	if !v.Rights.May(a, "people.propose", on) {
		return Grant{}, fault.New(op, fault.Denied, "fault.denied")
	}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := findPerson(ctx, tx, op, person, now); err != nil {
			return err
		}
		if err := v.once(ctx, tx, op, g); err != nil {
			return err
		}
		if err := g.add(ctx, tx); err != nil {
			return err
		}
		return v.record(ctx, tx, audit.Act{Name: "people.propose", By: string(a.Person)}, g)
	})
	return v.done(g, err)
}

// check says what is wrong with a proposal.
func (v *Grants) check(op string, g *Grant) error {
	if !slices.Contains(givable, g.Role) {
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.role_unknown", Args: map[string]any{"role": string(g.Role)}}
	}
	g.At.Neighbourhood = place.Tidy(g.At.Neighbourhood)
	inside := g.At.Neighbourhood != ""
	switch _, known := place.UnitOf(g.At.Unit); {
	case !known, g.At.Group != "", len(g.At.Neighbourhood) > 100, inside && place.ParentOf(g.At.Unit) == "":
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.unit_unknown", Args: map[string]any{"unit": g.At.String()}}
	case g.Role == Head && !inside, inside && !slices.Contains([]Role{Head, Team, Mediator, Elder}, g.Role):
		return fault.New(op, fault.Invalid, "people.place_does_not_fit")
	}
	if !g.Until.IsZero() {
		g.Until = g.Until.UTC().Truncate(time.Millisecond)
		if !g.Until.After(g.From) || g.Until.Sub(g.From) > longTerm {
			return fault.New(op, fault.Invalid, "people.term_wrong")
		}
	}
	return nil
}

// once refuses a grant that waits or is held already.
func (v *Grants) once(ctx context.Context, tx *sql.Tx, op string, g Grant) error {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM people_grant WHERE person = $1 AND role = $2 AND unit = $3 AND neighbourhood = $4 AND group_id = $5
		AND (state = 'proposed' OR state = 'held' AND (until_ms = 0 OR until_ms > $6))`,
		g.Person, g.Role, g.At.Unit, g.At.Neighbourhood, g.At.Group, v.Now().UnixMilli()).Scan(&n)
	if err != nil {
		return fmt.Errorf("find grant: %w", err)
	}
	if n > 0 {
		return fault.New(op, fault.Conflict, "people.grant_exists")
	}
	return nil
}

// Confirm is the second person's yes: from now on the role is held.
func (v *Grants) Confirm(ctx context.Context, a Actor, id string) (Grant, error) {
	return v.move(ctx, "people.Confirm", "people.confirm", a, id, func(g *Grant, now time.Time) error {
		g.State, g.DecidedBy, g.Decided = Held, a.Person, now
		if g.From.Before(now) {
			g.From = now
		}
		if !g.Until.IsZero() && !g.Until.After(g.From) {
			return fault.New("people.Confirm", fault.Conflict, "people.term_wrong")
		}
		return nil
	})
}

// Refuse is a no: of who might confirm, of who proposed, or of whom it concerns.
func (v *Grants) Refuse(ctx context.Context, a Actor, id string) (Grant, error) {
	return v.move(ctx, "people.Refuse", "people.refuse", a, id, func(g *Grant, now time.Time) error {
		g.State, g.DecidedBy, g.Decided = Refused, a.Person, now
		return nil
	})
}

// End takes a role back at once.
func (v *Grants) End(ctx context.Context, a Actor, id string) (Grant, error) {
	return v.move(ctx, "people.End", "people.end", a, id, func(g *Grant, now time.Time) error {
		g.State, g.EndedBy, g.Ended = Ended, string(a.Person), now
		return nil
	})
}

// move brings a grant from one state into the next, when a may and nobody was
// quicker.
func (v *Grants) move(ctx context.Context, op, verb string, a Actor, id string, deed func(*Grant, time.Time) error) (Grant, error) {
	var g Grant
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		var err error
		if g, err = readGrant(ctx, tx, op, id); err != nil {
			return err
		}
		on := v.thing(g)
		if !v.Rights.May(a, "people.see_grant", on) {
			return fault.New(op, fault.NotFound, "people.grant_unknown")
		}
		if !v.Rights.May(a, verb, on) {
			return v.whyNot(op, verb, a, g)
		}
		was := g.State
		if err := deed(&g, v.Now()); err != nil {
			return err
		}
		if err := g.write(ctx, tx, op, was); err != nil {
			return err
		}
		return v.record(ctx, tx, audit.Act{Name: verb, By: string(a.Person)}, g)
	})
	return v.done(g, err)
}

// whyNot says which of the reasons it is that somebody may not: people who may, at
// another time or with another colleague, want to know.
func (v *Grants) whyNot(op, verb string, a Actor, g Grant) error {
	then := g
	then.State = map[string]State{"people.end": Held}[verb]
	if then.State == "" {
		then.State = Proposed
	}
	if g.State != then.State && v.Rights.May(a, verb, v.thing(then)) {
		return fault.New(op, fault.Conflict, "people.grant_decided")
	}
	then.ProposedBy = ByCommand
	if g.ProposedBy == string(a.Person) && v.Rights.May(a, verb, v.thing(then)) {
		return fault.New(op, fault.Denied, "people.second_person")
	}
	return fault.New(op, fault.Denied, "fault.denied")
}

func (v *Grants) done(g Grant, err error) (Grant, error) {
	if err != nil {
		return Grant{}, err
	}
	if v.Changed != nil {
		v.Changed(g.Person)
	}
	return g, nil
}

// List returns the grants that a may see: those that wait or are held, or all that
// ever were, newest first.
func (v *Grants) List(ctx context.Context, a Actor, ever bool) ([]Grant, error) {
	now := v.Now()
	all, err := readGrants(ctx, v.DB.Read(), ever, now)
	if err != nil {
		return nil, err
	}
	var seen []Grant
	for _, g := range all {
		if v.Rights.May(a, "people.see_grant", v.thing(g)) {
			seen = append(seen, g)
		}
	}
	return seen, nil
}

// All lists the grants that wait or are held, for who runs the machine.
func (v *Grants) All(ctx context.Context) ([]Grant, error) {
	return readGrants(ctx, v.DB.Read(), false, v.Now())
}

// Open is what a may do now with g, which he may see.
func (v *Grants) Open(a Actor, g Grant) (verbs []string) {
	for _, verb := range []string{"confirm", "refuse", "end"} {
		if v.Rights.May(a, "people."+verb, v.thing(g)) {
			verbs = append(verbs, verb)
		}
	}
	return verbs
}

// thing is a grant as the policies know it.
func (v *Grants) thing(g Grant) Thing {
	on := Thing{Kind: "Grant", ID: g.ID, Owner: g.Person, Attrs: map[string]any{
		"role": string(g.Role), "state": string(g.State), "as_chief": g.AsChief, "proposer": ID(g.ProposedBy),
	}}
	switch {
	case g.At.Group != "":
		on.Group, _ = v.Places().Group(g.At.Group)
	case g.At.Neighbourhood != "":
		on.Group = place.Group{Commune: g.At.Unit, Neighbourhood: g.At.Neighbourhood}
	default:
		on.Unit = g.At.Unit
	}
	return on
}

// holdsAt reports whether a holds r where on lies.
func holdsAt(a Actor, r Role, on Thing) bool {
	return slices.ContainsFunc(a.Held(), func(p Post) bool {
		l := levelOf(p.At, on)
		return p.Role == r && l <= atProvince
	})
}

// record writes what was done into the log: about whom, in which unit.
func (v *Grants) record(ctx context.Context, tx *sql.Tx, act audit.Act, g Grant) error {
	if v.Record == nil {
		return nil
	}
	on := v.thing(g)
	area := on.Unit
	if on.Group.Commune != "" {
		area = on.Group.Commune
	}
	act.Area, act.On, act.Of = string(area), "grant/"+g.ID, []string{string(g.Person)}
	act.Body = map[string]any{"role": g.Role, "place": g.At.String(), "state": g.State, "until": g.Until}
	_, err := v.Record.Append(ctx, tx, act)
	return err
}

const grantColumns = `id, person, role, unit, neighbourhood, group_id, from_ms, until_ms, state, proposed_by, as_chief, proposed_ms, decided_by, decided_ms, ended_by, ended_ms`

// add writes a new grant.
func (g Grant) add(ctx context.Context, tx *sql.Tx) error {
	chief := 0
	if g.AsChief {
		chief = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO people_grant (`+grantColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0, '', 0)`,
		g.ID, g.Person, g.Role, g.At.Unit, g.At.Neighbourhood, g.At.Group, store.Millis(g.From), store.Millis(g.Until), g.State, g.ProposedBy, chief, store.Millis(g.Proposed))
	if err != nil {
		return fmt.Errorf("write grant: %w", err)
	}
	return bumpGrants(ctx, tx)
}

// write changes a grant that was in state was; Conflict when it is not any more.
func (g Grant) write(ctx context.Context, tx *sql.Tx, op string, was State) error {
	res, err := tx.ExecContext(ctx, `UPDATE people_grant SET from_ms = $1, state = $2, decided_by = $3, decided_ms = $4, ended_by = $5, ended_ms = $6
		WHERE id = $7 AND state = $8`, store.Millis(g.From), g.State, g.DecidedBy, store.Millis(g.Decided), g.EndedBy, store.Millis(g.Ended), g.ID, was)
	if err != nil {
		return fmt.Errorf("write grant: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return &fault.Error{Op: op, Kind: fault.Conflict, Key: "people.grant_decided", Err: err}
	}
	return bumpGrants(ctx, tx)
}

func readGrant(ctx context.Context, q place.Querier, op, id string) (Grant, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+grantColumns+` FROM people_grant WHERE id = $1`, id)
	list, err := scanGrants(rows, err)
	if err == nil && len(list) == 0 {
		return Grant{}, fault.New(op, fault.NotFound, "people.grant_unknown")
	}
	if err != nil {
		return Grant{}, err
	}
	return list[0], nil
}

func readGrants(ctx context.Context, q place.Querier, ever bool, now time.Time) ([]Grant, error) {
	if ever {
		rows, err := q.QueryContext(ctx, `SELECT `+grantColumns+` FROM people_grant ORDER BY proposed_ms DESC, id DESC`)
		return scanGrants(rows, err)
	}
	rows, err := q.QueryContext(ctx, `SELECT `+grantColumns+` FROM people_grant
		WHERE state = 'proposed' OR state = 'held' AND (until_ms = 0 OR until_ms > $1) ORDER BY proposed_ms DESC, id DESC`, now.UnixMilli())
	return scanGrants(rows, err)
}

func scanGrants(rows *sql.Rows, err error) ([]Grant, error) {
	if err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []Grant
	for rows.Next() {
		var g Grant
		var from, until, proposed, decided, ended int64
		var chief int
		if err := rows.Scan(&g.ID, &g.Person, &g.Role, &g.At.Unit, &g.At.Neighbourhood, &g.At.Group, &from, &until, &g.State, &g.ProposedBy, &chief, &proposed, &g.DecidedBy, &decided, &g.EndedBy, &ended); err != nil {
			return nil, fmt.Errorf("read grants: %w", err)
		}
		g.From, g.Until, g.AsChief = time.UnixMilli(from).UTC(), store.Instant(until), chief != 0
		g.Proposed, g.Decided, g.Ended = store.Instant(proposed), store.Instant(decided), store.Instant(ended)
		list = append(list, g)
	}
	return list, rows.Err()
}
