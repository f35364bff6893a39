package alarm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// TestAnotherDangerSoundsThroughASilence: the group silenced one danger; a detector
// of the same home that sees another one is heard, one that sees the same is not.
func TestAnotherDangerSoundsThroughASilence(t *testing.T) {
	detector := func(k signal.DeviceKind, c signal.Category) Event {
		d := signal.DeviceID("h1-" + string(k))
		return Event{Kind: Signaled, Home: "h1", Signal: &signal.Signal{Device: d, DevKind: k, Home: "h1", Group: "g1", Kind: signal.Alarm, Category: c}}
	}
	for name, first := range map[string]Event{
		"gas":         detector(signal.Gas, signal.GasLeak),
		"button":      {Kind: Pressed, Home: "h1", By: member("h1")},
		"named later": {Kind: Pressed, Home: "h1", By: member("h1"), Category: signal.Medical},
	} {
		t.Run(name, func(t *testing.T) {
			c := newScene(t)
			c.do(first)
			for id := range c.s.Open {
				c.do(Event{Kind: SilencedKind, Incident: id, By: leader()})
			}
			if c.want.Sounding {
				t.Fatal("not silenced")
			}
			c.do(detector(signal.Smoke, signal.Fire))
			if !c.want.Sounding {
				t.Error("smoke is not heard because something else was silenced")
			}
			for id, i := range c.s.Open {
				if i.Annunciation == Sounding {
					c.do(Event{Kind: SilencedKind, Incident: id, By: leader()})
				}
			}
			c.do(detector(signal.Heat, signal.Fire))
			if c.want.Sounding {
				t.Error("the same danger sounds through its silence")
			}
		})
	}
}

// TestATestIsNoEarlierDanger: what turned out to be a test is not "again" when the
// real thing comes.
func TestATestIsNoEarlierDanger(t *testing.T) {
	for cause, again := range map[Cause]bool{TestCause: false, Real: true, MistakenAlarm: true} {
		c := newScene(t)
		c.press("h1")
		first := c.only().ID
		c.do(Event{Kind: ClosedKind, Incident: first, Cause: cause, By: leader()})
		c.press("h2")
		if got := c.only().Previous; (got == first) != again {
			t.Errorf("after %s the one before is %q", cause, got)
		}
	}
}

// TestLiveAlarmEndsTheDrill: nobody hears the drill go on when the real thing is over.
func TestLiveAlarmEndsTheDrill(t *testing.T) {
	for _, m := range []Mode{Drill, Test} {
		c := newScene(t)
		c.do(Event{Kind: Pressed, Mode: m, Category: signal.Fire, By: leader()})
		c.do(Event{Kind: Pressed, Home: "h2", Category: signal.HoldUp, Silent: true, By: member("h2")})
		if !c.want.Sounding || c.want.Mode != m {
			t.Fatalf("a hold-up showed itself in the %s: %+v", m, c.want)
		}
		c.do(Event{Kind: Pressed, Home: "h1", By: member("h1")})
		if c.want.Mode != Live {
			t.Fatalf("%+v", c.want)
		}
		for id, i := range c.s.Open {
			if i.Mode != Live {
				t.Errorf("the %s is still open", m)
			}
			c.do(Event{Kind: ClosedKind, Incident: id, Cause: Real, By: leader()})
		}
		if c.want.Sounding {
			t.Errorf("the %s sounds on: %+v", m, c.want)
		}
	}
}

var t0 = time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)

var homes = []place.HomeID{"h1", "h2", "h3", "h4", "h5"}

// scene is one group under test: it dates, resolves and applies events as the
// service does, and ticks whatever came due in between.
type scene struct {
	t     interface{ Fatalf(string, ...any) }
	s     State
	now   time.Time
	n     int
	log   []Event
	calls []Target
	want  Desire // the last one asserted
}

func newScene(t interface{ Fatalf(string, ...any) }) *scene {
	return &scene{t: t, s: State{Group: "g1"}, now: t0, want: Desire{Group: "g1"}}
}

