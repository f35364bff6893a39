package alarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// bells are fake sirens that remember what they were told.
type bells struct {
	mu   sync.Mutex
	told []Desire
}

func (b *bells) Desire(d Desire) { b.mu.Lock(); b.told = append(b.told, d); b.mu.Unlock() }

func (b *bells) last() Desire {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.told) == 0 {
		return Desire{}
	}
	return b.told[len(b.told)-1]
}

// paper is a fake journal: it keeps everything until the test lets it write.
type paper struct {
	mu      sync.Mutex
	records []Event
	dones   []func(error)
	stuck   bool
}

func (p *paper) Append(e Event, _ []byte, _ bool, done func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.records = append(p.records, e)
	p.dones = append(p.dones, done)
	if !p.stuck {
		go p.write(nil)
	}
}

func (p *paper) SetAside(Event, []byte, error) {}

func (p *paper) Project(func() *Incident) {}

func (p *paper) write(err error) {
	p.mu.Lock()
	dones := p.dones
	p.dones = nil
	p.mu.Unlock()
	for _, d := range dones {
		if d != nil {
			d(err)
		}
	}
}

type village map[place.GroupID]place.Group

func (v village) Group(id place.GroupID) (place.Group, bool) { g, ok := v[id]; return g, ok }

func street(n int) village {
	v := village{}
	for k := range n {
		g := place.Group{ID: place.GroupID(fmt.Sprintf("g%d", k+1))}
		for h := range 7 {
			g.Homes = append(g.Homes, place.Home{ID: place.HomeID(fmt.Sprintf("%s-h%d", g.ID, h+1)), Group: g.ID})
		}
		v[g.ID] = g
	}
	return v
}

func newService(j Journal) (*Service, *bells) {
	b := &bells{}
	now := func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	homes := street(3)
	return &Service{Sirens: b, Journal: j, Village: func() Village { return homes }, Now: now, Log: slog.New(slog.DiscardHandler)}, b
}

func push(key string) signal.Signal {
	return signal.Signal{Key: key, Device: "g1-h1-button", DevKind: signal.Button, Home: "g1-h1", Group: "g1", Kind: signal.Alarm, Category: signal.Panic}
}

func TestTakeRingsWhenJournalIsStuck(t *testing.T) {
	p := &paper{stuck: true}
	v, b := newService(p)
	done := 0
	v.Take(push("k1"), func() { done++ })
	if !b.last().Sounding {
		t.Fatal("the sirens waited for the journal")
	}
	if done != 0 {
		t.Fatal("acknowledged before it was on disk")
	}
	p.write(nil)
	if done != 1 {
		t.Errorf("done called %d times, want 1", done)
	}
}

func TestFailedWriteIsNeverAcknowledged(t *testing.T) {
	p := &paper{stuck: true}
	v, _ := newService(p)
	done := 0
	v.Take(push("k1"), func() { done++ })
	v.Take(push("k1"), func() { done++ })
	p.write(errors.New("disk gone"))
	if done != 0 {
		t.Errorf("done called %d times after a failed write", done)
	}
}

func TestSamePressTwiceIsOneAlarmAndWaitsForTheFirst(t *testing.T) {
	p := &paper{stuck: true}
	v, b := newService(p)
	var done [2]int
	v.Take(push("k1"), func() { done[0]++ })
	told := len(b.told)
	v.Take(push("k1"), func() { done[1]++ })
	if done[1] != 0 {
		t.Fatal("a repetition was acknowledged before the first was on disk")
	}
	if len(p.records) != 1 || len(b.told) != told {
		t.Errorf("%d records, %d commands", len(p.records), len(b.told))
	}
	p.write(nil)
	if done != [2]int{1, 1} {
		t.Errorf("done %v, want 1 each", done)
	}
	v.Take(push("k1"), func() { done[1]++ })
	if done[1] != 2 {
		t.Error("a late repetition was not acknowledged")
	}
}

// TestOldNumberIsANewPress: a button that counts in memory says "1" after every
// power cut. Soon after, or when the sender says that it sends again, it is the
// same press; later it rings.
func TestOldNumberIsANewPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		v, b := newService(p)
		v.Take(push("b/1"), func() {})
		synctest.Wait()
		for id := range v.peek("g1") {
			v.act(Event{Kind: ClosedKind, Group: "g1", Incident: id, Cause: Real, By: leader()}, nil)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		again := push("b/1")
		again.Resent = true
		v.Take(again, func() {})
		if b.last().Sounding {
			t.Error("a press that was sent again rang twice")
		}
		v.Take(push("b/1"), func() {})
		synctest.Wait()
		if !b.last().Sounding || len(v.peek("g1")) != 1 {
			t.Error("a new press under an old number was swallowed")
		}
	})
}

