package village

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Options are how to import.
type Options struct {
	Rules
	Check bool // a dry run: everything but the last step
	Prune bool // remove what the file's groups have and the file does not name
}

// Report is what an import did, or what a dry run would do.
type Report struct {
	Rows    Rows // nothing was imported when they are bad
	Checked bool
	Pruned  bool
	Groups  place.Tally
	Homes   place.Tally
	Members place.Tally
	Hubs    place.Tally
	Devices place.Tally
}

// tallies are the counts with the keys of their words, in the order people read them.
func (rep Report) tallies() []counted {
	return []counted{{"village.groups", rep.Groups}, {"village.homes", rep.Homes}, {"village.members", rep.Members}, {"village.hubs", rep.Hubs}, {"village.devices", rep.Devices}}
}

type counted struct {
	key string
	place.Tally
}

// Changed reports whether anything is different now.
func (rep Report) Changed() bool {
	return slices.ContainsFunc(rep.tallies(), func(c counted) bool { return c.Any() })
}

// Write writes rows, counts and what is absent, for the operator who typed the
// command. It holds names: it belongs on his screen, not in a log.
func (rep Report) Write(w io.Writer, l say.Lang) error {
	if err := rep.Rows.Write(w, l); err != nil {
		return err
	}
	b := say.In(l)
	var lines []string
	for _, c := range rep.tallies() {
		lines = append(lines, b.Text("village.tally", args("what", b.Text(c.key, nil), "added", c.Added, "changed", c.Changed, "removed", c.Removed, "unchanged", c.Unchanged)))
	}
	for _, c := range rep.tallies() {
		for _, id := range c.Absent {
			key := "village.absent"
			if rep.Pruned {
				key = "village.pruned"
			}
			lines = append(lines, b.Text(key, args("what", b.Text(c.key, nil), "id", id)))
		}
	}
	lines = append(lines, b.Text(rep.verdict(), nil))
	if rep.Rows.Bad() {
		lines = lines[len(lines)-1:]
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

func (rep Report) verdict() string {
	switch {
	case rep.Rows.Bad():
		return "village.refused"
	case !rep.Changed():
		return "village.nothing_changes"
	case rep.Checked:
		return "village.would_change"
	}
	return "village.imported"
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("dry run")

// Import brings the village that r describes into db, in one transaction: all of
// it or nothing. The error of a file that is refused is fault.Invalid with key
// village.refused; the report's rows say why.
func Import(ctx context.Context, db *store.DB, r io.Reader, o Options) (Report, error) {
	rep := Report{Checked: o.Check, Pruned: o.Prune}
	f, rows, err := Parse(r, o.Rules)
	rep.Rows = rows
	if err != nil {
		return rep, err
	}
	if rows.Bad() {
		return rep, refused()
	}
	err = db.Tx(ctx, func(tx *sql.Tx) error {
		if err := rep.fit(ctx, tx, f); err != nil {
			return err
		}
		if rep.Rows.Bad() {
			return refused()
		}
		if err := rep.put(ctx, tx, f, o.Prune); err != nil {
			return rep.blame(f, err)
		}
		if rep.Changed() {
			if err := place.Bump(ctx, tx); err != nil {
				return err
			}
		}
		if o.Check {
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return rep, err
}

func refused() error { return fault.New("village.Import", fault.Invalid, "village.refused") }

// put writes f and adds up.
func (rep *Report) put(ctx context.Context, tx *sql.Tx, f File, prune bool) error {
	before, err := device.Wiring(ctx, tx)
	if err != nil {
		return err
	}
	was, err := place.Homes(ctx, tx)
	if err != nil {
		return err
	}
	p, err := place.Put(ctx, tx, f.places(), prune)
	if err != nil {
		return err
	}
	rep.Groups, rep.Homes = p.Groups, p.Homes
	if rep.Members, err = people.Put(ctx, tx, f.households(), prune); err != nil {
		return err
	}
	hubs, devices := f.wiring()
	gone := absent(before, devices, f, was)
	if prune {
		if err := rep.prune(ctx, tx, gone, before, hubs); err != nil {
			return err
		}
	}
	d, err := device.Put(ctx, tx, hubs, devices)
	if err != nil {
		return err
	}
	rep.Hubs = sum(rep.Hubs, d.Hubs)
	rep.Devices = sum(rep.Devices, d.Devices)
	for _, n := range gone {
		rep.Devices.Absent = append(rep.Devices.Absent, string(n.ID))
	}
	return nil
}

// absent lists the devices of the file's groups that the file does not name. was
// says which group each home belonged to.
func absent(before, now []device.NewDevice, f File, was map[place.HomeID]place.GroupID) []device.NewDevice {
	named, groups := map[signal.DeviceID]bool{}, map[place.GroupID]bool{}
	for _, d := range now {
		named[d.ID] = true
	}
	for _, g := range f.Groups {
		groups[g.ID] = true
	}
	var gone []device.NewDevice
	for _, d := range before {
		if groups[was[d.Home]] && !named[d.ID] {
			gone = append(gone, d)
		}
	}
	return gone
}

// prune removes the devices that are gone, the members of homes that are gone,
// and hubs that thereby lost their last device.
func (rep *Report) prune(ctx context.Context, tx *sql.Tx, gone, before []device.NewDevice, named []device.NewHub) error {
	homes := make([]place.HomeID, 0, len(rep.Homes.Absent))
	for _, id := range rep.Homes.Absent {
		homes = append(homes, place.HomeID(id))
	}
	left, err := people.Leave(ctx, tx, homes)
	if err != nil {
		return err
	}
	rep.Members.Removed += left
	ids, lonely := []signal.DeviceID{}, map[string]int{}
	for _, d := range before {
		lonely[d.Hub]++
	}
	for _, d := range gone {
		ids = append(ids, d.ID)
		lonely[d.Hub]--
	}
	var hubs []string
	for name, n := range lonely {
		keep := slices.ContainsFunc(named, func(h device.NewHub) bool { return h.Username == name })
		if n == 0 && name != "" && !keep {
			hubs = append(hubs, name)
		}
	}
	slices.Sort(hubs)
	d, err := device.Remove(ctx, tx, ids, hubs)
	rep.Devices, rep.Hubs = d.Devices, d.Hubs
	rep.Hubs.Absent = hubs
	return err
}

func sum(a, b place.Tally) place.Tally {
	return place.Tally{Added: a.Added + b.Added, Changed: a.Changed + b.Changed, Removed: a.Removed + b.Removed, Unchanged: a.Unchanged + b.Unchanged, Absent: append(a.Absent, b.Absent...)}
}

// blame turns a conflict that only the whole village shows into a row.
func (rep *Report) blame(f File, err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Conflict {
		return err
	}
	rep.Rows = append(rep.Rows, Row{Line: f.lineOf(fmt.Sprint(e.Args["device"])), Key: e.Key, Args: e.Args})
	return refused()
}

// lineOf is the line of a device, 0 when it is not in f.
func (f File) lineOf(id string) int {
	for _, g := range f.Groups {
		for _, h := range g.Homes {
			for _, d := range h.Devices {
				if string(d.ID) == id {
					return d.Line
				}
			}
		}
	}
	return 0
}
