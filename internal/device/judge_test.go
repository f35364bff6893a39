package device

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// said is one message in a story about one device.
type said struct {
	after    time.Duration // since the message before
	kind     signal.Kind
	category signal.Category
	property string
	pulse    bool
	seq      string
	sender   time.Time
	payload  uint64
	retain   bool
	stored   bool
	dup      bool
	firm     bool
	testing  bool          // the message also says that a test is on
	hubBack  time.Duration // ago; 0: long ago
	bypassed bool
	armed    bool
	panel    bool
}

func (s said) readings() []dialect.Reading {
	p := s.property
	if p == "" {
		p = "smoke"
	}
	rs := []dialect.Reading{{Kind: s.kind, Category: s.category, Property: p, Level: !s.pulse, Seq: s.seq, SeenAt: s.sender}}
	if s.testing {
		rs = append(rs, dialect.Reading{Kind: signal.Test, Property: "test", Level: true, SeenAt: s.sender})
	}
	return rs
}

func (s said) facts(k signal.DeviceKind, now time.Time) Facts {
	f := Facts{Device: "d", Kind: k, Armed: s.armed, Panel: s.panel, Bypassed: s.bypassed, Retain: s.retain || s.stored, Stored: s.stored, Dup: s.dup, Firm: s.firm, Hash: s.payload}
	if s.hubBack > 0 {
		f.HubBack = now.Add(-s.hubBack)
	}
	return f
}

const (
	alarm   = signal.Alarm
	restore = signal.Restore
)

