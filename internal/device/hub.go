package device

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// heard notes a message of the hub.
func (h *hub) heard(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen.IsZero() {
		h.since = now
	}
	h.seen = now
}

// hearHub reads a hub-wide message: presence and discovery. It reports whether m
// is one, or may be.
func (v *Service) hearHub(s *space, m dialect.Message, now time.Time) bool {
	mine := false
	for _, t := range v.hubs {
		if !covers(t.filter, m.Topic) {
			continue
		}
		mine = true
		r, err := readHub(t.lang, m)
		if err != nil {
			v.counts.undecodable.Add(1)
			v.unknown(string(s.name), m.Topic, m.Payload, err.Error(), now)
			continue
		}
		v.present(s, t.lang.Name(), m.Topic, r, now)
		for _, f := range r.Found {
			v.found(s, t.lang.Name(), f, now)
		}
	}
	return mine
}

func readHub(d dialect.HubDialect, m dialect.Message) (r dialect.HubReport, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = dialect.HubReport{}, fmt.Errorf("dialect %s broke on this message", d.Name())
		}
	}()
	return d.DecodeHub(m)
}

// present notes that the software of a hub says it came or went. When it came,
// its sirens are told what they shall do. Home Assistant is a guest at the hub:
// when it goes, the devices are still there.
func (v *Service) present(s *space, lang, topic string, r dialect.HubReport, now time.Time) {
	guest := lang == "homeassistant"
	if guest && (r.Presence != "" || len(r.Found) > 0) && !s.hub.panel.Swap(true) {
		v.republish(s)
	}
	if r.Presence == "" {
		return
	}
	changed := !guest && s.hub.says(topic, r.Presence == signal.Online, now)
	if r.Presence == signal.Online {
		s.hub.back.Store(now.UnixMilli())
		for _, d := range s.devices {
			if d.sounds() && d.Dialect == lang {
				v.sirens.hear(d.ID, signal.Online, true)
			}
		}
	}
	if changed {
		v.changedSpace(s)
	}
}

// says notes that one of the hub's software is there or not, and reports whether
// the hub thereby came or went.
func (h *hub) says(topic string, there bool, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.manned()
	if h.bridges == nil {
		h.bridges = map[string]bool{}
	}
	if _, known := h.bridges[topic]; known || len(h.bridges) < mostBridges {
		h.bridges[topic] = there
	}
	if h.manned() == was {
		return false
	}
	h.since = now
	return true
}

// mostBridges bounds how much software one hub may run.
const mostBridges = 16

// found takes in a device that announced itself: its capabilities when it has a
// home, a place on the list of found ones when not.
func (v *Service) found(s *space, lang string, f dialect.Found, now time.Time) {
	wired := s.byWire[foundKey{lang, f.Topic}]
	for _, d := range wired {
		v.learn(d, f)
	}
	hub := string(s.name)
	switch {
	case f.Gone || len(wired) > 0:
		v.heard.drop(hub, lang, f.Topic)
	case f.Kind != "":
		if v.heard.find(Found{Hub: hub, Dialect: lang, Topic: f.Topic, Name: f.Name, Model: f.Model, Kind: f.Kind, At: now}) {
			v.changedSpace(s)
		}
	}
}

// learn keeps what discovery says that a device can do.
func (v *Service) learn(d *wired, f dialect.Found) {
	if f.Gone || len(f.Capabilities) == 0 || bytes.Equal(d.as.Capabilities, f.Capabilities) {
		return
	}
	own := bytes.Clone(f.Capabilities)
	for _, other := range v.now.Load().groups[d.group] { // most neighbours bought the same model
		if bytes.Equal(other.as.Capabilities, own) {
			own = other.as.Capabilities
			break
		}
	}
	v.mu.Lock()
	d.live.ability = own
	v.mu.Unlock()
	v.Journal.Do(saveAbility(d.ID, own), func(err error) {
		if err != nil {
			v.Log.Error("capabilities were not written", "device", string(d.ID), "err", err)
		}
	})
	select {
	case v.rewire <- struct{}{}:
	default:
	}
}

// Connected implements [broker.Handler].
func (v *Service) Connected(n broker.Space, client string) {
	s := v.now.Load().spaces[n]
	if s == nil {
		return
	}
	now := time.Now()
	s.hub.mu.Lock()
	s.hub.clients++
	clients := s.hub.clients
	first := clients == 1
	if first {
		s.hub.since = now
	}
	s.hub.mu.Unlock()
	v.client(s, client, clients, true, now)
	if first {
		v.changedSpace(s)
	}
}

// Gone implements [broker.Handler].
func (v *Service) Gone(n broker.Space, client string, _ bool) {
	s := v.now.Load().spaces[n]
	if s == nil {
		return
	}
	now := time.Now()
	s.hub.mu.Lock()
	s.hub.clients = max(0, s.hub.clients-1)
	clients := s.hub.clients
	last := clients == 0
	if last {
		s.hub.since = now
	}
	s.hub.mu.Unlock()
	v.client(s, client, clients, false, now)
	if last {
		v.changedSpace(s)
	}
}

// client notes that a device's own connection came or went: a client that names
// itself after a device is that device. An account that one device has for itself
// is that device too, whatever its clients are called; while one of them is there,
// so is the device.
func (v *Service) client(s *space, name string, clients int, there bool, now time.Time) {
	d := s.byName[name]
	if len(s.devices) == 1 && s.devices[0].Username != "" {
		d, there = s.devices[0], clients > 0
	}
	if d != nil {
		d.live.connected(there, now)
		if d.group != "" {
			v.changed(d.group)
		}
	}
}

func (l *live) connected(there bool, now time.Time) {
	l.change(func(s *State) {
		l.client = there
		switch {
		case there:
			s.Away, s.Seen = time.Time{}, now
		case s.Away.IsZero():
			s.Away = now
		}
	})
}

// Subscribed implements [broker.Handler]: the sirens that this client now hears
// for get their desire.
func (v *Service) Subscribed(n broker.Space, _, filter string) { v.sirens.subscribed(n, filter) }

// changedSpace notes that the homes behind a hub look different.
func (v *Service) changedSpace(s *space) {
	var told []place.GroupID
	for _, d := range s.devices {
		if d.group != "" && !slices.Contains(told, d.group) {
			told = append(told, d.group)
			v.changed(d.group)
		}
	}
}
