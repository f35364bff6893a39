package people_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

var street = place.Group{ID: "g1", Commune: "04792", Name: "Tổ liên gia số 1"}

// watched counts whose keys were ended, and what was recorded.
type watched struct{ ended, recorded []string }

func watch(h *hall) *watched {
	w := &watched{}
	h.Renewed = func(_ context.Context, _ *sql.Tx, id people.ID) error {
		w.ended = append(w.ended, string(id))
		return nil
	}
	h.Record = func(_ context.Context, _ *sql.Tx, name, by string, on people.ID) error {
		w.recorded = append(w.recorded, name+" "+by+" "+string(on))
		return nil
	}
	return w
}

// TestANewPhoneEndsTheOldOneAndNeighboursSeeIt follows a resident who comes back.
func TestANewPhoneEndsTheOldOneAndNeighboursSeeIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		w := watch(h)
		leader, old := h.signIn(t, "h1"), h.signIn(t, "h2")
		by := h.ask(t, leader.Secret, "")
		unused, err := h.InviteHome(t.Context(), "h2", "")
		if err != nil {
			t.Fatal(err)
		}
		i, err := h.Reinvite(t.Context(), by, street, old.Person.ID, false)
		if err != nil || !i.Again {
			t.Fatal(i, err)
		}
		if h.ask(t, old.Secret, "").Nobody() || len(w.ended) != 0 {
			t.Error("the old phone went silent before the new one was there")
		}
		fresh, err := h.Redeem(t.Context(), i.Code)
		if err != nil {
			t.Fatal(err)
		}
		if !h.ask(t, old.Secret, "").Nobody() || h.ask(t, fresh.Secret, "").Nobody() {
			t.Error("the old session lives on, or the new one does not")
		}
		if _, err := h.Redeem(t.Context(), unused[0].Code); fault.KindOf(err) != fault.NotFound {
			t.Errorf("an invite from before still works: %v", err)
		}
		id := string(old.Person.ID)
		if !slices.Equal(w.ended, []string{id}) || !slices.Equal(w.recorded, []string{"people.reinvite " + string(by.Person) + " " + id, "people.renewed " + id + " " + id}) {
			t.Errorf("ended %v, recorded %v", w.ended, w.recorded)
		}
		shown := func() (shown []people.ID) {
			list, err := h.Phones(t.Context(), street, false)
			if err != nil || len(list) != 3 {
				t.Fatal(list, err)
			}
			for _, p := range list {
				if p.New != nil {
					shown = append(shown, p.Person)
				}
				if p.In {
					t.Error("a neighbour is told who is signed in")
				}
			}
			return shown
		}
		if got := shown(); !slices.Equal(got, []people.ID{old.Person.ID}) {
			t.Errorf("new phones: %v", got)
		}
		h.pass(people.NewPhoneFor - time.Minute)
		if len(shown()) != 1 {
			t.Error("forgotten before seven days")
		}
		h.pass(2 * time.Minute)
		if len(shown()) != 0 {
			t.Error("still new after seven days")
		}
	})
}

func TestALostPhoneIsLockedOutAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		w := watch(h)
		leader, old := h.signIn(t, "h1"), h.signIn(t, "h2")
		felt := h.Felt()
		if _, err := h.Reinvite(t.Context(), h.ask(t, leader.Secret, ""), street, old.Person.ID, true); err != nil {
			t.Fatal(err)
		}
		if !h.ask(t, old.Secret, "").Nobody() || len(w.ended) != 1 { // within the second in which it would be remembered
			t.Error("the lost phone is still let in")
		}
		select {
		case <-felt:
		default:
			t.Error("nobody who waits was told")
		}
		_, err := h.Reinvite(t.Context(), people.Actor{}, place.Group{ID: "g2"}, old.Person.ID, true)
		wantKind(t, err, fault.NotFound, "people.unknown")
	})
}

