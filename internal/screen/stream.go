package screen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// remembered is how many changes are kept for screens that were away.
const remembered = 1024

// lookAgain is how long one stream lasts. The screen comes back at once, and
// whether its session still holds is asked anew.
const lookAgain = 10 * time.Minute

// hub knows the screens that look now and what changed lately.
type hub struct {
	mu      sync.Mutex
	epoch   string // differs after each start, so that old numbers mean nothing
	seq     int64
	changes []change // oldest first
	lookers map[*looker]struct{}
	homes   map[place.HomeID]int
}

// change is one incident that changed.
type change struct {
	seq      int64
	incident string
}

// looker is one screen.
type looker struct {
	actor  people.Actor
	stream *web.Stream
}

func (h *hub) enter(l *looker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lookers == nil {
		h.lookers, h.homes = map[*looker]struct{}{}, map[place.HomeID]int{}
	}
	h.lookers[l] = struct{}{}
	if l.actor.Home != "" {
		h.homes[l.actor.Home]++
	}
}

func (h *hub) leave(l *looker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lookers, l)
	if h.homes[l.actor.Home]--; h.homes[l.actor.Home] <= 0 {
		delete(h.homes, l.actor.Home)
	}
}

// screens counts the phones of home id that look now.
func (h *hub) screens(id place.HomeID) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.homes[id]
}

// all lists the screens that look now.
func (h *hub) all() []*looker {
	h.mu.Lock()
	defer h.mu.Unlock()
	ls := make([]*looker, 0, len(h.lookers))
	for l := range h.lookers {
		ls = append(ls, l)
	}
	return ls
}

// note numbers a change of an incident.
func (h *hub) note(incident string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	h.changes = append(h.changes, change{h.seq, incident})
	if len(h.changes) > remembered {
		h.changes = slices.Clone(h.changes[len(h.changes)-remembered/2:])
	}
	return h.id(h.seq)
}

// now is the number of the newest change.
func (h *hub) now() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id(h.seq)
}

func (h *hub) id(seq int64) string { return h.epoch + "-" + strconv.FormatInt(seq, 10) }

// missed lists the incidents that changed since the event last, each once, or
// reports that too much is gone.
func (h *hub) missed(last string) (incidents []string, now string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now = h.id(h.seq)
	epoch, num, found := strings.Cut(last, "-")
	seq, err := strconv.ParseInt(num, 10, 64)
	if !found || err != nil || epoch != h.epoch || seq > h.seq {
		return nil, now, false
	}
	if seq < h.seq && (len(h.changes) == 0 || h.changes[0].seq > seq+1) {
		return nil, now, false
	}
	for _, c := range slices.Backward(h.changes) {
		if c.seq <= seq {
			break
		}
		if !slices.Contains(incidents, c.incident) {
			incidents = append(incidents, c.incident)
		}
	}
	return incidents, now, true
}

// Changed tells every screen that may know of incident id how it is now.
func (v *Service) Changed(id string) {
	event := v.hub.note(id)
	for _, l := range v.hub.all() {
		v.show(l, id, event)
	}
}

func (v *Service) show(l *looker, id, event string) {
	view, ok := v.Alarms.Show(l.actor, id)
	if !ok {
		return
	}
	if data, err := json.Marshal(view); err == nil {
		l.stream.Send(web.Event{ID: event, Name: "incident", Data: data})
	}
}

// GroupChanged tells the screens of group id that a home's readiness changed.
func (v *Service) GroupChanged(id place.GroupID) {
	g, ok := v.Directory().Group(id)
	if !ok {
		return
	}
	for _, l := range v.hub.all() {
		if !v.Rights.MaySee(l.actor, g) {
			continue
		}
		if data, err := json.Marshal(v.Group(l.actor, g)); err == nil {
			l.stream.Send(web.Event{Name: "group", Data: data})
		}
	}
}

// HealthChanged tells the screens that may know how Keng itself is.
func (v *Service) HealthChanged() {
	for _, l := range v.hub.all() {
		if !v.Rights.MaySeeHealth(l.actor) {
			continue
		}
		if data, err := json.Marshal(v.Health(l.actor)); err == nil {
			l.stream.Send(web.Event{Name: "health", Data: data})
		}
	}
}

// Calm strikes the evening's "all calm" on the screens of group id.
func (v *Service) Calm(id place.GroupID) {
	for _, l := range v.hub.all() {
		if l.actor.Group == id {
			l.stream.Send(web.Event{Name: "calm", Data: fmt.Appendf(nil, `{"group":%q}`, id)})
		}
	}
}

// VillageChanged tells every screen to fetch everything again: homes or people
// are not what they were.
func (v *Service) VillageChanged() {
	for _, l := range v.hub.all() {
		l.stream.Send(web.Event{Name: "reload", Data: []byte(`{}`)})
	}
}

// greet brings a screen that begins to look up to date.
func (v *Service) greet(l *looker) {
	last := l.stream.LastID()
	missed, now, ok := v.hub.missed(last)
	hello := fmt.Appendf(nil, `{"now":%q,"seq":%q}`, v.Now().Format(time.RFC3339Nano), now)
	l.stream.Send(web.Event{ID: now, Name: "hello", Data: hello})
	switch {
	case last == "": // a screen that does not say what it saw gets what rings now
		missed = v.Alarms.Open(l.actor)
	case !ok:
		l.stream.Send(web.Event{Name: "reload", Data: []byte(`{}`)})
		return
	}
	for _, id := range missed {
		v.show(l, id, now)
	}
}

// hint tells a screen that something of a group changed, and which; it asks for it
// itself.
type hint struct {
	Group   string `json:"group"`
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// Hint tells those screens whose person may know of it that id, of group, stands at
// version now. kind is the event's name.
func (v *Service) Hint(kind, group, id string, version int64, may func(people.Actor) bool) {
	data, err := json.Marshal(hint{group, id, version})
	if err != nil {
		return
	}
	for _, l := range v.hub.all() {
		if may(l.actor) {
			l.stream.Send(web.Event{Name: kind, Data: data})
		}
	}
}
