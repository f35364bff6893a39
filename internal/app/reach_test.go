package app

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/post"
)

const called = `
commune: "04792"
hubs:
  - {username: alley12, password: secret-1}
groups:
  - id: g1
    name: Tổ liên gia số 1
    neighbourhood: Tổ 5
    adjoining: [g2]
    plan: %s
    homes:
      - {id: h1, name: Nhà số 6, address: "Số 6, ngõ 12", members: [{name: Bà Lan, phone: "+84900000001", role: leader}], devices: [{id: h1-button, kind: button, dialect: json, topic: keng/h1, hub: alley12}]}
      - {id: h2, name: Nhà số 8, address: "Số 8, ngõ 12", members: [{name: Ông Thành, phone: "+84900000002", role: member}, {name: Chị Nga, role: member}]}
      - {id: h3, name: Nhà số 10, address: "Số 10, ngõ 12", members: [{name: Ông Bình, phone: "+84900000003", role: member}]}
      - {id: h4, name: Nhà số 12, address: "Số 12, ngõ 12", members: [{name: Chị Hường, role: member}]}
  - id: g2
    name: Tổ liên gia số 2
    neighbourhood: Tổ 5
    homes:
      - {id: k1, name: Nhà số 3, address: "Số 3, ngõ 14", members: [{name: Ông Nhất, phone: "+84900000009", role: leader}]}
`

// quick is the default plan with its seconds cut short.
const quick = `{steps: [{name: push, after: 0, if: always, call: [push]}, {name: sms, after: 1, if: homes_without_receipt, call: [sms]}, {name: voice, after: 2, if: homes_without_receipt, call: [voice]}, {name: few_coming, after: 3, if: fewer_than_two_coming, call: [leader, adjacent]}, {name: desk_sound, after: 3, if: desk_mute, call: [desk_sound]}]}`

// town is a Keng with the world outside around it.
type town struct {
	t       *testing.T
	o       Options
	app     *App
	service *post.Service
	gateway *post.Gateway
}

const gatewaySecret = "0123456789abcdef shared"

func newTown(t *testing.T, dsn string) *town {
	t.Helper()
	w := &town{t: t, o: Options{Data: t.TempDir(), HTTP: "127.0.0.1:0", Outside: Outside{PushPrivate: true, Secret: []byte(gatewaySecret)}}}
	if strings.HasPrefix(dsn, "postgres") {
		w.o.Database = dsn
	}
	var err error
	if w.service, err = post.Open(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.service.Close)
	if w.gateway, err = post.OpenGateway(gatewaySecret); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.gateway.Close)
	w.o.Outside.SMS, w.o.Outside.Voice = w.gateway.URL(), w.gateway.URL()
	db, err := Open(t.Context(), w.o)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(called, `{default: `+quick+`}`)
	if rep, err := village.Import(t.Context(), db, strings.NewReader(text), village.Options{}); err != nil {
		t.Fatalf("%v %+v", err, rep.Rows)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	w.app = again(t, w.o)
	w.service.Expect(w.app.Reach.Key)
	t.Cleanup(func() {
		for _, c := range append(w.service.Complaints(), w.gateway.Complaints()...) {
			t.Errorf("complaint: %s", c)
		}
	})
	return w
}

// actor is the k-th member of home h.
func (w *town) actor(h place.HomeID, k int) people.Actor {
	a, ok := w.app.actor(w.app.Book.Home(h)[k].ID)
	if !ok {
		w.t.Fatalf("nobody in %s", h)
	}
	return a
}

