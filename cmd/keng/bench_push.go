package main

import (
	"context"
	"errors"
	"slices"

	marks "github.com/keng-vn/keng/internal/village/bench"
)

// benchPush measures how soon a crowd of phones has a message, some of them dead
// or slow, beside two simpler ways to send.
func benchPush(ctx context.Context, e env, args []string) error {
	o := marks.PushDefaults()
	if slices.Contains(args, "--quick") || slices.Contains(args, "-quick") {
		o = o.Hasten()
	}
	fs := flags(e, "bench push", "[flags]")
	fs.Bool("quick", false, "try the bench itself, within seconds; its numbers mean nothing")
	fs.IntVar(&o.Phones, "phones", o.Phones, "`phones` that subscribed")
	fs.IntVar(&o.Dead, "dead", o.Dead, "of them, those whose subscription is `gone`")
	fs.IntVar(&o.Slow, "slow", o.Slow, "of them, those whose push service `dawdles`")
	fs.DurationVar(&o.Delay, "delay", o.Delay, "for how `long`")
	table := fs.String("out", "", "write the table to this `file` too")
	data := fs.String("json", "", "write everything to this `file`, as JSON")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		fs.Usage()
		return errUsage
	}
	rep, err := marks.MeasurePush(ctx, o, e.err)
	if err != nil {
		return err
	}
	err = errors.Join(rep.WriteTable(e.out), into(*table, rep.WriteTable), into(*data, rep.WriteJSON))
	if err == nil && !rep.Valid() {
		err = errors.New("some runs are invalid: see the table")
	}
	return err
}
