package bench

import (
	"testing"
	"time"
)

// after is a time since the round began.
func (r *round) after(ms int) time.Time { return r.start.Add(time.Duration(ms) * time.Millisecond) }

func ringAll(r *round, g, ms int) {
	for k := range Homes {
		r.rang(g, k, r.after(ms+k))
	}
}

func TestRoundMeasuresFromPressToSeventhSiren(t *testing.T) {
	r := newRound(3, 2)
	r.press(0, r.after(10))
	r.press(2, r.after(20))
	ringAll(r, 0, 100)
	ringAll(r, 2, 200)
	r.acked(0, r.after(300))
	select {
	case <-r.done:
		t.Error("done before the last PUBACK")
	default:
	}
	r.acked(2, r.after(400))
	<-r.done
	got := r.tally()
	if got.Presses != 2 || got.Missing+got.Unacked+got.Repeats+got.Early != 0 {
		t.Errorf("tally %+v", got)
	}
	if s := spread(got.last); s.P50 != 96 || s.Max != 186 { // 106-10 and 206-20
		t.Errorf("press to 7th siren %+v", s)
	}
	if got.lastRing != 196*time.Millisecond || got.lastFirst != 190*time.Millisecond || got.lastAck != 390*time.Millisecond {
		t.Errorf("since the first press: %v, %v, %v", got.lastRing, got.lastFirst, got.lastAck)
	}
}

func TestRoundCountsWhatIsWrong(t *testing.T) {
	r := newRound(2, 2)
	r.press(0, r.after(1))
	r.press(1, r.after(1))
	ringAll(r, 0, 2)
	r.rang(0, 3, r.after(20)) // a repeat while group 1 has not rung at all
	for k := range Homes - 1 {
		r.rang(1, k, r.after(30))
	}
	r.acked(0, r.after(40))
	r.acked(0, r.after(41)) // twice counts once
	if got := r.tally(); got.Missing != 1 || got.Unacked != 1 || got.Repeats != 1 || got.Early != 1 {
		t.Errorf("tally %+v", got)
	}
	if r.complete() {
		t.Error("complete without the last siren")
	}
	r.rang(1, Homes-1, r.after(50))
	r.rang(1, Homes-1, r.after(60)) // a repeat after everybody had the first
	if got := r.tally(); got.Missing != 0 || got.Repeats != 2 || got.Early != 1 {
		t.Errorf("tally %+v", got)
	}
}

func TestRingThatNobodyAskedForIsRefused(t *testing.T) {
	r := newRound(2, 1)
	r.press(0, r.after(1))
	for g, want := range map[int]bool{0: true, 1: false, -1: false, 7: false} {
		if got := r.rang(g, 0, r.after(2)); got != want {
			t.Errorf("group %d: %v", g, got)
		}
	}
}

func TestCutDeviceIsNotLost(t *testing.T) {
	var h holder
	first := h.closed(h.cuts.Load())
	h.leave()
	second := h.closed(h.cuts.Load())
	first(nil) // late: its successor is there
	if n := h.lost.Load(); n != 0 {
		t.Errorf("%d lost, want none", n)
	}
	second(nil)
	if n := h.lost.Load(); n != 1 {
		t.Errorf("%d lost, want the one that nobody cut", n)
	}
}
