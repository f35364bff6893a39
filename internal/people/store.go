package people

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are the tables of this package.
//
//go:embed sql/*.sql
var Migrations embed.FS

// Household is the members of one home, as a village file lists them.
type Household struct {
	Home    place.HomeID
	Group   place.GroupID
	Members []NewMember
}

// NewMember is an adult of a home.
type NewMember struct {
	Name, Phone string
	Role        Role // Member, Leader or Deputy
}

// stored is a person with his place in the home's list, and what he was entered
// as: what his village file called him when it was read last.
type stored struct {
	Person
	position int
	entered  Role
}

// Put makes the members of these homes what list says, inside tx. A member is
// known again by his name, else by his telephone, else by his name in another
// spelling. Who is not named stays and is told as absent ("g1-h1 Name"), unless
// prune: then he is gone, with his sessions and invites. The caller bumps the
// village's version.
func Put(ctx context.Context, tx *sql.Tx, list []Household, prune bool) (place.Tally, error) {
	var t place.Tally
	had, err := readResidents(ctx, tx)
	if err != nil {
		return t, err
	}
	put, err := tx.PrepareContext(ctx, `INSERT INTO person (id, name, phone, role, home, scope_group, scope_unit, position)
		VALUES ($1, $2, $3, $4, $5, $6, '', $7)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone, role = excluded.role,
			home = excluded.home, scope_group = excluded.scope_group, position = excluded.position`)
	if err != nil {
		return t, fmt.Errorf("put members: %w", err)
	}
	defer func() { _ = put.Close() }()
	for _, h := range list {
		if err := putHousehold(ctx, tx, put, h, had[h.Home], prune, &t); err != nil {
			return t, fmt.Errorf("put members of %s: %w", h.Home, err)
		}
	}
	return t, nil
}

func putHousehold(ctx context.Context, tx *sql.Tx, put *sql.Stmt, h Household, had []stored, prune bool, t *place.Tally) error {
	match := matchMembers(h.Members, had)
	for i, m := range h.Members {
		want := stored{Person{Name: m.Name, Phone: m.Phone, Home: h.Home, Scope: place.Scope{Group: h.Group}}, i, m.Role}
		var old stored
		if j, known := match[i]; known {
			old = had[j]
			want.ID, want.Role, want.Posts = old.ID, old.Role, old.Posts
			if want == old {
				t.Unchanged++
				continue
			}
			t.Changed++
		} else {
			want.ID = newID()
			t.Added++
		}
		if _, err := put.ExecContext(ctx, want.ID, want.Name, want.Phone, want.entered, want.Home, want.Scope.Group, i); err != nil {
			return err
		}
		if err := enter(ctx, tx, want, old); err != nil {
			return err
		}
	}
	for j, p := range had {
		if named(match, j) {
			continue
		}
		t.Absent = append(t.Absent, string(p.Home)+" "+p.Name)
		if !prune {
			continue
		}
		if err := remove(ctx, tx, p.ID); err != nil {
			return err
		}
		t.Removed++
	}
	return nil
}

// enter gives a member the role that his village file now says, when it said
// something else before. What people gave or ended since stays: the file takes
// back only what a file gave, and what he held for a group that he left.
func enter(ctx context.Context, tx *sql.Tx, want, old stored) error {
	moved := old.ID != "" && old.Scope.Group != want.Scope.Group
	if old.ID != "" && want.entered == old.entered && !moved {
		return nil
	}
	now := time.Now().UTC() // an import runs at its own machine; the time is for the record only
	for p := range old.Posts.All() {
		if p.At.Group != old.Scope.Group || !moved && p.By != ByVillage && p.By != byUpgrade {
			continue
		}
		if _, err := EndPosts(ctx, tx, want.ID, p.At, ByVillage, now, p.Role); err != nil {
			return err
		}
	}
	if want.entered == Member {
		return nil
	}
	_, err := Give(ctx, tx, want.ID, Post{Role: want.entered, At: want.Scope, From: time.UnixMilli(0), By: ByVillage}, now)
	return err
}

func named(match map[int]int, j int) bool {
	for _, m := range match {
		if m == j {
			return true
		}
	}
	return false
}

// matchMembers says which of had each member is: by exact name first, then by
// telephone, then by folded name.
func matchMembers(members []NewMember, had []stored) map[int]int {
	match := map[int]int{}
	for _, same := range []func(NewMember, stored) bool{
		func(m NewMember, p stored) bool { return m.Name == p.Name },
		func(m NewMember, p stored) bool { return m.Phone != "" && m.Phone == p.Phone },
		func(m NewMember, p stored) bool { return place.Fold(m.Name) == place.Fold(p.Name) },
	} {
		for i, m := range members {
			if _, done := match[i]; done {
				continue
			}
			for j, p := range had {
				if !named(match, j) && same(m, p) {
					match[i] = j
					break
				}
			}
		}
	}
	return match
}

// Leave removes everybody of these homes, which are no longer in the village.
func Leave(ctx context.Context, tx *sql.Tx, homes []place.HomeID) (removed int, err error) {
	had, err := readResidents(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, h := range homes {
		for _, p := range had[h] {
			if err := remove(ctx, tx, p.ID); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

func remove(ctx context.Context, tx *sql.Tx, id ID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM person WHERE id = $1`, id); err != nil { // sessions and invites go with him
		return fmt.Errorf("remove person %s: %w", id, err)
	}
	return nil
}

// readResidents returns everybody who lives in a home, in the order of its list,
// with all that was ever given and not ended.
func readResidents(ctx context.Context, q place.Querier) (map[place.HomeID][]stored, error) {
	all, err := readPeople(ctx, q)
	if err != nil {
		return nil, err
	}
	homes := map[place.HomeID][]stored{}
	for _, p := range all {
		if p.Home != "" {
			homes[p.Home] = append(homes[p.Home], p)
		}
	}
	return homes, nil
}

const personColumns = `p.id, p.name, p.phone, p.role, p.home, p.scope_group, p.scope_unit`

func (p *Person) into() []any {
	return []any{&p.ID, &p.Name, &p.Phone, &p.Role, &p.Home, &p.Scope.Group, &p.Scope.Unit}
}

// readPeople returns everybody, by home and place in it.
func readPeople(ctx context.Context, q place.Querier) ([]stored, error) {
	posts, err := heldByAll(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `SELECT `+personColumns+`, p.position FROM person p`)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []stored
	for rows.Next() {
		var s stored
		if err := rows.Scan(append(s.into(), &s.position)...); err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		s.entered, s.Posts = s.Role, posts[s.ID]
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stored) int {
		return cmp.Or(cmp.Compare(a.Home, b.Home), cmp.Compare(a.position, b.position), cmp.Compare(a.ID, b.ID))
	})
	return all, rows.Err()
}

// findPerson reads one person as he stands now; NotFound with people.unknown when there is none.
func findPerson(ctx context.Context, q place.Querier, op string, id ID, now time.Time) (Person, error) {
	var p Person
	err := q.QueryRowContext(ctx, `SELECT `+personColumns+` FROM person p WHERE p.id = $1`, id).Scan(p.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.New(op, fault.NotFound, "people.unknown")
	}
	if err != nil {
		return p, fmt.Errorf("read person: %w", err)
	}
	if p.Posts, err = heldBy(ctx, q, p.ID); err != nil {
		return p, err
	}
	return p.at(now), nil
}

// Find reads one person as he stands at now; NotFound with people.unknown when
// there is none.
func Find(ctx context.Context, q place.Querier, op string, id ID, now time.Time) (Person, error) {
	return findPerson(ctx, q, op, id, now)
}
