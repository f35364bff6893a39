package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/register"
)

// list is what the commands about lists of households share.
type list struct {
	o    app.Options
	unit string
	lang string
}

// flags fills l from flags and environment.
func (l *list) flags(e env, name, args string) (read func([]string) ([]string, error), check *bool, usage func()) {
	fs := flags(e, name, args)
	fs.StringVar(&l.o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&l.o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	fs.StringVar(&l.unit, "unit", "", "`code` of the commune or ward, such as 04792")
	fs.StringVar(&l.lang, "lang", e.or("KENG_LANG", "vi"), "language of the report, vi or en (KENG_LANG)")
	check = fs.Bool("check", false, "a dry run: say what would change, change nothing")
	return func(a []string) ([]string, error) { return parse(fs, a) }, check, fs.Usage
}

// open runs f with the register of the database.
func (l list) open(ctx context.Context, f func(*register.Service) error) (err error) {
	db, err := app.Open(ctx, l.o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now := func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	return f(&register.Service{DB: db, Rights: people.Rights{}, Wires: app.Unwired(), Log: audit.New(db, db.Engine == store.Postgres, now), Now: now})
}

// importPeople takes a list of households, or takes one back:
// import people FILE.xlsx | import undo ID.
func importPeople(ctx context.Context, e env, args []string) error {
	var l list
	read, check, usage := l.flags(e, "import", "people FILE.xlsx --unit CODE | undo ID")
	words, err := read(args)
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] == "people" && l.unit == "" {
		usage()
		return errUsage
	}
	b := say.In(say.Lang(l.lang))
	return l.open(ctx, func(v *register.Service) error {
		if words[0] == "undo" {
			kept, err := v.Undo(ctx, register.Operator(), words[1])
			if err != nil {
				return said(err)
			}
			for _, k := range kept {
				_, _ = fmt.Fprintln(e.out, b.Text("register.kept", map[string]any{"name": k.Name}))
			}
			_, err = fmt.Fprintln(e.out, b.Text("register.undone", nil))
			return err
		}
		in, err := open(words[1])
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		rep, err := v.Import(ctx, register.Operator(), place.UnitCode(l.unit), words[1], in, *check)
		tell(e.out, b, rep, say.Lang(l.lang))
		return said(err)
	})
}

// tell writes a report for the operator who typed the command. It holds names: it
// belongs on his screen, not in a log.
func tell(w io.Writer, b say.Book, rep register.Report, l say.Lang) {
	line := func(key string, args map[string]any) { _, _ = fmt.Fprintln(w, b.Text(key, args)) }
	for _, x := range rep.Wrong {
		if x.Row == 0 {
			line("register.file", map[string]any{"text": strings.TrimSpace(x.Column + " " + x.Text(l))})
			continue
		}
		line("register.row", map[string]any{"row": x.Row, "column": x.Column, "text": x.Text(l)})
	}
	if len(rep.Ignored) > 0 {
		line("register.ignored", map[string]any{"columns": strings.Join(rep.Ignored, ", ")})
	}
	if rep.Bad() {
		return
	}
	tally := func(what string, t register.Tally) {
		line("register.tally", map[string]any{"what": what, "added": t.Added, "changed": t.Changed, "unchanged": t.Unchanged})
	}
	tally(b.Text("register.groups", nil), rep.Groups)
	tally(b.Text("register.homes", nil), rep.Homes)
	tally(b.Text("register.people", nil), rep.People)
	switch {
	case !rep.Changes():
		line("register.nothing_changes", nil)
	case rep.Checked:
		line("register.checked", nil)
	case rep.ID != "":
		line("register.imported", map[string]any{"id": rep.ID})
	}
}

// export writes the list of households: export people [FILE.xlsx].
func export(ctx context.Context, e env, args []string) error {
	var l list
	read, _, usage := l.flags(e, "export", "people FILE.xlsx --unit CODE   (FILE - writes standard output)")
	words, err := read(args)
	if err != nil {
		return err
	}
	if len(words) != 2 || words[0] != "people" || l.unit == "" {
		usage()
		return errUsage
	}
	return l.open(ctx, func(v *register.Service) (err error) {
		out := io.WriteCloser(nopCloser{e.out})
		if words[1] != "-" {
			if out, err = os.OpenFile(words[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil { // #nosec G304 -- the operator names it
				return err
			}
		}
		defer func() { err = errors.Join(err, out.Close()) }()
		return said(v.Export(ctx, register.Operator(), place.UnitCode(l.unit), out))
	})
}

type nopCloser struct{ io.Writer }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }

// isList reports whether args ask for a list of households.
func isList(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return a == "people" || a == "undo" })
}
