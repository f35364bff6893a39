package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/app"
)

// auditData reads the whole journal and says whether it is whole.
func auditData(ctx context.Context, e env, args []string) (err error) {
	fs := flags(e, "audit", "--data DIR")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	if _, err := parse(fs, args); err != nil {
		return err
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
