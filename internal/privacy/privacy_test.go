package privacy_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/privacy"
)

const commune place.UnitCode = "04792"

var (
	g1   = place.Group{ID: "g1", Name: "Tổ số 1", Commune: commune, Homes: []place.Home{{ID: "g1-h1", Name: "Nhà số 2"}}}
	desk = people.Actor{Person: "officer-tuan", Name: "Tuấn", Role: people.Desk, Scope: place.Scope{Unit: commune}}
	lan  = people.Actor{Person: "person-lan", Name: "Bùi Thị Lan", Role: people.Member, Home: "g1-h1", Group: "g1", Scope: place.Scope{Group: "g1"}}
	away = people.Actor{Person: "officer-away", Name: "X", Role: people.Desk, Scope: place.Scope{Unit: "04795"}}
)

// rights are the policies of the duty desk, written as plain Go.
type rights struct{}

func (rights) May(a people.Actor, verb string, on people.Thing) bool {
	return a.Role == people.Desk && a.Scope.Unit == on.Unit && strings.HasPrefix(verb, "privacy.")
}

func (rights) MaySeeNames(a people.Actor, g place.Group) bool {
	return a.Role == people.Desk && a.Scope.Unit == g.Commune
}
func (r rights) MaySeePhones(a people.Actor, g place.Group) bool { return r.MaySeeNames(a, g) }

// folk are Lan and Bình of g1.
type folk struct{}

func (folk) Group(g place.GroupID) []people.Person {
	if g != "g1" {
		return nil
	}
	return []people.Person{{ID: "person-lan", Name: "Bùi Thị Lan", Home: "g1-h1"}, {ID: "person-binh", Name: "Bình", Home: "g1-h1"}}
}

func (f folk) Person(id people.ID) (people.Person, bool) {
	for _, p := range f.Group("g1") {
		if p.ID == id {
			return p, true
		}
	}
	return people.Person{ID: desk.Person, Name: "Tuấn", Role: people.Desk, Scope: desk.Scope}, id == desk.Person
}

type world struct {
	*privacy.Service
	db  *store.DB
	log *audit.Log
	now time.Time
}

func open(t *testing.T, dsn string) *world {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), audit.Migrations, place.Migrations, people.Migrations, privacy.Migrations); err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, now: time.Date(2026, 11, 26, 9, 15, 0, 0, time.UTC)} // a Thursday
	now := func() time.Time { return w.now }
	w.log = audit.New(db, db.Engine == store.Postgres, now)
	v, err := place.Watch(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.Service = privacy.New(privacy.Service{
		DB: db, Rights: rights{}, Record: w.log, Entries: w.log, Folk: folk{}, Rules: place.BuiltInRules(),
		Directory: v.Directory, Now: now, Log: slog.New(slog.DiscardHandler),
	})
	return w
}

// seen are the looks that a person reads.
func (w *world) seen(t *testing.T, id people.ID) []audit.Entry {
	t.Helper()
	list, err := w.log.Of(t.Context(), string(id), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLookIsLoggedOncePerOfficerGroupAndHour(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := open(t, dsn)
		ctx, stop := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() { w.Run(ctx); close(gone) }()
		defer func() { stop(); <-gone }()
		for range 3 {
			w.Looked(t.Context(), desk, []place.Group{g1, {ID: "g9", Commune: commune}}) // nobody lives in g9
			w.Looked(t.Context(), away, []place.Group{g1})                               // may not read names there
			w.Looked(t.Context(), lan, []place.Group{g1})                                // a neighbour
			w.Looked(t.Context(), people.Actor{}, []place.Group{g1})
		}
		if err := w.WriteLooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := w.seen(t, "person-lan")
		if len(got) != 1 || got[0].By != "officer-tuan" || got[0].On != "group/g1" || string(got[0].Body) != `{"names":true,"phones":true}` {
			t.Errorf("she reads %+v", got)
		}
		if n := len(w.seen(t, "person-binh")); n != 1 {
			t.Errorf("he reads %d", n)
		}
		w.now = w.now.Add(time.Hour)
		w.Looked(t.Context(), desk, []place.Group{g1})
		if n := len(w.seen(t, "person-lan")); n != 2 {
			t.Errorf("an hour later she reads %d: the look was not on disk before the names were shown", n)
		}
		again := open(t, dsn) // a restart in the same hour
		again.now = w.now
		again.Looked(t.Context(), desk, []place.Group{g1})
		if err := again.WriteLooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(w.seen(t, "person-lan")); n != 2 {
			t.Errorf("after a restart she reads %d", n)
		}
	})
}

// broken is a log that cannot be written, until it is mended.
type broken struct {
	privacy.Recorder
	mended bool
}

func (b *broken) Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error) {
	if !b.mended {
		return audit.Entry{}, errors.New("no space left on device")
	}
	return b.Recorder.Append(ctx, tx, a)
}

