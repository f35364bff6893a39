package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/signin"
)

// signIn builds what lets people in.
func (a *App) signIn() error {
	if err := errors.Join(checkOrigin(a.Origin), people.CheckRules(a.Rules)); err != nil {
		return err
	}
	a.People = people.New(a.DB, a.Log, a.Now)
	a.People.Secure, a.People.Rules = a.secure(), a.Rules
	a.People.Ways.Origin = a.Origin
	a.SignIn = signin.New(a.DB, a.People, a.Log, a.Now)
	a.SignIn.Origin, a.SignIn.Province = a.Origin, a.Province
	a.People.Ways.Keys, a.People.Ways.Province = true, a.Province != nil
	a.People.Record = func(ctx context.Context, tx *sql.Tx, name, by string, on people.ID) error {
		_, err := a.Audit.Append(ctx, tx, audit.Act{Name: name, By: by, On: "person/" + string(on), Of: []string{string(on)}})
		return err
	}
	a.SignIn.Record = a.People.Record
	return nil
}

// secure reports whether everybody comes by https, to Keng itself or to a proxy
// in front of it.
func (a *App) secure() bool { return a.Cert != "" || strings.HasPrefix(a.Origin, "https://") }

// checkOrigin refuses what no browser calls an origin. Plain http is for this
// machine alone: a key or a cookie must not travel in the clear.
func checkOrigin(origin string) error {
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && u.Hostname() == "localhost") {
		return nil
	}
	return fmt.Errorf("--origin %q: say it as https://keng.example.vn, without a path; http only for localhost", origin)
}
