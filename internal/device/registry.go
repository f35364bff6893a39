package device

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Places knows which group a home belongs to. *place.Directory is one.
type Places interface {
	GroupOf(place.HomeID) (place.Group, bool)
	Group(place.GroupID) (place.Group, bool)
}

// wired is one device as it is wired now. It never changes; what is known of the
// device is in live, which outlives it.
type wired struct {
	NewDevice // without Password
	group     place.GroupID
	space     broker.Space
	lang      dialect.Dialect // nil when the village names a dialect that this program lacks
	as        dialect.Device
	live      *live
}

// sounds reports whether the device is one that Keng commands.
func (d *wired) sounds() bool { return d.Kind == signal.Siren || d.Kind == signal.Lamp }

// live is what is known of one device; it stays while the device stays the same.
type live struct {
	mu      sync.Mutex
	state   State
	rev     int64
	saved   time.Time // when the state was last given to the journal
	dirty   bool      // something beside Seen changed since
	pending []string  // keys of alarms not yet on disk
	status  Status    // as last told
	ability json.RawMessage
	bypass  time.Time // out of service until then
	client  bool      // its own connection is there
	present bool      // it said that it is there, and leaves a will that says the opposite
}

func (l *live) bypassed(now time.Time) bool { return now.Before(l.bypass) }

// change runs f on the state and reports the revision.
func (l *live) change(f func(*State)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
	l.rev++
	l.dirty = true
}

// space is one hub's topics.
type space struct {
	name    broker.Space
	exact   map[string][]*wired // by topic, those whose dialect reads it
	own     map[string]bool     // heads of topics that belong to known devices: what else is said there is no news
	devices []*wired
	byName  map[string]*wired     // by device ID, for clients that sign in as the hub but are one device
	byWire  map[foundKey][]*wired // by dialect and topic, as discovery names them
	hub     *hub
}

// registry is who is wired where, as of one version of the village. It never changes.
type registry struct {
	spaces   map[broker.Space]*space
	devices  map[signal.DeviceID]*wired
	groups   map[place.GroupID][]*wired
	accounts map[string]account
	webhook  map[string][]byte        // key by hub
	panels   map[string][]panelDevice // by DC-09 account
	places   Places
}

// source is what a registry is built from.
type source struct {
	places   Places
	dialects map[string]dialect.Dialect
	hubs     map[string]hubRow
	devices  map[signal.DeviceID]deviceRow
	lives    map[signal.DeviceID]*live
	spaces   map[broker.Space]*hub
}

// build makes a registry. It does not change src.
func (src source) build() *registry {
	r := &registry{
		spaces: map[broker.Space]*space{}, devices: make(map[signal.DeviceID]*wired, len(src.devices)),
		groups: map[place.GroupID][]*wired{}, accounts: map[string]account{}, webhook: map[string][]byte{}, panels: map[string][]panelDevice{}, places: src.places,
	}
	for name, h := range src.hubs {
		r.accounts[name] = account{secretHash: h.secretHash, space: broker.Space(name)}
		r.webhook[name] = h.webhookKey
		r.space(broker.Space(name), src)
	}
	for id, row := range src.devices {
		r.add(src, src.wire(id, row), row)
	}
	for _, list := range r.groups {
		slices.SortFunc(list, func(a, b *wired) int { return cmp.Compare(a.ID, b.ID) })
	}
	for _, list := range r.panels {
		slices.SortFunc(list, func(a, b panelDevice) int { return cmp.Compare(a.ID, b.ID) })
	}
	return r
}

func (src source) wire(id signal.DeviceID, row deviceRow) *wired {
	d := &wired{NewDevice: row.NewDevice, lang: src.dialects[row.Dialect], live: src.lives[id]}
	if d.lang == nil && (row.Dialect == panelDialect || row.Dialect == webhookDialect) {
		d.lang = OffMQTT(row.Dialect)
	}
	if src.places != nil {
		if g, ok := src.places.GroupOf(row.Home); ok {
			d.group = g.ID
		}
	}
	d.space = broker.Space(or(row.Hub, row.Username))
	d.as = dialect.Device{ID: id, Kind: row.Kind, Topic: row.Topic, Model: row.Model, Capabilities: d.live.ability}
	return d
}