func (c *scene) do(e Event) []Effect {
	c.n++
	e.At, e.Group = c.now, "g1"
	if e.raises() {
		e.Opens = &Opening{ID: ID(fmt.Sprintf("i%03d", c.n)), Number: int64(c.n), Homes: homes, Plan: DefaultPlan(e.danger())}
	}
	e = Resolve(c.s, e)
	next, effects := Decide(c.s, e)
	if len(effects) > 0 {
		c.log = append(c.log, e)
	}
	for _, f := range effects {
		switch f.Do {
		case Assert:
			c.want = f.Desire
		case Call:
			c.calls = append(c.calls, f.Target)
		}
	}
	c.s = next
	return effects
}

// after lets d pass, with every tick on the way.
func (c *scene) after(d time.Duration) *scene {
	end := c.now.Add(d)
	for {
		next := Next(c.s)
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(c.now) {
			c.now = next
		}
		if c.do(Event{Kind: Ticked}); !Next(c.s).IsZero() && !Next(c.s).After(c.now) {
			c.t.Fatalf("tick at %v left %v undone", c.now, Next(c.s))
		}
	}
	c.now = end
	return c
}

func (c *scene) press(h place.HomeID) []Effect {
	return c.do(Event{Kind: Signaled, Signal: &signal.Signal{Device: signal.DeviceID(h) + "-button", DevKind: signal.Button, Home: h, Group: "g1", Kind: signal.Alarm, Category: signal.Panic}})
}

func (c *scene) detect(h place.HomeID, k signal.DeviceKind, what signal.Kind) []Effect {
	return c.do(Event{Kind: Signaled, Signal: &signal.Signal{Device: signal.DeviceID(h) + "-" + signal.DeviceID(k), DevKind: k, Home: h, Group: "g1", Kind: what, Category: signal.DefaultCategory(k)}})
}

func member(h place.HomeID) Who {
	return Who{Person: people.ID("p-" + h), Role: people.Member, Home: h}
}
func leader() Who { return Who{Person: "p-leader", Role: people.Leader, Home: "h2"} }
func desk() Who   { return Who{Person: "p-desk", Role: people.Desk} }

// only returns the one open incident.
func (c *scene) only() *Incident {
	if len(c.s.Open) != 1 {
		c.t.Fatalf("%d open incidents, want 1", len(c.s.Open))
	}
	for _, i := range c.s.Open {
		return i
	}
	return nil
}

func TestPressRingsEveryHome(t *testing.T) {
	c := newScene(t)
	effects := c.press("h3")
	if len(effects) == 0 || effects[0].Do != Assert {
		t.Fatalf("the first effect is %+v, want the sirens", effects)
	}
	if d := c.want; !d.Sounding || len(d.Quiet) != 0 || !slices.Equal(d.Origins, []place.HomeID{"h3"}) {
		t.Errorf("desire %+v", d)
	}
	if i := c.only(); i.Condition != Active || i.Response != Unacknowledged || len(i.Homes) != len(homes) {
		t.Errorf("incident %+v", i)
	}
}

func TestSecondHomeIsSpreadingAndResounds(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, Home: "h5", By: member("h5")})
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, By: leader()})
	if c.want.Sounding {
		t.Fatal("group silence did not reach the sirens")
	}
	c.after(5 * time.Second)
	c.detect("h4", signal.Smoke, signal.Alarm)
	i := c.only()
	if !i.Spreading || !c.want.Sounding || len(c.want.Quiet) > 0 || i.Category != signal.Fire {
		t.Errorf("spreading %v, desire %+v, category %v", i.Spreading, c.want, i.Category)
	}
}

func TestPressedAgainRingsAgain(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, By: leader()})
	c.detect("h1", signal.Smoke, signal.Alarm) // it says what the danger is
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, By: leader()})
	c.detect("h1", signal.Heat, signal.Alarm)
	if c.want.Sounding {
		t.Error("a detector of the same home broke the silence of the same danger")
	}
	if c.press("h1"); !c.want.Sounding {
		t.Error("somebody pressed and nobody heard")
	}
}

func TestSilenceEndsByItself(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, By: leader(), Until: t0.Add(24 * time.Hour)})
	if c.after(179 * time.Second); c.want.Sounding {
		t.Error("sounds again too early")
	}
	if c.after(2 * time.Second); !c.want.Sounding {
		t.Error("a silence lasted longer than 180 s")
	}
}

