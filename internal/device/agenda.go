package device

import (
	"container/heap"
	"sync"
	"time"
)

// agenda says which siren is due when. Each siren is in it at most once.
type agenda struct {
	mu   sync.Mutex
	heap agendaHeap
	wake chan struct{}
}

func newAgenda() *agenda { return &agenda{wake: make(chan struct{}, 1)} }

type agendaHeap []*siren

func (h agendaHeap) Len() int           { return len(h) }
func (h agendaHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h agendaHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i+1, j+1
}

// Push implements [heap.Interface].
func (h *agendaHeap) Push(x any) {
	s := x.(*siren)
	*h = append(*h, s)
	s.place = len(*h)
}

// Pop implements [heap.Interface].
func (h *agendaHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	last.place = 0
	return last
}

// set puts s down for at; the zero time takes it off.
func (a *agenda) set(s *siren, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case at.IsZero() && s.place == 0:
		return
	case at.IsZero():
		heap.Remove(&a.heap, s.place-1)
		return
	case s.place == 0:
		s.due = at
		heap.Push(&a.heap, s)
	default:
		s.due = at
		heap.Fix(&a.heap, s.place-1)
	}
	if a.heap[0] == s {
		a.rouse()
	}
}

// now puts s down for at, unless it is due earlier anyway.
func (a *agenda) sooner(s *siren, at time.Time) {
	a.mu.Lock()
	later := s.place == 0 || at.Before(s.due)
	a.mu.Unlock()
	if later {
		a.set(s, at)
	}
}

func (a *agenda) rouse() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// take returns a siren that is due at now and takes it off, or the time until
// the next one; a negative time is none at all.
func (a *agenda) take(now time.Time) (*siren, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.heap) == 0 {
		return nil, -1
	}
	if wait := a.heap[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&a.heap).(*siren), 0
}
