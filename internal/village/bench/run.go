package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"
)

// Run is what one run of one system gave. It is worth nothing when Faults says
// something.
type Run struct {
	Run       int       `json:"run"` // from 1
	Faults    []string  `json:"faults"`
	Load      float64   `json:"load_average"` // at its end, over the last minute
	Memory    Memory    `json:"memory"`
	Steady    Steady    `json:"steady"`
	Storm     Storm     `json:"storm"`
	Reconnect Reconnect `json:"reconnect"`
}

// Memory is the resident memory of the server's processes, in bytes.
type Memory struct {
	Empty   int64   `json:"empty"`  // knowing nobody; 0 when it was not measured
	Before  int64   `json:"before"` // no device connected
	After   int64   `json:"after"`  // with the idle devices
	PerIdle float64 `json:"per_idle_bytes"`
	Full    int64   `json:"full"`            // with the groups too
	Seconds float64 `json:"connect_seconds"` // until the idle devices were connected
}

// Steady is presses at a fixed rate.
type Steady struct {
	tally
	Ring  Spread  `json:"press_to_7th_siren"`
	First Spread  `json:"press_to_1st_siren"`
	Ack   Spread  `json:"press_to_puback"`
	Desk  *Spread `json:"press_to_desk,omitempty"` // an incident on the screen of the duty desk
	Late  Spread  `json:"sent_late"`               // the bench's own delay
	CPU   float64 `json:"cpu_percent"`             // of one processor, all of the server's processes
}

// Storm is all groups at once. Times are ms since the first press was sent.
type Storm struct {
	tally
	LastRing  float64 `json:"last_ring_ms"`  // the last siren of all
	LastFirst float64 `json:"last_first_ms"` // the first siren of the last group
	LastAck   float64 `json:"last_puback_ms"`
	Sent      float64 `json:"sent_ms"` // until the last press was sent
	Ring      Spread  `json:"press_to_7th_siren"`
}

// Reconnect is the crowd cut off at once and coming back, with alarms meanwhile.
type Reconnect struct {
	tally
	Seconds float64 `json:"all_back_seconds"`
	Middle  float64 `json:"alarm_when_half_are_back_ms"`
	Ring    Spread  `json:"press_to_7th_siren"` // alarms every 200 ms until all are back
}

// site is where everything is measured.
type site struct {
	Options
	dir     string
	village prepared
	number  int // of presses so far: no two buttons say the same
}

