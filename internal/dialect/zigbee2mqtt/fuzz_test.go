package zigbee2mqtt_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// kinds lets the fuzzer choose a kind by number.
func kind(n uint8) signal.DeviceKind { return signal.DeviceKinds[int(n)%len(signal.DeviceKinds)] }

var states = []string{
	`{"smoke":true,"battery":97,"tamper":false,"last_seen":"2026-03-01T15:32:45.941Z"}`, `{"action":"1_single"}`, `{"alarm":"ON"}`,
	`{"warning":{"mode":"stop"}}`, `{"halo_alert_state":"co_test"}`, `{"contact":false,"opening_state":"tilted"}`, `{"smoke":tr`, `[1]`,
	`null`, `online`, `{"state":"offline"}`, `{"":{},"_":"","_1":[null]}`, `{"last_seen":1e999}`, `{"battery":-0,"battery_low":"Low"}`,
}

var exposes = []string{
	`[{"type":"composite","name":"warning","access":2,"features":[{"type":"enum","name":"mode","values":["stop","fire"]},{"type":"numeric","name":"duration"}]}]`,
	`[{"type":"enum","name":"alarm","property":"alarm","access":3,"values":[]},{"type":"numeric","name":"volume","access":2,"value_min":5,"value_max":1}]`,
	`[{"type":"enum","name":"volume","property":"volume","access":3,"values":[]},{"type":"binary","name":"alarm","property":"alarm"}]`,
	`[{"type":"enum","name":"trigger_alarm","access":2,"values":["trigger"]},{"type":"enum","name":"stop_alarm","access":2,"values":[null]}]`,
	`{"exposes":[{"type":"switch","features":[{"name":"state"}]}]}`, `[{"values":{"a":1},"access":"x"}]`, `[null,[],5]`, `{`, ``,
	`[{"type":"composite","name":"squawk","access":2,"features":[{"type":"enum","name":"state","values":[{}]}]}]`,
	`[{"type":"binary","name":"alarm","access":3,"value_on":{"a":1},"value_off":[]}]`,
}

// FuzzDecode: no payload and no exposes make it panic; what it says is sane, and
// a device that cannot be a danger by its name does not ring by its echo.
func FuzzDecode(f *testing.F) {
	for i, s := range states {
		f.Add([]byte(s), exposes[i%len(exposes)], uint8(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, payload []byte, caps string, k, below uint8) {
		d := dialect.Device{Kind: kind(k), Topic: topic, Capabilities: json.RawMessage(caps)}
		topics := z.Topics(d)
		got, err := z.Decode(d, dialect.Message{Topic: topics[int(below)%len(topics)], Payload: payload})
		for _, r := range got {
			switch {
			case r.Kind == "":
				t.Errorf("a reading without a kind: %+v", r)
			case (r.Kind == signal.Alarm || r.Kind == signal.Restore) && r.Category == "":
				t.Errorf("an alarm without a category: %+v", r)
			case r.Number < 0 || r.Number > 100:
				t.Errorf("a charge of %v %%", r.Number)
			case len(r.Value) > 2048+len(r.Property):
				t.Errorf("a text of %d bytes for people", len(r.Value))
			case r.Kind == signal.Alarm && !json.Valid(payload) && below%3 == 0:
				t.Errorf("%q rings", payload)
			}
		}
		if err != nil && err.Error() == "" {
			t.Error("an error that says nothing")
		}
	})
}

// FuzzHub: nothing the bridge sends makes it panic, and what it finds lies below
// its own base.
func FuzzHub(f *testing.F) {
	f.Add("zigbee2mqtt/bridge/devices", []byte(`[{"friendly_name":"a","definition":{"model":"m","exposes":`+exposes[0]+`}}]`))
	f.Add("zigbee2mqtt/bridge/devices", []byte(`[{"friendly_name":"a","disabled":"x","definition":[]},null]`))
	f.Add("zigbee2mqtt/bridge/state", []byte(`{"state":"online"}`))
	f.Add("z/z/bridge/event", []byte(`{"type":"device_leave","data":{"friendly_name":"a"}}`))
	f.Add("z/bridge/response/device/remove", []byte(`{"status":"ok","data":{"id":{}}}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		got, _ := z.DecodeHub(dialect.Message{Topic: topic, Payload: payload})
		for _, found := range got.Found {
			if found.Name == "" || len(found.Topic) <= len(found.Name) {
				t.Errorf("found without a name: %+v", found)
			}
		}
	})
}

// FuzzCommand: whatever a device claims it can do, a command is JSON for its own
// set topic, and repeating it in the device's state rings nobody.
func FuzzCommand(f *testing.F) {
	for i, e := range exposes {
		f.Add(e, "HS2WD-E", uint8(i), i%2 == 0, int64(time.Minute), "alarm")
	}
	f.Fuzz(func(t *testing.T, caps, model string, k uint8, sounding bool, duration int64, pattern string) {
		d := dialect.Device{Kind: kind(k), Topic: topic, Model: model, Capabilities: json.RawMessage(caps)}
		got, err := z.Command(d, dialect.Want{Sounding: sounding, Duration: time.Duration(duration), Pattern: dialect.Pattern(pattern)})
		z.Confirms(d)
		if err != nil {
			return
		}
		for _, m := range got {
			if m.Retain || m.Topic != topic+"/set" || !json.Valid(m.Payload) {
				t.Errorf("%+v %s", m, m.Payload)
			}
			if d.Kind != signal.Siren && d.Kind != signal.Lamp {
				continue
			}
			echo, _ := z.Decode(d, dialect.Message{Topic: topic, Payload: m.Payload})
			if a := alarms(echo); a != nil {
				t.Errorf("%s as %s: its own command %s rings: %v", caps, d.Kind, m.Payload, a)
			}
		}
	})
}
