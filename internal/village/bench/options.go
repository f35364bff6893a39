package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Homes is how many homes, and so sirens, each group has.
const Homes = 7

// Options is what is measured, and with what.
type Options struct {
	Keng      string // the program under test: an executable that knows serve, import and token
	Mosquitto string // executable; looked up in PATH when it is a bare name
	NodeRED   string // the same
	Runs      int
	Idle      int // devices that are connected and say nothing
	Groups    int
	Rate      float64 // presses each second
	Span      time.Duration
	Only      []string // names of systems; empty for all
	Command   string   // as typed, for the report
	Quick     bool     // a trial of the bench itself: small, its numbers mean nothing
	Keep      bool     // leave the folder with data and logs
	Progress  io.Writer
}

// Defaults are the options of a real measurement.
func Defaults() Options {
	return Options{
		Mosquitto: "mosquitto", NodeRED: "node-red", Runs: 5, Idle: 10_000, Groups: 1000, Rate: 25, Span: 20 * time.Second,
		Progress: io.Discard,
	}
}

// Hasten makes o a trial that ends within seconds.
func (o Options) Hasten() Options {
	o.Quick, o.Runs, o.Idle, o.Groups, o.Rate, o.Span = true, 1, 200, 20, 20, 600*time.Millisecond
	return o
}

// warm is how many groups press before anything is measured, so that no system
// is measured while it loads its code.
func (o Options) warm() int { return min(50, max(1, o.Groups/10)) }

// presses is how many are measured in the steady case.
func (o Options) presses() int { return int(o.Rate * o.Span.Seconds()) }

// rest is how long a system is left alone before its memory is read.
func (o Options) rest() time.Duration {
	if o.Quick {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

// Check says what is wrong with o.
func (o Options) Check() error {
	switch {
	case o.Keng == "":
		return fmt.Errorf("the program under test is not named")
	case o.Groups > most:
		return fmt.Errorf("%d groups are more than the API lists at once: at most %d", o.Groups, most)
	case o.Runs < 1, o.Idle < 0, o.Groups < 2, o.Rate <= 0:
		return fmt.Errorf("need at least 1 run, 2 groups, and a rate above 0")
	case o.presses() < 1 || o.presses()+o.warm() > o.Groups:
		return fmt.Errorf("%d groups are too few for %d presses and %d to warm up: each press needs a group without an open incident", o.Groups, o.presses(), o.warm())
	}
	for _, n := range o.Only {
		if !slices.Contains(Names(), n) {
			return fmt.Errorf("there is no system %q: use %s", n, strings.Join(Names(), ", "))
		}
	}
	return nil
}

// wanted reports whether system name is to be measured.
func (o Options) wanted(name string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, name) }

func (o Options) say(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Progress, format+"\n", args...) // progress for whoever watches
}
