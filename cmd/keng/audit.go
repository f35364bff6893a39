package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
)

// auditData checks what Keng keeps: the journal, the rows beside the log of acts
// and, when it was signed here, that log; or, with "verify", the log of acts alone.
func auditData(ctx context.Context, e env, args []string) (err error) {
	if len(args) > 0 && args[0] == "verify" {
		return verifyLog(ctx, e, args[1:])
	}
	fs := flags(e, "audit", "--data DIR | verify URL|DIR")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		return fmt.Errorf("audit takes no %q", words[0])
	}
	db, err := app.OpenExisting(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	v, err := (&alarm.Book{DB: db}).Verify(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(e.out, v); err != nil {
		return err
	}
	if len(v.Wrong) > 0 {
		return errors.New("the journal is not what was written")
	}
	return nil
}

// keys are public keys given by flags.
type keys []note.Verifier

func (k *keys) String() string { return "" }

// Set implements flag.Value.
func (k *keys) Set(text string) error {
	v, err := audit.ParseVerifier(text)
	*k = append(*k, v)
	return err
}

var errBrokenLog = errors.New("the log of acts is not what was signed")

// verifyLog checks a whole log of acts: one that is served, one that was fetched
// into a folder, or a data folder with its rows.
func verifyLog(ctx context.Context, e env, args []string) error {
	fs := flags(e, "audit verify", "URL|DIR|FILE.json [--key KEY] [--witness KEY]...")
	var log, witnesses keys
	var database string
	fs.Var(&log, "key", "public `key` of the log, got from elsewhere than the log itself")
	fs.Var(&witnesses, "witness", "public `key` of a witness that must have signed; may be repeated")
	fs.StringVar(&database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL`, when DIR is the data folder of a Keng on PostgreSQL (KENG_DATABASE)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || len(log) > 1 {
		fs.Usage()
		return errUsage
	}
	where := strings.TrimSuffix(words[0], "/")
	switch {
	case strings.HasPrefix(where, "http://"), strings.HasPrefix(where, "https://"):
		return verifyFrom(ctx, e, audit.Address{URL: where, Client: &http.Client{Timeout: time.Minute}}, log, witnesses)
	case strings.HasSuffix(where, ".json"):
		return verifyEvidence(e, where, log, witnesses)
	case exists(filepath.Join(where, "checkpoint")):
		return verifyFrom(ctx, e, audit.Folder(where), log, witnesses)
	}
	return verifyData(ctx, e, app.Options{Data: where, Database: database}, log, witnesses)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// verifyFrom checks a log from outside. Without a key from elsewhere it takes the
// one that stands beside the log, and says so.
func verifyFrom(ctx context.Context, e env, s audit.Source, log, witnesses keys) error {
	if len(log) == 0 {
		text, err := s.Read(ctx, "key")
		if err != nil {
			return fmt.Errorf("read the log's key; give one with --key: %w", err)
		}
		if err := log.Set(string(text)); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.err, "keng: the log's own word for its key, next time give --key '%s'\n", strings.TrimSpace(string(text))); err != nil {
			return err
		}
	}
	v, err := audit.Verify(ctx, s, log[0], witnesses...)
	if err != nil {
		return err
	}
	return verdict(e, v, len(v.Wrong))
}

func verdict(e env, v any, wrong int) error {
	if _, err := fmt.Fprintln(e.out, v); err != nil {
		return err
	}
	if wrong > 0 {
		return errBrokenLog
	}
	return nil
}

// verifyEvidence checks the proof of one entry, as a phone saved it.
func verifyEvidence(e env, file string, log, witnesses keys) error {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	x, err := audit.ParseEvidence(text)
	if err != nil {
		return err
	}
	if len(log) == 0 {
		if err := log.Set(x.Key); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(e.err, "keng: the file's own word for the log's key; compare it: %s\n", x.Key); err != nil {
			return err
		}
	}
	if err := x.Check(log[0], witnesses...); err != nil {
		return fmt.Errorf("entry %d is not proven: %w", x.N, err)
	}
	_, err = fmt.Fprintf(e.out, "ok: entry %d of %s: %s\n%s\n", x.N, log[0].Name(), x.Text, x.Leaf)
	return err
}

// verifyData checks the log in a data folder, and every row against its leaf.
func verifyData(ctx context.Context, e env, o app.Options, log, witnesses keys) (err error) {
	if o.Database == "" && !exists(filepath.Join(o.Data, "keng.db")) {
		return fmt.Errorf("%s holds neither a log nor the data of a Keng", o.Data)
	}
	db, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	l := audit.New(db, db.Engine == store.Postgres, time.Now)
	if key := filepath.Join(o.Data, app.LogKey); len(log) == 0 && exists(key) {
		_, text, err := audit.LoadKey(key, "")
		if err != nil {
			return err
		}
		if err := log.Set(text); err != nil {
			return err
		}
	}
	signed, err := os.ReadFile(filepath.Join(o.Data, app.LogCheckpoint))
	switch {
	case errors.Is(err, os.ErrNotExist) || len(log) == 0:
		if _, err := fmt.Fprintln(e.out, "nothing was signed here yet"); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		v, err := audit.Verify(ctx, l.Files(signed), log[0], witnesses...)
		if err != nil {
			return err
		}
		if err := verdict(e, v, len(v.Wrong)); err != nil {
			return err
		}
	}
	r, err := l.VerifyRows(ctx)
	if err != nil {
		return err
	}
	return verdict(e, r, len(r.Wrong))
}
