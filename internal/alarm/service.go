package alarm

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// SaveWithin is how long a person's act waits for the disk before the answer is
// "rung, but not yet saved: send it again".
const SaveWithin = 3 * time.Second

// KeysLast is how long a press is remembered, so that its repetition is known.
const KeysLast = 24 * time.Hour

// Sirens brings the sirens of a group to what they shall do. It must not block.
// Slice device is one.
type Sirens interface {
	Desire(d Desire)
}

// Village knows the groups. *place.Directory is one.
type Village interface {
	Group(id place.GroupID) (place.Group, bool)
}

// Journal takes the events. *Book is one.
type Journal interface {
	// Append calls done with nil when e is on disk, with [store.ErrRefused] when it can
	// never be; waits says that somebody needs to know of the former.
	Append(e Event, body []byte, waits bool, done func(error))
	SetAside(e Event, body []byte, why error)
	Project(current func() *Incident)
}

// Listener is told what changed, from one goroutine, in order for each incident.
type Listener interface {
	Changed(i *Incident)
	Called(i *Incident, t Target)
}

// Service is the alarm slice at work. Fill the exported fields, then call Load
// and Run.
type Service struct {
	Sirens  Sirens
	Journal Journal
	Village func() Village
	Now     func() time.Time // steady time, UTC, whole ms
	Listen  Listener
	Witness Witness // may be nil
	Rights  Rights
	Names   Names
	Past    *Book // for reading what is over
	Log     *slog.Logger

	mu     sync.RWMutex
	groups map[place.GroupID]*group
	where  map[ID]place.GroupID
	number atomic.Int64
	timers timers
	news   news
	audit  auditor
}

// group is one group's single writer: whoever holds mu.
type group struct {
	mu     sync.Mutex
	id     place.GroupID
	state  State
	keys   map[string]*receipt
	past   []*Incident      // closed within KeysLast, newest last
	dirty  map[ID]*Incident // the newest projection on its way
	owing  []*refusal       // events that were refused, until their incidents are restated
	retold int              // restatements on their way

	calmed time.Time // last evening stroke
}

// receipt is what became of one press or act.
type receipt struct {
	incident ID
	at       time.Time
	saved    bool
	waiting  []func(error)
}

