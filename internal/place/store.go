package place

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/keng-vn/keng/internal/engine/store"
)

// Migrations are the tables of this package.
//
//go:embed sql/*.sql
var Migrations embed.FS

// Querier is what reading needs: a pool or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
}

// Tally counts what happened to the rows of one kind.
type Tally struct {
	Added, Changed, Removed, Unchanged int
	Absent                             []string // ids that are known and were not named, whether or not they were removed
}

// Any reports whether anything was written.
func (t Tally) Any() bool { return t.Added+t.Changed+t.Removed > 0 }

// Changes is what [Put] did.
type Changes struct{ Groups, Homes Tally }

// Put makes the groups and their homes what groups says, inside tx. Homes of
// these groups that are not named stay, and are told as absent, unless prune;
// groups that are not named are left alone. A home that is named under another
// group than before moves there. The caller bumps the version ([Bump]).
func Put(ctx context.Context, tx *sql.Tx, groups []Group, prune bool) (Changes, error) {
	var c Changes
	had, err := readGroups(ctx, tx)
	if err != nil {
		return c, err
	}
	homes, err := readHomes(ctx, tx)
	if err != nil {
		return c, err
	}
	if err := putGroups(ctx, tx, groups, had, &c.Groups); err != nil {
		return c, err
	}
	if err := putHomes(ctx, tx, groups, homes, &c.Homes); err != nil {
		return c, err
	}
	return c, dropHomes(ctx, tx, groups, homes, prune, &c.Homes)
}

func putGroups(ctx context.Context, tx *sql.Tx, groups []Group, had map[GroupID]Group, t *Tally) error {
	put, err := tx.PrepareContext(ctx, `INSERT INTO place_group (id, commune, name, neighbourhood, adjoining, plan, all_calm)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET commune = excluded.commune, name = excluded.name, neighbourhood = excluded.neighbourhood,
			adjoining = excluded.adjoining, plan = excluded.plan, all_calm = excluded.all_calm`)
	if err != nil {
		return fmt.Errorf("put groups: %w", err)
	}
	defer func() { _ = put.Close() }()
	for _, g := range groups {
		old, known := had[g.ID]
		switch {
		case known && sameGroup(old, g):
			t.Unchanged++
			continue
		case known:
			t.Changed++
		default:
			t.Added++
		}
		near, err := json.Marshal(append([]GroupID{}, g.Adjoining...))
		if err != nil {
			return fmt.Errorf("put group %s: %w", g.ID, err)
		}
		if _, err := put.ExecContext(ctx, g.ID, g.Commune, g.Name, g.Neighbourhood, string(near), g.Plan, g.AllCalm); err != nil {
			return fmt.Errorf("put group %s: %w", g.ID, err)
		}
	}
	return nil
}

func sameGroup(a, b Group) bool {
	return a.Commune == b.Commune && a.Name == b.Name && a.Neighbourhood == b.Neighbourhood &&
		a.Plan == b.Plan && a.AllCalm == b.AllCalm && slices.Equal(a.Adjoining, b.Adjoining)
}

// row is a home as it is stored, with its place along the street.
type row struct {
	Home
	position int
}

func putHomes(ctx context.Context, tx *sql.Tx, groups []Group, had map[HomeID]row, t *Tally) error {
	put, err := tx.PrepareContext(ctx, `INSERT INTO place_home (id, group_id, position, name, address, lat, lon, placed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET group_id = excluded.group_id, position = excluded.position, name = excluded.name,
			address = excluded.address, lat = excluded.lat, lon = excluded.lon, placed = excluded.placed`)
	if err != nil {
		return fmt.Errorf("put homes: %w", err)
	}
	defer func() { _ = put.Close() }()
	for _, g := range groups {
		for i, h := range g.Homes {
			h.Group = g.ID
			old, known := had[h.ID]
			switch {
			case known && old == row{h, i}:
				t.Unchanged++
				continue
			case known:
				t.Changed++
			default:
				t.Added++
			}
			if _, err := put.ExecContext(ctx, h.ID, h.Group, i, h.Name, h.Address, h.Lat, h.Lon, flag(h.Placed)); err != nil {
				return fmt.Errorf("put home %s: %w", h.ID, err)
			}
		}
	}
	return nil
}

// dropHomes finds the homes of groups that were not named and, if prune, removes them.
func dropHomes(ctx context.Context, tx *sql.Tx, groups []Group, had map[HomeID]row, prune bool, t *Tally) error {
	named, kept := map[GroupID]bool{}, map[HomeID]bool{}
	for _, g := range groups {
		named[g.ID] = true
		for _, h := range g.Homes {
			kept[h.ID] = true
		}
	}
	for id, r := range had {
		if named[r.Group] && !kept[id] {
			t.Absent = append(t.Absent, string(id))
		}
	}
	slices.SortFunc(t.Absent, natural)
	if !prune {
		return nil
	}
	for _, id := range t.Absent {
		if _, err := tx.ExecContext(ctx, `DELETE FROM place_home WHERE id = $1`, id); err != nil {
			return fmt.Errorf("remove home %s: %w", id, err)
		}
		t.Removed++
	}
	return nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Bump says that the village changed: every process reads it again. It belongs
// in the transaction of the change.
func Bump(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE place_version SET version = version + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("bump village: %w", err)
	}
	return nil
}

