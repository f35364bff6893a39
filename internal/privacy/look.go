package privacy

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

const (
	waitForDisk = 200 * time.Millisecond // at the most, before names are shown
	tryAgain    = time.Second
	forgetLooks = 48 * time.Hour
)

// looks remembers who looked where in this hour, and what is not yet on disk.
type looks struct {
	mu      sync.Mutex
	hour    int64 // Unix ms of its beginning
	seen    map[look]bool
	waiting []*pending
	wake    chan struct{}
}

// look is one officer who reads the names of one group.
type look struct {
	by    string
	group place.GroupID
}

type pending struct {
	look
	area   place.UnitCode
	of     []string
	phones bool
	hour   int64
	left   *atomic.Int32 // looks of the same call that are not on disk
	done   chan struct{} // closed with the last of them
}

// Looked is told that a is about to read the names of these groups' homes. It
// waits until that is in the log, or for 200 ms when the disk does not answer.
func (v *Service) Looked(ctx context.Context, a people.Actor, groups []place.Group) {
	if a.Nobody() || a.Home != "" { // a neighbour
		return
	}
	done := v.note(a, groups)
	if done == nil {
		return
	}
	t := time.NewTimer(waitForDisk)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
	case <-ctx.Done():
	}
}

// note queues the looks that are new in this hour; nil when there are none.
func (v *Service) note(a people.Actor, groups []place.Group) chan struct{} {
	hour := v.Now().Truncate(time.Hour).UnixMilli()
	q := v.looks
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hour != hour {
		q.hour, q.seen = hour, map[look]bool{}
	}
	left, done := new(atomic.Int32), make(chan struct{})
	for _, g := range groups {
		l := look{a.By(), g.ID}
		if q.seen[l] || !v.Rights.MaySeeNames(a, g) {
			continue
		}
		q.seen[l] = true
		var of []string
		for _, p := range v.Folk.Group(g.ID) {
			of = append(of, string(p.ID))
		}
		if len(of) == 0 {
			continue // nobody's names
		}
		left.Add(1)
		q.waiting = append(q.waiting, &pending{l, g.Commune, of, v.Rights.MaySeePhones(a, g), hour, left, done})
	}
	if left.Load() == 0 {
		return nil
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return done
}

// Run writes looks until ctx ends, and then those that wait, once.
func (v *Service) Run(ctx context.Context) {
	tick := time.NewTicker(tryAgain)
	defer tick.Stop()
	stuck := false
	for {
		select {
		case <-v.looks.wake:
		case <-tick.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryAgain)
			defer cancel()
			if err := v.WriteLooks(last); err != nil {
				v.Log.Error("looks were not written", slog.Any("err", err))
			}
			return
		}
		err := v.WriteLooks(ctx)
		if err != nil && !stuck && ctx.Err() == nil {
			v.Log.Error("looks cannot be written, trying again", slog.Any("err", err))
		}
		stuck = err != nil
	}
}

// WriteLooks writes what waits, one look in each transaction, so that the journal
// of the alarm gets its turn between them.
func (v *Service) WriteLooks(ctx context.Context) error {
	q := v.looks
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.mu.Unlock()
			return nil
		}
		p := q.waiting[0]
		q.mu.Unlock()
		if err := v.write(ctx, p); err != nil {
			return err
		}
		q.mu.Lock()
		q.waiting = q.waiting[1:]
		q.mu.Unlock()
		if p.left.Add(-1) == 0 {
			close(p.done)
		}
	}
}

func (v *Service) write(ctx context.Context, p *pending) error {
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO privacy_look (by_id, group_id, hour_ms) VALUES ($1, $2, $3) ON CONFLICT (by_id, group_id, hour_ms) DO NOTHING`,
			p.by, p.group, p.hour)
		if err != nil {
			return fmt.Errorf("write look: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err // already there, from before a restart
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM privacy_look WHERE hour_ms < $1`, p.hour-forgetLooks.Milliseconds()); err != nil {
			return fmt.Errorf("forget looks: %w", err)
		}
		_, err = v.Record.Append(ctx, tx, audit.Act{
			Name: "privacy.look", Area: string(p.area), By: p.by, On: "group/" + string(p.group), Of: p.of,
			Body: map[string]any{"names": true, "phones": p.phones},
		})
		return err
	})
}
