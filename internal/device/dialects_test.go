package device

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/device/drive"
	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/esphome"
	"github.com/keng-vn/keng/internal/dialect/homeassistant"
	"github.com/keng-vn/keng/internal/dialect/plainjson"
	"github.com/keng-vn/keng/internal/dialect/tasmota"
	"github.com/keng-vn/keng/internal/dialect/zigbee2mqtt"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/signal"
)

// families are the dialects of real devices.
func families() map[string]dialect.Dialect {
	all := map[string]dialect.Dialect{"plain": plain{}}
	for _, d := range []dialect.Dialect{zigbee2mqtt.Dialect{}, tasmota.Dialect{}, esphome.Dialect{}, homeassistant.Dialect{}, plainjson.Dialect{}} {
		all[d.Name()] = d
	}
	return all
}

// realDevices are one of each, in one alley.
func realDevices() []NewDevice {
	list := []NewDevice{
		{ID: "z-smoke", Kind: signal.Smoke, Dialect: "zigbee2mqtt", Topic: "zigbee2mqtt/z-smoke"},
		{ID: "z-button", Kind: signal.Button, Dialect: "zigbee2mqtt", Topic: "zigbee2mqtt/z-button"},
		{ID: "z-door", Kind: signal.Contact, Dialect: "zigbee2mqtt", Topic: "zigbee2mqtt/z-door"},
		{ID: "z-siren", Kind: signal.Siren, Dialect: "zigbee2mqtt", Topic: "zigbee2mqtt/z-siren", Model: "HS2WD-E"},
		{ID: "t-button", Kind: signal.Button, Dialect: "tasmota", Topic: "t_button"},
		{ID: "t-rf", Kind: signal.Button, Dialect: "tasmota", Topic: "t_bridge/0x7028D2"},
		{ID: "t-siren", Kind: signal.Siren, Dialect: "tasmota", Topic: "t_siren"},
		{ID: "e-smoke", Kind: signal.Smoke, Dialect: "esphome", Topic: "kitchen/binary_sensor/smoke"},
		{ID: "e-siren", Kind: signal.Siren, Dialect: "esphome", Topic: "kitchen/switch/siren"},
		{ID: "h-smoke", Kind: signal.Smoke, Dialect: "homeassistant", Topic: "homeassistant/binary_sensor/h/smoke"},
		{ID: "j-button", Kind: signal.Button, Dialect: "json", Topic: "keng/j-button"},
		{ID: "j-siren", Kind: signal.Siren, Dialect: "json", Topic: "keng/j-siren"},
	}
	for i := range list {
		list[i].Home, list[i].Hub = "h1", "alley12"
	}
	return list
}

// hear publishes "topic payload" lines; a leading "!" marks a retained message.
func (r *rig) hear(lines ...string) {
	for _, l := range lines {
		l, kept := strings.CutPrefix(l, "!")
		topic, payload, _ := strings.Cut(l, " ")
		r.Publish(broker.Publish{Space: "alley12", Topic: topic, Payload: []byte(payload), QoS: 1, Retain: kept}, func() {})
	}
}

