package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
)

// ActsOptions is how the log of acts is measured.
type ActsOptions struct {
	Runs     int           // of each writer, in turns
	Span     time.Duration // of one run
	Entries  int           // in the log that is verified
	Proofs   int           // of fresh entries
	Database string        // postgres:// URL of an empty schema; "" for SQLite in a temporary folder
}

// DefaultActs is what `keng bench audit` measures.
func DefaultActs() ActsOptions {
	return ActsOptions{Runs: 3, Span: 3 * time.Second, Entries: 100_000, Proofs: 300}
}

// acts is one database with the log and two simpler ways to keep a record.
type acts struct {
	db    *store.DB
	log   *audit.Log
	n     int // things done
	chain [sha256.Size]byte
	links int
}

// way is one way to record that something was done, in its transaction.
type way struct {
	name   string
	record func(context.Context, *sql.Tx) error
}

// Acts measures, on one disk and in turns: a bare insert with its sync, the same
// with a plain hash chain, and with the log of acts; then proofs and verification.
func Acts(ctx context.Context, o ActsOptions, w io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "keng-bench-audit-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a, err := openActs(ctx, dir, o.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.db.Close()) }()
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "each act in a transaction of its own, synced\tper second\tp50\tp99\t\n")
	ways := []way{
		{"bare insert", func(context.Context, *sql.Tx) error { return nil }},
		{"plain hash chain", a.link},
		{"log of acts, about 1 person", a.appendOf(1)},
		{"log of acts, about 30 persons", a.appendOf(30)},
	}
	took := make([][]time.Duration, len(ways))
	spent := make([]time.Duration, len(ways))
	for range o.Runs {
		for i, x := range ways {
			began := time.Now()
			for time.Since(began) < o.Span {
				d, err := a.do(ctx, x)
				if err != nil {
					return err
				}
				took[i] = append(took[i], d)
			}
			spent[i] += time.Since(began)
		}
	}
	for i, x := range ways {
		_, _ = fmt.Fprintf(t, "%s\t%.0f\t%s\t%s\t\n", x.name, float64(len(took[i]))/spent[i].Seconds(), at(took[i], 0.5), at(took[i], 0.99))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if err := a.proofs(ctx, dir, o.Proofs, w); err != nil {
		return err
	}
	return a.verify(ctx, dir, o.Entries, w)
}

