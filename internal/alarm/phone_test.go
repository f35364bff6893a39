package alarm

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// TestHomesWithoutReceiptAreCalledByOtherMeans: push at once, SMS after 20 s and
// voice after 40 s only where nothing came back.
func TestHomesWithoutReceiptAreCalledByOtherMeans(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	if !slices.Equal(c.calls, []Target{CallPush}) {
		t.Fatalf("at once: %v", c.calls)
	}
	id := c.only().ID
	c.do(Event{Kind: AckedKind, Incident: id, By: desk()})
	for _, h := range []place.HomeID{"h1", "h2"} {
		c.do(Event{Kind: AnsweredKind, Incident: id, Home: h, Answer: Coming, By: member(h)})
	}
	c.do(Event{Kind: ReceivedKind, Incident: id, Home: "h3", By: member("h3")})
	c.after(21 * time.Second)
	if !slices.Equal(c.calls, []Target{CallPush, CallSMS}) || !slices.Equal(c.only().Unreached(), []place.HomeID{"h4", "h5"}) {
		t.Fatalf("after 20 s: %v to %v", c.calls, c.only().Unreached())
	}
	for _, h := range []place.HomeID{"h4", "h5"} {
		c.do(Event{Kind: ReceivedKind, Incident: id, Home: h, By: member(h)})
	}
	if c.after(40 * time.Second); slices.Contains(c.calls, CallVoice) {
		t.Errorf("homes that have it are called by voice: %v", c.calls)
	}
}

// Whoever raised it on a phone knows; another member of the same group does not.
func TestWhoRaisedItNeedsNoCall(t *testing.T) {
	c := newScene(t)
	c.do(Event{Kind: Pressed, Home: "h2", Category: signal.Fire, By: member("h2")})
	if got := c.only().Unreached(); !slices.Equal(got, []place.HomeID{"h1", "h3", "h4", "h5"}) {
		t.Errorf("unreached %v", got)
	}
}

func TestHoldUpCallsNoHome(t *testing.T) {
	c := newScene(t)
	c.do(Event{Kind: Pressed, Home: "h2", Silent: true, By: member("h2")})
	c.after(10 * time.Minute)
	if !slices.Equal(c.calls, []Target{SoundDesk, CallProvince}) {
		t.Errorf("a hold-up called %v", c.calls)
	}
}

func TestDrillAndBellTestCallTheGroupOnly(t *testing.T) {
	for mode, want := range map[Mode][]Target{Drill: {CallPush, CallSMS, CallLeader, CallVoice, Knock}, Test: {CallPush}} {
		c := newScene(t)
		c.do(Event{Kind: Pressed, Home: "h2", Mode: mode, Category: signal.Fire, By: leader()})
		c.after(10 * time.Minute)
		if !slices.Equal(c.calls, want) {
			t.Errorf("%s called %v, want %v", mode, c.calls, want)
		}
	}
}

func TestDeliveryOfAHomeNeverGoesBack(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	id := c.only().ID
	line := func() Roll { return *c.only().roll("h4") }
	for _, x := range []struct {
		via   Via
		say   Delivery
		want  Delivery
		level Ladder
	}{
		{"push", Called, Called, Sent}, {"push", NotDelivered, NotDelivered, Queued}, {"sms", Called, Called, Sent}, {"sms", TakenOn, TakenOn, Accepted},
		{"sms", NotDelivered, TakenOn, Accepted}, {"voice", NoWay, TakenOn, Accepted}, {"push", Arrived, Arrived, Heard}, {"push", Called, Arrived, Heard},
	} {
		c.do(Event{Kind: PhoneReported, Incident: id, Home: "h4", Via: x.via, Delivery: x.say})
		if r := line(); r.Delivery() != x.want || r.Ladder() != x.level {
			t.Fatalf("after %s %s: %s, L%d; want %s, L%d", x.via, x.say, r.Delivery(), r.Ladder(), x.want, x.level)
		}
	}
	if c.want.Sounding != true || line().Contact() != NoContact {
		t.Errorf("a call is taken for contact: %s", line().Contact())
	}
}

// TestCallsAreMadeAgainAfterARestart: a step that was journaled as done may not
// have been carried out before the crash. Who calls knows whom he called.
func TestCallsAreMadeAgainAfterARestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, _, stop := start(t, dsn)
		v.Take(push("k1"), func() {})
		stop()

		v, _, _, stop = start(t, dsn)
		defer stop()
		heard := &ears{}
		v.Listen = heard
		v.Resume()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.news.run(ctx, v); close(done) }()
		for limit := time.After(10 * time.Second); len(heard.called()) == 0; {
			select {
			case <-limit:
				t.Fatal("nobody was called again")
			default:
			}
		}
		cancel()
		<-done
		if got := heard.called(); !slices.Equal(got, []Target{CallPush}) {
			t.Errorf("called %v", got)
		}
	})
}

// TestOwnPlanKeepsItsTelephones: a group may choose times and order, or go
// without SMS and voice; forgetting telephones does not silence them.
func TestOwnPlanKeepsItsTelephones(t *testing.T) {
	plans, err := ParsePlans(`{"fire": {"steps": [
			{"name": "push", "after": 0, "if": "always", "call": ["push"]}, {"name": "voice", "after": 15, "if": "homes_without_receipt", "call": ["voice"]},
			{"name": "desk", "after": 5, "if": "always", "call": ["desk_sound"]}]}}`)
	if err != nil || len(plans.For(signal.Fire).Steps) != 3 {
		t.Errorf("%+v, %v", plans.For(signal.Fire).Steps, err)
	}
	if _, err := ParsePlans(`{"holdup": {"steps": [{"name": "x", "after": 0, "if": "always", "call": ["desk_sound"]}, {"name": "y", "after": 0, "if": "always", "call": ["push"]}]}}`); err == nil {
		t.Error("a hold-up may call homes")
	}
}
