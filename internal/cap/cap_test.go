package cap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

var noon = time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)

func street(id, commune string, lat, lon float64) place.Group {
	g := place.Group{ID: place.GroupID(id), Commune: place.UnitCode(commune), Name: "Tổ liên gia số 1", Neighbourhood: "Tổ 5"}
	for k := range 3 {
		g.Homes = append(g.Homes, place.Home{ID: place.HomeID(fmt.Sprintf("%s-h%d", id, k)), Group: g.ID, Name: "Nhà ông Bí Mật", Address: "Số 10, ngõ Bí Mật", Lat: lat + float64(k)/2000, Lon: lon, Placed: true})
	}
	return g
}

var keys = []string{"event.spread", "event.recategorised", "event.verified", "event.answer.need_help", "event.answer.safe", "event.acknowledged", "event.attended", "event.under_control", "event.call.adjacent", "event.pressed_again", "event.silenced"}

func lives() *rapid.Generator[Life] {
	return rapid.Custom(func(t *rapid.T) Life {
		l := Life{ID: "01KAVZ4M5T", Code: "TH-0231", Group: street("g1", "04792", 20.84, 105.337), Mode: rapid.SampledFrom([]string{"live", "drill", "test"}).Draw(t, "mode")}
		at, danger := noon, rapid.SampledFrom([]string{"", "fire", "gas", "co", "intrusion", "medical", "panic", "flood", "technical", "other", "nonsense"})
		first := map[string]string{"live": "event.raised", "drill": "event.drill", "test": "event.test"}[l.Mode]
		l.Steps = []Step{{at, first, danger.Draw(t, "first")}}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond)
			l.Steps = append(l.Steps, Step{at, rapid.SampledFrom(keys).Draw(t, "key"), danger.Draw(t, "danger")})
		}
		if rapid.Bool().Draw(t, "closed") {
			l.Steps = append(l.Steps, Step{at.Add(time.Second), "event.closed", ""})
		}
		return l
	})
}

// What goes out fits the schema: our own reader, which holds it against CAP 1.2,
// gives back the same message. Whatever happens later, what was said before stays,
// and a later message refers to all of it.
func TestWhatGoesOutFitsTheSchemaAndStands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lives().Draw(t, "life")
		list := Messages(l)
		if len(list) == 0 {
			t.Fatal("an incident without a message")
		}
		for k, m := range list {
			got, err := Read(bytes.NewReader(m.XML()))
			if err != nil {
				t.Fatalf("%v\n%s", err, m.XML())
			}
			for n := range got.Infos { // written with as many digits as a circle needs
				got.Infos[n].Areas, m.Infos[n].Areas = nil, nil
			}
			if d := cmp.Diff(m, got); d != "" {
				t.Fatalf("said (-) and understood (+):\n%s", d)
			}
			want := "Update"
			switch {
			case k == 0:
				want = "Alert"
			case l.Steps[len(l.Steps)-1].Key == "event.closed" && k == len(list)-1:
				want = "Cancel"
			}
			if m.MsgType != want || len(m.References) != k || m.Infos[0].Language != "vi-VN" || m.Infos[1].Language != "en-US" || m.Scope != "Restricted" {
				t.Fatalf("message %d: %s, want %s, %d references", k, m.MsgType, want, len(m.References))
			}
			if wantStatus := map[string]string{"live": "Actual", "drill": "Exercise", "test": "Test"}[l.Mode]; m.Status != wantStatus {
				t.Fatalf("a %s is %s", l.Mode, m.Status)
			}
			if strings.Contains(string(m.XML()), "Bí Mật") {
				t.Fatal("a name or an address goes out")
			}
		}
		shorter := l
		shorter.Steps = l.Steps[:rapid.IntRange(1, len(l.Steps)).Draw(t, "then")]
		if d := cmp.Diff(Messages(shorter), Messages(l)[:len(Messages(shorter))]); d != "" {
			t.Fatalf("what was said before is not what was said then:\n%s", d)
		}
	})
}

