package people

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// mostAdults is how many adults one home may have.
const mostAdults = 12

// InviteAdult makes an invite for an adult of home h in group g, inside tx. Who is
// not known in the home is added to it, as a member; nobody is signed in before he
// comes himself. Invites of his that nobody used are void from now on. Who has come
// already is not invited like this: his telephone was changed, or somebody plays
// him; the fault says so. The caller bumps the village's version.
func (v *Service) InviteAdult(ctx context.Context, tx *sql.Tx, g place.GroupID, h place.HomeID, name string) (Invite, error) {
	const op = "people.InviteAdult"
	name = place.Tidy(name)
	if name == "" || len(name) > 200 {
		return Invite{}, fault.New(op, fault.Invalid, "people.name_needed")
	}
	homes, err := readResidents(ctx, tx)
	if err != nil {
		return Invite{}, err
	}
	had := homes[h]
	i := slices.IndexFunc(had, func(s stored) bool { return place.Fold(s.Name) == place.Fold(name) })
	if i < 0 {
		if len(had) >= mostAdults {
			return Invite{}, &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.home_full", Args: map[string]any{"most": mostAdults}}
		}
		p := Person{ID: newID(), Name: name, Role: Member, Home: h, Scope: place.Scope{Group: g}}
		if err := addResident(ctx, tx, p, len(had)); err != nil {
			return Invite{}, err
		}
		return v.invite(ctx, tx, p, false)
	}
	p := had[i].Person
	came, err := Arrived(ctx, tx, g)
	if err != nil {
		return Invite{}, err
	}
	if came[p.ID] {
		return Invite{}, &fault.Error{Op: op, Kind: fault.Conflict, Key: "people.adult_known", Args: map[string]any{"name": p.Name}}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM invite WHERE person = $1 AND used_ms = 0`, p.ID); err != nil {
		return Invite{}, fmt.Errorf("void invites: %w", err)
	}
	return v.invite(ctx, tx, p, false)
}

// InviteStranger makes an invite for somebody who belongs to no home yet. Until he
// does he may do nothing that his role would let him.
func (v *Service) InviteStranger(ctx context.Context, tx *sql.Tx, name string) (Invite, error) {
	name = place.Tidy(name)
	if name == "" || len(name) > 200 {
		return Invite{}, fault.New("people.InviteStranger", fault.Invalid, "people.name_needed")
	}
	p := Person{ID: newID(), Name: name, Role: Member}
	if err := addResident(ctx, tx, p, 0); err != nil {
		return Invite{}, err
	}
	return v.invite(ctx, tx, p, false)
}

func addResident(ctx context.Context, tx *sql.Tx, p Person, position int) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO person (id, name, phone, role, home, scope_group, scope_unit, position)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7)`, p.ID, p.Name, p.Phone, p.Role, p.Home, p.Scope.Group, position); err != nil {
		return fmt.Errorf("add resident: %w", err)
	}
	return nil
}

// Settle lets somebody without a home live in home h of group g, in role r. The
// caller bumps the village's version and calls [Service.Changed].
func Settle(ctx context.Context, tx *sql.Tx, id ID, g place.GroupID, h place.HomeID, r Role, now time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE person SET home = $2, scope_group = $3, scope_unit = '', role = $4, position = 0 WHERE id = $1 AND home = ''`, id, h, g, r)
	if err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fault.New("people.Settle", fault.Conflict, "people.has_home")
	}
	return SetRole(ctx, tx, g, id, r, time.Time{}, now)
}

// byGroup is who gives a post when a group itself does, by its terms.
const byGroup = "group"

// SetRole makes a resident of group g a member, deputy or leader until a time; the
// zero time is no end. The caller bumps the village's version and calls
// [Service.Changed].
func SetRole(ctx context.Context, tx *sql.Tx, g place.GroupID, id ID, r Role, until, now time.Time) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM person WHERE id = $1 AND scope_group = $2 AND home <> ''`, id, g).Scan(&n); err != nil {
		return fmt.Errorf("set role: %w", err)
	}
	if n != 1 {
		return fault.New("people.SetRole", fault.NotFound, "people.unknown")
	}
	at := place.Scope{Group: g}
	if _, err := EndPosts(ctx, tx, id, at, byGroup, now, ofGroup...); err != nil {
		return err
	}
	if r == Member {
		return nil
	}
	_, err := Give(ctx, tx, id, Post{Role: r, At: at, From: now, Until: until, By: byGroup}, now)
	return err
}

// Remove takes somebody out, with his sessions and invites. The caller bumps the
// village's version and calls [Service.Changed].
func Remove(ctx context.Context, tx *sql.Tx, id ID) error { return remove(ctx, tx, id) }

// Residents lists the adults of a group as they are stored, by home and place in
// it. Their role is the one in this group, and their posts those that nobody
// ended, also when their time is over: whoever keeps the terms ends them.
func Residents(ctx context.Context, q place.Querier, g place.GroupID) ([]Person, error) {
	all, err := readPeople(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []Person
	for _, s := range all {
		if s.Home != "" && s.Scope.Group == g {
			p := s.Person
			p.Role = Member
			for x := range p.Posts.All() {
				if x.At.Group == g && (x.Role == Leader || x.Role == Deputy && p.Role == Member) {
					p.Role = x.Role
				}
			}
			list = append(list, p)
		}
	}
	return list, nil
}

// Arrived says who of a group has ever come in: by an invite, or with a session.
func Arrived(ctx context.Context, q place.Querier, g place.GroupID) (came map[ID]bool, err error) {
	rows, err := q.QueryContext(ctx, `SELECT p.id FROM person p WHERE p.scope_group = $1 AND
		(EXISTS (SELECT 1 FROM session s WHERE s.person = p.id) OR EXISTS (SELECT 1 FROM invite i WHERE i.person = p.id AND i.used_ms > 0))`, g)
	if err != nil {
		return nil, fmt.Errorf("read who came: %w", err)
	}
	defer func() { _ = rows.Close() }()
	came = map[ID]bool{}
	for rows.Next() {
		var id ID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read who came: %w", err)
		}
		came[id] = true
	}
	return came, rows.Err()
}
