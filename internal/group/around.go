package group

import (
	"context"
	"database/sql"
	"slices"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Ask asks group other, of the same commune, to be a neighbour: in need, its
// leader is called too. Two who ask each other are neighbours.
func (v *Service) Ask(ctx context.Context, a people.Actor, id, other place.GroupID) error {
	const op = "group.Ask"
	g, err := v.over(op, a, id, "group.neighbour", "")
	if err != nil {
		return err
	}
	o, ok := v.Village.Directory().Group(other)
	if !ok || o.Commune != g.Commune || o.ID == g.ID {
		return fault.New(op, fault.NotFound, "group.unknown")
	}
	if slices.Contains(g.Adjoining, other) {
		return nil
	}
	return v.pair(ctx, op, id, other, func(tx *sql.Tx) (bool, error) {
		theirs, err := asked(ctx, tx, other, id)
		if err != nil || theirs {
			return theirs, err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO group_neighbour (asker, asked, at_ms, by_person) VALUES ($1, $2, $3, $4)
			ON CONFLICT (asker, asked) DO NOTHING`, id, other, v.Now().UnixMilli(), a.Person)
		return false, err
	})
}

// Reply is the answer of group id's leader to a group that asked. No keeps nothing.
func (v *Service) Reply(ctx context.Context, a people.Actor, id, other place.GroupID, yes bool) error {
	const op = "group.Reply"
	if _, err := v.over(op, a, id, "group.neighbour", ""); err != nil {
		return err
	}
	return v.pair(ctx, op, id, other, func(tx *sql.Tx) (bool, error) {
		theirs, err := asked(ctx, tx, other, id)
		if err != nil {
			return false, err
		}
		if !theirs {
			return false, fault.New(op, fault.NotFound, "group.not_asked")
		}
		if !yes {
			_, err := tx.ExecContext(ctx, `DELETE FROM group_neighbour WHERE asker = $1 AND asked = $2`, other, id)
			return false, err
		}
		return true, nil
	})
}

// pair does f; when f says so, both groups are neighbours from now on, and what
// they asked is answered.
func (v *Service) pair(ctx context.Context, op string, id, other place.GroupID, f func(*sql.Tx) (bool, error)) error {
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		join, err := f(tx)
		if err != nil || !join {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM group_neighbour WHERE asker = $1 AND asked = $2 OR asker = $2 AND asked = $1`, id, other); err != nil {
			return err
		}
		return adjoin(ctx, tx, op, id, other, true)
	})
	return v.told(ctx, op, err)
}

// Part ends being neighbours, or takes back what was asked. Either side may,
// without a reason.
func (v *Service) Part(ctx context.Context, a people.Actor, id, other place.GroupID) error {
	const op = "group.Part"
	if _, err := v.over(op, a, id, "group.neighbour", ""); err != nil {
		return err
	}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM group_neighbour WHERE asker = $1 AND asked = $2`, id, other); err != nil {
			return err
		}
		return adjoin(ctx, tx, op, id, other, false)
	})
	return v.told(ctx, op, err)
}

// adjoin writes into both groups whether they are neighbours.
func adjoin(ctx context.Context, tx *sql.Tx, op string, one, two place.GroupID, yes bool) error {
	for _, p := range [][2]place.GroupID{{one, two}, {two, one}} {
		g, ok, err := place.Find(ctx, tx, p[0])
		if err != nil {
			return err
		}
		if !ok {
			if !yes {
				continue
			}
			return fault.New(op, fault.NotFound, "group.unknown")
		}
		g.Adjoining = slices.DeleteFunc(g.Adjoining, func(x place.GroupID) bool { return x == p[1] })
		if yes {
			g.Adjoining = append(g.Adjoining, p[1])
		}
		if _, err := place.Put(ctx, tx, []place.Group{g}, false); err != nil {
			return err
		}
	}
	return place.Bump(ctx, tx)
}

// Meet says where everybody meets.
func (v *Service) Meet(ctx context.Context, a people.Actor, id place.GroupID, m Assembly) error {
	const op = "group.Meet"
	if _, err := v.over(op, a, id, "group.change", ""); err != nil {
		return err
	}
	var err error
	if m.Text, err = text(op, m.Text, "group.assembly_empty", 300); err != nil {
		return err
	}
	if !m.Placed {
		m.Lat, m.Lon = 0, 0
	}
	placed := 0
	if m.Placed {
		placed = 1
	}
	return fault.Wrap(op, v.DB.Exec(ctx, `INSERT INTO group_assembly (group_id, text, lat, lon, placed, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (group_id) DO UPDATE SET text = excluded.text, lat = excluded.lat, lon = excluded.lon, placed = excluded.placed, at_ms = excluded.at_ms`,
		id, m.Text, m.Lat, m.Lon, placed, v.Now().UnixMilli()))
}

// Equip writes down a piece of gear, or corrects one that has an ID: the leader for
// the whole group, everybody for his own home.
func (v *Service) Equip(ctx context.Context, a people.Actor, x Gear) (string, error) {
	const op = "group.Equip"
	g, err := v.over(op, a, x.Group, "group.gear", x.Home)
	if err != nil {
		return "", err
	}
	if x, err = checkGear(op, x, g.Homes); err != nil {
		return "", err
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		all, err := readGear(ctx, tx, x.Group)
		if err != nil {
			return err
		}
		if x.ID == "" {
			if len(all) >= mostGear {
				return &fault.Error{Op: op, Kind: fault.Invalid, Key: "group.gear_full", Args: map[string]any{"most": mostGear}}
			}
			x.ID = newID("e-")
		} else if err := v.mayTouch(op, a, g, all, x.ID); err != nil {
			return err
		}
		return putGear(ctx, tx, x, a.Person, v.Now())
	})
	return x.ID, fault.Wrap(op, err)
}

// Scrap takes a piece of gear off the list.
func (v *Service) Scrap(ctx context.Context, a people.Actor, id place.GroupID, gear string) error {
	const op = "group.Scrap"
	g, err := v.over(op, a, id, "group.see_inside", "")
	if err != nil {
		return err
	}
	return fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		all, err := readGear(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := v.mayTouch(op, a, g, all, gear); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM group_gear WHERE id = $1`, gear)
		return err
	}))
}

// mayTouch reports whether a may change a piece of gear where it stands now.
func (v *Service) mayTouch(op string, a people.Actor, g place.Group, all []Gear, id string) error {
	i := slices.IndexFunc(all, func(x Gear) bool { return x.ID == id })
	if i < 0 {
		return fault.New(op, fault.NotFound, "group.gear_gone")
	}
	if !v.Rights.May(a, "group.gear", at(g, all[i].Home)) {
		return fault.New(op, fault.Denied, "fault.denied")
	}
	return nil
}

// Offer gives a skill of a's own, or takes it back.
func (v *Service) Offer(ctx context.Context, a people.Actor, s Skill, yes bool) error {
	const op = "group.Offer"
	if _, err := v.at(op, a, "group.skill"); err != nil {
		return err
	}
	if !slices.Contains(Skills[:], s) {
		return fault.New(op, fault.Invalid, "group.skill_unknown")
	}
	if !yes {
		return fault.Wrap(op, v.DB.Exec(ctx, `DELETE FROM group_skill WHERE person = $1 AND skill = $2`, a.Person, s))
	}
	return fault.Wrap(op, v.DB.Exec(ctx, `INSERT INTO group_skill (person, skill, at_ms) VALUES ($1, $2, $3) ON CONFLICT (person, skill) DO NOTHING`, a.Person, s, v.Now().UnixMilli()))
}
