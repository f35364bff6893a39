package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrNone says that there is no such entry, or that it is not the asker's.
var ErrNone = errors.New("no such entry")

// Size is how many leaves the log has.
func (l *Log) Size(ctx context.Context) (int64, error) { return size(ctx, l.db.Read()) }

// Of lists the entries about a person below place before, newest first; before 0
// means from the newest.
func (l *Log) Of(ctx context.Context, personID string, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	rows, err := l.db.Read().QueryContext(ctx, `SELECT a.n, a.at_ms, a.name, a.by_id, a.on_id, a.body, f.body
		FROM audit_of o JOIN audit_act a ON a.n = o.n JOIN audit_leaf f ON f.n = o.n
		WHERE o.person = $1 AND o.n < $2 ORDER BY o.n DESC LIMIT $3`, personID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Entry{}
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

func scanEntry(row interface{ Scan(...any) error }) (Entry, error) {
	var e Entry
	var at int64
	var body, leaf string
	if err := row.Scan(&e.N, &at, &e.Name, &e.By, &e.On, &body, &leaf); err != nil {
		return e, fmt.Errorf("read entry: %w", err)
	}
	e.At, e.Body, e.Leaf = time.UnixMilli(at).UTC(), raw(body), []byte(leaf)
	return e, nil
}

// Shown is an entry with what its reader needs to check it himself: the openings
// of its commitments in this one leaf.
type Shown struct {
	Entry
	Me       Opening // of the reader's own commitment in Of
	ByWho    Opening // zero when nobody did it, or he was erased
	OnWhat   Opening
	Contents Opening // of the details
}

// Show opens entry n to a person whom it is about; ErrNone for everybody else.
func (l *Log) Show(ctx context.Context, personID string, n int64) (Shown, error) {
	db := l.db.Read()
	var s Shown
	e, err := scanEntry(db.QueryRowContext(ctx, `SELECT a.n, a.at_ms, a.name, a.by_id, a.on_id, a.body, f.body
		FROM audit_of o JOIN audit_act a ON a.n = o.n JOIN audit_leaf f ON f.n = o.n WHERE o.person = $1 AND o.n = $2`, personID, n))
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNone
	}
	if err != nil {
		return s, err
	}
	s.Entry = e
	leaf, err := ParseLeaf(e.Leaf)
	if err != nil {
		return s, err
	}
	var entry Key
	if err := db.QueryRowContext(ctx, `SELECT key FROM audit_act WHERE n = $1`, n).Scan(&entry); err != nil {
		return s, fmt.Errorf("read key: %w", err)
	}
	subjects := []string{person(personID)}
	for _, x := range []string{Subject(e.By), e.On} {
		if x != "" {
			subjects = append(subjects, x)
		}
	}
	keys := map[string]Key{}
	if err := readKeys(ctx, db, subjects, keys); err != nil {
		return s, err
	}
	s.Me = keys[person(personID)].For(leaf.Salt)
	if s.By != "" {
		s.ByWho = keys[Subject(s.By)].For(leaf.Salt)
	}
	if s.On != "" {
		s.OnWhat = keys[s.On].For(leaf.Salt)
	}
	if s.Body != nil {
		s.Contents = entry.For(leaf.Salt)
	}
	return s, nil
}

// Key is the key of a person, for himself: with it he finds every leaf that
// speaks of him. The zero Key when the log does not know him.
func (l *Log) Key(ctx context.Context, personID string) (Key, error) {
	keys := map[string]Key{}
	err := readKeys(ctx, l.db.Read(), []string{person(personID)}, keys)
	return keys[person(personID)], err
}

// Erase forgets a person, inside the caller's transaction: the key goes, and with
// it the meaning of every commitment to him; so do the rows that are his alone,
// and his id in the rows that concern others too. The leaves stay. Append the act
// of erasing, with On "person/<id>" and without Of, before.
func (l *Log) Erase(ctx context.Context, tx *sql.Tx, personID string) error {
	for _, q := range []string{
		`UPDATE audit_act SET body = '', key = NULL WHERE n IN (SELECT n FROM audit_of WHERE person = $1)
			AND NOT EXISTS (SELECT 1 FROM audit_of o WHERE o.n = audit_act.n AND o.person <> $1)`,
		`DELETE FROM audit_of WHERE person = $1`,
		`UPDATE audit_act SET by_id = '' WHERE by_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, personID); err != nil {
			return fmt.Errorf("erase from the log: %w", err)
		}
	}
	for _, q := range []string{
		`UPDATE audit_act SET on_id = '', body = '', key = NULL WHERE on_id = $1`,
		`DELETE FROM audit_key WHERE id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, person(personID)); err != nil {
			return fmt.Errorf("erase from the log: %w", err)
		}
	}
	return nil
}
