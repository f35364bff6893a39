package reach

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

var noon = time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC) // 12:00 in Việt Nam

func TestQuietHoursEndWhenTheySay(t *testing.T) {
	for _, x := range []struct {
		from, to int
		at       time.Time
		want     string // local, "" for not quiet
	}{
		{-1, -1, noon, ""}, {22 * 60, 6 * 60, noon, ""}, {22 * 60, 6 * 60, noon.Add(11 * time.Hour), "03T06:00"}, {22 * 60, 6 * 60, noon.Add(17*time.Hour + 59*time.Minute), "03T06:00"},
		{22 * 60, 6 * 60, noon.Add(18 * time.Hour), ""}, {12 * 60, 13*60 + 30, noon, "02T13:30"}, {12 * 60, 13*60 + 30, noon.Add(90 * time.Minute), ""}, {600, 600, noon, ""},
	} {
		got := Wish{QuietFrom: x.from, QuietTo: x.to}.quietUntil(x.at)
		text := ""
		if !got.IsZero() {
			text = local(got).Format("02T15:04")
		}
		if text != x.want {
			t.Errorf("%d to %d at %s: %q, want %q", x.from, x.to, local(x.at).Format("15:04"), text, x.want)
		}
	}
}

func TestStateOfAPhone(t *testing.T) {
	for want, p := range map[State]Phone{
		New:     {Made: noon},
		Asking:  {Asked: noon.Add(-29 * time.Second)},
		Deaf:    {Asked: noon.Add(-31 * time.Second), Proven: noon.Add(-time.Hour)},
		Proven:  {Asked: noon.Add(-time.Hour), Proven: noon.Add(-59 * time.Minute)},
		Overdue: {Asked: noon.Add(-40 * 24 * time.Hour), Proven: noon.Add(-40*24*time.Hour + time.Second)},
	} {
		if got := p.State(noon); got != want {
			t.Errorf("%+v is %s, want %s", p, got, want)
		}
	}
}

func TestPlainHasSevenBits(t *testing.T) {
	for s, want := range map[string]string{"Cháy – Nhà số 6, ngõ Đỗ Hữu": "Chay - Nha so 6, ngo Do Huu", "đường…": "duong..."} {
		if got := Plain(s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestTokensAreGoodForOneThing(t *testing.T) {
	now := noon
	v := &Service{Secret: []byte("0123456789abcdef"), Now: func() time.Time { return now }}
	token := v.sign(claim{toReceive, "m", "i1", "p-1", noon.Add(time.Hour)})
	if c, ok := v.read(token, toReceive); !ok || c.About != "i1" || c.Person != "p-1" {
		t.Errorf("%+v %v", c, ok)
	}
	other := &Service{Secret: []byte("another secret..."), Now: v.Now}
	nobody := &Service{Now: v.Now}
	bad := map[string]bool{}
	_, bad["another purpose"] = v.read(token, toAnswer)
	_, bad["another Keng"] = other.read(token, toReceive)
	_, bad["no secret"] = nobody.read(nobody.sign(claim{toReceive, "m", "i1", "p-1", noon.Add(time.Hour)}), toReceive)
	_, bad["nothing"] = v.read("", toReceive)
	_, bad["cut"] = v.read(token[:len(token)-3], toReceive)
	now = noon.Add(time.Hour)
	_, bad["too late"] = v.read(token, toReceive)
	for what, taken := range bad {
		if taken {
			t.Errorf("%s: taken", what)
		}
	}
}

func FuzzToken(f *testing.F) {
	f.Add("cmVjZWl2ZQ.AAAA")
	v := &Service{Secret: []byte("secret of the fuzz test"), Now: func() time.Time { return noon }}
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := v.read(s, toReceive); ok {
			t.Error("a guess was taken")
		}
	})
}

// desk remembers what was posted.
type desk struct {
	posted []notify.Message
	known  map[string]bool
}

func (d *desk) Post(all ...notify.Message) (n int) {
	for _, m := range all {
		if !d.known[m.Key] {
			d.known[m.Key] = true
			d.posted = append(d.posted, m)
			n++
		}
	}
	return n
}
func (d *desk) State(string) notify.State { return notify.Queued }
func (d *desk) Has(notify.Channel) bool   { return true }
func (d *desk) Got(string)                {}
func (d *desk) Find(context.Context, string) (notify.Posted, bool, error) {
	return notify.Posted{}, false, nil
}

type folk struct{ all []people.Person }

func (f folk) Person(id people.ID) (people.Person, bool) {
	for _, p := range f.all {
		if p.ID == id {
			return p, true
		}
	}
	return people.Person{}, false
}
func (f folk) Home(h place.HomeID) (in []people.Person) {
	for _, p := range f.all {
		if p.Home == h {
			in = append(in, p)
		}
	}
	return in
}
func (f folk) Group(place.GroupID) []people.Person { return f.all }

type all struct{}

func (all) May(people.Actor, string, people.Thing) bool { return true }

const p256dh, auth = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg"

// scene is a service with one person who has one phone, at a time that can be set.
func scene(t *testing.T, dsn string) (*Service, *desk, people.Actor, *time.Time) {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), place.Migrations, people.Migrations, Migrations); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(t.Context(), `INSERT INTO person (id, name, phone, role, home, scope_group, scope_unit, position) VALUES ('p-1', 'Lan', '', 'member', 'h1', 'g1', '', 0)`); err != nil {
		t.Fatal(err)
	}
	now := noon
	d := &desk{known: map[string]bool{}}
	v := &Service{
		DB: db, Post: d, Folk: folk{[]people.Person{{ID: "p-1", Home: "h1", Scope: place.Scope{Group: "g1"}}}}, Rights: all{}, Key: "key", Secret: []byte("0123456789abcdef"),
		Now: func() time.Time { return now },
	}
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := people.Actor{Person: "p-1", Home: "h1", Group: "g1"}
	if _, err := v.Enrol(t.Context(), a, Phone{Endpoint: "https://push.example.com/1", P256dh: p256dh, Auth: auth, Lang: "vi"}, ""); err != nil {
		t.Fatal(err)
	}
	return v, d, a, &now
}