// measure is one run of one system.
func (s *site) measure(ctx context.Context, sys system, n int) (r Run, err error) {
	r = Run{Run: n, Faults: []string{}}
	dir := filepath.Join(s.dir, fmt.Sprintf("%s-%d", sys.name, n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, fmt.Errorf("make a folder for %s: %w", sys.name, err)
	}
	f, err := sys.start(ctx, s, dir)
	if err != nil {
		return r, err
	}
	defer f.stop()
	c, err := gather(ctx, s.Options, f, dir)
	if err != nil {
		return r, err
	}
	defer c.stop()
	if err := s.remember(ctx, f, c, &r); err != nil {
		return r, err
	}
	st, err := settle(ctx, f, s.Groups)
	if err != nil {
		return r, err
	}
	defer st.leave()
	err = s.rounds(ctx, st, c, &r)
	r.Load = load1()
	return r, err
}

// rounds presses: a few to warm up, steadily, all at once, and while the crowd
// comes back.
func (s *site) rounds(ctx context.Context, st *street, c *crowd, r *Run) error {
	f := st.front
	f.quiet(ctx)
	r.Memory.Full = f.memory()
	for _, part := range []struct {
		name string
		do   func(context.Context, *street, *crowd, *Run) (*round, error)
	}{{"warming up", s.warmUp}, {"steady", s.steady}, {"storm", s.storm}, {"reconnect", s.reconnect}} {
		s.say("    %s", part.name)
		runtime.GC() // now, and not while something is timed
		round, err := part.do(ctx, st, c, r)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if err := s.settleUp(ctx, st, round, part.name, r); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if err := st.whole(); err != nil {
		r.fault("%v", err)
	}
	return r.lostIdle(ctx, c)
}

func (r *Run) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

func (r *Run) lostIdle(ctx context.Context, c *crowd) error {
	if err := c.order("lost"); err != nil {
		return err
	}
	t, err := c.until(ctx, "lost", time.Minute)
	if t.Count > 0 {
		r.fault("%s", count(t.Count, "idle device was disconnected", "idle devices were disconnected"))
	}
	return err
}

// settleUp looks whether the round went as it must, and ends its alarms.
func (s *site) settleUp(ctx context.Context, st *street, round *round, name string, r *Run) error {
	t := round.tally()
	for what, n := range map[string]int{"rings are missing": t.Missing, "presses had no PUBACK": t.Unacked, "rings came that nobody asked for": int(st.stray.Swap(0))} {
		if n > 0 {
			r.fault("%s: %d %s", name, n, what)
		}
	}
	if l := st.front.ledger; l != nil {
		n, err := l.Open(ctx)
		if err != nil {
			return err
		}
		if n != t.Presses {
			r.fault("%s: %d incidents for %d presses", name, n, t.Presses)
		}
		if err := s.callOff(ctx, st, l, name, r); err != nil {
			return err
		}
	}
	st.round.Store(nil)
	st.front.quiet(ctx)
	return errors.Join(st.front.alive(), ctx.Err())
}

// callOff ends all alarms and sees that every siren is told to stop.
func (s *site) callOff(ctx context.Context, st *street, l ledger, name string, r *Run) error {
	if err := l.Close(ctx); err != nil {
		return err
	}
	if !poll(ctx, 15*time.Second, 20*time.Millisecond, func() bool { return st.sounding() == 0 }) {
		r.fault("%s: %d sirens still sound after their incidents were closed", name, st.sounding())
	}
	return nil
}

// remember measures the memory of the system, before and after the crowd came.
func (s *site) remember(ctx context.Context, f *front, c *crowd, r *Run) error {
	f.quiet(ctx)
	r.Memory.Empty = 0
	if f.ledger != nil {
		r.Memory.Empty = s.village.empty
	}
	r.Memory.Before = f.memory()
	if err := c.order("connect"); err != nil {
		return err
	}
	t, err := c.until(ctx, "up", 5*time.Minute)
	if err != nil {
		return err
	}
	f.quiet(ctx)
	if !pause(ctx, s.rest()) {
		return ctx.Err()
	}
	m := &r.Memory
	m.After, m.Seconds = f.memory(), t.Seconds
	if s.Idle > 0 {
		m.PerIdle = float64(m.After-m.Before) / float64(s.Idle)
	}
	return f.alive()
}

// begin makes a round that everybody looks at from now on.
func (s *site) begin(st *street, presses int) *round {
	r := newRound(s.Groups, presses)
	st.round.Store(r)
	if d := st.front.screen; d != nil {
		d.round.Store(r)
	}
	return r
}

// press has group g pressed for round r, late behind its time.
func (s *site) press(st *street, r *round, g int, late time.Duration) error {
	s.number++
	r.presses[g].late = late
	if err := st.press(r, g, s.number); err != nil {
		return fmt.Errorf("press in group %d: %w", g+1, err)
	}
	return nil
}

// finish waits until everything has rung and is acknowledged, and a little
// longer for what should not come.
func (r *round) finish(ctx context.Context, within, after time.Duration) error {
	select {
	case <-r.done:
	case <-time.After(within):
	case <-ctx.Done():
	}
	pause(ctx, after)
	return ctx.Err()
}

// paced presses in groups from..from+n-1, rate a second, each on time whether or
// not those before have rung.
func (s *site) paced(ctx context.Context, st *street, r *round, from, n int, rate float64) error {
	start := time.Now()
	for i := range n {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if !pause(ctx, time.Until(due)) {
			return ctx.Err()
		}
		if err := s.press(st, r, from+i, time.Since(due)); err != nil {
			return err
		}
	}
	return nil
}

// warmUp presses in the last groups, so that no system is measured cold.
func (s *site) warmUp(ctx context.Context, st *street, _ *crowd, _ *Run) (*round, error) {
	n := s.warm()
	round := s.begin(st, n)
	if err := s.paced(ctx, st, round, s.Groups-n, n, s.Rate); err != nil {
		return nil, err
	}
	return round, round.finish(ctx, 15*time.Second, 0)
}

// steady presses at a fixed rate, each in a group that has no alarm.
func (s *site) steady(ctx context.Context, st *street, _ *crowd, r *Run) (*round, error) {
	n := s.presses()
	round := s.begin(st, n)
	used, start := st.front.cpu(), time.Now()
	err := unhindered(func() error { return s.paced(ctx, st, round, 0, n, s.Rate) })
	if err != nil {
		return nil, err
	}
	r.Steady.CPU = 100 * float64(st.front.cpu()-used) / float64(time.Since(start))
	if err := round.finish(ctx, 15*time.Second, 200*time.Millisecond); err != nil {
		return nil, err
	}
	t := round.tally()
	r.Steady.tally = t
	r.Steady.Ring, r.Steady.First, r.Steady.Ack, r.Steady.Late = spread(t.last), spread(t.first), spread(t.acked), spread(t.late)
	if st.front.screen != nil {
		shown := spread(t.shown)
		r.Steady.Desk = &shown
	}
	return round, nil
}

// unhindered runs f without this process collecting garbage meanwhile, unless
// there is very much of it.
func unhindered(f func() error) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(2 << 30))
	return f()
}

