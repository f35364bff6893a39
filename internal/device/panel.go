package device

import (
	"hash/fnv"
	"sync"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
)

// Panel writes a group the way Home Assistant shows it: an alarm panel and one
// sensor per home. Package app fills it with package homeassistant.
type Panel interface {
	// Show returns the retained messages that show group g as it is now; none when
	// there is nothing to show.
	Show(g place.GroupID) []dialect.Message
}

// panels remembers what was published where, so that nothing is said twice.
type panels struct {
	mu   sync.Mutex
	sent map[broker.Space]map[string]uint64 // hash of the payload, by topic
}

// PublishGroup shows group g to every hub of the group on which Home Assistant
// was heard. Package app calls it when an incident of the group changes.
func (v *Service) PublishGroup(g place.GroupID) {
	if v.links.Panel == nil {
		return
	}
	var ms []dialect.Message
	done := map[broker.Space]bool{}
	reg := v.now.Load()
	for _, d := range reg.groups[g] {
		s := reg.spaces[d.space]
		if s == nil || done[s.name] || !s.hub.panel.Load() {
			continue
		}
		done[s.name] = true
		if ms == nil {
			ms = v.links.Panel.Show(g)
		}
		for _, m := range ms {
			v.retain(s.name, m)
		}
	}
}

func (v *Service) retain(n broker.Space, m dialect.Message) {
	h := fnv.New64a()
	_, _ = h.Write(m.Payload)
	v.panels.mu.Lock()
	if v.panels.sent == nil {
		v.panels.sent = map[broker.Space]map[string]uint64{}
	}
	same := v.panels.sent[n][m.Topic] == h.Sum64()
	put(v.panels.sent, n, m.Topic, h.Sum64())
	v.panels.mu.Unlock()
	if !same {
		v.links.Front.Retain(n, m.Topic, m.Payload)
	}
}

// republish shows a hub's groups again, on the delivering goroutine: the caller
// is a connection's own.
func (v *Service) republish(s *space) {
	told := map[place.GroupID]bool{}
	for _, d := range s.devices {
		if d.group != "" && !told[d.group] {
			told[d.group] = true
			v.out.put(func() { v.PublishGroup(d.group) })
		}
	}
}