// enrol gives somebody a phone.
func (w *town) enrol(a people.Actor) *post.Phone {
	w.t.Helper()
	p, err := w.service.Phone()
	if err != nil {
		w.t.Fatal(err)
	}
	p256dh, auth := p.Keys()
	if _, err := w.app.Reach.Enrol(w.t.Context(), a, reach.Phone{Endpoint: p.Endpoint(), P256dh: p256dh, Auth: auth, Label: "Samsung", Lang: "vi"}, ""); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// letter is what a phone got.
type letter struct {
	ID, Kind, Title, Body, Tag, Path, Incident, Receipt, Answer string
	Actions                                                     []struct{ Answer, Label string }
}

func (w *town) await(p *post.Phone, n int) letter {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 15*time.Second)
	defer cancel()
	d, err := p.Await(ctx, n)
	if err != nil {
		w.t.Fatal(err)
	}
	var l letter
	if err := json.Unmarshal(d.Text, &l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// post sends JSON as somebody who is signed out.
func (w *town) post(path, body string) int {
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://127.0.0.1"+path, bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.app.Kit.Handler().ServeHTTP(rec, r)
	return rec.Code
}

func (w *town) raise(a people.Actor, c signal.Category, silent bool) alarm.ID {
	w.t.Helper()
	i, err := w.app.Alarm.Raise(w.t.Context(), alarm.Act{By: a}, a.Group, a.Home, c, silent)
	if err != nil {
		w.t.Fatal(err)
	}
	return i.ID
}

// roll is the roll-call's line of home h.
func (w *town) roll(id alarm.ID, h place.HomeID) alarm.RollView {
	w.t.Helper()
	i, err := w.app.Alarm.Find(w.t.Context(), id)
	if err != nil || i == nil {
		w.t.Fatalf("%s: %v", id, err)
	}
	g, _ := w.app.Village.Directory().Group(i.Group)
	for _, r := range w.app.Alarm.ViewFor(desk, g, i).Homes {
		if r.Home == h {
			return r
		}
	}
	w.t.Fatalf("no home %s", h)
	return alarm.RollView{}
}

// TestEveryHomeIsCalledAndKnown: an alarm reaches every home by push at once; where
// no receipt comes, by SMS and then voice; a key that is pressed answers the
// roll-call; and every home's delivery is known.
func TestEveryHomeIsCalledAndKnown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := newTown(t, dsn)
		lan, thanh, nga, nhat := w.enrol(w.actor("h1", 0)), w.enrol(w.actor("h2", 0)), w.enrol(w.actor("h2", 1)), w.enrol(w.actor("k1", 0))
		officer, err := w.app.People.Officer(t.Context(), people.Desk, "04792", "Trực ban")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.app.Book.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		on, _ := w.app.actor(officer.ID)
		desk := w.enrol(on)
		nga.Be(post.Mood{Status: http.StatusGone})

		id := w.raise(w.actor("h1", 0), signal.Fire, false)
		l := w.await(thanh, 1)
		if l.Kind != "alarm" || l.Title != "Cháy – Nhà số 6" || !strings.Contains(l.Body, "Số 6, ngõ 12") || l.Incident != string(id) || len(l.Actions) != 3 {
			t.Errorf("on the lock screen: %+v", l)
		}
		until(t, "push was taken", func() bool { return w.roll(id, "h2").Delivery == alarm.TakenOn })
		if r := w.roll(id, "h3"); len(r.Calls) == 0 || r.Calls[0].State != alarm.NoWay {
			t.Errorf("a home without phones: %+v", r.Calls)
		}
		for range 2 { // the second time changes nothing
			if s := w.post("/v1/receipts", fmt.Sprintf(`{"token":%q}`, l.Receipt)); s != http.StatusNoContent {
				t.Fatalf("receipt: %d", s)
			}
		}
		if r := w.roll(id, "h2"); r.Contact != alarm.PhoneReceived || r.Delivery != alarm.Arrived || r.Ladder != alarm.Heard {
			t.Errorf("after the receipt: %+v", r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		voice, err := w.gateway.Await(ctx, "voice", "+84900000003")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(voice.Text, "Số 6, ngõ 12") || !strings.Contains(voice.Plain, "Chay - Nha so 6") || !strings.Contains(voice.Text, "Bấm 1") {
			t.Errorf("said: %q, %q", voice.Text, voice.Plain)
		}
		base := "http://" + w.app.HTTPAddr()
		for digit, want := range map[string]int{"2": http.StatusNoContent, "7": http.StatusBadRequest} {
			if s, err := w.gateway.Report(t.Context(), base, voice.ID, "answered", digit); err != nil || s != want {
				t.Errorf("digit %s: %d %v", digit, s, err)
			}
		}
		if r := w.roll(id, "h3"); r.Answer != alarm.Coming || r.Ladder != alarm.AnsweredBy {
			t.Errorf("after pressing 2: %+v", r)
		}
		if a := w.await(nhat, 1); !strings.Contains(a.Title, "Tổ bên cạnh cần người") || len(a.Actions) != 0 {
			t.Errorf("the leader next door: %+v", a)
		}
		if d := w.await(desk, 1); d.Kind != "desk" || d.Path != "/console" || !strings.Contains(d.Body, "Chưa ai ở bàn trực") {
			t.Errorf("the desk: %+v", d)
		}
		if few := w.await(lan, 1); len(lan.Got()) != 1 || !strings.Contains(few.Body, "Chưa đủ hai người tới") { // she raised it: no push at once, but too few came
			t.Errorf("who raised it got %d messages, want the leader's one: %+v", len(lan.Got()), few)
		}
		for _, o := range w.gateway.Orders() {
			if o.To == "+84900000002" || o.To == "+84900000001" && o.Kind == "voice" {
				t.Errorf("a home that has it was called: %s %s", o.Kind, o.To)
			}
		}
		for _, h := range []place.HomeID{"h2", "h3", "h4"} {
			if w.roll(id, h).Delivery == "" {
				t.Errorf("delivery to %s is not known", h)
			}
		}
		if got := w.app.Reach.PhonesOf(w.actor("h2", 1).Person); len(got) != 0 {
			t.Errorf("a phone that is gone is still there: %+v", got)
		}
		if s := w.post("/v1/answers", fmt.Sprintf(`{"token":%q,"answer":"coming"}`, l.Answer)); s != http.StatusNoContent {
			t.Errorf("answer from the lock screen: %d", s)
		}
		if r := w.roll(id, "h2"); r.Answer != alarm.Coming {
			t.Errorf("after the tap: %+v", r)
		}
		for what, body := range map[string]string{"a receipt to answer": fmt.Sprintf(`{"token":%q,"answer":"safe"}`, l.Receipt), "a token that was changed": fmt.Sprintf(`{"token":%q,"answer":"safe"}`, l.Answer[:len(l.Answer)-2]+"AA")} {
			if s := w.post("/v1/answers", body); s != http.StatusNotFound {
				t.Errorf("%s: %d", what, s)
			}
		}
		if _, err := w.app.Alarm.Close(t.Context(), alarm.Act{By: people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}}, id, alarm.Real, ""); err != nil {
			t.Fatal(err)
		}
		if o := w.await(thanh, 2); o.Kind != "over" || o.Tag != l.Tag {
			t.Errorf("when it was over: %+v", o)
		}
	})
}