// TestAnOfficerComesBackByTwoColleagues: nobody alone, not himself, not a stranger.
func TestAnOfficerComesBackByTwoColleagues(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		w := watch(h)
		sign := func(role people.Role, unit place.UnitCode, name string) people.Actor {
			p, err := h.Officer(t.Context(), role, unit, name)
			if err != nil {
				t.Fatal(err)
			}
			s, err := h.SignIn(t.Context(), p.ID)
			if err != nil {
				t.Fatal(err)
			}
			return h.ask(t, s.Secret, "")
		}
		lost, first, second := sign(people.Desk, "04792", "Tuấn"), sign(people.Desk, "04792", "Hà"), sign(people.Auditor, "25", "Minh")
		other, member := sign(people.Desk, "04795", "Toàn"), h.ask(t, h.signIn(t, "h1").Secret, "")
		program := people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}
		for name, a := range map[string]people.Actor{"of another ward": other, "a resident": member, "a program": program, "nobody": {}} {
			_, err := h.AskRenewal(t.Context(), a, lost.Person)
			wantKind(t, err, fault.NotFound, "people.unknown")
			if list, err := h.Colleagues(t.Context(), a); err == nil && slices.ContainsFunc(list, func(c people.Colleague) bool { return c.Person == lost.Person }) {
				t.Errorf("%s sees the officer", name)
			}
		}
		_, err := h.AskRenewal(t.Context(), lost, lost.Person)
		wantKind(t, err, fault.Denied, "people.not_yourself")
		r, err := h.AskRenewal(t.Context(), first, lost.Person)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.AskRenewal(t.Context(), second, lost.Person)
		wantKind(t, err, fault.Conflict, "people.renewal_open")
		_, err = h.AgreeRenewal(t.Context(), first, r.ID)
		wantKind(t, err, fault.Denied, "people.two_needed")
		_, err = h.AgreeRenewal(t.Context(), lost, r.ID)
		wantKind(t, err, fault.Denied, "people.not_yourself")
		_, err = h.AgreeRenewal(t.Context(), other, r.ID)
		wantKind(t, err, fault.NotFound, "people.unknown")
		if len(w.ended) != 0 || !strings.Contains(storetest.Dump(t, h.db, "session"), string(lost.Person)) {
			t.Fatal("keys or sessions ended before two had agreed")
		}
		list, err := h.Colleagues(t.Context(), second)
		if err != nil {
			t.Fatal(err)
		}
		k := slices.IndexFunc(list, func(c people.Colleague) bool { return c.Person == lost.Person })
		if k < 0 || list[k].Renewal == nil || list[k].Renewal.By != "Hà" || list[k].Renewal.Mine {
			t.Fatalf("%+v", list)
		}
		i, err := h.AgreeRenewal(t.Context(), second, r.ID)
		if err != nil || i.Person.ID != lost.Person || !slices.Equal(w.ended, []string{string(lost.Person)}) {
			t.Fatalf("%+v, %v, ended %v", i, err, w.ended)
		}
		if dump := storetest.Dump(t, h.db, "session"); strings.Contains(dump, string(lost.Person)) {
			t.Error("a session of the officer lives on")
		}
		_, err = h.AgreeRenewal(t.Context(), second, r.ID)
		wantKind(t, err, fault.NotFound, "people.renewal_unknown")
		if _, err := h.Redeem(t.Context(), i.Code); err != nil {
			t.Fatal(err)
		}
		again, err := h.AskRenewal(t.Context(), first, lost.Person)
		if err != nil {
			t.Fatal(err)
		}
		wantKind(t, h.RefuseRenewal(t.Context(), other, again.ID), fault.NotFound, "people.renewal_unknown")
		if err := h.RefuseRenewal(t.Context(), lost, again.ID); err != nil { // he has lost nothing
			t.Error(err)
		}
		_, err = h.AgreeRenewal(t.Context(), second, again.ID)
		wantKind(t, err, fault.NotFound, "people.renewal_unknown")
		late, err := h.AskRenewal(t.Context(), first, lost.Person)
		if err != nil {
			t.Fatal(err)
		}
		h.pass(people.RenewWithin + time.Second)
		_, err = h.AgreeRenewal(t.Context(), second, late.ID)
		wantKind(t, err, fault.NotFound, "people.renewal_unknown")
		if len(w.recorded) != 6 { // 3 asked, 1 agreed, 1 came back, 1 refused
			t.Errorf("recorded %q", w.recorded)
		}
	})
}

