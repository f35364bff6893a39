package people_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// hall is a village with two homes, a clock that stands still until it is moved,
// and the service.
type hall struct {
	*people.Service
	db  *store.DB
	mu  sync.Mutex
	now time.Time
}

func (h *hall) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func build(t *testing.T, dsn string) *hall {
	t.Helper()
	h := &hall{db: storetest.Open(t, dsn), now: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)}
	if err := h.db.Migrate(t.Context(), place.Migrations, people.Migrations); err != nil {
		t.Fatal(err)
	}
	h.Service = people.New(h.db, slog.New(slog.DiscardHandler), func() time.Time {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.now
	})
	h.Hurry()
	h.tx(t, func(tx *sql.Tx) error {
		_, err := place.Put(t.Context(), tx, []place.Group{{ID: "g1", Commune: "04792", Name: "Tổ liên gia số 1", Homes: []place.Home{{ID: "h1", Name: "Nhà số 10"}, {ID: "h2", Name: "Nhà số 12"}}}}, false)
		return err
	})
	h.put(t, false, lan(), binh())
	return h
}

func lan() people.Household {
	return people.Household{Home: "h1", Group: "g1", Members: []people.NewMember{{Name: "Bùi Thị Lan", Phone: "+84900000001", Role: people.Leader}, {Name: "Bùi Văn Hoà", Role: people.Member}}}
}

func binh() people.Household {
	return people.Household{Home: "h2", Group: "g1", Members: []people.NewMember{{Name: "Nguyễn Văn Bình", Phone: "+84900000002", Role: people.Member}}}
}

