package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

var set = fstest.MapFS{
	"sql/0001_t_note.sql": {Data: []byte(`CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL);
--;;
CREATE INDEX note_body ON note (body);`)},
}

func count(t *testing.T, db *store.DB) int {
	t.Helper()
	var n int
	if err := db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM note`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(id int) store.Op {
	return func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO note (id, body) VALUES ($1, $2)`, id, "x")
	}
}

func TestMigrateOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		for range 2 {
			if err := db.Migrate(t.Context(), set); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(t.Context(), set, fstest.MapFS{"sql/0002_bad.sql": {Data: []byte(`CREATE TABLE half (a BIGINT); --;; CREATE NONSENSE`)}}); err == nil {
			t.Fatal("a broken migration was accepted")
		}
		if _, err := db.Read().ExecContext(t.Context(), `SELECT a FROM half`); err == nil {
			t.Error("a broken migration left half of itself")
		}
	})
}

func TestCommitterKeepsOrderAndTellsOfThePoisoned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
		const n = 1500
		var last, bad atomic.Int64
		last.Store(-1)
		for i := range n {
			id := i
			if i == 700 {
				id = 699 // breaks the primary key
			}
			c.Do(insert(id), func(err error) {
				if err != nil {
					bad.Add(1)
				}
				if !last.CompareAndSwap(int64(i-1), int64(i)) {
					t.Errorf("done %d out of order", i)
				}
			})
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h := c.Health(); h.Stuck != nil || h.Refused != 1 || h.Ops != n-1 {
			t.Errorf("one bad entry is no stuck disk: %+v", h)
		}
		if bad.Load() != 1 || count(t, db) != n-1 {
			t.Errorf("%d refused, %d rows, want 1 and %d", bad.Load(), count(t, db), n-1)
		}
	})
}

func TestHeldOpsGoToTheDiskTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
		res := make(chan error, 2)
		for id := 1; id <= 2; id++ { // the statement is known afterwards
			c.Hold()
			c.Do(insert(10*id), nil)
			c.Do(insert(10*id+1), func(err error) { res <- err })
			c.Release()
			if err := <-res; err != nil {
				t.Fatal(err)
			}
		}
		if h := c.Health(); h.Commits != 2 || h.Ops != 4 {
			t.Errorf("%d commits of %d ops, want 2 of 4", h.Commits, h.Ops)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestDoneDoesNotWaitForWhatNobodyWaitsFor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
		left := make(chan int, 1)
		c.Hold()
		c.Do(insert(1), nil)
		c.Do(insert(2), func(error) { left <- c.Health().Waiting })
		c.Do(insert(3), nil)
		c.Do(insert(4), nil)
		c.Release()
		if n := <-left; n != 2 {
			t.Errorf("%d ops waited when the one before them was written, want 2", n)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := count(t, db); n != 4 {
			t.Errorf("%d rows, want 4", n)
		}
	})
}

func TestWhatNobodyWaitsForIsGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t, t.TempDir()+"/keng.db")
		if err := db.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
		written := func(commits, ops uint64) {
			t.Helper()
			synctest.Wait()
			if h := c.Health(); h.Commits != commits || h.Ops != ops {
				t.Errorf("%d ops in %d commits, want %d in %d", h.Ops, h.Commits, ops, commits)
			}
		}
		c.Do(insert(1), nil)
		written(0, 0)
		time.Sleep(40 * time.Millisecond)
		c.Do(insert(2), nil)
		written(0, 0)
		time.Sleep(11 * time.Millisecond)
		written(1, 2)
		c.Do(insert(3), nil)
		written(1, 2)
		began := time.Now()
		if err := c.Wait(t.Context(), insert(4)); err != nil || time.Since(began) != 0 {
			t.Errorf("somebody waited %v for company: %v", time.Since(began), err)
		}
		written(2, 4)
		c.Do(insert(5), nil)
		if err := c.Close(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("closing waited %v for company: %v", time.Since(began), err)
		}
	})
}