// Version is the version of the village, which only grows.
func Version(ctx context.Context, q Querier) (int64, error) {
	var v int64
	if err := q.QueryRowContext(ctx, `SELECT version FROM place_version WHERE one = 1`).Scan(&v); err != nil {
		return 0, fmt.Errorf("read village version: %w", err)
	}
	return v, nil
}

// Load reads the whole directory at one version: when the village changes while
// it reads, it reads again.
func Load(ctx context.Context, db *store.DB) (*Directory, error) {
	for {
		before, err := Version(ctx, db.Read())
		if err != nil {
			return nil, err
		}
		groups, err := readAll(ctx, db.Read())
		if err != nil {
			return nil, err
		}
		after, err := Version(ctx, db.Read())
		if err != nil {
			return nil, err
		}
		if before == after {
			return NewDirectory(before, groups), nil
		}
	}
}

// Groups says which unit each group belongs to.
func Groups(ctx context.Context, q Querier) (map[GroupID]UnitCode, error) {
	groups, err := readGroups(ctx, q)
	of := make(map[GroupID]UnitCode, len(groups))
	for id, g := range groups {
		of[id] = g.Commune
	}
	return of, err
}

// Homes says which group each home belongs to.
func Homes(ctx context.Context, q Querier) (map[HomeID]GroupID, error) {
	homes, err := readHomes(ctx, q)
	of := make(map[HomeID]GroupID, len(homes))
	for id, h := range homes {
		of[id] = h.Group
	}
	return of, err
}

// GroupExists reports whether there is a group of that id.
func GroupExists(ctx context.Context, q Querier, id GroupID) (bool, error) {
	var n int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM place_group WHERE id = $1`, id).Scan(&n); err != nil {
		return false, fmt.Errorf("find group: %w", err)
	}
	return n > 0, nil
}

func readAll(ctx context.Context, q Querier) ([]Group, error) {
	byID, err := readGroups(ctx, q)
	if err != nil {
		return nil, err
	}
	homes, err := readHomes(ctx, q)
	if err != nil {
		return nil, err
	}
	street := map[GroupID][]row{}
	for _, r := range homes {
		street[r.Group] = append(street[r.Group], r)
	}
	groups := make([]Group, 0, len(byID))
	for _, g := range byID {
		rows := street[g.ID]
		slices.SortFunc(rows, func(a, b row) int {
			if a.position != b.position {
				return a.position - b.position
			}
			return natural(string(a.ID), string(b.ID))
		})
		for _, r := range rows {
			g.Homes = append(g.Homes, r.Home)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func readGroups(ctx context.Context, q Querier) (map[GroupID]Group, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, commune, name, neighbourhood, adjoining, plan, all_calm FROM place_group`)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer func() { _ = rows.Close() }()
	groups := map[GroupID]Group{}
	for rows.Next() {
		var g Group
		var near string
		if err := rows.Scan(&g.ID, &g.Commune, &g.Name, &g.Neighbourhood, &near, &g.Plan, &g.AllCalm); err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		if err := json.Unmarshal([]byte(near), &g.Adjoining); err != nil {
			return nil, fmt.Errorf("read group %s: %w", g.ID, err)
		}
		groups[g.ID] = g
	}
	return groups, rows.Err()
}

func readHomes(ctx context.Context, q Querier) (map[HomeID]row, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, group_id, position, name, address, lat, lon, placed FROM place_home`)
	if err != nil {
		return nil, fmt.Errorf("read homes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	homes := map[HomeID]row{}
	for rows.Next() {
		var r row
		var placed int
		if err := rows.Scan(&r.ID, &r.Group, &r.position, &r.Name, &r.Address, &r.Lat, &r.Lon, &placed); err != nil {
			return nil, fmt.Errorf("read homes: %w", err)
		}
		r.Placed = placed != 0
		homes[r.ID] = r
	}
	return homes, rows.Err()
}

// Find reads one group as it is stored, with its homes in street order. Inside a
// transaction that will [Put] it again, nobody changes it in between.
func Find(ctx context.Context, q Querier, id GroupID) (Group, bool, error) {
	all, err := readAll(ctx, q)
	if err != nil {
		return Group{}, false, err
	}
	for _, g := range all {
		if g.ID == id {
			return g, true, nil
		}
	}
	return Group{}, false, nil
}

// Remove takes out a group that has no homes any more. The caller bumps the version.
func Remove(ctx context.Context, tx *sql.Tx, id GroupID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM place_group WHERE id = $1`, id); err != nil {
		return fmt.Errorf("remove group %s: %w", id, err)
	}
	return nil
}

// All reads every group as it is stored, with its homes in street order.
func All(ctx context.Context, q Querier) ([]Group, error) { return readAll(ctx, q) }
