package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

// TestBackupInAStormLosesNoAcknowledgedPress backs a Keng up again and again while
// buttons are pressed, and restores each backup: every press that was acknowledged
// before the backup began is in it.
func TestBackupInAStormLosesNoAcknowledgedPress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		const groups, homes = 4, 3
		data := t.TempDir()
		postgres := strings.HasPrefix(dsn, "postgres")
		if postgres {
			t.Setenv("KENG_DATABASE", dsn)
		}
		importVillage(t, data, groups, homes)
		p := startKeng(t, nil, nil, "--data", data)
		a := newAlley(t, p.mqtt, groups, homes, homes)
		defer a.end()
		dir := t.TempDir()
		key := filepath.Join(dir, "key")
		out := keng(t, "backup", "--new-key", key)
		recipient := out[strings.LastIndexByte(out, '\n')+1:]
		for n := range 4 {
			pause(t.Context(), 200*time.Millisecond)
			before := map[string]bool{}
			a.acked.Range(func(id, _ any) bool { before[id.(string)] = true; return true })
			file, args := filepath.Join(dir, fmt.Sprintf("%d.keng", n)), []string{}
			if n%2 == 1 {
				args = []string{"--to", recipient}
			}
			keng(t, append([]string{"backup", "--data", data, file}, args...)...)
			keng(t, "restore", "--check", "--identity", key, file)
			restored(t, file, key, before, n >= 2 && os.Getenv("KENG_TEST_PG") != "")
		}
		if status, body := p.get("", "/readyz"); status != 200 {
			t.Errorf("the running Keng: %d %s", status, body)
		}
		if n := a.sent.Load(); n < 100 {
			t.Errorf("%d presses: no storm, the test tested nothing", n)
		}
	})
}

// restored restores file and looks for the presses in it.
func restored(t *testing.T, file, key string, want map[string]bool, intoPostgres bool) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "new")
	was := os.Getenv("KENG_DATABASE")
	dsn := filepath.Join(data, "keng.db")
	target := ""
	if intoPostgres {
		target = storetest.Schema(t, os.Getenv("KENG_TEST_PG"))
		dsn = target
	}
	t.Setenv("KENG_DATABASE", target)
	defer t.Setenv("KENG_DATABASE", was)
	keng(t, "restore", "--data", data, "--identity", key, file)
	if out := keng(t, "audit", "--data", data); !strings.Contains(out, "ok") {
		t.Errorf("audit: %s", out)
	}
	db := storetest.Open(t, dsn)
	got := presses(t, db)
	for id := range want {
		if !got[id] {
			t.Errorf("press %s was acknowledged before the backup and is not in it", id)
		}
	}
	t.Logf("%d presses acknowledged before, %d in the backup", len(want), len(got))
}

func presses(t *testing.T, db *store.DB) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	if err := db.Moment(t.Context(), func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(t.Context(), `SELECT press_key FROM alarm_event WHERE kind = 'signaled'`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var key string
			if err := rows.Scan(&key); err != nil {
				return err
			}
			_, id, _ := strings.Cut(key, "/") // device/number/time
			id, _, _ = strings.Cut(id, "/")
			all[id] = true
		}
		return rows.Err()
	}); err != nil {
		t.Fatal(err)
	}
	return all
}