func TestSilenceOfOneHomeRestsOnlyThatHome(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	c.do(Event{Kind: SilencedKind, Incident: c.only().ID, Home: "h5", By: member("h5")})
	if !c.want.Sounding || !slices.Equal(c.want.Quiet, []place.HomeID{"h5"}) {
		t.Errorf("desire %+v", c.want)
	}
}

func TestAnswersAndAcknowledgementsNeverTouchSirens(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	id := c.only().ID
	for _, e := range []Event{
		{Kind: AnsweredKind, Home: "h2", Answer: Safe, By: member("h2")},
		{Kind: AnsweredKind, Home: "h1", Answer: NeedHelp, By: member("h1")},
		{Kind: ReceivedKind, Home: "h3", By: member("h3")},
		{Kind: AckedKind, By: leader()}, {Kind: AckedKind, By: desk()},
		{Kind: AttendedKind, By: leader()}, {Kind: Controlled, By: desk()}, {Kind: Noted, Text: "đã cắt điện", By: desk()},
	} {
		e.Incident = id
		for _, f := range c.do(e) {
			if f.Do == Assert {
				t.Errorf("%s commanded the sirens", e.Kind)
			}
		}
	}
	if got := c.only().Response; got != UnderControl {
		t.Errorf("response %v", got)
	}
}

func TestEscalation(t *testing.T) {
	t.Run("nobody", func(t *testing.T) {
		c := newScene(t)
		c.press("h1")
		c.after(4 * time.Minute)
		if want := []Target{CallPush, CallSMS, CallLeader, CallAdjacent, CallVoice, SoundDesk, Knock, CallProvince}; !slices.Equal(c.calls, want) {
			t.Errorf("calls %v, want %v", c.calls, want)
		}
	})
	t.Run("all well", func(t *testing.T) {
		c := newScene(t)
		c.press("h1")
		id := c.only().ID
		c.do(Event{Kind: AckedKind, Incident: id, By: desk()})
		for _, h := range homes {
			c.do(Event{Kind: AnsweredKind, Incident: id, Home: h, Answer: Coming, By: member(h)})
		}
		if c.after(2 * time.Minute); !slices.Equal(c.calls, []Target{CallPush}) {
			t.Errorf("called %v for nothing", c.calls)
		}
	})
	t.Run("a desk that stays mute loses it", func(t *testing.T) {
		c := newScene(t)
		c.press("h1")
		c.do(Event{Kind: AckedKind, Incident: c.only().ID, By: desk()})
		c.after(179 * time.Second)
		if i := c.only(); i.DeskSound || i.Response != Acknowledged {
			t.Fatalf("lost it too early: %+v", i.Response)
		}
		c.after(2 * time.Second)
		if i := c.only(); !i.DeskSound || i.Response != Unacknowledged {
			t.Errorf("desk sound %v, response %v", i.DeskSound, i.Response)
		}
	})
	t.Run("a drill calls nobody outside", func(t *testing.T) {
		c := newScene(t)
		c.do(Event{Kind: Pressed, Mode: Drill, Category: signal.Fire, Home: "h2", By: leader()})
		c.after(10 * time.Minute)
		for _, x := range []Target{SoundDesk, CallAdjacent, CallProvince} {
			if slices.Contains(c.calls, x) {
				t.Errorf("a drill called %v", x)
			}
		}
		if c.only().DeskSound {
			t.Error("a drill sounds at the desk")
		}
	})
	t.Run("hold-up", func(t *testing.T) {
		c := newScene(t)
		c.do(Event{Kind: Pressed, Category: signal.HoldUp, Home: "h2", By: member("h2")})
		if i := c.only(); !i.Silent || !i.DeskSound || c.want.Sounding {
			t.Errorf("silent %v, desk sounds %v, sirens %v", i.Silent, i.DeskSound, c.want.Sounding)
		}
	})
}

