package device

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

func TestPressIsASignalOfItsHome(t *testing.T) {
	r := bare(Config{}, sirensOf()...)
	r.say("b1", "press")
	got := r.alarms.take()
	if len(got) != 1 {
		t.Fatalf("%d signals", len(got))
	}
	s := got[0]
	if !strings.HasPrefix(s.Key, "b1/") || s.Device != "b1" || s.DevKind != signal.Button || s.Home != "h1" || s.Group != "g1" ||
		s.Kind != signal.Alarm || s.Category != signal.Panic || s.At.Location() != time.UTC || s.At.Nanosecond()%1e6 != 0 {
		t.Errorf("signal %+v", s)
	}
}

func TestRepeatsKnowOfAnAlarmOnItsWay(t *testing.T) {
	r := bare(Config{}, sirensOf()...)
	on := int64(0)
	r.alarms.ring = func(signal.Signal) { on = r.sirens.alarms.Load() }
	r.say("b1", "press")
	if on != 1 || r.sirens.alarms.Load() != 0 {
		t.Errorf("%d on the way, %d afterwards", on, r.sirens.alarms.Load())
	}
}

func TestJournalRestsWhileSirensAreCommanded(t *testing.T) {
	r := bare(Config{}, append(sirensOf(), dev("d1", "h1", signal.Smoke, ""))...)
	var held []int32
	r.alarms.ring = func(signal.Signal) { held = append(held, r.journal.held.Load()) }
	r.say("b1", "press")
	r.say("d1", "alarm")
	if len(held) != 2 || held[0] != 1 || held[1] != 1 || r.journal.held.Load() != 0 {
		t.Errorf("held %v while it rang, %d afterwards", held, r.journal.held.Load())
	}
}

func TestPressIsAcknowledgedWhenItIsOnDisk(t *testing.T) {
	r := bare(Config{}, sirensOf()...)
	r.alarms.slow, r.journal.slow = true, true
	acked := 0
	r.Publish(broker.Publish{Space: "alley12", Topic: "plain/b1", Payload: []byte("press")}, func() { acked++ })
	if acked != 0 {
		t.Fatal("acknowledged before anything was written")
	}
	r.alarms.release()
	if acked != 0 {
		t.Fatal("acknowledged before the memory of the press was written")
	}
	r.journal.release()
	if acked != 1 {
		t.Fatalf("acknowledged %d times", acked)
	}
}

func TestAlarmThatIsNeverSavedIsNeverAcknowledged(t *testing.T) {
	r := bare(Config{}, append(sirensOf(), dev("d1", "h1", signal.Smoke, ""))...)
	r.alarms.slow = true
	if r.say("b1", "press") || r.say("d1", "alarm") {
		t.Error("acknowledged")
	}
}

// TestRepeatedAlarmWaitsForTheFirst: a client that got no PUBACK reconnects and
// sends the same again. It must not be told "known" while the first is not on disk.
func TestRepeatedAlarmWaitsForTheFirst(t *testing.T) {
	for _, payload := range []string{"press", "alarm"} {
		t.Run(payload, func(t *testing.T) {
			r := bare(Config{}, dev("d1", "h1", signal.Smoke, ""))
			r.alarms.slow = true
			first := r.say("d1", payload)
			again := r.say("d1", payload, dup)
			if first || again {
				t.Fatal("acknowledged before it was on disk")
			}
			got := r.alarms.take()
			if len(got) != 2 || got[0].Key != got[1].Key {
				t.Fatalf("signals %+v", got)
			}
			r.alarms.release()
			r.alarms.slow = false
			if payload == "alarm" {
				if !r.say("d1", payload, dup) || len(r.alarms.take()) != 0 {
					t.Error("once on disk, a repeated level is known and done")
				}
			}
		})
	}
}

