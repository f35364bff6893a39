package place

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
)

// Every is how often a [Watcher] looks whether the village changed.
const Every = time.Second

// Watcher keeps a [Directory] that follows the village, also when another
// process imports it.
type Watcher struct {
	db    *store.DB
	log   *slog.Logger
	now   atomic.Pointer[Directory]
	turn  sync.Mutex // one refresh at a time
	told  int64      // version that every listener has taken
	hear  []func(context.Context, *Directory) error
	blind bool // the last look failed; said once
}

// Watch reads the directory and returns a watcher that [Watcher.Run] keeps fresh.
func Watch(ctx context.Context, db *store.DB, log *slog.Logger) (*Watcher, error) {
	d, err := Load(ctx, db)
	if err != nil {
		return nil, err
	}
	w := &Watcher{db: db, log: log, told: d.version}
	w.now.Store(d)
	return w, nil
}

// Directory is the newest directory. It is safe for use by many goroutines.
func (w *Watcher) Directory() *Directory { return w.now.Load() }

// Listen has f called after every change, in the order of listening, by the one
// goroutine that looks. When f fails it is called again at the next look; so
// are those before it, which must not mind. Call Listen before Run.
func (w *Watcher) Listen(f func(context.Context, *Directory) error) { w.hear = append(w.hear, f) }

// Run looks every [Every] until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.look(ctx)
		}
	}
}

// look refreshes and says once when it cannot, and once when it can again.
func (w *Watcher) look(ctx context.Context) {
	err := w.Refresh(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil && !w.blind:
		w.blind = true
		w.log.Error("village cannot be read again", "err", err)
	case err == nil && w.blind:
		w.blind = false
		w.log.Info("village can be read again")
	}
}

// Refresh looks at once. After it returns nil, the directory is at least as new
// as when it was called and every listener has taken it.
func (w *Watcher) Refresh(ctx context.Context) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	v, err := Version(ctx, w.db.Read())
	if err != nil {
		return err
	}
	d := w.now.Load()
	if v != d.version {
		if d, err = Load(ctx, w.db); err != nil {
			return err
		}
		w.now.Store(d)
	}
	if w.told == d.version {
		return nil
	}
	for _, f := range w.hear {
		if err := f(ctx, d); err != nil {
			return fmt.Errorf("tell of village version %d: %w", d.version, err)
		}
	}
	w.told = d.version
	return nil
}
