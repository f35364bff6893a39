package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// heldAtMost is how long those who hold may keep what is queued from the disk:
// in a storm somebody always does.
const heldAtMost = 5 * time.Millisecond

// gathered is how long ops that nobody waits for are gathered before they are
// written. One alarm brings dozens; each transaction of theirs, with its sync,
// stands before the next alarm.
const gathered = 50 * time.Millisecond

// maxBatch is how many ops one transaction takes at most, so that the first of
// a storm does not wait for the last.
const maxBatch = 512

// Op writes something inside the committer's transaction. It may run more than
// once (after a failed commit), so it must not change anything but the database.
type Op func(ctx context.Context, tx *Batch) error

// ErrRefused marks what done is told of an op that the database will never take: it
// breaks a constraint, or cannot be stored at all. Trying again is useless.
var ErrRefused = errors.New("refused by the database")

// Batch is the transaction that an [Op] writes in.
type Batch struct {
	tx    *sql.Tx
	c     *Committer
	after []func()
}

// OnDisk has f called when the transaction is on disk, before any done: an op may
// run more than once, and what it learns holds only then.
func (b *Batch) OnDisk(f func()) { b.after = append(b.after, f) }

// Row is a query for one row within the transaction.
func (b *Batch) Row(ctx context.Context, q string, args ...any) *sql.Row {
	return b.tx.QueryRowContext(ctx, q, args...)
}

// Exec runs q, prepared once per committer where that helps.
func (b *Batch) Exec(ctx context.Context, q string, args ...any) error {
	_, err := b.exec(ctx, q, args)
	return err
}

// Changed is Exec that says how many rows it wrote.
func (b *Batch) Changed(ctx context.Context, q string, args ...any) (int64, error) {
	r, err := b.exec(ctx, q, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (b *Batch) exec(ctx context.Context, q string, args []any) (sql.Result, error) {
	if b.c.db.Engine == SQLite { // pgx prepares and caches by itself
		if st := b.c.compiled(ctx, q, b.tx); st != nil {
			return st.ExecContext(ctx, args...)
		}
	}
	return b.tx.ExecContext(ctx, q, args...)
}

// Committer is the single writer with group commit. Ops are applied in the order
// in which Do was called.
type Committer struct {
	db  *DB
	log *slog.Logger

	mu      sync.Mutex
	waiting []pending
	awaited int // of them, those that somebody waits for
	held    int // those between Hold and Release
	closing bool
	stuck   error
	since   time.Time // when it became stuck
	began   time.Time // of the transaction that runs now; zero between
	commits uint64
	rows    uint64
	refused uint64

	wake chan struct{}
	stop context.CancelFunc
	gone chan struct{}

	stmts map[string]*sql.Stmt // these two belong to run's goroutine
	fresh []string             // queries seen for the first time
}

type pending struct {
	op      Op
	done    func(error)
	refused func(error) // of an op without done
}

// NewCommitter starts the committer; Close ends it.
func NewCommitter(db *DB, log *slog.Logger) *Committer {
	ctx, stop := context.WithCancel(context.Background())
	c := &Committer{db: db, log: log, wake: make(chan struct{}, 1), stop: stop, gone: make(chan struct{}), stmts: map[string]*sql.Stmt{}}
	go c.run(ctx)
	return c
}

// Do queues op and returns at once. done, which is nil when nobody waits, is called
// from the committer's goroutine: with nil when op is on disk, or with the error of an op
// that can never succeed, an [ErrRefused]. While the disk is full or away done is
// simply not yet called. After Close, done gets an error.
func (c *Committer) Do(op Op, done func(error)) { c.queue(pending{op: op, done: done}) }

// Later is Do for what nobody waits for: refused is called only when op can never
// succeed.
func (c *Committer) Later(op Op, refused func(error)) { c.queue(pending{op: op, refused: refused}) }

func (c *Committer) queue(p pending) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		if p.done != nil {
			p.done(errClosed)
		}
		return
	}
	c.waiting = append(c.waiting, p)
	if p.done != nil {
		c.awaited++
	}
	n := len(c.waiting)
	news := n == 1 || n == maxBatch || p.done != nil && c.held == 0 // Release rouses else
	c.mu.Unlock()
	if news {
		c.rouse()
	}
}

