package drive

import (
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

const (
	// Commanded is how long a siren is told to sound in one go. It is told again
	// before that ends; without Keng it falls silent by itself.
	Commanded = 180 * time.Second
	// OnceLasts is how long a single sound is, a bell test's or the evening's.
	OnceLasts = 10 * time.Second
	// DrillLasts and DrillEvery make a drill clearly no alarm on every siren: short
	// sounds with rests between them.
	DrillLasts = 4 * time.Second
	DrillEvery = 12 * time.Second
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

// Order is what one siren shall do, without for how long.
type Order struct {
	Sounding bool
	Pattern  dialect.Pattern
}

// Once reports whether the pattern is a single sound that is not renewed.
func (o Order) Once() bool {
	return o.Sounding && (o.Pattern == dialect.TestPattern || o.Pattern == dialect.CalmPattern)
}

// Interrupted reports whether the pattern has pauses in which a siren may say
// that it is quiet.
func (o Order) Interrupted() bool { return o.Sounding && o.Pattern == dialect.DrillPattern }

// Drive is what one siren shall do, was told, and said. Its methods are pure: they
// say what is due, and when; whoever has the radio does it.
type Drive struct {
	want     Order
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
	taken   time.Time     // when the first command left that was acknowledged for this want, or since the hub is back
	met     bool          // commanded since the process started

	heard    signal.Kind // Sounding or Quiet, "" when it never said
	heardAt  time.Time   // when it last said so
	changed  time.Time   // when it first said so
	trust    time.Time   // its words from before say nothing about the present want
	sounded  bool        // confirmed at least once since then
	confirms bool        // the dialect says that it tells
}

// Follow takes a new want. It reports whether that is a change.
func (d *Drive) Follow(want Order, until time.Time, incident string, now time.Time) bool {
	d.until, d.incident = until, incident
	if d.want == want {
		return false
	}
	if !d.want.Sounding || !want.Sounding || want.Once() {
		d.trust, d.sounded = now, false
	}
	d.ended = d.want.Sounding && !d.want.Once() && !want.Sounding
	d.taken = time.Time{}
	d.want, d.since, d.sent, d.tries, d.soon, d.acked = want, now, time.Time{}, 0, time.Time{}, false
	return true
}

// Commanded notes that a command left.
func (d *Drive) Commanded(reached bool, lasts time.Duration, now time.Time) {
	d.number++
	d.sent, d.lasts, d.reached, d.acked, d.soon = now, lasts, reached, false, time.Time{}
	d.tries++
	d.met = d.met || reached
}

// Want is what the siren shall do, and until when; the zero time is until told
// otherwise.
func (d *Drive) Want() (Order, time.Time) { return d.want, d.until }

// Since is when the siren came to want what it wants.
func (d *Drive) Since() time.Time { return d.since }

// Incident is the one for which the siren sounds.
func (d *Drive) Incident() string { return d.incident }

// Number is that of the last command; the next one has the number after it.
func (d *Drive) Number() uint64 { return d.number }

// Told reports whether a command left for what the siren wants now.
func (d *Drive) Told() bool { return !d.sent.IsZero() }

// Met reports whether the siren was reached since the process started.
func (d *Drive) Met() bool { return d.met }

// Tells notes whether the siren says what it does.
func (d *Drive) Tells(yes bool) { d.confirms = yes }

// Acked notes that the hub acknowledged the command with that number, or one before.
func (d *Drive) Acked(number uint64) {
	if number > 0 && number >= d.number && d.Told() {
		d.acked = true
		if d.taken.IsZero() {
			d.taken = d.sent
		}
	}
}

// Voiceless notes that there was nothing to say: what the siren wants cannot be told.
func (d *Drive) Voiceless() { d.reached, d.acked = true, true }

// Renew notes that the next command only prolongs: it is confirmed anew.
func (d *Drive) Renew() {
	if d.want.Sounding && d.Settled() {
		d.tries = 0
	}
}

// Contact notes that the siren, or its hub, is there again, and reports whether
// it is to be told at once.
func (d *Drive) Contact(now time.Time) bool {
	if !d.sent.IsZero() && now.Sub(d.sent) < contactAgain && d.reached {
		if d.soon.IsZero() {
			d.soon = d.sent.Add(contactAgain)
		}
		return false
	}
	d.tries = 0
	if d.want.Sounding {
		d.taken = time.Time{}
	}
	return true
}

// Hear notes what the siren says of itself.
func (d *Drive) Hear(k signal.Kind, now time.Time) {
	if k != d.heard {
		d.changed = now
		if d.want.Sounding != (k == signal.Sounding) {
			d.tries = 0 // news: it does not do what it shall, or no longer
		}
	}
	d.heard, d.heardAt = k, now
	d.confirms = d.confirms || k == signal.Sounding // it tells after all
	if d.want.Sounding && k == signal.Sounding {
		d.sounded = true
	}
}

// Settled reports whether the siren is known to do what it shall: it said so, or
// it never says and its hub acknowledged.
func (d *Drive) Settled() bool {
	switch {
	case d.sent.IsZero():
		return false
	case (d.want.Once() || d.want.Interrupted()) && d.sounded:
		return true
	case d.want.Interrupted() && d.sounded:
		return d.acked // its pauses are no silence
	case d.want.Sounding && d.confirms:
		return d.heard == signal.Sounding && !d.heardAt.Before(d.trust) && (d.acked || d.heardAt.After(d.sent))
	case d.want.Sounding:
		return d.acked
	case d.heard == signal.Sounding:
		return d.acked && d.tries >= enoughStops
	}
	return d.acked || d.heard == signal.Quiet && d.heardAt.After(d.sent)
}

// Ladder is how far the present command to sound got.
func (d *Drive) Ladder() Ladder {
	switch {
	case d.confirms && d.sounded && (d.heard == signal.Sounding || d.want.Once() || d.want.Interrupted()):
		return Heard
	case d.acked || d.sounded:
		return Accepted
	case d.reached:
		return Sent
	}
	return Queued
}

// Goal is the highest rung that this siren can reach.
func (d *Drive) Goal() Ladder {
	if d.confirms {
		return Heard
	}
	return Accepted
}

// Next is when the siren is to be told, or told again; zero when never by itself.
func (d *Drive) Next() time.Time {
	at := d.again()
	if !d.soon.IsZero() && (at.IsZero() || d.soon.Before(at)) {
		at = d.soon
	}
	if d.want.Sounding && !d.until.IsZero() && (at.IsZero() || d.until.Before(at)) {
		at = d.until
	}
	return at
}

// again is Next without contacts and the end of the want.
func (d *Drive) again() time.Time {
	switch {
	case d.want.Sounding && d.sent.IsZero():
		return d.since
	case d.want.Once() && d.Settled():
		return time.Time{}
	case d.want.Interrupted() && d.Settled():
		return d.sent.Add(DrillEvery)
	case d.want.Sounding && d.Settled():
		return sooner(d.renewal(), d.blind())
	case d.want.Sounding:
		return d.sent.Add(patience(d.tries))
	case d.heard == signal.Sounding:
		return d.stopAt()
	case d.ended && d.Settled():
		return d.blind()
	case d.sent.IsZero() && !d.since.IsZero():
		return d.since
	case d.sent.IsZero() || d.Settled() || !d.reached:
		return time.Time{} // its first contact, or the next, brings the stop
	}
	return d.sent.Add(patience(d.tries))
}

// blind is when a siren that cannot say what it does is told the same again; zero
// when it was told often enough. A new want begins anew.
func (d *Drive) blind() time.Time {
	if d.confirms || d.taken.IsZero() {
		return time.Time{}
	}
	for _, b := range blindly {
		if at := d.taken.Add(b); at.After(d.sent) {
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
func (d *Drive) renewal() time.Time {
	if end := d.sent.Add(d.lasts); !d.until.IsZero() && !end.Before(d.until) {
		return time.Time{}
	}
	margin := max((d.lasts / 18).Truncate(time.Second), min(2*time.Second, d.lasts/3))
	return d.sent.Add(d.lasts - margin)
}

// stopAt is when a siren that sounds for no reason is told to stop.
func (d *Drive) stopAt() time.Time {
	switch {
	case d.Settled():
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
