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
	"sync/atomic"
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

// tail is the end of a group's history.
type tail struct {
	n     int64
	chain Chain
}

// Book is the journal of alarms in SQL and what can be read of it.
type Book struct {
	DB     *store.DB
	Commit *store.Committer

	aside atomic.Int64 // events that were set aside, ever

	// The committer's goroutine has these after Load.
	tails map[place.GroupID]tail
	batch *store.Batch           // the transaction that draft is of
	draft map[place.GroupID]tail // tails as they will be when it is on disk
}

// Append journals the next event of its group. Its place and chain are given when
// it is written: an event that the database refuses leaves no gap. done is told
// the outcome; when nobody waits, only that it was refused.
func (b *Book) Append(e Event, body []byte, waits bool, done func(error)) {
	op := func(ctx context.Context, tx *store.Batch) error { return b.append(ctx, tx, e, body) }
	if waits {
		b.Commit.Do(op, done)
	} else {
		b.Commit.Later(op, done)
	}
}

func (b *Book) append(ctx context.Context, tx *store.Batch, e Event, body []byte) error {
	if b.batch != tx {
		b.batch, b.draft = tx, map[place.GroupID]tail{}
	}
	end, ok := b.draft[e.Group]
	if !ok {
		end = b.tails[e.Group]
	}
	next := tail{end.n + 1, end.chain.next(body)}
	there, err := b.insert(ctx, tx, e, body, next)
	if err == nil && !there { // a commit whose answer was lost, or a row that is none of ours
		var had tail
		if end, had, err = b.read(ctx, tx, e.Group, next.n); err == nil && had != next {
			next = tail{end.n + 1, end.chain.next(body)}
			_, err = b.insert(ctx, tx, e, body, next)
		}
	}
	if err != nil {
		return err
	}
	b.draft[e.Group] = next
	tx.OnDisk(func() {
		if b.tails == nil {
			b.tails = map[place.GroupID]tail{}
		}
		b.tails[e.Group] = next
	})
	if e.Opens == nil && (e.State == nil || !e.State.Open()) {
		return nil
	}
	return tx.Exec(ctx, `INSERT INTO alarm_open (incident_id, group_id, n) VALUES ($1, $2, $3) ON CONFLICT (incident_id) DO NOTHING`,
		string(e.Incident), string(e.Group), next.n)
}

// insert reports whether e got the place at; it may be taken.
func (b *Book) insert(ctx context.Context, tx *store.Batch, e Event, body []byte, at tail) (bool, error) {
	n, err := tx.Changed(ctx, `
		INSERT INTO alarm_event (group_id, n, incident_id, at_ms, kind, press_key, body, chain)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (group_id, n) DO NOTHING`,
		string(e.Group), at.n, string(e.Incident), e.At.UnixMilli(), string(e.Kind), e.Key,
		string(body), hex.EncodeToString(at.chain[:]))
	return n > 0, err
}

// read returns the end of a group's history as it is in the database, and what
// stands at place n.
func (b *Book) read(ctx context.Context, tx *store.Batch, g place.GroupID, n int64) (end, at tail, err error) {
	scan := func(into *tail, row *sql.Row) error {
		var chain string
		err := row.Scan(&into.n, &chain)
		_, _ = hex.Decode(into.chain[:], []byte(chain)) // what is no hash is found by the audit
		return err
	}
	err = scan(&end, tx.Row(ctx, `SELECT n, chain FROM alarm_event WHERE group_id = $1 ORDER BY n DESC LIMIT 1`, string(g)))
	if err == nil {
		err = scan(&at, tx.Row(ctx, `SELECT n, chain FROM alarm_event WHERE group_id = $1 AND n = $2`, string(g), n))
	}
	if err != nil {
		return end, at, fmt.Errorf("read the end of %s: %w", g, err)
	}
	return end, at, nil
}

