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
	"github.com/keng-vn/keng/internal/place"
)

// How long things last. They are the product's own choices; no law sets them.
const (
	InviteFor        = 7 * 24 * time.Hour
	ResidentSession  = 180 * 24 * time.Hour // from the last day of use, where no rule says otherwise
	OfficerIdle      = 15 * time.Minute     // without a screen that is open, where no rule says otherwise
	OfficerSession   = 12 * time.Hour       // one shift, from signing in, where no rule says otherwise
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
	Secure bool        // everybody comes by https: cookies travel there only
	Rules  place.Rules // how long sessions last: session.idle.*, session.most.*
	Ways   Ways        // what the page of welcome offers
	// Renewed, if set, ends inside tx whatever else lets the person in: keys and
	// the like. It is called when somebody comes back with a new invite.
	Renewed func(ctx context.Context, tx *sql.Tx, id ID) error
	Rights  rightsOf // nil: [Rights]
	Record  Recorder // of what was done to somebody's sessions and keys; may be nil

	demo    bool
	pace    *pace
	mu      sync.Mutex
	known   map[string]seen      // by digest of the secret
	slide   map[string]use       // sessions to make last longer
	cookies map[string]time.Time // cookies to write again, until when
	felt    chan struct{}        // closed when somebody's session or role changed
}

// Ways are the ways in that the page of welcome offers beside an invite.
type Ways struct {
	Keys     bool   // passkeys, and phrases on paper
	Origin   string // the one address at which passkeys work; "" for any on this machine
	Province bool   // the province's own sign-in
}

// New makes the service. Its tables are [Migrations], after those of place.
func New(db *store.DB, log *slog.Logger, now func() time.Time) *Service {
	return &Service{DB: db, Log: log, Now: now, pace: newPace(answerInviteFrom), known: map[string]seen{}, slide: map[string]use{}, cookies: map[string]time.Time{}, felt: make(chan struct{})}
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
	v.slide = map[string]use{}
	for k, s := range v.known {
		if now.Sub(s.at) > withoutDatabase {
			delete(v.known, k)
		}
	}
	v.mu.Unlock()
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for hash, u := range slide {
			if _, err := tx.ExecContext(ctx, `UPDATE session SET expires_ms = $1, used_ms = $2 WHERE hash = $3 AND expires_ms < $1`, u.until.UnixMilli(), u.at.UnixMilli(), hash); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_ms < $1`, now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM new_phone WHERE at_ms < $1`, now.Add(-NewPhoneFor).UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM renewal WHERE expires_ms < $1`, now.Add(-rememberInvites).UnixMilli()); err != nil {
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
