package zigbee2mqtt_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// binary is an expose that only informs.
func binary(name string) string {
	return fmt.Sprintf(`{"type":"binary","name":%q,"property":%q,"access":1,"value_on":true,"value_off":false}`, name, name)
}

// TestBridgeDevices: what Zigbee2MQTT publishes retained after every change.
func TestBridgeDevices(t *testing.T) {
	const (
		warning = `{"type":"composite","name":"warning","property":"warning","access":2,"features":[{"type":"enum","name":"mode","values":["stop","emergency"]}]}`
		keys    = `{"type":"enum","name":"action","property":"action","access":1,"values":["disarm","exit_delay","emergency"]}`
		light   = `{"type":"light","features":[{"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF"}]}`
		plug    = `{"type":"switch","features":[{"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF"}]}`
		meter   = `{"type":"numeric","name":"gas","property":"gas","access":1,"unit":"m³"}`
	)
	entry := func(name, more string, exposes ...string) string {
		return fmt.Sprintf(`{"ieee_address":"0x1","type":"EndDevice","friendly_name":%q,"supported":true,"interview_completed":true,"model_id":"raw-%s",%s"definition":{"model":"M-%s","vendor":"V","exposes":[%s]}}`,
			name, name, more, name, strings.Join(exposes, ","))
	}
	list := "[" + strings.Join([]string{
		`{"ieee_address":"0x0","type":"Coordinator","friendly_name":"Coordinator","definition":null}`,
		entry("bếp/khói", "", binary("smoke"), warning),
		entry("gas", "", binary("gas"), binary("carbon_monoxide")),
		entry("keypad", "", keys, binary("contact"), binary("occupancy"), binary("tamper")),
		entry("siren", "", warning, binary("tamper")),
		entry("door", "", binary("contact"), binary("tamper")),
		entry("lamp", "", light),
		entry("plug", "", plug),
		entry("meter", "", meter),
		entry("asleep", `"disabled":true,`, binary("smoke")),
		`{"ieee_address":"0x2","type":"EndDevice","friendly_name":"new","supported":false,"interview_completed":false,"interviewing":true,"definition":null}`,
		`{"ieee_address":"0x3","type":"Router","friendly_name":"odd","supported":false,"model_id":"TS0601","interview_completed":true,"definition":null}`,
		`{"friendly_name":7}`, `null`, `5`,
	}, ",") + "]"
	report, err := z.DecodeHub(dialect.Message{Topic: "home/z2m/bridge/devices", Payload: []byte(list), Retain: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range report.Found {
		got = append(got, fmt.Sprintf("%s %s %s %v %v", f.Topic, f.Model, f.Kind, f.Capabilities != nil, f.Gone))
		if f.Topic != "home/z2m/"+f.Name {
			t.Errorf("%s is called %s", f.Topic, f.Name)
		}
	}
	want := []string{
		"home/z2m/bếp/khói M-bếp/khói smoke true false",
		"home/z2m/gas M-gas co true false",
		"home/z2m/keypad M-keypad button true false",
		"home/z2m/siren M-siren siren true false",
		"home/z2m/door M-door contact true false",
		"home/z2m/lamp M-lamp lamp true false",
		"home/z2m/plug M-plug  true false",
		"home/z2m/meter M-meter  true false",
		"home/z2m/asleep M-asleep smoke true true",
		"home/z2m/new   false false",
		"home/z2m/odd TS0601  false false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var exposes []any
	if err := json.Unmarshal(report.Found[0].Capabilities, &exposes); err != nil || len(exposes) != 2 {
		t.Errorf("capabilities are not the exposes: %s", report.Found[0].Capabilities)
	}
}

// TestDescriptionDecidesWhereExposesOnlySayAlarm.
func TestDescriptionDecidesWhereExposesOnlySayAlarm(t *testing.T) {
	for description, want := range map[string]signal.DeviceKind{
		"Smart heat alarm": signal.Heat, "Smart water leakage alarm sensor": signal.Water, "Door & window sensor": signal.Contact,
		"Smoke sensor": signal.Smoke, "Audio detector: listens for the siren": signal.Tamper,
	} {
		list := fmt.Sprintf(`[{"friendly_name":"d","definition":{"model":"m","description":%q,"exposes":[%s,%s]}}]`, description, binary("alarm"), binary("tamper"))
		report, err := z.DecodeHub(dialect.Message{Topic: "zigbee2mqtt/bridge/devices", Payload: []byte(list)})
		if err != nil || report.Found[0].Kind != want {
			t.Errorf("%s is a %q %v, want %q", description, report.Found[0].Kind, err, want)
		}
	}
}

// TestBridgeSaysWhoLeft: by an event, by removal, by a new name.
func TestBridgeSaysWhoLeft(t *testing.T) {
	gone := dialect.HubReport{Found: []dialect.Found{{Topic: "zigbee2mqtt/nhà/1", Name: "nhà/1", Gone: true}}}
	for _, c := range []struct {
		below, payload string
		want           dialect.HubReport
	}{
		{"event", `{"type":"device_leave","data":{"ieee_address":"0x1","friendly_name":"nhà/1"}}`, gone},
		{"event", `{"type":"device_joined","data":{"ieee_address":"0x1","friendly_name":"nhà/1"}}`, dialect.HubReport{}},
		{"event", `{"type":"device_leave","data":{}}`, dialect.HubReport{}},
		{"response/device/remove", `{"data":{"id":"nhà/1","block":false,"force":false},"status":"ok"}`, gone},
		{"response/device/remove", `{"data":{"id":"nhà/1"},"status":"error","error":"busy"}`, dialect.HubReport{}},
		{"response/device/rename", `{"data":{"from":"nhà/1","to":"nhà/2"},"status":"ok"}`, gone},
		{"state", `{"state":"online"}`, dialect.HubReport{Presence: signal.Online}},
		{"state", `offline`, dialect.HubReport{Presence: signal.Offline}},
		{"state", ``, dialect.HubReport{}},
		{"logging", `{"level":"info"}`, dialect.HubReport{}},
	} {
		got, err := z.DecodeHub(dialect.Message{Topic: "zigbee2mqtt/bridge/" + c.below, Payload: []byte(c.payload)})
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s %s: %v\n%s", c.below, c.payload, err, diff)
		}
	}
	for below, payload := range map[string]string{"devices": `[{"friendly_name":"a"`, "state": `{"state":"tired"}`, "event": `x`, "response/device/remove": `x`} {
		if _, err := z.DecodeHub(dialect.Message{Topic: "zigbee2mqtt/bridge/" + below, Payload: []byte(payload)}); err == nil {
			t.Errorf("%s %s is understood", below, payload)
		}
	}
}

// TestHubTopicsMatchTheBridge in one and two levels, and no device's.
func TestHubTopicsMatchTheBridge(t *testing.T) {
	for topic, want := range map[string]bool{
		"zigbee2mqtt/bridge/state": true, "zigbee2mqtt/bridge/devices": true, "zigbee2mqtt/bridge/event": true,
		"home/zigbee2mqtt/bridge/devices": true, "zigbee2mqtt/bridge/response/device/remove": true,
		"zigbee2mqtt/bridge/logging": false, "zigbee2mqtt/siren": false,
	} {
		if got := matchesAny(z.HubTopics(), topic); got != want {
			t.Errorf("%s: %v", topic, got)
		}
	}
}

// matchesAny is MQTT's rule for + alone.
func matchesAny(filters []string, topic string) bool {
	levels := strings.Split(topic, "/")
	for _, f := range filters {
		parts := strings.Split(f, "/")
		ok := len(parts) == len(levels)
		for i := range parts {
			ok = ok && i < len(levels) && (parts[i] == "+" || parts[i] == levels[i])
		}
		if ok {
			return true
		}
	}
	return false
}
