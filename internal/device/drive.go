package device

import (
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

const (
	// Commanded is how long a siren is told to sound in one go. It is told again
	// before that ends; without Keng it falls silent by itself.
	Commanded = 180 * time.Second
	// onceLasts is how long a single sound is, a bell test's or the evening's.
	onceLasts = 10 * time.Second
	// drillLasts and drillEvery make a drill clearly no alarm on every siren: short
	// sounds with rests between them.
	drillLasts = 4 * time.Second
	drillEvery = 12 * time.Second
	// contactAgain is how soon after a command a siren that comes back is told again;
	// a hub that connects subscribes to several filters at once.
	contactAgain = 200 * time.Millisecond
	// Tolerated is how long a siren may sound that nobody asked to: somebody tries
	// it at the device. After that it is told to stop.
	Tolerated = 5 * time.Second
	// afterStop is how long after a stop an unexpected sound is not a try but the
	// stop that did not get through.
	afterStop = 30 * time.Second
	// enoughStops is after how many acknowledged stops a siren that still claims to
	// sound is left alone until it speaks again: its word is wrong.
	enoughStops = 20
)

// blindly is when a siren that cannot say what it does is told the same again, since
// it shall: its hub acknowledged, but radio to it may have been lost, and nobody
// would know.
var blindly = [...]time.Duration{3 * time.Second, 10 * time.Second, 30 * time.Second}

// Ladder is how far a command to a siren got.
type Ladder int

// The rungs; a human answer, L4, is not a siren's.
const (
	Queued   Ladder = iota // L0: nobody hears the siren's topic
	Sent                   // L1: left Keng
	Accepted               // L2: the hub acknowledged
	Heard                  // L3: the siren reports that it sounds
)

// order is what one siren shall do, without for how long.
type order struct {
	sounding bool
	pattern  dialect.Pattern
}

// once reports whether the pattern is a single sound that is not renewed.
func (o order) once() bool {
	return o.sounding && (o.pattern == dialect.TestPattern || o.pattern == dialect.CalmPattern)
}

// interrupted reports whether the pattern has pauses in which a siren may say
// that it is quiet.
func (o order) interrupted() bool { return o.sounding && o.pattern == dialect.DrillPattern }

// drive is what one siren shall do, was told, and said. Its methods are pure:
// they say what is due, and when; [ringer] does it.
type drive struct {
	want     order
	since    time.Time // of want
	until    time.Time // of want; zero: until told otherwise
	incident string

	number  uint64        // of the last command
	sent    time.Time     // when it left for the present want; zero when none did
	lasts   time.Duration // how long it makes the siren sound
	reached bool          // somebody heard it
	acked   bool          // and acknowledged it
	tries   int           // commands since the want, contact or renewal
	soon    time.Time     // told again then, because it came back; zero when not
	ended   bool          // the want is the end of an alarm or a drill
	met     bool          // commanded since the process started

	heard    signal.Kind // Sounding or Quiet, "" when it never said
	heardAt  time.Time   // when it last said so
	changed  time.Time   // when it first said so
	trust    time.Time   // its words from before say nothing about the present want
	sounded  bool        // confirmed at least once since then
	confirms bool        // the dialect says that it tells
}

// follow takes a new want. It reports whether that is a change.
func (d *drive) follow(want order, until time.Time, incident string, now time.Time) bool {
	d.until, d.incident = until, incident
	if d.want == want {
		return false
	}
	if !d.want.sounding || !want.sounding || want.once() {
		d.trust, d.sounded = now, false
	}
	d.ended = d.want.sounding && !d.want.once() && !want.sounding
	d.want, d.since, d.sent, d.tries, d.soon, d.acked = want, now, time.Time{}, 0, time.Time{}, false
	return true
}

// commanded notes that a command left.
func (d *drive) commanded(reached bool, lasts time.Duration, now time.Time) {
	d.number++
	d.sent, d.lasts, d.reached, d.acked, d.soon = now, lasts, reached, false, time.Time{}
	d.tries++
	d.met = d.met || reached
}

// contact notes that the siren, or its hub, is there again, and reports whether
// it is to be told at once.
func (d *drive) contact(now time.Time) bool {
	if !d.sent.IsZero() && now.Sub(d.sent) < contactAgain && d.reached {
		if d.soon.IsZero() {
			d.soon = d.sent.Add(contactAgain)
		}
		return false
	}
	d.tries = 0
	return true
}

// hear notes what the siren says of itself.
func (d *drive) hear(k signal.Kind, now time.Time) {
	if k != d.heard {
		d.changed = now
		if d.want.sounding != (k == signal.Sounding) {
			d.tries = 0 // news: it does not do what it shall, or no longer
		}
	}
	d.heard, d.heardAt = k, now
	if d.want.sounding && k == signal.Sounding {
		d.sounded = true
	}
}

// settled reports whether the siren is known to do what it shall: it said so, or
// it never says and its hub acknowledged.
func (d *drive) settled() bool {
	switch {
	case d.sent.IsZero():
		return false
	case (d.want.once() || d.want.interrupted()) && d.sounded:
		return true
	case d.want.interrupted() && d.sounded:
		return d.acked // its pauses are no silence
	case d.want.sounding && d.confirms:
		return d.heard == signal.Sounding && !d.heardAt.Before(d.trust) && (d.acked || d.heardAt.After(d.sent))
	case d.want.sounding:
		return d.acked
	case d.heard == signal.Sounding:
		return d.acked && d.tries >= enoughStops
	}
	return d.acked || d.heard == signal.Quiet && d.heardAt.After(d.sent)
}

// ladder is how far the present command to sound got.
func (d *drive) ladder() Ladder {
	switch {
	case d.confirms && d.sounded && (d.heard == signal.Sounding || d.want.once() || d.want.interrupted()):
		return Heard
	case d.acked || d.sounded:
		return Accepted
	case d.reached:
		return Sent
	}
	return Queued
}

// goal is the highest rung that this siren can reach.
func (d *drive) goal() Ladder {
	if d.confirms {
		return Heard
	}
	return Accepted
}

// next is when the siren is to be told, or told again; zero when never by itself.
func (d *drive) next() time.Time {
	at := d.again()
	if !d.soon.IsZero() && (at.IsZero() || d.soon.Before(at)) {
		at = d.soon
	}
	if d.want.sounding && !d.until.IsZero() && (at.IsZero() || d.until.Before(at)) {
		at = d.until
	}
	return at
}

// again is next without contacts and the end of the want.
func (d *drive) again() time.Time {
	switch {
	case d.want.sounding && d.sent.IsZero():
		return d.since
	case d.want.once() && d.settled():
		return time.Time{}
	case d.want.interrupted() && d.settled():
		return d.sent.Add(drillEvery)
	case d.want.sounding && d.settled():
		return sooner(d.renewal(), d.blind())
	case d.want.sounding:
		return d.sent.Add(patience(d.tries))
	case d.heard == signal.Sounding:
		return d.stopAt()
	case d.ended && d.settled():
		return d.blind()
	case d.sent.IsZero() && !d.since.IsZero():
		return d.since
	case d.sent.IsZero() || d.settled() || !d.reached:
		return time.Time{} // its first contact, or the next, brings the stop
	}
	return d.sent.Add(patience(d.tries))
}

// blind is when a siren that cannot say what it does is told the same again; zero
// when it was told often enough. A new want begins anew.
func (d *drive) blind() time.Time {
	if d.confirms {
		return time.Time{}
	}
	for _, b := range blindly {
		if at := d.since.Add(b); at.After(d.sent) {
			return at
		}
	}
	return time.Time{}
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// renewal is when a siren that sounds is told again, before it stops by itself;
// zero when it is to stop then.
func (d *drive) renewal() time.Time {
	if end := d.sent.Add(d.lasts); !d.until.IsZero() && !end.Before(d.until) {
		return time.Time{}
	}
	margin := max((d.lasts / 18).Truncate(time.Second), min(2*time.Second, d.lasts/3))
	return d.sent.Add(d.lasts - margin)
}

// stopAt is when a siren that sounds for no reason is told to stop.
func (d *drive) stopAt() time.Time {
	switch {
	case d.settled():
		return time.Time{}
	case d.sent.IsZero() || d.tries == 0 && d.changed.Sub(d.sent) > afterStop:
		return d.changed.Add(Tolerated)
	}
	return d.sent.Add(patience(d.tries))
}

// patience is how long to wait for a confirmation after so many commands.
func patience(tries int) time.Duration {
	switch tries {
	case 0, 1:
		return time.Second
	case 2:
		return 2 * time.Second
	case 3:
		return 4 * time.Second
	}
	return 5 * time.Second
}
