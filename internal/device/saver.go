package device

import (
	"context"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
)

const (
	// saveEvery is how often what changed is given to the journal.
	saveEvery = 5 * time.Second
	// seenEvery is how often the mere time of the last sign of life is: 10,000
	// heartbeats a minute are no news.
	seenEvery = time.Minute
	// chunk is how many states one op writes, so that an alarm in the same queue
	// waits for few.
	chunk = 100
)

// keepSaving writes behind. What an alarm depends on, levels and presses, does
// not wait for it: see [Service.obey].
func (v *Service) keepSaving(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if v.flush(ctx, v.due(time.Now(), false)) != nil {
			return
		}
	}
}

// saveAll writes everything that is not written yet.
func (v *Service) saveAll(ctx context.Context) error {
	return v.flush(ctx, v.due(time.Now(), true))
}

// due returns the ops that write what is to be written now, in chunks.
func (v *Service) due(now time.Time, all bool) []store.Op {
	ops := v.heard.changes()
	for id, d := range v.now.Load().devices {
		l := d.live
		l.mu.Lock()
		stale := l.state.Seen.After(l.saved) && (all || now.Sub(l.saved) >= seenEvery)
		if l.dirty || stale {
			l.dirty, l.saved = false, now
			ops = append(ops, save(id, l.state, l.rev))
		}
		l.mu.Unlock()
	}
	return chunked(ops)
}

func chunked(ops []store.Op) []store.Op {
	var chunks []store.Op
	for len(ops) > 0 {
		n := min(chunk, len(ops))
		part := ops[:n:n]
		ops = ops[n:]
		chunks = append(chunks, func(ctx context.Context, tx *store.Batch) error {
			for _, op := range part {
				if err := op(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return chunks
}

// flush gives ops to the journal one after the other: the next when the last is
// on disk. The error is ctx's; a failed op is only logged, its rows come again
// with the next change.
func (v *Service) flush(ctx context.Context, ops []store.Op) error {
	for _, op := range ops {
		res := make(chan error, 1)
		v.Journal.Do(op, func(err error) { res <- err })
		select {
		case err := <-res:
			if err != nil {
				v.Log.Error("device states were not written", "err", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
