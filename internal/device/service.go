package device

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Alarms takes what may ring. Slice alarm is one.
type Alarms interface {
	// Take commands the sirens before it returns, and calls done when s is on
	// disk; never when it cannot be. The same key is the same event.
	Take(s signal.Signal, done func())
}

// Notice is a fact about a device that is no alarm: tamper, battery, fault,
// offline, or an alarm that did not ring and why.
type Notice struct {
	signal.Signal
	Value string // short text for people
	Why   string // for an alarm that did not ring: [WhyBypassed], [WhyAway]
}

// Told hears what changed, from one goroutine of its own.
type Told interface {
	Noticed(n Notice)
	// Changed tells that the homes of group g look different now: state, devices,
	// found or unknown. It is called at most once a second for each group.
	Changed(g place.GroupID)
}

// Journal is the committer, the same one that alarm writes with, so that what
// this slice gives it first is also on disk first. *store.Committer is one.
type Journal interface {
	Do(op store.Op, done func(error))
	Hold() // until Release it may wait with what it was given
	Release()
}

// Config is what the slice is made of.
type Config struct {
	DB       *store.DB
	Journal  Journal
	Dialects map[string]dialect.Dialect // by the word in a village file
	Places   Places
	Standing bool // the front is a standing broker: a retained message is a stored one
	Log      *slog.Logger
}

// Links are the others, who in turn need the service.
type Links struct {
	Front   broker.Front
	Alarms  Alarms
	Reports Reports // may be nil
	Told    Told    // may be nil
	Panel   Panel   // Home Assistant; may be nil
}

// Service is the device slice at work. It is a [broker.Handler].
//
// Make it with [New], give it the others with [Service.Join], let alarm assert
// the desires of open incidents, and call [Service.Start] before the front
// takes its first client: then a siren that comes back gets the right desire.
type Service struct {
	Config
	links  Links
	hubs   []hubTopic
	now    atomic.Pointer[registry]
	sirens *sirens
	counts counts
	heard  *heard
	out    *outbox

	mu      sync.Mutex // of what a registry is built from
	src     source
	recent  *recent       // idempotency keys of the webhook
	panels  panels        // what Home Assistant was shown
	pending *changes      // groups that look different
	rewire  chan struct{} // capabilities changed
	started time.Time
	stop    context.CancelFunc
	crew    sync.WaitGroup
}

type hubTopic struct {
	filter string
	lang   dialect.HubDialect
}