func (h *hall) tx(t *testing.T, f func(*sql.Tx) error) {
	t.Helper()
	if err := h.db.Tx(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func (h *hall) put(t *testing.T, prune bool, list ...people.Household) place.Tally {
	t.Helper()
	var c place.Tally
	h.tx(t, func(tx *sql.Tx) (err error) {
		c, err = people.Put(t.Context(), tx, list, prune)
		return err
	})
	return c
}

func (h *hall) book(t *testing.T) *people.Book {
	t.Helper()
	b, err := people.OpenBook(t.Context(), h.db)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// signIn invites everybody of a home and redeems the first invite.
func (h *hall) signIn(t *testing.T, home place.HomeID) people.Session {
	t.Helper()
	list, err := h.InviteHome(t.Context(), home, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Redeem(t.Context(), list[0].Code)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(secret, token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	if secret != "" {
		for _, name := range []string{people.Cookie, people.SecureCookie} {
			r.AddCookie(&http.Cookie{Name: name, Value: secret})
		}
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

func (h *hall) ask(t *testing.T, secret, token string) people.Actor {
	t.Helper()
	a, err := h.Authenticate(request(secret, token))
	if err != nil && fault.KindOf(err) != fault.Unknown {
		t.Fatal(err)
	}
	if (err == nil) == a.Nobody() {
		t.Errorf("%+v with %v", a, err)
	}
	return a
}

func wantKind(t *testing.T, err error, k fault.Kind, key string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != k || !strings.Contains(err.Error(), key) {
		t.Errorf("error %v, want kind %d, %s", err, k, key)
	}
}

func TestMembersAreKnownAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		before := h.book(t).Home("h1")
		if got := h.put(t, true, lan(), binh()); !cmp.Equal(got, place.Tally{Unchanged: 3}) {
			t.Errorf("the same again: %+v", got)
		}
		moved := lan()
		moved.Members[0].Name = "Bà Lan"       // known by her telephone
		moved.Members[1].Name = "BÙI VĂN HÒA"  // known in another spelling
		moved.Members[1].Phone = "+8490000009" // and reachable now
		if got := h.put(t, true, moved); !cmp.Equal(got, place.Tally{Changed: 2}) {
			t.Errorf("changed: %+v", got)
		}
		after := h.book(t).Home("h1")
		if len(after) != 2 || after[0].ID != before[0].ID || after[1].ID != before[1].ID || after[0].Name != "Bà Lan" {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
	})
}

func TestWhoIsNotNamedStaysUnlessPruned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		list, err := h.InviteHome(t.Context(), "h1", "bui van hoa")
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		s, err := h.Redeem(t.Context(), list[0].Code)
		if err != nil {
			t.Fatal(err)
		}
		alone := lan()
		alone.Members = alone.Members[:1]
		if got := h.put(t, false, alone); got.Removed != 0 || !slices.Equal(got.Absent, []string{"h1 Bùi Văn Hoà"}) {
			t.Errorf("without prune: %+v", got)
		}
		if a := h.ask(t, s.Secret, ""); a.Name != "Bùi Văn Hoà" {
			t.Errorf("asker %+v", a)
		}
		if got := h.put(t, true, alone); got.Removed != 1 || got.Unchanged != 1 {
			t.Errorf("with prune: %+v", got)
		}
		h.pass(time.Second + time.Millisecond)
		if a := h.ask(t, s.Secret, ""); !a.Nobody() {
			t.Errorf("a removed person is still signed in: %+v", a)
		}
		if p := h.book(t).Home("h2"); len(p) != 1 {
			t.Errorf("prune took somebody of another home: %+v", p)
		}
		h.tx(t, func(tx *sql.Tx) error {
			n, err := people.Leave(t.Context(), tx, []place.HomeID{"h2", "h9"})
			if n != 1 {
				t.Errorf("%d left", n)
			}
			return err
		})
		if p := h.book(t).Home("h2"); len(p) != 0 {
			t.Errorf("still there: %+v", p)
		}
	})
}

func TestBook(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := h.book(t)
	leader, ok := b.LeaderOf("g1")
	if !ok || leader.Name != "Bùi Thị Lan" || b.Name(leader.ID) != leader.Name || b.PhoneOf("h1") != leader.Phone || len(b.Group("g1")) != 3 {
		t.Errorf("leader %+v, group %+v", leader, b.Group("g1"))
	}
	if _, ok := b.LeaderOf("g2"); ok || b.Name("p-gone") != "" || b.PhoneOf("h9") != "" {
		t.Error("somebody lives nowhere")
	}
	v, err := place.Version(t.Context(), h.db.Read())
	if err != nil {
		t.Fatal(err)
	}
	p, err := h.Officer(t.Context(), people.Desk, "04792", " Đại uý Hà Minh Tuấn ")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.Officer(t.Context(), people.Desk, "04792", "Đại uý Hà Minh Tuấn"); err != nil || again != p {
		t.Errorf("the same officer is %+v, %v", again, err)
	}
	if now, err := place.Version(t.Context(), h.db.Read()); err != nil || now != v+1 {
		t.Errorf("version %d after %d, %v: other processes must learn of a new officer, once", now, v, err)
	}
	if err := b.Reload(t.Context()); err != nil || b.Name(p.ID) != "Đại uý Hà Minh Tuấn" {
		t.Errorf("%q, %v", b.Name(p.ID), err)
	}
}

func TestAnInviteWorksOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		list, err := h.InviteHome(t.Context(), "h1", "")
		if err != nil || len(list) != 2 || list[0].Person.Name != "Bùi Thị Lan" {
			t.Fatalf("%+v, %v", list, err)
		}
		i := list[0]
		if len(i.Code) != 12 || i.Path() != "/i/"+i.Code || len(people.ShowCode(i.Code)) != 14 || i.Expires != h.Now().Add(7*24*time.Hour) {
			t.Errorf("invite %+v", i)
		}
		for range 2 { // opening uses nothing up
			if p, err := h.OpenInvite(t.Context(), strings.ToLower(people.ShowCode(i.Code))); err != nil || p != i.Person {
				t.Errorf("%+v, %v", p, err)
			}
		}
		s, err := h.Redeem(t.Context(), i.Code)
		if err != nil || s.Person != i.Person {
			t.Fatalf("%+v, %v", s, err)
		}
		_, err = h.Redeem(t.Context(), i.Code)
		wantKind(t, err, fault.NotFound, "people.invite_not_good")
		_, err = h.OpenInvite(t.Context(), i.Code)
		wantKind(t, err, fault.NotFound, "people.invite_not_good")
		want := people.Actor{Person: s.Person.ID, Name: "Bùi Thị Lan", Role: people.Leader, Home: "h1", Group: "g1", Scope: place.Scope{Group: "g1"}}
		want.Posts = people.PostsOf(people.Post{Role: people.Leader, At: want.Scope, From: time.UnixMilli(0), By: people.ByVillage})
		if diff := cmp.Diff(want, h.ask(t, s.Secret, "")); diff != "" {
			t.Error(diff)
		}
		h.pass(7*24*time.Hour - time.Millisecond)
		if _, err = h.OpenInvite(t.Context(), list[1].Code); err != nil {
			t.Error(err)
		}
		h.pass(time.Millisecond)
		_, err = h.OpenInvite(t.Context(), list[1].Code)
		wantKind(t, err, fault.NotFound, "people.invite_not_good")
		_, err = h.Redeem(t.Context(), list[1].Code)
		wantKind(t, err, fault.NotFound, "people.invite_not_good")
	})
}

