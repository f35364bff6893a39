package alarm

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

type evening struct {
	groups []place.Group
	mu     sync.Mutex
	struck []place.GroupID
}

func (e *evening) Groups() []place.Group { return e.groups }
func (e *evening) Calm(g place.GroupID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.struck = append(e.struck, g)
}

func (e *evening) seen() []place.GroupID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.struck)
}

func TestAllCalmOnceAnEveningAndNotInAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 7:00 in Vietnam
		v, _ := newService(&paper{})
		e := &evening{groups: []place.Group{{ID: "g1", AllCalm: "22:00"}, {ID: "g2"}, {ID: "g3", AllCalm: "22:00"}}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.KeepCalm(ctx, e); close(done) }()
		time.Sleep(14 * time.Hour)
		synctest.Wait()
		if len(e.seen()) != 0 {
			t.Fatalf("struck before 22:00: %v", e.seen())
		}
		s := push("k")
		s.Group = "g3"
		v.Take(s, func() {})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if !slices.Equal(e.seen(), []place.GroupID{"g1"}) {
			t.Errorf("struck %v, want g1 only: g2 did not opt in, in g3 it burns", e.seen())
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(e.seen()) != 2 {
			t.Errorf("struck %v after two evenings", e.seen())
		}
		cancel()
		<-done
	})
}

// striker sounds the stroke on the bells; meanwhile, when it is given one, comes a
// press.
type striker struct {
	bells *bells
	press func()
}

func (*striker) Groups() []place.Group { return nil }

func (s *striker) Calm(g place.GroupID) {
	if s.press != nil {
		rung := make(chan struct{})
		go func() { s.press(); close(rung) }()
		select {
		case <-rung:
		case <-time.After(50 * time.Millisecond): // it waits for its turn
		}
	}
	s.bells.Desire(Desire{Group: g})
}

// A press at the very moment of the stroke: whoever comes second has the sirens, and
// that must be the alarm.
func TestStrokeNeverTakesSirensFromAnAlarm(t *testing.T) {
	v, b := newService(&paper{})
	done := make(chan struct{})
	v.strike(&striker{b, func() { v.Take(push("k1"), func() {}); close(done) }}, "g1")
	<-done
	if !b.last().Sounding {
		t.Error("the evening stroke silenced an alarm")
	}
	told := len(b.told)
	if v.strike(&striker{bells: b}, "g1"); len(b.told) != told {
		t.Error("struck into an alarm")
	}
}

func TestStrokeInAHoldUpAsOnAnyEvening(t *testing.T) {
	v, b := newService(&paper{})
	v.act(Event{Kind: Pressed, Group: "g1", Home: "g1-h1", Category: signal.HoldUp, By: member("g1-h1")}, nil)
	told := len(b.told)
	if v.strike(&striker{bells: b}, "g1"); len(b.told) != told+1 {
		t.Error("the stroke was left out: whoever listens knows that something is wrong")
	}
}

// loud is a witness whose sirens always sound.
type loud struct{}

func (loud) Disagreeing(d Desire) []signal.DeviceID {
	if d.Sounding {
		return nil
	}
	return []signal.DeviceID{"g1-h1-siren"}
}

func TestAuditorGrantsTheStrokeAndNothingLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, b := newService(&paper{})
		v.Witness = loud{}
		v.strike(&striker{bells: b}, "g1")
		time.Sleep(3 * time.Second)
		if r := v.Audit(); !r.OK {
			t.Errorf("during the stroke: %+v", r.Violations)
		}
		time.Sleep(10 * time.Second)
		if r := v.Audit(); r.OK {
			t.Error("a siren sounds long after the stroke and nobody says so")
		}
	})
}