// storm presses in all groups at once.
func (s *site) storm(ctx context.Context, st *street, _ *crowd, r *Run) (*round, error) {
	round := s.begin(st, s.Groups)
	var sent time.Duration
	err := unhindered(func() error {
		start := time.Now()
		for g := range s.Groups {
			if err := s.press(st, round, g, 0); err != nil {
				return err
			}
		}
		sent = time.Since(start)
		return round.finish(ctx, time.Minute, 500*time.Millisecond)
	})
	if err != nil {
		return nil, err
	}
	t := round.tally()
	r.Storm = Storm{tally: t, LastRing: ms(t.lastRing), LastFirst: ms(t.lastFirst), LastAck: ms(t.lastAck), Sent: ms(sent), Ring: spread(t.last)}
	return round, nil
}

// reconnect cuts the crowd off and presses every 200 ms until all are back, and
// once more when half of them are.
func (s *site) reconnect(ctx context.Context, st *street, c *crowd, r *Run) (*round, error) {
	round := s.begin(st, s.Groups) // at most
	middle, back := s.Groups-1, told{}
	err := unhindered(func() (err error) {
		if err := c.order("cut"); err != nil {
			return err
		}
		back, err = s.pressUntilBack(ctx, st, c, round, middle)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !poll(ctx, 15*time.Second, 10*time.Millisecond, round.complete) {
		return round, ctx.Err() // the tally says what is missing
	}
	t := round.tally()
	t.Early = 0 // there is no last first ring here
	r.Reconnect = Reconnect{tally: t, Seconds: back.Seconds, Ring: spread(t.last)}
	if p := round.of(middle); p != nil {
		r.Reconnect.Middle = ms(time.Duration(p.last.Load() - p.sent.Load()))
	}
	return round, nil
}

func (s *site) pressUntilBack(ctx context.Context, st *street, c *crowd, round *round, middle int) (told, error) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Minute)
	for g := 0; ; {
		select {
		case t, ok := <-c.says:
			switch {
			case !ok || t.Error != "":
				return t, fmt.Errorf("the crowd did not come back: %s: %w", t.Error, c.proc.ended())
			case t.Event == "up":
				return t, nil
			case t.Event != "half":
				continue
			}
			if err := s.press(st, round, middle, 0); err != nil {
				return t, err
			}
		case <-tick.C:
			if g == middle {
				continue
			}
			if err := s.press(st, round, g, 0); err != nil {
				return told{}, err
			}
			g++
		case <-limit:
			return told{}, fmt.Errorf("the crowd did not come back in time")
		case <-ctx.Done():
			return told{}, ctx.Err()
		}
	}
}

// complete reports whether every press so far has rung all its sirens and is
// acknowledged.
func (r *round) complete() bool {
	for g := range r.presses {
		if p := r.of(g); p != nil && (p.last.Load() == 0 || p.acked.Load() == 0) {
			return false
		}
	}
	return true
}