func TestOfManyWhoRedeemOneInviteOneGetsIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		list, err := h.InviteHome(t.Context(), "h2", "")
		if err != nil {
			t.Fatal(err)
		}
		const n = 12
		in := make(chan error, n)
		for range n {
			go func() {
				_, err := h.Redeem(t.Context(), list[0].Code)
				in <- err
			}()
		}
		entered := 0
		for range n {
			if err := <-in; err == nil {
				entered++
			} else if fault.KindOf(err) != fault.NotFound {
				t.Error(err)
			}
		}
		if entered != 1 {
			t.Errorf("%d got in", entered)
		}
	})
}

func TestInvitesNeedSomebody(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	for _, c := range []struct {
		home place.HomeID
		name string
	}{{"h9", ""}, {"", ""}, {"h1", "Nguyễn Văn Bình"}} {
		_, err := h.InviteHome(t.Context(), c.home, c.name)
		wantKind(t, err, fault.NotFound, "people.home_without_members")
	}
	for _, c := range []struct {
		role people.Role
		unit place.UnitCode
		name string
		key  string
	}{{people.Member, "04792", "X", "role_unknown"}, {people.Desk, "4792", "X", "unit_unknown"}, {people.Desk, "", "X", "unit_unknown"}, {people.Desk, "04792", "  ", "name_needed"}} {
		_, err := h.InviteOfficer(t.Context(), c.role, c.unit, c.name)
		wantKind(t, err, fault.Invalid, c.key)
	}
}

// TestSecretsAreNotStored reads everything that the tables hold.
func TestSecretsAreNotStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		list, err := h.InviteHome(t.Context(), "h1", "")
		if err != nil {
			t.Fatal(err)
		}
		s, err := h.Redeem(t.Context(), list[0].Code)
		if err != nil {
			t.Fatal(err)
		}
		token, err := h.CreateToken(t.Context(), people.Desk, place.Scope{Unit: "04792"}, "desk")
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, table := range []string{"invite", "session", "token", "person"} {
			all.WriteString(storetest.Dump(t, h.db, table))
		}
		if !strings.Contains(all.String(), string(s.Person.ID)) {
			t.Fatal("nothing was read")
		}
		for _, secret := range []string{list[0].Code, list[1].Code, s.Secret, token, strings.TrimPrefix(token, "keng_")} {
			if strings.Contains(strings.ToLower(all.String()), strings.ToLower(secret)) {
				t.Errorf("secret %q is stored", secret)
			}
		}
	})
}