// TestHoldUpIsOnNoLockScreen: the desk's phone rings and says nothing; nobody
// else's does.
func TestHoldUpIsOnNoLockScreen(t *testing.T) {
	w := newTown(t, "")
	officer, err := w.app.People.Officer(t.Context(), people.Desk, "04792", "Trực ban")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.app.Book.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	on, _ := w.app.actor(officer.ID)
	desk, lan, thanh := w.enrol(on), w.enrol(w.actor("h1", 0)), w.enrol(w.actor("h2", 0))
	id := w.raise(w.actor("h2", 0), signal.HoldUp, true)
	l := w.await(desk, 1)
	for _, word := range []string{"số 8", "ngõ", "Tổ", "cướp", "khẩn"} {
		if strings.Contains(l.Title+l.Body, word) {
			t.Errorf("the lock screen says %q: %s. %s", word, l.Title, l.Body)
		}
	}
	if _, err := w.app.Alarm.Close(t.Context(), alarm.Act{By: people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}}, id, alarm.Real, ""); err != nil {
		t.Fatal(err)
	}
	next := w.raise(w.actor("h1", 0), signal.Fire, false) // whatever the hold-up called was called before this
	if first := w.await(thanh, 1); first.Incident != string(next) {
		t.Errorf("a neighbour's phone told of the hold-up: %+v", first)
	}
	if len(lan.Got()) != 0 || slices.ContainsFunc(w.gateway.Orders(), func(o post.Order) bool { return o.At.IsZero() || strings.Contains(o.Text, "bàn trực") }) {
		t.Errorf("others were called: %v", w.gateway.Orders())
	}
}

