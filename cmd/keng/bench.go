package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	marks "github.com/keng-vn/keng/internal/village/bench"
)

// bench measures; "bench crowd" is a process that bench alarm itself starts.
func bench(ctx context.Context, e env, args []string) error {
	if len(args) == 1 && args[0] == "crowd" {
		return marks.Hold(ctx, os.Stdin, os.Stdout)
	}
	if len(args) > 0 && args[0] == "audit" {
		return benchAudit(ctx, e, args[1:])
	}
	if len(args) >= 1 && args[0] == "policy" {
		return benchPolicy(ctx, e, args[1:])
	}
	if len(args) > 0 && args[0] == "push" {
		return benchPush(ctx, e, args[1:])
	}
	o := marks.Defaults()
	if slices.Contains(args, "--quick") || slices.Contains(args, "-quick") {
		o = o.Hasten()
	}
	fs := flags(e, "bench", "alarm [flags], or push [flags]")
	benchFlags(fs, &o)
	table := fs.String("out", "", "write the table to this `file` too")
	data := fs.String("json", "", "write everything to this `file`, as JSON")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "alarm" {
		fs.Usage()
		return errUsage
	}
	if o.Keng, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	o.Command, o.Progress = strings.Join(append([]string{"keng", "bench"}, args...), " "), e.err
	rep, err := marks.Measure(ctx, o)
	if err != nil {
		return err
	}
	err = errors.Join(rep.WriteTable(e.out), into(*table, rep.WriteTable), into(*data, rep.WriteJSON))
	if err == nil && !rep.Valid() {
		err = errors.New("some runs are invalid: see the table")
	}
	return err
}

// benchPolicy measures "may they?" over a province.
func benchPolicy(ctx context.Context, e env, args []string) error {
	fs := flags(e, "bench policy", "[flags]")
	rounds := fs.Int("rounds", 100, "how `often` the 4,096 questions are asked")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 || *rounds < 1 {
		fs.Usage()
		return errUsage
	}
	rep, err := marks.MeasurePolicy(ctx, *rounds)
	if err != nil {
		return err
	}
	return rep.Write(e.out)
}

func benchFlags(fs *flag.FlagSet, o *marks.Options) {
	fs.IntVar(&o.Runs, "runs", o.Runs, "how `often` each system is measured")
	fs.IntVar(&o.Idle, "idle", o.Idle, "`devices` that are connected and say nothing")
	fs.IntVar(&o.Groups, "groups", o.Groups, "`groups` of seven sirens and a button")
	fs.Float64Var(&o.Rate, "rate", o.Rate, "`presses` a second")
	fs.Func("seconds", "for how many `seconds` (default "+fmt.Sprintf("%g", o.Span.Seconds())+")", func(s string) (err error) {
		o.Span, err = time.ParseDuration(s + "s")
		return err
	})
	fs.StringVar(&o.Mosquitto, "mosquitto", o.Mosquitto, "`program` to measure beside Keng")
	fs.StringVar(&o.NodeRED, "node-red", o.NodeRED, "`program` to measure beside Keng")
	fs.BoolVar(&o.Quick, "quick", o.Quick, "try the bench itself, within seconds; its numbers mean nothing")
	fs.BoolVar(&o.Keep, "keep", o.Keep, "keep the folder with data and logs")
	fs.Func("only", "measure only these `systems`, with commas: "+strings.Join(marks.Names(), ", "), func(s string) error {
		o.Only = strings.Split(s, ",")
		return nil
	})
}

// into has f write to the file name, if it is named.
func into(name string, f func(io.Writer) error) (err error) {
	if name == "" {
		return nil
	}
	w, err := os.Create(name) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return f(w)
}