// SetAside keeps an event that the database refused, as text, so that it can be
// looked at: what it was, and why it was refused.
func (b *Book) SetAside(e Event, body []byte, why error) {
	b.aside.Add(1)
	b.Commit.Later(func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO alarm_aside (group_id, incident_id, at_ms, kind, reason, body) VALUES ($1, $2, $3, $4, $5, $6)`,
			string(e.Group), plain(string(e.Incident)), e.At.UnixMilli(), string(e.Kind), plain(why.Error()), plain(string(body)))
	}, nil)
}

// plain is s as every database takes it.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Aside is how many events were ever set aside.
func (b *Book) Aside() int64 { return b.aside.Load() }

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
		err = tx.Exec(ctx, `
			INSERT INTO alarm_incident (id, group_id, number, mode, opened_ms, closed_ms, version, body)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, version = excluded.version,
				opened_ms = excluded.opened_ms, body = excluded.body`,
			string(i.ID), string(i.Group), i.Number, string(i.Mode), i.Opened.UnixMilli(), closed, i.Version, string(body))
		if err != nil || i.Open() {
			return err
		}
		return tx.Exec(ctx, `DELETE FROM alarm_open WHERE incident_id = $1`, string(i.ID))
	}, nil)
}

// forget takes incidents off the list for reading that no event made: their
// opening was refused, and Keng ended before it could be told again.
func (b *Book) forget(ids []ID) {
	b.Commit.Later(func(ctx context.Context, tx *store.Batch) error {
		for _, id := range ids {
			if err := tx.Exec(ctx, `DELETE FROM alarm_incident WHERE id = $1`, string(id)); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

// shownOpen lists the incidents that are shown as open, of which something was set
// aside.
func (b *Book) shownOpen(ctx context.Context) (open map[ID]place.GroupID, err error) {
	rows, err := b.DB.Read().QueryContext(ctx, `
		SELECT id, group_id FROM alarm_incident WHERE closed_ms IS NULL AND id IN (SELECT incident_id FROM alarm_aside)`)
	if err != nil {
		return nil, fmt.Errorf("read open incidents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	open = map[ID]place.GroupID{}
	for rows.Next() {
		var id ID
		var g place.GroupID
		if err := rows.Scan(&id, &g); err != nil {
			return nil, fmt.Errorf("read open incidents: %w", err)
		}
		open[id] = g
	}
	return open, rows.Err()
}

// resume takes up the histories where they end.
func (b *Book) resume(ctx context.Context) error {
	tails, err := b.lastEvents(ctx)
	if err != nil {
		return err
	}
	b.tails = make(map[place.GroupID]tail, len(tails))
	for g, r := range tails {
		b.tails[g] = tail{r.N, r.Chain}
	}
	var n int64
	if err := b.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM alarm_aside`).Scan(&n); err != nil {
		return fmt.Errorf("count what was set aside: %w", err)
	}
	b.aside.Store(n)
	return nil
}

// lastNumber is the highest incident number given so far.
func (b *Book) lastNumber(ctx context.Context) (n int64, err error) {
	err = b.DB.Read().QueryRowContext(ctx, `SELECT COALESCE(max(number), 0) FROM alarm_incident`).Scan(&n)
	return n, err
}

// lastEvents returns, for each group with a history, its last event's place and
// chain. It goes from group to group along the key and passes over the events.
func (b *Book) lastEvents(ctx context.Context) (map[place.GroupID]Record, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `
		WITH RECURSIVE g(id) AS (
			SELECT min(group_id) FROM alarm_event
			UNION ALL
			SELECT (SELECT min(group_id) FROM alarm_event WHERE group_id > g.id) FROM g WHERE g.id IS NOT NULL)
		SELECT e.group_id, e.n, e.chain, e.at_ms FROM g
		JOIN alarm_event e ON e.group_id = g.id AND e.n = (SELECT max(n) FROM alarm_event WHERE group_id = g.id)`)
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
// event of the oldest of them. What opens an incident writes so in its own
// transaction; what closes it may be a commit behind, and is then read again.
func (b *Book) openSince(ctx context.Context) (map[place.GroupID]int64, error) {
	rows, err := b.DB.Read().QueryContext(ctx, `SELECT group_id, min(n) FROM alarm_open GROUP BY group_id`)
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