func (c *Committer) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Hold keeps the committer from beginning a transaction until Release, which must
// follow. Whoever commands sirens holds it meanwhile: writing takes a processor,
// and on a small machine the one that the sirens need. What is queued in between
// also gets to the disk together, so that it waits for one sync. In a storm, when
// somebody always holds, the disk waits for 5 ms at a time.
func (c *Committer) Hold() {
	c.mu.Lock()
	c.held++
	c.mu.Unlock()
}

// Release ends a Hold.
func (c *Committer) Release() {
	c.mu.Lock()
	c.held--
	some := len(c.waiting) > 0
	c.mu.Unlock()
	if some {
		c.rouse()
	}
}

// lull waits before a transaction while that may be, and until there is one.
func (c *Committer) lull(ctx context.Context) {
	var since time.Time        // when ops were first seen
	var timer <-chan time.Time // nil while there are none
	for {
		some, most := c.patience()
		if some && since.IsZero() {
			since = time.Now()
		}
		if some {
			wait := most - time.Since(since)
			if wait <= 0 {
				return
			}
			timer = time.After(wait)
		}
		select {
		case <-c.wake:
		case <-timer:
		case <-ctx.Done():
			return
		}
	}
}

// patience is whether there is something to do, and how long that may wait.
func (c *Committer) patience() (some bool, most time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	some = len(c.waiting) > 0 || c.closing
	switch {
	case c.closing:
	case c.awaited == 0 && len(c.waiting) < maxBatch:
		most = gathered
	case c.held > 0:
		most = heldAtMost
	}
	return some, most
}

// Wait is Do that waits for the outcome or for ctx.
func (c *Committer) Wait(ctx context.Context, op Op) error {
	res := make(chan error, 1)
	c.Do(op, func(err error) { res <- err })
	select {
	case err := <-res:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Health says what an operator must know.
type Health struct {
	Waiting int           // ops not yet on disk
	Stuck   error         // why nothing is written, nil when all is well
	Since   time.Time     // since when it is stuck, or the present transaction runs
	Slow    time.Duration // how long the present transaction has been running
	Commits uint64
	Ops     uint64
	Refused uint64 // ops that the database would never take
}

// Health reports how the committer is.
func (c *Committer) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := Health{Waiting: len(c.waiting), Stuck: c.stuck, Since: c.since, Commits: c.commits, Ops: c.rows, Refused: c.refused}
	if !c.began.IsZero() {
		h.Slow = time.Since(c.began)
		if h.Since.IsZero() {
			h.Since = c.began
		}
	}
	return h
}

// Close writes what is waiting, until ctx ends, and stops. It reports what
// could not be written.
func (c *Committer) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.rouse()
	select {
	case <-c.gone:
	case <-ctx.Done():
		c.stop()
		<-c.gone
	}
	c.stop()
	for _, st := range c.stmts {
		_ = st.Close()
	}
	c.mu.Lock()
	left := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, p := range left {
		if p.done != nil {
			p.done(errClosed)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%d entries could not be written: %w", len(left), errClosed)
	}
	return nil
}

var errClosed = errors.New("committer closed")

func (c *Committer) run(ctx context.Context) {
	defer close(c.gone)
	for {
		c.lull(ctx)
		batch, closing := c.next()
		n := len(batch)
		if ctx.Err() != nil || n == 0 && closing {
			return
		}
		results, err := c.persist(ctx, batch)
		if err != nil {
			return // ctx ended; Close reports what is left
		}
		c.leave(batch)
		for i, p := range batch {
			switch {
			case p.done != nil:
				p.done(results[i])
			case results[i] != nil && p.refused != nil:
				p.refused(results[i])
			case results[i] != nil:
				c.log.Error("an entry that nobody waits for was not written", slog.Any("err", results[i]))
			}
		}
		c.compile(ctx)
	}
}

// leave takes a written batch off the queue.
func (c *Committer) leave(batch []pending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range batch {
		if p.done != nil {
			c.awaited--
		}
	}
	if c.waiting = c.waiting[len(batch):]; len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// next is what goes into the next transaction. What nobody waits for, behind the
// last op that somebody waits for, stays for the one after: an alarm's
// acknowledgement does not wait for its copy for reading.
func (c *Committer) next() (batch []pending, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.waiting), maxBatch)
	for k := n; k > 0; k-- {
		if c.waiting[k-1].done != nil {
			n = k
			break
		}
	}
	return c.waiting[:n:n], c.closing
}

