package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"modernc.org/sqlite"
)

// Engine is which database it is.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database: one connection that writes (SQLite) or a pool
// (PostgreSQL), and a pool that reads.
type DB struct {
	Engine Engine
	path   string // of the SQLite file
	write  *sql.DB
	read   *sql.DB
	turn   atomic.Int64 // which writer in a row this one is (PostgreSQL); 0 before Lock
}

// Open opens dsn: the path of an SQLite file, made if it is missing, or a
// postgres:// URL.
func Open(ctx context.Context, dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return openPostgres(ctx, dsn)
	}
	return openSQLite(ctx, dsn)
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	common := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"
	w, err := sql.Open("sqlite", common+"&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=secure_delete(1)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	w.SetMaxOpenConns(1)
	if err := w.PingContext(ctx); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	r, err := sql.Open("sqlite", common+"&_pragma=query_only(1)")
	if err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	r.SetMaxOpenConns(4)
	return &DB{Engine: SQLite, path: path, write: w, read: r}, nil
}

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	p, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	p.SetMaxOpenConns(8)
	p.SetConnMaxIdleTime(5 * time.Minute)
	if err := p.PingContext(ctx); err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("reach postgres: %w", err)
	}
	return &DB{Engine: Postgres, write: p, read: p}, nil
}

// Close closes both pools.
func (db *DB) Close() error {
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(db.read.Close(), err)
	}
	return err
}

// Read is the pool for queries. On SQLite it cannot write.
func (db *DB) Read() *sql.DB { return db.read }

// Sweep empties the database's own log of what was deleted, where that needs no
// pause: SQLite overwrites deleted rows in its file at once and is told to empty
// the WAL; PostgreSQL keeps dead rows until its own vacuum.
func (db *DB) Sweep(ctx context.Context) error {
	if db.Engine != SQLite {
		return nil
	}
	var busy, all, done int
	if err := db.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &all, &done); err != nil {
		return fmt.Errorf("empty the WAL: %w", err)
	}
	if busy != 0 {
		return errors.New("empty the WAL: somebody reads it")
	}
	return nil
}

// Tx runs f in one write transaction and commits, or rolls back if f fails.
func (db *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, rollback(tx))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Exec runs one statement in a write transaction of its own.
func (db *DB) Exec(ctx context.Context, q string, args ...any) error {
	return db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, q, args...)
		return err
	})
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// transient reports whether the same work may succeed later: the disk is full,
// slow, locked, broken or away, or the server is. What is to blame is then not the
// work, and it waits. An SQL error of any other kind is the work's own.
func transient(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case 1, 12, 18, 19, 20, 21, 25: // ERROR NOTFOUND TOOBIG CONSTRAINT MISMATCH MISUSE RANGE
			return false
		}
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "42501": // an operator took our rights on the tables; he can give them back
			return true
		}
		switch e.Code[:2] {
		case "0A", "21", "22", "23", "42", "44", "54", "P0": // data, constraints, SQL, limits, triggers
			return false
		}
		return true
	}
	return err != nil && !isLogic(err)
}

// isLogic reports errors that come from the op itself rather than from below.
func isLogic(err error) bool {
	return errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrOp)
}

// ErrOp marks an error of an op's own making: trying again is useless.
var ErrOp = errors.New("op refused")

// LimitPages bounds an SQLite file to n pages of 4 KiB, for operators who share
// a small disk: beyond it writing fails as on a full disk, and nothing is lost.
func (db *DB) LimitPages(ctx context.Context, n int) error {
	if db.Engine != SQLite {
		return fmt.Errorf("limit pages: %s has its own quotas", db.Engine)
	}
	_, err := db.write.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, n))
	return err
}
