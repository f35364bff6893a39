package device

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/device/drive"
	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

var fire = Desire{Sounding: true, Incident: "i1"}

// wait lets time pass and the service do what is due.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func want(t *testing.T, r *rig, commands ...string) {
	t.Helper()
	if diff := cmp.Diff(commands, lines(r.front.take())); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

func TestDesireCommandsEverySirenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "mute", "short")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Origins: []place.HomeID{"h2"}})
		// No goroutine but this one has run.
		want(t, r, "0s plain/s1/set alarm 180", "0s plain/s2/set origin 180", "0s plain/s3/set alarm 60")
	})
}

func TestCommandsAreNeverLeftLying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		r.Desire("g1", Desire{})
		for _, s := range r.front.take() {
			if s.ttl <= 0 || s.ttl > 10*time.Second {
				t.Errorf("%s may wait for %s", s, s.ttl)
			}
		}
		if len(r.front.retained) > 0 {
			t.Error("a command was retained")
		}
	})
}

func TestUnconfirmedSirenIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		wait(18 * time.Second)
		want(t, r, "0s plain/s1/set alarm 180", "1s plain/s1/set alarm 180", "3s plain/s1/set alarm 180",
			"7s plain/s1/set alarm 180", "12s plain/s1/set alarm 180", "17s plain/s1/set alarm 180")
		if n := r.Sirens(); n.Mute != 1 {
			t.Errorf("count %+v, want one mute siren", n)
		}
		r.say("s1", "sounding")
		wait(100 * time.Second)
		want(t, r)
		if n := r.Sirens(); n.Mute != 0 || n.Sounding != 1 {
			t.Errorf("count %+v", n)
		}
	})
}

func TestMuteSirenIsToldUntilItsHubAcknowledges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.start(t)
		r.front.set(func(f *front) { f.noAck = true })
		r.Desire("g1", fire)
		wait(2 * time.Second)
		r.front.set(func(f *front) { f.noAck = false })
		wait(60 * time.Second)
		want(t, r, "0s plain/s1/set alarm 180", "1s plain/s1/set alarm 180", "3s plain/s1/set alarm 180",
			"6s plain/s1/set alarm 180", "13s plain/s1/set alarm 180", "33s plain/s1/set alarm 180") // since it was acknowledged
		if got, want := r.reports.take(), []string{"i1 h1 s1 L1", "i1 h1 s1 L2"}; !slices.Equal(got, want) {
			t.Errorf("reports %v", got)
		}
	})
}

// TestSirenThatCannotTellIsToldThrice: its hub acknowledged, its radio may not have
// been heard. What it shall do is said again three times, and never what it shall
// no longer do.
func TestSirenThatCannotTellIsToldThrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.start(t)
		r.Desire("g1", fire)
		wait(5 * time.Second)
		want(t, r, "0s plain/s1/set alarm 180", "3s plain/s1/set alarm 180")
		r.Desire("g1", Desire{})
		wait(time.Hour)
		want(t, r, "5s plain/s1/set off", "8s plain/s1/set off", "15s plain/s1/set off", "35s plain/s1/set off")
		r.Desire("g1", Desire{Sounding: true, Incident: "i2"})
		wait(100 * time.Second)
		want(t, r, "1h0m5s plain/s1/set alarm 180", "1h0m8s plain/s1/set alarm 180", "1h0m15s plain/s1/set alarm 180", "1h0m35s plain/s1/set alarm 180")
		r.Desire("g1", Desire{Sounding: true, Incident: "i2", Quiet: []place.HomeID{"h1"}}) // this home rests
		r.Subscribed("alley12", "hub", "plain/s1/set")
		wait(time.Hour)
		for _, line := range lines(r.front.take()) {
			if !strings.HasSuffix(line, " off") {
				t.Errorf("rang again after the silence: %s", line)
			}
		}
	})
}

// TestBellTestIsNotRepeated: a single sound is one.
func TestBellTestIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Pattern: dialect.TestPattern, Incident: "i1"})
		wait(20 * time.Second)
		r.Desire("g1", Desire{})
		wait(time.Hour)
		if got := lines(r.front.take()); len(got) != 2 {
			t.Errorf("told %q, want once to sound and once to stop", got)
		}
	})
}