func TestSirensRestAndComeBack(t *testing.T) {
	c := newScene(t)
	c.press("h1")
	c.do(Event{Kind: AckedKind, Incident: c.only().ID, By: desk()})
	c.do(Event{Kind: AttendedKind, Incident: c.only().ID, By: desk()})
	if c.after(901 * time.Second); c.want.Sounding {
		t.Error("the first run lasts longer than 15 min")
	}
	if c.after(4 * time.Minute); !c.want.Sounding {
		t.Error("an open incident stays mute")
	}
	if c.after(time.Minute); c.want.Sounding {
		t.Error("the repeat lasts longer than a minute")
	}
}

func TestClosing(t *testing.T) {
	closeBy := func(w Who, cause Cause) Event { return Event{Kind: ClosedKind, By: w, Cause: cause} }
	tests := map[string]struct {
		after  time.Duration
		by     []Event
		closed bool
		refuse string
	}{
		"presser at once":           {3 * time.Second, []Event{closeBy(member("h1"), MistakenAlarm)}, true, ""},
		"presser too late":          {16 * time.Second, []Event{closeBy(member("h1"), MistakenAlarm)}, false, ""},
		"and a second home":         {16 * time.Second, []Event{closeBy(member("h1"), MistakenAlarm), closeBy(member("h3"), MistakenAlarm)}, true, ""},
		"presser twice":             {16 * time.Second, []Event{closeBy(member("h1"), MistakenAlarm), closeBy(member("h1"), MistakenAlarm)}, false, ""},
		"another home alone":        {3 * time.Second, []Event{closeBy(member("h3"), MistakenAlarm)}, false, "alarm.origin_home_first"},
		"member says real":          {3 * time.Second, []Event{closeBy(member("h1"), Real)}, false, "alarm.ask_leader_to_close"},
		"leader":                    {time.Minute, []Event{closeBy(leader(), Real)}, true, ""},
		"desk":                      {time.Minute, []Event{closeBy(desk(), FalseReport)}, true, ""},
		"drill cause on live":       {time.Minute, []Event{closeBy(leader(), DrillCause)}, false, "alarm.cause_does_not_fit"},
		"while somebody needs help": {time.Minute, []Event{{Kind: AnsweredKind, Home: "h4", Answer: NeedHelp, By: member("h4")}, closeBy(desk(), Real)}, false, "alarm.somebody_needs_help"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newScene(t)
			c.press("h1")
			id := c.only().ID
			c.after(tt.after)
			for k, e := range tt.by {
				e.Incident, e.At = id, c.now
				if k == len(tt.by)-1 {
					if got := Refusal(c.s, e); got != tt.refuse {
						t.Errorf("refusal %q, want %q", got, tt.refuse)
					}
				}
				c.do(e)
			}
			if _, open := c.s.Open[id]; open == tt.closed {
				t.Errorf("closed %v, want %v", !open, tt.closed)
			}
			if tt.closed && c.want.Sounding {
				t.Error("sirens sound after the closing")
			}
		})
	}
}

func TestNeedHelpIsClearedOnlyByThatHomeOrOnTheSpot(t *testing.T) {
	help := Event{Kind: AnsweredKind, Home: "h4", Answer: NeedHelp, By: member("h4")}
	tests := map[string]struct {
		by     []Event
		stands bool
	}{
		"a neighbour says safe":      {[]Event{{Kind: AnsweredKind, Home: "h4", Answer: Safe, Text: "tôi thấy", By: member("h5")}}, true},
		"the person":                 {[]Event{{Kind: AnsweredKind, Home: "h4", Answer: Safe, By: member("h4")}}, false},
		"the home, with a reason":    {[]Event{{Kind: AnsweredKind, Home: "h4", Answer: Safe, Text: "đã ra", By: Who{Person: "p-son", Role: people.Member, Home: "h4"}}}, false},
		"the home, without one":      {[]Event{{Kind: AnsweredKind, Home: "h4", Answer: Safe, By: Who{Person: "p-son", Role: people.Member, Home: "h4"}}}, true},
		"the leader from afar":       {[]Event{{Kind: AnsweredKind, Home: "h4", Answer: Safe, Text: "chắc ổn", By: leader()}}, true},
		"the leader on the spot":     {[]Event{{Kind: AttendedKind, By: leader()}, {Kind: AnsweredKind, Home: "h4", Answer: Safe, Text: "đã đưa ra ngoài", By: leader()}}, false},
		"on the spot, no reason":     {[]Event{{Kind: AttendedKind, By: leader()}, {Kind: AnsweredKind, Home: "h4", Answer: Safe, By: leader()}}, true},
		"a bystander while attended": {[]Event{{Kind: AttendedKind, By: leader()}, {Kind: AnsweredKind, Home: "h4", Answer: Safe, Text: "ổn", By: member("h5")}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newScene(t)
			c.press("h1")
			id := c.only().ID
			for _, e := range append([]Event{help}, tt.by...) {
				e.Incident = id
				c.do(e)
			}
			if got := c.only().NeedsHelp() == 1; got != tt.stands {
				t.Errorf("need help stands: %v, want %v", got, tt.stands)
			}
		})
	}
}

