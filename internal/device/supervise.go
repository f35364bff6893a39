package device

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// lookApart is the least time between two looks at all devices.
const lookApart = 2 * time.Second

// tellApart is the least time between two words that a group looks different.
const tellApart = time.Second

// changes gathers the groups that look different.
type changes struct {
	mu     sync.Mutex
	groups map[place.GroupID]bool
	wake   chan struct{}
}

func newChanges() *changes {
	return &changes{groups: map[place.GroupID]bool{}, wake: make(chan struct{}, 1)}
}

// changed notes that group g may look different.
func (v *Service) changed(g place.GroupID) {
	c := v.pending
	c.mu.Lock()
	had := c.groups[g]
	c.groups[g] = true
	c.mu.Unlock()
	if had {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *changes) take() []place.GroupID {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]place.GroupID, 0, len(c.groups))
	for g := range c.groups {
		list = append(list, g)
	}
	clear(c.groups)
	return list
}

func (c *changes) some() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.groups) > 0
}

// supervise watches what changes by itself as time passes, and tells of groups
// that look different.
func (v *Service) supervise(ctx context.Context) {
	look, told := time.Now(), time.Time{} // next look at all; last word
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-v.pending.wake:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		if !now.Before(look) {
			look = later(v.look(now), now.Add(lookApart))
		}
		if v.pending.some() && now.Sub(told) >= tellApart {
			told = now
			look = later(earlier(look, v.tell(now)), now)
		}
		wake := look
		if v.pending.some() {
			wake = earlier(wake, told.Add(tellApart))
		}
		timer.Reset(wake.Sub(now))
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// look checks all devices and returns when to look again at the latest.
func (v *Service) look(now time.Time) time.Time {
	next := now.Add(time.Hour)
	for _, d := range v.now.Load().devices {
		next = earlier(next, v.check(d, now))
	}
	return next
}

// tell checks the devices of the groups that changed and tells of them.
func (v *Service) tell(now time.Time) time.Time {
	next := now.Add(time.Hour)
	groups := v.pending.take()
	reg := v.now.Load()
	for _, g := range groups {
		for _, d := range reg.groups[g] {
			next = earlier(next, v.check(d, now))
		}
	}
	for _, g := range v.pending.take() { // those of which check found more
		if !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	if v.links.Told != nil {
		for _, g := range groups {
			v.out.put(func() { v.links.Told.Changed(g) })
		}
	}
	return next
}

// check checks one device, notes a change and returns when to check again.
func (v *Service) check(d *wired, now time.Time) time.Time {
	s, _, next := Check(v.watched(d), now)
	d.live.mu.Lock()
	was := d.live.status
	d.live.status = s
	d.live.mu.Unlock()
	if was == s {
		return next
	}
	if d.group != "" {
		v.changed(d.group)
	}
	if d.sounds() && (was == Bypassed || s == Bypassed) {
		v.sirens.refresh(d.ID)
	}
	if was != "" && (s == Offline || was == Offline) {
		k := signal.Online
		if s == Offline {
			k = signal.Offline
		}
		v.notice(d, Verdict{Kind: k, Value: string(s)}, now)
	}
	return next
}

// refresh has a siren follow its group anew: it went out of service, or came back.
func (v *sirens) refresh(id signal.DeviceID) {
	v.mu.RLock()
	s := v.all[id]
	v.mu.RUnlock()
	if s != nil {
		v.agenda.sooner(s, time.Now())
	}
}

// watched gathers what decides how d is.
func (v *Service) watched(d *wired) Watched {
	d.live.mu.Lock()
	w := Watched{ID: d.ID, Kind: d.Kind, Armed: d.Armed, State: d.live.state, Bypass: d.live.bypass, Client: d.live.client || d.live.present, Hub: d.Hub, Start: v.started}
	d.live.mu.Unlock()
	w.Broken = d.lang == nil || d.sounds() && v.sirens.cannot(d.ID)
	if s := v.now.Load().spaces[d.space]; s != nil && !d.offMQTT() {
		w.HubOff = v.hubOff(s.hub)
	}
	return w
}

// cannot reports whether the siren's dialect cannot command it.
func (v *sirens) cannot(id signal.DeviceID) bool {
	v.mu.RLock()
	s := v.all[id]
	v.mu.RUnlock()
	if s == nil {
		return true
	}
	s.ringer.mu.Lock()
	defer s.ringer.mu.Unlock()
	return s.broken
}

// hubOff is from when on a hub counts as away, zero when it is there.
func (v *Service) hubOff(h *hub) time.Time {
	online, since := h.online(v.Standing)
	switch {
	case online:
		return time.Time{}
	case since.Equal(v.started):
		return since.Add(startGrace)
	}
	return since.Add(AwayGrace)
}

// View is one device, for people.
type View struct {
	ID            signal.DeviceID   `json:"id"`
	Home          place.HomeID      `json:"home"`
	Kind          signal.DeviceKind `json:"kind"`
	Dialect       string            `json:"dialect"`
	Topic         string            `json:"topic"`
	Hub           string            `json:"hub"`
	Model         string            `json:"model"`
	State         Status            `json:"state" enum:"ok,late,offline,faulty,low_battery,tamper,unproven,bypassed"`
	Reason        Reason            `json:"reason"`
	Battery       *int              `json:"battery"` // percent, null when unknown
	SeenAt        *time.Time        `json:"seen_at"`
	ProvenAt      *time.Time        `json:"proven_at"`
	BypassedUntil *time.Time        `json:"bypassed_until"`
}

// Devices lists the devices of group g, by ID.
func (v *Service) Devices(g place.GroupID) []View {
	now := time.Now()
	list := []View{}
	for _, d := range v.now.Load().groups[g] {
		list = append(list, v.view(d, now))
	}
	return list
}

func (v *Service) view(d *wired, now time.Time) View {
	w := v.watched(d)
	s, r, _ := Check(w, now)
	x := View{
		ID: d.ID, Home: d.Home, Kind: d.Kind, Dialect: d.Dialect, Topic: d.Topic, Hub: d.Hub, Model: d.Model, State: s, Reason: r,
		SeenAt: stamp(w.State.Seen), ProvenAt: stamp(w.State.Proven),
	}
	if w.State.HasBattery {
		x.Battery = &w.State.Battery
	}
	if s == Bypassed {
		x.BypassedUntil = stamp(w.Bypass)
	}
	return x
}

// stamp is t for people and programs: UTC, whole ms, null when it never was.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Round(0).Truncate(time.Millisecond)
	return &t
}

// Homes says how each home of group g is. Homes without devices are in it.
func (v *Service) Homes(g place.GroupID) map[place.HomeID]Home {
	now := time.Now()
	reg := v.now.Load()
	by := map[place.HomeID][]Checked{}
	if reg.places != nil {
		if p, ok := reg.places.Group(g); ok {
			for _, h := range p.Homes {
				by[h.ID] = nil
			}
		}
	}
	for _, d := range reg.groups[g] {
		s, r, _ := Check(v.watched(d), now)
		by[d.Home] = append(by[d.Home], Checked{d.ID, d.Kind, s, r})
	}
	homes := make(map[place.HomeID]Home, len(by))
	for id, devices := range by {
		homes[id] = HomeState(id, devices)
	}
	return homes
}

// Strangers lists what was heard from the hubs of group g and is nobody's:
// devices without a home, and messages that nobody could read.
func (v *Service) Strangers(g place.GroupID) ([]Found, []Unknown) {
	reg := v.now.Load()
	var hubs []string
	for _, d := range reg.groups[g] {
		if n := d.strangers(); n != "" && !slices.Contains(hubs, n) {
			hubs = append(hubs, n)
		}
	}
	return v.heard.of(hubs, func(hub string, f *Found) bool {
		s := reg.spaces[broker.Space(hub)]
		return s != nil && len(s.byWire[foundKey{f.Dialect, f.Topic}]) > 0
	})
}

// Health is how the devices are, in numbers.
type Health struct {
	Online  int `json:"online"`
	Offline int `json:"offline"`
	Total   int `json:"total"`
}

// Health counts the devices of the groups, or of all when groups is nil.
func (v *Service) Health(groups []place.GroupID) (h Health) {
	reg := v.now.Load()
	count := func(d *wired) {
		d.live.mu.Lock()
		s := d.live.status
		d.live.mu.Unlock()
		h.Total++
		if s == Offline || s == "" {
			h.Offline++
		} else {
			h.Online++
		}
	}
	if groups == nil {
		for _, d := range reg.devices {
			count(d)
		}
	}
	for _, g := range groups {
		for _, d := range reg.groups[g] {
			count(d)
		}
	}
	return h
}

// Hubs lists the hubs behind the groups, or all when groups is nil, by name. A
// device with an account of its own is none.
func (v *Service) Hubs(groups []place.GroupID) []Hub {
	reg := v.now.Load()
	wanted := make(map[place.GroupID]bool, len(groups))
	for _, g := range groups {
		wanted[g] = true
	}
	list := []Hub{}
	for name := range reg.webhook { // every hub has a key, and only hubs
		s := reg.spaces[broker.Space(name)]
		if groups != nil && !slices.ContainsFunc(s.devices, func(d *wired) bool { return wanted[d.group] }) {
			continue
		}
		online, since := s.hub.online(v.Standing)
		list = append(list, Hub{Hub: name, Online: online, Since: stamp(since)})
	}
	slices.SortFunc(list, func(a, b Hub) int { return cmp.Compare(a.Hub, b.Hub) })
	return list
}

// counts counts what passed, for /metrics.
type counts struct {
	messages, alarms, ignored, unknown, undecodable, refused atomic.Uint64
}

// Stats are the counts so far.
type Stats struct {
	Messages    uint64 // from devices and hubs
	Alarms      uint64 // passed on to slice alarm, repetitions included
	Ignored     uint64 // alarm readings that were stale, retained, bypassed...
	Unknown     uint64 // kept for the leader, not understood included
	Undecodable uint64 // not understood
	Refused     uint64 // wrong user name or password
}

// Stats returns the counts so far.
func (v *Service) Stats() Stats {
	c := &v.counts
	return Stats{c.messages.Load(), c.alarms.Load(), c.ignored.Load(), c.unknown.Load(), c.undecodable.Load(), c.refused.Load()}
}