// TestSirenThatOnceToldIsBelievedToTell: its dialect does not know that it
// confirms (a script, a relay), but it did.
func TestSirenThatOnceToldIsBelievedToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		synctest.Wait()
		if got := r.reports.take(); !slices.Contains(got, "i1 h1 s1 L3") {
			t.Errorf("reports %v", got)
		}
		r.Desire("g1", Desire{})
		r.say("s1", "quiet")
		wait(time.Hour)
		r.front.take()
		r.wire(sirensOf("mute")...) // read again: what it did is still known
		r.Desire("g1", fire)
		wait(4 * time.Second)
		if n := len(r.front.take()); n < 3 {
			t.Errorf("told %d times in four seconds, though it does not confirm", n)
		}
	})
}

func TestKnownToTellAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		l := r.now.Load().devices["s1"].live
		l.change(func(s *State) { s.Confirmed = true })
		r.wire(sirensOf("mute")...)
		r.start(t)
		r.Desire("g1", fire)
		wait(4 * time.Second)
		if n := len(r.front.take()); n < 3 {
			t.Errorf("told %d times in four seconds, though it does not confirm", n)
		}
	})
}

func TestSoundingSirenIsToldAgainBeforeItStops(t *testing.T) {
	for model, want := range map[string][]time.Duration{
		"":      {0, 170 * time.Second, 340 * time.Second},
		"short": {0, 57 * time.Second, 114 * time.Second, 171 * time.Second, 228 * time.Second, 285 * time.Second, 342 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := bare(Config{}, sirensOf(model)...)
			r.start(t)
			r.front.onSend = func(string, string) { go r.say("s1", "sounding") }
			r.Desire("g1", fire)
			wait(6 * time.Minute)
			var at []time.Duration
			for _, s := range r.front.take() {
				at = append(at, s.at)
			}
			if !slices.Equal(at, want) {
				t.Errorf("model %q told at %v, want %v", model, at, want)
			}
		})
	}
}

func TestReportsClimbTheLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "", "")...)
		r.start(t)
		r.front.set(func(f *front) { f.deaf = true })
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Quiet: []place.HomeID{"h3"}})
		synctest.Wait()
		if diff := cmp.Diff([]string{"i1 h1 s1 L0", "i1 h2 s2 L0"}, r.reports.take()); diff != "" {
			t.Errorf("nobody there: %s", diff)
		}
		r.front.set(func(f *front) { f.deaf = false })
		r.Subscribed("alley12", "hub", "plain/s1/set")
		synctest.Wait()
		if diff := cmp.Diff([]string{"i1 h1 s1 L2"}, r.reports.take()); diff != "" {
			t.Errorf("accepted: %s", diff)
		}
		r.say("s1", "sounding")
		synctest.Wait()
		if diff := cmp.Diff([]string{"i1 h1 s1 L3"}, r.reports.take()); diff != "" {
			t.Errorf("sounding: %s", diff)
		}
		r.say("s1", "quiet")
		synctest.Wait()
		if diff := cmp.Diff([]string{"i1 h1 s1 L2"}, r.reports.take()); diff != "" {
			t.Errorf("fell silent: %s", diff)
		}
	})
}

func TestSirenThatFallsSilentIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		wait(30 * time.Second)
		r.front.take()
		r.say("s1", "quiet") // somebody pulled the plug for a moment
		wait(time.Second)
		want(t, r, "30s plain/s1/set alarm 180", "31s plain/s1/set alarm 180")
	})
}

func TestReconnectDuringAlarmAssertsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "")...)
		r.start(t)
		r.front.set(func(f *front) { f.deaf = true })
		r.Desire("g1", fire)
		wait(60*time.Second + 500*time.Millisecond)
		r.front.set(func(f *front) { f.deaf = false })
		r.front.take()
		r.Connected("alley12", "hub")
		for _, filter := range []string{"plain/bridge/request/#", "plain/+/set", "#"} {
			r.Subscribed("alley12", "hub", filter)
		}
		got := lines(r.front.take()) // map order
		slices.Sort(got)
		if diff := cmp.Diff([]string{"1m0.5s plain/s1/set alarm 180", "1m0.5s plain/s2/set alarm 180"}, got); diff != "" {
			t.Errorf("at once (-want +got):\n%s", diff)
		}
		wait(300 * time.Millisecond)
		for _, s := range r.front.take() {
			if s.at != 60*time.Second+700*time.Millisecond {
				t.Errorf("debounced at %s", s.at)
			}
		}
	})
}

func TestSilencedHomeRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "")...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		r.say("s2", "sounding")
		r.front.take()
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Quiet: []place.HomeID{"h1"}})
		want(t, r, "0s plain/s1/set off")
		r.say("s1", "quiet")
		wait(60 * time.Second)
		want(t, r)
		r.Desire("g1", fire)
		want(t, r, "1m0s plain/s1/set alarm 180")
	})
}

func TestStopIsRepeatedUntilTheSirenIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "mute")...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		wait(10 * time.Second)
		r.front.take()
		r.Desire("g1", Desire{})
		wait(8 * time.Second) // s1 keeps sounding
		want(t, r, "10s plain/s1/set off", "10s plain/s2/set off", "11s plain/s1/set off", "13s plain/s1/set off", "13s plain/s2/set off", "17s plain/s1/set off")
		r.say("s1", "quiet")
		wait(time.Hour)
		want(t, r, "20s plain/s2/set off", "40s plain/s2/set off") // it cannot say
	})
}

// TestSirenThatRangBeforeACrashIsSilenced: a process that starts knows of no
// incident, and a siren still sounds.
func TestSirenThatRangBeforeACrashIsSilenced(t *testing.T) {
	for name, contact := range map[string]func(r *rig){
		"its hub subscribes":          func(r *rig) { r.Subscribed("alley12", "hub", "plain/#") },
		"it says that it sounds":      func(r *rig) { r.say("s1", "sounding") },
		"it says anything":            func(r *rig) { r.say("s1", "beat") },
		"its hub's software is there": func(r *rig) { hubSays(r, "state", "online") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := bare(Config{}, sirensOf("")...)
				r.start(t)
				wait(time.Second)
				want(t, r) // nobody is told anything before he is there
				contact(r)
				want(t, r, "1s plain/s1/set off")
			})
		})
	}
}

// TestWordsOfTheLastAlarmConfirmNothing: a siren that never said that it fell
// silent, and is gone now, is not sounding in the next alarm.
func TestWordsOfTheLastAlarmConfirmNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		r.Desire("g1", Desire{})
		wait(time.Hour)
		r.front.take()
		r.reports.take()
		r.Desire("g1", Desire{Sounding: true, Incident: "i2"})
		wait(4 * time.Second)
		if n := len(r.front.take()); n < 3 {
			t.Errorf("told %d times in four seconds", n)
		}
		if got := r.reports.take(); !slices.Equal(got, []string{"i2 h1 s1 L2"}) {
			t.Errorf("reports %v", got)
		}
	})
}

func TestFirstContactDuringAlarmRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.front.set(func(f *front) { f.deaf = true })
		r.Desire("g1", fire) // alarm asserts its open incidents before Start
		r.start(t)
		r.front.take()
		r.front.set(func(f *front) { f.deaf = false })
		r.Subscribed("alley12", "hub", "plain/s1/set")
		want(t, r, "0s plain/s1/set alarm 180")
	})
}

func TestTryingOutASirenIsToleratedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Subscribed("alley12", "hub", "#")
		wait(time.Hour)
		r.front.take()
		r.say("s1", "sounding")
		wait(2 * time.Second)
		r.say("s1", "sounding") // it repeats itself, which buys no time
		r.say("s1", "quiet")
		wait(time.Minute)
		want(t, r)
		r.say("s1", "sounding")
		wait(3 * time.Second)
		r.say("s1", "sounding")
		wait(3 * time.Second)
		want(t, r, "1h1m7s plain/s1/set off", "1h1m8s plain/s1/set off")
		r.say("s1", "quiet")
		wait(time.Hour)
		want(t, r)
	})
}

func TestSirenWhoseWordIsWrongIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Subscribed("alley12", "hub", "#")
		r.say("s1", "sounding")
		wait(24 * time.Hour)
		if n := len(r.front.take()); n > 30 {
			t.Errorf("told to stop %d times", n)
		}
	})
}

func TestBellTestSoundsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "mute")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Pattern: dialect.TestPattern, Incident: "t1", Until: time.Now().Add(20 * time.Second)})
		r.say("s1", "sounding")
		r.say("s1", "quiet")
		wait(19 * time.Second)
		want(t, r, "0s plain/s1/set test 10", "0s plain/s2/set test 10")
		wait(time.Minute)
		want(t, r, "20s plain/s1/set off", "20s plain/s2/set off")
		if got := r.reports.take(); !slices.Contains(got, "t1 h1 s1 L3") {
			t.Errorf("reports %v", got)
		}
	})
}

func TestPausesOfADrillAreNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Pattern: dialect.DrillPattern, Incident: "d1"})
		for range 30 {
			r.say("s1", "sounding")
			wait(time.Second)
			r.say("s1", "quiet")
			wait(time.Second)
		}
		var pulses []string // short sounds with rests, on a siren that knows one sound too
		for s := range 5 {
			pulses = append(pulses, fmt.Sprintf("%v plain/s1/set drill 4", time.Duration(s)*drive.DrillEvery))
		}
		want(t, r, append(pulses, "1m0s plain/s1/set drill 4")...)
	})
}

func TestDesireEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Until: time.Now().Add(200 * time.Second)})
		r.say("s1", "sounding")
		wait(400 * time.Second)
		got := lines(r.front.take())
		if len(got) < 3 || got[0] != "0s plain/s1/set alarm 180" || got[1] != "2m50s plain/s1/set alarm 30" || got[2] != "3m20s plain/s1/set off" {
			t.Errorf("commands %q", got)
		}
	})
}

func TestTheSameDesireAgainCommandsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "", "")...)
		r.start(t)
		r.Desire("g1", fire)
		r.front.take()
		r.Desire("g1", Desire{Sounding: true, Incident: "i2"})
		want(t, r)
		synctest.Wait()
		if got := r.reports.take(); !slices.Contains(got, "i2 h1 s1 L2") {
			t.Errorf("the second incident hears nothing of the sirens: %v", got)
		}
	})
}

func TestSpreadingChangesOnlyTheNewOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "")...)
		r.start(t)
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Origins: []place.HomeID{"h1"}})
		r.say("s1", "sounding")
		r.say("s2", "sounding")
		r.front.take()
		r.Desire("g1", Desire{Sounding: true, Incident: "i1", Origins: []place.HomeID{"h1", "h2"}})
		wait(20 * time.Second)
		// It goes on sounding, and many sirens say nothing when only the tone changes.
		want(t, r, "0s plain/s2/set origin 180")
	})
}

func TestBypassedSirenStaysSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "")...)
		r.start(t)
		r.bypass("s1", time.Now().Add(time.Minute))
		r.Desire("g1", fire)
		want(t, r, "0s plain/s2/set alarm 180")
		if d := r.Disagreeing("g1", fire); len(d) > 0 {
			t.Errorf("%v disagree", d)
		}
		r.say("s2", "sounding")
		wait(61 * time.Second) // back in service while the alarm lasts
		if got := lines(r.front.take()); !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, "plain/s1/set alarm 180") }) {
			t.Errorf("commands %q", got)
		}
	})
}

func (r *rig) bypass(id signal.DeviceID, until time.Time) {
	l := r.now.Load().devices[id].live
	l.mu.Lock()
	l.bypass = until
	l.mu.Unlock()
	r.check(r.now.Load().devices[id], time.Now())
	r.changed("g1")
}

func hubSays(r *rig, what, payload string) {
	r.say("bridge/"+what, payload)
}

