package device

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

const (
	// UnknownPerHub is how many unknown topics of a hub are kept; the oldest go.
	UnknownPerHub = 100
	// FoundPerHub is the same for found devices.
	FoundPerHub  = 500
	shownPayload = 200 // characters
	longestTopic = 256 // characters kept
)

// heard keeps what nobody could read and what nobody gave a home. It is written
// by and by, see [heard.changes].
type heard struct {
	mu      sync.Mutex
	unknown map[string]map[string]*Unknown // by hub, topic
	found   map[string]map[foundKey]*Found
	dirty   map[any]bool // unknownID or foundID, to be written or deleted
}

type foundKey struct{ dialect, topic string }

type unknownID struct{ hub, topic string }

type foundID struct {
	hub string
	foundKey
}

func newHeard() *heard {
	return &heard{unknown: map[string]map[string]*Unknown{}, found: map[string]map[foundKey]*Found{}, dirty: map[any]bool{}}
}

func (h *heard) load(ctx context.Context, db place.Querier) error {
	err := each(ctx, db, `SELECT hub, topic, payload, reason, count, at_ms FROM device_unknown`, func(rows *sql.Rows) error {
		var u Unknown
		var at int64
		err := rows.Scan(&u.Hub, &u.Topic, &u.Payload, &u.Reason, &u.Count, &at)
		u.At, u.saved = fromMS(at), true
		put(h.unknown, u.Hub, u.Topic, &u)
		return err
	})
	if err != nil {
		return err
	}
	return each(ctx, db, `SELECT hub, dialect, topic, name, model, kind, at_ms FROM device_found`, func(rows *sql.Rows) error {
		var f Found
		var at int64
		err := rows.Scan(&f.Hub, &f.Dialect, &f.Topic, &f.Name, &f.Model, &f.Kind, &at)
		f.At, f.saved = fromMS(at), true
		put(h.found, f.Hub, foundKey{f.Dialect, f.Topic}, &f)
		return err
	})
}

func put[H, K comparable, V any](m map[H]map[K]V, hub H, k K, v V) {
	if m[hub] == nil {
		m[hub] = map[K]V{}
	}
	m[hub][k] = v
}

// note counts a message that nobody could read and reports whether its topic is
// new on the list.
func (h *heard) note(hub, topic string, payload []byte, reason string, now time.Time) (fresh bool) {
	topic = clip(topic, longestTopic)
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.unknown[hub][topic]
	if fresh = u == nil; fresh {
		if old := oldest(h.unknown[hub], UnknownPerHub, func(u *Unknown) time.Time { return u.At }); old != nil {
			delete(h.unknown[hub], old.Topic)
			h.giveUp(unknownID{hub, old.Topic}, old.saved)
		}
		u = &Unknown{Hub: hub, Topic: topic}
		put(h.unknown, hub, topic, u)
	}
	u.Payload, u.Reason, u.At = clip(string(payload[:min(len(payload), 4*shownPayload)]), shownPayload), clip(reason, 300), now.UTC()
	u.Count++
	h.dirty[unknownID{hub, topic}] = true
	return fresh
}

// find notes a device without a home and reports whether it is a new one.
func (h *heard) find(f Found) bool {
	k := foundKey{clip(f.Dialect, 40), clip(f.Topic, longestTopic)}
	f.Dialect, f.Topic, f.Name, f.Model, f.At = k.dialect, k.topic, clip(f.Name, 100), clip(f.Model, 100), f.At.UTC()
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.found[f.Hub][k]
	if old != nil && old.Name == f.Name && old.Model == f.Model && old.Kind == f.Kind {
		return false
	}
	if old == nil {
		if o := oldest(h.found[f.Hub], FoundPerHub, func(f *Found) time.Time { return f.At }); o != nil {
			gone := foundKey{o.Dialect, o.Topic}
			delete(h.found[f.Hub], gone)
			h.giveUp(foundID{f.Hub, gone}, o.saved)
		}
	}
	f.saved = old != nil && old.saved
	put(h.found, f.Hub, k, &f)
	h.dirty[foundID{f.Hub, k}] = true
	return old == nil
}

