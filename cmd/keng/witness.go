package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
)

// beWitness runs an independent body that signs the checkpoints of logs which only
// grow: one key, one small file for each log.
func beWitness(ctx context.Context, e env, args []string) error {
	fs := flags(e, "witness", "--data DIR --name NAME --log KEY...")
	data := fs.String("data", e.or("KENG_DATA", ""), "`folder` of the witness: its key and what it signed last (KENG_DATA)")
	name := fs.String("name", e.or("KENG_WITNESS_NAME", ""), "`name` under which it signs, such as witness.mttq.example; kept with the key (KENG_WITNESS_NAME)")
	addr := fs.String("http", e.or("KENG_HTTP", "127.0.0.1:8081"), "`address` to listen on; put HTTPS in front (KENG_HTTP)")
	var logs keys
	fs.Var(&logs, "log", "public `key` of a log, from GET /log/key and compared by telephone; may be repeated")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 || *data == "" || len(logs) == 0 {
		fs.Usage()
		return errUsage
	}
	key, public, err := audit.LoadWitnessKey(filepath.Join(*data, "witness.key"), *name)
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{
		Handler:           audit.NewWitness(*data, key, time.Now, logs...),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	_, _ = fmt.Fprintf(e.out, "keng: witness ready http=http://%s key=%s\n", ln.Addr(), public)
	gone := make(chan error, 1)
	go func() { gone <- srv.Serve(ln) }()
	select {
	case err := <-gone:
		return err
	case <-ctx.Done():
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err = srv.Shutdown(bye)
	if served := <-gone; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
