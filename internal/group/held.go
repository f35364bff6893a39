package group

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/keng-vn/keng/internal/people"
)

// Holds says what this slice holds about a person: skills, terms, signatures, and
// which sealed notes he opened.
func (v *Service) Holds(ctx context.Context, id people.ID) ([]people.Section, error) {
	all := []people.Section{}
	for _, part := range []struct{ title, query string }{
		{"held.skills", `SELECT at_ms, skill FROM group_skill WHERE person = $1 ORDER BY at_ms`},
		{"held.terms", `SELECT at_ms, role FROM group_term WHERE person = $1 ORDER BY at_ms`},
		{"held.signatures", `SELECT at_ms, home FROM group_signature WHERE person = $1 ORDER BY at_ms`},
		{"held.openings", `SELECT at_ms, home FROM group_opening WHERE person = $1 ORDER BY at_ms`},
	} {
		s, err := v.held(ctx, part.title, part.query, id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (v *Service) held(ctx context.Context, title, query string, id people.ID) (people.Section, error) {
	s := people.Section{Title: title, Rows: [][]people.Detail{}}
	rows, err := v.DB.Read().QueryContext(ctx, query, id)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", title, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var at int64
		var what string
		if err := rows.Scan(&at, &what); err != nil {
			return s, fmt.Errorf("read %s: %w", title, err)
		}
		s.Rows = append(s.Rows, []people.Detail{people.At("held.at", at), {Label: "held.what", Value: what}})
	}
	return s, rows.Err()
}

// Erase forgets a person. What he signed stays signed, without him; a sealed note
// is its home's and stays, without who wrote it.
func (v *Service) Erase(ctx context.Context, tx *sql.Tx, id people.ID) error {
	for _, q := range [...]string{
		`DELETE FROM group_founder WHERE person = $1`,
		`UPDATE group_founder SET by_person = '' WHERE by_person = $1`,
		`UPDATE group_opening SET person = '' WHERE person = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, id); err != nil {
			return fmt.Errorf("forget person %s: %w", id, err)
		}
	}
	return forget(ctx, tx, id, v.Now().UnixMilli())
}
