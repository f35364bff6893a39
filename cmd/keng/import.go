package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/village"
)

func importFile(ctx context.Context, e env, args []string) (err error) {
	if isList(args) {
		return importPeople(ctx, e, args)
	}
	fs := flags(e, "import", "village FILE | boundaries FILE | people FILE.xlsx --unit CODE | undo ID   (FILE - reads standard input)")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	check := fs.Bool("check", false, "a dry run: say what would change, change nothing")
	prune := fs.Bool("prune", false, "remove what the file's groups have and the file does not name")
	custom := fs.String("rules", e.or("KENG_RULES", ""), "CSV `file` of dated rules instead of those built in (KENG_RULES)")
	lang := fs.String("lang", e.or("KENG_LANG", "vi"), "language of the report, vi or en (KENG_LANG)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 2 || !slices.Contains([]string{"village", "boundaries"}, words[0]) {
		fs.Usage()
		return errUsage
	}
	in, err := open(words[1])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	db, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if words[0] == "boundaries" {
		t, err := place.ImportBoundaries(ctx, db, in)
		if err != nil {
			return said(err)
		}
		_, err = fmt.Fprintf(e.out, "boundaries: %d added, %d changed, %d unchanged\n", t.Added, t.Changed, t.Unchanged)
		return err
	}
	limits, err := readRules(*custom)
	if err != nil {
		return err
	}
	r := rules()
	r.Sizes(limits, place.Province().Code, time.Now())
	rep, err := village.Import(ctx, db, in, village.Options{Rules: r, Check: *check, Prune: *prune})
	l := say.Lang(*lang)
	if werr := rep.Write(e.out, l); werr != nil {
		return errors.Join(err, werr)
	}
	if rep.Rows.Bad() {
		return errors.New(say.In(l).Text("village.refused", nil))
	}
	return said(err)
}

// rules are what the slices want of a village file.
func rules() village.Rules {
	return village.Rules{Plan: func(text string) error { _, err := alarm.ParsePlans(text); return err }}
}

// readRules reads the operator's own dated rules; "" is those built in.
func readRules(file string) (place.Rules, error) {
	if file == "" {
		return place.BuiltInRules(), nil
	}
	in, err := open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	return place.ReadRules(in)
}

func open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(name) // #nosec G304 -- the operator names it
}