func TestHoldUpNeverGoesOut(t *testing.T) {
	l := Life{ID: "x", Mode: "live", Silent: true, Group: street("g1", "04792", 20.84, 105.337), Steps: []Step{{noon, "event.raised", "holdup"}}}
	if got := Messages(l); got != nil {
		t.Errorf("%+v", got)
	}
}

// The schema that OASIS published says the same, where there is a program to ask.
func TestWhatGoesOutPassesTheSchemaOfOASIS(t *testing.T) {
	dir, lint := os.Getenv("KENG_FIXTURES"), ""
	if lint, _ = exec.LookPath("xmllint"); dir == "" || lint == "" {
		t.Skip("needs KENG_FIXTURES and xmllint")
	}
	gen := lives()
	for seed := range 20 {
		for _, m := range Messages(gen.Example(seed)) {
			cmd := exec.CommandContext(t.Context(), lint, "--nonet", "--noout", "--schema", filepath.Join(dir, "cap", "CAP-v1.2.xsd"), "-")
			cmd.Stdin = bytes.NewReader(m.XML())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v %s\n%s", err, out, m.XML())
			}
		}
	}
}

// Real messages of others are read, broken ones are told why.
func TestMessagesOfOthers(t *testing.T) {
	dir := os.Getenv("KENG_FIXTURES")
	if dir == "" {
		t.Skip("KENG_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "cap", "*.[cx][am][pl]"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Read(bytes.NewReader(b))
		if strings.Contains(f, "invalid") {
			if e, ok := errors.AsType[*fault.Error](err); !ok || e.Key != "cap.missing" || e.Args["where"] != "scope" {
				t.Errorf("%s: %v", f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		again, err := Read(bytes.NewReader(a.XML()))
		if err != nil {
			t.Errorf("%s, written by us: %v", f, err)
		}
		if _, err := judge(a, a.Sent.Add(time.Minute)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if again.Identifier != a.Identifier || len(again.Infos) != len(a.Infos) {
			t.Errorf("%s: %+v", f, a)
		}
	}
}

// message is a warning with pieces changed.
func message(change ...string) string {
	s := `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>LU-1</identifier><sender>pctt.phutho.gov.vn</sender><sent>2026-11-24T12:00:00+07:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>en-US</language><category>Met</category><event>Flood</event><urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty><headline>Flash flood</headline></info><info><language>vi-VN</language><category>Met</category><event>Lũ quét</event><urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty><expires>2026-11-24T18:00:00+07:00</expires><headline>Lũ quét ở ven suối</headline><description>Mưa lớn.</description><instruction>Lên chỗ cao.</instruction><area><areaDesc>Tân Hoà</areaDesc><geocode><valueName>DVHC</valueName><value>04792</value></geocode></area></info></alert>`
	return strings.NewReplacer(change...).Replace(s)
}

// Whatever is wrong gets a sentence of its own, in Vietnamese, that says where.
func TestBadMessagesGetClearAnswers(t *testing.T) {
	bomb := `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&b;</identifier></alert>`
	for name, c := range map[string]struct{ text, key, where string }{
		"empty":            {"", "cap.not_cap", ""},
		"HTML":             {"<html><body>x</body></html>", "cap.not_cap", ""},
		"no XML":           {"CAP", "cap.not_cap", ""},
		"torn":             {message()[:700], "cap.bad_xml", ""},
		"two roots":        {message() + "<alert/>", "cap.not_cap", ""},
		"an entity bomb":   {bomb, "cap.doctype", ""},
		"an outside file":  {`<!DOCTYPE alert SYSTEM "file:///etc/passwd">` + message(`<?xml version="1.0" encoding="UTF-8"?>`, ""), "cap.doctype", ""},
		"an entity":        {message("Mưa lớn.", "&xxe;"), "cap.bad_xml", ""},
		"version 1.1":      {message("cap:1.2", "cap:1.1"), "cap.old_version", "1.1"},
		"version 1.0":      {message("urn:oasis:names:tc:emergency:cap:1.2", "http://www.incident.com/cap/1.0"), "cap.old_version", "1.0"},
		"no namespace":     {message(` xmlns="urn:oasis:names:tc:emergency:cap:1.2"`, ""), "cap.not_cap", ""},
		"another encoding": {message("UTF-8", "windows-1258"), "cap.encoding", ""},
		"no UTF-8":         {message("Lũ quét ở", "L\xf9"), "cap.encoding", ""},
		"too large":        {message("Mưa lớn.", strings.Repeat("x", Largest)), "cap.too_large", ""},
		"too deep":         {message("Mưa lớn.", strings.Repeat("<event>", 20)+strings.Repeat("</event>", 20)), "cap.too_large", ""},
		"too many":         {message("<code/>", "", "<scope>", "<scope>"+strings.Repeat("<a/>", mostNodes)), "cap.too_large", ""},
		"no sender":        {message("<sender>pctt.phutho.gov.vn</sender>", ""), "cap.missing", "sender"},
		"an empty sender":  {message("pctt.phutho.gov.vn", ""), "cap.bad_word", "sender"},
		"out of order":     {message("<scope>Public</scope>", "", "<status>", "<scope>Public</scope><status>"), "cap.out_of_order", "status"},
		"twice":            {message("<scope>Public</scope>", "<scope>Public</scope><scope>Public</scope>"), "cap.twice", "scope"},
		"a made-up word":   {message("<severity>Severe", "<severity>Terrible"), "cap.bad_word", "severity"},
		"something else":   {message("<scope>Public</scope>", "<scope>Public</scope><colour>red</colour>"), "cap.unknown_element", "colour"},
		"a date with Z":    {message("2026-11-24T12:00:00+07:00", "2026-11-24T05:00:00Z"), "cap.bad_date", "sent"},
		"no such day":      {message("2026-11-24T18", "2026-02-30T18"), "cap.bad_date", "expires"},
		"from the future":  {message("2026-11-24T12:00:00", "2026-11-24T15:00:00"), "cap.from_future", "sent"},
		"over":             {message("2026-11-24T18:00:00", "2026-11-24T11:59:00", "2026-11-24T12:00:00", "2026-11-24T08:00:00"), "cap.expired", "expires"},
		"ends before":      {message("2026-11-24T18:00:00", "2026-11-24T11:00:00"), "cap.bad_dates", "expires"},
		"no info":          {message("<info>", "<!--", "</info>", "-->"), "cap.missing", "info"},
		"no area":          {message("DVHC", "FIPS6"), "cap.area_unknown", "area"},
		"an open outline":  {message("<geocode><valueName>DVHC</valueName><value>04792</value></geocode>", "<polygon>20.8,105.3 20.9,105.3 20.9,105.4 20.8,105.5</polygon>"), "cap.bad_polygon", "Tân Hoà"},
		"a circle of air":  {message("<geocode><valueName>DVHC</valueName><value>04792</value></geocode>", "<circle>120.8,105.3 5</circle>"), "cap.bad_circle", "Tân Hoà"},
		"an empty update":  {message("<msgType>Alert", "<msgType>Update"), "cap.missing", "references"},
		"a bad reference":  {message("<info><language>en-US", "<references>LU-0</references><info><language>en-US"), "cap.bad_reference", "references"},
	} {
		r := newRig(t, "")
		_, err := r.Take(t.Context(), desk("04792"), strings.NewReader(c.text))
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Key != c.key || c.where != "" && e.Args["where"] != c.where {
			t.Errorf("%s: %v, want %s at %s", name, err, c.key, c.where)
			continue
		}
		for _, l := range say.Langs {
			if text := say.In(l).Text(e.Key, e.Args); !say.In(l).Has(e.Key) || strings.Contains(text, "…") {
				t.Errorf("%s in %s: %q", name, l, text)
			}
		}
		if len(r.shown) != 0 {
			t.Errorf("%s was shown", name)
		}
	}
}

// rig is the slice with a board that remembers. Without a database only what is
// refused before it is asked can be tested.
type rig struct {
	*Service
	shown  map[string]Warning
	recall []string
	at     time.Time
}

func (r *rig) Show(_ context.Context, w Warning) error { r.shown[w.ID] = w; return nil }
func (r *rig) Recall(_ context.Context, id string) error {
	r.recall = append(r.recall, id)
	delete(r.shown, id)
	return nil
}

func (r *rig) Lives(context.Context, people.Actor, []place.Group, time.Time) ([]Life, error) {
	return nil, nil
}
func (r *rig) Life(context.Context, people.Actor, string) (Life, bool, error) {
	return Life{}, false, nil
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	if dsn == "" {
		dsn = filepath.Join(t.TempDir(), "keng.db")
	}
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), Migrations); err != nil {
		t.Fatal(err)
	}
	d := place.NewDirectory(1, []place.Group{street("g1", "04792", 20.84, 105.337), street("g2", "04792", 20.90, 105.40), street("g9", "04795", 20.80, 105.30)})
	r := &rig{shown: map[string]Warning{}, at: noon.Add(time.Minute)}
	r.Service = &Service{DB: db, Village: func() *place.Directory { return d }, Rights: people.Rights{}, Source: r, Board: r, Now: func() time.Time { return r.at }}
	return r
}

func desk(unit string) people.Actor {
	return people.Actor{Token: "pctt", Role: people.Desk, Scope: place.Scope{Unit: place.UnitCode(unit)}}
}

// A warning becomes a notice to the groups of its area, once; an update replaces
// it, a cancel withdraws it, also when it comes first; nobody withdraws what
// another said.
func TestWarningReachesItsArea(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		send := func(a people.Actor, change ...string) (Taken, error) {
			t.Helper()
			return r.Take(t.Context(), a, strings.NewReader(message(change...)))
		}
		groups := func() []string {
			var all []string
			for _, w := range r.shown {
				for _, g := range w.Groups {
					all = append(all, string(g)+": "+w.Title)
				}
			}
			slices.Sort(all)
			return all
		}
		const code = "<geocode><valueName>DVHC</valueName><value>04792</value></geocode>"
		for name, c := range map[string]struct {
			a      people.Actor
			change []string
			want   []string
		}{
			"a ward's code":          {desk("25"), []string{"LU-1", "A"}, []string{"g1", "g2"}},
			"SAME, six digits":       {desk("25"), []string{"LU-1", "B", "DVHC", "SAME", ">04792", ">004795"}, []string{"g9"}},
			"the province":           {desk("25"), []string{"LU-1", "C", ">04792", ">25"}, []string{"g1", "g2", "g9"}},
			"only the token's own":   {desk("04795"), []string{"LU-1", "D", ">04792", ">25"}, []string{"g9"}},
			"an outline":             {desk("25"), []string{"LU-1", "E", code, "<polygon>20.83,105.33 20.85,105.33 20.85,105.35 20.83,105.35 20.83,105.33</polygon>"}, []string{"g1"}},
			"a circle":               {desk("25"), []string{"LU-1", "F", code, "<circle>20.90,105.40 1.5</circle>"}, []string{"g2"}},
			"a circle somewhere":     {desk("25"), []string{"LU-1", "G", code, "<circle>10.0,106.0 5</circle>"}, nil},
			"an outline or a circle": {desk("25"), []string{"LU-1", "H", code, "<polygon>20.83,105.33 20.85,105.33 20.85,105.35 20.83,105.35 20.83,105.33</polygon><circle>20.80,105.30 1</circle>"}, []string{"g1", "g9"}},
		} {
			clear(r.shown)
			got, err := send(c.a, c.change...)
			if err != nil || got.Groups != len(c.want) || got.Shown != (len(c.want) > 0) || got.Again {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			for k := range c.want {
				c.want[k] += ": Lũ quét ở ven suối"
			}
			if d := cmp.Diff(c.want, groups()); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		clear(r.shown)
		if _, err := send(desk("04795")); fault.KindOf(err) != fault.Denied {
			t.Errorf("another ward's area: %v", err)
		}
		for _, a := range []people.Actor{{Token: "x", Role: people.Auditor, Scope: place.Scope{Unit: "04792"}}, {Person: "p", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}, {Token: "l", Role: people.Leader, Scope: place.Scope{Group: "g1"}}} {
			if _, err := send(a); fault.KindOf(err) != fault.Denied {
				t.Errorf("%+v: %v", a, err)
			}
		}
		for k := range 3 { // sent again by a line that broke
			got, err := send(desk("04792"))
			if err != nil || got.Again != (k > 0) || got.Groups != 2 || len(r.shown) != 1 {
				t.Errorf("%d: %+v, %v", k, got, err)
			}
		}
		refers := func(sender, identifier string) []string {
			return []string{"<info><language>en-US", "<references>" + sender + "," + identifier + ",2026-11-24T12:00:00+07:00</references><info><language>en-US"}
		}
		if _, err := send(desk("25"), append(refers("pctt.phutho.gov.vn", "LU-1"), "<identifier>LU-1", "<identifier>X-1", "<sender>pctt.phutho.gov.vn", "<sender>somebody.else", "<msgType>Alert", "<msgType>Cancel")...); err != nil || len(r.shown) != 1 {
			t.Errorf("another's cancel: %v, %d shown", err, len(r.shown))
		}
		if _, err := send(desk("25"), append(refers("pctt.phutho.gov.vn", "LU-1"), "<identifier>LU-1", "<identifier>LU-2", "<msgType>Alert", "<msgType>Update", "ven suối", "mọi nơi")...); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff([]string{"g1: Lũ quét ở mọi nơi", "g2: Lũ quét ở mọi nơi"}, groups()); d != "" {
			t.Errorf("after the update: %s", d)
		}
		for range 2 {
			if _, err := send(desk("25"), append(refers("pctt.phutho.gov.vn", "LU-2"), "<identifier>LU-1", "<identifier>LU-3", "<msgType>Alert", "<msgType>Cancel")...); err != nil || len(r.shown) != 0 {
				t.Errorf("after the cancel: %v, %q", err, groups())
			}
		}
		if _, err := send(desk("25"), append(refers("pctt.phutho.gov.vn", "LU-9"), "<identifier>LU-1", "<identifier>LU-8", "<msgType>Alert", "<msgType>Cancel")...); err != nil {
			t.Error(err)
		}
		if got, err := send(desk("25"), "LU-1", "LU-9"); err != nil || got.Shown || len(r.shown) != 0 {
			t.Errorf("what was cancelled before it came: %+v, %v", got, err)
		}
		for status, shown := range map[string]int{"Test": 0, "System": 0, "Draft": 0, "Exercise": 2} {
			clear(r.shown)
			if got, err := send(desk("25"), "LU-1", "S-"+status, ">Actual", ">"+status); err != nil || got.Groups != shown {
				t.Errorf("%s: %+v, %v", status, got, err)
			}
			if status == "Exercise" && !slices.Equal(groups(), []string{"g1: [Diễn tập] Lũ quét ở ven suối", "g2: [Diễn tập] Lũ quét ở ven suối"}) {
				t.Errorf("an exercise that does not say so: %q", groups())
			}
		}
	})
}

// No bytes break the reader, and what it understands it understands again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(message()))
	f.Add([]byte(message("<geocode><valueName>DVHC</valueName><value>04792</value></geocode>", "<polygon>20.8,105.3 20.9,105.3 20.9,105.4 20.8,105.3</polygon><circle>20.8,105.3 1.5</circle>")))
	for _, m := range Messages(Life{ID: "x", Code: "TH-1", Mode: "drill", Group: street("g1", "04792", 20.84, 105.337), Steps: []Step{{noon, "event.drill", "fire"}, {noon, "event.closed", ""}}}) {
		f.Add(m.XML())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Read(bytes.NewReader(b))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := Read(bytes.NewReader(a.XML()))
		if err != nil || again.Identifier != a.Identifier || !again.Sent.Equal(a.Sent) || len(again.Infos) != len(a.Infos) {
			t.Fatalf("%v\n%s", err, a.XML())
		}
		_, _ = judge(a, a.Sent)
		a.field().covers(street("g1", "04792", 20.84, 105.337))
	})
}