func TestStuckDiskDelaysNoScreenAndLosesNoLook(t *testing.T) {
	w := open(t, t.TempDir()+"/keng.db")
	b := &broken{Recorder: w.log}
	w.Record = b
	began := time.Now()
	w.Looked(t.Context(), desk, []place.Group{g1})
	if took := time.Since(began); took > time.Second {
		t.Errorf("the screen waited %v", took)
	}
	if err := w.WriteLooks(t.Context()); err == nil {
		t.Error("a disk that is full is not told")
	}
	b.mended = true
	if err := w.WriteLooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.seen(t, "person-lan")); n != 1 {
		t.Errorf("she reads %d", n)
	}
}

func TestRequestHasItsClocksAndItsAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := open(t, dsn)
		r, err := w.Ask(t.Context(), lan, "k1", privacy.Correct, "  Số điện thoại của tôi đã đổi ")
		if err != nil {
			t.Fatal(err)
		}
		if !r.Reply.Equal(time.Date(2026, 11, 30, 9, 15, 0, 0, time.UTC)) || !r.Due.Equal(w.now.AddDate(0, 0, 10)) || r.Unit != "" && r.Unit != commune {
			t.Errorf("asked on a Thursday: reply by %v, due %v", r.Reply, r.Due)
		}
		if again, err := w.Ask(t.Context(), lan, "k1", privacy.Correct, "x"); err != nil || again.ID != r.ID || again.Text != "Số điện thoại của tôi đã đổi" {
			t.Errorf("the outbox sent twice: %+v, %v", again, err)
		}
		if _, err := w.Ask(t.Context(), lan, "", privacy.Correct, " "); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a correction without a word: %v", err)
		}
		if r.Late(w.now) || !r.Late(r.Reply.Add(time.Minute)) {
			t.Error("the first clock is not kept")
		}
		w.place(t, r.ID)
		for name, who := range map[string]people.Actor{"another desk": away, "a neighbour": {Person: "person-binh", Role: people.Member, Home: "g1-h1", Group: "g1"}} {
			if _, err := w.Take(t.Context(), who, r.ID); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s takes it: %v", name, err)
			}
		}
		took, err := w.Take(t.Context(), desk, r.ID)
		if err != nil || !took.Taken.Equal(w.now) || took.Late(r.Reply.Add(time.Minute)) {
			t.Errorf("taken: %+v, %v", took, err)
		}
		longer, err := w.Lengthen(t.Context(), desk, r.ID, "Phải hỏi nhà mạng")
		if err != nil || !longer.Due.Equal(r.Made.AddDate(0, 0, 20)) {
			t.Errorf("longer: %+v, %v", longer, err)
		}
		if _, err := w.Lengthen(t.Context(), desk, r.ID, "Lần nữa"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("longer twice: %v", err)
		}
		if _, err := w.Answer(t.Context(), desk, r.ID, privacy.Refused, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("refused without a reason: %v", err)
		}
		if _, err := w.Answer(t.Context(), desk, r.ID, privacy.Done, "Đã sửa"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Answer(t.Context(), desk, r.ID, privacy.Done, "Đã sửa"); fault.KindOf(err) != fault.Conflict {
			t.Errorf("answered twice: %v", err)
		}
		mine, err := w.Mine(t.Context(), lan)
		if err != nil || len(mine) != 1 || mine[0].Outcome != privacy.Done || mine[0].Answer != "Đã sửa" || mine[0].By != "officer-tuan" {
			t.Errorf("she reads %+v, %v", mine, err)
		}
		var acts []string
		for _, e := range w.seen(t, "person-lan") {
			acts = append(acts, e.Name)
		}
		if got := strings.Join(acts, " "); got != "privacy.grant privacy.lengthen privacy.take privacy.ask" {
			t.Errorf("logged: %s", got)
		}
		for i := range 6 {
			_, err := w.Ask(t.Context(), lan, "", privacy.See, "")
			if want := i >= 5; (fault.KindOf(err) == fault.Conflict) != want {
				t.Errorf("open request %d: %v", i+1, err)
			}
		}
	})
}

// place puts a request into the commune, for the directory here is empty.
func (w *world) place(t *testing.T, id string) {
	t.Helper()
	if err := w.db.Exec(t.Context(), `UPDATE privacy_request SET unit = $1 WHERE id = $2`, commune, id); err != nil {
		t.Fatal(err)
	}
}

