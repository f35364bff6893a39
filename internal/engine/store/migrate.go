package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Migrate applies every *.sql file in the folder "sql" of each set that was not
// applied before, in order of file names over all sets ("0001_place_units.sql").
// A file may hold several statements, separated by a line of "--;;".
func (db *DB) Migrate(ctx context.Context, sets ...fs.FS) error {
	if err := db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, migrationTable)
		return err
	}); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	files, err := collect(sets)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := db.apply(ctx, f); err != nil {
			return fmt.Errorf("migrate %s: %w", f.name, err)
		}
	}
	return nil
}

const migrationTable = `CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_ms BIGINT NOT NULL)`

type migration struct{ name, text string }

func collect(sets []fs.FS) ([]migration, error) {
	var all []migration
	for _, set := range sets {
		names, err := fs.Glob(set, "sql/*.sql")
		if err != nil {
			return nil, fmt.Errorf("list migrations: %w", err)
		}
		for _, n := range names {
			b, err := fs.ReadFile(set, n)
			if err != nil {
				return nil, fmt.Errorf("read migration: %w", err)
			}
			all = append(all, migration{strings.TrimPrefix(n, "sql/"), string(b)})
		}
	}
	slices.SortFunc(all, func(a, b migration) int { return strings.Compare(a.name, b.name) })
	for i := 1; i < len(all); i++ {
		if all[i].name == all[i-1].name {
			return nil, fmt.Errorf("two migrations are named %s", all[i].name)
		}
	}
	return all, nil
}

func (db *DB) apply(ctx context.Context, m migration) error {
	return db.Tx(ctx, func(tx *sql.Tx) error { return db.applyIn(ctx, tx, m) })
}

func (db *DB) applyIn(ctx context.Context, tx *sql.Tx, m migration) error {
	if db.Engine == Postgres {
		if _, err := tx.ExecContext(ctx, `LOCK TABLE migration`); err != nil {
			return err
		}
	}
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM migration WHERE name = $1`, m.name).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return nil
	}
	for q := range strings.SplitSeq(m.text, "--;;") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO migration (name, applied_ms) VALUES ($1, $2)`, m.name, time.Now().UnixMilli())
	return err
}