// TestNoticesRespectWishes: who does not want them gets none, and in quiet hours a
// message of the group is left out and a notice waits.
func TestNoticesRespectWishes(t *testing.T) {
	v, d, a, now := scene(t, filepath.Join(t.TempDir(), "keng.db"))
	say := func(key, kind string) int {
		return v.Notify(t.Context(), Notice{Key: key, Kind: kind, Topic: "t", Title: "Họp tổ", Body: strings.Repeat("ơ", 500), People: []people.ID{"p-1", "p-unknown"}})
	}
	if say("1", "notice") != 1 || say("1", "notice") != 1 || len(d.posted) != 1 || d.posted[0].Rank != 2 || len([]rune(d.posted[0].Body)) > 600 {
		t.Errorf("a notice: %+v", d.posted)
	}
	if err := v.Wishes(t.Context(), a, Wish{Chat: true, Notices: true, QuietFrom: 22 * 60, QuietTo: 6 * 60}); err != nil {
		t.Fatal(err)
	}
	*now = noon.Add(11 * time.Hour) // 23:00
	if say("2", "chat") != 0 || say("3", "notice") != 1 || len(d.posted) != 2 || !d.posted[1].After.Equal(noon.Add(18*time.Hour)) {
		t.Errorf("in quiet hours: %+v", d.posted)
	}
	if err := v.Wishes(t.Context(), a, Wish{QuietFrom: -1, QuietTo: -1}); err != nil {
		t.Fatal(err)
	}
	if say("4", "chat") != 0 || say("5", "notice") != 0 {
		t.Error("somebody who wants nothing was told")
	}
}

// TestPhonesAreProbedMonthlyInDaytime, and one that does not answer is deaf.
func TestPhonesAreProbedMonthlyInDaytime(t *testing.T) {
	v, d, a, now := scene(t, filepath.Join(t.TempDir(), "keng.db"))
	if _, err := v.Probe(t.Context(), a, v.PhonesOf("p-1")[0].ID); err != nil {
		t.Fatal(err)
	}
	*now = noon.Add(2 * time.Second)
	if err := v.proven(t.Context(), "p-1", v.PhonesOf("p-1")[0].ID); err != nil {
		t.Fatal(err)
	}
	if p := v.PhonesOf("p-1")[0]; p.Took != 2*time.Second {
		t.Errorf("took %v", p.Took)
	}
	for at, want := range map[time.Duration]int{29 * 24 * time.Hour: 1, 30*24*time.Hour + 12*time.Hour: 1} { // too early; at midnight
		*now = noon.Add(at)
		if v.look(t.Context()); len(d.posted) != want {
			t.Fatalf("after %v: %d probes", at, len(d.posted))
		}
	}
	*now = noon.Add(31 * 24 * time.Hour)
	if v.look(t.Context()); len(d.posted) != 2 {
		t.Fatalf("after a month: %d probes", len(d.posted))
	}
	*now = now.Add(time.Minute)
	if key, known := v.Ready("h1"); !known || key != "home.phone_deaf" {
		t.Errorf("a phone that did not answer: %q %v", key, known)
	}
}

// TestEnrolment: only good subscriptions; a handed on phone changes hands; ten at
// most; gone with its owner, on both databases.
func TestEnrolment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, a, now := scene(t, dsn)
		for what, p := range map[string]Phone{
			"inside":   {Endpoint: "https://10.0.0.1/x", P256dh: p256dh, Auth: auth},
			"in clear": {Endpoint: "http://push.example.com/x", P256dh: p256dh, Auth: auth},
			"no key":   {Endpoint: "https://push.example.com/x", P256dh: "AAAA", Auth: auth},
			"no auth":  {Endpoint: "https://push.example.com/x", P256dh: p256dh, Auth: "AAAA"},
		} {
			if _, err := v.Enrol(t.Context(), a, p, ""); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		for k := range mostPhones + 2 {
			*now = now.Add(time.Second)
			if _, err := v.Enrol(t.Context(), a, Phone{Endpoint: "https://push.example.com/more" + string(rune('a'+k)), P256dh: p256dh, Auth: auth}, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(v.PhonesOf("p-1")); n != mostPhones {
			t.Errorf("%d phones", n)
		}
		last := v.PhonesOf("p-1")[mostPhones-1]
		if _, err := v.Enrol(t.Context(), a, Phone{Endpoint: "https://push.example.com/new", P256dh: p256dh, Auth: auth}, last.Endpoint); err != nil {
			t.Fatal(err)
		}
		for _, p := range v.PhonesOf("p-1") {
			if p.ID == last.ID {
				t.Error("the subscription that was replaced is still called")
			}
		}
		before := v.PhonesOf("p-1")
		if err := v.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, v.PhonesOf("p-1")); diff != "" {
			t.Errorf("after a restart: %s", diff)
		}
		if err := v.DB.Exec(t.Context(), `DELETE FROM person WHERE id = 'p-1'`); err != nil {
			t.Fatal(err)
		}
		if left := count(t, v.DB); left != 0 {
			t.Errorf("%d phones of somebody who is gone", left)
		}
	})
}

func count(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM reach_phone`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