// TestHear tells stories; each ends with the verdict on its last message.
func TestHear(t *testing.T) {
	t0 := noon.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		kind  signal.DeviceKind
		story []said
		want  Deed
		why   string
	}{
		// levels
		{"the first word ever rings", signal.Smoke, []said{{kind: alarm}}, Ring, ""},
		{"the first word ever, retained, does not", signal.Smoke, []said{{kind: alarm, retain: true}}, Nothing, WhyRetained},
		{"nor when it is retained again", signal.Smoke, []said{{kind: alarm, retain: true}, {kind: alarm, retain: true}}, Nothing, WhyUnchanged},
		{"but when the device says it live, it does", signal.Smoke, []said{{kind: alarm, retain: true}, {kind: alarm}}, Ring, ""},
		{"but after a restore it does", signal.Smoke, []said{{kind: alarm, retain: true}, {kind: restore}, {kind: alarm}}, Ring, ""},
		{"normal to alarm rings", signal.Smoke, []said{{kind: restore}, {kind: alarm}}, Ring, ""},
		{"normal to alarm rings also when published retained (ESPHome)", signal.Smoke, []said{{kind: restore, retain: true}, {kind: alarm, retain: true}}, Ring, ""},
		{"an alarm repeated is the same alarm", signal.Smoke, []said{{kind: alarm}, {kind: alarm}}, Again, WhyUnchanged},
		{"another property rings of its own", signal.Smoke, []said{{kind: alarm}, {kind: alarm, property: "gas", category: signal.GasLeak}}, Ring, ""},
		{"unavailable and then the value of before is nothing", signal.Smoke, []said{{kind: alarm}, {kind: signal.Offline}, {after: time.Hour, kind: signal.Online}, {kind: alarm}}, Again, WhyUnchanged},
		{"unavailable and then a change rings", signal.Smoke, []said{{kind: restore}, {kind: signal.Offline}, {after: time.Hour, kind: alarm}}, Ring, ""},
		{"a restore is passed on", signal.Smoke, []said{{kind: alarm}, {kind: restore}}, Pass, ""},
		{"a restore of what never rang is not", signal.Smoke, []said{{kind: alarm, retain: true}, {kind: restore}}, Nothing, ""},

		// a standing broker hands out old values
		{"stored alarm of a device never heard", signal.Smoke, []said{{kind: alarm, stored: true}}, Nothing, WhyRetained},
		{"stored alarm that is news is told, not rung", signal.Smoke, []said{{kind: restore}, {kind: alarm, stored: true}}, Tell, WhyAway},
		{"once", signal.Smoke, []said{{kind: restore}, {kind: alarm, stored: true}, {kind: alarm, stored: true}}, Nothing, WhyAway},
		{"if it still burns, the next live word rings", signal.Smoke, []said{{kind: restore}, {kind: alarm, stored: true}, {kind: alarm}}, Ring, ""},
		{"stored restore counts, so that the next alarm rings", signal.Smoke, []said{{kind: alarm}, {kind: restore, stored: true}, {kind: alarm}}, Ring, ""},

		// stale by the sender's clock
		{"older than what was known is stale", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: t0.Add(-time.Second)}}, Nothing, WhyStale},
		{"and leaves no trace", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: t0.Add(-time.Second)}, {kind: alarm, sender: t0.Add(time.Second)}}, Ring, ""},
		{"the same second twice may be a change", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: t0}}, Ring, ""},
		{"a clock that was set back is believed the second time", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: t0.Add(-10 * time.Minute)}, {kind: alarm, sender: t0.Add(-9 * time.Minute)}}, Ring, ""},
		{"the same stale word twice is not", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: t0.Add(-10 * time.Minute)}, {kind: alarm, sender: t0.Add(-10 * time.Minute)}}, Nothing, WhyStale},
		{"a clock in the future does not make the next hour stale", signal.Smoke, []said{{kind: restore, sender: noon.Add(time.Hour)}, {after: time.Minute, kind: alarm, sender: noon.Add(time.Minute)}}, Ring, ""},
		{"a clock that was never set says nothing", signal.Smoke, []said{{kind: restore, sender: t0}, {kind: alarm, sender: time.Unix(17, 0)}}, Ring, ""},
		{"hub just back, old word", signal.Smoke, []said{{kind: restore, sender: t0}, {after: time.Minute, kind: alarm, sender: t0.Add(time.Second), hubBack: 5 * time.Second}}, Nothing, WhyStale},
		{"hub just back, fresh word", signal.Smoke, []said{{kind: restore, sender: t0}, {after: time.Minute, kind: alarm, sender: noon.Add(50 * time.Second), hubBack: 5 * time.Second}}, Ring, ""},
		{"hub back for a while, old word", signal.Smoke, []said{{kind: restore, sender: t0}, {after: time.Minute, kind: alarm, sender: t0.Add(time.Second), hubBack: 15 * time.Second}}, Ring, ""},
		{"a stale restore does not rearm", signal.Smoke, []said{{kind: alarm, sender: t0}, {kind: restore, sender: t0.Add(-time.Minute)}, {kind: alarm, sender: t0.Add(time.Minute)}}, Again, WhyUnchanged},

		// presses
		{"a press rings", signal.Button, []said{{kind: alarm, pulse: true}}, Ring, ""},
		{"a second press rings too", signal.Button, []said{{kind: alarm, pulse: true}, {after: time.Second, kind: alarm, pulse: true}}, Ring, ""},
		{"a retained press never", signal.Button, []said{{kind: alarm, pulse: true, retain: true}}, Nothing, WhyRetained},
		{"a stale press never", signal.Button, []said{{kind: signal.Heartbeat, sender: t0}, {kind: alarm, pulse: true, sender: t0.Add(-time.Second)}}, Nothing, WhyStale},
		{"a press from a siren is its echo", signal.Siren, []said{{kind: alarm, pulse: true}}, Nothing, WhyNotAnAlarm},
		{"a siren that measures smoke rings", signal.Siren, []said{{kind: alarm, category: signal.Fire}}, Ring, ""},
		{"a hub without a named danger does not", signal.Hub, []said{{kind: alarm, pulse: true}}, Nothing, WhyNotAnAlarm},
		{"a hub with one does", signal.Hub, []said{{kind: alarm, pulse: true, category: signal.Fire}}, Ring, ""},

		// doors and movements
		{"a door rings for nobody", signal.Contact, []said{{kind: restore}, {kind: alarm}}, Nothing, WhyNotArmed},
		{"an armed one does", signal.Contact, []said{{kind: restore, armed: true}, {kind: alarm, armed: true}}, Ring, ""},
		{"movement, said by a panel", signal.Motion, []said{{kind: alarm, pulse: true, panel: true}}, Ring, ""},
		{"movement that names its danger", signal.Motion, []said{{kind: alarm, pulse: true, category: signal.Intrusion}}, Nothing, WhyNotArmed},
		{"a contact that measures smoke", signal.Contact, []said{{kind: alarm, category: signal.Fire}}, Ring, ""},
		{"a tamper contact is told", signal.Tamper, []said{{kind: alarm}}, Tell, ""},

		// out of service
		{"out of service never rings", signal.Smoke, []said{{kind: restore}, {kind: alarm, bypassed: true}}, Tell, WhyBypassed},
		{"nor does a button", signal.Button, []said{{kind: alarm, pulse: true, bypassed: true}}, Tell, WhyBypassed},
		{"and back in service only a change does", signal.Smoke, []said{{kind: restore}, {kind: alarm, bypassed: true}, {kind: alarm}}, Nothing, WhyUnchanged},

		// tests
		{"a test is passed on", signal.Smoke, []said{{kind: signal.Test}}, Pass, ""},
		{"a retained test is not", signal.Smoke, []said{{kind: signal.Test, retain: true}}, Nothing, ""},
		{"smoke after the test rings", signal.Smoke, []said{{kind: alarm, testing: true}, {after: time.Second, kind: alarm}}, Ring, ""},
		{"a test flag that is stuck does not hide a fire", signal.Smoke, []said{{kind: restore, testing: true}, {after: 3 * time.Minute, kind: alarm, testing: true}}, Ring, ""},

		// health
		{"a low battery is told", signal.Smoke, []said{{kind: signal.LowBattery}}, Tell, ""},
		{"once", signal.Smoke, []said{{kind: signal.LowBattery}, {kind: signal.LowBattery}}, Nothing, ""},
		{"a fault is told", signal.Smoke, []said{{kind: signal.Fault}}, Tell, ""},
		{"a stale fault is not", signal.Smoke, []said{{kind: signal.Heartbeat, sender: t0}, {kind: signal.Fault, sender: t0.Add(-time.Second)}}, Nothing, ""},
		{"a siren's word is for the driver", signal.Siren, []said{{kind: signal.Sounding}}, Echo, ""},
		{"a detector's own sounder is not", signal.Smoke, []said{{kind: signal.Sounding}}, Nothing, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s State
			var vs []Verdict
			now := noon
			for _, m := range c.story {
				now = now.Add(m.after)
				s, vs = Hear(nil, s, m.readings(), m.facts(c.kind, now), now)
			}
			if vs[0].Do != c.want || vs[0].Why != c.why {
				t.Errorf("verdict %+v, want deed %d why %q", vs[0], c.want, c.why)
			}
		})
	}
}

