package bench

import (
	"sync/atomic"
	"time"
)

// round is presses that are measured together, at most one in each group. Its
// methods are safe from any goroutine.
type round struct {
	start   time.Time
	presses []press // by group
	owed    atomic.Int64
	done    chan struct{}
	rung    atomic.Int64 // sirens that were commanded
	want    int64        // sirens that shall be
	repeats atomic.Int64
	early   atomic.Int64 // repeats before every siren of the round had its first
}

// press is one press. Times are nanoseconds since the round's start, 0 for not yet.
type press struct {
	late  time.Duration // behind its time
	sent  atomic.Int64
	acked atomic.Int64
	first atomic.Int64
	last  atomic.Int64 // the seventh siren
	shown atomic.Int64 // on the desk's screen
	rung  atomic.Int32
	rings [Homes]atomic.Int32
}

// newRound expects so many presses in a village of so many groups.
func newRound(groups, presses int) *round {
	r := &round{start: time.Now().Add(-time.Nanosecond), presses: make([]press, groups), done: make(chan struct{}), want: int64(presses * Homes)}
	r.owed.Store(int64(presses * (Homes + 1)))
	return r
}

// at is now as it is kept; never 0.
func (r *round) at(now time.Time) int64 { return max(1, int64(now.Sub(r.start))) }

// of is the press of group g, nil when it has not pressed.
func (r *round) of(g int) *press {
	if g < 0 || g >= len(r.presses) || r.presses[g].sent.Load() == 0 {
		return nil
	}
	return &r.presses[g]
}

func (r *round) press(g int, now time.Time) { r.presses[g].sent.Store(r.at(now)) }

func (r *round) acked(g int, now time.Time) {
	if p := r.of(g); p != nil && p.acked.CompareAndSwap(0, r.at(now)) {
		r.pay()
	}
}

// rang notes that siren k of group g read a command to sound; false when the
// group has not pressed.
func (r *round) rang(g, k int, now time.Time) bool {
	p := r.of(g)
	if p == nil {
		return false
	}
	if p.rings[k].Add(1) > 1 {
		r.repeats.Add(1)
		if r.rung.Load() < r.want {
			r.early.Add(1)
		}
		return true
	}
	r.rung.Add(1)
	switch at := r.at(now); p.rung.Add(1) {
	case 1:
		p.first.Store(at)
	case Homes:
		p.last.Store(at)
	}
	r.pay()
	return true
}

func (r *round) pay() {
	if r.owed.Add(-1) == 0 {
		close(r.done)
	}
}

// tally is what became of a round.
type tally struct {
	Presses int `json:"presses"`
	Missing int `json:"missing"` // sirens that were never commanded
	Unacked int `json:"unacked"`
	Repeats int `json:"repeats"`
	Early   int `json:"early_repeats"` // before every siren of the round had its first

	first, last, acked, shown, late []time.Duration
	sentFirst                       int64
	lastRing, lastFirst, lastAck    time.Duration // since the first press
}

// tally adds up; nothing may come in any more that matters.
func (r *round) tally() tally {
	t := tally{Repeats: int(r.repeats.Load()), Early: int(r.early.Load())}
	for g := range r.presses {
		p := r.of(g)
		if p == nil {
			continue
		}
		t.Presses++
		t.Missing += Homes - int(p.rung.Load())
		sent := p.sent.Load()
		if t.sentFirst == 0 || sent < t.sentFirst {
			t.sentFirst = sent
		}
		t.late = append(t.late, p.late)
		t.first = since(t.first, sent, p.first.Load())
		t.last = since(t.last, sent, p.last.Load())
		t.acked = since(t.acked, sent, p.acked.Load())
		t.shown = since(t.shown, sent, p.shown.Load())
		if p.acked.Load() == 0 {
			t.Unacked++
		}
	}
	for g := range r.presses {
		if p := r.of(g); p != nil {
			t.lastFirst = max(t.lastFirst, time.Duration(p.first.Load()-t.sentFirst))
			t.lastRing = max(t.lastRing, time.Duration(p.last.Load()-t.sentFirst))
			t.lastAck = max(t.lastAck, time.Duration(p.acked.Load()-t.sentFirst))
		}
	}
	return t
}

func since(list []time.Duration, from, to int64) []time.Duration {
	if to == 0 {
		return list
	}
	return append(list, time.Duration(to-from))
}
