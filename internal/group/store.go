package group

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

// each scans every row of a query with f.
func each(ctx context.Context, q place.Querier, query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read group: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("read group: %w", err)
		}
	}
	return rows.Err()
}

// founder is where somebody was invited to found a group; ok is false when he was not.
func founder(ctx context.Context, q place.Querier, p people.ID) (unit place.UnitCode, ok bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT unit FROM group_founder WHERE person = $1`, p).Scan(&unit)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return unit, err == nil, err
}

// foundedWith finds the group that somebody founded with an outbox key.
func foundedWith(ctx context.Context, q place.Querier, p people.ID, key string) (id place.GroupID, ok bool, err error) {
	if p == "" || key == "" {
		return "", false, nil
	}
	err = q.QueryRowContext(ctx, `SELECT group_id FROM group_founded WHERE by_person = $1 AND key = $2`, p, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return id, err == nil, err
}

func putCharter(ctx context.Context, tx *sql.Tx, g place.GroupID, c Charter) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO group_charter (group_id, version, body, at_ms, by_person) VALUES ($1, $2, $3, $4, $5)`,
		g, c.Version, c.Text, c.At.UnixMilli(), c.By)
	if err != nil {
		return fmt.Errorf("write charter: %w", err)
	}
	return nil
}

// newest is the newest version of a group's rules; ok is false when there is none.
func newest(ctx context.Context, q place.Querier, g place.GroupID) (c Charter, ok bool, err error) {
	var at int64
	err = q.QueryRowContext(ctx, `SELECT version, body, at_ms, by_person FROM group_charter WHERE group_id = $1 ORDER BY version DESC LIMIT 1`, g).
		Scan(&c.Version, &c.Text, &at, &c.By)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	c.At = time.UnixMilli(at).UTC()
	return c, err == nil, err
}

func readSigned(ctx context.Context, q place.Querier, g place.GroupID, version int) (all []Signature, err error) {
	err = each(ctx, q, `SELECT home, person, at_ms FROM group_signature WHERE group_id = $1 AND version = $2 ORDER BY at_ms, home`, func(rows *sql.Rows) error {
		var s Signature
		var at int64
		if err := rows.Scan(&s.Home, &s.Person, &at); err != nil {
			return err
		}
		s.At = time.UnixMilli(at).UTC()
		all = append(all, s)
		return nil
	}, g, version)
	return all, err
}

func putTerm(ctx context.Context, tx *sql.Tx, t Term, by people.ID, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO group_term (id, group_id, person, role, from_day, until_day, by_person, at_ms, ended_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)`,
		t.ID, t.Group, t.Person, t.Role, t.From, t.Until, by, at.UnixMilli())
	if err != nil {
		return fmt.Errorf("write term: %w", err)
	}
	return nil
}

// endTerm ends t on a day. One that has not begun by then never held.
func endTerm(ctx context.Context, tx *sql.Tx, t Term, on day, now time.Time) error {
	ended := int64(0)
	if t.From >= on || on <= dayOf(now) {
		ended = now.UnixMilli()
	}
	if _, err := tx.ExecContext(ctx, `UPDATE group_term SET until_day = $2, ended_ms = $3 WHERE id = $1`, t.ID, on, ended); err != nil {
		return fmt.Errorf("end term: %w", err)
	}
	return nil
}

func readTerms(ctx context.Context, q place.Querier, g place.GroupID) (all []Term, err error) {
	err = each(ctx, q, `SELECT id, group_id, person, role, from_day, until_day, ended_ms FROM group_term WHERE group_id = $1 AND person <> '' ORDER BY from_day, id`, func(rows *sql.Rows) error {
		var t Term
		var ended int64
		if err := rows.Scan(&t.ID, &t.Group, &t.Person, &t.Role, &t.From, &t.Until, &ended); err != nil {
			return err
		}
		t.Ended = ended > 0
		all = append(all, t)
		return nil
	}, g)
	return all, err
}

// withTerms lists the groups that have terms.
func withTerms(ctx context.Context, q place.Querier) (ids []place.GroupID, err error) {
	err = each(ctx, q, `SELECT DISTINCT group_id FROM group_term`, func(rows *sql.Rows) error {
		var id place.GroupID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	})
	return ids, err
}

// asked reports whether group asker asked group other.
func asked(ctx context.Context, q place.Querier, asker, other place.GroupID) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM group_neighbour WHERE asker = $1 AND asked = $2`, asker, other).Scan(&n)
	return n > 0, err
}