func TestDetectorReturnsButAlarmStaysLatched(t *testing.T) {
	c := newScene(t)
	c.detect("h1", signal.Smoke, signal.Alarm)
	c.detect("h1", signal.Smoke, signal.Restore)
	if i := c.only(); i.Condition != Returned || !c.want.Sounding {
		t.Errorf("condition %v, sounding %v", i.Condition, c.want.Sounding)
	}
	c.detect("h1", signal.Smoke, signal.Alarm)
	if i := c.only(); i.Condition != Active || len(i.Origins) != 1 {
		t.Errorf("condition %v, %d origins", i.Condition, len(i.Origins))
	}
}

// An ESP32 says when a finger leaves its button; the danger is still there.
func TestButtonLetGoIsNoDangerThatEnded(t *testing.T) {
	c := newScene(t)
	c.detect("h1", signal.Button, signal.Alarm)
	c.detect("h1", signal.Button, signal.Restore)
	if i := c.only(); i.Condition != Active || i.Origins[0].Returned {
		t.Errorf("condition %v, origins %+v", i.Condition, i.Origins)
	}
}

func TestVerifyIsForDetectorsOnly(t *testing.T) {
	begin := func(e Event) *scene {
		c := newScene(t)
		p := DefaultPlan(signal.Fire)
		p.Verify = 15
		e.At, e.Group = t0, "g1"
		e.Opens = &Opening{ID: "i1", Number: 1, Homes: homes, Plan: p}
		var f []Effect
		c.s, f = Decide(c.s, Resolve(c.s, e))
		c.want = f[0].Desire
		return c
	}
	smoke := Event{Kind: Signaled, Signal: &signal.Signal{Device: "h1-smoke", DevKind: signal.Smoke, Home: "h1", Kind: signal.Alarm, Category: signal.Fire}}
	press := Event{Kind: Signaled, Signal: &signal.Signal{Device: "h1-button", DevKind: signal.Button, Home: "h1", Kind: signal.Alarm, Category: signal.Fire}}
	c := begin(smoke)
	if i := c.only(); i.Condition != PreAlarm || slices.Contains(c.want.Quiet, "h1") || len(c.want.Quiet) != 4 {
		t.Errorf("pre-alarm: %v, quiet %v", i.Condition, c.want.Quiet)
	}
	if c.after(15 * time.Second); len(c.want.Quiet) != 0 || c.only().Condition != Active {
		t.Error("nobody answered the pre-alarm, yet the neighbours sleep")
	}
	c = begin(smoke)
	if c.press("h1"); c.only().Condition != Active || len(c.want.Quiet) != 0 {
		t.Error("a button did not end the doubt")
	}
	if c = begin(press); c.only().Condition != Active || len(c.want.Quiet) != 0 {
		t.Error("a button was verified")
	}
}

func TestLiveAlarmGoesBeforeDrill(t *testing.T) {
	c := newScene(t)
	c.do(Event{Kind: Pressed, Mode: Drill, Category: signal.Fire, Home: "h2", By: leader()})
	if c.want.Mode != Drill {
		t.Fatalf("desire %+v", c.want)
	}
	c.press("h4")
	if len(c.s.Open) != 1 || c.want.Mode != Live {
		t.Errorf("%d open, desire %+v", len(c.s.Open), c.want)
	}
}

