package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/sim"
)

// simFlags fills o from flags.
func simFlags(fs *flag.FlagSet, o *sim.Options) {
	fs.DurationVar(&o.Heartbeat, "heartbeat", 45*time.Second, "each device shows that it lives this often")
	fs.DurationVar(&o.PressIn, "press", 0, "mean time between presses in the whole village; 0 for never")
	fs.DurationVar(&o.StormIn, "storm", 0, "time between storms, when every hub is pressed at once; 0 for never")
	fs.DurationVar(&o.DropIn, "drop", 0, "mean time between power cuts of a hub; 0 for never")
	fs.DurationVar(&o.DropFor, "drop-for", 10*time.Second, "how long a power cut lasts")
	fs.Float64Var(&o.Mute, "mute", 0, "share of the sirens that never confirm, 0 to 1")
	fs.Uint64Var(&o.Seed, "seed", 1, "the same seed does the same things")
}

func simulate(ctx context.Context, e env, args []string) error {
	fs := flags(e, "sim", "--mqtt ADDR [--village FILE | --groups N --homes M]")
	o := sim.Options{Out: e.out}
	fs.StringVar(&o.Addr, "mqtt", e.or("KENG_MQTT", "127.0.0.1:1883"), "`address` of Keng's MQTT front, or of the broker it joined (KENG_MQTT)")
	file := fs.String("village", "", "village `file`, as imported; without one a sample is made up")
	groups := fs.Int("groups", 3, "groups of the sample, or only the first so many of the file")
	homes := fs.Int("homes", 7, "homes of each group, or only the first so many")
	write := fs.String("write", "", "write the village to this `file` for keng import, and simulate nothing")
	simFlags(fs, &o)
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		return fmt.Errorf("sim takes no %q", words[0])
	}
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	f, err := simVillage(e, *file, *groups, *homes, set)
	if err != nil {
		return err
	}
	if *write != "" {
		return writeVillage(*write, f)
	}
	if o.Mute < 0 || o.Mute > 1 {
		return errors.New("--mute is a share from 0 to 1")
	}
	sim.New(f, o).Run(ctx)
	return nil
}

// simVillage reads the village file, or makes a sample, cut to what was asked.
func simVillage(e env, file string, groups, homes int, set map[string]bool) (village.File, error) {
	if file == "" {
		return village.Sample(groups, homes), nil
	}
	in, err := open(file)
	if err != nil {
		return village.File{}, err
	}
	defer func() { _ = in.Close() }()
	f, rows, err := village.Parse(in, rules())
	if err != nil {
		return f, err
	}
	if rows.Bad() {
		return f, errors.Join(errors.New("the village file is not whole"), rows.Write(e.err, "vi"))
	}
	if set["groups"] && groups < len(f.Groups) {
		f.Groups = f.Groups[:groups]
	}
	for i := range f.Groups {
		if g := &f.Groups[i]; set["homes"] && homes < len(g.Homes) {
			g.Homes = g.Homes[:homes]
		}
	}
	return f, nil
}

func writeVillage(name string, f village.File) (err error) {
	out, err := os.Create(name) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return f.Write(out)
}