func TestSmokeUnderTestDoesNotRing(t *testing.T) {
	m := said{kind: alarm, testing: true}
	_, vs := Hear(nil, State{}, m.readings(), m.facts(signal.Smoke, noon), noon)
	if vs[0].Do != Nothing || vs[0].Why != WhyTest || vs[1].Do != Pass || vs[1].Kind != signal.Test {
		t.Errorf("verdicts %+v", vs)
	}
}

// TestSamePress says which presses have the same key.
func TestSamePress(t *testing.T) {
	press := said{kind: alarm, pulse: true, payload: 7}
	with := func(m said, f func(*said)) said { f(&m); return m }
	for _, c := range []struct {
		name   string
		second said
		same   bool
	}{
		{"sent again, marked as such", with(press, func(m *said) { m.after, m.dup = 100*time.Second, true }), true},
		{"sent again much later", with(press, func(m *said) { m.after, m.dup = 3*time.Minute, true }), false},
		{"marked, but something else", with(press, func(m *said) { m.after, m.dup, m.payload = time.Minute, true, 8 }), false},
		{"bounce", with(press, func(m *said) { m.after = 399 * time.Millisecond }), true},
		{"pressed again", with(press, func(m *said) { m.after = 400 * time.Millisecond }), false},
		{"two presses within the bounce that differ", with(press, func(m *said) { m.after, m.payload = 10*time.Millisecond, 8 }), false},
		{"another button of the same box", with(press, func(m *said) { m.property = "Button2" }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if a, b := twoKeys(press, c.second); (a == b) != c.same {
				t.Errorf("keys %s and %s", a, b)
			}
		})
	}
	numbered := with(press, func(m *said) { m.seq = "17" })
	for _, c := range []struct {
		name   string
		second said
		same   bool
	}{
		{"same number", with(numbered, func(m *said) { m.after, m.payload = 9*time.Minute, 8 }), true},
		{"same number after the counter was lost", with(numbered, func(m *said) { m.after, m.payload = 11*time.Minute, 8 }), false},
		{"same number, promised to be unique", with(numbered, func(m *said) { m.after, m.payload, m.firm = 24*time.Hour, 8, true }), true},
		{"next number", with(numbered, func(m *said) { m.seq, m.payload = "18", 8 }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			first := numbered
			first.firm = c.second.firm
			if a, b := twoKeys(first, c.second); (a == b) != c.same {
				t.Errorf("keys %s and %s", a, b)
			}
		})
	}
}

