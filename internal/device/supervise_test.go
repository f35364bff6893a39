package device

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

func (r *rig) status(id signal.DeviceID) Status {
	for g := range alley {
		for _, d := range r.Devices(g) {
			if d.ID == id {
				return d.State
			}
		}
	}
	return ""
}

// complete is home h1 with siren, button and smoke detector.
func complete() []NewDevice {
	return append(sirensOf(""), dev("d1", "h1", signal.Smoke, ""))
}

func (r *rig) proveAll() {
	r.Connected("alley12", "hub")
	r.say("b1", "press")
	r.say("s1", "sounding")
	r.say("s1", "quiet")
	r.say("d1", "test")
}

func TestDeadDeviceIsShownWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		r.Connected("alley12", "s1") // the siren connects by itself, under its own name
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Green || !h.Siren || !h.Button {
			t.Fatalf("home %+v", h)
		}
		r.told.take()
		r.Gone("alley12", "s1", false) // what MQTT notices after 45 s
		wait(14 * time.Second)
		if s := r.status("s1"); s == Offline {
			t.Error("a roam of 14 s is no loss")
		}
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Red || h.Reason.Key != "home.siren_offline" || h.Reason.Args["device"] != "s1" {
			t.Errorf("home %+v", h)
		}
		n, c := r.told.take()
		if len(n) != 1 || n[0].Kind != signal.Offline || n[0].Device != "s1" || !slices.Contains(c, place.GroupID("g1")) {
			t.Errorf("told %+v, changed %v", n, c)
		}
		r.Connected("alley12", "s1")
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Green {
			t.Errorf("home %+v", h)
		}
		if n, _ := r.told.take(); len(n) != 1 || n[0].Kind != signal.Online {
			t.Errorf("told %+v", n)
		}
	})
}

func TestLostHubTakesItsDevicesWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		wait(2 * time.Second)
		if h := r.Hubs([]place.GroupID{"g1"}); len(h) != 1 || h[0].Hub != "alley12" || !h[0].Online {
			t.Errorf("hubs %+v", h)
		}
		if h := r.Health([]place.GroupID{"g1"}); h != (Health{Online: 3, Total: 3}) {
			t.Errorf("health %+v", h)
		}
		r.Gone("alley12", "hub", false)
		wait(AwayGrace + time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Red || h.Reason.Key != "home.hub_offline" || h.Reason.Args["hub"] != "alley12" {
			t.Errorf("home %+v", h)
		}
		if h := r.Health(nil); h != (Health{Offline: 3, Total: 3}) {
			t.Errorf("health %+v", h)
		}
		r.Connected("alley12", "hub")
		hubSays(r, "state", "offline") // its software is not there although its connection is
		wait(AwayGrace + time.Second)
		if h := r.Hubs(nil); h[0].Online {
			t.Errorf("hubs %+v", h)
		}
		hubSays(r, "state", "online")
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Green {
			t.Errorf("home %+v", h)
		}
		if h := r.Hubs([]place.GroupID{"g2"}); len(h) != 0 {
			t.Errorf("another group sees hubs %+v", h)
		}
	})
}

func TestHubWithTwoKindsOfSoftware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{Dialects: families()}, realDevices()...)
		r.start(t)
		r.Connected("alley12", "hub")
		online := func() bool { return r.Hubs(nil)[0].Online }
		r.hear("!zigbee2mqtt/bridge/state online", "homeassistant/status online", "homeassistant/status offline")
		if !online() {
			t.Error("Home Assistant is a guest: the hub does not go with it")
		}
		r.hear("!upstairs/bridge/state online", "!zigbee2mqtt/bridge/state offline")
		if !online() {
			t.Error("one of two bridges is there")
		}
		r.hear("!upstairs/bridge/state offline")
		if online() {
			t.Error("both bridges are gone")
		}
	})
}

func TestNobodyIsOfflineBecauseKengStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		for _, d := range r.now.Load().devices {
			d.live.state.Seen, d.live.state.Proven = time.Now().Add(-10*time.Minute), time.Now().Add(-time.Hour)
		}
		r.start(t)
		wait(30 * time.Second) // the hub is on its way
		if h := r.Homes("g1")["h1"]; h.State != Green {
			t.Errorf("home %+v", h)
		}
		wait(31 * time.Second) // it does not come
		if h := r.Homes("g1")["h1"]; h.Reason.Key != "home.hub_offline" {
			t.Errorf("home %+v", h)
		}
	})
}

