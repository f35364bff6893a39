// Package storetest gives a test a real database of each engine at hand.
package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/engine/store"
)

// Each runs f on SQLite always, and on PostgreSQL when KENG_TEST_PG names one:
// there in a schema of its own, which is dropped afterwards.
func Each(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "keng.db")) })
	if dsn := os.Getenv("KENG_TEST_PG"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { f(t, Schema(t, dsn)) })
	}
}

// Schema makes an empty schema in the PostgreSQL at dsn and returns a dsn for it.
func Schema(t *testing.T, dsn string) string {
	t.Helper()
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if err := db.Exec(t.Context(), `CREATE SCHEMA `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Exec(context.Background(), `DROP SCHEMA `+name+` CASCADE`); err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Open opens dsn and closes it when the test ends.
func Open(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Dump is all of a table as text, to look for what must not be there.
func Dump(t *testing.T, db *store.DB, table string) string {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for rows.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(any)
		}
		if err := rows.Scan(vals...); err != nil {
			t.Fatal(err)
		}
		for _, v := range vals {
			fmt.Fprintf(&b, "%v ", *v.(*any))
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return b.String()
}