func twoKeys(first, second said) (string, string) {
	s, a := Hear(nil, State{}, first.readings(), first.facts(signal.Button, noon), noon)
	now := noon.Add(second.after)
	_, b := Hear(nil, s, second.readings(), second.facts(signal.Button, now), now)
	return a[0].Key, b[0].Key
}

func TestRedeliveryAfterOtherPressesIsKnown(t *testing.T) {
	var s State
	var first string
	for i := range 3 {
		m := said{kind: alarm, pulse: true, payload: uint64(i)}
		var vs []Verdict
		s, vs = Hear(nil, s, m.readings(), m.facts(signal.Button, noon), noon.Add(time.Duration(i)*time.Second))
		if i == 0 {
			first = vs[0].Key
		}
	}
	m := said{kind: alarm, pulse: true, payload: 0, dup: true}
	_, vs := Hear(nil, s, m.readings(), m.facts(signal.Button, noon), noon.Add(time.Minute))
	if vs[0].Key != first {
		t.Errorf("key %s, want the first press's %s", vs[0].Key, first)
	}
}

// keptLevel reports whether a level was first seen as a retained value.
func keptLevel(s State, property string) bool {
	l, ok := s.level(property)
	return ok && l.Kept
}

// TestLiveWordAfterARetainedOneRings: the retained value rang nobody, so the first
// live word of the same danger must.
func TestLiveWordAfterARetainedOneRings(t *testing.T) {
	kept := said{kind: alarm, property: "smoke", retain: true}
	s, vs := Hear(nil, State{}, kept.readings(), kept.facts(signal.Smoke, noon), noon)
	if vs[0].Do == Ring {
		t.Fatal("a retained value rang")
	}
	live := said{kind: alarm, property: "smoke"}
	s, vs = Hear(nil, s, live.readings(), live.facts(signal.Smoke, noon), noon.Add(time.Minute))
	if vs[0].Do != Ring {
		t.Fatalf("the live word did not ring: %+v", vs[0])
	}
	if _, vs = Hear(nil, s, live.readings(), live.facts(signal.Smoke, noon), noon.Add(2*time.Minute)); vs[0].Do == Ring {
		t.Error("the same word rang twice")
	}
}

