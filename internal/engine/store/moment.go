package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// ErrNewer says that a database or a backup of one was made by a newer Keng.
var ErrNewer = errors.New("made by a newer Keng")

// Moment runs f in one transaction that only reads and sees everything as it was
// at its first query, however long it takes. Nobody who writes waits for it, in
// this process or in another.
func (db *DB) Moment(ctx context.Context, f func(*sql.Tx) error) error {
	o := &sql.TxOptions{ReadOnly: true} // SQLite: a WAL reader keeps its snapshot
	if db.Engine == Postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.read.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	return errors.Join(f(tx), rollback(tx))
}

// Tables names every table of the database, sorted, but for the store's own.
func (db *DB) Tables(ctx context.Context, tx *sql.Tx) ([]string, error) {
	q := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	if db.Engine == Postgres {
		q = `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`
	}
	names, err := strs(ctx, tx, q)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == turnTable }) // of this server, not of the data
	slices.Sort(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == turnTable }), nil
}

// Applied names the migrations that were applied, sorted; none in a database
// that is empty.
func (db *DB) Applied(ctx context.Context, tx *sql.Tx) ([]string, error) {
	tables, err := db.Tables(ctx, tx)
	if err != nil || !slices.Contains(tables, "migration") {
		return nil, err
	}
	names, err := strs(ctx, tx, `SELECT name FROM migration`)
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// MigrateIn is [DB.Migrate] inside a transaction of the caller's. With only, it
// applies these and no others, and fails with [ErrNewer] when the sets lack one.
func (db *DB) MigrateIn(ctx context.Context, tx *sql.Tx, only []string, sets ...fs.FS) error {
	files, err := collect(sets)
	if err != nil {
		return err
	}
	for _, name := range only {
		if !slices.ContainsFunc(files, func(m migration) bool { return m.name == name }) {
			return fmt.Errorf("%w: it has %s", ErrNewer, name)
		}
	}
	if _, err := tx.ExecContext(ctx, migrationTable); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	for _, m := range files {
		if only != nil && !slices.Contains(only, m.name) {
			continue
		}
		if err := db.applyIn(ctx, tx, m); err != nil {
			return fmt.Errorf("migrate %s: %w", m.name, err)
		}
	}
	return nil
}

// Loosen lets rows be written in any order within tx: what they refer to must be
// there when settle is called.
func (db *DB) Loosen(ctx context.Context, tx *sql.Tx) (settle func() error, err error) {
	if db.Engine == SQLite {
		if _, err := tx.ExecContext(ctx, `PRAGMA defer_foreign_keys = 1`); err != nil {
			return nil, fmt.Errorf("loosen references: %w", err)
		}
		return func() error { return dangling(ctx, tx) }, nil
	}
	bonds, err := strs(ctx, tx, `SELECT format('ALTER TABLE %I ALTER CONSTRAINT %I', r.relname, c.conname)
		FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
		WHERE c.contype = 'f' AND NOT c.condeferrable AND c.connamespace = current_schema()::regnamespace`)
	if err != nil {
		return nil, fmt.Errorf("list references: %w", err)
	}
	all := func(how string) error {
		for _, b := range bonds {
			if _, err := tx.ExecContext(ctx, b+how); err != nil {
				return fmt.Errorf("%s%s: %w", b, how, err)
			}
		}
		return nil
	}
	if err := all(" DEFERRABLE INITIALLY DEFERRED"); err != nil {
		return nil, err
	}
	return func() error {
		if _, err := tx.ExecContext(ctx, `SET CONSTRAINTS ALL IMMEDIATE`); err != nil {
			return fmt.Errorf("check references: %w", err)
		}
		return all(" NOT DEFERRABLE")
	}, nil
}

// dangling looks for rows that refer to nothing.
func dangling(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `PRAGMA foreign_key_check`)
	if err != nil {
		return fmt.Errorf("check references: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		var table, parent string
		var row, bond any
		if err := rows.Scan(&table, &row, &parent, &bond); err != nil {
			return fmt.Errorf("check references: %w", err)
		}
		return fmt.Errorf("check references: a row of %s refers to none of %s", table, parent)
	}
	return rows.Err()
}

// Quote makes name an identifier of SQL, whatever it holds.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func strs(ctx context.Context, tx *sql.Tx, q string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
