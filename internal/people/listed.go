package people

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/keng-vn/keng/internal/place"
)

// Everybody lists all who live in a home, by home and place in it.
func Everybody(ctx context.Context, q place.Querier) ([]Person, error) {
	all, err := readPeople(ctx, q)
	if err != nil {
		return nil, err
	}
	var list []Person
	for _, s := range all {
		if s.Home != "" {
			list = append(list, s.Person)
		}
	}
	return list, nil
}

// Enlist enters an adult whom a list names and nobody knows yet, at a position in
// his home. The caller bumps the village's version.
func Enlist(ctx context.Context, tx *sql.Tx, g place.GroupID, h place.HomeID, m NewMember, position int) (ID, error) {
	p := stored{Person{ID: newID(), Name: m.Name, Phone: m.Phone, Role: Member, Home: h, Scope: place.Scope{Group: g}}, position, m.Role}
	entered := p.Person
	entered.Role = m.Role
	if err := addResident(ctx, tx, entered, position); err != nil {
		return "", err
	}
	return p.ID, enter(ctx, tx, p, stored{})
}

// Correct changes what somebody is called and how he is reached, and nothing of
// what he may do. The caller bumps the village's version.
func Correct(ctx context.Context, tx *sql.Tx, id ID, name, phone string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE person SET name = $2, phone = $3 WHERE id = $1`, id, name, phone); err != nil {
		return fmt.Errorf("correct person: %w", err)
	}
	return nil
}
