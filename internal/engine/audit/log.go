package audit

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Migrations are the tables of the log.
//
//go:embed sql/*.sql
var Migrations embed.FS

// orderKey names the lock under which leaves get their places: "leaf" in ASCII.
const orderKey = 0x6c656166

// DB is a database, as far as the log needs one.
type DB interface {
	Read() *sql.DB
	Tx(ctx context.Context, f func(*sql.Tx) error) error
}

// Log is the log of one Keng. Make it with [New]; it is safe for many goroutines
// and for many processes on one database.
type Log struct {
	db       DB
	postgres bool
	now      func() time.Time
}

// New opens the log that is kept in db, after [Migrations].
func New(db DB, postgres bool, now func() time.Time) *Log {
	return &Log{db: db, postgres: postgres, now: now}
}

// Entry is an act with its place in the log.
type Entry struct {
	N    int64
	At   time.Time
	Name string
	By   string // "" also when that person was erased
	On   string
	Body json.RawMessage // nil when there is none, or it was erased
	Leaf []byte          // byte for byte
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row
}

// Append writes a into the log, inside the caller's transaction: both are there
// or neither. Of the transactions that append, one runs at a time, so append last
// and commit at once. An act that is not well-formed is a mistake in the program
// and fails the transaction.
func (l *Log) Append(ctx context.Context, tx *sql.Tx, a Act) (Entry, error) {
	a, body, err := a.tidy()
	if err != nil {
		return Entry{}, fmt.Errorf("append to the log: %w", err)
	}
	e, err := l.append(ctx, tx, a, body)
	if err != nil {
		return Entry{}, fmt.Errorf("append %s to the log: %w", a.Name, err)
	}
	return e, nil
}

func (l *Log) append(ctx context.Context, tx *sql.Tx, a Act, body string) (Entry, error) {
	n, err := l.place(ctx, tx)
	if err != nil {
		return Entry{}, err
	}
	keys, err := keysOf(ctx, tx, a.subjects())
	if err != nil {
		return Entry{}, err
	}
	at, entry := l.now(), newKey()
	leaf, err := json.Marshal(a.leaf(at, body, keys, entry))
	if err != nil {
		return Entry{}, err
	}
	if err := grow(ctx, tx, n, leaf); err != nil {
		return Entry{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_act (n, at_ms, name, by_id, on_id, body, key) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		n, at.UnixMilli(), a.Name, a.By, a.On, body, entry); err != nil {
		return Entry{}, fmt.Errorf("write row: %w", err)
	}
	if len(a.Of) > 0 {
		var args []any
		for _, id := range a.Of {
			args = append(args, id, n)
		}
		if _, err := tx.ExecContext(ctx, tuples(`INSERT INTO audit_of (person, n) VALUES `, len(a.Of), 2), args...); err != nil {
			return Entry{}, fmt.Errorf("write whose it is: %w", err)
		}
	}
	return Entry{N: n, At: at, Name: a.Name, By: a.By, On: a.On, Body: raw(body), Leaf: leaf}, nil
}

func raw(body string) json.RawMessage {
	if body == "" {
		return nil
	}
	return json.RawMessage(body)
}

// place is where the next leaf goes. On SQLite there is one writer; PostgreSQL is
// told to make one of all who append.
func (l *Log) place(ctx context.Context, tx *sql.Tx) (int64, error) {
	if l.postgres {
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtext(current_schema()), $1)`, orderKey); err != nil {
			return 0, fmt.Errorf("take the order: %w", err)
		}
	}
	return size(ctx, tx)
}

// size is how many leaves there are.
func size(ctx context.Context, q querier) (int64, error) {
	var n int64
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(n) + 1, 0) FROM audit_leaf`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count leaves: %w", err)
	}
	return n, nil
}

// grow writes leaf n and the hashes that it completes.
func grow(ctx context.Context, tx *sql.Tx, n int64, leaf []byte) error {
	hashes, err := tlog.StoredHashes(n, leaf, hashes{ctx, tx})
	if err != nil {
		return fmt.Errorf("hash leaf: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_leaf (n, body) VALUES ($1, $2)`, n, string(leaf)); err != nil {
		return fmt.Errorf("write leaf: %w", err)
	}
	first := tlog.StoredHashIndex(0, n)
	var args []any
	for i, h := range hashes {
		args = append(args, first+int64(i), h[:])
	}
	if _, err := tx.ExecContext(ctx, tuples(`INSERT INTO audit_hash (n, hash) VALUES `, len(hashes), 2), args...); err != nil {
		return fmt.Errorf("write hashes: %w", err)
	}
	return nil
}

// keysOf gives the key of each subject, made now where there is none.
func keysOf(ctx context.Context, tx *sql.Tx, subjects []string) (map[string]Key, error) {
	keys := map[string]Key{}
	if len(subjects) == 0 {
		return keys, nil
	}
	if err := readKeys(ctx, tx, subjects, keys); err != nil {
		return nil, err
	}
	var args []any
	for _, s := range subjects {
		if keys[s].Zero() {
			keys[s] = newKey()
			args = append(args, s, keys[s])
		}
	}
	if len(args) == 0 {
		return keys, nil
	}
	if _, err := tx.ExecContext(ctx, tuples(`INSERT INTO audit_key (id, key) VALUES `, len(args)/2, 2), args...); err != nil {
		return nil, fmt.Errorf("write keys: %w", err)
	}
	return keys, nil
}

// readKeys adds the keys that there are to keys.
func readKeys(ctx context.Context, q querier, subjects []string, keys map[string]Key) error {
	args := make([]any, len(subjects))
	for i, s := range subjects {
		args[i] = s
	}
	rows, err := q.QueryContext(ctx, tuples(`SELECT id, key FROM audit_key WHERE id IN `, 1, len(args)), args...)
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var k Key
		if err := rows.Scan(&id, &k); err != nil {
			return fmt.Errorf("read keys: %w", err)
		}
		keys[id] = k
	}
	return rows.Err()
}

// hashes reads stored hashes.
type hashes struct {
	ctx context.Context
	q   querier
}

// atOnce is how many hashes one query reads.
const atOnce = 512

// ReadHashes implements tlog.HashReader.
func (r hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	got := make(map[int64]tlog.Hash, len(indexes))
	for from := 0; from < len(indexes); from += atOnce {
		if err := r.read(indexes[from:min(from+atOnce, len(indexes))], got); err != nil {
			return nil, err
		}
	}
	list := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		h, ok := got[n]
		if !ok {
			return nil, errNoHash
		}
		list[i] = h
	}
	return list, nil
}

var errNoHash = errors.New("a hash is not in the log")

func (r hashes) read(indexes []int64, into map[int64]tlog.Hash) error {
	args := make([]any, len(indexes))
	for i, n := range indexes {
		args[i] = n
	}
	rows, err := r.q.QueryContext(r.ctx, tuples(`SELECT n, hash FROM audit_hash WHERE n IN `, 1, len(args)), args...)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var n int64
		var b []byte
		if err := rows.Scan(&n, &b); err != nil {
			return fmt.Errorf("read hashes: %w", err)
		}
		if len(b) != tlog.HashSize {
			return errNoHash
		}
		into[n] = tlog.Hash(b)
	}
	return rows.Err()
}

// tuples is head with that many rows of that many placeholders: ($1,$2),($3,$4).
func tuples(head string, rows, cols int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range rows * cols {
		switch {
		case i%cols == 0 && i > 0:
			b.WriteString("),(")
		case i%cols == 0:
			b.WriteString("(")
		default:
			b.WriteString(",")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	return b.String()
}
