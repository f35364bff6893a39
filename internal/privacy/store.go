package privacy

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// keyed is the id of the request that a person's outbox calls key.
func keyed(a people.Actor, key string) string {
	sum := sha256.Sum256([]byte(string(a.Person) + "/" + key))
	return hex.EncodeToString(sum[:16])
}

const columns = `id, person, unit, kind, body, made_ms, reply_ms, due_ms, taken_ms, longer_ms, ended_ms, outcome, answer, by_id`

func scan(row interface{ Scan(...any) error }) (Request, error) {
	var r Request
	var made, reply, due, taken, longer, ended int64
	err := row.Scan(&r.ID, &r.Person, &r.Unit, &r.Kind, &r.Text, &made, &reply, &due, &taken, &longer, &ended, &r.Outcome, &r.Answer, &r.By)
	r.Made, r.Reply, r.Due, r.Taken, r.Longer, r.Ended = store.Instant(made), store.Instant(reply), store.Instant(due), store.Instant(taken), store.Instant(longer), store.Instant(ended)
	return r, err
}

func readRequest(ctx context.Context, q place.Querier, id string) (Request, error) {
	return scan(q.QueryRowContext(ctx, `SELECT `+columns+` FROM privacy_request WHERE id = $1`, id))
}

func readRequests(ctx context.Context, q place.Querier, which string, args ...any) ([]Request, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+columns+` FROM privacy_request WHERE `+which, args...) // #nosec G202 -- which is ours
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Request{}
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func countOpen(ctx context.Context, q place.Querier, p people.ID) (n int, err error) {
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM privacy_request WHERE person = $1 AND ended_ms = 0`, p).Scan(&n); err != nil {
		return 0, fmt.Errorf("count requests: %w", err)
	}
	return n, nil
}

func insertRequest(ctx context.Context, tx *sql.Tx, r Request) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO privacy_request (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, '', '', '')`,
		r.ID, r.Person, r.Unit, r.Kind, r.Text, store.Millis(r.Made), store.Millis(r.Reply), store.Millis(r.Due)); err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	return nil
}

func updateRequest(ctx context.Context, tx *sql.Tx, r Request) error {
	if _, err := tx.ExecContext(ctx, `UPDATE privacy_request SET person = $2, body = $3, due_ms = $4, taken_ms = $5, longer_ms = $6, ended_ms = $7, outcome = $8, answer = $9, by_id = $10 WHERE id = $1`,
		r.ID, r.Person, r.Text, store.Millis(r.Due), store.Millis(r.Taken), store.Millis(r.Longer), store.Millis(r.Ended), r.Outcome, r.Answer, r.By); err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	return nil
}
