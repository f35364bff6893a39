package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrTaken says that another running Keng has the database.
var ErrTaken = errors.New("another Keng is running on this data")

// lockKey names our advisory lock in PostgreSQL: "keng" in ASCII.
const lockKey = 0x6b656e67

// Lock keeps every other Keng from serving the same data: each group has one
// writer. It ends with unlock, or with the process, however that ends. Commands
// that only read or import do not need it.
func (db *DB) Lock(ctx context.Context) (unlock func() error, err error) {
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
	return f.Close, nil
}

func (db *DB) lockPostgres(ctx context.Context) (func() error, error) {
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
	return func() error {
		_, err := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtext(current_schema()), $1)`, lockKey)
		if cerr := c.Close(); !errors.Is(cerr, sql.ErrConnDone) {
			err = errors.Join(err, cerr)
		}
		return err
	}, nil
}