func TestProofIsNotGivenOutOfService(t *testing.T) {
	m := said{kind: alarm, pulse: true, bypassed: true}
	if s, _ := Hear(nil, State{}, m.readings(), m.facts(signal.Button, noon), noon); !s.Proven.IsZero() {
		t.Error("a button out of service is proven")
	}
	m.bypassed = false
	if s, _ := Hear(nil, State{}, m.readings(), m.facts(signal.Button, noon), noon); !s.Proven.Equal(noon) {
		t.Error("a press is no proof")
	}
}

func drawSaid(rt *rapid.T) said {
	return said{
		after:    time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond * time.Duration(rapid.SampledFrom([]int{1, 1, 500}).Draw(rt, "scale")),
		kind:     rapid.SampledFrom([]signal.Kind{alarm, alarm, restore, signal.Test, signal.Online, signal.Offline, signal.Heartbeat, signal.Sounding, signal.Fault}).Draw(rt, "kind"),
		pulse:    rapid.Bool().Draw(rt, "pulse"),
		property: rapid.SampledFrom([]string{"smoke", "gas"}).Draw(rt, "property"),
		seq:      rapid.SampledFrom([]string{"", "", "1", "2"}).Draw(rt, "seq"),
		payload:  uint64(rapid.IntRange(0, 3).Draw(rt, "payload")),
		retain:   rapid.Bool().Draw(rt, "retain"),
		stored:   rapid.Bool().Draw(rt, "stored"),
		dup:      rapid.Bool().Draw(rt, "dup"),
		bypassed: rapid.Bool().Draw(rt, "bypassed"),
		testing:  rapid.Bool().Draw(rt, "testing"),
	}
}

// TestHearKeepsItsPromises plays random stories and checks the rules that no
// story may break.
func TestHearKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(signal.DeviceKinds[:]).Draw(rt, "device")
		var s State
		now := noon
		last := map[string]bool{} // last live, believed value per property
		known := map[string]bool{}
		used := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(rt, "n") {
			m := drawSaid(rt)
			now = now.Add(m.after)
			if rapid.IntRange(0, 3).Draw(rt, "clock") == 0 {
				m.sender = now.Add(-time.Duration(rapid.IntRange(0, 600).Draw(rt, "age")) * time.Second)
			}
			before := s
			rs, f := m.readings(), m.facts(kind, now)
			next, vs := Hear(nil, s, rs, f, now)
			if again, same := Hear(nil, s, rs, f, now); !cmp.Equal(next, again) || !cmp.Equal(vs, same) {
				rt.Fatal("not a pure function")
			}
			v, r := vs[0], rs[0]
			rings := v.Do == Ring
			switch {
			case rings && r.Kind != alarm:
				rt.Fatalf("%s rang", r.Kind)
			case rings && (f.Stored || f.Bypassed):
				rt.Fatalf("rang though stored or out of service: %+v", m)
			case rings && f.Retain && (!r.Level || !known[r.Property]):
				rt.Fatalf("a retained press or first value rang: %+v", m)
			case rings && kind == signal.Siren, rings && kind == signal.Lamp, rings && kind == signal.Contact, rings && kind == signal.Motion, rings && kind == signal.Hub:
				rt.Fatalf("a %s rang", kind)
			case rings && !m.sender.IsZero() && m.sender.Before(before.SenderSeen) && before.Doubt.IsZero():
				rt.Fatalf("a stale word rang: %+v", m)
			case rings && v.Key == "":
				rt.Fatal("a ring without a key")
			case rings && v.Why == "" && used[v.Key]:
				rt.Fatalf("two events share key %s", v.Key)
			case rings && r.Level && last[r.Property] && !keptLevel(before, r.Property):
				rt.Fatalf("rang without a change: %+v", m)
			case rings && v.Why == "" && !v.Keep:
				rt.Fatal("a ring that is not kept")
			}
			used[v.Key] = true
			if l, ok := next.level(r.Property); ok {
				known[r.Property], last[r.Property] = true, l.Alarm
			}
			if len(next.Presses) > remembered {
				rt.Fatalf("%d presses remembered", len(next.Presses))
			}
			if next.SenderSeen.After(now) {
				rt.Fatal("the sender's clock ran ahead of ours")
			}
			s = next
		}
	})
}