// TestRealDevices tells what each family sends, and who rings.
func TestRealDevices(t *testing.T) {
	for _, c := range []struct {
		name  string
		says  []string
		rings string // devices and dangers
	}{
		{"Zigbee2MQTT starts: states as they were", []string{`!zigbee2mqtt/bridge/state {"state":"online"}`, `zigbee2mqtt/z-smoke {"smoke":false,"battery":97}`, `!zigbee2mqtt/z-smoke/availability {"state":"online"}`}, ""},
		{"smoke", []string{`zigbee2mqtt/z-smoke {"smoke":false,"battery":97}`, `zigbee2mqtt/z-smoke {"smoke":true,"battery":97}`, `zigbee2mqtt/z-smoke {"smoke":true,"battery":96}`}, "z-smoke fire"},
		{"smoke is the first word ever", []string{`zigbee2mqtt/z-smoke {"smoke":true,"linkquality":80}`}, "z-smoke fire"},
		{"smoke is the first word ever, and retained", []string{`!zigbee2mqtt/z-smoke {"smoke":true,"linkquality":80}`}, ""},
		{"its test button", []string{`zigbee2mqtt/z-smoke {"smoke":true,"test":true}`}, ""},
		{"smoke at the end of a test", []string{`zigbee2mqtt/z-smoke {"smoke":true,"test":true}`, `zigbee2mqtt/z-smoke {"smoke":true,"test":false}`}, "z-smoke fire"},
		{"away, then as before", []string{`zigbee2mqtt/z-smoke {"smoke":true}`, `!zigbee2mqtt/z-smoke/availability {"state":"offline"}`, `!zigbee2mqtt/z-smoke/availability {"state":"online"}`, `zigbee2mqtt/z-smoke {"smoke":true}`}, "z-smoke fire"},
		{"emergency button", []string{`zigbee2mqtt/z-button {"action":"emergency","battery":90}`, `zigbee2mqtt/z-button {"action":"","battery":90}`}, "z-button panic"},
		{"a door", []string{`zigbee2mqtt/z-door {"contact":true}`, `zigbee2mqtt/z-door {"contact":false}`, `zigbee2mqtt/z-door {"contact":true}`}, ""},
		{"a siren's echo", []string{`zigbee2mqtt/z-siren {"alarm":true}`, `zigbee2mqtt/z-siren {"warning":{"mode":"emergency"}}`, `stat/t_siren/RESULT {"POWER":"ON"}`, `stat/t_siren/POWER ON`, `kitchen/switch/siren/state ON`, `keng/j-siren {"state":"ON"}`, `keng/j-siren {"alarm":true}`}, ""},
		{"Tasmota button", []string{`tele/t_button/LWT Online`, `stat/t_button/RESULT {"Button1":{"Action":"SINGLE"}}`}, "t-button panic"},
		{"RF button behind a bridge", []string{`tele/t_bridge/RESULT {"Time":"2020-05-27T18:59:06","RfReceived":{"Data":"0x7028D2","Bits":24,"Protocol":1,"Pulse":238}}`}, "t-rf panic"},
		{"a neighbour's garage", []string{`tele/t_bridge/RESULT {"RfReceived":{"Data":"0x111111","Bits":24}}`}, ""},
		{"ESPHome keeps its states", []string{`!kitchen/status online`, `!kitchen/binary_sensor/smoke/state OFF`, `!kitchen/binary_sensor/smoke/state ON`}, "e-smoke fire"},
		{"ESPHome restarts in the alarm", []string{`!kitchen/binary_sensor/smoke/state OFF`, `!kitchen/binary_sensor/smoke/state ON`, `!kitchen/status offline`, `!kitchen/status online`, `!kitchen/binary_sensor/smoke/state ON`}, "e-smoke fire"},
		{"plain JSON", []string{`keng/j-button {"event":"press","n":17}`}, "j-button panic"},
		{"plain JSON with a danger", []string{`keng/j-button {"pressed":true,"kind":"fire"}`}, "j-button fire"},
		{"plain JSON, retained", []string{`!keng/j-button {"event":"press"}`}, ""},
		{"Home Assistant", []string{`!homeassistant/binary_sensor/h/smoke/config {"name":"Bep","device_class":"smoke","state_topic":"h/smoke","unique_id":"u1"}`, "", `h/smoke OFF`, `h/smoke ON`}, "h-smoke fire"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := bare(Config{Dialects: families()}, realDevices()...)
				r.start(t)
				for _, line := range c.says {
					if line == "" { // time for discovery to be taken in
						wait(2 * time.Second)
						continue
					}
					r.hear(line)
				}
				var got []string
				for _, s := range r.alarms.take() {
					if s.Kind == signal.Alarm {
						got = append(got, fmt.Sprintf("%s %s", s.Device, s.Category))
					}
				}
				if strings.Join(got, ", ") != c.rings {
					t.Errorf("rang %q, want %q", strings.Join(got, ", "), c.rings)
				}
				if _, unknown := r.Strangers("g1"); len(unknown) > 0 && !strings.Contains(c.name, "retained") && !strings.Contains(c.name, "echo") {
					t.Errorf("unknown %+v", unknown)
				}
			})
		})
	}
}

// TestRealSirensAreDriven commands one of each family and lets it confirm.
func TestRealSirensAreDriven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{Dialects: families()}, realDevices()...)
		r.start(t)
		r.Desire("g1", fire)
		var got []string
		for _, s := range r.front.take() {
			got = append(got, s.topic+" "+s.payload)
		}
		want := []string{
			"kitchen/switch/siren/command ON",
			`keng/j-siren/set {"state":"ON","duration":180,"pattern":"alarm"}`,
			"cmnd/t_siren/PulseTime1 280", "cmnd/t_siren/POWER ON",
			`zigbee2mqtt/z-siren/set {"warning":{"mode":"emergency","level":"very_high","strobe":true,"strobe_duty_cycle":5,"strobe_level":"very_high","duration":180}}`,
		}
		if diff := cmp.Diff(want[:4], got[:4]); diff != "" {
			t.Errorf("commands (-want +got):\n%s", diff)
		}
		if !strings.HasPrefix(got[4], `zigbee2mqtt/z-siren/set {"warning":{"mode":"emergency"`) || !strings.Contains(got[4], `"duration":180`) {
			t.Errorf("command %s", got[4])
		}
		r.hear(`kitchen/switch/siren/state ON`, `stat/t_siren/RESULT {"POWER":"ON"}`, `stat/t_siren/POWER ON`)
		wait(20 * time.Second)
		again := map[string]int{}
		for _, s := range r.front.take() {
			again[s.topic]++
		}
		if diff := cmp.Diff(map[string]int{"keng/j-siren/set": 2, "zigbee2mqtt/z-siren/set": 2}, again); diff != "" {
			t.Errorf("told again, those that cannot say what they do (-want +got):\n%s", diff)
		}
		n := r.Sirens()
		if n.Total != 4 || n.Sounding != 4 || n.Mute != 0 || n.Broken != 0 {
			t.Errorf("count %+v", n)
		}
		r.Desire("g1", Desire{})
		r.hear(`kitchen/switch/siren/state OFF`, `stat/t_siren/RESULT {"POWER":"OFF"}`)
		got = nil
		for _, s := range r.front.take() {
			got = append(got, s.topic+" "+s.payload)
		}
		want = []string{"kitchen/switch/siren/command OFF", `keng/j-siren/set {"state":"OFF"}`, "cmnd/t_siren/POWER OFF"}
		if diff := cmp.Diff(want, got[:3]); diff != "" || !strings.Contains(got[3], `"mode":"stop"`) {
			t.Errorf("commands %v %s", got, diff)
		}
	})
}

