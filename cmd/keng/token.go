package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"rsc.io/qr"

	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// withPeople runs f with the people of the database that o names, which must be
// there: a mistyped folder is told, and not made.
func withPeople(ctx context.Context, e env, o app.Options, f func(*store.DB, *people.Service) error) (err error) {
	db, err := app.OpenExisting(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	log, err := logger(e.err, "warn")
	if err != nil {
		return err
	}
	return f(db, people.New(db, log, func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }))
}

func token(ctx context.Context, e env, args []string) error {
	fs := flags(e, "token", "create --role ROLE --unit CODE [--expires 90d] [--read] | list | revoke --name NAME")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	role := fs.String("role", "", "desk, leader, auditor or admin")
	unit := fs.String("unit", "", "unit `code`, such as 04792, or the id of a group")
	name := fs.String("name", "", "what the token is for; made up when left out")
	expires := fs.String("expires", "", "for how `long` it is good: 90d, 12h; for ever when left out")
	reads := fs.Bool("read", false, "it reads and never acts")
	words, err := parse(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 {
		fs.Usage()
		return errUsage
	}
	lasts, err := length(*expires)
	if err != nil {
		return fmt.Errorf("--expires %s: say it as 90d or 12h", *expires)
	}
	return withPeople(ctx, e, o, func(_ *store.DB, v *people.Service) error {
		switch words[0] {
		case "create":
			secret, err := v.MakeToken(ctx, people.TokenWish{Role: people.Role(*role), Scope: place.ParseScope(*unit), Name: *name, For: lasts, Reads: *reads})
			if err != nil {
				return said(err)
			}
			_, err = fmt.Fprintln(e.out, secret)
			return err
		case "list":
			return listTokens(ctx, e, v)
		case "revoke":
			return said(v.RevokeToken(ctx, *name))
		}
		return fmt.Errorf("token %s: use create, list or revoke", words[0])
	})
}

// length reads a length of time: 90d, or as Go writes it. "" is 0, for ever.
func length(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	days := 1
	if n, ok := strings.CutSuffix(s, "d"); ok {
		s, days = n+"h", 24
	}
	d, err := time.ParseDuration(s)
	if err == nil && (d <= 0 || d > 100*365*time.Hour) {
		return 0, errors.New("out of range")
	}
	return d * time.Duration(days), err
}

// listTokens prints name, role, scope, what it may, when it was made, until when
// it is good.
func listTokens(ctx context.Context, e env, v *people.Service) error {
	tokens, err := v.Tokens(ctx)
	if err != nil {
		return err
	}
	day := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.Format(time.DateOnly)
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	for _, t := range tokens {
		may, until := "acts", day(t.Expires, "no end")
		if t.Reads {
			may = "reads"
		}
		if !t.Revoked.IsZero() {
			until = "revoked " + day(t.Revoked, "")
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.Name, t.Role, t.Scope, may, day(t.Made, ""), until)
	}
	return w.Flush()
}

func invite(ctx context.Context, e env, args []string) error {
	fs := flags(e, "invite", "--home HOME [--name NAME] | --role desk|auditor|admin --unit CODE --name NAME")
	var o app.Options
	fs.StringVar(&o.Data, "data", e.or("KENG_DATA", ""), "`folder` of the data (KENG_DATA)")
	fs.StringVar(&o.Database, "database", e.or("KENG_DATABASE", ""), "postgres:// `URL` (KENG_DATABASE)")
	home := fs.String("home", "", "`id` of the home, such as g1-h1")
	role := fs.String("role", "", "desk, auditor or admin, for an officer")
	unit := fs.String("unit", "", "unit `code` of the officer")
	name := fs.String("name", "", "who is invited, when the home has several members; the officer's name")
	base := fs.String("url", e.or("KENG_URL", "http://127.0.0.1:8080"), "`address` under which people reach Keng (KENG_URL)")
	if words, err := parse(fs, args); err != nil {
		return err
	} else if len(words) > 0 || *home == "" && *role == "" {
		fs.Usage()
		return errUsage
	}
	return withPeople(ctx, e, o, func(_ *store.DB, v *people.Service) error {
		var invites []people.Invite
		if *home != "" {
			list, err := v.InviteHome(ctx, place.HomeID(*home), *name)
			if err != nil {
				return said(err)
			}
			invites = list
		} else {
			i, err := v.InviteOfficer(ctx, people.Role(*role), place.UnitCode(*unit), *name)
			if err != nil {
				return said(err)
			}
			invites = []people.Invite{i}
		}
		return printInvites(e, *base, invites)
	})
}

// printInvites prints links, with a QR code each for a phone to read.
func printInvites(e env, base string, invites []people.Invite) error {
	for _, i := range invites {
		link := base + i.Path()
		code, err := qr.Encode(link, qr.M)
		if err != nil {
			return fmt.Errorf("draw QR: %w", err)
		}
		if _, err := fmt.Fprintf(e.out, "%s\n%s\n%s", i.Person.Name, link, drawQR(code)); err != nil {
			return err
		}
	}
	return nil
}

// drawQR draws c with half blocks, dark on light, with a quiet border.
func drawQR(c *qr.Code) string {
	const border = 2
	dark := func(x, y int) bool { return c.Black(x-border, y-border) }
	size := c.Size + 2*border
	out := make([]rune, 0, size*(size/2+1))
	for y := 0; y < size; y += 2 {
		for x := range size {
			switch top, low := dark(x, y), dark(x, y+1); {
			case top && low:
				out = append(out, ' ')
			case top:
				out = append(out, '▄')
			case low:
				out = append(out, '▀')
			default:
				out = append(out, '█')
			}
		}
		out = append(out, '\n')
	}
	return string(out)
}