func TestBatteryDeviceThatDiesIsShownWithinADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		for range 6 * 24 { // s1 and b1 report every 10 minutes, d1 died
			r.say("s1", "beat")
			r.say("b1", "beat")
			wait(10 * time.Minute)
		}
		if s := r.status("d1"); s != Late {
			t.Errorf("after a day: %s", s)
		}
		for range 7 {
			r.say("s1", "beat")
			r.say("b1", "beat")
			wait(10 * time.Minute)
		}
		if h := r.Homes("g1")["h1"]; h.State != Amber || h.Reason.Key != "home.device_offline" || h.Reason.Args["hours"] != 25 {
			t.Errorf("home %+v", h)
		}
	})
}

// TestAMonthOfHeartbeats: 5 % of all messages lost, Wi-Fi roams of a minute, and
// in the end one device dies. None is called offline that lives; the dead one is.
func TestAMonthOfHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		lost := uint32(1)
		rnd := func(n uint32) bool { // a small generator: the same month every time
			lost = lost*1664525 + 1013904223
			return lost>>8%n == 0
		}
		ids := []string{"s1", "b1", "d1"}
		mistakes := 0
		roaming := map[string]int{}
		for range 30 * 24 * 60 {
			for _, id := range ids {
				if roaming[id] > 0 {
					roaming[id]--
				} else if rnd(3 * 24 * 60) {
					roaming[id] = 1
				} else if !rnd(20) {
					r.say(id, "beat")
				}
			}
			wait(time.Minute)
			n, _ := r.told.take()
			for _, x := range n {
				if x.Kind == signal.Offline {
					mistakes++
				}
			}
		}
		if mistakes > 0 {
			t.Errorf("%d false alarms of being offline in 90 device-days", mistakes)
		}
		if h := r.Homes("g1")["h1"]; h.Reason.Key != "home.button_unproven" { // tried out 30 days ago, and all there
			t.Errorf("home %+v", h)
		}
		for range 30 { // d1 dies
			r.say("s1", "beat")
			r.say("b1", "beat")
			wait(time.Minute)
		}
		if s := r.status("d1"); s != Offline {
			t.Errorf("30 minutes after its last of the minutely words: %s", s)
		}
	})
}

func TestUnprovenAfterAMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		for range 31 {
			wait(24 * time.Hour)
			for _, id := range []string{"s1", "b1", "d1"} {
				r.say(id, "beat")
			}
		}
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Amber || h.Reason.Key != "home.button_unproven" {
			t.Errorf("home %+v", h)
		}
		r.say("b1", "press")
		r.say("s1", "sounding")
		wait(2 * time.Second)
		if h := r.Homes("g1")["h1"]; h.State != Green {
			t.Errorf("home %+v", h)
		}
	})
}

func TestTroublesAreToldAsFacts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		wait(2 * time.Second)
		r.told.take()
		r.alarms.take()
		for _, m := range []string{"low", "low", "tamper", "fault"} {
			r.say("d1", m)
		}
		wait(2 * time.Second)
		n, c := r.told.take()
		var kinds []signal.Kind
		for _, x := range n {
			kinds = append(kinds, x.Kind)
		}
		if want := []signal.Kind{signal.LowBattery, signal.TamperOpen, signal.Fault}; !slices.Equal(kinds, want) {
			t.Errorf("told %v", kinds)
		}
		if !slices.Contains(c, place.GroupID("g1")) {
			t.Error("nobody was told that the group looks different")
		}
		if got := r.alarms.take(); len(got) > 0 {
			t.Errorf("rang: %+v", got)
		}
		if v := r.Devices("g1")[1]; v.ID != "d1" || v.State != Faulty || v.Battery == nil || *v.Battery != 5 || v.SeenAt == nil || v.ProvenAt == nil {
			t.Errorf("view %+v", v)
		}
	})
}

func TestChangedIsToldAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		wait(3 * time.Second)
		r.told.take()
		for i := range 100 {
			r.say("d1", []string{"tamper", "fault", "low"}[i%3])
			r.wire(complete()...)
			r.changed("g1")
			wait(10 * time.Millisecond)
		}
		if _, c := r.told.take(); len(c) < 1 || len(c) > 2 {
			t.Errorf("told %d times within a second", len(c))
		}
	})
}

func TestHeartbeatsAreNotWrittenOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		r.start(t)
		r.proveAll()
		wait(time.Minute)
		r.journal.written()
		for range 600 {
			r.say("d1", "beat")
			wait(100 * time.Millisecond)
		}
		if n := r.journal.written(); n > 3 {
			t.Errorf("%d writes for a minute of heartbeats", n)
		}
	})
}

func TestManyDevicesAreSupervisedCheaply(t *testing.T) {
	var devices []NewDevice
	for i := range 2000 {
		devices = append(devices, dev(fmt.Sprintf("x%d", i), "h1", signal.Smoke, ""))
	}
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, devices...)
		r.start(t)
		r.Connected("alley12", "hub")
		wait(time.Second)
		for i := range devices {
			r.Publish(broker.Publish{Space: "alley12", Topic: "plain/" + string(devices[i].ID), Payload: []byte("beat")}, func() {})
		}
		r.journal.written()
		wait(time.Minute + 5*time.Second)
		if n := r.journal.written(); n < 2000/chunk || n > 3*2000/chunk {
			t.Errorf("%d ops for 2000 states", n)
		}
	})
}

func TestDeviceWithAnAccountOfItsOwnIsNoHub(t *testing.T) {
	own := dev("s2", "h2", signal.Siren, "")
	own.Hub, own.Username = "", "s2"
	r := bare(Config{}, append(complete(), own)...)
	for _, groups := range [][]place.GroupID{nil, {"g1"}} {
		if h := r.Hubs(groups); len(h) != 1 || h[0].Hub != "alley12" {
			t.Errorf("hubs %+v", h)
		}
	}
}

// A board that speaks only when something happens is there while its connection
// is: a will says when it goes.
func TestQuietBoardIsThereUntilItsWillIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		siren := NewDevice{ID: "s1", Home: "h1", Kind: signal.Siren, Dialect: "esphome", Topic: "board/switch/coi", Hub: "alley12"}
		button := NewDevice{ID: "b1", Home: "h1", Kind: signal.Button, Dialect: "esphome", Topic: "board/event/nut", Hub: "alley12"}
		r := bare(Config{Dialects: families()}, siren, button)
		r.start(t)
		r.Connected("alley12", "board-4f2a11")
		r.hear("!board/status online")
		wait(60 * time.Hour)
		if s, b := r.status("s1"), r.status("b1"); s == Offline || b == Offline || s == Late || b == Late {
			t.Errorf("a board that is connected is shown %s and %s", s, b)
		}
		r.hear("!board/status offline")
		wait(AwayGrace + 2*time.Second)
		if s, b := r.status("s1"), r.status("b1"); s != Offline || b != Offline {
			t.Errorf("after its will: %s and %s", s, b)
		}
	})
}

// A device with an account of its own is its connection, whatever that is called;
// a new connection may be there before the old one is missed.
func TestAccountOfItsOwnIsItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := dev("s1", "h1", signal.Siren, "")
		own.Hub, own.Username = "", "siren-1"
		r := bare(Config{}, own)
		r.start(t)
		r.Connected("siren-1", "esp-4f2a11")
		wait(60 * time.Hour)
		if s := r.status("s1"); s == Offline || s == Late {
			t.Errorf("connected, and shown %s", s)
		}
		r.Connected("siren-1", "esp-4f2a12")
		r.Gone("siren-1", "esp-4f2a11", false)
		wait(time.Hour)
		if s := r.status("s1"); s == Offline {
			t.Error("offline although its new connection is there")
		}
		r.Gone("siren-1", "esp-4f2a12", false)
		wait(AwayGrace + 2*time.Second)
		if s := r.status("s1"); s != Offline {
			t.Errorf("without any connection it is %s", s)
		}
	})
}