func TestSessionsOfResidentsSlideAndOfOfficersEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		s := h.signIn(t, "h1")
		i, err := h.InviteOfficer(t.Context(), people.Desk, "04792", "Đại uý Tuấn")
		if err != nil {
			t.Fatal(err)
		}
		o, err := h.Redeem(t.Context(), i.Code)
		if err != nil {
			t.Fatal(err)
		}
		g := newGate(t, h)
		for h.pass(10 * time.Minute); !h.ask(t, o.Secret, "").Nobody(); h.pass(10 * time.Minute) { // an open desk asks all the time
			if g.visit(o.Secret) != "" {
				t.Fatal("an officer's cookie was written again")
			}
			tidy(t, h)
		}
		if worked := h.Now().Sub(o.Ends); worked < 0 || worked > 10*time.Minute {
			t.Errorf("the shift ended %v after its 12 hours", worked)
		}
		for day := range 400 { // in use now and then: never ends
			if day%150 == 1 {
				if g.visit(s.Secret) == "" {
					t.Fatalf("day %d: the cookie was not written again", day)
				}
				if again := g.visit(s.Secret); again != "" {
					t.Fatalf("day %d: the cookie was written twice: %s", day, again)
				}
				tidy(t, h)
			}
			h.pass(24 * time.Hour)
		}
		if h.ask(t, s.Secret, "").Nobody() {
			t.Fatal("a session in use ended")
		}
		tidy(t, h)
		h.pass(180*24*time.Hour + time.Minute)
		if !h.ask(t, s.Secret, "").Nobody() {
			t.Error("a session that nobody used for 180 days is still good")
		}
		tidy(t, h)
		if left := storetest.Dump(t, h.db, "session"); left != "" {
			t.Errorf("expired sessions are kept: %s", left)
		}
	})
}

// TestADeskThatIsLeftSignsItselfOut: a quarter of an hour without an open screen.
func TestADeskThatIsLeftSignsItselfOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		p, err := h.Officer(t.Context(), people.Desk, "04792", "Đại uý Tuấn")
		if err != nil {
			t.Fatal(err)
		}
		s, err := h.SignIn(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // used, and not yet written
			if h.pass(14 * time.Minute); h.ask(t, s.Secret, "").Nobody() {
				t.Fatal("a desk in use was signed out")
			}
		}
		if h.pass(16 * time.Minute); !h.ask(t, s.Secret, "").Nobody() {
			t.Error("a desk that was left is still signed in")
		}
	})
}

