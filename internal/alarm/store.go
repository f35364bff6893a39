package alarm

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

// Record is one journaled event of a group: its place in the group's history and
// the hash over all that came before.
type Record struct {
	Group place.GroupID
	N     int64 // 1, 2, 3... within the group, without gaps
	Event Event
	Chain Chain
}

// Chain is a SHA-256 over the chain of the event before and the event's text.
type Chain [sha256.Size]byte

// next links body to c.
func (c Chain) next(body []byte) Chain {
	h := sha256.New()
	h.Write(c[:])
	h.Write(body)
	return Chain(h.Sum(nil))
}

// Book is the journal of alarms in SQL and what can be read of it.
type Book struct {
	DB     *store.DB
	Commit *store.Committer
}

// Append journals one event. done gets nil when it is on disk.
func (b *Book) Append(r Record, body []byte, done func(error)) {
	b.Commit.Do(func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `
			INSERT INTO alarm_event (group_id, n, incident_id, at_ms, kind, press_key, body, chain)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			string(r.Group), r.N, string(r.Event.Incident), r.Event.At.UnixMilli(), string(r.Event.Kind), r.Event.Key,
			string(body), hex.EncodeToString(r.Chain[:]))
	}, done)
}

// Project writes what current returns when its turn comes: the newest version
// of an incident, for reading.
func (b *Book) Project(current func() *Incident) {
	b.Commit.Do(func(ctx context.Context, tx *store.Batch) error {
		i := current()
		if i == nil {
			return nil
		}
		body, err := json.Marshal(i)
		if err != nil {
			return errors.Join(store.ErrOp, err)
		}
		var closed any
		if i.Closed != nil {
			closed = i.Closed.By.At.UnixMilli()
		}
		return tx.Exec(ctx, `
			INSERT INTO alarm_incident (id, group_id, number, mode, opened_ms, closed_ms, version, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, version = excluded.version,
				opened_ms = excluded.opened_ms, body = excluded.body`,
			string(i.ID), string(i.Group), i.Number, string(i.Mode), i.Opened.UnixMilli(), closed, i.Version, string(body))
	}, nil)
}

// lastNumber is the highest incident number given so far.
func (b *Book) lastNumber(ctx context.Context) (n int64, err error) {
	err = b.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(max(number), 0) FROM alarm_incident`).Scan(&n)
	return n, err
}

// tails returns, for each group with a history, its last event's place and chain.
func (b *Book) tails(ctx context.Context) (map[place.GroupID]Record, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `
		SELECT e.group_id, e.n, e.chain, e.at_ms FROM alarm_event e
		JOIN (SELECT group_id, max(n) AS n FROM alarm_event GROUP BY group_id) t ON t.group_id = e.group_id AND t.n = e.n`)
	if err != nil {
		return nil, fmt.Errorf("read tails: %w", err)
	}
	defer func() { _ = rows.Close() }()
	tails := map[place.GroupID]Record{}
	for rows.Next() {
		var r Record
		var chain string
		var at int64
		if err := rows.Scan(&r.Group, &r.N, &chain, &at); err != nil {
			return nil, fmt.Errorf("read tails: %w", err)
		}
		if _, err := hex.Decode(r.Chain[:], []byte(chain)); err != nil {
			return nil, fmt.Errorf("read tail of %s: %w", r.Group, err)
		}
		r.Event.At = time.UnixMilli(at).UTC()
		tails[r.Group] = r
	}
	return tails, rows.Err()
}

