package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// ErrTaken says that another running Keng has the database.
var ErrTaken = errors.New("another Keng is running on this data")

// ErrLockLost says that this Keng is no longer the one that may write: the
// connection that held the lock is gone, and with it the lock.
var ErrLockLost = errors.New("the connection that kept other Kengs from this database was lost; start again, when the database is back")

// turnTable is where PostgreSQL's writers count themselves.
const turnTable = "store_writer"

// lockKey names our advisory lock in PostgreSQL: "keng" in ASCII.
const lockKey = 0x6b656e67

const (
	// lookEvery is how often the connection that holds PostgreSQL's lock is tried.
	lookEvery = 2 * time.Second
	// lookWithin is how long that may take. A server that is away for longer may have
	// been replaced by another one, which knows of no lock.
	lookWithin = 5 * time.Second
)

// Hold is the right to be the one Keng that serves the data.
type Hold struct {
	lost    chan struct{}
	release func() error
}

// Lost is closed when the right is gone: whoever has it must stop at once. With
// SQLite it lasts as long as the process.
func (h *Hold) Lost() <-chan struct{} { return h.lost }

// Release ends it.
func (h *Hold) Release() error { return h.release() }

// Lock keeps every other Keng from serving the same data: each group has one
// writer. It ends with Release, or with the process, however that ends. Commands
// that only read or import do not need it.
func (db *DB) Lock(ctx context.Context) (*Hold, error) {
	if db.Engine == Postgres {
		return db.lockPostgres(ctx)
	}
	f, err := os.OpenFile(db.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrTaken
		}
		return nil, fmt.Errorf("lock data: %w", err)
	}
	return &Hold{lost: make(chan struct{}), release: f.Close}, nil
}

func (db *DB) lockPostgres(ctx context.Context) (*Hold, error) {
	c, err := db.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock data: %w", err)
	}
	var got bool
	if err := c.QueryRowContext(ctx, `SELECT pg_try_advisory_lock(hashtext(current_schema()), $1)`, lockKey).Scan(&got); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data: %w", err), c.Close())
	}
	if !got {
		return nil, errors.Join(ErrTaken, c.Close())
	}
	if err := db.takeTurn(ctx, c); err != nil {
		return nil, errors.Join(fmt.Errorf("lock data: %w", err), c.Close())
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	h := &Hold{lost: make(chan struct{})}
	var watcher sync.WaitGroup
	watcher.Go(func() { h.watch(watch, c) })
	h.release = func() error {
		stop()
		watcher.Wait()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, err := c.ExecContext(within, `SELECT pg_advisory_unlock(hashtext(current_schema()), $1)`, lockKey)
		select {
		case <-h.lost:
			err = nil // there is nothing left to give back
		default:
			if errors.Is(err, driver.ErrBadConn) { // stopped in the middle of a look: the lock ended with the connection
				err = nil
			}
		}
		if cerr := c.Close(); !errors.Is(cerr, sql.ErrConnDone) && !errors.Is(cerr, driver.ErrBadConn) {
			err = errors.Join(err, cerr)
		}
		return err
	}
	return h, nil
}

// takeTurn makes this Keng the next writer in a row. One whose lock was lost without
// its knowing can write no more from now on, see [DB.stillWriter].
func (db *DB) takeTurn(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS store_writer (one INTEGER PRIMARY KEY, turn BIGINT NOT NULL)`); err != nil {
		return err
	}
	var turn int64
	if err := c.QueryRowContext(ctx, `
		INSERT INTO store_writer (one, turn) VALUES (1, 1)
		ON CONFLICT (one) DO UPDATE SET turn = store_writer.turn + 1 RETURNING turn`).Scan(&turn); err != nil {
		return err
	}
	db.turn.Store(turn)
	return nil
}

// stillWriter fails with ErrTaken inside tx when another Keng took its turn since.
// The other waits for tx to end: there are never two writers.
func (db *DB) stillWriter(ctx context.Context, tx *sql.Tx) error {
	turn := db.turn.Load()
	if turn == 0 {
		return nil
	}
	var one int
	err := tx.QueryRowContext(ctx, `SELECT one FROM store_writer WHERE one = 1 AND turn = $1 FOR SHARE`, turn).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrTaken
	}
	return err
}

// watch closes lost when c, and with it the lock, is gone.
func (h *Hold) watch(ctx context.Context, c *sql.Conn) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, lookWithin)
		var one int
		err := c.QueryRowContext(within, `SELECT 1`).Scan(&one)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			close(h.lost)
			return
		}
	}
}