func TestRestoreIsAcknowledgedWhenItsLevelIsOnDisk(t *testing.T) {
	r := bare(Config{}, dev("d1", "h1", signal.Smoke, ""))
	r.say("d1", "alarm")
	r.alarms.take()
	r.journal.slow, r.alarms.slow = true, true
	acked := false
	r.Publish(broker.Publish{Space: "alley12", Topic: "plain/d1", Payload: []byte("restore")}, func() { acked = true })
	if acked {
		t.Fatal("a restore that is lost silences the next alarm")
	}
	r.journal.release()
	if !acked {
		t.Fatal("not acknowledged")
	}
	if got := r.alarms.take(); len(got) != 1 || got[0].Kind != signal.Restore {
		t.Errorf("signals %+v", got)
	}
}

// TestOrderOfMemoryAndAlarm: the memory of a press goes first, a level last.
func TestOrderOfMemoryAndAlarm(t *testing.T) {
	r := bare(Config{}, dev("d1", "h1", signal.Smoke, ""))
	before := -1
	r.alarms.ring = func(signal.Signal) { before = r.journal.ops }
	r.say("d1", "press")
	if before != 1 || r.journal.ops != 1 {
		t.Errorf("press: %d written before the alarm, %d in all", before, r.journal.ops)
	}
	r.journal.ops = 0
	r.say("d1", "alarm")
	if before != 0 || r.journal.ops != 1 {
		t.Errorf("level: %d written before the alarm, %d in all", before, r.journal.ops)
	}
}

func TestEverythingElseIsAcknowledgedAtOnceAndRingsNobody(t *testing.T) {
	r := bare(Config{}, append(sirensOf(""), dev("d1", "h1", signal.Smoke, ""))...)
	r.journal.slow, r.alarms.slow = true, true
	for _, p := range []broker.Publish{
		{Space: "alley12", Topic: "plain/d1", Payload: []byte("beat")},
		{Space: "alley12", Topic: "plain/d1", Payload: []byte("low")},
		{Space: "alley12", Topic: "plain/b1", Payload: []byte("press"), Retain: true},
		{Space: "alley12", Topic: "plain/s1", Payload: []byte("sounding")},
		{Space: "alley12", Topic: "plain/s1", Payload: []byte("press")},
		{Space: "alley12", Topic: "plain/d1", Payload: []byte("nonsense")},
		{Space: "alley12", Topic: "plain/d1", Payload: []byte("boom")},
		{Space: "alley12", Topic: "plain/bridge/x", Payload: []byte("boom")},
		{Space: "alley12", Topic: "somewhere/else", Payload: []byte("press")},
		{Space: "alley12", Topic: "plain/d1"},
		{Space: "nobody", Topic: "plain/b1", Payload: []byte("press")},
	} {
		n := 0
		r.Publish(p, func() { n++ })
		if n != 1 {
			t.Errorf("%s %q acknowledged %d times", p.Topic, p.Payload, n)
		}
	}
	if got := r.alarms.take(); len(got) > 0 {
		t.Errorf("rang: %+v", got)
	}
}

func TestSpacesNeverMeet(t *testing.T) {
	other := dev("b9", "h9", signal.Button, "")
	other.Hub, other.Topic = "alley9", "plain/b1" // the same topic in another alley
	r := bare(Config{}, append(sirensOf(), other)...)
	r.Publish(broker.Publish{Space: "alley9", Topic: "plain/b1", Payload: []byte("press")}, func() {})
	if got := r.alarms.take(); len(got) != 1 || got[0].Device != "b9" || got[0].Group != "g2" {
		t.Errorf("signals %+v", got)
	}
}

func TestTwoDevicesOnOneTopicBothSpeak(t *testing.T) {
	a, b := dev("d1", "h1", signal.Smoke, ""), dev("d2", "h1", signal.CO, "")
	b.Topic = a.Topic
	r := bare(Config{}, a, b)
	r.say("d1", "alarm")
	if got := r.alarms.take(); len(got) != 2 || got[0].Category == got[1].Category {
		t.Errorf("signals %+v", got)
	}
}

func TestStandingBrokerHandsOutOldValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{Standing: true}, append(sirensOf(""), dev("d1", "h1", signal.Smoke, ""))...)
		r.start(t)
		r.say("d1", "restore")
		r.say("d1", "alarm", retained)
		synctest.Wait()
		if got := r.alarms.take(); len(got) > 0 {
			t.Errorf("a stored value rang: %+v", got)
		}
		n, _ := r.told.take()
		if len(n) != 1 || n[0].Why != WhyAway || n[0].Kind != signal.Alarm {
			t.Errorf("notices %+v", n)
		}
		if h := r.Homes("g1")["h1"]; h.State != Red || h.Reason.Key != "home.alarm_missed" {
			t.Errorf("home %+v", h)
		}
		r.say("d1", "alarm")
		if got := r.alarms.take(); len(got) != 1 {
			t.Errorf("a live alarm did not ring: %+v", got)
		}
	})
}

func TestStoredSoundingIsNoConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{Standing: true}, sirensOf("")...)
		r.start(t)
		r.Desire("g1", fire)
		r.front.take()
		r.say("s1", "sounding", retained)
		wait(time.Second)
		if n := len(r.front.take()); n == 0 {
			t.Error("believed an old word")
		}
		if got := r.reports.take(); slices.Contains(got, "i1 h1 s1 L3") {
			t.Errorf("reports %v", got)
		}
	})
}

func TestUnknownsAreCountedAndBounded(t *testing.T) {
	r := bare(Config{}, append(sirensOf(), dev("d1", "h1", signal.Smoke, ""))...)
	for range 3 {
		r.say("d1", "nonsense")
	}
	r.say("d1/set", "on")                                      // somebody commands it: no news
	r.say("stranger", "\x00\x1b[31m"+strings.Repeat("ă", 300)) // not decodable text
	_, unknown := r.Strangers("g1")
	if len(unknown) != 2 {
		t.Fatalf("unknown %+v", unknown)
	}
	by := map[string]Unknown{}
	for _, u := range unknown {
		by[u.Topic] = u
	}
	if u := by["plain/d1"]; u.Count != 3 || u.Payload != "nonsense" || u.Reason != `word "nonsense" is not known` {
		t.Errorf("unknown %+v", u)
	}
	if u := by["plain/stranger"]; u.Reason != "device.topic_unknown" || len([]rune(u.Payload)) != 200 || strings.ContainsAny(u.Payload, "\x00\x1b") {
		t.Errorf("unknown %+v", u)
	}
	for i := range 5000 {
		r.say(fmt.Sprintf("flood/%d", i), "x")
	}
	if _, unknown = r.Strangers("g1"); len(unknown) != UnknownPerHub {
		t.Errorf("%d unknown kept", len(unknown))
	}
	if n := len(r.heard.dirty); n > 2*UnknownPerHub {
		t.Errorf("%d entries wait for the disk", n)
	}
	if s := r.Stats(); s.Unknown != 5004 || s.Undecodable != 3 {
		t.Errorf("stats %+v", s)
	}
	if _, unknown = r.Strangers("g2"); len(unknown) != 0 {
		t.Error("another group sees them")
	}
}

func TestFoundDevicesAreShownUntilTheyHaveAHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		devices := append(sirensOf(""), dev("d1", "h1", signal.Smoke, ""))
		r := bare(Config{}, devices...)
		r.start(t)
		hubSays(r, "devices", "found plain/new")
		hubSays(r, "devices", "found plain/d1") // has a home: its capabilities
		found, _ := r.Strangers("g1")
		if len(found) != 1 || found[0].Topic != "plain/new" || found[0].Kind != signal.Smoke {
			t.Fatalf("found %+v", found)
		}
		wait(2 * time.Second)
		if c := string(r.now.Load().devices["d1"].as.Capabilities); c != `{"of":"plain/d1"}` {
			t.Errorf("capabilities %q", c)
		}
		r.wire(append(devices, dev("new", "h2", signal.Smoke, ""))...)
		if found, _ = r.Strangers("g1"); len(found) != 0 {
			t.Errorf("found %+v", found)
		}
		hubSays(r, "devices", "found plain/other")
		hubSays(r, "devices", "gone plain/other")
		if found, _ = r.Strangers("g1"); len(found) != 0 {
			t.Errorf("found %+v", found)
		}
	})
}

