package device

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

// TestCaughtMessageIsKnownAfterARestart: whoever caught a signed message sends it
// again under another key, after Keng was started anew.
func TestCaughtMessageIsKnownAfterARestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
		said := func(r *recent, key, sign, body string) string {
			t.Helper()
			act, write := r.key("alley12", key, sign, []byte(body), time.Now())
			if write != nil {
				if err := c.Wait(t.Context(), write); err != nil {
					t.Fatal(err)
				}
			}
			return act
		}
		first := newRecent()
		if got := said(first, "k-1", "s-1", "press"); got != "k-1" {
			t.Fatalf("key %q", got)
		}
		next := newRecent()
		if err := next.load(t.Context(), db.Read()); err != nil {
			t.Fatal(err)
		}
		if got := said(next, "k-9", "s-1", "press"); got != "k-1" {
			t.Errorf("a replayed message is a new act: %q", got)
		}
		if got := said(next, "k-1", "s-2", "test"); got != "" {
			t.Errorf("a key was used twice: %q", got)
		}
		var all []store.Op
		for n := range keysKept + 50 {
			if _, write := next.key("alley12", fmt.Sprint("many-", n), fmt.Sprint("sign-", n), nil, time.Now()); write != nil {
				all = append(all, write)
			}
		}
		if err := c.Wait(t.Context(), func(ctx context.Context, tx *store.Batch) error {
			for _, op := range all {
				if err := op(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM device_post`).Scan(&n); err != nil || n != keysKept || len(next.keys) != keysKept {
			t.Errorf("%d kept on disk and %d in memory, want %d; %v", n, len(next.keys), keysKept, err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
