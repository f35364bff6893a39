package notify

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// timers knows what is due when. What matters of it is in the journal.
type timers struct {
	mu   sync.Mutex
	heap due
	wake chan struct{}
}

type appointment struct {
	at time.Time
	do func()
}

type due []appointment

func (h due) Len() int           { return len(h) }
func (h due) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h due) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *due) Push(x any)        { *h = append(*h, x.(appointment)) }
func (h *due) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (t *timers) add(at time.Time, do func()) {
	t.mu.Lock()
	heap.Push(&t.heap, appointment{at, do})
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// pop takes what is due at now and says when the next is; zero for never.
func (t *timers) pop(now time.Time) (ready []func(), next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 {
		if t.heap[0].at.After(now) {
			return ready, t.heap[0].at
		}
		ready = append(ready, heap.Pop(&t.heap).(appointment).do)
	}
	return ready, time.Time{}
}

// look is how long a clock that was set can go unseen.
const look = time.Second

func (s *Service) keepTime(ctx context.Context) {
	for {
		ready, next := s.timers.pop(s.o.Now())
		for _, do := range ready {
			do()
		}
		if len(ready) > 0 {
			continue
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = min(look, max(next.Sub(s.o.Now()), time.Millisecond))
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.timers.wake:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}
