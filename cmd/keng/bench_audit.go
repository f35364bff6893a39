package main

import (
	"context"

	marks "github.com/keng-vn/keng/internal/village/bench"
)

// benchAudit measures the log of acts beside a plain hash chain and a bare insert.
func benchAudit(ctx context.Context, e env, args []string) error {
	o := marks.DefaultActs()
	fs := flags(e, "bench audit", "[flags]")
	fs.IntVar(&o.Runs, "runs", o.Runs, "how `often` each writer has its turn")
	fs.DurationVar(&o.Span, "span", o.Span, "how `long` one turn is")
	fs.IntVar(&o.Entries, "entries", o.Entries, "`entries` in the log that is verified")
	fs.IntVar(&o.Proofs, "proofs", o.Proofs, "`proofs` of fresh entries")
	fs.StringVar(&o.Database, "database", "", "postgres:// `URL` of an empty schema instead of SQLite in a temporary folder")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 {
		fs.Usage()
		return errUsage
	}
	return marks.Acts(ctx, o, e.out)
}