func TestUnknownGroupIsNoIncident(t *testing.T) {
	v, b := newService(&paper{})
	s, done := push("k"), 0
	s.Group = "nowhere"
	v.Take(s, func() { done++ })
	if done != 1 || b.last().Sounding {
		t.Errorf("done %d, sounding %v", done, b.last().Sounding)
	}
}

func TestSlowDiskTellsThePersonToSendAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{stuck: true}
		v, b := newService(p)
		e := Event{Kind: Pressed, Group: "g1", Home: "g1-h1", Key: "outbox-1", By: member("g1-h1")}
		_, err := v.wait(t.Context(), "alarm.Raise", e)
		if fault.KindOf(err) != fault.Busy || !b.last().Sounding {
			t.Fatalf("err %v, sounding %v", err, b.last().Sounding)
		}
		p.write(nil)
		i, err := v.wait(t.Context(), "alarm.Raise", e)
		if err != nil || i == nil || len(p.records) != 1 {
			t.Errorf("second send: %v, %d records", err, len(p.records))
		}
	})
}

func TestEscalationKeepsItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := newService(&paper{})
		ctx, cancel := context.WithCancel(t.Context())
		heard := &ears{}
		v.Listen = heard
		finished := make(chan struct{})
		go func() { v.Run(ctx); close(finished) }()
		v.Take(push("k1"), func() {})
		time.Sleep(19 * time.Second)
		synctest.Wait()
		if got := heard.called(); !slices.Equal(got, []Target{CallPush}) {
			t.Errorf("too early: %v", got)
		}
		time.Sleep(42 * time.Second)
		synctest.Wait()
		if got := heard.called(); !slices.Contains(got, SoundDesk) {
			t.Errorf("a minute without the desk: %v", got)
		}
		if r := v.Audited(); !r.OK {
			t.Errorf("audit %+v", r)
		}
		cancel()
		<-finished
	})
}

type ears struct {
	mu    sync.Mutex
	calls []Target
	seen  map[ID]int
}

func (e *ears) Changed(i *Incident) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen == nil {
		e.seen = map[ID]int{}
	}
	if i.Version < e.seen[i.ID] {
		panic("an older version was told after a newer one")
	}
	e.seen[i.ID] = i.Version
}

func (e *ears) Called(_ *Incident, t Target) {
	e.mu.Lock()
	e.calls = append(e.calls, t)
	e.mu.Unlock()
}

func (e *ears) called() []Target { e.mu.Lock(); defer e.mu.Unlock(); return slices.Clone(e.calls) }