// persist writes batch, trying again while that may help. The error is ctx's.
func (c *Committer) persist(ctx context.Context, batch []pending) ([]error, error) {
	results := make([]error, len(batch))
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := c.attempt(ctx, batch)
		if err == nil {
			c.well(1, len(batch))
			return results, nil
		}
		if !transient(err) {
			return c.singly(ctx, batch)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.unwell(err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// singly writes each op in a transaction of its own, so that one that can never
// succeed does not take the others with it.
func (c *Committer) singly(ctx context.Context, batch []pending) ([]error, error) {
	results := make([]error, len(batch))
	written := 0
	for i := range batch {
		for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
			err := c.attempt(ctx, batch[i:i+1])
			if err == nil {
				written++
				break
			}
			if !transient(err) {
				results[i] = fmt.Errorf("%w: %w", ErrRefused, err)
				break
			}
			c.unwell(err)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	c.well(written, written) // the database answers: one bad entry is no stuck disk
	c.mu.Lock()
	c.refused += uint64(len(batch) - written)
	c.mu.Unlock()
	return results, nil
}

func (c *Committer) attempt(ctx context.Context, batch []pending) error {
	c.begin(time.Now())
	defer c.begin(time.Time{})
	b := &Batch{c: c}
	err := c.db.Tx(ctx, func(tx *sql.Tx) error {
		b.tx = tx
		if err := c.db.stillWriter(ctx, tx); err != nil {
			return err
		}
		for _, p := range batch {
			if err := p.op(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range b.after {
		f()
	}
	return nil
}

func (c *Committer) begin(at time.Time) {
	c.mu.Lock()
	c.began = at
	c.mu.Unlock()
}

func (c *Committer) well(commits, rows int) {
	c.mu.Lock()
	was := c.stuck
	c.stuck, c.since = nil, time.Time{}
	c.commits += uint64(commits)
	c.rows += uint64(rows)
	c.mu.Unlock()
	if was != nil {
		c.log.Info("journal is writing again")
	}
}

func (c *Committer) unwell(err error) {
	c.mu.Lock()
	first := c.stuck == nil
	c.stuck = err
	if first {
		c.since = time.Now()
	}
	c.mu.Unlock()
	if first {
		c.log.Error("journal cannot write, trying again", slog.Any("err", err))
	}
}

// compiled returns q bound to tx when it was compiled before, or nil. A query is
// compiled after the transaction that used it first: within it, the pool has no
// second connection to compile on.
func (c *Committer) compiled(ctx context.Context, q string, tx *sql.Tx) *sql.Stmt {
	if st := c.stmts[q]; st != nil {
		return tx.StmtContext(ctx, st)
	}
	c.fresh = append(c.fresh, q)
	return nil
}

// compile prepares the queries that the last batch used for the first time.
func (c *Committer) compile(ctx context.Context) {
	for _, q := range c.fresh {
		if c.stmts[q] != nil {
			continue
		}
		if st, err := c.db.write.PrepareContext(ctx, q); err == nil {
			c.stmts[q] = st
		}
	}
	c.fresh = nil
}