// TestStormOfHoldersDelaysTheDiskAndNoMore: somebody holds all the time.
func TestStormOfHoldersDelaysTheDiskAndNoMore(t *testing.T) {
	db := storetest.Open(t, t.TempDir()+"/keng.db")
	if err := db.Migrate(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
	if err := c.Wait(t.Context(), insert(1)); err != nil { // it rests now
		t.Fatal(err)
	}
	c.Hold()
	began := time.Now()
	res := make(chan error, 1)
	c.Hold()
	c.Do(insert(2), func(err error) { res <- err })
	c.Release()
	if err := <-res; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*time.Millisecond {
		t.Errorf("held, and written after %v", took)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestFullDiskLosesNothing fills a real SQLite database to its page limit, which
// fails as a full disk does, and then makes room.
func TestFullDiskLosesNothing(t *testing.T) {
	db := storetest.Open(t, t.TempDir()+"/keng.db")
	if err := db.Migrate(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	if err := db.LimitPages(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
	big := make([]byte, 64<<10)
	res := make(chan error, 2)
	c.Do(func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO note (id, body) VALUES ($1, $2)`, 1, string(big))
	}, func(err error) { res <- err })
	c.Do(insert(2), func(err error) { res <- err })
	for c.Health().Stuck == nil {
		select {
		case err := <-res:
			t.Fatalf("acknowledged on a full disk: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if err := db.LimitPages(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-res; err != nil {
			t.Error(err)
		}
	}
	if h := c.Health(); h.Stuck != nil || count(t, db) != 2 {
		t.Errorf("health %+v, %d rows", h, count(t, db))
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCloseTellsWhatWasNotWritten(t *testing.T) {
	db := storetest.Open(t, t.TempDir()+"/keng.db")
	c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	res := make(chan error, 1)
	c.Do(func(context.Context, *store.Batch) error { return errors.New("away") }, func(err error) { res <- err })
	if err := c.Close(ctx); err == nil {
		t.Error("Close said all was written")
	}
	if err := <-res; err == nil {
		t.Error("done said that it was written")
	}
	c.Do(insert(3), func(err error) { res <- err })
	if err := <-res; err == nil {
		t.Error("an op after Close was accepted")
	}
}

func TestOneKengAtATime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		a, b := storetest.Open(t, dsn), storetest.Open(t, dsn)
		hold, err := a.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Lock(t.Context()); !errors.Is(err, store.ErrTaken) {
			t.Errorf("a second Keng took the same data: %v", err)
		}
		if err := hold.Release(); err != nil {
			t.Error(err)
		}
		again, err := b.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Release(); err != nil {
			t.Error(err)
		}
	})
}

// TestLostLockEndsTheWriter: PostgreSQL ends the connection that held the lock. The
// holder learns of it, and from the moment another Keng takes its turn it can write
// no more.
func TestLostLockEndsTheWriter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		a, b := storetest.Open(t, dsn), storetest.Open(t, dsn)
		if a.Engine != store.Postgres {
			return // an SQLite lock lasts as long as the process
		}
		if err := a.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		hold, err := a.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := store.NewCommitter(a, slog.New(slog.DiscardHandler))
		if err := c.Wait(t.Context(), insert(1)); err != nil {
			t.Fatal(err)
		}
		var ended bool
		if err := b.Read().QueryRowContext(t.Context(), `
			SELECT pg_terminate_backend(pid) FROM pg_locks
			WHERE locktype = 'advisory' AND classid = hashtext(current_schema())::bigint & 4294967295 AND pid <> pg_backend_pid()`).Scan(&ended); err != nil || !ended {
			t.Fatalf("end the connection: %v, %v", ended, err)
		}
		next, err := b.Lock(t.Context())
		for errors.Is(err, store.ErrTaken) { // the server needs a moment
			next, err = b.Lock(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		res := make(chan error, 1)
		c.Do(insert(2), func(err error) { res <- err })
		select {
		case <-hold.Lost():
		case <-time.After(20 * time.Second):
			t.Error("the holder was never told")
		}
		select {
		case err := <-res:
			t.Errorf("two writers: %v", err)
		default:
		}
		if h := c.Health(); !errors.Is(h.Stuck, store.ErrTaken) || count(t, b) != 1 {
			t.Errorf("health %+v, %d rows", h, count(t, b))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Close(gone); err == nil {
			t.Error("Close said all was written")
		}
		if err := errors.Join(hold.Release(), next.Release()); err != nil {
			t.Error(err)
		}
	})
}

func TestTxRollsBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		err := db.Tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO note (id, body) VALUES (1, 'x')`); err != nil {
				return err
			}
			return store.ErrOp
		})
		if !errors.Is(err, store.ErrOp) || count(t, db) != 0 {
			t.Errorf("err %v, %d rows", err, count(t, db))
		}
	})
}

func BenchmarkCommitter(b *testing.B) {
	for _, group := range []int{1, 100} {
		b.Run(fmt.Sprintf("group=%d", group), func(b *testing.B) {
			db, err := store.Open(b.Context(), b.TempDir()+"/keng.db")
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if err := db.Migrate(b.Context(), set); err != nil {
				b.Fatal(err)
			}
			c := store.NewCommitter(db, slog.New(slog.DiscardHandler))
			id := 0
			for b.Loop() {
				done := make(chan error, group)
				for range group {
					id++
					c.Do(insert(id), func(err error) { done <- err })
				}
				for range group {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
			}
			_ = c.Close(b.Context())
		})
	}
}
