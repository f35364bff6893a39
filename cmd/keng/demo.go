package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/sim"
)

// demoMark is the file that says that a data folder is a demo's. Only folders
// with it, or empty ones, become a demo: real homes never do by mistake.
const demoMark = "demo.txt"

// demo runs Keng with the ward Tân Hoà, simulated devices and people to play.
func demo(ctx context.Context, e env, args []string) error {
	fs := flags(e, "demo", "[--data DIR] [--http ADDR] [--mqtt ADDR]")
	o := app.Options{Version: version, Demo: true}
	serveFlags(fs, e, &o, "data/demo")
	s := sim.Options{}
	simFlags(fs, &s)
	level := fs.String("log", e.or("KENG_LOG", "warn"), "debug, info, warn or error (KENG_LOG)")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		return fmt.Errorf("demo takes no %q", words[0])
	}
	var err error
	if o.Log, err = logger(e.err, *level); err != nil {
		return err
	}
	if o.Broker != "" || o.Cert != "" {
		return errors.New("a demo listens by itself and without TLS: leave --mqtt-broker and --tls-cert out")
	}
	if o.Database == "" {
		if err := markDemo(o.Data); err != nil {
			return err
		}
	}
	if o.Cast, err = playable(ctx, e, o); err != nil {
		return err
	}
	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	return live(ctx, e, a, func() error {
		s.Addr = a.MQTTAddr()
		wg.Go(func() { sim.New(village.TanHoa(), s).Run(ctx) })
		return printCast(e, a)
	})
}

// markDemo makes dir a demo's, or says why it must not become one.
func markDemo(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, demoMark)); err == nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, "keng.db")); err == nil {
		return fmt.Errorf("%s holds real data, not a demo's: choose another --data", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMark), []byte("Dữ liệu trình diễn của Kẻng. Demo data of Keng: made up, may be deleted.\n"), 0o600)
}

// playable imports the demo's village and says who may be played.
func playable(ctx context.Context, e env, o app.Options) (cast []people.Persona, err error) {
	db, err := app.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	log, err := logger(e.err, "warn")
	if err != nil {
		return nil, err
	}
	return village.Demo(ctx, db, people.New(db, log, func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }))
}

// printCast prints one link for each role.
func printCast(e env, a *app.App) error {
	_, err := fmt.Fprintf(e.out, "\nKẻng, bản trình diễn / demo: nothing here is real.\n\n  http://%s/welcome\n\n", a.HTTPAddr())
	for _, p := range a.Cast {
		if err == nil {
			_, err = fmt.Fprintf(e.out, "  %-10s http://%s/demo/as/%s\n", p.Key, a.HTTPAddr(), p.Key)
		}
	}
	return err
}
