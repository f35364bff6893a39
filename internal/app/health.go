package app

import (
	"slices"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// tellJump is how long the desk is told that the clock was set.
const tellJump = time.Hour

// Health is how Keng itself is, for the duty desk.
type Health struct {
	Journal JournalHealth `json:"journal"`
	Clock   ClockHealth   `json:"clock"`
	Audit   alarm.Report  `json:"audit"`
	Devices device.Health `json:"devices"`
	MQTT    MQTTHealth    `json:"mqtt"`
	Hubs    []device.Hub  `json:"hubs"`
}

// JournalHealth says whether what happens is being written down.
type JournalHealth struct {
	OK      bool       `json:"ok"`
	Since   *time.Time `json:"since"`
	Waiting int        `json:"waiting"`
	Aside   int        `json:"set_aside"` // events that the database refused, ever
}

// ClockHealth says whether the machine's clock was set lately.
type ClockHealth struct {
	OK     bool `json:"ok"`
	Jumped int  `json:"jumped_seconds"`
}

// MQTTHealth is how many devices and hubs are connected.
type MQTTHealth struct {
	Clients int `json:"clients"`
}

// jump remembers the last time the machine's clock was set.
type jump struct {
	mu sync.Mutex
	by time.Duration
	at time.Time
}

func (j *jump) note(by time.Duration, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.by, j.at = by, now
}

func (j *jump) lately(now time.Time) (time.Duration, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.by, !j.at.IsZero() && now.Sub(j.at).Abs() < tellJump
}

// slowWrite is how long the journal may wait before the desk is told.
const slowWrite = 2 * time.Second

// HealthFor says how Keng is, as far as it concerns who: the devices and hubs of
// his own groups. Broken promises of other groups are none of his business.
func (a *App) HealthFor(who people.Actor) Health {
	groups := []place.GroupID{}
	for _, g := range a.groupsOf(who) {
		groups = append(groups, g.ID)
	}
	h := a.Health(groups)
	h.Audit.Violations = slices.DeleteFunc(slices.Clone(h.Audit.Violations), func(v alarm.Violation) bool { return !slices.Contains(groups, v.Group) })
	return h
}

// Health says how Keng is now, with the devices of groups; nil is all.
func (a *App) Health(groups []place.GroupID) Health {
	now := a.Now()
	h := Health{Journal: JournalHealth{OK: true}, Clock: ClockHealth{OK: true}, Audit: a.Alarm.Audited(), Devices: a.Devices.Health(groups), Hubs: a.Devices.Hubs(groups)}
	if h.Audit.Violations == nil {
		h.Audit.Violations = []alarm.Violation{}
	}
	if c := a.Committer.Health(); !a.journalOK() {
		since := c.Since.UTC()
		h.Journal = JournalHealth{Since: &since, Waiting: c.Waiting}
	}
	h.Journal.Aside = int(a.journal.Aside())
	if by, ok := a.jump.lately(now); ok {
		h.Clock = ClockHealth{Jumped: int(by.Seconds())}
	}
	if a.listener != nil {
		h.MQTT.Clients = int(a.listener.Stats().Connections)
	}
	return h
}