func TestBellTestEndsByItself(t *testing.T) {
	c := newScene(t)
	c.do(Event{Kind: Pressed, Mode: Test, Home: "h2", By: leader()})
	if !c.want.Sounding || c.want.Mode != Test {
		t.Fatalf("desire %+v", c.want)
	}
	if c.after(TestLasts); len(c.s.Open) != 0 || c.want.Sounding {
		t.Error("a bell test rings on")
	}
}

func TestRecategorisedIntoAnOpenOneJoinsIt(t *testing.T) {
	c := newScene(t)
	c.detect("h1", signal.Smoke, signal.Alarm)
	c.do(Event{Kind: Pressed, Category: signal.Medical, Home: "h3", By: member("h3")})
	var med ID
	for id, i := range c.s.Open {
		if i.Category == signal.Medical {
			med = id
		}
	}
	c.do(Event{Kind: AnsweredKind, Incident: med, Home: "h3", Answer: NeedHelp, By: member("h3")})
	c.do(Event{Kind: Recategorised, Incident: med, Category: signal.Fire, By: member("h3")})
	i := c.only()
	if !i.Spreading || !i.OriginHome("h3") || i.NeedsHelp() != 1 {
		t.Errorf("spreading %v, origins %v, need help %d", i.Spreading, i.Origins, i.NeedsHelp())
	}
}

func TestAlarmJoinsItsOwnDangerFirst(t *testing.T) {
	c := newScene(t)
	c.do(Event{Kind: Pressed, Category: signal.Medical, Home: "h3", By: member("h3")})
	older := c.only().ID
	c.detect("h1", signal.Smoke, signal.Alarm)
	c.do(Event{Kind: Recategorised, Incident: older, Category: signal.Panic, By: leader()})
	c.do(Event{Kind: Pressed, Category: signal.Fire, Home: "h2", By: member("h2")})
	for id, i := range c.s.Open {
		if (i.Category == signal.Fire) == (id == older) {
			t.Errorf("%s is %s", id, i.Category)
		}
	}
}

func TestClockShiftKeepsTheSeconds(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		c := newScene(t)
		c.press("h1")
		c.after(10 * time.Second)
		c.do(Event{Kind: ClockShifted, Shift: by})
		c.now = c.now.Add(by)
		if !slices.Equal(c.calls, []Target{CallPush}) {
			t.Fatalf("a clock moved by %v called %v", by, c.calls)
		}
		c.after(9 * time.Second)
		if !slices.Equal(c.calls, []Target{CallPush}) {
			t.Fatalf("too early after %v: %v", by, c.calls)
		}
		if c.after(time.Second); !slices.Equal(c.calls, []Target{CallPush, CallSMS}) {
			t.Errorf("20 s after the press, clock moved by %v: calls %v", by, c.calls)
		}
	}
}

// TestInvariants lets a group live through anything and looks after every event
// whether a promise broke.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newScene(t)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			c.after(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 14, 31, 100, 200, 1000, 2000}).Draw(t, "seconds")) * time.Second)
			before, want := c.s, c.want
			e := drawEvent(t, c)
			c.do(e)
			examine(t, before, want, e, c)
		}
		replayed := State{Group: "g1"}
		for _, e := range c.log {
			replayed, _ = Decide(replayed, roundTrip(t, e))
		}
		if diff := cmp.Diff(c.s, replayed, cmpopts.IgnoreUnexported(State{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the journal tells another story:\n%s", diff)
		}
	})
}

