package reach

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
)

// Holds is what is known of a person here: his phones, without their addresses at
// the push service, and how many messages he was sent in the last 30 days.
func (v *Service) Holds(ctx context.Context, id people.ID) ([]people.Section, error) {
	phones := people.Section{Title: "held.reach_phones", Rows: [][]people.Detail{}}
	for _, p := range v.PhonesOf(id) {
		phones.Rows = append(phones.Rows, []people.Detail{
			people.At("held.at", p.Made.UnixMilli()), {Label: "held.reach_label", Value: p.Label}, people.At("held.reach_proven", store.Millis(p.Proven)),
		})
	}
	var sent int
	if err := v.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM notify_message WHERE person = $1`, string(id)).Scan(&sent); err != nil {
		return nil, fmt.Errorf("count messages: %w", err)
	}
	return []people.Section{phones, {Title: "held.reach_messages", Rows: [][]people.Detail{{{Label: "held.reach_count", Value: fmt.Sprint(sent)}}}}}, nil
}

// Erase forgets a person: his phones, his wishes, and that he was sent anything.
func (v *Service) Erase(ctx context.Context, tx *sql.Tx, id people.ID) error {
	if err := v.Renewed(ctx, tx, id); err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM reach_wish WHERE person = $1`,
		`DELETE FROM notify_attempt WHERE message IN (SELECT key FROM notify_message WHERE person = $1)`,
		`DELETE FROM notify_message WHERE person = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, string(id)); err != nil {
			return fmt.Errorf("forget somebody's messages: %w", err)
		}
	}
	return nil
}

// Renewed drops every phone of somebody who came back with a new one, inside tx:
// the old one may be in other hands.
func (v *Service) Renewed(ctx context.Context, tx *sql.Tx, id people.ID) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM reach_phone WHERE person = $1`, string(id)); err != nil {
		return fmt.Errorf("forget phones: %w", err)
	}
	v.mu.Lock()
	for _, p := range append([]Phone(nil), v.phones[id]...) {
		v.lose(p.ID)
	}
	delete(v.wishes, id)
	v.stale = true // should tx fail, look reads them again
	v.mu.Unlock()
	return nil
}