// New reads the village from the database.
func New(ctx context.Context, c Config) (*Service, error) {
	v := newService(c)
	if err := v.heard.load(ctx, c.DB.Read()); err != nil {
		return nil, err
	}
	if err := v.recent.load(ctx, c.DB.Read()); err != nil {
		return nil, err
	}
	if err := v.read(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

func newService(c Config) *Service {
	v := &Service{Config: c, sirens: newSirens(), heard: newHeard(), out: newOutbox(), recent: newRecent(), pending: newChanges(), rewire: make(chan struct{}, 1), started: time.Now()}
	v.sirens.reports = v.report
	for _, d := range c.Dialects {
		if h, ok := d.(dialect.HubDialect); ok {
			for _, f := range h.HubTopics() {
				v.hubs = append(v.hubs, hubTopic{f, h})
			}
		}
	}
	v.src = source{places: c.Places, dialects: c.Dialects, lives: map[signal.DeviceID]*live{}, spaces: map[broker.Space]*hub{}}
	return v
}

// Join gives the service the others. Call it once, before Start.
func (v *Service) Join(l Links) {
	v.links = l
	v.sirens.front = l.Front
}

// Start begins to re-assert, supervise and save.
func (v *Service) Start() {
	ctx, stop := context.WithCancel(context.Background())
	v.stop = stop
	for _, job := range [...]func(context.Context){v.sirens.run, v.supervise, v.keepSaving, v.deliver, v.keepWired} {
		v.crew.Go(func() { job(ctx) })
	}
}

// Stop ends what Start began and saves what is known. Sirens are left as they
// are: a process that restarts must not silence an alarm.
func (v *Service) Stop(ctx context.Context) error {
	if v.stop != nil {
		v.stop()
	}
	v.crew.Wait()
	return v.saveAll(ctx)
}

// Reload reads the village again after it changed. *place.Watcher calls it.
func (v *Service) Reload(ctx context.Context, d *place.Directory) error {
	v.mu.Lock()
	v.src.places = d
	v.mu.Unlock()
	return v.read(ctx)
}

// read takes the village from the database and builds a registry of it.
func (v *Service) read(ctx context.Context) error {
	db := v.DB.Read()
	hubs, err := readHubs(ctx, db)
	if err != nil {
		return err
	}
	devices, err := readDevices(ctx, db)
	if err != nil {
		return err
	}
	states, err := readStates(ctx, db)
	if err != nil {
		return err
	}
	abilities, err := readAbilities(ctx, db)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keepLives(hubs, devices, states, abilities)
	v.src.hubs, v.src.devices = hubs, devices
	v.rebuild()
	return nil
}

// keepLives keeps what is known of devices that stay what they were. The caller
// holds mu.
func (v *Service) keepLives(hubs map[string]hubRow, devices map[signal.DeviceID]deviceRow, states map[signal.DeviceID]known, abilities map[signal.DeviceID]json.RawMessage) {
	lives := make(map[signal.DeviceID]*live, len(devices))
	same := shared{}
	for id, row := range devices {
		l, old := v.src.lives[id], v.src.devices[id]
		switch {
		case l == nil:
			l = &live{state: states[id].state, rev: states[id].rev, ability: same.of(abilities[id])}
			l.state.Seen, l.saved = notAfter(l.state.Seen, v.started), v.started
		case old.other(row.NewDevice):
			l = &live{rev: max(states[id].rev, l.revision()) + 1, dirty: true} // another thing: nothing is known of it
		}
		l.mu.Lock()
		l.bypass = row.bypassedUntil
		l.mu.Unlock()
		lives[id] = l
		v.keepHub(broker.Space(or(row.Hub, row.Username)))
	}
	for name := range hubs {
		v.keepHub(broker.Space(name))
	}
	v.src.lives = lives
}

func (v *Service) keepHub(n broker.Space) {
	if n != "" && v.src.spaces[n] == nil {
		v.src.spaces[n] = &hub{since: v.started}
	}
}

// rebuild makes a registry of what is known and puts it to work. The caller
// holds mu.
func (v *Service) rebuild() {
	r := v.src.build()
	v.now.Store(r)
	v.sirens.wire(r)
}

// keepWired rebuilds the registry when discovery told new capabilities, at most
// once a second: they decide the topics and commands of a device.
func (v *Service) keepWired(ctx context.Context) {
	for {
		select {
		case <-v.rewire:
		case <-ctx.Done():
			return
		}
		v.mu.Lock()
		v.rebuild()
		v.mu.Unlock()
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}

// shared keeps one copy of what many devices of a model say alike.
type shared map[string]json.RawMessage

func (s shared) of(c json.RawMessage) json.RawMessage {
	if len(c) == 0 {
		return nil
	}
	if had, ok := s[string(c)]; ok {
		return had
	}
	s[string(c)] = c
	return c
}

func (l *live) revision() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rev
}

// notAfter bounds t: a time from a clock that has been set back since.
func notAfter(t, limit time.Time) time.Time {
	if t.After(limit) {
		return limit
	}
	return t
}

// Desire says what the sirens of group g shall do now. Those whose order changes
// are commanded before it returns; it never waits.
func (v *Service) Desire(g place.GroupID, d Desire) { v.sirens.desire(g, d) }

// Disagreeing lists the enabled sirens of group g that were told something else
// than d.
func (v *Service) Disagreeing(g place.GroupID, d Desire) []signal.DeviceID {
	return v.sirens.disagreeing(v.sirens.ringer(g), d)
}

// Sirens counts the sirens.
func (v *Service) Sirens() SirenCount { return v.sirens.count() }

// report queues how far a command got, for Reports. Of several reports on one
// siren that wait, the newest stays.
func (v *Service) report(s *siren, l Ladder, incident string, at time.Time) {
	if v.links.Reports == nil {
		return
	}
	g, h, id := s.dev.group, s.dev.Home, s.dev.ID
	v.out.putOver(aboutSiren{id, incident}, func() { v.links.Reports.Siren(g, h, id, incident, l, at) })
}

// aboutSiren names what a report is about.
type aboutSiren struct {
	siren    signal.DeviceID
	incident string
}

// outbox is a queue of calls to others, carried out by one goroutine, so that
// nobody who is slow holds up an alarm.
type outbox struct {
	mu    sync.Mutex
	calls []func()
	over  map[aboutSiren]int // where in calls a newer one goes
	wake  chan struct{}
}

func newOutbox() *outbox { return &outbox{over: map[aboutSiren]int{}, wake: make(chan struct{}, 1)} }

func (o *outbox) put(f func()) {
	o.mu.Lock()
	o.calls = append(o.calls, f)
	o.mu.Unlock()
	o.rouse()
}

// putOver puts f in the place of the call about the same that waits, if any.
func (o *outbox) putOver(about aboutSiren, f func()) {
	o.mu.Lock()
	i, waits := o.over[about]
	if waits {
		o.calls[i] = f
	} else {
		o.over[about] = len(o.calls)
		o.calls = append(o.calls, f)
	}
	o.mu.Unlock()
	if !waits {
		o.rouse()
	}
}

func (o *outbox) rouse() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns what waits.
func (o *outbox) take() []func() {
	o.mu.Lock()
	defer o.mu.Unlock()
	calls := o.calls
	o.calls = nil
	clear(o.over)
	return calls
}

// deliver carries out what waits, after the sirens.
func (v *Service) deliver(ctx context.Context) {
	for {
		select {
		case <-v.out.wake:
		case <-ctx.Done():
			return
		}
		if !v.sirens.breathe(ctx) {
			return
		}
		for _, f := range v.out.take() {
			f()
		}
	}
}