// start runs a service on the database at dsn, as the program does.
func start(t *testing.T, dsn string) (*Service, *bells, *Book, func()) {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), Migrations); err != nil {
		t.Fatal(err)
	}
	b := &Book{DB: db, Commit: store.NewCommitter(db, slog.New(slog.DiscardHandler))}
	v, sirens := newService(b)
	if err := v.Load(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return v, sirens, b, func() {
		if err := b.Commit.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestMemoryForgetsWhereThePastWas: what is only on disk is not in memory.
func TestMemoryForgetsWhereThePastWas(t *testing.T) {
	v, _ := newService(&paper{})
	for k := range 200 {
		v.Take(push(fmt.Sprint("k", k)), func() {})
		for id := range v.peek("g1") {
			v.act(Event{Kind: ClosedKind, Group: "g1", Incident: id, Cause: Real, By: leader()}, nil)
		}
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if n := len(v.where); n > 60 {
		t.Errorf("%d places are remembered", n)
	}
}

// TestHoldUpIsInNoCount: who reads the machine's counts must not learn of one.
func TestHoldUpIsInNoCount(t *testing.T) {
	v, _ := newService(&paper{})
	v.act(Event{Kind: Pressed, Group: "g1", Home: "g1-h1", Category: signal.HoldUp, Silent: true, By: member("g1-h1")}, nil)
	if len(v.peek("g1")) != 1 || v.CountOpen() != 0 {
		t.Errorf("%d open, %d counted", len(v.peek("g1")), v.CountOpen())
	}
}

// TestManyClosedWhileStuck closes more incidents than memory keeps while the disk
// is stuck: nothing breaks when it comes back, and every one is shown.
func TestManyClosedWhileStuck(t *testing.T) {
	v, _, book, stop := start(t, filepath.Join(t.TempDir(), "keng.db"))
	book.Commit.Hold()
	const n = 70
	for k := range n {
		v.Take(push(fmt.Sprint("k", k)), func() {})
		for id := range v.peek("g1") {
			v.act(Event{Kind: ClosedKind, Group: "g1", Incident: id, Cause: Real, By: leader()}, nil)
		}
	}
	book.Commit.Release()
	stop()
	past, err := book.closed(t.Context(), Past{Groups: []place.GroupID{"g1"}})
	if err != nil || len(past) != n {
		t.Errorf("%d of %d are shown as closed, %v", len(past), n, err)
	}
}

func TestRestartWithOpenIncidents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, _, stop := start(t, dsn)
		v.Take(push("k1"), func() {})
		second := push("k2")
		second.Home, second.Device = "g1-h2", "g1-h2-button"
		v.Take(second, func() {})
		i, err := v.wait(t.Context(), "t", Event{Kind: Pressed, Group: "g2", Home: "g2-h1", Category: signal.Medical, Key: "p1", By: member("g2-h1")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.checked(t.Context(), "t", Event{Kind: ClosedKind, Group: "g2", Incident: i.ID, Cause: Real, By: leader()}); err != nil {
			t.Fatal(err)
		}
		stop()

		v, sirens, b, stop := start(t, dsn)
		defer stop()
		v.Resume()
		d := sirens.last()
		if !d.Sounding || d.Group != "g1" || len(d.Origins) != 2 {
			t.Errorf("after the restart: %+v", d)
		}
		if len(sirens.told) != 1 {
			t.Errorf("%d commands, want one for the one open incident", len(sirens.told))
		}
		done := 0
		v.Take(push("k1"), func() { done++ }) // the PUBACK was lost: the hub sends again
		if done != 1 || len(v.group("g1").state.Open) != 1 {
			t.Errorf("done %d, %d open", done, len(v.group("g1").state.Open))
		}
		past, err := b.closed(t.Context(), Past{Groups: []place.GroupID{"g2"}})
		if err != nil || len(past) != 1 || past[0].ID != i.ID || past[0].Closed.Cause != Real {
			t.Errorf("closed %v, %v", past, err)
		}
		if none, err := b.closed(t.Context(), Past{Groups: []place.GroupID{"g1"}}); err != nil || len(none) != 0 {
			t.Errorf("closed in g1: %v, %v", none, err)
		}
		j, err := v.wait(t.Context(), "t", Event{Kind: Pressed, Group: "g3", Home: "g3-h1", Key: "p2", By: member("g3-h1")})
		if err != nil || j.Number != i.Number+1 {
			t.Errorf("number %v after %v, %v", j.Number, i.Number, err)
		}
	})
}

func TestBrokenChainIsFound(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "keng.db")
	v, _, b, stop := start(t, dsn)
	for k := range 4 {
		s := push(fmt.Sprint("k", k))
		s.Home = place.HomeID(fmt.Sprintf("g1-h%d", k+1))
		v.Take(s, func() {})
	}
	stop()
	if err := b.DB.Exec(t.Context(), `UPDATE alarm_event SET body = replace(body, 'g1-h3', 'g1-h7') WHERE n = 3`); err != nil {
		t.Fatal(err)
	}
	v, _, _, stop = start(t, dsn)
	defer stop()
	if r := v.Audit(); r.OK || r.Violations[0].Rule != "I9" {
		t.Errorf("audit %+v", r)
	}
}

func TestClockThatWentBackWhileDown(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "keng.db")
	v, _, _, stop := start(t, dsn)
	v.Take(push("k1"), func() {})
	stop()
	v, sirens, _, stop := start(t, dsn)
	defer stop()
	real := v.Now
	v.Now = func() time.Time { return real().Add(-time.Hour) }
	v.Resume()
	if !sirens.last().Sounding {
		t.Error("sirens are silent")
	}
	if wait := Next(v.group("g1").state).Sub(v.Now()); wait > 30*time.Second {
		t.Errorf("the next step is %v away", wait)
	}
}