func drawEvent(t *rapid.T, c *scene) Event {
	h := rapid.SampledFrom(homes).Draw(t, "home")
	who := rapid.SampledFrom([]Who{member(h), member("h1"), leader(), desk()}).Draw(t, "who")
	id := ID("none")
	if ids := slices.Sorted(maps.Keys(c.s.Open)); len(ids) > 0 {
		id = rapid.SampledFrom(ids).Draw(t, "incident")
	}
	cat := rapid.SampledFrom(signal.Categories[:]).Draw(t, "category")
	k := rapid.IntRange(0, 14).Draw(t, "kind")
	switch k {
	case 0, 1:
		return Event{Kind: Signaled, Signal: &signal.Signal{Device: signal.DeviceID(h + "-b"), DevKind: signal.Button, Home: h, Kind: signal.Alarm, Category: cat}}
	case 2:
		return Event{Kind: Signaled, Signal: &signal.Signal{Device: signal.DeviceID(h + "-s"), DevKind: signal.Smoke, Home: h, Kind: signal.Alarm, Category: signal.Fire}}
	case 3:
		return Event{Kind: Signaled, Signal: &signal.Signal{Device: signal.DeviceID(h + "-s"), DevKind: signal.Smoke, Home: h, Kind: signal.Restore, Category: signal.Fire}}
	case 4:
		return Event{Kind: Pressed, Home: h, Category: cat, Silent: rapid.Bool().Draw(t, "silent"), By: member(h)}
	case 5:
		return Event{Kind: Pressed, Home: "h2", Mode: rapid.SampledFrom([]Mode{Drill, Test}).Draw(t, "mode"), Category: cat, By: leader()}
	case 6:
		return Event{Kind: AnsweredKind, Incident: id, Home: h, Answer: rapid.SampledFrom(Answers[:]).Draw(t, "answer"), Text: rapid.SampledFrom([]string{"", "vì"}).Draw(t, "reason"), By: who}
	case 7:
		return Event{Kind: ReceivedKind, Incident: id, Home: h, By: member(h)}
	case 8:
		return Event{Kind: SirenReported, Incident: id, Home: h, Device: signal.DeviceID(h + "-siren"), Ladder: Ladder(rapid.IntRange(0, 3).Draw(t, "ladder"))}
	case 9:
		return Event{Kind: AckedKind, Incident: id, By: who}
	case 10:
		return Event{Kind: SilencedKind, Incident: id, Home: rapid.SampledFrom([]place.HomeID{"", h}).Draw(t, "which"), By: who}
	case 11:
		return Event{Kind: rapid.SampledFrom([]Kind{AttendedKind, Controlled}).Draw(t, "respond"), Incident: id, By: who}
	case 12:
		return Event{Kind: Recategorised, Incident: id, Category: cat, By: who}
	}
	if k == 13 {
		return Event{Kind: PhoneReported, Incident: id, Home: h, Via: rapid.SampledFrom([]Via{"push", "sms", "voice"}).Draw(t, "via"), Delivery: rapid.SampledFrom([]Delivery{NoWay, Called, TakenOn, Arrived, NotDelivered}).Draw(t, "delivery")}
	}
	return Event{Kind: ClosedKind, Incident: id, Cause: rapid.SampledFrom(Causes[:]).Draw(t, "cause"), By: who}
}

// examine checks what must hold after e, whatever happened before.
func examine(t *rapid.T, before State, want Desire, e Event, c *scene) {
	if found := check(c.s, c.now); len(found) > 0 {
		t.Fatalf("after %s: %+v", e.Kind, found)
	}
	loud := false
	for _, i := range c.s.Open {
		loud = loud || !i.Silent && i.Annunciation == Sounding
	}
	if c.want.Sounding != loud {
		t.Fatalf("after %s: sirens told %v, should be %v (I2, I3)", e.Kind, c.want.Sounding, loud)
	}
	switch e.Kind {
	case AnsweredKind, ReceivedKind, SirenReported, AckedKind, AttendedKind, Controlled:
		if !want.equal(c.want) {
			t.Fatalf("%s changed the sirens: %+v to %+v (I6)", e.Kind, want, c.want)
		}
	}
	if e.raises() && !e.quiet() && e.mode() == Live {
		for _, i := range c.s.Open {
			home := e.origin().Home
			old := before.Open[i.ID]
			fresh := old != nil && !old.OriginHome(home) && i.OriginHome(home)
			if fresh && !i.Silent && (!c.want.Sounding || len(c.want.Quiet) > 0) {
				t.Fatalf("a new home after a silence does not resound: %+v (I11)", c.want)
			}
		}
	}
	for id, old := range before.Open {
		now := c.s.Open[id]
		if now == nil || e.Kind == AnsweredKind {
			continue
		}
		if now.NeedsHelp() < old.NeedsHelp() {
			t.Fatalf("%s ended somebody's need for help (I12)", e.Kind)
		}
	}
}

func roundTrip(t *rapid.T, e Event) (got Event) {
	b, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(b, &got)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return got
}