func TestHowLongSessionsLastIsConfiguration(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	rules, err := place.ReadRules(strings.NewReader("key,unit,from,until,value,source\nsession.idle.resident,,2026-01-01,,48h,x\nsession.idle.leader,,2026-01-01,,1h,x\nsession.most.leader,,2026-01-01,,90m,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	h.Rules = rules
	leader, member := h.signIn(t, "h1"), h.signIn(t, "h2")
	if d := leader.Expires.Sub(h.Now()); d != time.Hour || leader.Ends.Sub(h.Now()) != 90*time.Minute {
		t.Errorf("a leader's session lasts %v, until %v", d, leader.Ends)
	}
	if d := member.Expires.Sub(h.Now()); d != 48*time.Hour || !member.Ends.IsZero() {
		t.Errorf("a member's session lasts %v, until %v", d, member.Ends)
	}
	for value, good := range map[string]bool{"15m": true, "0": false, "10s": false, "-3h": false, "half an hour": false} {
		rules, err := place.ReadRules(strings.NewReader("key,unit,from,until,value,source\nsession.idle.officer,,2026-01-01,," + value + ",x\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := people.CheckRules(rules); (err == nil) != good {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func tidy(t *testing.T, h *hall) {
	t.Helper()
	if err := h.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestARoleTakenAwayIsGoneWithinASecond(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		s := h.signIn(t, "h1")
		if a := h.ask(t, s.Secret, ""); a.Role != people.Leader {
			t.Fatalf("%+v", a)
		}
		demoted := lan()
		demoted.Members[0].Role = people.Member
		h.put(t, false, demoted)
		h.pass(time.Second + time.Millisecond)
		if a := h.ask(t, s.Secret, ""); a.Role != people.Member {
			t.Errorf("a second later still %s", a.Role)
		}
		if err := h.SignOut(t.Context(), s.Secret); err != nil {
			t.Fatal(err)
		}
		if a := h.ask(t, s.Secret, ""); !a.Nobody() {
			t.Errorf("signed out, but %+v", a)
		}
		if err := h.SignOut(t.Context(), "no such secret"); err != nil {
			t.Error(err)
		}
	})
}

// TestABrokenDatabaseSignsNobodyOut: in the middle of an alarm a screen must
// not fall back to its sign-in page because a disk failed.
func TestABrokenDatabaseSignsNobodyOut(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	s, stranger := h.signIn(t, "h1"), "not-a-secret"
	if h.ask(t, s.Secret, "").Nobody() || !h.ask(t, stranger, "").Nobody() {
		t.Fatal("signing in does not work")
	}
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h.pass(14 * time.Minute)
	if a, err := h.Authenticate(request(s.Secret, "")); err != nil || a.Name != "Bùi Thị Lan" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := h.Authenticate(request(stranger, "")); fault.KindOf(err) != fault.Busy {
		t.Errorf("a stranger gets %v, want busy: nobody knows", err)
	}
	h.pass(2 * time.Minute)
	if _, err := h.Authenticate(request(s.Secret, "")); fault.KindOf(err) != fault.Busy {
		t.Errorf("after 16 minutes: %v, want busy", err)
	}
}

func TestTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		for _, c := range []struct {
			role  people.Role
			scope string
			want  people.Actor
		}{
			{people.Desk, "04792", people.Actor{Role: people.Desk, Scope: place.Scope{Unit: "04792"}}},
			{people.Leader, "g1", people.Actor{Role: people.Leader, Group: "g1", Scope: place.Scope{Group: "g1"}}},
			{people.Leader, "04792", people.Actor{Role: people.Leader, Scope: place.Scope{Unit: "04792"}}},
			{people.Auditor, "25", people.Actor{Role: people.Auditor, Scope: place.Scope{Unit: "25"}}},
			{people.Admin, "", people.Actor{Role: people.Admin, Scope: place.Scope{Unit: "25"}}},
		} {
			secret, err := h.CreateToken(t.Context(), c.role, place.ParseScope(c.scope), "")
			if err != nil {
				t.Fatal(err)
			}
			got := h.ask(t, "", secret)
			if got.Token == "" || got.Name != got.Token {
				t.Errorf("token has no name: %+v", got)
			}
			c.want.Token, c.want.Name = got.Token, got.Token
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			h.ask(t, secret, "") // a token in a cookie is no session
		}
		for _, c := range []struct {
			role  people.Role
			scope string
			key   string
		}{{people.Member, "g1", "role_unknown"}, {"king", "25", "role_unknown"}, {people.Desk, "99999", "unit_unknown"}, {people.Desk, "g1", "unit_unknown"}, {people.Leader, "g9", "unit_unknown"}, {people.Desk, "", "unit_unknown"}} {
			_, err := h.CreateToken(t.Context(), c.role, place.ParseScope(c.scope), "x")
			wantKind(t, err, fault.Invalid, c.key)
		}
		secret, err := h.CreateToken(t.Context(), people.Desk, place.Scope{Unit: "04792"}, "desk of the ward")
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.CreateToken(t.Context(), people.Desk, place.Scope{Unit: "04792"}, "desk of the ward")
		wantKind(t, err, fault.Conflict, "token_exists")
		if err := h.RevokeToken(t.Context(), "desk of the ward"); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Second + time.Millisecond)
		if a := h.ask(t, "", secret); !a.Nobody() {
			t.Errorf("a revoked token is %+v", a)
		}
		wantKind(t, h.RevokeToken(t.Context(), "desk of the ward"), fault.NotFound, "token_unknown")
		list, err := h.Tokens(t.Context())
		if err != nil || len(list) != 6 || list[0].Role == "" || !slices.ContainsFunc(list, func(t people.Token) bool { return !t.Revoked.IsZero() }) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestATokenGoesBeforeACookie(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	s := h.signIn(t, "h1")
	if a, err := h.Authenticate(request(s.Secret, "wrong")); err == nil || !a.Nobody() {
		t.Errorf("a wrong token fell back to the cookie: %+v", a)
	}
	r := request(s.Secret, "")
	r.Header.Set("Authorization", "Basic cHJveHk6cHJveHk=") // of a proxy in front
	if a, err := h.Authenticate(r); err != nil || a.Nobody() {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := h.Authenticate(request("", "")); err != nil || !a.Nobody() {
		t.Errorf("nothing: %+v, %v", a, err)
	}
	if _, err := h.Authenticate(request(s.Secret, " ")); err == nil {
		t.Error("an empty token fell back to the cookie")
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	cancel()
	<-done
}