func TestDisagreeingNamesSirensThatWereToldSomethingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("", "broken")...)
		r.start(t)
		if d := r.Disagreeing("g1", Desire{}); len(d) > 0 {
			t.Errorf("%v disagree with silence", d)
		}
		if d := r.Disagreeing("g1", fire); !slices.Equal(d, []signal.DeviceID{"s1"}) {
			t.Errorf("%v disagree, want s1: what cannot be commanded is a fault, not a disagreement", d)
		}
		if n := r.Sirens(); n.Broken != 1 || n.Total != 2 {
			t.Errorf("count %+v", n)
		}
	})
}

func TestSirenThatJoinsOrLeavesDuringAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		devices := sirensOf("", "")
		r := bare(Config{}, devices[:2]...)
		r.start(t)
		r.Desire("g1", fire)
		r.say("s1", "sounding")
		r.front.take()
		r.wire(devices...)
		want(t, r, "0s plain/s2/set alarm 180")
		r.wire(devices[0], devices[2])
		want(t, r, "0s plain/s1/set off")
		wait(time.Minute)
		if n := r.Sirens(); n.Total != 1 {
			t.Errorf("count %+v", n)
		}
	})
}

func TestRepeatsGiveWayToAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		r.front.take()
		r.sirens.alarms.Add(1)
		wait(time.Second + 10*time.Millisecond)
		want(t, r)
		r.sirens.alarms.Add(-1)
		wait(10 * time.Millisecond)
		if n := len(r.front.take()); n != 1 {
			t.Errorf("%d repeats after the alarm had passed", n)
		}
		r.sirens.alarms.Add(1) // alarms without end must not starve repeats
		wait(10 * time.Second)
		if n := len(r.front.take()); n < 2 {
			t.Errorf("%d repeats in ten busy seconds", n)
		}
		r.sirens.alarms.Add(-1)
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "a/b", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/+", "a/b", true},
		{"a/+", "a/b/c", false},
		{"a/+/c", "a/b/c", true},
		{"a/b", "a/b", true},
		{"a/b", "a/b/c", false},
		{"a/b/c", "a/b", false},
		{"+", "a", true},
		{"+", "a/b", false},
		{"b/#", "a/b", false},
		{"$share/g/a/+", "a/b", true},
		{"", "a", false},
		{"a/+/#", "a", false},
		{"a/+/#", "a/b", true},
	} {
		if got := covers(c.filter, c.topic); got != c.want {
			t.Errorf("covers(%q, %q) = %v", c.filter, c.topic, got)
		}
	}
}

// TestReportsFollowTheSirens: while alarms come, nothing is told of them; then
// the newest word on each siren is.
func TestReportsFollowTheSirens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.alarms.ring = func(s signal.Signal) { r.Desire(s.Group, fire) }
		r.front.set(func(f *front) { f.noAck = true })
		r.start(t)
		r.say("b1", "press seq=1")
		wait(breath / 2)
		if got := r.reports.take(); len(got) > 0 {
			t.Errorf("reports %v beside the alarm", got)
		}
		r.say("b1", "press seq=2") // another alarm, of anybody
		wait(breath - time.Millisecond)
		if got := r.reports.take(); len(got) > 0 {
			t.Errorf("reports %v beside the second alarm", got)
		}
		r.sirens.acknowledged(r.sirens.all["s1"], 1)
		wait(2 * time.Millisecond)
		if got, want := r.reports.take(), []string{"i1 h1 s1 L2"}; !slices.Equal(got, want) {
			t.Errorf("reports %v, want %v", got, want)
		}
	})
}

// TestReportsWaitOnlySoLong: a storm that does not end keeps nobody in the dark.
func TestReportsWaitOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, sirensOf("mute")...)
		r.start(t)
		r.Desire("g1", fire)
		for n := range int(longestBreath/breath)*2 + 1 {
			r.say("b1", fmt.Sprintf("press seq=%d", n))
			wait(breath / 2)
		}
		if got, want := r.reports.take(), []string{"i1 h1 s1 L2"}; !slices.Equal(got, want) {
			t.Errorf("reports %v, want %v", got, want)
		}
	})
}