// TestLiveChangeAlwaysRings: whatever happened before, a detector that is in
// service, says that the danger is over and then that it is back, live and in
// order, rings.
func TestLiveChangeAlwaysRings(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]signal.DeviceKind{signal.Smoke, signal.Heat, signal.Gas, signal.CO, signal.Water, signal.Button}).Draw(rt, "device")
		var s State
		now := noon
		for range rapid.IntRange(0, 20).Draw(rt, "n") {
			m := drawSaid(rt)
			now = now.Add(m.after)
			s, _ = Hear(nil, s, m.readings(), m.facts(kind, now), now)
		}
		now = now.Add(time.Second)
		calm, fire := said{kind: restore, payload: 90}, said{kind: alarm, payload: 91}
		s, _ = Hear(nil, s, calm.readings(), calm.facts(kind, now), now)
		s, vs := Hear(nil, s, fire.readings(), fire.facts(kind, now), now.Add(time.Second))
		if vs[0].Do != Ring || vs[0].Key == "" {
			rt.Fatalf("did not ring: %+v after %+v", vs[0], s)
		}
	})
}

func TestHearLeavesTheOldStateAlone(t *testing.T) {
	m := said{kind: alarm}
	old, _ := Hear(nil, State{}, m.readings(), m.facts(signal.Smoke, noon), noon)
	levels := slices.Clone(old.Levels)
	m.kind = restore
	Hear(nil, old, m.readings(), m.facts(signal.Smoke, noon), noon.Add(time.Second))
	if diff := cmp.Diff(levels, old.Levels); diff != "" {
		t.Error(diff)
	}
	p := said{kind: alarm, pulse: true}
	for i := range remembered {
		p.payload = uint64(i)
		old, _ = Hear(nil, old, p.readings(), p.facts(signal.Button, noon), noon.Add(time.Duration(i)*time.Minute))
	}
	presses := slices.Clone(old.Presses)
	p.payload = 99
	Hear(nil, old, p.readings(), p.facts(signal.Button, noon), noon.Add(time.Hour))
	if diff := cmp.Diff(presses, old.Presses); diff != "" {
		t.Error(diff)
	}
}

// TestLearnsHowLongADeviceIsSilent plays days of heartbeats.
func TestLearnsHowLongADeviceIsSilent(t *testing.T) {
	for _, c := range []struct {
		name    string
		gaps    func(i int) time.Duration
		n       int
		silence time.Duration // expected at most; and at least half of it
	}{
		{"30 s heartbeat", func(int) time.Duration { return 30 * time.Second }, 20, 105 * time.Second},
		{"too few to tell", func(int) time.Duration { return 30 * time.Second }, 8, silenceMost},
		{"hourly, known after a day", func(int) time.Duration { return time.Hour }, 40, 4*time.Hour + AwayGrace},
		{"hourly, not known before", func(int) time.Duration { return time.Hour }, 20, silenceMost},
		{"talkative by day, silent by night", func(i int) time.Duration {
			if i%150 == 149 {
				return 10 * time.Hour
			}
			return 5 * time.Minute
		}, 160, silenceMost},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s State
			now := noon
			for i := range c.n {
				now = now.Add(c.gaps(i))
				s, _ = Hear(nil, s, []dialect.Reading{{Kind: signal.Heartbeat}}, Facts{Kind: signal.Smoke}, now)
			}
			if got := s.silence(now); got > c.silence || got < c.silence/2 {
				t.Errorf("silence %s, want %s (gap %s, steady %d)", got, c.silence, s.Gap, s.Steady)
			}
		})
	}
}

func TestPressesTeachNothing(t *testing.T) {
	var s State
	for i := range 50 {
		m := said{kind: alarm, pulse: true, payload: uint64(i)}
		s, _ = Hear(nil, s, append(m.readings(), dialect.Reading{Kind: signal.BatteryOK, Number: 90}), m.facts(signal.Button, noon), noon.Add(time.Duration(i)*3*time.Second))
	}
	if got := s.silence(noon.Add(time.Hour)); got != silenceMost {
		t.Errorf("a button that was tried out 50 times is expected every %s", got)
	}
}