// openSince returns, for each group with an open incident, the place of the first
// event of the oldest of them. The events say so, not the projection: it may
// be one commit behind.
func (b *Book) openSince(ctx context.Context) (map[place.GroupID]int64, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `
		SELECT e.group_id, min(e.n) FROM alarm_event e
		LEFT JOIN alarm_incident i ON i.id = e.incident_id
		WHERE e.incident_id <> '' AND i.closed_ms IS NULL
		GROUP BY e.group_id`)
	if err != nil {
		return nil, fmt.Errorf("find open incidents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	since := map[place.GroupID]int64{}
	for rows.Next() {
		var g place.GroupID
		var n int64
		if err := rows.Scan(&g, &n); err != nil {
			return nil, fmt.Errorf("find open incidents: %w", err)
		}
		since[g] = n
	}
	return since, rows.Err()
}

// events returns the records of group g from place n on, in order.
func (b *Book) events(ctx context.Context, g place.GroupID, n int64) ([]Record, [][]byte, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `
		SELECT n, body, chain FROM alarm_event WHERE group_id = $1 AND n >= $2 ORDER BY n`, string(g), n)
	if err != nil {
		return nil, nil, fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var records []Record
	var bodies [][]byte
	for rows.Next() {
		r := Record{Group: g}
		var body, chain string
		if err := rows.Scan(&r.N, &body, &chain); err != nil {
			return nil, nil, fmt.Errorf("read events: %w", err)
		}
		if err := json.Unmarshal([]byte(body), &r.Event); err != nil {
			return nil, nil, fmt.Errorf("read event %s/%d: %w", g, r.N, err)
		}
		if _, err := hex.Decode(r.Chain[:], []byte(chain)); err != nil {
			return nil, nil, fmt.Errorf("read event %s/%d: %w", g, r.N, err)
		}
		records, bodies = append(records, r), append(bodies, []byte(body))
	}
	return records, bodies, rows.Err()
}

// keysSince returns the keys of what happened since t, with group and incident.
func (b *Book) keysSince(ctx context.Context, t time.Time, f func(g place.GroupID, key string, i ID)) error {
	rows, err := b.DB.Read().QueryContext(ctx, `
		SELECT group_id, press_key, incident_id FROM alarm_event WHERE at_ms >= $1 AND press_key <> ''`, t.UnixMilli())
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var g place.GroupID
		var key string
		var i ID
		if err := rows.Scan(&g, &key, &i); err != nil {
			return fmt.Errorf("read keys: %w", err)
		}
		f(g, key, i)
	}
	return rows.Err()
}

// Past is which closed incidents are wanted.
type Past struct {
	Groups []place.GroupID // only these; nil for all
	Since  time.Time       // closed at this time or later
	Limit  int             // at most so many, newest first; 0 for 200
}

// closed reads closed incidents, newest first.
func (b *Book) closed(ctx context.Context, p Past) ([]*Incident, error) {
	q, args := `SELECT body FROM alarm_incident WHERE closed_ms >= $1`, []any{p.Since.UnixMilli()}
	if p.Groups != nil {
		marks := make([]string, len(p.Groups))
		for k, g := range p.Groups {
			args = append(args, string(g))
			marks[k] = fmt.Sprintf("$%d", len(args))
		}
		q += ` AND group_id IN (` + strings.Join(marks, ", ") + `)`
	}
	if p.Limit == 0 {
		p.Limit = 200
	}
	args = append(args, p.Limit)
	rows, err := b.DB.Read().QueryContext(ctx, q+fmt.Sprintf(` ORDER BY opened_ms DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("read closed incidents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var past []*Incident
	for rows.Next() {
		i, err := scanIncident(rows)
		if err != nil {
			return nil, err
		}
		past = append(past, i)
	}
	return past, rows.Err()
}

// one reads the incident id, or nil.
func (b *Book) one(ctx context.Context, id ID) (*Incident, error) {
	i, err := scanIncident(b.DB.Read().QueryRowContext(ctx, `SELECT body FROM alarm_incident WHERE id = $1`, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return i, err
}

func scanIncident(row interface{ Scan(...any) error }) (*Incident, error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return nil, fmt.Errorf("read incident: %w", err)
	}
	var i Incident
	if err := json.Unmarshal([]byte(body), &i); err != nil {
		return nil, fmt.Errorf("read incident: %w", err)
	}
	return &i, nil
}
