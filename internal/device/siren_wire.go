package device

import (
	"bytes"
	"crypto/sha256"
	"time"

	"github.com/keng-vn/keng/internal/device/drive"
	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/signal"
)

// unsaidLength is how long a siren is expected to sound whose dialect cannot say
// for how long: it is told again well before most of them stop by themselves.
const unsaidLength = 30 * time.Second

// model is what the commands of a siren depend on beside its topic.
type model struct {
	dialect, model string
	kind           signal.DeviceKind
	capabilities   [sha256.Size]byte
}

// wire takes a new registry. Sirens that stay keep what they were told; new ones
// get their group's desire; those that leave are told to stop.
func (v *sirens) wire(reg *registry) {
	all := map[signal.DeviceID]*siren{}
	heard := map[broker.Space]map[string][]*siren{}
	for _, devices := range reg.groups {
		for _, d := range devices {
			if !d.sounds() || d.lang == nil || d.space == "" {
				continue
			}
			s := v.place(d)
			all[d.ID] = s
			for _, t := range commandTopics(d) {
				put(heard, d.space, t, append(heard[d.space][t], s))
			}
		}
	}
	v.mu.Lock()
	old := v.all
	v.all, v.heard = all, heard
	v.mu.Unlock()
	for id, s := range old {
		if all[id] != s {
			v.retire(s)
		}
	}
}

// place returns the siren of d, new or as it was, in the ringer of its group.
func (v *sirens) place(d *wired) *siren {
	v.mu.RLock()
	old := v.all[d.ID]
	v.mu.RUnlock()
	r := v.ringer(d.group)
	longest := v.longest(d)
	d.live.mu.Lock()
	confirmed := d.live.state.Confirmed
	d.live.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := old
	if old == nil || old.ringer != r || old.dev.live != d.live {
		s = &siren{ringer: r}
		r.sirens = append(r.sirens, s)
	}
	if s.dev == d {
		return s
	}
	s.dev, s.longest, s.broken = d, longest, false
	s.drive.Tells(d.lang.Confirms(d.as) || confirmed)
	s.commands = map[command][]dialect.Message{}
	for _, o := range [...]drive.Order{{}, {Sounding: true, Pattern: dialect.AlarmPattern}, {Sounding: true, Pattern: dialect.OriginPattern}} {
		c := command{Order: o}
		if o.Sounding {
			c.lasts = min(drive.Commanded, s.longest)
		}
		s.messages(c) // in advance: the first alarm does not wait for an encoder
	}
	if v.front != nil {
		now := time.Now()
		if s.follow(now) {
			v.command(s, now)
		}
		v.after(s, now)
	}
	return s
}

// retire tells a siren that left the village to stop, and forgets it.
func (v *sirens) retire(s *siren) {
	s.ringer.mu.Lock()
	defer s.ringer.mu.Unlock()
	s.gone = true
	for i, x := range s.ringer.sirens {
		if x == s {
			s.ringer.sirens = append(s.ringer.sirens[:i:i], s.ringer.sirens[i+1:]...)
			break
		}
	}
	now := time.Now()
	if s.follow(now) && v.front != nil {
		v.command(s, now)
	}
	v.after(s, now)
}

// longest finds how long a siren of d's model sounds at most in one go: the
// length from which on its command no longer changes. A dialect bounds the length
// by what the model can, and says so nowhere else.
func (v *sirens) longest(d *wired) time.Duration {
	m := model{d.Dialect, d.Model, d.Kind, sha256.Sum256(d.as.Capabilities)}
	v.mu.RLock()
	known, ok := v.models[m]
	v.mu.RUnlock()
	if ok {
		return known
	}
	most := encode(d, drive.Commanded)
	low, high := 1, int(drive.Commanded/time.Second) // the answer is in [low, high]
	for low < high {
		mid := (low + high) / 2
		if bytes.Equal(encode(d, time.Duration(mid)*time.Second), most) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	found := time.Duration(low) * time.Second
	if low == 1 {
		found = unsaidLength // the length is not in the command at all
	}
	v.mu.Lock()
	v.models[m] = found
	v.mu.Unlock()
	return found
}

// encode is everything that is sent to make d sound so long.
func encode(d *wired, long time.Duration) []byte {
	ms, err := d.lang.Command(d.as, dialect.Want{Sounding: true, Duration: long, Pattern: dialect.AlarmPattern})
	if err != nil {
		return nil
	}
	var all []byte
	for _, m := range ms {
		all = append(append(all, m.Topic...), m.Payload...)
	}
	return all
}

// disagreeing lists the enabled sirens of a group that were told something else
// than d, or not told yet.
func (v *sirens) disagreeing(r *ringer, d Desire) []signal.DeviceID {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []signal.DeviceID
	now := time.Now()
	for _, s := range r.sirens {
		if s.dev.live.outOfService(now) || s.broken {
			continue
		}
		if want, _ := s.drive.Want(); want != d.order(s.dev.Home, now) || want.Sounding && !s.drive.Told() {
			list = append(list, s.dev.ID)
		}
	}
	return list
}

// SirenCount counts the sirens and lamps of the village.
type SirenCount struct {
	Total    int
	Sounding int // told to sound now
	Mute     int // told so [MuteAfter] ago, and not confirmed
	Broken   int // their dialect cannot command them
}

// MuteAfter is how long a siren may take to confirm before it counts as mute.
const MuteAfter = 10 * time.Second

func (v *sirens) count() (c SirenCount) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	now := time.Now()
	for _, r := range v.groups {
		r.mu.Lock()
		for _, s := range r.sirens {
			c.Total++
			if s.broken {
				c.Broken++
			}
			if want, _ := s.drive.Want(); want.Sounding {
				c.Sounding++
				if s.drive.Ladder() < s.drive.Goal() && now.Sub(s.drive.Since()) >= MuteAfter {
					c.Mute++
				}
			}
		}
		r.mu.Unlock()
	}
	return c
}