func (r *registry) space(name broker.Space, src source) *space {
	s := r.spaces[name]
	if s == nil {
		s = &space{name: name, exact: map[string][]*wired{}, own: map[string]bool{}, byName: map[string]*wired{}, byWire: map[foundKey][]*wired{}, hub: src.spaces[name]}
		r.spaces[name] = s
	}
	return s
}

func (r *registry) add(src source, d *wired, row deviceRow) {
	r.devices[d.ID] = d
	if d.group != "" {
		r.groups[d.group] = append(r.groups[d.group], d)
	}
	if d.Dialect == panelDialect {
		r.addPanel(d)
	}
	if d.space == "" || d.lang == nil {
		return
	}
	s := r.space(d.space, src)
	s.devices = append(s.devices, d)
	s.byName[string(d.ID)] = d
	at := foundKey{d.Dialect, d.Topic}
	s.byWire[at] = append(s.byWire[at], d)
	for _, t := range d.lang.Topics(d.as) {
		s.exact[t] = append(s.exact[t], d)
	}
	heads := prefixes(d.lang, d.as, commandTopics(d))
	for _, h := range heads {
		s.own[h] = true
	}
	if d.Username != "" {
		r.accounts[d.Username] = account{secretHash: row.secretHash, space: d.space, prefixes: heads}
	}
}

// commandTopics lists the topics on which a siren is commanded.
func commandTopics(d *wired) []string {
	if !d.sounds() {
		return nil
	}
	ms, err := d.lang.Command(d.as, dialect.Want{})
	if err != nil {
		return nil
	}
	topics := make([]string, 0, len(ms))
	for _, m := range ms {
		if !slices.Contains(topics, m.Topic) {
			topics = append(topics, m.Topic)
		}
	}
	return topics
}

// mine reports whether topic lies under one that a known device owns.
func (s *space) mine(topic string) bool {
	for t := topic; t != ""; t = parent(t) {
		if s.own[t] {
			return true
		}
	}
	return false
}

// covers reports whether an MQTT subscription filter matches topic.
func covers(filter, topic string) bool {
	if share, ok := strings.CutPrefix(filter, "$share/"); ok {
		_, filter, _ = strings.Cut(share, "/")
	}
	for {
		f, fmore, fdeep := strings.Cut(filter, "/")
		t, tmore, tdeep := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t:
			return false
		case fdeep && !tdeep:
			return fmore == "#" // "a/#" matches "a" too
		case !fdeep || !tdeep:
			return fdeep == tdeep
		}
		filter, topic = fmore, tmore
	}
}

// hub is what is known of one hub; it stays while the process runs.
type hub struct {
	mu      sync.Mutex
	clients int
	bridges map[string]bool // by topic: whether that software of the hub says that it is there
	since   time.Time       // of the present state
	seen    time.Time       // last message
	back    atomic.Int64
	panel   atomic.Bool // Home Assistant was heard here
}

// Hub is how a hub is, for people.
type Hub struct {
	Hub    string     `json:"hub"`
	Online bool       `json:"online"`
	Since  *time.Time `json:"since"`
}

// online reports whether the hub is there. Over a standing broker its connection
// is not seen: there it is there while it speaks and does not say otherwise.
func (h *hub) online(standing bool) (bool, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if standing {
		return !h.seen.IsZero() && h.manned(), h.since
	}
	return h.clients > 0 && h.manned(), h.since
}

// manned reports whether any of the hub's software is there, or none ever spoke.
func (h *hub) manned() bool {
	for _, there := range h.bridges {
		if there {
			return true
		}
	}
	return len(h.bridges) == 0
}

// backAt is when the hub's software last said that it is back, zero when never.
func (h *hub) backAt() time.Time {
	if ms := h.back.Load(); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}
