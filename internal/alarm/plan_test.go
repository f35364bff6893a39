package alarm

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// A group that changes one number for all its dangers keeps what each of them is.
func TestDefaultOfAGroupKeepsWhatADangerIs(t *testing.T) {
	plans, err := ParsePlans(`{"default": {"verify": 10, "steps": [{"name": "desk", "after": 5, "if": "always", "call": ["desk_sound"]}]}, "gas": {"verify": 5}}`)
	if err != nil {
		t.Fatal(err)
	}
	if p := plans.For(signal.HoldUp); !cmp.Equal(p.Steps, DefaultPlan(signal.HoldUp).Steps) || p.Verify != 10 {
		t.Errorf("hold-up: %+v", p)
	}
	if p := plans.For(signal.Fire); len(p.Steps) != 4 || p.Steps[3].Name != "desk" || p.Verify != 10 || p.SilenceMax != 180 {
		t.Errorf("fire: %+v", p)
	}
	if p := plans.For(signal.GasLeak); len(p.Steps) != 7 || p.Verify != 5 {
		t.Errorf("gas, which has a plan of its own: %+v", p)
	}
	plans, err = ParsePlans(`{"default": {"verify": 10}}`)
	if err != nil || plans.For(signal.Intrusion).Steps[4].Name != "desk_sound" || plans.For(signal.Intrusion).Steps[4].After != 0 {
		t.Errorf("an intrusion no longer sounds at the desk at once: %+v, %v", plans.For(signal.Intrusion), err)
	}
}

func TestPlansThatWouldHurtAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		`{"holdup": {"steps": [{"name": "x", "after": 0, "if": "always", "call": ["desk_sound", "leader"]}]}}`: "nobody but the duty desk",
		`{"fire": {"steps": [{"name": "x", "after": 9, "call": ["desk_sound"]}]}}`:                             "unknown condition", // not inherited from a step that it replaces
		`{"fire": {"steps": [{"name": "x", "after": 9, "if": "always", "call": ["leader"]}]}}`:                 "duty desk sound",
		`{"fire": {"silence_max": 600}}`:  "silence_max",
		`{"default": {"silence_ma": 60}}`: "silence_ma",
	} {
		if _, err := ParsePlans(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", text, err, why)
		}
	}
}

// A silent alarm is at the desk at once and calls nobody around, whatever danger it
// names and whatever the group's own plan says.
func TestSilentAlarmCallsTheDeskAtOnceAndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, _ := newService(&paper{})
		homes := village{"g1": place.Group{ID: "g1", Plan: `{"default": {"verify": 10}}`, Homes: []place.Home{{ID: "g1-h1", Group: "g1"}}}}
		v.Village = func() Village { return homes }
		heard := &ears{}
		v.Listen = heard
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.Run(ctx); close(done) }()
		v.act(Event{Kind: Pressed, Group: "g1", Home: "g1-h1", Category: signal.Medical, Silent: true, By: member("g1-h1")}, nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := heard.called(); !slices.Equal(got, []Target{SoundDesk}) {
			t.Errorf("after a second: %v", got)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := heard.called(); slices.Contains(got, CallLeader) || slices.Contains(got, CallAdjacent) || slices.Contains(got, Knock) {
			t.Errorf("called %v", got)
		}
		cancel()
		<-done
	})
}
