package duty

import (
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

type desks struct{}

func (desks) MayHandover(a people.Actor) bool { return a.Role == people.Desk }
func (desks) May(a people.Actor, verb string, on people.Thing) bool {
	return people.Rights{}.May(a, verb, on)
}
func (desks) MayReadHandovers(a people.Actor) bool { return a.Role == people.Desk }

func TestHandover(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), Migrations); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
		v := &Service{DB: db, Rights: desks{}, Now: func() time.Time { at = at.Add(time.Minute); return at }}
		here := people.Actor{Person: "p1", Name: "Đại uý Tuấn", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}
		there := people.Actor{Person: "p2", Name: "X", Role: people.Desk, Scope: place.Scope{Unit: "04795"}}
		for range 2 { // the outbox sends twice
			if _, err := v.Leave(t.Context(), here, "k1", "  Tổ 5 còn khói  "); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := v.Leave(t.Context(), here, "k2", "Bàn giao chìa khoá"); err != nil {
			t.Fatal(err)
		}
		got, err := v.Read(t.Context(), here)
		if err != nil || len(got) != 2 || got[0].Text != "Bàn giao chìa khoá" || got[1].Text != "Tổ 5 còn khói" {
			t.Errorf("notes %+v, %v", got, err)
		}
		if got, err := v.Read(t.Context(), there); err != nil || len(got) != 0 {
			t.Errorf("another commune reads %+v, %v", got, err)
		}
		member := people.Actor{Person: "p3", Role: people.Member}
		if _, err := v.Read(t.Context(), member); fault.KindOf(err) != fault.Denied {
			t.Errorf("a member reads: %v", err)
		}
		for _, text := range []string{" ", strings.Repeat("ă", longest+1)} {
			if _, err := v.Leave(t.Context(), here, "", text); fault.KindOf(err) != fault.Invalid {
				t.Errorf("accepted %d letters: %v", len(text), err)
			}
		}
	})
}
