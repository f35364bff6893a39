package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Measure measures every system o.Runs times, interleaved: first run of each,
// second run of each, and so on. A system that fails is in the report with its
// error; the error of Measure is that nothing could be measured at all.
func Measure(ctx context.Context, o Options) (rep *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	limit, err := raiseLimit()
	if err != nil {
		return nil, err
	}
	if need := uint64(o.Idle + o.Groups*(Homes+1) + 200); limit < need { // #nosec G115 -- checked above
		return nil, fmt.Errorf("a server needs %d open files for %d idle devices and %d groups, this machine allows %d (ulimit -Hn)", need, o.Idle, o.Groups, limit)
	}
	s := &site{Options: o}
	if s.dir, err = os.MkdirTemp("", "keng-bench-"); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() {
		if o.Keep {
			o.say("data and logs are in %s", s.dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(s.dir))
	}()
	rep = &Report{Command: o.Command, Began: time.Now().UTC().Truncate(time.Second), Machine: thisMachine(), LoadBefore: load1(), Quick: o.Quick, Idle: o.Idle, Groups: o.Groups, Rate: o.Rate, Seconds: o.Span.Seconds()}
	found := rep.find(ctx, o)
	if slices.Contains(found, "keng") {
		o.say("preparing the village of %d groups and %d idle devices", o.Groups, o.Idle)
		if err := s.build(ctx); err != nil {
			return nil, err
		}
	}
	return rep, s.interleave(ctx, rep, found)
}

// build imports the village once.
func (s *site) build(ctx context.Context) (err error) {
	if s.village, err = prepare(ctx, s.Options, s.dir); err != nil {
		return fmt.Errorf("prepare the village: %w", err)
	}
	if s.village.empty, err = emptyMemory(ctx, s.Options, s.dir); err != nil {
		return fmt.Errorf("measure an empty Keng: %w", err)
	}
	return nil
}

// find asks for every wanted system and returns the names of those that are there.
func (rep *Report) find(ctx context.Context, o Options) (found []string) {
	for _, sys := range systems() {
		if !o.wanted(sys.name) {
			continue
		}
		r := Result{Name: sys.name, About: sys.about}
		version, err := sys.find(ctx, o)
		if r.Version = version; err != nil {
			r.Missing = err.Error()
			o.say("%s is missing: %v", sys.name, err)
		} else {
			found = append(found, sys.name)
		}
		rep.Systems = append(rep.Systems, r)
	}
	return found
}

func (s *site) interleave(ctx context.Context, rep *Report, found []string) error {
	for n := range s.Runs {
		floor, err := measureFloor(ctx, s.dir, s.Quick)
		if err != nil {
			return err
		}
		rep.Floors = append(rep.Floors, floor)
		for _, sys := range systems() {
			if !slices.Contains(found, sys.name) {
				continue
			}
			s.say("run %d of %d: %s (load average %.1f)", n+1, s.Runs, sys.name, load1())
			r, err := s.measure(ctx, sys, n+1)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.fault("%v", err)
			}
			for _, f := range r.Faults {
				s.say("    INVALID: %s", f)
			}
			rep.take(sys.name, r)
		}
	}
	rep.conclude()
	return nil
}
