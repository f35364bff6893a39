package clock

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a computer whose clock somebody may set.
type machine struct {
	run time.Duration // since it started
	set time.Duration // what people added to its clock
}

var start = time.Date(2026, 3, 1, 22, 0, 0, 123_456_789, time.FixedZone("ICT", 7*3600))

func (m *machine) clock() *Clock {
	return Of(func() time.Time { return start.Add(m.run + m.set) }, func() time.Duration { return m.run })
}

func TestNowIsUTCInWholeMilliseconds(t *testing.T) {
	var m machine
	got := m.clock().Now()
	if want := time.Date(2026, 3, 1, 15, 0, 0, 123_000_000, time.UTC); got != want {
		t.Errorf("Now() = %v, want %v", got, want)
	}
}

func TestJumpOfTheMachineDoesNotMoveNow(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour} {
		var m machine
		c := m.clock()
		before := c.Now()
		m.set = jump
		m.run = 30 * time.Second
		if got := c.Now().Sub(before); got != 30*time.Second {
			t.Errorf("after a jump of %v, Now moved by %v in 30 s", jump, got)
		}
		if got := c.Drift(); got != jump {
			t.Errorf("Drift() = %v, want %v", got, jump)
		}
	}
}

// A deadline 30 s away stays 30 s away: not due in the middle of the report, and
// due on time after it.
func TestDeadlineSurvivesJump(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		var m machine
		c := m.clock()
		due := c.Now().Add(30 * time.Second)
		m.run, m.set = 10*time.Second, jump
		jumped := c.Check(func(delta time.Duration) {
			if !c.Now().Before(due) {
				t.Errorf("jump of %v: due before the deadline was moved", jump)
			}
			due = due.Add(delta)
			if !c.Now().Before(due) {
				t.Errorf("jump of %v: due right after the deadline was moved", jump)
			}
		})
		if !jumped {
			t.Fatalf("jump of %v went unseen", jump)
		}
		if got := due.Sub(c.Now()); got != 20*time.Second {
			t.Errorf("jump of %v: deadline is %v away, want 20s", jump, got)
		}
		if want := start.Add(m.run + jump).UTC().Truncate(time.Millisecond); c.Now() != want {
			t.Errorf("jump of %v: people see %v, want %v", jump, c.Now(), want)
		}
	}
}

func TestSmallDriftIsNoJump(t *testing.T) {
	var m machine
	c := m.clock()
	told := 0
	tell := func(time.Duration) { told++ }
	for _, d := range []time.Duration{0, Tolerance, -Tolerance} {
		m.set = d
		if c.Check(tell) {
			t.Errorf("a drift of %v was called a jump", d)
		}
	}
	m.set = Tolerance + time.Millisecond
	if !c.Check(tell) || c.Check(tell) {
		t.Errorf("a jump was not told exactly once")
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
	m.set = 0
	if !c.Check(nil) {
		t.Errorf("the jump back went unseen")
	}
}

func TestWatchTellsOfEveryJumpUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		set := make(chan time.Duration, 1)
		jumps := make(chan time.Duration, 8)
		var added time.Duration // belongs to the watching goroutine
		c := Of(func() time.Time {
			select {
			case d := <-set:
				added += d
			default:
			}
			return time.Now().Add(added)
		}, func() time.Duration { return time.Since(began) })

		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Watch(ctx, time.Second, func(d time.Duration) { jumps <- d })
		}()
		for _, want := range []time.Duration{time.Hour, -2 * time.Hour} {
			set <- want
			if got := <-jumps; got != want {
				t.Errorf("told of %v, want %v", got, want)
			}
		}
		if got := time.Since(began); got != 2*time.Second {
			t.Errorf("two jumps were seen after %v, want one each second", got)
		}
		stop()
		<-done
	})
}

// A process may be held up for seconds between reading one clock and the other.
func TestHoldUpIsNoJump(t *testing.T) {
	var m machine
	held := 0
	c := Of(func() time.Time {
		shown := start.Add(m.run)
		if held++; held%2 == 0 {
			m.run += 10 * time.Second
		}
		return shown
	}, func() time.Duration { return m.run })
	for range 4 {
		if c.Check(nil) {
			t.Fatalf("being held up for 10s was called a jump")
		}
	}
}

func TestNewFollowsTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		time.Sleep(90 * time.Second)
		if got, want := c.Now(), time.Now().UTC().Truncate(time.Millisecond); !got.Equal(want) {
			t.Errorf("Now() = %v, want %v", got, want)
		}
	})
}