// askings lists whom g asked and who asked g.
func askings(ctx context.Context, q place.Querier, g place.GroupID) (mine, theirs []place.GroupID, err error) {
	err = each(ctx, q, `SELECT asker, asked FROM group_neighbour WHERE asker = $1 OR asked = $1 ORDER BY at_ms`, func(rows *sql.Rows) error {
		var from, to place.GroupID
		if err := rows.Scan(&from, &to); err != nil {
			return err
		}
		if from == g {
			mine = append(mine, to)
		} else {
			theirs = append(theirs, from)
		}
		return nil
	}, g)
	return mine, theirs, err
}

func readAssembly(ctx context.Context, q place.Querier, g place.GroupID) (*Assembly, error) {
	var m Assembly
	var placed int
	err := q.QueryRowContext(ctx, `SELECT text, lat, lon, placed FROM group_assembly WHERE group_id = $1`, g).Scan(&m.Text, &m.Lat, &m.Lon, &placed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	m.Placed = placed != 0
	return &m, err
}

// putGear writes x; what is renewed is spoken of afresh.
func putGear(ctx context.Context, tx *sql.Tx, x Gear, by people.ID, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO group_gear (id, group_id, home, kind, label, expires, reminded, at_ms, by_person) VALUES ($1, $2, $3, $4, $5, $6, '', $7, $8)
		ON CONFLICT (id) DO UPDATE SET home = excluded.home, kind = excluded.kind, label = excluded.label,
			reminded = CASE WHEN group_gear.expires = excluded.expires THEN group_gear.reminded ELSE '' END,
			expires = excluded.expires, at_ms = excluded.at_ms, by_person = excluded.by_person`,
		x.ID, x.Group, x.Home, x.Kind, x.Label, x.Expires, at.UnixMilli(), by)
	if err != nil {
		return fmt.Errorf("write gear: %w", err)
	}
	return nil
}

func readGear(ctx context.Context, q place.Querier, g place.GroupID) (all []Gear, err error) {
	err = each(ctx, q, `SELECT id, group_id, home, kind, label, expires, reminded FROM group_gear WHERE group_id = $1 ORDER BY kind, at_ms, id`, func(rows *sql.Rows) error {
		var x Gear
		if err := rows.Scan(&x.ID, &x.Group, &x.Home, &x.Kind, &x.Label, &x.Expires, &x.Reminded); err != nil {
			return err
		}
		all = append(all, x)
		return nil
	}, g)
	return all, err
}

// readSkills lists the skills of everybody who gave one.
func readSkills(ctx context.Context, q place.Querier) (map[people.ID][]Skill, error) {
	all := map[people.ID][]Skill{}
	err := each(ctx, q, `SELECT person, skill FROM group_skill ORDER BY skill`, func(rows *sql.Rows) error {
		var p people.ID
		var s Skill
		if err := rows.Scan(&p, &s); err != nil {
			return err
		}
		all[p] = append(all[p], s)
		return nil
	})
	return all, err
}

func withNotes(ctx context.Context, q place.Querier) (map[place.HomeID]bool, error) {
	have := map[place.HomeID]bool{}
	err := each(ctx, q, `SELECT home FROM group_note`, func(rows *sql.Rows) error {
		var h place.HomeID
		if err := rows.Scan(&h); err != nil {
			return err
		}
		have[h] = true
		return nil
	})
	return have, err
}

func readOpenings(ctx context.Context, q place.Querier, h place.HomeID) (all []Opening, err error) {
	err = each(ctx, q, `SELECT id, home, incident, person, role, at_ms, leaf FROM group_opening WHERE home = $1 ORDER BY at_ms DESC, id LIMIT 200`, func(rows *sql.Rows) error {
		var o Opening
		var at int64
		if err := rows.Scan(&o.ID, &o.Home, &o.Incident, &o.Person, &o.Role, &at, &o.Leaf); err != nil {
			return err
		}
		o.At = time.UnixMilli(at).UTC()
		all = append(all, o)
		return nil
	}, h)
	return all, err
}