func TestWiringKeepsWhatIsKnownUnlessItIsAnotherThing(t *testing.T) {
	d := dev("d1", "h1", signal.Smoke, "")
	r := bare(Config{}, d)
	r.say("d1", "alarm")
	d.Model = "better"
	r.wire(d)
	r.alarms.take()
	r.say("d1", "alarm")
	if got := r.alarms.take(); len(got) > 0 {
		t.Error("a new model name made an old alarm new")
	}
	d.Topic = "plain/d2"
	r.wire(d)
	r.say("d2", "alarm")
	if got := r.alarms.take(); len(got) != 1 {
		t.Errorf("another device behind the same name: %+v", got)
	}
}

func TestSignIn(t *testing.T) {
	own := dev("s1", "h1", signal.Siren, "")
	own.Username, own.Password = "siren-user", "x"
	r := bare(Config{}, own)
	r.mu.Lock()
	row := r.src.devices["s1"]
	row.secretHash = hashSecret("secret-2")
	r.src.devices["s1"] = row
	r.rebuild()
	r.mu.Unlock()
	for _, c := range []struct {
		user, password string
		ok             bool
		want           broker.Account
	}{
		{"alley12", "secret-1", true, broker.Account{Space: "alley12"}},
		{"siren-user", "secret-2", true, broker.Account{Space: "alley12", Prefixes: []string{"plain/s1"}}},
		{"siren-user", "secret-1", false, broker.Account{}},
		{"alley12", "", false, broker.Account{}},
		{"", "", false, broker.Account{}},
		{"0", "0", false, broker.Account{}},
	} {
		a, ok := r.SignIn(c.user, c.password)
		if ok != (a.Seal != "") || ok && !r.Still(c.user, a) {
			t.Errorf("%s: sealed with %q, still in %v", c.user, a.Seal, r.Still(c.user, a))
		}
		a.Seal = ""
		if diff := cmp.Diff(c.want, a); ok != c.ok || diff != "" {
			t.Errorf("%s/%s: %v %s", c.user, c.password, ok, diff)
		}
	}
	if n := r.Stats().Refused; n != 4 {
		t.Errorf("%d refused", n)
	}
}

// heads is a dialect that speaks on the given topics.
type heads struct {
	plain
	name   string
	topics []string
}

func (h heads) Name() string                   { return h.name }
func (h heads) Topics(dialect.Device) []string { return h.topics }

func TestAccountOfADeviceReachesItsOwnTopicsOnly(t *testing.T) {
	for _, c := range []struct {
		d        heads
		topic    string
		commands []string
		want     []string
	}{
		{heads{name: "tasmota", topics: []string{"stat/plug/RESULT", "tele/plug/LWT"}}, "plug/POWER2", []string{"cmnd/plug/POWER2"}, []string{"plug/POWER2", "stat/plug", "tele/plug", "cmnd/plug/POWER2"}},
		{heads{name: "tasmota", topics: []string{"stat/plug/RESULT"}}, "plug", []string{"cmnd/plug/POWER"}, []string{"plug", "stat/plug", "cmnd/plug"}},
		{heads{name: "esphome", topics: []string{"kitchen/binary_sensor/smoke/state", "kitchen/status"}}, "kitchen/binary_sensor/smoke", nil, []string{"kitchen/binary_sensor/smoke", "kitchen"}},
		{heads{name: "zigbee2mqtt", topics: []string{"zigbee2mqtt/x", "zigbee2mqtt/x/availability", "zigbee2mqtt/bridge/state"}}, "zigbee2mqtt/x", nil, []string{"zigbee2mqtt/x", "zigbee2mqtt/bridge/state"}},
	} {
		got := prefixes(c.d, dialect.Device{Topic: c.topic}, c.commands)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.d.name, c.topic, diff)
		}
	}
}

