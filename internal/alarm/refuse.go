package alarm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/engine/store"
)

// refusal is an event that happened, and rang, and that the database will never
// take: it breaks a constraint, or holds something that cannot be stored.
//
// What it was is set aside. Then each incident of its group is journaled once more
// as it is now, so that after a restart nothing is other than people saw it. Only
// when that is on disk is whoever waits for the event told that it is safe.
type refusal struct {
	event    Event
	receipt  *receipt
	incident *Incident
	saved    func(*Incident, error)
}

// refused sets f aside and tells the group's incidents again.
func (v *Service) refused(g *group, f *refusal, body []byte, why error) {
	v.Log.Error("the journal refuses an event, it is set aside", slog.String("group", string(g.id)), slog.String("kind", string(f.event.Kind)), slog.Any("err", why))
	v.Journal.SetAside(f.event, body, why)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.owing = append(g.owing, f)
	v.restate(g)
}

// restate journals the incidents of g as they are, when events of theirs were
// refused. The auditor calls it again until it succeeds. The caller holds g.mu.
func (v *Service) restate(g *group) {
	owing := slices.Clone(g.owing)
	told := maps.Clone(g.state.Open)
	for _, i := range g.past {
		if slices.ContainsFunc(owing, func(f *refusal) bool { return f.event.Incident == i.ID || !i.Closed.By.At.Before(f.event.At) }) {
			told[i.ID] = i
		}
	}
	if len(told) == 0 {
		return
	}
	g.retold++
	t := &retelling{g: g, owing: owing, left: len(told)}
	for _, id := range slices.Sorted(maps.Keys(told)) {
		v.tellAgain(t, told[id])
	}
}

// retelling is one attempt to journal the incidents of a group as they are.
type retelling struct {
	g      *group
	owing  []*refusal
	left   int // to be answered by the journal, one after the other
	broken bool
}

// tellAgain journals i as it is.
func (v *Service) tellAgain(t *retelling, i *Incident) {
	e := Event{Kind: Restated, Group: t.g.id, At: v.Now(), Incident: i.ID, State: i}
	for _, f := range t.owing {
		if f.event.Incident == i.ID && f.event.Key != "" {
			e.Key = f.event.Key // so that its repetition is known after a restart
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		v.Log.Error("incident cannot be written", slog.String("group", string(t.g.id)), slog.Any("err", err))
		return // the auditor says so
	}
	v.Journal.Append(e, body, true, func(err error) { v.retold(t, err) })
	v.project(t.g, i.ID)
}

// retold lets those go who wait for refused events, once all of t is on disk. (A
// journal that is closed says so while g is held.)
func (v *Service) retold(t *retelling, err error) {
	t.left--
	t.broken = t.broken || err != nil
	if err != nil {
		v.Log.Error("the journal does not take the state of an incident", slog.String("group", string(t.g.id)), slog.Any("err", err))
		if !errors.Is(err, store.ErrRefused) {
			return
		}
	}
	if t.left > 0 {
		return
	}
	t.g.mu.Lock()
	t.g.retold--
	if !t.broken {
		t.g.owing = slices.DeleteFunc(t.g.owing, func(f *refusal) bool { return slices.Contains(t.owing, f) })
	}
	t.g.mu.Unlock()
	if t.broken {
		return
	}
	for _, f := range t.owing {
		v.saved(t.g, f.receipt, nil)
		if f.saved != nil {
			f.saved(f.incident, nil)
			f.saved = nil // two attempts may succeed
		}
	}
}

// legible is a key that every database takes; one that none would is known by its
// hash from then on.
func legible(key string) string {
	if len(key) <= 512 && utf8.ValidString(key) && !strings.Contains(key, "\x00") {
		return key
	}
	h := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(h[:])
}