func ExampleHear() {
	rs := []dialect.Reading{{Kind: signal.Alarm, Property: "action"}}
	_, vs := Hear(nil, State{}, rs, Facts{Device: "g1-h1-button", Kind: signal.Button}, noon)
	fmt.Println(vs[0].Do == Ring, vs[0].Category, vs[0].Key)
	// Output: true panic g1-h1-button/1777636800000
}

// TestAnOldWordIsNoSignOfLife: a hub that repeats its last states shows that the
// hub lives, not its devices.
func TestAnOldWordIsNoSignOfLife(t *testing.T) {
	m := said{kind: restore, sender: noon}
	s, _ := Hear(nil, State{}, m.readings(), m.facts(signal.Smoke, noon), noon)
	later := noon.Add(20 * time.Hour)
	if s, _ = Hear(nil, s, m.readings(), m.facts(signal.Smoke, later), later); !s.Seen.Equal(noon) {
		t.Errorf("seen at %s", s.Seen)
	}
	m.sender = later
	if s, _ = Hear(nil, s, m.readings(), m.facts(signal.Smoke, later), later); !s.Seen.Equal(later) {
		t.Errorf("a new word is a sign of life: seen at %s", s.Seen)
	}
	m.sender, m.stored = time.Time{}, true
	if s, _ = Hear(nil, s, m.readings(), m.facts(signal.Smoke, later), later.Add(time.Hour)); !s.Seen.Equal(later) {
		t.Errorf("a stored value: seen at %s", s.Seen)
	}
}

// TestHiddenButtonIsSilentWhateverItSays gives a button a danger of its own: a
// shop's hold-up button rings nobody but the desk, also when the maker's word
// for a press is "emergency". A measured danger keeps its name.
func TestHiddenButtonIsSilentWhateverItSays(t *testing.T) {
	now := time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)
	f := Facts{Device: "g1-h1-hidden", Kind: signal.Button, Means: signal.HoldUp}
	for _, says := range []signal.Category{"", signal.Panic} {
		_, vs := Hear(nil, State{}, []dialect.Reading{{Kind: signal.Alarm, Category: says, Property: "action"}}, f, now)
		if len(vs) != 1 || vs[0].Do != Ring || vs[0].Category != signal.HoldUp {
			t.Errorf("a press that says %q: %+v", says, vs)
		}
	}
	_, vs := Hear(nil, State{}, []dialect.Reading{{Kind: signal.Alarm, Category: signal.Fire, Property: "smoke", Level: true}}, f, now)
	if len(vs) != 1 || vs[0].Category != signal.Fire {
		t.Errorf("smoke at a button's device: %+v", vs)
	}
}

// The machine's clock was an hour ahead and is set right. Whoever presses in that
// hour says, with the same words, something new.
func TestPressAfterTheClockWasSetBackRings(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for _, r := range []dialect.Reading{{Kind: signal.Alarm, Property: "action"}, {Kind: signal.Alarm, Property: "action", Seq: "1"}} {
		f := Facts{Device: "b1", Kind: signal.Button, Hash: 7}
		s, first := Hear(nil, State{}, []dialect.Reading{r}, f, at)
		_, again := Hear(nil, s, []dialect.Reading{r}, f, at.Add(100*time.Millisecond))
		_, later := Hear(nil, s, []dialect.Reading{r}, f, at.Add(-59*time.Minute))
		if again[0].Key != first[0].Key {
			t.Errorf("seq %q: a bounce is a press of its own", r.Seq)
		}
		if later[0].Do != Ring || later[0].Key == first[0].Key {
			t.Errorf("seq %q: swallowed as %q, which was pressed before the clock was set back", r.Seq, later[0].Key)
		}
	}
}
