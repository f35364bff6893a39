package notify

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
)

// Migrations are the tables of this package.
//
//go:embed sql/*.sql
var Migrations embed.FS

// kept is how long it is known what was sent; to whom and what it said is
// forgotten when it is done.
const kept = 30 * 24 * time.Hour

// content is what a message says and to whom.
type content struct {
	To     string `json:"to"`
	Secret string `json:"secret,omitempty"`
	Title  string `json:"title,omitempty"`
	Body   string `json:"body"`
}

func insert(all []*job) store.Op {
	rows := make([][]any, 0, len(all))
	for _, j := range all { // now: later they change
		body, _ := json.Marshal(content{j.m.To, j.m.Secret, j.m.Title, j.m.Body}) // strings always can be
		rows = append(rows, []any{
			j.m.Key, j.m.ID(), string(j.m.Channel), j.m.Topic, j.m.Person, string(Queued), j.m.Rank,
			j.made.UnixMilli(), store.Millis(j.m.After), store.Millis(j.m.Until), string(body),
		})
	}
	return func(ctx context.Context, tx *store.Batch) error {
		for _, args := range rows {
			if err := tx.Exec(ctx, `
				INSERT INTO notify_message (key, id, channel, topic, person, state, rank, made_ms, after_ms, until_ms, done_ms, got_ms, tries, body)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, $11) ON CONFLICT (key) DO NOTHING`, args...); err != nil {
				return err
			}
		}
		return nil
	}
}

// record writes one attempt and what became of the message.
func record(m Message, n int, began, ended time.Time, out Outcome) store.Op {
	return func(ctx context.Context, tx *store.Batch) error {
		if out.State != Withdrawn {
			if err := tx.Exec(ctx, `
				INSERT INTO notify_attempt (message, n, at_ms, took_ms, outcome, status) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (message, n) DO NOTHING`,
				m.Key, n, began.UnixMilli(), ended.Sub(began).Milliseconds(), string(out.State), out.Status); err != nil {
				return err
			}
		}
		if !out.State.Done() {
			return tx.Exec(ctx, `UPDATE notify_message SET state = $1, tries = $2 WHERE key = $3`, string(out.State), n, m.Key)
		}
		return tx.Exec(ctx, `UPDATE notify_message SET state = $1, tries = $2, done_ms = $3, body = '' WHERE key = $4`,
			string(out.State), n, ended.UnixMilli(), m.Key)
	}
}

// load brings back which keys are known, and the jobs that go on.
func (s *Service) load(ctx context.Context) (left []*job, err error) {
	now := s.o.Now()
	if err := s.o.DB.Tx(ctx, func(tx *sql.Tx) error {
		old := now.Add(-kept).UnixMilli()
		if _, err := tx.ExecContext(ctx, `DELETE FROM notify_attempt WHERE at_ms < $1`, old); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM notify_message WHERE made_ms < $1`, old)
		return err
	}); err != nil {
		return nil, fmt.Errorf("forget old messages: %w", err)
	}
	rows, err := s.o.DB.Read().QueryContext(ctx, `
		SELECT key, channel, topic, person, state, rank, made_ms, after_ms, until_ms, done_ms, tries, body
		FROM notify_message WHERE made_ms >= $1 OR done_ms = 0 ORDER BY made_ms, key`, now.Add(-remembered).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("load messages: %w", err)
	}
	defer func() { _ = rows.Close() }()
	s.mu.Lock()
	defer s.mu.Unlock()
	for rows.Next() {
		j := &job{}
		var made, after, until, done int64
		var body string
		if err := rows.Scan(&j.m.Key, &j.m.Channel, &j.m.Topic, &j.m.Person, &j.state, &j.m.Rank, &made, &after, &until, &done, &j.tries, &body); err != nil {
			return nil, fmt.Errorf("load messages: %w", err)
		}
		if s.jobs[j.m.Key] != nil { // posted before Start
			continue
		}
		s.seq++
		j.seq, j.made, j.m.After, j.m.Until = s.seq, store.Instant(made), store.Instant(after), store.Instant(until)
		s.jobs[j.m.Key] = j
		if done != 0 {
			continue
		}
		var c content
		if err := json.Unmarshal([]byte(body), &c); err != nil || !s.Has(j.m.Channel) {
			j.state = Failed // a channel that was taken away
			continue
		}
		j.m.To, j.m.Secret, j.m.Title, j.m.Body = c.To, c.Secret, c.Title, c.Body
		left = append(left, j)
	}
	return left, rows.Err()
}

// Got notes that a phone itself said that it has the message of that id.
func (s *Service) Got(id string) {
	now := s.o.Now().UnixMilli()
	s.o.Journal.Do(func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `UPDATE notify_message SET got_ms = $1 WHERE id = $2 AND got_ms = 0`, now, id)
	}, nil)
}

// Posted is what is known of a message that was sent.
type Posted struct {
	Key, Topic, Person string
	Channel            Channel
	State              State
	Made               time.Time
	Got                time.Time // zero: no receipt
}

// Find returns the message of an id.
func (s *Service) Find(ctx context.Context, id string) (p Posted, ok bool, err error) {
	var made, got int64
	err = s.o.DB.Read().QueryRowContext(ctx, `SELECT key, topic, person, channel, state, made_ms, got_ms FROM notify_message WHERE id = $1`, id).
		Scan(&p.Key, &p.Topic, &p.Person, &p.Channel, &p.State, &made, &got)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	p.Made, p.Got = store.Instant(made), store.Instant(got)
	return p, err == nil, err
}
