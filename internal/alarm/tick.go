package alarm

import (
	"maps"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// Desired is what the sirens of group s shall do: a live incident goes before a
// drill, a drill before a bell test.
func Desired(s State) Desire {
	d := Desire{Group: s.Group}
	var ringing []*Incident
	for _, i := range s.Open {
		if i.Silent || i.Annunciation != Sounding {
			continue
		}
		ringing = append(ringing, i)
	}
	if len(ringing) == 0 {
		return d
	}
	slices.SortFunc(ringing, func(a, b *Incident) int {
		if c := modeRank(b.Mode) - modeRank(a.Mode); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	top := ringing[0]
	d.Sounding, d.Incident, d.Mode = true, top.ID, top.Mode
	for _, i := range ringing {
		if i.Mode == top.Mode {
			for _, o := range i.Origins {
				if o.Home != "" && !slices.Contains(d.Origins, o.Home) {
					d.Origins = append(d.Origins, o.Home)
				}
			}
		}
	}
	for _, r := range top.Homes {
		if restsEverywhere(ringing, top.Mode, r.Home) {
			d.Quiet = append(d.Quiet, r.Home)
		}
	}
	return d
}

func modeRank(m Mode) int {
	switch m {
	case Live:
		return 2
	case Drill:
		return 1
	}
	return 0
}

// restsEverywhere reports whether home h rests in every incident of mode m: it
// silenced them all, or they are pre-alarms of other homes.
func restsEverywhere(ringing []*Incident, m Mode, h place.HomeID) bool {
	for _, i := range ringing {
		if i.Mode != m {
			continue
		}
		_, silenced := i.Silences[h]
		waits := i.Condition == PreAlarm && !i.OriginHome(h)
		if !silenced && !waits {
			return false
		}
	}
	return true
}

func (d Desire) equal(o Desire) bool {
	return d.Incident == o.Incident && d.Sounding == o.Sounding && d.Mode == o.Mode &&
		slices.Equal(d.Origins, o.Origins) && slices.Equal(d.Quiet, o.Quiet)
}

// Next is the earliest time at which something is due in s; zero when nothing is.
func Next(s State) time.Time {
	var first time.Time
	for _, i := range s.Open {
		for _, t := range i.dues() {
			if !t.IsZero() && (first.IsZero() || t.Before(first)) {
				first = t
			}
		}
	}
	return first
}

// dues lists the times at which i changes by itself; zero times are none.
func (i *Incident) dues() []time.Time {
	ts := []time.Time{i.VerifyBy, i.EndsBy, i.unackAt()}
	switch i.Annunciation {
	case Sounding:
		ts = append(ts, i.SoundUntil)
	case Ended:
		ts = append(ts, i.SoundAgain)
	}
	for _, t := range i.Silences {
		ts = append(ts, t)
	}
	for _, d := range i.Steps {
		if d.Done.IsZero() {
			ts = append(ts, d.At)
		}
	}
	return ts
}

// unackAt is when a desk that took i and stayed mute loses it; zero for never.
func (i *Incident) unackAt() time.Time {
	if i.Mode != Live || i.DeskAck == nil || i.Response != Acknowledged {
		return time.Time{}
	}
	return i.DeskSeen.Add(i.Plan.UnackAfter.D())
}

// tick carries out everything that is due at e.At.
func tick(s State, e Event) (State, []ID, []Effect) {
	var touched []ID
	var calls []Effect
	for _, id := range slices.Sorted(maps.Keys(s.Open)) {
		i := s.Open[id]
		if !slices.ContainsFunc(i.dues(), func(t time.Time) bool { return !t.IsZero() && !t.After(e.At) }) {
			continue
		}
		c := i.clone()
		calls = append(calls, c.pass(e)...)
		c.Version++
		s = s.with(c)
		touched = append(touched, id)
	}
	return s, touched, calls
}

// pass brings i to time e.At.
func (i *Incident) pass(e Event) []Effect {
	now := e.At
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	if due(i.EndsBy) {
		by := i.Timeline[0].By
		i.shut(Event{At: now, By: by}, TestCause)
		return nil
	}
	if due(i.VerifyBy) {
		i.VerifyBy, i.Condition = time.Time{}, Active
		i.note(e, "event.verified", i.Origins[0].Home, "alarm", nil)
	}
	i.resound(e)
	if due(i.unackAt()) {
		i.Response, i.Ack, i.DeskAck, i.DeskSound = Unacknowledged, nil, nil, true
		i.note(e, "event.desk_lost", "", "alarm", nil)
	}
	var calls []Effect
	for k := range i.Steps {
		d := &i.Steps[k]
		if d.Done.IsZero() && due(d.At) {
			d.Done, d.Met = now, i.needs(d.Step.If)
			if d.Met {
				calls = append(calls, i.call(e, d.Step)...)
			}
		}
	}
	return calls
}

// resound ends silences and runs of the sirens whose time is over.
func (i *Incident) resound(e Event) {
	now := e.At
	for h, until := range i.Silences {
		if until.After(now) {
			continue
		}
		i.Silences = maps.Clone(i.Silences)
		delete(i.Silences, h)
		if h == "" && i.Annunciation == Silenced {
			i.Annunciation = Sounding
			i.note(e, "event.resounds", "", "alarm", nil)
		}
	}
	switch {
	case i.Annunciation == Sounding && !i.SoundUntil.After(now):
		i.Annunciation = Ended
		i.SoundAgain = now.Add((i.Plan.RepeatEvery - i.Plan.RepeatFor).D())
	case i.Annunciation == Ended && !i.SoundAgain.After(now):
		i.Annunciation = Sounding
		i.SoundUntil, i.SoundAgain = now.Add(i.Plan.RepeatFor.D()), time.Time{}
	}
}

// needs reports whether a step's condition holds.
func (i *Incident) needs(n Need) bool {
	switch n {
	case FewComing:
		return i.Coming() < 2
	case DeskMute:
		return i.DeskAck == nil
	case NoReceiptHomes:
		return len(i.Unreached()) > 0
	case NoContactHomes:
		return slices.ContainsFunc(i.Homes, func(r Roll) bool { return r.Contact() == NoContact })
	}
	return true
}

// call carries out a step. In a drill nobody outside the group is called: what
// would have been is written down (I7).
func (i *Incident) call(e Event, st Step) []Effect {
	var calls []Effect
	for _, t := range st.Call {
		if i.Mode != Live && t.outside() {
			i.note(e, "event.would_call."+string(t), "", "info", nil)
			continue
		}
		switch t {
		case SoundDesk:
			i.DeskSound = true
		case CallProvince:
			i.Province, i.DeskSound = true, true
		case CallAdjacent:
			i.Adjacent = true
		case Knock:
			for k := range i.Homes {
				i.Homes[k].Knock = i.Homes[k].Contact() == NoContact
			}
		}
		if t != CallPush { // everybody, always, at once: no news
			i.note(e, "event.call."+string(t), "", "info", nil)
		}
		calls = append(calls, Effect{Do: Call, Incident: i.ID, Target: t})
	}
	return calls
}

// outside reports whether t is nobody of the group.
func (t Target) outside() bool { return t == SoundDesk || t == CallProvince || t == CallAdjacent }

// shift moves every time that is still to come, and the beginning, by e.Shift:
// the machine's clock was corrected, the plan's seconds stay what they were.
func shift(s State, e Event) (State, []ID, []Effect) {
	move := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(e.Shift)
	}
	var touched []ID
	for _, id := range slices.Sorted(maps.Keys(s.Open)) {
		i := s.Open[id].clone()
		i.Opened, i.VerifyBy, i.EndsBy, i.DeskSeen = move(i.Opened), move(i.VerifyBy), move(i.EndsBy), move(i.DeskSeen)
		i.SoundUntil, i.SoundAgain = move(i.SoundUntil), move(i.SoundAgain)
		i.Silences = maps.Clone(i.Silences)
		for h, t := range i.Silences {
			i.Silences[h] = move(t)
		}
		for k := range i.Steps {
			if i.Steps[k].Done.IsZero() {
				i.Steps[k].At = move(i.Steps[k].At)
			}
		}
		i.note(e, "event.clock_shifted", "", "info", map[string]any{"seconds": int(e.Shift.Seconds())})
		i.Version++
		s = s.with(i)
		touched = append(touched, id)
	}
	return s, touched, nil
}
