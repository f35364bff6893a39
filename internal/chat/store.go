package chat

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

const columns = `m.id, m.group_id, m.incident, m.notice, m.kind, m.rev, m.at_ms, m.by_person, m.by_token, m.by_role, m.by_home,
	m.title, m.body, m.level, m.expires_ms, m.blob, m.media, m.size, m.width, m.height, m.seconds, m.removed`

// counts adds who has seen a message, and whether the reader has.
const counts = `, (SELECT count(*) FROM chat_seen s WHERE s.message = m.id), (SELECT count(*) FROM chat_seen s WHERE s.message = m.id AND s.person = $1)`

type scanner interface{ Scan(into ...any) error }

func scan(row scanner) (m Message, err error) {
	var at, until int64
	var mine int
	err = row.Scan(&m.ID, &m.Group, &m.Incident, &m.Notice, &m.Kind, &m.Rev, &at, &m.Person, &m.Token, &m.Role, &m.Home,
		&m.Title, &m.Body, &m.Level, &until, &m.File.Blob, &m.File.Media, &m.File.Size, &m.File.Width, &m.File.Height, &m.File.Seconds, &m.Removed,
		&m.Seen, &mine)
	m.At, m.Mine = time.UnixMilli(at).UTC(), mine > 0
	if until != 0 {
		m.Expires = time.UnixMilli(until).UTC()
	}
	return m, err
}

// bump numbers a change of a group's thread. The row stays locked until the
// transaction ends, so that numbers become visible in their order: who asks for
// what came after one misses nothing before it.
func bump(ctx context.Context, tx *sql.Tx, g place.GroupID) (rev int64, err error) {
	err = tx.QueryRowContext(ctx, `
		INSERT INTO chat_thread (group_id, rev) VALUES ($1, 1)
		ON CONFLICT (group_id) DO UPDATE SET rev = chat_thread.rev + 1 RETURNING rev`, string(g)).Scan(&rev)
	return rev, err
}

// insert writes m, or finds the message that the same deed made before.
func (v *Service) insert(ctx context.Context, m Message, deed string) (written Message, fresh bool, err error) {
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		written, fresh, err = insert(ctx, tx, m, deed)
		return err
	})
	return written, fresh, err
}

func insert(ctx context.Context, tx *sql.Tx, m Message, deed string) (Message, bool, error) {
	if had, err := byDeed(ctx, tx, deed, m.Person); err == nil || !errors.Is(err, sql.ErrNoRows) {
		return sameGroup(had, m, err)
	}
	rev, err := bump(ctx, tx, m.Group)
	if err != nil {
		return m, false, fmt.Errorf("number message: %w", err)
	}
	m.Rev = rev
	until := int64(0)
	if !m.Expires.IsZero() {
		until = m.Expires.UnixMilli()
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO chat_message (id, deed, group_id, incident, notice, kind, rev, at_ms, by_person, by_token, by_role, by_home, title, body, level, expires_ms,
			blob, media, size, width, height, seconds, removed, removed_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, '', 0)
		ON CONFLICT (deed) DO NOTHING`,
		string(m.ID), deed, string(m.Group), m.Incident, string(m.Notice), string(m.Kind), m.Rev, m.At.UnixMilli(), string(m.Person), m.Token, string(m.Role), string(m.Home),
		m.Title, m.Body, m.Level, until, string(m.File.Blob), m.File.Media, m.File.Size, m.File.Width, m.File.Height, m.File.Seconds)
	if err != nil {
		return m, false, fmt.Errorf("write message: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return m, true, err
	}
	had, err := byDeed(ctx, tx, deed, m.Person) // the other of two at once
	return sameGroup(had, m, err)
}

// sameGroup refuses a key that was used in another group.
func sameGroup(had, m Message, err error) (Message, bool, error) {
	if err == nil && had.Group != m.Group {
		return m, false, fault.New("chat.Insert", fault.Conflict, "fault.outbox_key")
	}
	return had, false, err
}

func byDeed(ctx context.Context, q place.Querier, deed string, reader people.ID) (Message, error) {
	return scan(q.QueryRowContext(ctx, `SELECT `+columns+counts+` FROM chat_message m WHERE m.deed = $2`, string(reader), deed))
}

// one is message id of a group, unless it is older than cut.
func (v *Service) one(ctx context.Context, op string, g place.GroupID, id ID, cut time.Time) (Message, error) {
	m, err := scan(v.DB.Read().QueryRowContext(ctx, `SELECT `+columns+counts+` FROM chat_message m WHERE m.id = $2 AND m.group_id = $3 AND m.at_ms >= $4`, "", string(id), string(g), cut.UnixMilli()))
	if errors.Is(err, sql.ErrNoRows) {
		return m, fault.New(op, fault.NotFound, "chat.message_unknown")
	}
	if err != nil {
		return m, fault.Wrap(op, err)
	}
	return m, nil
}

// read fills p with what q asks for. The rev is read before the messages: a
// change between the two is given now and once more later, never left out.
func (v *Service) read(ctx context.Context, q Ask, reader people.ID, p *Page) error {
	err := v.DB.Read().QueryRowContext(ctx, `SELECT rev FROM chat_thread WHERE group_id = $1`, string(q.Group)).Scan(&p.Rev)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read thread: %w", err)
	}
	where, order, args := `m.group_id = $2 AND m.at_ms >= $3`, `m.id DESC`, []any{string(reader), string(q.Group), p.From.UnixMilli()}
	and := func(cond string, x any) {
		args = append(args, x)
		where += fmt.Sprintf(` AND `+cond, len(args))
	}
	if q.Incident != "" {
		and(`m.incident = $%d`, q.Incident)
	}
	switch {
	case q.After >= 0:
		and(`m.rev > $%d`, q.After)
		order = `m.rev ASC`
	case q.Before != "":
		and(`m.id < $%d`, string(q.Before))
	}
	args = append(args, q.Limit+1)
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT `+columns+counts+` FROM chat_message m WHERE `+where+` ORDER BY `+order+fmt.Sprintf(` LIMIT $%d`, len(args)), args...) // #nosec G202 -- no value is in the text
	if err != nil {
		return fmt.Errorf("read messages: %w", err)
	}
	if p.Messages, err = collect(rows); err != nil {
		return err
	}
	if p.More = len(p.Messages) > q.Limit; p.More {
		p.Messages = p.Messages[:q.Limit]
	}
	switch {
	case q.After < 0:
		slices.Reverse(p.Messages)
	case p.More:
		p.Rev = p.Messages[q.Limit-1].Rev // not further than what was given
	}
	return nil
}