func (h *heard) drop(hub, dialect, topic string) {
	k := foundKey{dialect, topic}
	h.mu.Lock()
	defer h.mu.Unlock()
	if f := h.found[hub][k]; f != nil {
		delete(h.found[hub], k)
		h.giveUp(foundID{hub, k}, f.saved)
	}
}

// giveUp notes that an entry went. Only what was written must be deleted: a flood
// while the disk is full leaves nothing behind.
func (h *heard) giveUp(id any, saved bool) {
	if delete(h.dirty, id); saved {
		h.dirty[id] = true
	}
}

// oldest returns the entry to give up when m is full, or nil.
func oldest[K comparable, V any](m map[K]*V, limit int, at func(*V) time.Time) *V {
	if len(m) < limit {
		return nil
	}
	var old *V
	for _, x := range m {
		if old == nil || at(x).Before(at(old)) {
			old = x
		}
	}
	return old
}

// changes returns the ops that write what changed since the last call.
func (h *heard) changes() []store.Op {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ops []store.Op
	for id := range h.dirty {
		switch id := id.(type) {
		case unknownID:
			ops = append(ops, writeUnknown(id, h.unknown[id.hub][id.topic]))
		case foundID:
			ops = append(ops, writeFound(id, h.found[id.hub][id.foundKey]))
		}
	}
	clear(h.dirty)
	return ops
}

func writeUnknown(id unknownID, u *Unknown) store.Op {
	if u == nil {
		return func(ctx context.Context, tx *store.Batch) error {
			return tx.Exec(ctx, `DELETE FROM device_unknown WHERE hub = $1 AND topic = $2`, id.hub, id.topic)
		}
	}
	u.saved = true
	c := *u
	return func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO device_unknown (hub, topic, payload, reason, count, at_ms) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (hub, topic) DO UPDATE SET payload = excluded.payload, reason = excluded.reason, count = excluded.count, at_ms = excluded.at_ms`,
			c.Hub, c.Topic, c.Payload, c.Reason, c.Count, toMS(c.At))
	}
}

func writeFound(id foundID, f *Found) store.Op {
	if f == nil {
		return func(ctx context.Context, tx *store.Batch) error {
			return tx.Exec(ctx, `DELETE FROM device_found WHERE hub = $1 AND dialect = $2 AND topic = $3`, id.hub, id.dialect, id.topic)
		}
	}
	f.saved = true
	c := *f
	return func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO device_found (hub, dialect, topic, name, model, kind, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (hub, dialect, topic) DO UPDATE SET name = excluded.name, model = excluded.model, kind = excluded.kind, at_ms = excluded.at_ms`,
			c.Hub, c.Dialect, c.Topic, c.Name, c.Model, string(c.Kind), toMS(c.At))
	}
}

// of lists what was heard from hubs, newest first. known leaves out the found
// ones that have a home meanwhile.
func (h *heard) of(hubs []string, known func(hub string, f *Found) bool) (found []Found, unknown []Unknown) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, unknown = []Found{}, []Unknown{}
	for _, hub := range hubs {
		for _, f := range h.found[hub] {
			if !known(hub, f) {
				found = append(found, *f)
			}
		}
		for _, u := range h.unknown[hub] {
			unknown = append(unknown, *u)
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Topic, b.Topic)) })
	slices.SortFunc(unknown, func(a, b Unknown) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Topic, b.Topic)) })
	return found, unknown
}

// clip makes text of what came from outside, fit for a database and a screen:
// valid UTF-8, no control characters, at most n characters.
func clip(s string, n int) string {
	s = text(s)
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// text replaces what no database or screen takes.
func text(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == utf8.RuneError {
			return '�'
		}
		return r
	}, s)
}

// unknown counts a message that nobody could read, for the leaders of the groups
// behind the hub.
func (v *Service) unknown(hub, topic string, payload []byte, reason string, now time.Time) {
	v.counts.unknown.Add(1)
	if s := v.now.Load().spaces[broker.Space(hub)]; v.heard.note(hub, topic, payload, reason, now) && s != nil {
		v.changedSpace(s)
	}
}