func TestClocksAreConfiguration(t *testing.T) {
	w := open(t, t.TempDir()+"/keng.db")
	w.Rules = nil
	if _, err := w.Ask(t.Context(), lan, "", privacy.See, ""); fault.KindOf(err) != fault.Internal {
		t.Errorf("without rules: %v", err)
	}
	rules, err := place.ReadRules(strings.NewReader("key,unit,from,until,value,source\nprivacy.reply,,2026-01-01,,1,x\nprivacy.see,,2026-01-01,,3,x\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.Rules = rules
	if r, err := w.Ask(t.Context(), lan, "", privacy.See, ""); err != nil || !r.Due.Equal(w.now.AddDate(0, 0, 3)) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestErasedPersonIsInNoFile erases somebody and looks for her, and for her key,
// in the database's files as they lie on the disk.
func TestErasedPersonIsInNoFile(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir+"/keng.db")
	w.Erasers = []privacy.Eraser{people.New(w.db, slog.New(slog.DiscardHandler), w.Now)}
	const canary, phone = "Bùi Thị Lan-chim-hoàng-yến", "+84911222333"
	for i := range 40 { // neighbours around her, so that she is not alone on a page
		put(t, w, fmt.Sprint("person-", i), "Hàng xóm", "+84900000000")
	}
	put(t, w, "person-lan", canary, phone)
	w.Looked(t.Context(), desk, []place.Group{g1})
	if err := w.WriteLooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := w.Ask(t.Context(), lan, "", privacy.Delete, "Xin xoá "+canary)
	if err != nil {
		t.Fatal(err)
	}
	w.place(t, r.ID)
	key, err := w.log.Key(t.Context(), "person-lan")
	if err != nil || key.Zero() {
		t.Fatal("no key", err)
	}
	raw, err := key.Value()
	if err != nil {
		t.Fatal(err)
	}
	needles := map[string][]byte{"her name": []byte(canary), "her phone": []byte(phone), "her id": []byte("person-lan"), "her key": raw.([]byte)}
	for what, needle := range needles {
		if found(t, dir, needle) == "" {
			t.Fatalf("%s is in no file even before: the search finds nothing", what)
		}
	}
	size, err := w.log.Size(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Answer(t.Context(), desk, r.ID, privacy.Done, "Đã xoá"); err != nil {
		t.Fatal(err)
	}
	for what, needle := range needles {
		if file := found(t, dir, needle); file != "" {
			t.Errorf("%s is still in %s", what, file)
		}
	}
	if n, err := w.log.Size(t.Context()); err != nil || n != size+2 { // granted, erased
		t.Errorf("%d leaves, %v", n, err)
	}
	if got, err := w.log.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 || got.Erased == 0 {
		t.Errorf("the log: %v, %v", got, err)
	}
	if n := len(w.seen(t, "person-binh")); n != 1 {
		t.Errorf("the neighbour reads %d", n)
	}
	if queue, err := w.Queue(t.Context(), desk); err != nil || len(queue) != 1 || queue[0].Person != "" || queue[0].Text != "" || queue[0].Outcome != privacy.Done {
		t.Errorf("the queue: %+v, %v", queue, err)
	}
}

func put(t *testing.T, w *world, id, name, phone string) {
	t.Helper()
	if err := w.db.Exec(t.Context(), `INSERT INTO person (id, name, phone, role, home, scope_group, scope_unit, position) VALUES ($1, $2, $3, 'member', 'g1-h1', 'g1', '', 0)`, id, name, phone); err != nil {
		t.Fatal(err)
	}
}

// found is the file below dir that holds needle, "" when none does.
func found(t *testing.T, dir string, needle []byte) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(dir + "/" + f.Name()) // #nosec G304 -- a test's own folder
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, needle) {
			return f.Name()
		}
	}
	return ""
}

func TestExportHoldsEverythingInBothForms(t *testing.T) {
	w := open(t, t.TempDir()+"/keng.db")
	w.Holders = []privacy.Holder{people.New(w.db, slog.New(slog.DiscardHandler), w.Now)}
	put(t, w, "person-lan", "Bùi Thị Lan", "+84911222333")
	put(t, w, "person-binh", "Nguyễn Văn Bình", "+84944555666")
	w.Looked(t.Context(), desk, []place.Group{g1})
	if err := w.WriteLooks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Ask(t.Context(), lan, "", privacy.Correct, "<b>Sửa</b> tên tôi"); err != nil {
		t.Fatal(err)
	}
	e, err := w.Export(t.Context(), lan)
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.JSON()
	if err != nil || !json.Valid(text) {
		t.Fatal(err)
	}
	page, err := e.HTML(say.In(say.Vietnamese), say.Vietnamese)
	if err != nil {
		t.Fatal(err)
	}
	for form, s := range map[string]string{"json": string(text), "html": string(page)} {
		for _, want := range []string{"Bùi Thị Lan", "84911222333", "privacy.look", "Tuấn", "tên tôi"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s lacks %q", form, want)
			}
		}
		for _, other := range []string{"Nguyễn Văn Bình", "84944555666", "<b>Sửa"} {
			if strings.Contains(s, other) {
				t.Errorf("%s holds %q", form, other)
			}
		}
	}
	if strings.Contains(string(page), "held.") {
		t.Errorf("a key without a sentence: %s", page)
	}
	if got := w.seen(t, "person-lan"); got[0].Name != "privacy.export" {
		t.Errorf("the export is not in the log: %+v", got[0])
	}
	if _, err := w.Export(t.Context(), people.Actor{Token: "x"}); fault.KindOf(err) != fault.Denied {
		t.Errorf("a program exports: %v", err)
	}
}
