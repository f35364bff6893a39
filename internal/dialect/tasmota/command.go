package tasmota

import (
	"fmt"
	"strconv"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
)

// How long and how a relay sounds apart from an alarm.
const (
	testPulse = time.Second     // one short sound
	calmPulse = 4 * time.Second // one long stroke
	drillBeat = time.Second     // on and off, by turns
	unsaid    = 3 * time.Minute // when nobody said how long
)

// Command implements [dialect.Dialect]. Each message is one Tasmota command; the
// first ones set how the relay stops, the last one switches it. Backlog would
// do the same in one message, but waits 200 ms between its commands (SetOption34).
func (Dialect) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	a := parseAddress(d.Topic)
	if !isRelay(d.Kind) || a.part != whole && a.part != relay {
		return nil, fmt.Errorf("%s of kind %s is no relay: only a siren or lamp with topic <t> or <t>/POWER<n> can sound", d.Topic, d.Kind)
	}
	c := commander{head: layoutOf(d, a.topic).cmnd, n: max(a.n, 1), power: "POWER"}
	if a.part == relay && a.n > 1 {
		c.power += strconv.Itoa(a.n)
	}
	if !w.Sounding {
		return []dialect.Message{c.message(c.power, "OFF")}, nil
	}
	if w.Duration <= 0 { // the contract forbids it, but silence would be worse
		w.Duration = unsaid
	}
	return c.sound(w), nil
}

// commander writes the commands of one relay.
type commander struct {
	head  string // "cmnd/<t>/"
	n     int    // number of the relay
	power string // "POWER", "POWER2"
}

func (c commander) message(command, payload string) dialect.Message {
	return dialect.Message{Topic: c.head + command, Payload: []byte(payload)}
}

func (c commander) sound(w dialect.Want) []dialect.Message {
	d := w.Duration
	switch w.Pattern {
	case dialect.DrillPattern:
		return c.blink(d)
	case dialect.TestPattern:
		d = min(d, testPulse)
	case dialect.CalmPattern:
		d = min(d, calmPulse)
	}
	pulse := c.message("PulseTime"+strconv.Itoa(c.n), strconv.Itoa(pulseTime(d)))
	return []dialect.Message{pulse, c.message(c.power, "ON")}
}

// blink toggles the relay for d: BlinkCount times on and off, each for BlinkTime
// (0.1 s); then Tasmota returns it to what it was before.
func (c commander) blink(d time.Duration) []dialect.Message {
	count := min(max((d+2*drillBeat-1)/(2*drillBeat), 1), 32000)
	return []dialect.Message{
		c.message("BlinkTime", strconv.Itoa(int(drillBeat/(100*time.Millisecond)))),
		c.message("BlinkCount", strconv.Itoa(int(count))),
		c.message(c.power, "BLINK"),
	}
}

// pulseTime is d in the unit of Tasmota's PulseTime, rounded up: 1 to 111 are
// tenths of a second, 112 to 64900 are seconds plus 100.
func pulseTime(d time.Duration) int {
	tenths := (d + 100*time.Millisecond - 1) / (100 * time.Millisecond)
	if tenths <= 111 {
		return int(max(tenths, 1))
	}
	seconds := (d + time.Second - 1) / time.Second
	return int(min(seconds+100, 64900))
}
