package clock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Tolerance is how far the machine's clock may differ from steady time before
// that is a jump. NTP slews both alike, so a well-kept machine stays far below.
const Tolerance = 2 * time.Second

// Clock is steady time. It is safe for use by many goroutines.
type Clock struct {
	wall func() time.Time
	mono func() time.Duration
	base atomic.Int64 // Unix nanoseconds at which mono was zero
	look sync.Mutex   // one Check at a time
}

// New starts a clock at the machine's present time.
func New() *Clock {
	start := time.Now()
	return Of(func() time.Time { return time.Now().Round(0) }, func() time.Duration { return time.Since(start) })
}

// Of makes a clock of a wall clock, which may jump, and of a monotonic one, which
// never does: how long it has been running.
func Of(wall func() time.Time, mono func() time.Duration) *Clock {
	c := &Clock{wall: wall, mono: mono}
	c.base.Store(c.fit())
	return c
}

// Now is the time, UTC, in whole milliseconds.
func (c *Clock) Now() time.Time {
	return time.Unix(0, c.base.Load()+int64(c.mono())).UTC().Truncate(time.Millisecond)
}

// Drift is how far the machine's clock is ahead of c; negative when it is behind.
func (c *Clock) Drift() time.Duration { return time.Duration(c.fit() - c.base.Load()) }

// Check looks once. If the machine's clock jumped, c follows it and moved, which
// may be nil, is called with by how much: positive when the clock was set
// forward. It reports whether there was a jump.
//
// moved must add delta to every deadline that was reckoned from [Clock.Now] and
// wind the timers anew. It runs before c follows a jump forward and after c
// followed a jump back, so that in between a deadline can only look too far away.
// A machine that slept looks as if its clock was set forward.
func (c *Clock) Check(moved func(delta time.Duration)) bool {
	c.look.Lock()
	defer c.look.Unlock()
	delta := c.Drift()
	if delta.Abs() <= Tolerance {
		return false
	}
	if delta > 0 && moved != nil {
		moved(delta)
	}
	c.base.Add(int64(delta))
	if delta < 0 && moved != nil {
		moved(delta)
	}
	return true
}

// Watch calls [Clock.Check] every so often until ctx ends.
func (c *Clock) Watch(ctx context.Context, every time.Duration, moved func(delta time.Duration)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.Check(moved)
		case <-ctx.Done():
			return
		}
	}
}

// fit is the base with which c would show what the machine's clock shows. The two
// clocks cannot be read in one step: of a few tries the quickest counts, so that a
// process that was held up in between sees no jump.
func (c *Clock) fit() int64 {
	var base int64
	quickest := time.Duration(-1)
	for range 5 {
		before := c.mono()
		wall := c.wall()
		took := c.mono() - before
		if quickest < 0 || took < quickest {
			quickest, base = took, wall.UnixNano()-int64(before+took/2)
		}
		if quickest < time.Millisecond {
			break
		}
	}
	return base
}
