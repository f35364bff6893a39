package alarm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// TestMonthInAMinute lets a province's corner live for thirty days: presses and
// smoke, neighbours who answer or sleep, desks that take it or stay mute, drills,
// restarts, a clock that is set. Whatever happens, the auditor finds nothing, the
// sirens do what the open incidents say, and nothing open is ever without a next
// step. KENG_SEED repeats a month.
func TestMonthInAMinute(t *testing.T) {
	days := 30
	if testing.Short() {
		days = 3
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("KENG_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("KENG_SEED=%d", seed)
	synctest.Test(t, func(t *testing.T) {
		m := newMonth(t, seed)
		defer m.stop()
		day := time.Now().YearDay()
		for end := time.Now().Add(time.Duration(days) * 24 * time.Hour); time.Now().Before(end); {
			time.Sleep(time.Duration(m.rng.ExpFloat64() * float64(6*time.Minute)))
			m.something()
			if today := time.Now().YearDay(); today != day {
				day = today
				m.tidyUp()
			}
			synctest.Wait()
			m.examine()
		}
		t.Logf("%d presses, %d restarts, %d incidents", m.presses, m.restarts, m.v.number.Load())
		if m.presses < 50*days || m.restarts == 0 {
			t.Error("too little happened for the test to mean anything")
		}
	})
}

const monthGroups = 8

type month struct {
	t        *testing.T
	rng      *rand.Rand
	paper    *paper
	v        *Service
	bells    *latest
	offset   time.Duration // of the machine's clock
	cancel   context.CancelFunc
	done     chan struct{}
	presses  int
	restarts int
	atRest   map[place.GroupID]bool
}

// latest keeps what each group's sirens were told last.
type latest struct {
	mu   sync.Mutex
	told map[place.GroupID]Desire
}

func (l *latest) Desire(d Desire) { l.mu.Lock(); l.told[d.Group] = d; l.mu.Unlock() }

func newMonth(t *testing.T, seed uint64) *month {
	m := &month{t: t, rng: rand.New(rand.NewPCG(seed, 7)), paper: &paper{}} // #nosec G404 -- a month that can be repeated
	m.start()
	return m
}

func (m *month) now() time.Time { return time.Now().Add(m.offset).UTC().Truncate(time.Millisecond) }

// start begins a service on what the journal holds.
func (m *month) start() {
	homes := street(monthGroups)
	m.bells = &latest{told: map[place.GroupID]Desire{}}
	m.v, _ = newService(m.paper)
	m.v.Sirens, m.v.Village, m.v.Now = m.bells, func() Village { return homes }, m.now
	m.paper.mu.Lock()
	m.forget()
	for _, e := range m.paper.records {
		g := m.v.group(e.Group)
		before := g.state
		g.state, _ = Decide(g.state, e)
		g.retire(before)
		if e.Opens != nil {
			m.v.number.Store(max(m.v.number.Load(), e.Opens.Number))
		}
	}
	m.paper.mu.Unlock()
	m.v.Resume()
	ctx, cancel := context.WithCancel(m.t.Context())
	m.cancel, m.done = cancel, make(chan struct{})
	go func() { m.v.Run(ctx); close(m.done) }()
}

// forget drops the events of groups at rest, as [Service.Load] does not read them.
func (m *month) forget() {
	m.paper.records = slices.DeleteFunc(m.paper.records, func(e Event) bool { return m.atRest[e.Group] })
}

// stop ends the service and notes which groups had nothing open.
func (m *month) stop() {
	m.atRest = map[place.GroupID]bool{}
	for _, g := range m.v.all() {
		m.atRest[g.id] = len(m.v.peek(g.id)) == 0
	}
	m.halt()
}

func (m *month) halt() { m.cancel(); <-m.done }

// something lets one thing happen somewhere.
func (m *month) something() {
	g := place.GroupID(fmt.Sprintf("g%d", m.rng.IntN(monthGroups)+1))
	h := place.HomeID(fmt.Sprintf("%s-h%d", g, m.rng.IntN(7)+1))
	by := []Who{member(h), {Person: "p-leader", Role: leader().Role, Home: place.HomeID(g + "-h1")}, desk()}[m.rng.IntN(3)]
	var id ID
	for open := range m.v.peek(g) {
		id = open
	}
	act := func(e Event) { e.Group, e.Incident, e.By = g, id, by; m.v.act(e, nil) }
	switch n := m.rng.IntN(100); {
	case n < 30:
		m.press(g, h)
	case n < 50:
		act(Event{Kind: AnsweredKind, Home: h, Answer: Answers[m.rng.IntN(len(Answers))], Text: []string{"", "đã xem"}[m.rng.IntN(2)]})
	case n < 58:
		act(Event{Kind: AckedKind})
	case n < 62:
		act(Event{Kind: SilencedKind, Home: []place.HomeID{"", h}[m.rng.IntN(2)]})
	case n < 66:
		act(Event{Kind: AttendedKind})
	case n < 90:
		act(Event{Kind: ClosedKind, Cause: Causes[m.rng.IntN(len(Causes))], Text: "đã xem"})
	case n < 94:
		m.v.act(Event{Kind: Pressed, Group: g, Home: h, Mode: []Mode{Drill, Test}[m.rng.IntN(2)], Category: signal.Fire, By: by}, nil)
	case n < 98:
		m.v.act(Event{Kind: Recategorised, Group: g, Incident: id, Category: signal.Categories[m.rng.IntN(len(signal.Categories))], By: by}, nil)
	case n < 99:
		m.stop()
		synctest.Wait()
		m.restarts++
		m.start()
	default:
		by := []time.Duration{time.Hour, -time.Hour}[m.rng.IntN(2)]
		m.offset += by
		m.v.ClockMoved(by)
	}
}

// tidyUp is the morning: the desk goes to every home that called for help and
// closes what is still open.
func (m *month) tidyUp() {
	for _, g := range m.v.all() {
		for id, i := range m.v.peek(g.id) {
			act := func(e Event) { e.Group, e.Incident, e.By = g.id, id, desk(); m.v.act(e, nil) }
			act(Event{Kind: AttendedKind})
			for _, r := range i.Homes {
				if r.Answer().Answer == NeedHelp {
					act(Event{Kind: AnsweredKind, Home: r.Home, Answer: Safe, Text: "đã đến xem"})
				}
			}
			act(Event{Kind: ClosedKind, Cause: map[Mode]Cause{Live: Real, Drill: DrillCause, Test: TestCause}[i.Mode]})
		}
	}
}

func (m *month) press(g place.GroupID, h place.HomeID) {
	m.presses++
	k := []signal.DeviceKind{signal.Button, signal.Smoke, signal.Gas}[m.rng.IntN(3)]
	saved := false
	m.v.Take(signal.Signal{Key: fmt.Sprint("press-", m.presses), Device: signal.DeviceID(h) + "-" + signal.DeviceID(k), DevKind: k, Home: h, Group: g, Kind: signal.Alarm, Category: signal.DefaultCategory(k)}, func() { saved = true })
	synctest.Wait()
	quiet := k != signal.Button // a detector of a home that rings already respects a silence
	if len(m.v.peek(g)) == 0 || !m.bells.told[g].Sounding && !quiet || !saved {
		m.t.Fatalf("press %d of %s: %d incidents, sirens %+v, saved %v", m.presses, h, len(m.v.peek(g)), m.bells.told[g], saved)
	}
}

// examine looks from outside: the auditor's word, and what the sirens were told.
func (m *month) examine() {
	if r := m.v.Audit(); !r.OK {
		m.t.Fatalf("the auditor found %+v", r.Violations)
	}
	m.bells.mu.Lock()
	defer m.bells.mu.Unlock()
	for _, g := range m.v.all() {
		loud := false
		for _, i := range m.v.peek(g.id) {
			loud = loud || !i.Silent && i.Annunciation == Sounding
			if i.Mode == Live && i.Response == Unacknowledged && !i.DeskSound && m.now().Sub(i.Opened) > 2*time.Minute {
				m.t.Fatalf("incident %s of %s is forgotten: open since %v, nobody took it and the desk is quiet", i.ID, g.id, i.Opened)
			}
		}
		if m.bells.told[g.id].Sounding != loud {
			m.t.Fatalf("sirens of %s were told %v, open incidents say %v", g.id, m.bells.told[g.id].Sounding, loud)
		}
	}
}