// group returns the writer of a group, made on first use.
func (v *Service) group(id place.GroupID) *group {
	v.mu.RLock()
	g := v.groups[id]
	v.mu.RUnlock()
	if g != nil {
		return g
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.groups == nil {
		v.groups = map[place.GroupID]*group{}
	}
	if g = v.groups[id]; g == nil {
		g = &group{id: id, state: State{Group: id}, keys: map[string]*receipt{}, dirty: map[ID]*Incident{}}
		v.groups[id] = g
	}
	return g
}

// all lists the groups that ever had an event.
func (v *Service) all() []*group {
	v.mu.RLock()
	defer v.mu.RUnlock()
	gs := make([]*group, 0, len(v.groups))
	for _, g := range v.groups {
		gs = append(gs, g)
	}
	return gs
}

// Take rings for a device's signal and journals it, in that order. The sirens
// are commanded before Take returns; done is called when the signal is on disk,
// and never before. A signal that says nothing new is done at once.
func (v *Service) Take(s signal.Signal, done func()) {
	e := Event{Kind: Signaled, Group: s.Group, Key: s.Key, Home: s.Home, Signal: &s}
	if s.Kind != signal.Alarm && s.Kind != signal.Restore {
		done()
		return
	}
	v.act(e, func(_ *Incident, err error) {
		if err == nil {
			done()
		}
	})
}

// Siren notes how far the command to a siren got. It is not waited for.
func (v *Service) Siren(g place.GroupID, h place.HomeID, d signal.DeviceID, i ID, l Ladder) {
	if i == "" {
		return
	}
	v.act(Event{Kind: SirenReported, Group: g, Incident: i, Home: h, Device: d, Ladder: l}, nil)
}

// Phone notes how far the calls to home h got by one way. It is not waited for.
func (v *Service) Phone(g place.GroupID, h place.HomeID, i ID, via Via, d Delivery) {
	v.act(Event{Kind: PhoneReported, Group: g, Incident: i, Home: h, Via: via, Delivery: d}, nil)
}

// act is the one way in: it dates e, decides, commands the sirens, journals and
// tells, in that order. saved, which may be nil, is called once e is on disk, or
// at once when e changes nothing.
func (v *Service) act(e Event, saved func(*Incident, error)) {
	g := v.group(e.Group)
	g.mu.Lock()
	e.At = v.Now()
	i, wait := v.apply(g, e, saved)
	g.mu.Unlock()
	if !wait && saved != nil {
		saved(i, nil)
	}
}

// apply does the work of act under g's lock. wait is false when there is nothing
// to wait for.
func (v *Service) apply(g *group, e Event, saved func(*Incident, error)) (touched *Incident, wait bool) {
	e.Key = legible(e.Key)
	number := e.Key
	if r := g.keys[number]; number != "" && r != nil {
		if !e.afresh(r) {
			return g.repeated(r, saved)
		}
		e.Key += "+" + strconv.FormatInt(e.At.UnixMilli(), 10)
	}
	if e.raises() {
		e.Opens = v.opening(g, e)
	}
	e = Resolve(g.state, e)
	if e.Kind != Ticked && e.Kind != ClockShifted && e.Incident == "" {
		return nil, false
	}
	next, effects := Decide(g.state, e)
	if len(effects) == 0 {
		return g.find(e.Incident), false
	}
	before := g.state
	g.state = next
	if e.Opens != nil {
		v.located(e.Incident, g.id)
	}
	for _, f := range effects {
		if f.Do == Assert {
			v.Sirens.Desire(f.Desire)
		}
	}
	ended, gone := g.retire(before)
	v.lost(gone)
	touched = g.find(e.Incident)
	v.journal(g, e, touched, saved)
	if e.Key != number { // from now on the number means the new press
		g.keys[number] = g.keys[e.Key]
	}
	for _, id := range ended {
		v.project(g, id)
	}
	v.tell(g, effects)
	v.timers.set(g.id, Next(g.state))
	return touched, saved != nil
}

// SameWithin is how soon a press with a number that was used before is still the
// same press, when its sender does not say that it sends again. Buttons that
// count in memory begin at 1 after every power cut: later it is a new press.
const SameWithin = 5 * time.Second

// afresh reports whether e is a new press under an old number; the clock may have
// been set back since.
func (e Event) afresh(r *receipt) bool {
	return e.Signal != nil && e.Signal.Kind == signal.Alarm && !e.Signal.Resent && r.saved && e.At.Sub(r.at).Abs() > SameWithin
}

// opening prepares what e needs in case it opens an incident.
func (v *Service) opening(g *group, e Event) *Opening {
	p, ok := v.Village().Group(g.id)
	if !ok {
		return nil // nobody lives there: nothing to ring
	}
	plans, err := ParsePlans(p.Plan)
	if err != nil { // import refuses such plans; an alarm must not
		v.Log.Error("group has an unreadable plan, using the default", slog.String("group", string(g.id)), slog.Any("err", err))
	}
	c := e.danger()
	if e.quiet() {
		c = signal.HoldUp // whatever it is called: the desk, at once, and nobody else
	}
	o := &Opening{ID: ID(ulid.MustNew(ulid.Timestamp(e.At), rand.Reader).String()), Plan: plans.For(c)}
	for _, h := range p.Homes {
		o.Homes = append(o.Homes, h.ID)
	}
	if match(g.state, e) == nil {
		o.Number = v.number.Add(1)
	}
	return o
}

// repeated answers an act that was heard before: saved when the first is.
func (g *group) repeated(r *receipt, saved func(*Incident, error)) (*Incident, bool) {
	i := g.find(r.incident)
	if r.saved || saved == nil {
		return i, false
	}
	r.waiting = append(r.waiting, func(err error) { saved(i, err) })
	return i, true
}

// find returns an incident of g that is open or was closed lately.
func (g *group) find(id ID) *Incident {
	if i := g.state.Open[id]; i != nil {
		return i
	}
	for _, i := range g.past {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// retire keeps what was closed by the last event for a while, for reading.
func (g *group) retire(before State) (ended []ID, gone []*Incident) {
	for id := range before.Open {
		if _, open := g.state.Open[id]; !open && g.state.closing[id] != nil {
			g.past = append(g.past, g.state.closing[id])
			ended = append(ended, id)
		}
	}
	g.state.closing = nil
	if n := len(g.past) - 50; n > 0 {
		gone = slices.Clone(g.past[:n])
		g.past = slices.Clone(g.past[n:])
	}
	return ended, gone
}

// journal writes e, and the incidents as they are by then.
func (v *Service) journal(g *group, e Event, i *Incident, saved func(*Incident, error)) {
	body, err := json.Marshal(e)
	if err != nil {
		v.Log.Error("event cannot be written", slog.String("kind", string(e.Kind)), slog.Any("err", err))
		return
	}
	var r *receipt
	if e.Key != "" {
		r = &receipt{incident: e.Incident, at: e.At}
		g.keys[e.Key] = r
		g.forget(e.At)
	}
	v.Journal.Append(e, body, r != nil || saved != nil, v.whenSaved(g, e, body, r, i, saved))
	for id := range g.state.Open {
		if i == nil || id == i.ID {
			v.project(g, id)
		}
	}
	if i != nil && !i.Open() {
		v.project(g, i.ID)
	}
}

// whenSaved is what happens once it is known whether e is on disk.
func (v *Service) whenSaved(g *group, e Event, body []byte, r *receipt, i *Incident, saved func(*Incident, error)) func(error) {
	return func(err error) {
		if errors.Is(err, store.ErrRefused) {
			v.refused(g, &refusal{event: e, receipt: r, incident: i, saved: saved}, body, err)
			return
		}
		if err != nil {
			v.Log.Error("event was not written", slog.String("group", string(g.id)), slog.Any("err", err))
		}
		v.saved(g, r, err)
		if saved != nil {
			saved(i, err)
		}
	}
}

// saved lets everybody go who waits for the same press. After an error they are
// not told: they send it again. (The journal may report an error while g is held.)
func (v *Service) saved(g *group, r *receipt, err error) {
	if r == nil || err != nil {
		return
	}
	g.mu.Lock()
	r.saved = true
	waiting := r.waiting
	r.waiting = nil
	g.mu.Unlock()
	for _, w := range waiting {
		w(nil)
	}
}

// project queues incident id, as it is now, for reading. It stands behind the
// event that made it so, and is skipped when a newer one waits.
func (v *Service) project(g *group, id ID) {
	i := g.find(id)
	g.dirty[id] = i
	v.Journal.Project(func() *Incident {
		g.mu.Lock()
		defer g.mu.Unlock()
		if newest, waits := g.dirty[id]; waits && newest != i {
			return nil
		}
		delete(g.dirty, id) // run again after a failed commit, it is still i
		return i
	})
}

// forget drops keys that are too old to be repeated.
func (g *group) forget(now time.Time) {
	if len(g.keys) < 256 || len(g.keys)%64 != 0 {
		return
	}
	for k, r := range g.keys {
		if r.saved && now.Sub(r.at) > KeysLast {
			delete(g.keys, k)
		}
	}
}

// wait is act for a person: it returns the incident when the act is on disk, or
// a Busy fault when the disk takes too long; the act itself was done.
func (v *Service) wait(ctx context.Context, op string, e Event) (*Incident, error) {
	type result struct {
		i   *Incident
		err error
	}
	res := make(chan result, 1)
	v.act(e, func(i *Incident, err error) { res <- result{i, err} })
	timeout := time.NewTimer(SaveWithin)
	defer timeout.Stop()
	select {
	case r := <-res:
		if r.err != nil {
			return r.i, &fault.Error{Op: op, Kind: fault.Internal, Key: "fault.internal", Err: r.err}
		}
		if r.i == nil {
			return nil, fault.New(op, fault.NotFound, "alarm.not_found")
		}
		return r.i, nil
	case <-timeout.C:
		return nil, fault.New(op, fault.Busy, "alarm.rung_not_saved")
	case <-ctx.Done():
		return nil, &fault.Error{Op: op, Kind: fault.Busy, Key: "alarm.rung_not_saved", Err: ctx.Err()}
	}
}

// checked is wait after asking whether e may happen now.
func (v *Service) checked(ctx context.Context, op string, e Event) (*Incident, error) {
	g := v.group(e.Group)
	g.mu.Lock()
	heard := e.Key != "" && g.keys[legible(e.Key)] != nil
	e.At = v.Now()
	key := Refusal(g.state, e)
	g.mu.Unlock()
	if key != "" && !heard {
		return nil, fault.New(op, fault.Conflict, key)
	}
	return v.wait(ctx, op, e)
}

// Load brings back the open incidents from the journal: the events are the
// truth, whatever the projection says.
func (v *Service) Load(ctx context.Context, b *Book) error {
	last, err := b.lastNumber(ctx)
	if err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	if err := b.resume(ctx); err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	since, err := b.openSince(ctx)
	if err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	for id, n := range since {
		if err := v.replay(ctx, b, v.group(id), n, &last); err != nil {
			return fmt.Errorf("load alarms of %s: %w", id, err)
		}
	}
	v.number.Store(last)
	now := v.Now()
	if err := b.keysSince(ctx, now.Add(-KeysLast), func(id place.GroupID, key string, i ID) {
		v.group(id).keys[key] = &receipt{incident: i, at: now, saved: true}
	}); err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	if err := v.remember(ctx, b, now); err != nil {
		return err
	}
	return v.unshow(ctx, b)
}

// unshow takes off the list for reading what is shown as open and is not: its
// opening was refused, and Keng ended before it was told again.
func (v *Service) unshow(ctx context.Context, b *Book) error {
	shown, err := b.shownOpen(ctx)
	if err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	var wrong []ID
	for id, gid := range shown {
		if g := v.group(gid); g.find(id) == nil {
			wrong = append(wrong, id)
		}
	}
	if len(wrong) > 0 {
		b.forget(wrong)
	}
	return nil
}

// replay applies the events of g from place n on.
func (v *Service) replay(ctx context.Context, b *Book, g *group, n int64, number *int64) error {
	records, bodies, err := b.events(ctx, g.id, n)
	if err != nil {
		return err
	}
	for k, r := range records {
		if k > 0 && records[k-1].Chain.next(bodies[k]) != r.Chain {
			v.Log.Error("journal chain is broken", slog.String("group", string(g.id)), slog.Int64("n", r.N))
			v.audit.broke(g.id, r.N)
		}
		if r.Event.Opens != nil {
			*number = max(*number, r.Event.Opens.Number)
			v.located(r.Event.Incident, g.id)
		}
		if r.Event.State != nil {
			*number = max(*number, r.Event.State.Number)
			v.located(r.Event.Incident, g.id)
		}
		before := g.state
		g.state, _ = Decide(g.state, r.Event)
		_, gone := g.retire(before)
		v.lost(gone)
	}
	for id := range g.state.Open {
		v.project(g, id)
	}
	for _, i := range g.past { // a crash between the event and its projection
		v.project(g, i.ID)
	}
	return nil
}

// remember keeps what was closed lately at hand for reading.
func (v *Service) remember(ctx context.Context, b *Book, now time.Time) error {
	past, err := b.closed(ctx, Past{Since: now.Add(-KeysLast), Limit: 2000})
	if err != nil {
		return fmt.Errorf("load alarms: %w", err)
	}
	for k := len(past) - 1; k >= 0; k-- {
		g := v.group(past[k].Group)
		v.located(past[k].ID, g.id)
		if g.find(past[k].ID) == nil {
			g.past = append(g.past, past[k])
		}
		if i := past[k]; i.counts() {
			if g.state.Last == nil {
				g.state.Last = map[signal.Category]Closed{}
			}
			g.state.Last[i.Category] = Closed{i.ID, i.Closed.By.At}
		}
	}
	return nil
}

// Resume takes up the open incidents after a restart: it asserts their sirens at
// once and carries out what came due meanwhile. A clock that went back while
// Keng was down is noticed here: nothing waits longer than its plan says.
func (v *Service) Resume() {
	for _, g := range v.all() {
		g.mu.Lock()
		now := v.Now()
		if latest := g.latest(); latest.After(now) {
			v.apply(g, Event{Kind: ClockShifted, Group: g.id, At: now, Shift: now.Sub(latest)}, nil)
		}
		v.apply(g, Event{Kind: Ticked, Group: g.id, At: now}, nil)
		if d := Desired(g.state); d.Sounding {
			v.Sirens.Desire(d)
		}
		v.timers.set(g.id, Next(g.state))
		v.tell(g, g.again())
		g.mu.Unlock()
	}
}

// again is every call that the open incidents of g have made: one that was
// journaled may not have been carried out. Who calls knows whom he called already.
func (g *group) again() (calls []Effect) {
	for _, id := range slices.Sorted(maps.Keys(g.state.Open)) {
		for _, d := range g.state.Open[id].Steps {
			if d.Done.IsZero() || !d.Met {
				continue
			}
			for _, t := range d.Step.Call {
				if i := g.state.Open[id]; i.Mode == Live || !t.outside() {
					calls = append(calls, Effect{Do: Call, Incident: id, Target: t})
				}
			}
		}
	}
	return calls
}

// latest is the newest time in the timelines of g's open incidents.
func (g *group) latest() (t time.Time) {
	for _, i := range g.state.Open {
		if at := i.Timeline[len(i.Timeline)-1].At; at.After(t) {
			t = at
		}
	}
	return t
}

// ClockMoved tells every open incident that the machine's clock was corrected.
func (v *Service) ClockMoved(by time.Duration) {
	for _, g := range v.all() {
		v.act(Event{Kind: ClockShifted, Group: g.id, Shift: by}, nil)
	}
}

// Desired is what the sirens of group id shall do now.
func (v *Service) Desired(id place.GroupID) Desire {
	g := v.group(id)
	g.mu.Lock()
	defer g.mu.Unlock()
	return Desired(g.state)
}
