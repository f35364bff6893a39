package zigbee2mqtt_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/zigbee2mqtt"
	"github.com/keng-vn/keng/internal/signal"
)

var z zigbee2mqtt.Dialect

const topic = "zigbee2mqtt/tang-1/bep"

// say is a message on the device's own topic, or below it.
func say(payload, below string) dialect.Message {
	return dialect.Message{Topic: topic + below, Payload: []byte(payload)}
}

// hear decodes payload as said by a device of kind k with the exposes given.
func hear(t *testing.T, k signal.DeviceKind, exposes, payload string) []dialect.Reading {
	t.Helper()
	d := dialect.Device{ID: "d", Kind: k, Topic: topic, Capabilities: json.RawMessage(exposes)}
	got, err := z.Decode(d, say(payload, ""))
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return got
}

// brief writes readings as "alarm fire smoke", without the sign of life.
func brief(readings []dialect.Reading) []string {
	list := []string{}
	for _, r := range readings {
		if r.Kind != signal.Heartbeat {
			list = append(list, strings.Join(strings.Fields(string(r.Kind)+" "+string(r.Category)+" "+r.Property), " "))
		}
	}
	return list
}

// TestDecodeSaysWhatADeviceSaid: one line per rule.
func TestDecodeSaysWhatADeviceSaid(t *testing.T) {
	const (
		sirenAlarm  = `[{"type":"binary","name":"alarm","property":"alarm","access":3,"value_on":"ON","value_off":"OFF"}]`
		readAlarm   = `[{"type":"binary","name":"alarm","property":"alarm","access":1,"value_on":true,"value_off":false}]`
		leakDry     = `[{"type":"binary","name":"leak_detect","property":"channel_1_leak_detect_17","access":5,"value_on":"Leak","value_off":"Dry"}]`
		smokeGrades = `[{"type":"enum","name":"smoke_state","property":"smoke_state","access":1,"values":["normal","thin","thick"]}]`
		settable    = `[{"type":"binary","name":"temperature_alarm","property":"temperature_alarm","access":3,"value_on":true,"value_off":false}]`
		german      = `[{"type":"binary","name":"smoke_alarm","property":"smoke_alarm","access":1,"value_on":"Rauch","value_off":"frei"}]`
		plug        = `[{"type":"switch","features":[{"type":"binary","name":"state","property":"state","access":7,"value_on":"ON","value_off":"OFF"}]}]`
	)
	for _, c := range []struct {
		name    string
		kind    signal.DeviceKind
		exposes string
		payload string
		want    []string
	}{
		{
			"smoke with its housekeeping", "smoke", "", `{"smoke":true,"battery_low":false,"tamper":false,"battery":97,"linkquality":120}`,
			[]string{"alarm fire smoke", "battery_ok battery", "tamper_restore tamper"},
		},
		{"smoke gone", "smoke", "", `{"smoke":false,"battery":9,"tamper":true}`, []string{"restore fire smoke", "low_battery battery", "tamper tamper"}},
		{"smoke in words", "smoke", "", `{"smoke":"ON"}`, []string{"alarm fire smoke"}},
		{"smoke unknown", "smoke", "", `{"smoke":null,"battery":null}`, []string{}},
		{"smoke state", "smoke", "", `{"smoke_state":"alarm"}`, []string{"alarm fire smoke_state"}},
		{"smoke critical", "smoke", "", `{"smoke_state":"critical"}`, []string{"alarm fire smoke_state"}},
		{"smoke state none", "smoke", "", `{"smoke_state":"none"}`, []string{"restore fire smoke_state"}},
		{"smoke state in doubt", "smoke", "", `{"smoke_state":"detecting"}`, []string{}},
		{"a vendor's own grade", "smoke", smokeGrades, `{"smoke_state":"thick"}`, []string{"alarm fire smoke_state"}},
		{"measurements", "smoke", "", `{"smoke_density":40,"smoke_concentration":0.3,"smoke_level":19,"temperature":71}`, []string{}},
		{"pre-alarm is not yet an alarm", "smoke", "", `{"alarm_state":"prealarm"}`, []string{}},
		{"critical alarm", "smoke", "", `{"alarm_state":"critical_alarm"}`, []string{"alarm fire alarm_state"}},
		{"in its own test", "smoke", "", `{"smoke":true,"test":true}`, []string{"alarm fire smoke", "test test"}},
		{"self test fails", "smoke", "", `{"self_test":"check_failure"}`, []string{"fault self_test"}},
		{"self test passes", "smoke", "", `{"self_test_result":"success"}`, []string{"fault_restore self_test_result"}},
		{"self test runs", "smoke", "", `{"self_test":"Checking"}`, []string{"test self_test"}},
		{"worn out", "smoke", "", `{"end_of_life":true,"fault_alarm":false,"trouble":true}`, []string{"fault end_of_life"}},
		{"faults in words", "gas", "", `{"fault":"sensor_fault","reliability":"no_fault_detected"}`, []string{"fault fault"}},
		{"well", "gas", "", `{"fault":"none","trouble":false,"tamper":false}`, []string{"fault_restore fault", "tamper_restore tamper"}},
		{"only an alarm, detector", "smoke", readAlarm, `{"alarm":true}`, []string{"alarm fire alarm"}},
		{"only an alarm, two zones", "smoke", "", `{"alarm_1":true,"alarm_2":false}`, []string{"alarm fire alarm_1", "restore fire alarm_2"}},
		{"own siren beside smoke", "smoke", "", `{"alarm":true,"smoke":false}`, []string{"restore fire smoke", "sounding alarm"}},
		{"own siren, settable", "smoke", sirenAlarm, `{"alarm":"ON"}`, []string{"sounding alarm"}},
		{"own siren off", "smoke", sirenAlarm, `{"alarm":"OFF"}`, []string{"quiet alarm"}},
		{"silenced is no smoke", "smoke", "", `{"smoke_alarm_silenced":true}`, []string{}},
		{"halo", "smoke", "", `{"halo_alert_state":"interconnect_carbon_monoxide"}`, []string{"alarm co halo_alert_state"}},
		{"halo smoke test", "smoke", "", `{"halo_alert_state":"smoke_test"}`, []string{"test halo_alert_state"}},
		{"halo weather", "smoke", "", `{"halo_alert_state":"weather"}`, []string{}},
		{"carbon monoxide", "co", "", `{"carbon_monoxide":"ON","co":210}`, []string{"alarm co carbon_monoxide"}},
		{"carbon monoxide zone", "siren", "", `{"carbon_monoxide_alarm_1":true}`, []string{"alarm co carbon_monoxide_alarm_1"}},
		{"co state", "gas", "", `{"co_state":"alarm","gas_sensor_state":"normal"}`, []string{"alarm co co_state", "restore gas gas_sensor_state"}},
		{"carbon dioxide is air quality", "co", "", `{"co2_alarm":true,"co2":1900}`, []string{}},
		{"gas", "gas", "", `{"gas":true}`, []string{"alarm gas gas"}},
		{"gas meter", "gas", "", `{"gas":1234.5}`, []string{}},
		{"gas settings", "gas", "", `{"enable_gas":"ON","gas_sensitivity":"10%LEL","gas_valve_state":"OPEN"}`, []string{}},
		{"heat", "heat", "", `{"heat":true}`, []string{"alarm fire heat"}},
		{"temperature alarm", "heat", "", `{"temperature_alarm":"upper_alarm"}`, []string{"alarm fire temperature_alarm"}},
		{"a limit that may be set is no alarm", "heat", settable, `{"temperature_alarm":true}`, []string{}},
		{"a value in no language of ours", "smoke", german, `{"smoke_alarm":"Rauch"}`, []string{"alarm fire smoke_alarm"}},
		{"too cold", "heat", "", `{"temperature_alarm":"lower_alarm"}`, []string{"restore fire temperature_alarm"}},
		{"a heater that heats", "lamp", "", `{"heat":true}`, []string{}},
		{"water", "water", "", `{"water_leak":true,"water_leak_l2":false}`, []string{"alarm flood water_leak", "restore flood water_leak_l2"}},
		{"water in the vendor's words", "water", leakDry, `{"channel_1_leak_detect_17":"Leak"}`, []string{"alarm flood channel_1_leak_detect_17"}},
		{"water dry", "water", leakDry, `{"channel_1_leak_detect_17":"Dry"}`, []string{"restore flood channel_1_leak_detect_17"}},
		{"water in a sentence", "water", "", `{"water_leakage_state":"water_leakage_no"}`, []string{"restore flood water_leakage_state"}},
		{"water bare", "water", "", `{"water":true,"water_consumed":12}`, []string{"alarm flood water"}},
		{"door opens", "contact", "", `{"contact":false}`, []string{"alarm intrusion contact"}},
		{"door shuts", "contact", "", `{"contact":true}`, []string{"restore intrusion contact"}},
		{"window tilts", "contact", "", `{"opening_state":"tilted"}`, []string{"alarm intrusion opening_state"}},
		{"door's vibration is no opening", "contact", "", `{"contact":true,"vibration":true}`, []string{"restore intrusion contact"}},
		{"door's own button", "contact", "", `{"action":"single"}`, []string{}},
		{"door on a detector is no danger", "smoke", "", `{"contact":false,"occupancy":true}`, []string{}},
		{"motion", "motion", "", `{"occupancy":true,"presence":false}`, []string{"alarm intrusion occupancy", "restore intrusion presence"}},
		{"vibration in an action", "motion", "", `{"action":"vibration"}`, []string{"alarm intrusion action"}},
		{"tamper switch", "tamper", "", `{"tamper":true}`, []string{"alarm intrusion tamper"}},
		{"sos", "button", "", `{"sos":true}`, []string{"alarm panic sos"}},
		{"keypad's door and motion", "button", "", `{"action":"emergency","action_code":"1234","contact":false,"occupancy":true,"action_zone":"23"}`, []string{"alarm panic action"}},
		{"keypad on a detector still calls for help", "motion", "", `{"action":"panic"}`, []string{"alarm panic action"}},
		{"button pressed through the network", "button", plug, `{"state":"ON"}`, []string{}},
		{"first versions", "button", "", `{"click":"single"}`, []string{"alarm panic click"}},
		{"siren sounds", "siren", sirenAlarm, `{"alarm":"ON","battery":80}`, []string{"battery_ok battery", "sounding alarm"}},
		{"siren quiet", "siren", "", `{"alarm":false}`, []string{"quiet alarm"}},
		{"siren of two zones", "siren", "", `{"alarm_1":true,"alarm_2":false}`, []string{"sounding alarm_1"}},
		{"siren with a light only", "siren", "", `{"alarm":"light"}`, []string{"quiet alarm"}},
		{"siren with sound and light", "siren", "", `{"alarm":"sound_light"}`, []string{"sounding alarm"}},
		{"siren in a vendor's words", "siren", "", `{"device_state":"siren_active"}`, []string{"sounding device_state"}},
		{"siren repeats its command", "siren", "", `{"warning":{"mode":"emergency","duration":180}}`, []string{"sounding warning"}},
		{"siren repeats its stop", "siren", "", `{"warning":{"mode":"stop"}}`, []string{"quiet warning"}},
		{"relay as siren", "siren", plug, `{"state":"ON"}`, []string{"sounding state"}},
		{"lamp", "lamp", "", `{"state":"OFF","brightness":254}`, []string{"quiet state"}},
		{"battery in words", "smoke", "", `{"battery_state":"low"}`, []string{"low_battery battery"}},
		{"battery against its own word", "smoke", "", `{"battery":5,"battery_low":false}`, []string{"low_battery battery"}},
		{"nothing known", "smoke", "", `{"linkquality":88,"update":{"state":"idle"},"device":{"x":[1]}}`, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := hear(t, c.kind, c.exposes, c.payload)
			if diff := cmp.Diff(c.want, brief(got)); diff != "" {
				t.Errorf("%s\n%s", c.payload, diff)
			}
			if last := got[len(got)-1]; last.Kind != signal.Heartbeat {
				t.Errorf("the last reading is %s, want the sign of life", last.Kind)
			}
		})
	}
}

