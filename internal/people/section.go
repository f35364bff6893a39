package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// Section is a part of what Keng holds about a person, as he is told. Title and
// labels are keys of sentences: "held.person", "held.name".
type Section struct {
	Title string     `json:"title"`
	Rows  [][]Detail `json:"rows"`
}

// Detail is one value of a row.
type Detail struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// At is a point in time as a value.
func At(label string, ms int64) Detail {
	if ms == 0 {
		return Detail{label, ""}
	}
	return Detail{label, time.UnixMilli(ms).UTC().Format(time.RFC3339)}
}

// Holds says what this package holds about a person.
func (v *Service) Holds(ctx context.Context, id ID) ([]Section, error) {
	p, err := findPerson(ctx, v.DB.Read(), "people.Holds", id, v.Now())
	if err != nil {
		return nil, err
	}
	all := []Section{{Title: "held.person", Rows: [][]Detail{{
		{"held.name", p.Name},
		{"held.phone", p.Phone},
		{"held.role", string(p.Role)},
		{"held.home", string(p.Home)},
		{"held.group", string(p.Scope.Group)},
		{"held.unit", string(p.Scope.Unit)},
	}}}}
	for _, part := range []struct{ title, query string }{
		{"held.sessions", `SELECT began_ms, expires_ms FROM session WHERE person = $1 ORDER BY began_ms`},
		{"held.invites", `SELECT used_ms, expires_ms FROM invite WHERE person = $1 ORDER BY expires_ms`},
	} {
		s, err := heldTimes(ctx, v.DB.Read(), part.title, part.query, id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func heldTimes(ctx context.Context, q place.Querier, title, query string, id ID) (Section, error) {
	s := Section{Title: title, Rows: [][]Detail{}}
	rows, err := q.QueryContext(ctx, query, id)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", title, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var from, until int64
		if err := rows.Scan(&from, &until); err != nil {
			return s, fmt.Errorf("read %s: %w", title, err)
		}
		s.Rows = append(s.Rows, []Detail{At("held.from", from), At("held.until", until)})
	}
	return s, rows.Err()
}

// Erase forgets a person: row, sessions, invites and whatever hangs on them. Names
// in memory go with the village's next version, which this makes.
func (v *Service) Erase(ctx context.Context, tx *sql.Tx, id ID) error {
	p, err := findPerson(ctx, tx, "people.Erase", id, v.Now())
	if err != nil {
		return err
	}
	for _, q := range []string{ // in what others hold or were asked
		`UPDATE people_grant SET proposed_by = '' WHERE proposed_by = $1`,
		`UPDATE people_grant SET decided_by = '' WHERE decided_by = $1`,
		`UPDATE people_grant SET ended_by = '' WHERE ended_by = $1`,
		`UPDATE renewal SET asked_by = '' WHERE asked_by = $1`,
		`UPDATE renewal SET agreed_by = '' WHERE agreed_by = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, id); err != nil {
			return fmt.Errorf("forget who gave roles: %w", err)
		}
	}
	return errors.Join(place.Unname(ctx, tx, p.Home, p.Name), remove(ctx, tx, id), place.Bump(ctx, tx))
}