func BenchmarkSignIn(b *testing.B) {
	r := bare(Config{}, sirensOf()...)
	for b.Loop() {
		if _, ok := r.SignIn("alley12", "secret-1"); !ok {
			b.Fatal("refused")
		}
	}
}

// BenchmarkPressToSevenSirens is the way of an alarm through this slice: a
// message of a button, decoded and judged, to seven commands handed to the front.
// Alarm and disk are elsewhere.
func BenchmarkPressToSevenSirens(b *testing.B) {
	var devices []NewDevice
	homes := village{"g1": nil}
	for i := range 7 {
		h := place.HomeID(fmt.Sprintf("h%d", i+1))
		homes["g1"] = append(homes["g1"], h)
		devices = append(devices, dev(fmt.Sprintf("s%d", i+1), h, signal.Siren, ""), dev(fmt.Sprintf("b%d", i+1), h, signal.Button, ""))
	}
	r := bare(Config{}, devices...)
	f := &counter{}
	r.Places, r.src.places = homes, homes
	r.wire(devices...)
	r.Join(Links{Front: f, Alarms: r.alarms, Reports: r.reports})
	on := false
	r.alarms.ring = func(s signal.Signal) {
		on = !on // every press is a change for all seven
		r.Desire(s.Group, Desire{Sounding: on, Incident: "i1", Origins: []place.HomeID{s.Home}})
	}
	done := func() {}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Publish(broker.Publish{Space: "alley12", Topic: "plain/b1", Payload: fmt.Appendf(nil, "press seq=%d", i), QoS: 1}, done)
		r.out.calls, r.alarms.taken = nil, nil
	}
	if f.n != 7*b.N {
		b.Fatalf("%d commands for %d presses", f.n, b.N)
	}
}

// counter is a front that counts.
type counter struct{ n int }

func (c *counter) Send(_ broker.Space, _ string, _ []byte, _ time.Duration, _ func()) int {
	c.n++
	return 1
}
func (c *counter) Retain(broker.Space, string, []byte) {}

func BenchmarkHeartbeat(b *testing.B) {
	r := bare(Config{}, sirensOf()...)
	done := func() {}
	b.ReportAllocs()
	for b.Loop() {
		r.Publish(broker.Publish{Space: "alley12", Topic: "plain/b1", Payload: []byte("beat")}, done)
	}
}

func TestRestoreThatCannotBeWrittenIsNotAcknowledged(t *testing.T) {
	r := bare(Config{}, dev("d1", "h1", signal.Smoke, ""))
	r.say("d1", "alarm")
	r.journal.fails = errors.New("no")
	if r.say("d1", "restore") {
		t.Error("acknowledged")
	}
	if !r.say("d1", "alarm") {
		t.Error("an alarm hangs on its own entry, not on this one")
	}
}

func TestOldWordsOfAHubThatCameBackDoNotRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 366 * 24 * time.Hour) // the bubble begins in 2000, when no device's clock is believed
		r := bare(Config{}, dev("d1", "h1", signal.Smoke, ""))
		r.start(t)
		r.say("d1", "restore")
		wait(time.Hour)
		hubSays(r, "state", "online")
		old := fmt.Sprintf("alarm at=%d", time.Now().Add(-40*time.Second).UnixMilli())
		r.say("d1", old)
		if got := r.alarms.take(); len(got) > 0 {
			t.Errorf("rang: %+v", got)
		}
		wait(time.Second)
		r.say("d1", fmt.Sprintf("alarm at=%d", time.Now().UnixMilli()))
		if got := r.alarms.take(); len(got) != 1 {
			t.Errorf("a fresh word after the old one: %+v", got)
		}
	})
}
