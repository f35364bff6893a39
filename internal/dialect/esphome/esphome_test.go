package esphome

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

var _ dialect.HubDialect = Dialect{}

// discovered is what a node with ESPHome 2025.5 publishes when it connects.
const discovered = `{"ip":"192.168.1.61","name":"alley1","friendly_name":"Ngõ 12","port":6053,"version":"2025.5.0",` +
	`"mac":"a4cf12b3c4d5","platform":"ESP32","board":"esp32dev","network":"wifi"}`

func TestDecode(t *testing.T) {
	smoke := dialect.Device{Kind: signal.Smoke, Topic: "alley1/binary_sensor/smoke"}
	button := dialect.Device{Kind: signal.Button, Topic: "alley1/event/nut"}
	siren := dialect.Device{Kind: signal.Siren, Topic: "kenh/alley1/switch/coi"}
	lamp := dialect.Device{Kind: signal.Lamp, Topic: "alley1/light/den"}
	state := func(k signal.Kind, property, value string) []dialect.Reading {
		return []dialect.Reading{{Kind: k, Property: property, Level: true, Value: value}}
	}
	for name, tc := range map[string]struct {
		d              dialect.Device
		topic, payload string
		want           []dialect.Reading
	}{
		"smoke":               {smoke, "alley1/binary_sensor/smoke/state", "ON", state(signal.Alarm, "binary_sensor", "ON")},
		"smoke over":          {smoke, "alley1/binary_sensor/smoke/state", "OFF", state(signal.Restore, "binary_sensor", "OFF")},
		"another sensor":      {smoke, "alley1/binary_sensor/gas/state", "ON", nil},
		"press":               {button, "alley1/event/nut/state", `{"event_type":"press"}`, []dialect.Reading{{Kind: signal.Alarm, Property: "event", Value: "event=press"}}},
		"long press":          {button, "alley1/event/nut/state", `{"event_type":"long_press"}`, []dialect.Reading{{Kind: signal.Alarm, Property: "event", Value: "event=long_press"}}},
		"release":             {button, "alley1/event/nut/state", `{"event_type":"long_press_Release"}`, nil},
		"siren sounds":        {siren, "kenh/alley1/switch/coi/state", "ON", state(signal.Sounding, "state", "state=ON")},
		"siren quiet":         {siren, "kenh/alley1/switch/coi/state", "OFF", state(signal.Quiet, "state", "state=OFF")},
		"lamp shines":         {lamp, "alley1/light/den/state", `{"color_mode":"onoff","state":"ON"}`, state(signal.Sounding, "state", "state=ON")},
		"online":              {siren, "kenh/alley1/status", "online", state(signal.Online, "status", "online")},
		"offline":             {siren, "kenh/alley1/status", "offline", state(signal.Offline, "status", "offline")},
		"status withdrawn":    {siren, "kenh/alley1/status", "", nil},
		"another node's":      {siren, "alley1/status", "offline", nil},
		"debug log of a node": {siren, "kenh/alley1/debug", "[D][switch]: 'coi' turning on", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Dialect{}.Decode(tc.d, dialect.Message{Topic: tc.topic, Payload: []byte(tc.payload), Retain: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnreadableIsAnErrorForThePeople(t *testing.T) {
	for _, tc := range []struct {
		kind                signal.DeviceKind
		own, topic, payload string
		says                string
	}{
		{signal.Smoke, "a/binary_sensor/s", "a/binary_sensor/s/state", "unavailable", `binary_sensor says "unavailable"`},
		{signal.Button, "a/event/b", "a/event/b/state", "press", `event says "press"`},
		{signal.Button, "a/event/b", "a/event/b/state", `{}`, `event says "{}"`},
		{signal.Siren, "a/switch/s", "a/switch/s/state", "1", `state says "1"`},
		{signal.Lamp, "a/light/l", "a/light/l/state", "ON", `light says "ON"`},
		{signal.Siren, "a/switch/s", "a/status", "asleep", `status says "asleep"`},
		{signal.Smoke, "a/sensor/s", "a/sensor/s/state", "21.5", `component "sensor" is not supported`},
		{signal.Button, "a/switch/s", "a/switch/s/state", "ON", "a button cannot be a switch"},
		{signal.Siren, "a/binary_sensor/s", "a/binary_sensor/s/state", "ON", "a siren cannot be a binary_sensor"},
		{signal.Lamp, "a/event/s", "a/event/s/state", `{"event_type":"press"}`, "a lamp cannot be an event"},
		{signal.Smoke, "smoke", "smoke/state", "ON", "<prefix>/<component>/<object>"},
		{signal.Smoke, "a//s", "a//s/state", "ON", "<prefix>/<component>/<object>"},
	} {
		got, err := Dialect{}.Decode(dialect.Device{Kind: tc.kind, Topic: tc.own}, dialect.Message{Topic: tc.topic, Payload: []byte(tc.payload)})
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %q: got %v, %v; want an error with %q", tc.topic, tc.payload, got, err, tc.says)
		}
	}
}

func TestTopics(t *testing.T) {
	d := dialect.Device{Kind: signal.Siren, Topic: "kenh/alley1/switch/coi"}
	if diff := cmp.Diff([]string{"kenh/alley1/switch/coi/state", "kenh/alley1/status"}, Dialect{}.Topics(d)); diff != "" {
		t.Error(diff)
	}
	if got := (Dialect{}).Topics(dialect.Device{Topic: "coi"}); got != nil {
		t.Errorf("a topic that is none: %v", got)
	}
}

func TestCommand(t *testing.T) {
	for name, tc := range map[string]struct {
		topic string
		w     dialect.Want
		want  string
	}{
		"alarm": {"a/switch/coi", dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.AlarmPattern}, "a/switch/coi/command ON"},
		"drill": {"a/switch/coi", dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.DrillPattern}, "a/switch/coi/command ON"},
		"quiet": {"a/switch/coi", dialect.Want{}, "a/switch/coi/command OFF"},
		"light": {"a/light/den", dialect.Want{Sounding: true, Duration: time.Minute}, `a/light/den/command {"state":"ON"}`},
		"dark":  {"a/light/den", dialect.Want{}, `a/light/den/command {"state":"OFF"}`},
	} {
		d := dialect.Device{Kind: signal.Siren, Topic: tc.topic}
		got, err := Dialect{}.Command(d, tc.w)
		if err != nil || len(got) != 1 || got[0].Retain || got[0].Topic+" "+string(got[0].Payload) != tc.want {
			t.Errorf("%s: got %v, %v; want %q, not retained", name, got, err, tc.want)
		}
		if !(Dialect{}).Confirms(d) {
			t.Errorf("%s: does not confirm", name)
		}
	}
}

func TestOnlyAnOutputCanBeCommanded(t *testing.T) {
	for _, d := range []dialect.Device{
		{Kind: signal.Button, Topic: "a/switch/b"}, {Kind: signal.Siren, Topic: "a/binary_sensor/s"}, {Kind: signal.Siren, Topic: "coi"},
	} {
		if m, err := (Dialect{}).Command(d, dialect.Want{Sounding: true, Duration: time.Minute}); err == nil {
			t.Errorf("%s %s: commanded with %v", d.Kind, d.Topic, m)
		}
		if (Dialect{}).Confirms(d) {
			t.Errorf("%s %s: confirms", d.Kind, d.Topic)
		}
	}
}

func TestEchoOfOwnCommandIsNeverAnAlarm(t *testing.T) {
	for _, own := range []string{"a/switch/coi", "a/light/den"} {
		for _, k := range signal.DeviceKinds {
			for _, m := range []dialect.Message{
				{Topic: own + "/state", Payload: []byte("ON")},
				{Topic: own + "/state", Payload: []byte("OFF")},
				{Topic: own + "/state", Payload: []byte(`{"state":"ON"}`)},
				{Topic: own + "/command", Payload: []byte("ON")},
			} {
				got, _ := Dialect{}.Decode(dialect.Device{Kind: k, Topic: own}, m)
				for _, r := range got {
					if r.Kind != signal.Sounding && r.Kind != signal.Quiet {
						t.Errorf("%s %s: %s %s is %s", k, own, m.Topic, m.Payload, r.Kind)
					}
				}
			}
		}
	}
}

func TestDiscovery(t *testing.T) {
	m := dialect.Message{Topic: "esphome/discover/alley1", Payload: []byte(discovered), Retain: true}
	got, err := Dialect{}.DecodeHub(m)
	if err != nil {
		t.Fatal(err)
	}
	want := dialect.HubReport{Found: []dialect.Found{{
		Topic: "alley1", Name: "Ngõ 12", Model: "esp32dev", Kind: signal.Hub, Capabilities: json.RawMessage(discovered),
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m.Payload[0] = 'x' // the broker reuses its buffer
	if !json.Valid(got.Found[0].Capabilities) {
		t.Error("capabilities share the message's buffer")
	}
	got, err = Dialect{}.DecodeHub(dialect.Message{Topic: "esphome/discover/alley1"})
	if want := (dialect.HubReport{Found: []dialect.Found{{Topic: "alley1", Gone: true}}}); err != nil || !cmp.Equal(want, got) {
		t.Errorf("withdrawn: %v, %v", got, err)
	}
	if got, err := (Dialect{}).DecodeHub(dialect.Message{Topic: "esphome/discover", Payload: []byte("x")}); err != nil || got.Found != nil {
		t.Errorf("the dashboard's question was taken for a node: %v, %v", got, err)
	}
	if _, err := (Dialect{}).DecodeHub(dialect.Message{Topic: "esphome/discover/a", Payload: []byte("{")}); err == nil {
		t.Error("broken JSON was taken for a node")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("a/binary_sensor/s", "a/binary_sensor/s/state", []byte("ON"))
	f.Add("a/event/s", "a/event/s/state", []byte(`{"event_type":"press"}`))
	f.Add("a/light/s", "a/light/s/state", []byte(`{"state":"ON"}`))
	f.Add("a/switch/s", "a/status", []byte("online"))
	f.Add("a", "esphome/discover/alley1", []byte(discovered))
	f.Fuzz(func(t *testing.T, own, topic string, payload []byte) {
		m := dialect.Message{Topic: topic, Payload: payload}
		for _, k := range []signal.DeviceKind{signal.Button, signal.Siren, signal.Hub} {
			d := dialect.Device{Kind: k, Topic: own}
			_ = Dialect{}.Topics(d)
			_, _ = Dialect{}.Command(d, dialect.Want{Sounding: true, Duration: time.Minute})
			readings, _ := Dialect{}.Decode(d, m)
			for _, r := range readings {
				if r.Kind == signal.Alarm && k != signal.Button {
					t.Errorf("a %s rang: %v", k, r)
				}
			}
		}
		_, _ = Dialect{}.DecodeHub(m)
	})
}
