package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// system is something that can be measured.
type system struct {
	name  string
	about string
	// find looks for what the system needs and says its version. An error is why
	// the system is missing.
	find func(ctx context.Context, o Options) (version string, err error)
	// start starts it afresh, with everything it writes under dir.
	start func(ctx context.Context, s *site, dir string) (*front, error)
}

// systems lists what is measured, in the order of a run.
func systems() []system {
	return []system{
		{"raw-mosquitto", "Mosquitto alone copies each press to 7 sirens: the floor, no logic, no disk", findMosquitto, startRaw},
		{"keng", "keng serve, SQLite: rings, writes, syncs, acknowledges", findKeng, startKeng},
		{"node-red", "Mosquitto and Node-RED, set up well: no Nagle delay on either side", findNodeRED, startNodeRED},
		{"node-red-as-installed", "the same with the settings that they come with", findNodeRED, startNodeREDAsInstalled},
	}
}

// Names lists the systems that can be measured.
func Names() []string {
	var names []string
	for _, s := range systems() {
		names = append(names, s.name)
	}
	return names
}

// front is a running system.
type front struct {
	addr   string // where devices connect
	procs  []*child
	ways   ways
	ledger ledger // nil for a system that keeps none
	screen *desk  // nil for a system that has none
}

// ways are how devices speak with a system.
type ways struct {
	signsIn bool // with accounts of their own
	// press is what the button of group g sends. n differs from press to press.
	press func(g, n int) radio.Message
	// hears is the topic on which siren k of group g is commanded.
	hears func(g, k int) string
}

// ledger is what a system knows of its alarms.
type ledger interface {
	Open(ctx context.Context) (int, error) // how many ring now
	Close(ctx context.Context) error       // end them all
}

// names of devices, the same for every system.
func buttonName(g int) string   { return fmt.Sprintf("g%d-h1-button", g+1) }
func sirenName(g, k int) string { return fmt.Sprintf("g%d-h%d-siren", g+1, k+1) }
func idleName(i int) string     { return fmt.Sprintf("idle%d", i+1) }
func topicOf(id string) string  { return "keng/" + id }
func orderTopic(id string) string {
	return topicOf(id) + "/set"
}

// password is the password of a made-up device.
func password(id string) string { return "bench-" + id }

// soundOrder is a command to sound, as long as Keng's own.
const soundOrder = `{"state":"ON","duration":180,"pattern":"alarm"}`

// sounds reports whether a siren that reads this command sounds.
func sounds(payload []byte) bool { return strings.Contains(string(payload), `"ON"`) }

// memory is the resident memory of all processes, in bytes.
func (f *front) memory() (sum int64) {
	for _, c := range f.procs {
		sum += c.memory()
	}
	return sum
}

func (f *front) cpu() (sum time.Duration) {
	for _, c := range f.procs {
		sum += c.cpu()
	}
	return sum
}

// quiet waits until the system has little left to do: under a tenth of a
// processor, or as long as it takes the impatient.
func (f *front) quiet(ctx context.Context) {
	const step, enough = 300 * time.Millisecond, 20 * time.Second
	last, still := f.cpu(), 0
	poll(ctx, enough, step, func() bool {
		now := f.cpu()
		still++
		if now-last > step/10 {
			still = 0
		}
		last = now
		return still > 2
	})
}

// alive is an error when one of the processes has ended.
func (f *front) alive() error {
	var errs []error
	for _, c := range f.procs {
		errs = append(errs, c.ended())
	}
	return errors.Join(errs...)
}

func (f *front) stop() {
	if f.screen != nil {
		f.screen.stop()
	}
	for _, c := range slices.Backward(f.procs) {
		c.stop()
	}
}
