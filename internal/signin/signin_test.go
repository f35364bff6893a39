package signin_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signin"
)

const here = "http://localhost:8080"

// gate is a village of one home and one desk, a clock that stands still until it
// is moved, and the service.
type gate struct {
	*signin.Service
	people *people.Service
	db     *store.DB
	mu     sync.Mutex
	now    time.Time
	lan    people.Actor
	desk   people.Actor
	record []string
}

func (g *gate) pass(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

func (g *gate) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func build(t *testing.T, dsn string) *gate {
	t.Helper()
	g := &gate{db: storetest.Open(t, dsn), now: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)}
	if err := g.db.Migrate(t.Context(), place.Migrations, people.Migrations, signin.Migrations); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	g.people = people.New(g.db, log, g.clock)
	g.Service = signin.New(g.db, g.people, log, g.clock)
	g.Record = func(_ context.Context, _ *sql.Tx, name, _ string, _ people.ID) error {
		g.record = append(g.record, name)
		return nil
	}
	err := g.db.Tx(t.Context(), func(tx *sql.Tx) error {
		if _, err := place.Put(t.Context(), tx, []place.Group{{ID: "g1", Commune: "04792", Name: "Tổ liên gia số 1", Homes: []place.Home{{ID: "h1", Name: "Nhà số 10"}}}}, false); err != nil {
			return err
		}
		_, err := people.Put(t.Context(), tx, []people.Household{{Home: "h1", Group: "g1", Members: []people.NewMember{{Name: "Bùi Thị Lan", Role: people.Leader}}}}, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := people.OpenBook(t.Context(), g.db)
	if err != nil {
		t.Fatal(err)
	}
	g.lan = g.comeIn(t, b.Home("h1")[0].ID)
	p, err := g.people.Officer(t.Context(), people.Desk, "04792", "Đại uý Tuấn")
	if err != nil {
		t.Fatal(err)
	}
	g.desk = g.comeIn(t, p.ID)
	return g
}

// comeIn is a person who came in just now, by whatever way.
func (g *gate) comeIn(t *testing.T, id people.ID) people.Actor {
	t.Helper()
	s, err := g.people.SignIn(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return g.who(t, s)
}

func (g *gate) who(t *testing.T, s people.Session) people.Actor {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", people.Cookie+"="+s.Secret)
	a, err := g.people.Authenticate(r)
	if err != nil && fault.KindOf(err) != fault.Unknown {
		t.Fatal(err)
	}
	return a
}

func (g *gate) add(t *testing.T, a people.Actor, d *device, name string) {
	t.Helper()
	if err := g.tryAdd(t, a, d, name); err != nil {
		t.Fatal(err)
	}
}

func (g *gate) tryAdd(t *testing.T, a people.Actor, d *device, name string) error {
	t.Helper()
	made, err := g.BeginAdd(t.Context(), a, d.origin)
	if err != nil {
		return err
	}
	return g.FinishAdd(t.Context(), a, d.origin, name, d.create(marshal(t, made)))
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (g *gate) in(t *testing.T, d *device) (people.Session, error) {
	t.Helper()
	asked, err := g.BeginIn(d.origin, false)
	if err != nil {
		return people.Session{}, err
	}
	return g.In(t.Context(), d.origin, d.get(marshal(t, asked)))
}

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("error %v, want %s", err, key)
	}
}

func TestAPasskeyLetsItsOwnerIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		g := build(t, dsn)
		phone, tablet := newDevice(t, here), newDevice(t, here)
		g.add(t, g.lan, phone, "Máy của Lan")
		g.add(t, g.lan, tablet, "")
		for range 3 {
			for _, d := range []*device{phone, tablet} {
				s, err := g.in(t, d)
				if err != nil {
					t.Fatal(err)
				}
				if a := g.who(t, s); a != g.lan {
					t.Errorf("%+v came in", a)
				}
			}
		}
		list, err := g.Keys(t.Context(), g.lan.Person)
		if err != nil || len(list) != 2 || !slices.ContainsFunc(list, func(k signin.Key) bool { return k.Name == "Máy của Lan" && k.Used != nil }) {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := g.RemoveKey(t.Context(), g.desk, signin.Passkey, b64(phone.id)); fault.KindOf(err) != fault.NotFound {
			t.Errorf("somebody else removed it: %v", err)
		}
		if err := g.RemoveKey(t.Context(), g.lan, signin.Passkey, b64(phone.id)); err != nil {
			t.Fatal(err)
		}
		_, err = g.in(t, phone)
		wantKey(t, err, "signin.key_unknown")
		if _, err := g.in(t, tablet); err != nil {
			t.Error(err)
		}
		if !slices.Equal(g.record, []string{"signin.add_key", "signin.add_key", "signin.remove_key"}) {
			t.Errorf("recorded %v", g.record)
		}
	})
}

// TestNoPasskeyIsTakenThatShouldNot turns each screw once.
func TestNoPasskeyIsTakenThatShouldNot(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	phone := newDevice(t, here)
	g.add(t, g.lan, phone, "")
	ask := func() []byte {
		o, err := g.BeginIn(here, false)
		if err != nil {
			t.Fatal(err)
		}
		return marshal(t, o)
	}
	refuse := func(what, key string, answer []byte) {
		t.Helper()
		if s, err := g.In(t.Context(), here, answer); err == nil || !strings.Contains(err.Error(), key) || s.Secret != "" {
			t.Errorf("%s: %v, want %s", what, err, key)
		}
	}
	once := phone.get(ask())
	if _, err := g.In(t.Context(), here, once); err != nil {
		t.Fatal(err)
	}
	refuse("the same answer again", "signin.", once)
	late := ask()
	g.pass(5 * time.Minute)
	refuse("after five minutes", "signin.too_late", phone.get(late))
	refuse("a challenge of nobody's making", "signin.too_late", phone.get([]byte(`{"publicKey":{"challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","rpId":"localhost"}}`)))
	add, err := g.BeginAdd(t.Context(), g.lan, here)
	if err != nil {
		t.Fatal(err)
	}
	refuse("a challenge for adding", "signin.too_late", phone.get(marshal(t, add)))
	liar := *phone
	liar.key = newDevice(t, here).key
	refuse("another key", "signin.key_unknown", liar.get(ask()))
	other := *phone
	other.handle = []byte(g.desk.Person)
	refuse("another person", "signin.key_unknown", other.get(ask()))
	away := *phone
	away.origin = "http://localhost:9999"
	refuse("a page at another address", "signin.key_unknown", away.get(ask()))
	for _, answer := range []string{"", "{}", "null", `{"id":"x"}`, string(once[:len(once)/2])} {
		refuse(fmt.Sprintf("%.20q", answer), "signin.key_unknown", []byte(answer))
	}
	copied := *phone
	copied.count = 0
	copied.still = true
	refuse("a counter that went back", "signin.key_copied", copied.get(ask()))
	if _, err := g.in(t, phone); err != nil {
		t.Errorf("its owner was shut out: %v", err)
	}
	// Nobody adds a key to somebody else, nor one that somebody has.
	stranger := newDevice(t, here)
	if err := g.FinishAdd(t.Context(), g.desk, here, "", stranger.create(marshal(t, add))); err == nil {
		t.Error("a key was added with somebody else's challenge")
	}
	wantKey(t, g.tryAdd(t, g.desk, phone, ""), "signin.key_known")
}

func TestPasskeysWorkAtOneAddressOnly(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	for _, origin := range []string{"", "null", "http://127.0.0.1:8080", "https://evil.example", "http://localhost.evil.example"} {
		_, err := g.BeginIn(origin, false)
		wantKey(t, err, "signin.not_here")
	}
	g.Origin = "https://keng.example.vn"
	if _, err := g.BeginIn("http://localhost:8080", false); err == nil {
		t.Error("another address than the one that was set")
	}
	phone := newDevice(t, g.Origin)
	g.add(t, g.lan, phone, "")
	if _, err := g.in(t, phone); err != nil {
		t.Error(err)
	}
}

// TestAnOfficersDeviceMustVerifyHim: a device that cannot lets a resident in only.
func TestAnOfficersDeviceMustVerifyHim(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		g := build(t, dsn)
		blind := newDevice(t, here)
		blind.blind = true
		wantKey(t, g.tryAdd(t, g.desk, blind, ""), "signin.key_refused")
		g.add(t, g.lan, blind, "")
		if _, err := g.in(t, blind); err != nil {
			t.Errorf("a resident: %v", err)
		}
		good := newDevice(t, here)
		g.add(t, g.desk, good, "")
		good.blind = true
		_, err := g.in(t, good)
		wantKey(t, err, "signin.verify")
		good.blind = false
		if s, err := g.in(t, good); err != nil || g.who(t, s) != g.desk {
			t.Errorf("an officer: %v", err)
		}
		wantKey(t, g.RemoveKey(t.Context(), g.desk, signin.Passkey, b64(good.id)), "signin.last_key")
		if _, err := g.in(t, good); err != nil {
			t.Errorf("the last key is gone: %v", err)
		}
	})
}

func TestANewPhoneEndsAllKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		g := build(t, dsn)
		phone := newDevice(t, here)
		g.add(t, g.lan, phone, "")
		paper, err := g.MakePhrase(t.Context(), g.lan)
		if err != nil {
			t.Fatal(err)
		}
		i, err := g.people.Reinvite(t.Context(), g.lan, place.Group{ID: "g1"}, g.lan.Person, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.in(t, phone); err != nil {
			t.Errorf("the old key died before the new phone was there: %v", err)
		}
		if _, err := g.people.Redeem(t.Context(), i.Code); err != nil {
			t.Fatal(err)
		}
		_, err = g.in(t, phone)
		wantKey(t, err, "signin.key_unknown")
		_, err = g.InByPhrase(t.Context(), signin.Tried{Card: paper.Card, Words: strings.Join(paper.Words, " ")})
		wantKey(t, err, "signin.wrong")
		if list, err := g.Keys(t.Context(), g.lan.Person); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
