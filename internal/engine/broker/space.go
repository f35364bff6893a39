package broker

import (
	"cmp"
	"slices"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"
)

// space is one hub's topics: who is there, who hears what, and what is retained.
type space struct {
	name Space

	mu        sync.RWMutex
	clients   map[login]*conn
	exact     map[string][]sub // subscriptions without wildcards
	wild      tree[[]sub]      // those with
	kept      tree[*kept]
	keptCount int
	keptBytes int
}

// login is who a client is: its ID belongs to its account, so that a device
// cannot push the hub of its space off by taking its client ID.
type login struct{ user, id string }

// sub is one client's subscription to one filter.
type sub struct {
	c    *conn
	opts byte // as in SUBSCRIBE
}

// kept is a retained message.
type kept struct {
	*message
	qos byte
}

func newSpace(name Space) *space {
	return &space{name: name, clients: map[login]*conn{}, exact: map[string][]sub{}}
}

// enter puts c under its login. Whoever has that leaves first, to the end: its will is out before the new one is welcomed.
func (s *space) enter(c *conn) {
	for {
		s.mu.Lock()
		old := s.clients[c.login]
		if old == nil {
			s.clients[c.login] = c
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		c.n.refuse(takenOver.name())
		old.leave(takenOver.bye, false)
		<-old.gone
	}
}

// forget frees c's login.
func (s *space) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c.login)
}

// subscribe adds what c may hear, answers it and sends what is retained. It
// returns the filters that were granted.
func (s *space) subscribe(c *conn, pid uint16, wishes []wish) (granted []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	codes := make([]byte, len(wishes))
	var stored []parcel
	for i, w := range wishes {
		code := c.allows(w.filter)
		if code != success {
			c.n.refuse(code.name())
			codes[i] = code.suback(c.v5)
			continue
		}
		codes[i] = min(w.opts&3, 1)
		granted = append(granted, w.filter)
		if fresh := s.add(c, w); w.opts&0x20 == 0 && (fresh || w.opts&0x10 == 0) {
			stored = s.remembered(w, stored)
		}
	}
	c.say(func(b []byte) []byte { return appendCodes(b, packets.Suback, pid, c.v5, codes) })
	for _, p := range stored {
		c.push(p, normal)
	}
	return granted
}

// add notes that c hears a filter and reports whether it did not before.
func (s *space) add(c *conn, w wish) (fresh bool) {
	subs := s.subs(w.filter)
	for i := range subs {
		if subs[i].c == c {
			subs[i].opts = w.opts
			return false
		}
	}
	s.setSubs(w.filter, append(subs, sub{c, w.opts}))
	c.filters = append(c.filters, w.filter)
	return true
}

// remove undoes add and reports whether there was anything to undo.
func (s *space) remove(c *conn, filter string) bool {
	subs := s.subs(filter)
	i := slices.IndexFunc(subs, func(x sub) bool { return x.c == c })
	if i < 0 {
		return false
	}
	s.setSubs(filter, slices.Delete(subs, i, i+1))
	return true
}

func (s *space) subs(filter string) []sub {
	if !wild(filter) {
		return s.exact[filter]
	}
	if n := s.wild.find(filter); n != nil {
		return n.val
	}
	return nil
}

func (s *space) setSubs(filter string, subs []sub) {
	switch {
	case !wild(filter) && len(subs) > 0:
		s.exact[filter] = subs
	case !wild(filter):
		delete(s.exact, filter)
	case len(subs) > 0:
		s.wild.put(filter, subs)
	default:
		s.wild.drop(filter)
	}
}

// unsubscribe removes filters of c and answers.
func (s *space) unsubscribe(c *conn, pid uint16, filters []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	codes := make([]byte, len(filters))
	removed := map[string]bool{}
	for i, f := range filters {
		if removed[f] = s.remove(c, f) || removed[f]; !removed[f] {
			codes[i] = byte(noSubscription)
		}
	}
	c.filters = slices.DeleteFunc(c.filters, func(f string) bool { return removed[f] })
	c.say(func(b []byte) []byte { return appendCodes(b, packets.Unsuback, pid, c.v5, codes) })
}

// deafen removes all subscriptions of c.
func (s *space) deafen(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range c.filters {
		s.remove(c, f)
	}
	c.filters = nil
}

// remembered appends the retained messages that w asks for.
func (s *space) remembered(w wish, dst []parcel) []parcel {
	for _, k := range s.kept.matching(w.filter, nil) {
		dst = append(dst, parcel{msg: k.message, qos: min(k.qos, w.opts&3, 1), retain: true})
	}
	return dst
}

// keep stores m as the retained message of its topic, or removes it when its
// payload is empty, and sends it. It returns how many clients hear it.
func (s *space) keep(m *message, qos byte, from *conn, set *Settings, n *counters) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.store(m, qos, set) {
		n.notStored.Add(1)
	}
	return s.deliver(s.hearers(m.topic, from), m, qos, true, normal, nil)
}

func (s *space) store(m *message, qos byte, set *Settings) bool {
	if at := s.kept.find(m.topic); at != nil && at.full {
		s.keptCount--
		s.keptBytes -= at.val.size()
		s.kept.drop(m.topic)
	}
	if len(m.payload) == 0 {
		return true
	}
	if s.keptCount+1 > set.KeptCount || s.keptBytes+m.size() > set.KeptBytes {
		return false
	}
	s.keptCount++
	s.keptBytes += m.size()
	s.kept.put(m.topic, &kept{m, qos})
	return true
}

// hearers returns each client that hears topic once, with the highest QoS that
// it asked for. from is the client that published, nil for Keng itself. The
// caller holds mu.
func (s *space) hearers(topic string, from *conn) []sub {
	var few [8]sub
	all := append(few[:0], s.exact[topic]...)
	exact := len(all)
	for _, subs := range s.wild.hearing(topic, nil) {
		all = append(all, subs...)
	}
	if from != nil {
		all = slices.DeleteFunc(all, func(x sub) bool { return x.c == from && x.opts&optNoLocal != 0 })
	}
	if len(all) > exact {
		all = once(all)
	}
	return slices.Clone(all)
}

// once merges the subscriptions of each client.
func once(all []sub) []sub {
	slices.SortFunc(all, func(a, b sub) int { return cmp.Compare(a.c.number, b.c.number) })
	k := 0
	for _, x := range all[1:] {
		if x.c != all[k].c {
			k++
			all[k] = x
			continue
		}
		all[k].opts = max(all[k].opts&3, x.opts&3) | (all[k].opts|x.opts)&optAsPublished
	}
	return all[:k+1]
}

// deliver queues m for each of to and returns how many took it. The caller
// holds mu, so that nobody hears two messages of one sender in another order.
func (s *space) deliver(to []sub, m *message, qos byte, retain bool, lane int, acked func()) (took int) {
	for _, x := range to {
		p := parcel{msg: m, acked: acked, qos: min(qos, x.opts&3, 1), retain: retain && x.opts&optAsPublished != 0}
		if x.c.push(p, lane) {
			took++
		}
	}
	return took
}