// TestAColleagueWhoLeftDoesNotCount: both must be colleagues when it is agreed.
func TestAColleagueWhoLeftDoesNotCount(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	at := func(unit place.UnitCode, name string) people.Actor {
		p, err := h.Officer(t.Context(), people.Desk, unit, name)
		if err != nil {
			t.Fatal(err)
		}
		return people.Actor{Person: p.ID, Name: name, Role: p.Role, Scope: p.Scope}
	}
	lost, first, second := at("04792", "Tuấn"), at("04792", "Hà"), at("04792", "Minh")
	r, err := h.AskRenewal(t.Context(), first, lost.Person)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Exec(t.Context(), `UPDATE people_grant SET unit = '04795' WHERE person = $1`, first.Person); err != nil {
		t.Fatal(err)
	}
	_, err = h.AgreeRenewal(t.Context(), second, r.ID)
	wantKind(t, err, fault.Denied, "people.two_needed")
}

func TestSessionsAreListedAndEndedByTheirOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		stranger := h.signIn(t, "h2")
		var mine []people.Session
		for range 3 {
			mine = append(mine, h.signIn(t, "h1"))
			h.pass(time.Minute)
		}
		id := mine[0].Person.ID
		list, err := h.Sessions(t.Context(), id, mine[2].Secret)
		if err != nil || len(list) != 3 || !list[0].Current || list[1].Current || list[0].Way != people.ByInvite || !list[0].Began.After(list[2].Began) {
			t.Fatalf("%+v, %v", list, err)
		}
		theirs, err := h.Sessions(t.Context(), stranger.Person.ID, "")
		if err != nil || len(theirs) != 1 {
			t.Fatal(theirs, err)
		}
		wantKind(t, h.EndSession(t.Context(), id, theirs[0].ID), fault.NotFound, "session_unknown")
		wantKind(t, h.EndSession(t.Context(), id, ""), fault.NotFound, "session_unknown")
		h.ask(t, mine[1].Secret, "") // remembered
		if err := h.EndSession(t.Context(), id, list[1].ID); err != nil || !h.ask(t, mine[1].Secret, "").Nobody() {
			t.Errorf("an ended session lives on: %v", err)
		}
		if n, err := h.EndOthers(t.Context(), id, mine[2].Secret); err != nil || n != 1 || !h.ask(t, mine[0].Secret, "").Nobody() || h.ask(t, mine[2].Secret, "").Nobody() {
			t.Errorf("%d ended, %v", n, err)
		}
		if h.ask(t, stranger.Secret, "").Nobody() {
			t.Error("somebody else was signed out")
		}
	})
}

func TestTokensEndAndMayOnlyRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		short, err := h.MakeToken(t.Context(), people.TokenWish{Role: people.Desk, Scope: place.Scope{Unit: "04792"}, Name: "short", For: 90 * 24 * time.Hour, Reads: true})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.MakeToken(t.Context(), people.TokenWish{Role: people.Desk, Scope: place.Scope{Unit: "04792"}, For: -time.Second})
		wantKind(t, err, fault.Invalid, "token_past")
		b := newGate(t, h).browser()
		for method, want := range map[string]int{"GET": 200, "POST": 403} {
			path := map[string]string{"GET": "/api/v1/me", "POST": "/api/v1/sign-out"}[method]
			if a := b.as(short).do(method, path, nil); a.status != want {
				t.Errorf("%s with a token that reads: %d %s", method, a.status, a.body)
			}
		}
		h.pass(90*24*time.Hour - time.Second)
		if h.ask(t, "", short).Nobody() {
			t.Error("ended too early")
		}
		h.pass(time.Second)
		if !h.ask(t, "", short).Nobody() {
			t.Error("an expired token is good")
		}
		list, err := h.Tokens(t.Context())
		if err != nil || len(list) != 1 || !list[0].Reads || list[0].Expires.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