func collect(rows *sql.Rows) ([]Message, error) {
	defer func() { _ = rows.Close() }()
	list := []Message{}
	for rows.Next() {
		m, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read messages: %w", err)
		}
		list = append(list, m)
	}
	return list, rows.Err()
}

// blank takes the content of m away for good; its place in the thread stays until
// the retention ends.
func (v *Service) blank(ctx context.Context, m Message, by Removed) (Message, error) {
	err := v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		m, err = blank(ctx, tx, m, by, v.Now())
		return err
	})
	return m, err
}

func blank(ctx context.Context, tx *sql.Tx, m Message, by Removed, now time.Time) (Message, error) {
	rev, err := bump(ctx, tx, m.Group)
	if err != nil {
		return m, fmt.Errorf("number message: %w", err)
	}
	if m.File.Blob != "" {
		if _, err := tx.ExecContext(ctx, `INSERT INTO chat_drop (blob) VALUES ($1) ON CONFLICT (blob) DO NOTHING`, string(m.File.Blob)); err != nil {
			return m, fmt.Errorf("drop file: %w", err)
		}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE chat_message SET rev = $1, title = '', body = '', blob = '', media = '', size = 0, width = 0, height = 0, seconds = 0, removed = $2, removed_ms = $3
		WHERE id = $4 AND removed = ''`, rev, string(by), now.UnixMilli(), string(m.ID))
	if err != nil {
		return m, fmt.Errorf("take message away: %w", err)
	}
	m.Rev, m.Removed, m.Title, m.Body, m.File = rev, by, "", "", File{}
	return m, nil
}

// see notes that person has seen messages, and returns those that he had not.
func (v *Service) see(ctx context.Context, person people.ID, g place.GroupID, ids []ID) (seen []Message, err error) {
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, `
				INSERT INTO chat_seen (message, person)
				SELECT m.id, CAST($1 AS TEXT) FROM chat_message m WHERE m.id = $2 AND m.group_id = $3 AND m.kind IN ('announce', 'notice', 'warning')
				ON CONFLICT (message, person) DO NOTHING`, string(person), string(id), string(g))
			if err != nil {
				return fmt.Errorf("note who has seen it: %w", err)
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				continue
			}
			m := Message{ID: id, Group: g}
			if m.Rev, err = bump(ctx, tx, g); err != nil {
				return err
			}
			if err := tx.QueryRowContext(ctx, `UPDATE chat_message SET rev = $1 WHERE id = $2 RETURNING kind`, m.Rev, string(id)).Scan(&m.Kind); err != nil {
				return err
			}
			seen = append(seen, m)
		}
		return nil
	})
	return seen, err
}

// openWindow writes down that an officer reads the thread of an incident: once,
// and again when he had stopped for a while.
func (v *Service) openWindow(ctx context.Context, a people.Actor, g place.Group, c Case) error {
	reader, now := string(a.Person), v.Now().UTC()
	if reader == "" {
		reader = "token/" + a.Token
	}
	var from, last int64
	err := v.DB.Read().QueryRowContext(ctx, `SELECT from_ms, last_ms FROM chat_window WHERE incident = $1 AND reader = $2 ORDER BY from_ms DESC LIMIT 1`, c.ID, reader).Scan(&from, &last)
	switch idle := now.Sub(time.UnixMilli(last)); {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("find window: %w", err)
	case err == nil && idle < time.Minute:
		return nil
	case err == nil && idle < windowSleeps:
		return v.DB.Exec(ctx, `UPDATE chat_window SET last_ms = $1 WHERE incident = $2 AND reader = $3 AND from_ms = $4`, now.UnixMilli(), c.ID, reader, from)
	}
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO chat_window (incident, reader, from_ms, last_ms) VALUES ($1, $2, $3, $3) ON CONFLICT (incident, reader, from_ms) DO NOTHING`, c.ID, reader, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("open window: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return v.record(ctx, tx, "chat.watched", reader, g, c)
	})
}