func openActs(ctx context.Context, dir, dsn string) (*acts, error) {
	if dsn == "" {
		dsn = filepath.Join(dir, "keng.db")
	}
	db, err := store.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, audit.Migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, q := range []string{`CREATE TABLE bench_done (n BIGINT PRIMARY KEY, what TEXT NOT NULL)`, `CREATE TABLE bench_chain (n BIGINT PRIMARY KEY, body TEXT NOT NULL, hash BYTEA NOT NULL)`} {
		if err := db.Exec(ctx, q); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return &acts{db: db, log: audit.New(db, db.Engine == store.Postgres, time.Now)}, nil
}

// do does one thing and records it.
func (a *acts) do(ctx context.Context, x way) (time.Duration, error) {
	began := time.Now()
	err := a.db.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO bench_done (n, what) VALUES ($1, 'look')`, a.n); err != nil {
			return err
		}
		return x.record(ctx, tx)
	})
	a.n++
	return time.Since(began), err
}

// link is a plain hash chain: whoever checks one entry needs all of them.
func (a *acts) link(ctx context.Context, tx *sql.Tx) error {
	body := fmt.Sprintf(`{"act":"look","by":"officer-%d","of":"person-%d"}`, a.n%50, a.n%1000)
	a.chain = sha256.Sum256(append(a.chain[:], body...))
	_, err := tx.ExecContext(ctx, `INSERT INTO bench_chain (n, body, hash) VALUES ($1, $2, $3)`, a.links, body, a.chain[:])
	a.links++
	return err
}

func (a *acts) appendOf(persons int) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		of := make([]string, persons)
		for i := range of {
			of[i] = fmt.Sprintf("person-%d", (a.n%100)*30+i)
		}
		_, err := a.log.Append(ctx, tx, audit.Act{Name: "bench.look", Area: "04792", By: fmt.Sprintf("officer-%d", a.n%50), On: fmt.Sprintf("group/%d", a.n%100), Of: of, Body: map[string]bool{"names": true}})
		return err
	}
}

// proofs measures how long after an act its proof is there, signed by the log and
// by a witness on the same machine.
func (a *acts) proofs(ctx context.Context, dir string, count int, w io.Writer) (err error) {
	quiet := slog.New(slog.DiscardHandler)
	files := func(n string) string { return filepath.Join(dir, n) }
	_, public, err := audit.LoadKey(files("audit.key"), "keng/25/bench")
	if err != nil {
		return err
	}
	log, err := audit.ParseVerifier(public)
	if err != nil {
		return err
	}
	key, witness, err := audit.LoadWitnessKey(files("witness/key"), "witness.bench")
	if err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: audit.NewWitness(files("witness"), key, time.Now, log), ReadHeaderTimeout: time.Second}
	gone := make(chan error, 1)
	go func() { gone <- srv.Serve(ln) }()
	defer func() {
		err = errors.Join(err, srv.Close())
		if served := <-gone; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
	}()
	near, err := audit.ParseBystander("http://" + ln.Addr().String() + "=" + witness)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		by   []audit.Bystander
	}{{"signed by the log", nil}, {"and by a witness", []audit.Bystander{near}}} {
		h, err := audit.NewHead(a.log, files("audit.key"), files("audit.checkpoint"), "", c.by, quiet)
		if err != nil {
			return err
		}
		var took []time.Duration
		for range count {
			began := time.Now()
			if _, err := a.do(ctx, way{record: a.appendOf(1)}); err != nil {
				return err
			}
			n, err := a.log.Size(ctx)
			if err != nil {
				return err
			}
			if _, err := h.Proof(ctx, n-1); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		_, _ = fmt.Fprintf(w, "act to proof, %s: p50 %s, p99 %s\n", c.name, at(took, 0.5), at(took, 0.99))
	}
	return nil
}

// verify fills the log and the chain up to count entries and checks all of both.
func (a *acts) verify(ctx context.Context, dir string, count int, w io.Writer) error {
	n, err := a.log.Size(ctx)
	if err != nil {
		return err
	}
	for have := int(n); have < count || a.links < count; {
		err := a.db.Tx(ctx, func(tx *sql.Tx) error {
			for range 500 {
				if have < count {
					if err := a.appendOf(1)(ctx, tx); err != nil {
						return err
					}
					have++
				}
				if a.links < count {
					if err := a.link(ctx, tx); err != nil {
						return err
					}
				}
				a.n++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	h, err := audit.NewHead(a.log, filepath.Join(dir, "audit.key"), filepath.Join(dir, "audit.checkpoint"), "", nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	_, signed, err := h.Covering(ctx, 0)
	if err != nil {
		return err
	}
	key, err := audit.ParseVerifier(h.Verifier())
	if err != nil {
		return err
	}
	began := time.Now()
	v, err := audit.Verify(ctx, a.log.Files(signed), key)
	if err != nil {
		return err
	}
	if len(v.Wrong) > 0 {
		return fmt.Errorf("the log is broken: %v", v.Wrong)
	}
	whole := time.Since(began)
	began = time.Now()
	r, err := a.log.VerifyRows(ctx)
	if err != nil {
		return err
	}
	if len(r.Wrong) > 0 {
		return fmt.Errorf("the rows are broken: %v", r.Wrong)
	}
	rows := time.Since(began)
	began = time.Now()
	if err := a.verifyChain(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "verify %d entries: log %s (signature, every leaf, every tile), rows against leaves %s; plain chain of %d %s\n",
		v.Entries, whole.Round(time.Millisecond), rows.Round(time.Millisecond), a.links, time.Since(began).Round(time.Millisecond))
	return err
}

func (a *acts) verifyChain(ctx context.Context) error {
	rows, err := a.db.Read().QueryContext(ctx, `SELECT body, hash FROM bench_chain ORDER BY n`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var chain [sha256.Size]byte
	for rows.Next() {
		var body string
		var hash []byte
		if err := rows.Scan(&body, &hash); err != nil {
			return err
		}
		if chain = sha256.Sum256(append(chain[:], body...)); string(chain[:]) != string(hash) {
			return errors.New("the chain is broken")
		}
	}
	return rows.Err()
}

// at is the quantile q of times, rounded for people.
func at(times []time.Duration, q float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	s := slices.Clone(times)
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))].Round(10 * time.Microsecond)
}
