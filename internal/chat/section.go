package chat

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/people"
)

// Holds is what the channel holds about a person: what he said, and what he has seen.
func (v *Service) Holds(ctx context.Context, id people.ID) ([]people.Section, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT at_ms, kind, title, body, media, removed FROM chat_message WHERE by_person = $1 ORDER BY at_ms, id`, string(id))
	if err != nil {
		return nil, fmt.Errorf("read what somebody said: %w", err)
	}
	defer func() { _ = rows.Close() }()
	said := people.Section{Title: "held.chat", Rows: [][]people.Detail{}}
	for rows.Next() {
		var at int64
		var kind, title, body, media, removed string
		if err := rows.Scan(&at, &kind, &title, &body, &media, &removed); err != nil {
			return nil, fmt.Errorf("read what somebody said: %w", err)
		}
		said.Rows = append(said.Rows, []people.Detail{people.At("held.at", at), {Label: "held.kind", Value: kind}, {Label: "held.text", Value: strings.TrimSpace(title + " " + body)}, {Label: "held.chat_file", Value: media}})
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what somebody said: %w", err)
	}
	var seen int
	if err := v.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM chat_seen WHERE person = $1`, string(id)).Scan(&seen); err != nil {
		return nil, fmt.Errorf("read what somebody has seen: %w", err)
	}
	return []people.Section{said, {Title: "held.chat_seen", Rows: [][]people.Detail{{{Label: "held.chat_count", Value: fmt.Sprint(seen)}}}}}, nil
}

// Erase takes back everything that a person said, and forgets what he has seen. The
// files go with the next broom.
func (v *Service) Erase(ctx context.Context, tx *sql.Tx, id people.ID) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+columns+counts+` FROM chat_message m WHERE m.by_person = $1 ORDER BY m.group_id, m.id`, string(id))
	if err != nil {
		return fmt.Errorf("find what somebody said: %w", err)
	}
	said, err := collect(rows)
	if err != nil {
		return err
	}
	for _, m := range said {
		if _, err := blank(ctx, tx, m, ByAuthor, v.Now()); err != nil {
			return err
		}
	}
	for _, q := range []string{
		`UPDATE chat_message SET by_person = '', by_home = '' WHERE by_person = $1`,
		`UPDATE chat_notice SET by_person = '' WHERE by_person = $1`,
		`DELETE FROM chat_seen WHERE person = $1`,
		`DELETE FROM chat_window WHERE reader = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, string(id)); err != nil {
			return fmt.Errorf("forget somebody: %w", err)
		}
	}
	return nil
}
