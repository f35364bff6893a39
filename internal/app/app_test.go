package app

import (
	"context"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/village"
)

// whole starts a whole Keng with the demo's village in it.
func whole(t *testing.T, change func(*Options)) *App {
	t.Helper()
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"}
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := village.Demo(t.Context(), db, people.New(db, nil, time.Now)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&o)
	}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// street is a whole Keng and a secret for each of askers: a session for those who
// live somewhere, a token for officers.
func street(t *testing.T) (*App, map[string]string) {
	t.Helper()
	a := whole(t, nil)
	who := map[string]string{"nobody": ""}
	signInAgain(t, a, who)
	for asker, r := range map[string]struct {
		role  people.Role
		scope string
	}{"leader": {people.Leader, "g1"}, "desk": {people.Desk, "04792"}, "other desk": {people.Desk, "04795"}, "auditor": {people.Auditor, "04792"}, "admin": {people.Admin, "25"}} {
		s, err := a.People.CreateToken(t.Context(), r.role, place.ParseScope(r.scope), asker)
		if err != nil {
			t.Fatal(err)
		}
		who[asker] = s
	}
	return a, who
}

// signInAgain gives the residents new sessions.
func signInAgain(t *testing.T, a *App, who map[string]string) {
	t.Helper()
	for asker, h := range map[string]place.HomeID{"resident": "g1-h3", "other resident": "g3-h3"} {
		s, err := a.People.SignIn(t.Context(), a.Book.Home(h)[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		who[asker] = s.Secret
	}
}