func TestLengthOfARealSirenIsFound(t *testing.T) {
	r := bare(Config{Dialects: families()}, realDevices()...)
	for id, want := range map[signal.DeviceID]time.Duration{"z-siren": drive.Commanded, "t-siren": drive.Commanded, "j-siren": drive.Commanded, "e-siren": unsaidLength} {
		if got := r.sirens.all[id].longest; got != want {
			t.Errorf("%s sounds %s in one go, want %s", id, got, want)
		}
	}
}

func TestHomeAssistantIsShownTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{Dialects: families()}, realDevices()...)
		shown := 0
		r.Service.links.Panel = panelFunc(func(string) []dialect.Message {
			shown++
			return homeassistant.PublishGroup(homeassistant.Group{ID: "g1", State: homeassistant.Disarmed})
		})
		r.start(t)
		r.PublishGroup("g1")
		if len(r.front.retained) > 0 {
			t.Fatal("published where no Home Assistant was heard")
		}
		r.hear("homeassistant/status online")
		synctest.Wait()
		n := len(r.front.retained)
		if n == 0 || shown != 1 {
			t.Fatalf("%d messages after %d looks", n, shown)
		}
		clear(r.front.retained)
		r.PublishGroup("g1")
		if len(r.front.retained) != 0 {
			t.Error("the same was said twice")
		}
	})
}

// FuzzPublish sends anything on any topic in the face of all real dialects:
// nothing may panic, block, stay unacknowledged, or ring for nobody's home.
func FuzzPublish(f *testing.F) {
	for _, s := range []string{
		`zigbee2mqtt/z-smoke {"smoke":true}`, `zigbee2mqtt/z-siren {"alarm":true,"last_seen":"2024-01-01T00:00:00Z"}`, `zigbee2mqtt/bridge/devices [{"friendly_name":"x","definition":{"exposes":[]}}]`,
		`stat/t_siren/RESULT {"POWER":"ON"}`, `tele/t_bridge/RESULT {"RfReceived":{"Data":"0x7028D2"}}`, `tasmota/discovery/AA/config {"t":"t_siren","rl":[1]}`,
		`kitchen/binary_sensor/smoke/state ON`, `homeassistant/siren/x/config {"command_topic":"a","~":"b"}`, `homeassistant/status online`,
		`keng/j-button {"event":"press","n":1}`, `keng/j-siren/state ON`, "plain/b1 press", "\xff\x00 \xfe", " ", "a/b/c/d/e/f {}", `esphome/discover/x {"name":"x"}`,
	} {
		topic, payload, _ := strings.Cut(s, " ")
		f.Add(topic, []byte(payload), false, false, false)
		f.Add(topic, []byte(payload), true, true, true)
	}
	r := bare(Config{Dialects: families()}, realDevices()...)
	standing := bare(Config{Dialects: families(), Standing: true}, realDevices()...)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retain, dup, stand bool) {
		v := r
		if stand {
			v = standing
		}
		acked := 0
		v.Publish(broker.Publish{Space: "alley12", Topic: topic, Payload: payload, QoS: 1, Retain: retain, Dup: dup}, func() { acked++ })
		if acked != 1 {
			t.Fatalf("acknowledged %d times", acked)
		}
		for _, s := range v.alarms.take() {
			if s.Home != "h1" || s.Group != "g1" || s.Key == "" || s.Category == "" || s.DevKind == "" {
				t.Fatalf("signal %+v", s)
			}
			if s.Kind == signal.Alarm && stand && retain {
				t.Fatalf("a stored value rang: %+v", s)
			}
		}
		v.out.take()
		v.front.take()
		found, unknown := v.Strangers("g1")
		if len(found) > FoundPerHub || len(unknown) > UnknownPerHub {
			t.Fatalf("%d found, %d unknown", len(found), len(unknown))
		}
		for range len(v.rewire) {
			<-v.rewire
			v.mu.Lock()
			v.rebuild()
			v.mu.Unlock()
		}
	})
}
