package people

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
)

// How long things last. They are the product's own choices; no law sets them.
const (
	InviteFor        = 7 * 24 * time.Hour
	ResidentSession  = 180 * 24 * time.Hour // from the last day of use
	OfficerSession   = 12 * time.Hour       // one shift, from signing in
	slideEvery       = 24 * time.Hour
	fresh            = time.Second      // a right that was taken away holds no longer than this
	withoutDatabase  = 15 * time.Minute // and this long when the database cannot be asked
	housekeeping     = time.Minute
	rememberInvites  = 30 * 24 * time.Hour // a used invite says "already used" for so long
	mostRemembered   = 50_000              // sessions in memory
	answerInviteFrom = 250 * time.Millisecond
)

// Service signs people in. Make it with [New].
type Service struct {
	DB     *store.DB
	Log    *slog.Logger
	Now    func() time.Time
	Secure bool // everybody comes by https: cookies travel there only

	pace  *pace
	mu    sync.Mutex
	known map[string]seen      // by digest of the secret
	slide map[string]time.Time // sessions to make last longer, until when
}

// New makes the service. Its tables are [Migrations], after those of place.
func New(db *store.DB, log *slog.Logger, now func() time.Time) *Service {
	return &Service{DB: db, Log: log, Now: now, pace: newPace(answerInviteFrom), known: map[string]seen{}, slide: map[string]time.Time{}}
}

// Run keeps house until ctx is done: it makes used sessions last, and forgets
// what has expired.
func (v *Service) Run(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := v.Tidy(ctx); err != nil && ctx.Err() == nil {
				v.Log.Error("sessions were not tidied", "err", err)
			}
		}
	}
}

// Tidy does what [Service.Run] does, once.
func (v *Service) Tidy(ctx context.Context) error {
	now := v.Now()
	v.mu.Lock()
	slide := v.slide
	v.slide = map[string]time.Time{}
	for k, s := range v.known {
		if now.Sub(s.at) > withoutDatabase {
			delete(v.known, k)
		}
	}
	v.mu.Unlock()
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for hash, until := range slide {
			if _, err := tx.ExecContext(ctx, `UPDATE session SET expires_ms = $1 WHERE hash = $2 AND expires_ms < $1`, until.UnixMilli(), hash); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_ms < $1`, now.UnixMilli()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM invite WHERE expires_ms < $1`, now.Add(-rememberInvites).UnixMilli())
		return err
	})
	if err != nil {
		v.mu.Lock() // next time
		maps.Copy(slide, v.slide)
		v.slide = slide
		v.mu.Unlock()
		return fmt.Errorf("tidy sessions: %w", err)
	}
	return nil
}
