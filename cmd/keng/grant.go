package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// grant makes the first two chiefs of a unit, who from then on give every other
// role in the console, and lists who holds what.
func grant(ctx context.Context, e env, args []string) error {
	fs := flags(e, "grant", "first --unit CODE --name NAME | list")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	unit := fs.String("unit", "", "unit `code` of the chief, such as 04792")
	name := fs.String("name", "", "the chief's name")
	base := fs.String("url", e.or("KENG_URL", "http://127.0.0.1:8080"), "`address` under which people reach Keng (KENG_URL)")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "first" && words[0] != "list" {
		fs.Usage()
		return errUsage
	}
	return withPeople(ctx, e, o, func(db *store.DB, v *people.Service) error {
		d, err := place.Load(ctx, db)
		if err != nil {
			return err
		}
		g := &people.Grants{DB: db, Places: func() *place.Directory { return d }, Record: audit.New(db, db.Engine == store.Postgres, v.Now), Now: v.Now}
		if words[0] == "list" {
			return listGrants(ctx, e, db, g)
		}
		p, err := g.First(ctx, place.UnitCode(*unit), *name)
		if err != nil {
			return said(err)
		}
		i, err := v.InviteOfficer(ctx, people.Chief, place.UnitCode(*unit), p.Name)
		if err != nil {
			return said(err)
		}
		return printInvites(e, *base, []people.Invite{i})
	})
}

func listGrants(ctx context.Context, e env, db *store.DB, g *people.Grants) error {
	book, err := people.OpenBook(ctx, db)
	if err != nil {
		return err
	}
	all, err := g.All(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	for _, x := range all {
		until := "-"
		if !x.Until.IsZero() {
			until = x.Until.Format(time.DateOnly)
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", book.Name(x.Person), x.Role, x.At, x.State, until)
	}
	return w.Flush()
}