// TestDecodeGivesEveryField pins one reading in full.
func TestDecodeGivesEveryField(t *testing.T) {
	seen := time.Date(2026, 3, 1, 15, 32, 45, 941e6, time.UTC)
	want := []dialect.Reading{
		{Kind: signal.Alarm, Category: signal.Fire, Property: "smoke", Level: true, SeenAt: seen, Value: "smoke=true"},
		{Kind: signal.LowBattery, Property: "battery", Level: true, SeenAt: seen, Value: "battery 12.5 %", Number: 12.5},
		{Kind: signal.Heartbeat, SeenAt: seen, Value: "sign of life"},
	}
	got := hear(t, signal.Smoke, "", `{"smoke":true,"battery":12.5,"last_seen":"2026-03-01T22:32:45.941+07:00"}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = []dialect.Reading{
		{Kind: signal.Alarm, Category: signal.Panic, Property: "action_l1", Value: "action_l1=hold"},
		{Kind: signal.Heartbeat, Value: "sign of life"},
	}
	if diff := cmp.Diff(want, hear(t, signal.Button, "", `{"action_l1":"hold"}`)); diff != "" {
		t.Error(diff)
	}
}

// TestLastSeenInEveryFormat: ISO 8601, ISO 8601 local, epoch, and what is neither.
func TestLastSeenInEveryFormat(t *testing.T) {
	at := time.Date(2026, 3, 1, 15, 32, 45, 0, time.UTC)
	for payload, want := range map[string]time.Time{
		`{"last_seen":"2026-03-01T15:32:45.000Z"}`:  at,
		`{"last_seen":"2026-03-01T22:32:45+07:00"}`: at,
		`{"last_seen":1772379165000}`:               at,
		`{"last_seen":"1772379165000"}`:             at,
		`{"last_seen":1772379165}`:                  at,
		`{"last_seen":"2 minutes ago"}`:             {},
		`{"last_seen":-5}`:                          {},
		`{"last_seen":1e300}`:                       {},
		`{"last_seen":"0001-01-01T00:00:00Z"}`:      {},
		`{}`:                                        {},
	} {
		if got := hear(t, signal.Smoke, "", payload)[0].SeenAt; !got.Equal(want) {
			t.Errorf("%s: %v, want %v", payload, got, want)
		}
	}
}

// TestOnePressIsOneAlarm goes through the vendors' words for what a finger does.
func TestOnePressIsOneAlarm(t *testing.T) {
	presses := []string{
		"single", "double", "triple", "quadruple", "many", "hold", "long", "press", "pressed", "on", "toggle", "emergency",
		"panic", "sos", "1_single", "button_1_single", "button_1", "2_double", "single_left", "l1_single", "double_both", "hold_l2",
		"long_press", "short_press", "1_initial_press", "doubleClick", "button_2_quadruple_pressed", "scene_3", "recall_1", "off_press",
		"up_single", "tripple_down", "key1", "3", "press_or_release_all", "hold_ext", "single_long", "HOLD",
	}
	idle := []string{
		"", "release", "hold_release", "1_release", "button_1_hold_release", "1_short_release", "1_long_release", "hold_released",
		"release_ext", "stop_rotating", "rotate_left", "start_rotating", "rotation", "brightness_move_up", "brightness_step_down",
		"brightness_stop", "brightness_move_to_level", "color_temperature_move", "color_loop_set", "hue_stop", "disarm", "arm_all_zones",
		"arm_day_zones", "arm_stay", "exit_delay", "entry_delay", "off", "off_1", "home", "away", "sleep", "shake", "wakeup", "none",
		"store", "remove_all", "slider_up", "sos_cancel", "unlock",
	}
	d := dialect.Device{Kind: signal.Button, Topic: topic}
	for _, a := range presses {
		got, err := z.Decode(d, say(`{"action":"`+a+`"}`, ""))
		if err != nil || len(got) != 2 || got[0].Kind != signal.Alarm || got[0].Level || got[0].Category != signal.Panic {
			t.Errorf("%q is %v %v, want one pulse", a, brief(got), err)
		}
	}
	for _, a := range idle {
		got, err := z.Decode(d, say(`{"action":"`+a+`"}`, ""))
		if err != nil || len(got) != 1 || got[0].Kind != signal.Heartbeat {
			t.Errorf("%q is %v %v, want only a sign of life", a, brief(got), err)
		}
	}
	got, err := z.Decode(d, say(`{"action":"xyzzy"}`, ""))
	if err == nil || !strings.Contains(err.Error(), "xyzzy") || len(brief(got)) != 0 {
		t.Errorf("an unknown action is %v %v, want an error that names it", brief(got), err)
	}
}

// TestActionTopicOfOldVersions: one bare word on topic/action.
func TestActionTopicOfOldVersions(t *testing.T) {
	d := dialect.Device{Kind: signal.Button, Topic: topic}
	for payload, want := range map[string]int{"single": 2, `"hold"`: 2, "release": 1, "": 0, `{"action":"double"}`: 2} {
		got, err := z.Decode(d, say(payload, "/action"))
		if err != nil || len(got) != want {
			t.Errorf("%q: %v %v, want %d readings", payload, brief(got), err, want)
		}
	}
}

// TestAvailability in both forms, and of a hub.
func TestAvailability(t *testing.T) {
	d := dialect.Device{Kind: signal.Smoke, Topic: topic}
	for payload, want := range map[string]signal.Kind{`{"state":"online"}`: signal.Online, `{"state":"offline"}`: signal.Offline, "online": signal.Online, "offline": signal.Offline} {
		got, err := z.Decode(d, say(payload, "/availability"))
		if err != nil || len(got) != 1 || got[0].Kind != want {
			t.Errorf("%s: %v %v, want %s", payload, brief(got), err, want)
		}
	}
	if _, err := z.Decode(d, say("sleeping", "/availability")); err == nil {
		t.Error("sleeping is understood")
	}
	for _, top := range []string{"z2m", "z2m/bridge", "z2m/bridge/state"} {
		hub := dialect.Device{Kind: signal.Hub, Topic: top}
		if diff := cmp.Diff([]string{"z2m/bridge/state"}, z.Topics(hub)); diff != "" {
			t.Error(diff)
		}
		got, err := z.Decode(hub, dialect.Message{Topic: "z2m/bridge/state", Payload: []byte(`{"state":"offline"}`)})
		if err != nil || len(got) != 1 || got[0].Kind != signal.Offline {
			t.Errorf("hub: %v %v", brief(got), err)
		}
	}
}

// TestWhatCannotBeReadIsExplained to a group leader.
func TestWhatCannotBeReadIsExplained(t *testing.T) {
	d := dialect.Device{Kind: signal.Smoke, Topic: topic}
	for payload, word := range map[string]string{
		`{"smoke":tr`:    "cut short",
		`smoke`:          "not JSON",
		`[1,2]`:          "not an object",
		`true`:           "not an object",
		`{"smoke":"mu"}`: "smoke says",
	} {
		got, err := z.Decode(d, say(payload, ""))
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q in it", payload, err, word)
		}
		for _, r := range got {
			if r.Kind == signal.Alarm {
				t.Errorf("%s rings", payload)
			}
		}
	}
	for _, nothing := range []string{"", "  ", "null"} {
		if got, err := z.Decode(d, say(nothing, "")); err != nil || len(brief(got)) != 0 {
			t.Errorf("%q: %v %v", nothing, brief(got), err)
		}
	}
	got, err := z.Decode(d, say(`{"smoke":true,"smoke_state":"mu"}`, ""))
	if err != nil || got[0].Kind != signal.Alarm {
		t.Errorf("an alarm beside a doubt: %v %v, want the alarm", brief(got), err)
	}
	if got, err := z.Decode(d, say(`{"smoke":true}`, "/set")); err != nil || got != nil {
		t.Errorf("a command to the device is %v %v, want nothing", brief(got), err)
	}
}

// want is a sounding wish of three minutes.
func want(p dialect.Pattern) dialect.Want {
	return dialect.Want{Sounding: true, Duration: 180 * time.Second, Pattern: p}
}

// TestCommandByCapability pins the messages of the common forms.
func TestCommandByCapability(t *testing.T) {
	const (
		onOff = `"value_on":"ON","value_off":"OFF"`
		bulb  = `[{"type":"light","features":[{"type":"binary","name":"state","property":"state","access":7,` + onOff + `},{"type":"numeric","name":"brightness","property":"brightness","access":7,"value_min":0,"value_max":254}]}]`
		plug  = `[{"type":"switch","features":[{"type":"binary","name":"state","property":"state","access":7,` + onOff + `}]},{"type":"numeric","name":"countdown","property":"countdown","access":3,"value_max":43200,"unit":"s"}]`
		tuya  = `[{"type":"binary","name":"alarm","property":"alarm","access":3,` + onOff + `},{"type":"numeric","name":"duration","property":"duration","access":3,"value_min":1,"value_max":2,"unit":"min"},{"type":"enum","name":"volume","property":"volume","access":3,"values":["mute","low","middle","high"]},{"type":"numeric","name":"battery","property":"battery","access":1}]`
		sound = `[{"type":"enum","name":"alarm","property":"alarm","access":3,"values":["sound","light","sound_light","off"]}]`
		bosch = `[{"type":"enum","name":"trigger_alarm","property":"trigger_alarm","access":2,"values":["trigger"]},{"type":"enum","name":"stop_alarm","property":"stop_alarm","access":2,"values":["stop"]},{"type":"numeric","name":"siren_duration","property":"siren_duration","access":7,"value_min":1,"value_max":15,"unit":"min"}]`
		hue   = `[{"type":"composite","name":"trigger_siren","property":"trigger_siren","access":2,"features":[{"type":"numeric","name":"duration","property":"duration","access":2,"value_min":0,"value_max":600,"unit":"seconds"}]}]`
	)
	for _, c := range []struct {
		name    string
		d       dialect.Device
		w       dialect.Want
		payload string
	}{
		{"unknown siren", dialect.Device{Kind: signal.Siren}, want(dialect.AlarmPattern), `{"warning":{"mode":"emergency","level":"very_high","strobe":true,"duration":180}}`},
		{"unknown siren, drill", dialect.Device{Kind: signal.Siren}, want(dialect.DrillPattern), `{"warning":{"mode":"burglar","level":"low","strobe":false,"duration":180}}`},
		{"unknown siren, quiet", dialect.Device{Kind: signal.Siren}, dialect.Want{}, `{"warning":{"mode":"stop","level":"low","strobe":false,"duration":1}}`},
		{"model known", dialect.Device{Kind: signal.Siren, Model: "HS2WD-E"}, dialect.Want{Sounding: true, Duration: time.Hour, Pattern: dialect.OriginPattern}, `{"warning":{"mode":"emergency","strobe":true,"duration":1800}}`},
		{"discovery before model", dialect.Device{Kind: signal.Siren, Model: "HS2WD-E", Capabilities: json.RawMessage(sound)}, want(dialect.AlarmPattern), `{"alarm":"sound_light"}`},
		{"minutes, bounded", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(tuya)}, want(dialect.AlarmPattern), `{"duration":2,"volume":"high","alarm":"ON"}`},
		{"soft", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(tuya)}, dialect.Want{Sounding: true, Duration: time.Second, Pattern: dialect.TestPattern}, `{"duration":1,"volume":"low","alarm":"ON"}`},
		{"quiet", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(tuya)}, dialect.Want{}, `{"alarm":"OFF"}`},
		{"drill without light", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(sound)}, want(dialect.DrillPattern), `{"alarm":"sound"}`},
		{"only the light for a lamp", dialect.Device{Kind: signal.Lamp, Capabilities: json.RawMessage(sound)}, want(dialect.AlarmPattern), `{"alarm":"light"}`},
		{"start and stop apart", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(bosch)}, want(dialect.AlarmPattern), `{"siren_duration":3,"trigger_alarm":"trigger"}`},
		{"stop apart", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(bosch)}, dialect.Want{}, `{"stop_alarm":"stop"}`},
		{"a composite without a mode", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(hue)}, want(dialect.AlarmPattern), `{"trigger_siren":{"duration":180}}`},
		{"no time at all stops it", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(hue)}, dialect.Want{}, `{"trigger_siren":{"duration":0}}`},
		{"relay", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(plug)}, want(dialect.AlarmPattern), `{"state":"ON","countdown":180}`},
		{"no duration said", dialect.Device{Kind: signal.Siren, Capabilities: json.RawMessage(plug)}, dialect.Want{Sounding: true}, `{"state":"ON","countdown":180}`},
		{"bulb", dialect.Device{Kind: signal.Lamp, Capabilities: json.RawMessage(bulb)}, want(dialect.AlarmPattern), `{"brightness":254,"state":"ON"}`},
		{"unknown lamp off", dialect.Device{Kind: signal.Lamp}, dialect.Want{}, `{"state":"OFF"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.d.Topic = topic
			got, err := z.Command(c.d, c.w)
			want := []dialect.Message{{Topic: topic + "/set", Payload: []byte(c.payload)}}
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// TestNothingToCommandIsAnError: neither a sensor nor a device without a topic.
func TestNothingToCommandIsAnError(t *testing.T) {
	sensor := json.RawMessage(`[{"type":"numeric","name":"temperature","property":"temperature","access":1},{"type":"binary","name":"humidity_alarm","property":"humidity_alarm","access":3,"value_on":true,"value_off":false}]`)
	for _, d := range []dialect.Device{
		{Kind: signal.Siren, Topic: topic, Capabilities: sensor},
		{Kind: signal.Smoke, Topic: topic},
		{Kind: signal.Siren},
	} {
		if got, err := z.Command(d, want(dialect.AlarmPattern)); err == nil {
			t.Errorf("%+v: %s, want an error", d, got[0].Payload)
		}
	}
}

// TestConfirms: only who publishes a state of its siren.
func TestConfirms(t *testing.T) {
	for exposes, want := range map[string]bool{
		``: false,
		`[{"type":"composite","name":"warning","property":"warning","access":2,"features":[{"type":"enum","name":"mode","values":["stop","fire"]}]}]`:                                                                false,
		`[{"type":"composite","name":"warning","property":"warning","access":2,"features":[{"type":"enum","name":"mode","values":["stop","fire"]}]},{"type":"binary","name":"alarm","property":"alarm","access":1}]`: true,
		`[{"type":"binary","name":"alarm","property":"alarm","access":3}]`:                                                                                                                                                                   true,
		`[{"type":"binary","name":"siren_on","property":"siren_on","access":2}]`:                                                                                                                                                             false,
		`[{"type":"switch","features":[{"type":"binary","name":"state","property":"state","access":7}]}]`:                                                                                                                                    true,
		`[{"type":"enum","name":"trigger_alarm","property":"trigger_alarm","access":2,"values":["trigger"]},{"type":"enum","name":"stop_alarm","property":"stop_alarm","access":2,"values":["stop"]}]`:                                       false,
		`[{"type":"enum","name":"device_state","property":"device_state","access":5,"values":["siren_active","idle"]},{"type":"composite","name":"warning","access":2,"features":[{"type":"enum","name":"mode","values":["stop","fire"]}]}]`: true,
	} {
		if got := z.Confirms(dialect.Device{Kind: signal.Siren, Topic: topic, Capabilities: json.RawMessage(exposes)}); got != want {
			t.Errorf("%s: %v", exposes, got)
		}
	}
}

// BenchmarkDecode: the way of a press; discovery has said what the device is.
func BenchmarkDecode(b *testing.B) {
	d := dialect.Device{Kind: signal.Smoke, Topic: topic}
	m := say(`{"battery":97,"battery_low":false,"linkquality":120,"smoke":true,"tamper":false,"last_seen":"2026-03-01T15:32:45.000Z"}`, "")
	for b.Loop() {
		if got, err := z.Decode(d, m); err != nil || got[0].Kind != signal.Alarm {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommand: once per siren and alarm, unless the caller keeps it.
func BenchmarkCommand(b *testing.B) {
	d := dialect.Device{Kind: signal.Siren, Topic: topic, Model: "HS2WD-E"}
	for b.Loop() {
		if _, err := z.Command(d, want(dialect.AlarmPattern)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDocumentedMessages tries the table of docs/devices.md.
func TestDocumentedMessages(t *testing.T) {
	page, err := os.ReadFile("../../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Zigbee2MQTT\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1)
	if !found || len(rows) < 20 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		got, err := z.Decode(dialect.Device{Kind: signal.DeviceKind(row[1]), Topic: topic}, say(row[2], ""))
		var heard []string
		for _, r := range got {
			if r.Kind == signal.Heartbeat {
				continue
			}
			level := ""
			if r.Level {
				level = "*"
			}
			heard = append(heard, strings.TrimSpace(string(r.Kind)+level+" "+string(r.Category)))
		}
		if len(heard) == 0 {
			heard = []string{"-"}
		}
		if said := strings.Join(heard, ", "); err != nil || said != row[3] {
			t.Errorf("%s %s: heard %s %v, documented %s", row[1], row[2], said, err, row[3])
		}
	}
}