// TestStorm raises every group at once: each rings before anything repeats, and
// all is on disk in the end.
func TestStorm(t *testing.T) {
	v, b, book, stop := start(t, filepath.Join(t.TempDir(), "keng.db"))
	const n = 300
	homes := street(n)
	v.Village = func() Village { return homes }
	var wg, saved sync.WaitGroup
	for k := range n {
		saved.Add(2)
		wg.Go(func() {
			s := push(fmt.Sprint("k", k))
			s.Group = place.GroupID(fmt.Sprintf("g%d", k+1))
			v.Take(s, saved.Done)
			v.Take(s, saved.Done)
		})
	}
	wg.Wait()
	saved.Wait()
	rung := map[place.GroupID]int{}
	for _, d := range b.told {
		rung[d.Group]++
	}
	if len(rung) != n || len(b.told) != n {
		t.Errorf("%d groups rung, %d commands", len(rung), len(b.told))
	}
	stop()
	since, err := book.openSince(t.Context())
	if err != nil || len(since) != n {
		t.Errorf("%d groups in the journal, %v", len(since), err)
	}
}

func BenchmarkTake(b *testing.B) {
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "keng.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(b.Context(), Migrations); err != nil {
		b.Fatal(err)
	}
	book := &Book{DB: db, Commit: store.NewCommitter(db, slog.New(slog.DiscardHandler))}
	v, _ := newService(book)
	homes := street(1000)
	v.Village = func() Village { return homes }
	n := 0
	for b.Loop() {
		n++
		s := push(fmt.Sprint("k", n))
		s.Group = place.GroupID(fmt.Sprintf("g%d", n%1000+1))
		v.Take(s, func() {})
	}
	_ = book.Commit.Close(b.Context())
}

func TestOldNumberAfterTheClockWasSetBackIsANewPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, b := newService(&paper{})
		v.Take(push("b/1"), func() {})
		synctest.Wait()
		for id := range v.peek("g1") {
			v.act(Event{Kind: ClosedKind, Group: "g1", Incident: id, Cause: Real, By: leader()}, nil)
		}
		steady := v.Now
		v.Now = func() time.Time { return steady().Add(-time.Hour) }
		v.ClockMoved(-time.Hour)
		time.Sleep(time.Minute)
		v.Take(push("b/1"), func() {})
		if !b.last().Sounding {
			t.Error("swallowed for an hour, because the clock was set back")
		}
		synctest.Wait()
	})
}

// A new press under an old number chatters like any other: what follows within
// seconds is the same press, and waits for the same disk.
func TestNewPressUnderAnOldNumberBounces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paper{}
		v, _ := newService(p)
		v.Take(push("b/1"), func() {})
		synctest.Wait()
		time.Sleep(time.Minute)
		p.stuck = true
		done := 0
		v.Take(push("b/1"), func() { done++ })
		v.Take(push("b/1"), func() { done++ })
		time.Sleep(100 * time.Millisecond)
		v.Take(push("b/1"), func() { done++ })
		if len(p.records) != 2 || done != 0 {
			t.Errorf("%d records, want 2; %d acknowledged before the disk", len(p.records), done)
		}
		p.write(nil)
		if done != 3 {
			t.Errorf("%d acknowledged, want 3", done)
		}
		keys := map[string]bool{}
		for _, r := range p.records {
			if keys[r.Key] {
				t.Errorf("key %s stands in the journal twice", r.Key)
			}
			keys[r.Key] = true
		}
	})
}

// After the machine's clock was set forward, times from before it lie in the past.
// They must not keep anything that is due now from being done.
func TestDueTimesComeAfterTheClockWasSetForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, b := newService(&paper{})
		var ahead atomic.Int64 // ns
		steady := v.Now
		v.Now = func() time.Time { return steady().Add(time.Duration(ahead.Load())) }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.Run(ctx); close(done) }()
		v.Take(push("k1"), func() {})
		var id ID
		for k := range v.peek("g1") {
			id = k
		}
		silence := func(h place.HomeID, long time.Duration) {
			v.act(Event{Kind: SilencedKind, Group: "g1", Incident: id, Home: h, Until: v.Now().Add(long), By: leader()}, nil)
		}
		silence("g1-h1", 25*time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
		v.ClockMoved(time.Hour)
		synctest.Wait() // who keeps the time looks at the clock in between
		ahead.Store(int64(time.Hour))
		silence("g1-h2", 5*time.Second)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if quiet := b.last().Quiet; !slices.Equal(quiet, []place.HomeID{"g1-h1"}) {
			t.Errorf("6 s after a silence of 5 s these rest: %v", quiet)
		}
		v.ClockMoved(time.Hour)
		synctest.Wait()
		ahead.Add(int64(time.Hour))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if quiet := b.last().Quiet; len(quiet) > 0 {
			t.Errorf("27 s after a silence of 25 s these rest: %v", quiet)
		}
		cancel()
		<-done
	})
}