// record writes into the log that reader saw what the people of g say in c.
func (v *Service) record(ctx context.Context, tx *sql.Tx, name, reader string, g place.Group, c Case) error {
	act := audit.Act{Name: name, Area: string(g.Commune), By: reader, On: "incident/" + c.ID, Body: map[string]any{"group": string(g.ID)}}
	for _, p := range v.Folk.Group(g.ID) {
		act.Of = append(act.Of, string(p.ID))
	}
	_, err := v.Audit.Append(ctx, tx, act)
	return err
}

// purge deletes what is older than it may be kept, a group at a time, so that
// nobody waits long for the disk.
func (v *Service) purge(ctx context.Context) error {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT group_id, min(at_ms) FROM chat_message GROUP BY group_id`)
	if err != nil {
		return fmt.Errorf("find old messages: %w", err)
	}
	old := map[place.GroupID]time.Time{}
	for rows.Next() {
		var g place.GroupID
		var at int64
		if err := rows.Scan(&g, &at); err != nil {
			_ = rows.Close()
			return fmt.Errorf("find old messages: %w", err)
		}
		old[g] = time.UnixMilli(at)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("find old messages: %w", err)
	}
	for id, first := range old {
		g, _ := v.Village().Group(id) // one that is no more: the country's rule
		if cut := v.cut(g.Commune); first.Before(cut) {
			if err := v.purgeGroup(ctx, id, cut); err != nil {
				return err
			}
		}
	}
	return v.purgeNotices(ctx)
}

func (v *Service) purgeGroup(ctx context.Context, g place.GroupID, cut time.Time) error {
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`INSERT INTO chat_drop (blob) SELECT blob FROM chat_message WHERE group_id = $1 AND at_ms < $2 AND blob <> '' ON CONFLICT (blob) DO NOTHING`,
			`DELETE FROM chat_seen WHERE message IN (SELECT id FROM chat_message WHERE group_id = $1 AND at_ms < $2)`,
			`DELETE FROM chat_message WHERE group_id = $1 AND at_ms < $2`,
		} {
			if _, err := tx.ExecContext(ctx, q, string(g), cut.UnixMilli()); err != nil {
				return fmt.Errorf("delete old messages: %w", err)
			}
		}
		return nil
	})
}

func (v *Service) purgeNotices(ctx context.Context) error {
	cut := v.cut("").UnixMilli()
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`DELETE FROM chat_notice WHERE at_ms < $1 AND NOT EXISTS (SELECT 1 FROM chat_message m WHERE m.notice = chat_notice.id)`,
			`DELETE FROM chat_window WHERE last_ms < $1`,
		} {
			if _, err := tx.ExecContext(ctx, q, cut); err != nil {
				return fmt.Errorf("delete old notices: %w", err)
			}
		}
		return nil
	})
}

// holds reports whether a message has file id.
func (v *Service) holds(ctx context.Context, id blob.ID) (bool, error) {
	var n int
	err := v.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM chat_message WHERE blob = $1`, string(id)).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for file: %w", err)
	}
	return n > 0, nil
}

func (v *Service) dropped(ctx context.Context) ([]blob.ID, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT blob FROM chat_drop`)
	if err != nil {
		return nil, fmt.Errorf("list dropped files: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var ids []blob.ID
	for rows.Next() {
		var id blob.ID
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list dropped files: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (v *Service) forgetDropped(ctx context.Context, ids []blob.ID) error {
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `DELETE FROM chat_drop WHERE blob = $1`, string(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// in is a list of n values from $first, for IN (...).
func in(first, n int) string {
	var b strings.Builder
	for k := range n {
		if k > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+k)
	}
	return b.String()
}
