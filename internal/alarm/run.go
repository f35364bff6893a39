package alarm

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// timers knows when the next thing is due in each group. The times themselves
// are in the incidents, and so in the journal.
type timers struct {
	mu    sync.Mutex
	heap  dueHeap
	at    map[place.GroupID]time.Time // the valid one; others in the heap are stale
	wake  chan struct{}
	ready sync.Once
}

type due struct {
	group place.GroupID
	at    time.Time
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (t *timers) init() {
	t.ready.Do(func() { t.at, t.wake = map[place.GroupID]time.Time{}, make(chan struct{}, 1) })
}

// set says when group g is next due; the zero time is never.
func (t *timers) set(g place.GroupID, at time.Time) {
	t.init()
	t.mu.Lock()
	if t.at[g].Equal(at) {
		t.mu.Unlock()
		return
	}
	if at.IsZero() {
		delete(t.at, g)
		t.mu.Unlock()
		return
	}
	t.at[g] = at
	heap.Push(&t.heap, due{g, at})
	for t.stale(t.heap[0]) { // after the clock was set they would hide what is first
		heap.Pop(&t.heap)
	}
	first := t.heap[0].at.Equal(at)
	t.mu.Unlock()
	if first {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

// stale reports whether d was replaced by another time of its group.
func (t *timers) stale(d due) bool { return !t.at[d.group].Equal(d.at) }

// pop takes the groups that are due at now, and says when the next one is.
func (t *timers) pop(now time.Time) (groups []place.GroupID, next time.Time) {
	t.init()
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 {
		d := t.heap[0]
		if t.stale(d) {
			heap.Pop(&t.heap)
			continue
		}
		if d.at.After(now) {
			return groups, d.at
		}
		heap.Pop(&t.heap)
		delete(t.at, d.group)
		groups = append(groups, d.group)
	}
	return groups, time.Time{}
}

// Run keeps the plan's times, tells the listener and audits, until ctx ends. It
// returns when all its goroutines have.
func (v *Service) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { v.keepTime(ctx) })
	wg.Go(func() { v.news.run(ctx, v) })
	wg.Go(func() { v.keepAudit(ctx) })
	wg.Wait()
}

// clockLook is how long a clock that was set can go unseen by who keeps the time.
// What it computed in between may lie an hour off; nothing may be a second late.
const clockLook = 500 * time.Millisecond

func (v *Service) keepTime(ctx context.Context) {
	v.timers.init()
	for {
		groups, next := v.timers.pop(v.Now())
		for _, id := range groups {
			v.tickGroup(id)
		}
		if len(groups) > 0 {
			continue
		}
		wait := clockLook
		if !next.IsZero() {
			wait = min(wait, next.Sub(v.Now()))
		}
		timer := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-timer.C:
		case <-v.timers.wake:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

func (v *Service) tickGroup(id place.GroupID) {
	v.act(Event{Kind: Ticked, Group: id}, nil)
	g := v.group(id)
	g.mu.Lock()
	v.timers.set(id, Next(g.state))
	g.mu.Unlock()
}

// news carries what changed to the listener, off the path of the sirens. Many
// changes of one incident become one, but the first goes out at once.
type news struct {
	mu    sync.Mutex
	fresh []item
	wake  chan struct{}
	ready sync.Once
}

type item struct {
	group    place.GroupID
	incident ID
	call     Target
}

// settle is how long a burst of changes is gathered after the first was told.
const settle = 25 * time.Millisecond

func (n *news) init() { n.ready.Do(func() { n.wake = make(chan struct{}, 1) }) }

func (v *Service) tell(g *group, effects []Effect) {
	v.news.init()
	v.news.mu.Lock()
	for _, f := range effects {
		switch f.Do {
		case Tell:
			v.news.fresh = append(v.news.fresh, item{group: g.id, incident: f.Incident})
		case Call:
			v.news.fresh = append(v.news.fresh, item{group: g.id, incident: f.Incident, call: f.Target})
		}
	}
	v.news.mu.Unlock()
	select {
	case v.news.wake <- struct{}{}:
	default:
	}
}

func (n *news) take() []item {
	n.mu.Lock()
	defer n.mu.Unlock()
	seen := map[item]bool{}
	var once []item
	for _, it := range n.fresh {
		if !seen[it] {
			seen[it] = true
			once = append(once, it)
		}
	}
	n.fresh = nil
	return once
}

func (n *news) run(ctx context.Context, v *Service) {
	n.init()
	for {
		select {
		case <-n.wake:
		case <-ctx.Done():
			return
		}
		for _, it := range n.take() {
			g := v.group(it.group)
			g.mu.Lock()
			i := g.find(it.incident)
			g.mu.Unlock()
			if i == nil || v.Listen == nil {
				continue
			}
			if it.call != "" {
				v.Listen.Called(i, it.call)
				continue
			}
			v.Listen.Changed(i)
		}
		pause := time.NewTimer(settle)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}
