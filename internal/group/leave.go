package group

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Leave takes a out of his group: no reason, at once. His sessions end. With the
// last adult the home goes too.
func (v *Service) Leave(ctx context.Context, a people.Actor) error {
	const op = "group.Leave"
	g, err := v.at(op, a, "group.leave")
	if err != nil {
		return err
	}
	return v.depart(ctx, op, a, g.ID, func(all []people.Person) (leave []people.Person, home place.HomeID) {
		last := true
		for _, p := range all {
			switch {
			case p.ID == a.Person:
				leave = append(leave, p)
			case p.Home == a.Home:
				last = false
			}
		}
		if last {
			home = a.Home
		}
		return leave, home
	})
}

// LeaveHome takes home h out of the group, with everybody in it: its own adults
// whenever they like, the leader only a home into which nobody has come yet.
func (v *Service) LeaveHome(ctx context.Context, a people.Actor, id place.GroupID, h place.HomeID) error {
	const op = "group.LeaveHome"
	if _, err := v.over(op, a, id, "group.home_leave", h); err != nil {
		return err
	}
	if a.Home != h {
		came, err := people.Arrived(ctx, v.DB.Read(), id)
		if err != nil {
			return fault.Wrap(op, err)
		}
		for _, p := range v.Folk.Group(id) {
			if p.Home == h && came[p.ID] {
				return fault.New(op, fault.Conflict, "group.home_lived_in")
			}
		}
	}
	return v.depart(ctx, op, a, id, func(all []people.Person) (leave []people.Person, home place.HomeID) {
		for _, p := range all {
			if p.Home == h {
				leave = append(leave, p)
			}
		}
		return leave, h
	})
}

// depart takes out whom who names among the group's people, and a home when it
// names one. It waits for a loud alarm to end: until then everybody counts on
// everybody. Of a silent one nothing may be felt, so it does not wait for that.
func (v *Service) depart(ctx context.Context, op string, a people.Actor, id place.GroupID, who func([]people.Person) ([]people.Person, place.HomeID)) error {
	if v.Alarms != nil && v.Alarms.Loud(id) {
		return fault.New(op, fault.Conflict, "group.leave_after_alarm")
	}
	var gone []people.ID
	err := v.change(ctx, op, a, id, func(tx *sql.Tx, g *place.Group) (deed, error) {
		all, err := people.Residents(ctx, tx, id)
		if err != nil {
			return deed{}, err
		}
		leave, home := who(all)
		for _, p := range leave {
			gone = append(gone, p.ID)
		}
		for _, p := range leave {
			if err := forget(ctx, tx, p.ID, v.Now().UnixMilli()); err != nil {
				return deed{}, err
			}
			if err := people.Remove(ctx, tx, p.ID); err != nil {
				return deed{}, err
			}
		}
		d := record("group.leave", onGroup(id), gone, nil)
		if home == "" {
			return d, nil
		}
		g.Homes = slices.DeleteFunc(g.Homes, func(x place.Home) bool { return x.ID == home })
		d.on = onHome(home)
		return d, v.forgetHome(ctx, tx, home)
	})
	if err != nil {
		return err
	}
	v.People.Changed(gone...)
	if v.Left != nil {
		v.Left(ctx, gone...)
	}
	return nil
}

// forget takes out what this slice knows of a person. What he signed stays
// signed, without him.
func forget(ctx context.Context, tx *sql.Tx, p people.ID, now int64) error {
	for _, q := range [...]string{
		`DELETE FROM group_skill WHERE person = $1`,
		`UPDATE group_signature SET person = '' WHERE person = $1`,
		`UPDATE group_charter SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_founded SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_gear SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_note SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_neighbour SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_term SET by_person = '' WHERE by_person = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, p); err != nil {
			return fmt.Errorf("forget person %s: %w", p, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE group_term SET ended_ms = $2, person = '' WHERE person = $1`, p, now); err != nil {
		return fmt.Errorf("forget person %s: %w", p, err)
	}
	return nil
}

// forgetHome takes out what is known of a home: its note, who opened it, its
// gear and its devices. That it signed stays until the next version.
func (v *Service) forgetHome(ctx context.Context, tx *sql.Tx, h place.HomeID) error {
	for _, q := range [...]string{`DELETE FROM group_note WHERE home = $1`, `DELETE FROM group_opening WHERE home = $1`, `DELETE FROM group_gear WHERE home = $1`} {
		if _, err := tx.ExecContext(ctx, q, h); err != nil {
			return fmt.Errorf("forget home %s: %w", h, err)
		}
	}
	if v.Wires == nil {
		return nil
	}
	return v.Wires.Unwire(ctx, tx, []place.HomeID{h})
}
