package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// Invite is a letter of invitation: one use, by link or by code.
type Invite struct {
	Person  Person
	Code    string // without dashes; see [ShowCode]. Shown once, stored hashed
	Expires time.Time
	Again   bool // using it ends what the person had before: he has a new phone
}

// Path is where an invite is opened: "/i/7K2MQ9XT4BWZ".
func (i Invite) Path() string { return "/i/" + i.Code }

// InviteHome makes an invite for every member of home h, or only for those whose
// name is name when it is not "".
func (v *Service) InviteHome(ctx context.Context, h place.HomeID, name string) ([]Invite, error) {
	const op = "people.InviteHome"
	var list []Invite
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		homes, err := readResidents(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range homes[h] {
			if name != "" && place.Fold(p.Name) != place.Fold(name) {
				continue
			}
			i, err := v.invite(ctx, tx, p.Person.at(v.Now()), false)
			if err != nil {
				return err
			}
			list = append(list, i)
		}
		if len(list) == 0 {
			return &fault.Error{Op: op, Kind: fault.NotFound, Key: "people.home_without_members", Args: map[string]any{"home": string(h)}}
		}
		return nil
	})
	return list, err
}

// InviteOfficer makes an invite for an officer of a unit. The same name in the
// same role and unit is the same person.
func (v *Service) InviteOfficer(ctx context.Context, r Role, unit place.UnitCode, name string) (Invite, error) {
	var i Invite
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		p, err := officer(ctx, tx, r, unit, name, v.Now())
		if err != nil {
			return err
		}
		i, err = v.invite(ctx, tx, p, false)
		return err
	})
	return i, err
}

// Officer makes an officer of a unit without an invite, or finds the one there is.
func (v *Service) Officer(ctx context.Context, r Role, unit place.UnitCode, name string) (Person, error) {
	var p Person
	err := v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		p, err = officer(ctx, tx, r, unit, name, v.Now())
		return err
	})
	return p, err
}

func officer(ctx context.Context, tx *sql.Tx, r Role, unit place.UnitCode, name string, now time.Time) (Person, error) {
	const op = "people.Officer"
	p := Person{Name: place.Tidy(name), Role: r, Scope: place.Scope{Unit: unit}}
	if !r.Officer() {
		return p, &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.role_unknown", Args: map[string]any{"role": string(r)}}
	}
	if _, ok := place.UnitOf(unit); !ok {
		return p, &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.unit_unknown", Args: map[string]any{"unit": string(unit)}}
	}
	if p.Name == "" || len(p.Name) > 200 {
		return p, fault.New(op, fault.Invalid, "people.name_needed")
	}
	err := tx.QueryRowContext(ctx, `SELECT id FROM person WHERE role = $1 AND scope_unit = $2 AND name = $3`, r, unit, p.Name).Scan(&p.ID)
	if err == nil {
		return findPerson(ctx, tx, op, p.ID, now)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("find officer: %w", err)
	}
	p.ID = newID()
	if _, err := tx.ExecContext(ctx, `INSERT INTO person (id, name, phone, role, home, scope_group, scope_unit, position)
		VALUES ($1, $2, '', $3, '', '', $4, 0)`, p.ID, p.Name, p.Role, unit); err != nil {
		return p, fmt.Errorf("add officer: %w", err)
	}
	post := Post{Role: r, At: p.Scope, From: now, By: ByCommand}
	if _, err := Give(ctx, tx, p.ID, post, now); err != nil {
		return p, err
	}
	p.Posts = PostsOf(post)
	return p, place.Bump(ctx, tx)
}

func (v *Service) invite(ctx context.Context, tx *sql.Tx, p Person, again bool) (Invite, error) {
	i := Invite{Person: p, Code: newCode(), Expires: v.Now().Add(InviteFor), Again: again}
	_, err := tx.ExecContext(ctx, `INSERT INTO invite (hash, person, expires_ms, used_ms, again) VALUES ($1, $2, $3, 0, $4)`, digest(i.Code), p.ID, i.Expires.UnixMilli(), bit(again))
	if err != nil {
		return i, fmt.Errorf("write invite: %w", err)
	}
	return i, nil
}

// errInvite is what every code that is no good gets: one that never was, was
// used, or has expired. Which of them it is, is nobody's business.
func errInvite(op string) error { return fault.New(op, fault.NotFound, "people.invite_not_good") }

// OpenInvite says whose invite a code is, and uses nothing up: link previews
// open links too.
func (v *Service) OpenInvite(ctx context.Context, code string) (Person, error) {
	const op = "people.OpenInvite"
	var p Person
	err := v.pace.answer(ctx, op, func() (bool, error) {
		code, ok := readCode(code)
		if !ok {
			return false, errInvite(op)
		}
		err := v.DB.Read().QueryRowContext(ctx, `SELECT `+personColumns+` FROM invite i JOIN person p ON p.id = i.person
			WHERE i.hash = $1 AND i.used_ms = 0 AND i.expires_ms > $2`, digest(code), v.Now().UnixMilli()).Scan(p.into()...)
		if errors.Is(err, sql.ErrNoRows) {
			return false, errInvite(op)
		}
		if err != nil {
			return true, err
		}
		p, err = findPerson(ctx, v.DB.Read(), op, p.ID, v.Now())
		return true, err
	})
	return p, err
}

// Redeem uses an invite up and begins a session: its secret goes into the
// person's cookie. Of two who redeem the same code, one gets in.
func (v *Service) Redeem(ctx context.Context, code string) (Session, error) {
	const op = "people.Redeem"
	var s Session
	err := v.pace.answer(ctx, op, func() (bool, error) {
		code, ok := readCode(code)
		if !ok {
			return false, errInvite(op)
		}
		err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
			now := v.Now()
			var id ID
			var again int
			err := tx.QueryRowContext(ctx, `UPDATE invite SET used_ms = $1 WHERE hash = $2 AND used_ms = 0 AND expires_ms > $1 RETURNING person, again`,
				now.UnixMilli(), digest(code)).Scan(&id, &again)
			if errors.Is(err, sql.ErrNoRows) {
				return errInvite(op)
			}
			if err != nil {
				return fmt.Errorf("use invite: %w", err)
			}
			if again != 0 {
				if err := v.renewed(ctx, tx, id, now); err != nil {
					return err
				}
			}
			s, err = v.Begin(ctx, tx, op, id, ByInvite)
			return err
		})
		if err == nil {
			v.Changed(s.Person.ID)
		}
		return fault.KindOf(err) != fault.NotFound, err
	})
	return s, err
}
