package device

import (
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// firstClock is the earliest time that a device with a set clock can name.
// Without network a small device starts in 1970.
var firstClock = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// senderTime is the newest time that the sender gave its readings, or zero when
// it gave none or its clock was never set.
func senderTime(rs []dialect.Reading) (t time.Time) {
	for _, r := range rs {
		if r.SeenAt.After(firstClock) && r.SeenAt.After(t) {
			t = r.SeenAt
		}
	}
	return t
}

// stale reports whether a message is an old word: its readings are older than
// what was heard before, or it is the first one after the hub came back and
// old by its own time. A hub that starts without a battery clock lags behind
// itself: its first word is taken for stale, a second and later one shows that
// time moves on there, and it is believed.
//
// The same time twice is not stale: many senders count whole seconds, and a
// repeated value is no change anyway.
func (s State) stale(rs []dialect.Reading, f Facts, now time.Time) bool {
	at := senderTime(rs)
	if at.IsZero() {
		return false
	}
	if at.Before(s.SenderSeen) {
		return s.Doubt.IsZero() || !at.After(s.Doubt)
	}
	return s.replay(at, f, now)
}

// replay reports whether a hub that just came back tells again what its devices
// said long ago.
func (s State) replay(at time.Time, f Facts, now time.Time) bool {
	back := !f.HubBack.IsZero() && now.Sub(f.HubBack) < settling
	return back && s.Seen.Before(f.HubBack) && now.Sub(at) > oldWord
}

// noteTimes notes the sender's time and a sign of life.
func (h *hearing) noteTimes(rs []dialect.Reading, event bool) {
	at := senderTime(rs)
	life := !h.Stored && hasLife(rs)
	switch {
	case at.IsZero():
	case h.stale && at.Before(h.SenderSeen):
		h.Doubt, life = at, false
	case h.stale: // a replay, newer than what was known
		life = false
		h.SenderSeen = at
		if at.After(h.Seen) {
			h.Seen = at
		}
	default:
		life = life && !at.Equal(h.SenderSeen)
		if at.After(h.now) {
			at = h.now
		}
		h.SenderSeen, h.Doubt = at, time.Time{}
	}
	if life {
		h.State = h.alive(h.now, event)
	}
}

// hasLife reports whether readings show that the device lives. A broker's word
// that it is offline does not.
func hasLife(rs []dialect.Reading) bool {
	for _, r := range rs {
		if r.Kind != signal.Offline {
			return true
		}
	}
	return false
}

const (
	// forgets is the half-life of a learned silence.
	forgets = 72 * time.Hour
	// steadyCount is how many silences in a row teach the interval of a device
	// that reports at least every heartbeat.
	steadyCount = 10
	heartbeat   = 90 * time.Second
	// steadySpan is how long slower devices are watched before their interval is
	// believed: many are talkative by day and silent by night.
	steadySpan = 24 * time.Hour
)

// alive notes a sign of life and learns how long this device is usually silent:
// the longest silence, slowly forgotten. Events (presses, changes) teach nothing,
// nor does the silence after one.
func (s State) alive(now time.Time, event bool) State {
	gap := now.Sub(s.Seen)
	teaches := !event && !s.Busy && !s.Seen.IsZero() && gap >= time.Second && s.Away.IsZero()
	s.Seen, s.Busy, s.Away = now, event, time.Time{}
	if !teaches {
		return s
	}
	s.Gap = decay(s.Gap, gap)
	switch {
	case gap > s.Gap+s.Gap/2:
		s.Steady, s.Learning = 0, now
	case gap >= s.Gap/5:
		s.Steady++
	}
	s.Gap = max(s.Gap, gap)
	return s
}

// decay forgets d over time t, by half in forgets.
func decay(d, t time.Duration) time.Duration {
	if t >= forgets {
		return d / 2
	}
	return d - time.Duration(float64(d)*float64(t)/float64(2*forgets))
}

// learned reports whether Gap may be relied on.
func (s State) learned(now time.Time) bool {
	if s.Steady < steadyCount {
		return false
	}
	return s.Gap <= heartbeat || now.Sub(s.Learning) >= steadySpan
}