// TestDrillSaysSoAndCallsNobodyOutside is the same path, marked.
func TestDrillSaysSoAndCallsNobodyOutside(t *testing.T) {
	w := newTown(t, "")
	thanh, nhat := w.enrol(w.actor("h2", 0)), w.enrol(w.actor("k1", 0))
	lead := alarm.Act{By: w.actor("h1", 0)}
	i, err := w.app.Alarm.Practise(t.Context(), lead, "g1", alarm.Drill, signal.Fire)
	if err != nil {
		t.Fatal(err)
	}
	if l := w.await(thanh, 1); l.Kind != "drill" || !strings.HasPrefix(l.Title, "DIỄN TẬP") {
		t.Errorf("a drill: %+v", l)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if o, err := w.gateway.Await(ctx, "sms", "+84900000003"); err != nil || !strings.Contains(o.Text, "DIỄN TẬP") {
		t.Errorf("a drill by SMS: %q, %v", o.Text, err)
	}
	until(t, "every step is done", func() bool {
		v, err := w.app.Alarm.Find(t.Context(), i.ID)
		return err == nil && !slices.ContainsFunc(v.Steps, func(d alarm.Due) bool { return d.Done.IsZero() })
	})
	if _, err := w.app.Alarm.Close(t.Context(), lead, i.ID, alarm.DrillCause, ""); err != nil {
		t.Fatal(err)
	}
	if l := w.await(thanh, 2); l.Kind != "over" || l.Title != "Hết diễn tập" {
		t.Errorf("after the drill: %+v", l)
	}
	if _, err := w.app.Alarm.Practise(t.Context(), lead, "g1", alarm.Test, signal.Fire); err != nil {
		t.Fatal(err)
	}
	if l := w.await(thanh, 3); l.Kind != "test" || !strings.HasPrefix(l.Title, "THỬ CHUÔNG") {
		t.Errorf("a bell test: %+v", l)
	}
	if len(nhat.Got()) != 0 {
		t.Error("the leader next door was called to a drill")
	}
}

// TestPhoneIsMeasured: a test push, its seconds, and what a home says whose phone
// does not ring.
func TestPhoneIsMeasured(t *testing.T) {
	w := newTown(t, "")
	a := w.actor("h2", 0)
	p := w.enrol(a)
	id := w.app.Reach.PhonesOf(a.Person)[0].ID
	if _, err := w.app.Reach.Probe(t.Context(), a, id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.Reach.Probe(t.Context(), a, id); err == nil {
		t.Error("two probes at once")
	}
	l := w.await(p, 1)
	if l.Kind != "probe" {
		t.Errorf("a probe: %+v", l)
	}
	if s := w.post("/v1/receipts", fmt.Sprintf(`{"token":%q}`, l.Receipt)); s != http.StatusNoContent {
		t.Fatalf("receipt: %d", s)
	}
	got := w.app.Reach.PhonesOf(a.Person)[0]
	if got.State(w.app.Now()) != reach.Proven || got.Took <= 0 || got.Took > 10*time.Second {
		t.Errorf("measured: %+v", got)
	}
	if err := w.app.Reach.Admit(t.Context(), w.actor("h3", 0), reach.Refused); err != nil {
		t.Fatal(err)
	}
	if key, known := w.app.Reach.Ready("h3"); !known || key != "home.phone_deaf" {
		t.Errorf("a home whose phone refuses: %q", key)
	}
	if key, known := w.app.Reach.Ready("h2"); known {
		t.Errorf("a home whose phone rings: %q", key)
	}
	stop(t, w.app)
	w.app = again(t, w.o)
	if again := w.app.Reach.PhonesOf(a.Person); len(again) != 1 || again[0].Took != got.Took || again[0].State(w.app.Now()) != reach.Proven {
		t.Errorf("after a restart: %+v", again)
	}
}

// TestForeignCallbacksAreRefused: without the shared secret nobody answers for anybody.
func TestForeignCallbacksAreRefused(t *testing.T) {
	w := newTown(t, "")
	stranger, err := post.OpenGateway("another secret that is long")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	id := w.raise(w.actor("h1", 0), signal.Fire, false)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	o, err := w.gateway.Await(ctx, "sms", "+84900000003")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := stranger.Report(t.Context(), "http://"+w.app.HTTPAddr(), o.ID, "answered", "1"); err != nil || s != http.StatusUnauthorized {
		t.Errorf("a stranger's callback: %d %v", s, err)
	}
	if s, err := w.gateway.Report(t.Context(), "http://"+w.app.HTTPAddr(), "nosuchorder", "answered", "1"); err != nil || s != http.StatusNotFound {
		t.Errorf("an order that never was: %d %v", s, err)
	}
	if r := w.roll(id, "h3"); r.Answer != alarm.NoAnswer {
		t.Errorf("answered: %+v", r)
	}
}

// TestLostPhoneRingsNoMore: who comes back with a new phone is called there, not on
// the old one, which may be in other hands; who is erased leaves nothing behind.
func TestLostPhoneRingsNoMore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := newTown(t, dsn)
		a := w.actor("h2", 0)
		old := w.enrol(a)
		if err := w.app.DB.Tx(t.Context(), func(tx *sql.Tx) error { return w.app.People.Renewed(t.Context(), tx, a.Person) }); err != nil {
			t.Fatal(err)
		}
		young := w.enrol(a)
		id := w.raise(w.actor("h1", 0), signal.Fire, false)
		w.await(young, 1)
		if len(old.Got()) != 0 {
			t.Error("the lost phone rang")
		}
		until(t, "its messages are written", func() bool { return sent(t, w.app, a.Person) > 0 })
		if held, err := w.app.Reach.Holds(t.Context(), a.Person); err != nil || len(held) != 2 || len(held[0].Rows) != 1 {
			t.Errorf("held: %+v, %v", held, err)
		}
		if _, err := w.app.Alarm.Close(t.Context(), alarm.Act{By: people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}}, id, alarm.Real, ""); err != nil {
			t.Fatal(err)
		}
		w.await(young, 2)
		until(t, "everything is sent", func() bool { return w.app.Notify.Waiting() == 0 })
		if err := w.app.DB.Tx(t.Context(), func(tx *sql.Tx) error { return w.app.Reach.Erase(t.Context(), tx, a.Person) }); err != nil {
			t.Fatal(err)
		}
		if n := sent(t, w.app, a.Person); n != 0 || len(w.app.Reach.PhonesOf(a.Person)) != 0 {
			t.Errorf("%d messages of somebody who was erased", n)
		}
	})
}

func sent(t *testing.T, a *App, id people.ID) (n int) {
	t.Helper()
	if err := a.DB.Read().QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM notify_message WHERE person = $1) + (SELECT count(*) FROM reach_phone WHERE person = $1)`, string(id)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
