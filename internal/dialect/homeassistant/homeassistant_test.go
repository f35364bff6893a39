package homeassistant

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

var _ dialect.HubDialect = Dialect{}

// Configs as real software announces them.
const (
	// Zigbee2MQTT 2: availability from bridge and device, a boolean payload.
	z2mSmoke = `{"availability":[{"topic":"zigbee2mqtt/bridge/state","value_template":"{{ value_json.state }}"},` +
		`{"topic":"zigbee2mqtt/kitchen/availability","value_template":"{{ value_json.state }}"}],"availability_mode":"all",` +
		`"device":{"identifiers":["zigbee2mqtt_0x1"],"manufacturer":"HEIMAN","model":"Smoke detector","name":"Bếp"},"device_class":"smoke",` +
		`"name":"Smoke","object_id":"kitchen_smoke","origin":{"name":"Zigbee2MQTT","sw":"2.1.0","url":"https://www.zigbee2mqtt.io"},` +
		`"payload_off":false,"payload_on":true,"state_topic":"zigbee2mqtt/kitchen","unique_id":"0x1_smoke_zigbee2mqtt",` +
		`"value_template":"{{ value_json[\"smoke\"] }}"}`
	// ESPHome: abbreviated, no template.
	espGas = `{"dev_cla":"gas","name":"Gas","stat_t":"alley1/binary_sensor/gas/state","avty_t":"alley1/status",` +
		`"uniq_id":"ESPbinary_sensorgas","dev":{"ids":"a4cf12b3c4d5","name":"Ngõ 12","sw":"esphome v2025.5","mdl":"esp32dev","mf":"Espressif"}}`
	// A do-it-yourself siren, abbreviated, with a base topic.
	diySiren = `{"~":"keng/coi1","name":"Còi","stat_t":"~/state","cmd_t":"~/set","avty":{"t":"~/lwt","pl_avail":"1","pl_not_avail":"0"},` +
		`"av_tones":["stop","bell","fire"],"uniq_id":"keng_coi1","dev":{"ids":["coi1"],"name":"Nhà 10"}}`
	// Home Assistant's documentation: a Tasmota relay as siren.
	tasmotaSiren = `{"state_topic":"stat/SIREN/RESULT","command_topic":"cmnd/SIREN/POWER","availability_topic":"tele/SIREN/LWT",` +
		`"command_template":"{{ value }}","state_value_template":"{{ value_json.POWER }}","payload_available":"Online","payload_not_available":"Offline"}`
	z2mTrigger = `{"automation_type":"trigger","type":"action","subtype":"single","payload":"single","topic":"zigbee2mqtt/nut/action","device":{"name":"Nút"}}`
	doorbell   = `{"state_topic":"home/nut/state","event_types":["press","hold","release"],"device_class":"button","name":null,"device":{"name":"Nút cổng"}}`
	relay      = `{"stat_t":"shelly/relay/0","cmd_t":"shelly/relay/0/command","pl_on":"on","pl_off":"off","name":"Rơ-le"}`
)

// devicePayload announces four components at once, one withdrawn, with shared options.
const devicePayload = `{"dev":{"ids":"ea334450945afc","name":"Ngõ 12","mf":"Bla","mdl":"xya"},"o":{"name":"bla2mqtt","sw":"2.1"},` +
	`"~":"alley1","avty_t":"~/status","cmps":{` +
	`"khoi":{"p":"binary_sensor","device_class":"smoke","name":"Khói","state_topic":"~/khoi","uniq_id":"k1"},` +
	`"coi":{"p":"siren","name":"Còi","cmd_t":"~/coi/set","stat_t":"~/coi","uniq_id":"c1"},` +
	`"nhiet":{"p":"sensor","device_class":"temperature","uniq_id":"t1"},` +
	`"cu":{"p":"binary_sensor"}}}`

func device(k signal.DeviceKind, platform, caps string) dialect.Device {
	return dialect.Device{Kind: k, Topic: "homeassistant/" + platform + "/node/object", Capabilities: json.RawMessage(caps)}
}

func TestDecode(t *testing.T) {
	level := func(k signal.Kind, property, value string) []dialect.Reading {
		return []dialect.Reading{{Kind: k, Property: property, Level: true, Value: value}}
	}
	pulse := func(property, value string) []dialect.Reading {
		return []dialect.Reading{{Kind: signal.Alarm, Property: property, Value: value}}
	}
	class := func(c string) string {
		return `{"state_topic":"s","device_class":"` + c + `"}`
	}
	for name, tc := range map[string]struct {
		d              dialect.Device
		topic, payload string
		want           []dialect.Reading
	}{
		"z2m smoke":           {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/kitchen", `{"smoke":true,"battery":97}`, level(signal.Alarm, "smoke", "smoke=True")},
		"z2m smoke over":      {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/kitchen", `{"smoke":false,"battery":97}`, level(signal.Restore, "smoke", "smoke=False")},
		"z2m says other":      {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/kitchen", `{"battery":97}`, nil},
		"z2m says null":       {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/kitchen", `{"smoke":null}`, nil},
		"z2m bridge down":     {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/bridge/state", `{"state":"offline"}`, level(signal.Offline, "zigbee2mqtt/bridge/state", "offline")},
		"z2m device up":       {device(signal.Smoke, "binary_sensor", z2mSmoke), "zigbee2mqtt/kitchen/availability", `{"state":"online"}`, level(signal.Online, "zigbee2mqtt/kitchen/availability", "online")},
		"esphome gas":         {device(signal.Gas, "binary_sensor", espGas), "alley1/binary_sensor/gas/state", "ON", level(signal.Alarm, "gas", "gas=ON")},
		"esphome down":        {device(signal.Gas, "binary_sensor", espGas), "alley1/status", "offline", level(signal.Offline, "alley1/status", "offline")},
		"siren, JSON":         {device(signal.Siren, "siren", diySiren), "keng/coi1/state", `{"state":"ON","tone":"fire"}`, level(signal.Sounding, "state", "state=ON")},
		"siren, word":         {device(signal.Siren, "siren", diySiren), "keng/coi1/state", `OFF`, level(signal.Quiet, "state", "state=OFF")},
		"siren, tone only":    {device(signal.Siren, "siren", diySiren), "keng/coi1/state", `{"tone":"fire"}`, nil},
		"siren, unknown":      {device(signal.Siren, "siren", diySiren), "keng/coi1/state", `{"state":null}`, nil},
		"siren up":            {device(signal.Siren, "siren", diySiren), "keng/coi1/lwt", `1`, level(signal.Online, "keng/coi1/lwt", "1")},
		"siren by template":   {device(signal.Siren, "siren", tasmotaSiren), "stat/SIREN/RESULT", `{"POWER":"ON"}`, level(signal.Sounding, "state", "state=ON")},
		"siren other result":  {device(signal.Siren, "siren", tasmotaSiren), "stat/SIREN/RESULT", `{"PulseTime1":280}`, nil},
		"switch":              {device(signal.Siren, "switch", relay), "shelly/relay/0", `on`, level(signal.Sounding, "state", "state=on")},
		"switch off":          {device(signal.Lamp, "switch", relay), "shelly/relay/0", `off`, level(signal.Quiet, "state", "state=off")},
		"trigger":             {device(signal.Button, "device_automation", z2mTrigger), "zigbee2mqtt/nut/action", `single`, pulse("trigger", "action single")},
		"other trigger":       {device(signal.Button, "device_automation", z2mTrigger), "zigbee2mqtt/nut/action", `hold`, nil},
		"trigger withdrawn":   {device(signal.Button, "device_automation", z2mTrigger), "zigbee2mqtt/nut/action", ``, nil},
		"event":               {device(signal.Button, "event", doorbell), "home/nut/state", `{"event_type":"press","duration":0.1}`, pulse("event", "event=press")},
		"event release":       {device(signal.Button, "event", doorbell), "home/nut/state", `{"event_type":"release"}`, nil},
		"event empty":         {device(signal.Button, "event", doorbell), "home/nut/state", `{}`, nil},
		"tamper of smoke":     {device(signal.Smoke, "binary_sensor", class("tamper")), "s", "ON", level(signal.TamperOpen, "tamper", "tamper=ON")},
		"tamper device":       {device(signal.Tamper, "binary_sensor", class("tamper")), "s", "ON", level(signal.Alarm, "tamper", "tamper=ON")},
		"battery low":         {device(signal.Smoke, "binary_sensor", class("battery")), "s", "ON", level(signal.LowBattery, "battery", "battery=ON")},
		"battery of siren":    {device(signal.Siren, "binary_sensor", class("battery")), "s", "OFF", level(signal.BatteryOK, "battery", "battery=OFF")},
		"problem":             {device(signal.Smoke, "binary_sensor", class("problem")), "s", "ON", level(signal.Fault, "problem", "problem=ON")},
		"problem over":        {device(signal.Smoke, "binary_sensor", class("problem")), "s", "OFF", level(signal.FaultRestore, "problem", "problem=OFF")},
		"connectivity":        {device(signal.Smoke, "binary_sensor", class("connectivity")), "s", "OFF", level(signal.Offline, "connectivity", "connectivity=OFF")},
		"no class":            {device(signal.Button, "binary_sensor", `{"state_topic":"s"}`), "s", "ON", level(signal.Alarm, "binary_sensor", "binary_sensor=ON")},
		"never says off":      {device(signal.Motion, "binary_sensor", `{"state_topic":"s","off_dly":30,"dev_cla":"motion"}`), "s", "ON", pulse("motion", "motion=ON")},
		"number as payload":   {device(signal.Contact, "binary_sensor", `{"state_topic":"s","pl_on":1,"pl_off":0,"val_tpl":"{{value_json.d[0].open}}"}`), "s", `{"d":[{"open":1}]}`, level(signal.Alarm, "binary_sensor", "binary_sensor=1")},
		"unknown":             {device(signal.Contact, "binary_sensor", `{"state_topic":"s"}`), "s", "None", nil},
		"not its topic":       {device(signal.Contact, "binary_sensor", `{"state_topic":"s"}`), "t", "ON", nil},
		"not announced yet":   {device(signal.Contact, "binary_sensor", ``), "s", "ON", nil},
		"state and reachable": {device(signal.Contact, "binary_sensor", `{"state_topic":"s","avty_t":"s","pl_avail":"ON","pl_not_avail":"gone"}`), "s", "ON", append(level(signal.Online, "s", "ON"), level(signal.Alarm, "binary_sensor", "binary_sensor=ON")...)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Dialect{}.Decode(tc.d, dialect.Message{Topic: tc.topic, Payload: []byte(tc.payload)})
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
	for name, tc := range map[string]struct {
		d       dialect.Device
		payload string
		says    string
	}{
		"filter":          {device(signal.Smoke, "binary_sensor", `{"state_topic":"s","value_template":"{{ value_json.smoke | lower }}"}`), `{"smoke":true}`, "{{ value_json.smoke | lower }}"},
		"program":         {device(signal.Smoke, "binary_sensor", `{"state_topic":"s","value_template":"{% if value == '1' %}ON{% endif %}"}`), `1`, "supported are {{ value }}"},
		"other payload":   {device(signal.Smoke, "binary_sensor", `{"state_topic":"s"}`), `1`, `"1" is neither "ON" nor "OFF"`},
		"no JSON":         {device(signal.Smoke, "binary_sensor", z2mSmoke), `ON`, "is not JSON"},
		"availability":    {device(signal.Smoke, "binary_sensor", `{"avty_t":"s"}`), `maybe`, `"maybe" is neither "online" nor "offline"`},
		"event":           {device(signal.Button, "event", `{"state_topic":"s","event_types":["press"]}`), `{"event_type":"wiggle"}`, `event type "wiggle"`},
		"no event":        {device(signal.Button, "event", `{"state_topic":"s"}`), `{"x":1}`, "no event_type"},
		"siren":           {device(signal.Siren, "siren", `{"state_topic":"s"}`), `{"state":"LOUD"}`, `"LOUD" is neither "ON" nor "OFF"`},
		"component":       {device(signal.Smoke, "sensor", `{"state_topic":"s"}`), `21`, `component "sensor" is not supported`},
		"switch as press": {device(signal.Button, "switch", `{"state_topic":"s"}`), `ON`, "a button cannot be a switch"},
		"siren as danger": {device(signal.Siren, "binary_sensor", `{"state_topic":"s"}`), `ON`, "a siren cannot be"},
		"siren as event":  {device(signal.Siren, "event", `{"state_topic":"s"}`), `{}`, "a siren cannot be an event"},
		"lamp as trigger": {device(signal.Lamp, "device_automation", `{"topic":"s"}`), `x`, "a lamp cannot be"},
		"config":          {device(signal.Smoke, "binary_sensor", `[]`), `ON`, "no JSON object"},
		"null config":     {device(signal.Smoke, "binary_sensor", `null`), `ON`, "no JSON object"},
		"odd config":      {device(signal.Smoke, "binary_sensor", `{"state_topic":{}}`), `ON`, "not as Home Assistant documents it"},
	} {
		got, err := Dialect{}.Decode(tc.d, dialect.Message{Topic: "s", Payload: []byte(tc.payload)})
		if name == "no JSON" {
			got, err = Dialect{}.Decode(tc.d, dialect.Message{Topic: "zigbee2mqtt/kitchen", Payload: []byte(tc.payload)})
		}
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, %v; want an error with %q", name, got, err, tc.says)
		}
	}
}

func TestTopics(t *testing.T) {
	for name, tc := range map[string]struct {
		d    dialect.Device
		want []string
	}{
		"z2m":      {device(signal.Smoke, "binary_sensor", z2mSmoke), []string{"zigbee2mqtt/kitchen", "zigbee2mqtt/bridge/state", "zigbee2mqtt/kitchen/availability"}},
		"base":     {device(signal.Siren, "siren", diySiren), []string{"keng/coi1/state", "keng/coi1/lwt"}},
		"trigger":  {device(signal.Button, "device_automation", z2mTrigger), []string{"zigbee2mqtt/nut/action"}},
		"unknown":  {device(signal.Smoke, "binary_sensor", ""), nil},
		"broken":   {device(signal.Smoke, "binary_sensor", "{"), nil},
		"wildcard": {device(signal.Smoke, "binary_sensor", `{"state_topic":"#","avty_t":"a/+/b"}`), nil},
	} {
		if diff := cmp.Diff(tc.want, Dialect{}.Topics(tc.d)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCommand(t *testing.T) {
	alarm := dialect.Want{Sounding: true, Duration: 179*time.Second + 1, Pattern: dialect.AlarmPattern}
	drill := dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.DrillPattern}
	siren := func(rest string) dialect.Device {
		return device(signal.Siren, "siren", `{"command_topic":"c"`+rest+`}`)
	}
	for name, tc := range map[string]struct {
		d    dialect.Device
		w    dialect.Want
		want string
	}{
		"alarm":             {device(signal.Siren, "siren", diySiren), alarm, `keng/coi1/set {"state":"ON","tone":"fire","duration":180,"volume_level":1}`},
		"drill":             {device(signal.Siren, "siren", diySiren), drill, `keng/coi1/set {"state":"ON","tone":"bell","duration":60,"volume_level":0.5}`},
		"all calm":          {siren(""), dialect.Want{Sounding: true, Duration: time.Second, Pattern: dialect.CalmPattern}, `c {"state":"ON","duration":1,"volume_level":0.3}`},
		"quiet":             {device(signal.Siren, "siren", diySiren), dialect.Want{}, `keng/coi1/set {"state":"OFF"}`},
		"unsaid":            {siren(""), dialect.Want{Sounding: true}, `c {"state":"ON","duration":180,"volume_level":1}`},
		"knows no duration": {siren(`,"sup_dur":false,"sup_vol":false`), alarm, `c {"state":"ON"}`},
		"own words":         {siren(`,"pl_on":"1","pl_off":"0"`), dialect.Want{}, `c {"state":"0"}`},
		"unknown tones":     {siren(`,"av_tones":["stop","zzz"]`), alarm, `c {"state":"ON","tone":"zzz","duration":180,"volume_level":1}`},
		"one tone":          {siren(`,"av_tones":"loud"`), alarm, `c {"state":"ON","tone":"loud","duration":180,"volume_level":1}`},
		"template":          {device(signal.Siren, "siren", tasmotaSiren), alarm, `cmnd/SIREN/POWER ON`},
		"template off":      {device(signal.Siren, "siren", tasmotaSiren), dialect.Want{}, `cmnd/SIREN/POWER OFF`},
		"template of JSON":  {siren(`,"cmd_tpl":"{\"s\":\"{{value}}\",\"t\":{{ duration }},\"v\":{{- volume_level -}}}"`), alarm, `c {"s":"ON","t":180,"v":1}`},
		"off template":      {siren(`,"cmd_tpl":"{{ value }}!","cmd_off_tpl":"hush"`), dialect.Want{}, `c hush`},
		"switch":            {device(signal.Siren, "switch", relay), alarm, `shelly/relay/0/command on`},
		"switch off":        {device(signal.Lamp, "switch", relay), dialect.Want{}, `shelly/relay/0/command off`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Dialect{}.Command(tc.d, tc.w)
			if err != nil || len(got) != 1 {
				t.Fatal(got, err)
			}
			if got[0].Retain {
				t.Error("retained: a stale command would ring")
			}
			if diff := cmp.Diff(tc.want, got[0].Topic+" "+string(got[0].Payload)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCommandRefusals(t *testing.T) {
	sound := dialect.Want{Sounding: true, Duration: time.Minute}
	for name, tc := range map[string]struct {
		d    dialect.Device
		says string
	}{
		"not announced":    {device(signal.Siren, "siren", ""), "not announced itself yet"},
		"broken":           {device(signal.Siren, "siren", "{"), "no JSON object"},
		"a button":         {device(signal.Button, "siren", diySiren), "cannot sound"},
		"a sensor":         {device(signal.Siren, "binary_sensor", z2mSmoke), "cannot sound"},
		"no topic":         {device(signal.Siren, "siren", `{"state_topic":"s"}`), "no topic to command"},
		"wildcard":         {device(signal.Siren, "siren", `{"command_topic":"#"}`), "no topic to command"},
		"a program":        {device(signal.Siren, "siren", `{"command_topic":"c","command_template":"{% if value %}x{% endif %}"}`), "{% if value %}"},
		"a comment":        {device(signal.Siren, "siren", `{"command_topic":"c","command_template":"{# x #}{{ value }}"}`), "{# x #}"},
		"an expression":    {device(signal.Siren, "siren", `{"command_topic":"c","command_template":"{{ value | upper }}"}`), "{{ value | upper }}"},
		"an open template": {device(signal.Siren, "switch", `{"command_topic":"c","command_template":"{{ value"}`), "{{ value"},
	} {
		if m, err := (Dialect{}).Command(tc.d, sound); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, %v; want an error with %q", name, m, err, tc.says)
		}
	}
}

func TestConfirms(t *testing.T) {
	for name, tc := range map[string]struct {
		d    dialect.Device
		want bool
	}{
		"state topic": {device(signal.Siren, "siren", diySiren), true},
		"optimistic":  {device(signal.Siren, "siren", `{"command_topic":"c","state_topic":"s","optimistic":true}`), false},
		"mute":        {device(signal.Siren, "siren", `{"command_topic":"c"}`), false},
		"a sensor":    {device(signal.Smoke, "binary_sensor", z2mSmoke), false},
		"unknown":     {device(signal.Siren, "siren", ""), false},
	} {
		if got := (Dialect{}).Confirms(tc.d); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEchoOfOwnCommandIsNeverAnAlarm(t *testing.T) {
	for platform, caps := range map[string]string{"siren": diySiren, "switch": relay} {
		for _, k := range signal.DeviceKinds {
			d := device(k, platform, caps)
			for _, topic := range append(Dialect{}.Topics(d), "keng/coi1/set", "shelly/relay/0/command") {
				for _, payload := range []string{"ON", "OFF", "on", "off", `{"state":"ON"}`, `{"state":"OFF"}`, "1"} {
					got, _ := Dialect{}.Decode(d, dialect.Message{Topic: topic, Payload: []byte(payload)})
					for _, r := range got {
						if r.Kind == signal.Alarm || r.Kind == signal.Test {
							t.Errorf("%s %s: %s %s rang", k, platform, topic, payload)
						}
					}
				}
			}
		}
	}
}

func TestDiscovery(t *testing.T) {
	for name, tc := range map[string]struct {
		topic, payload string
		want           string // topic | name | model | kind
	}{
		"z2m":             {"homeassistant/binary_sensor/0x1/smoke/config", z2mSmoke, "homeassistant/binary_sensor/0x1/smoke|Bếp Smoke|Smoke detector|smoke"},
		"esphome":         {"homeassistant/binary_sensor/alley1/gas/config", espGas, "homeassistant/binary_sensor/alley1/gas|Ngõ 12 Gas|esp32dev|gas"},
		"siren":           {"homeassistant/siren/coi1/config", diySiren, "homeassistant/siren/coi1|Nhà 10 Còi||siren"},
		"event":           {"homeassistant/event/nut/config", doorbell, "homeassistant/event/nut|Nút cổng||button"},
		"trigger":         {"homeassistant/device_automation/0x2/action_single/config", z2mTrigger, "homeassistant/device_automation/0x2/action_single|Nút action single||button"},
		"release trigger": {"homeassistant/device_automation/b/r/config", `{"automation_type":"trigger","type":"button_short_release","topic":"t"}`, "homeassistant/device_automation/b/r|button_short_release||"},
		"setting":         {"homeassistant/switch/0x1/lock/config", `{"command_topic":"c","entity_category":"config"}`, "homeassistant/switch/0x1/lock|lock||"},
		"class of no use": {"homeassistant/binary_sensor/x/config", `{"state_topic":"s","device_class":"plug"}`, "homeassistant/binary_sensor/x|x||"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Dialect{}.DecodeHub(dialect.Message{Topic: tc.topic, Payload: []byte(tc.payload), Retain: true})
			if err != nil || len(got.Found) != 1 {
				t.Fatal(got, err)
			}
			f := got.Found[0]
			if diff := cmp.Diff(tc.want, strings.Join([]string{f.Topic, f.Name, f.Model, string(f.Kind)}, "|")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiscoveryWritesTheConfigOutInFull(t *testing.T) {
	got, err := Dialect{}.DecodeHub(dialect.Message{Topic: "homeassistant/siren/coi1/config", Payload: []byte(diySiren)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"availability":{"payload_available":"1","payload_not_available":"0","topic":"keng/coi1/lwt"},` +
		`"available_tones":["stop","bell","fire"],"command_topic":"keng/coi1/set","device":{"identifiers":["coi1"],"name":"Nhà 10"},` +
		`"name":"Còi","platform":"siren","state_topic":"keng/coi1/state","unique_id":"keng_coi1"}`
	if diff := cmp.Diff(want, string(got.Found[0].Capabilities)); diff != "" {
		t.Error(diff)
	}
	d := dialect.Device{Kind: signal.Siren, Topic: "homeassistant/siren/coi1", Capabilities: got.Found[0].Capabilities}
	again := d
	again.Capabilities = json.RawMessage(diySiren)
	if diff := cmp.Diff((Dialect{}).Topics(again), (Dialect{}).Topics(d)); diff != "" {
		t.Errorf("written out, it speaks elsewhere: %s", diff)
	}
}

func TestDevicePayload(t *testing.T) {
	m := dialect.Message{Topic: "homeassistant/device/0AFFD2/config", Payload: []byte(devicePayload)}
	got, err := Dialect{}.DecodeHub(m)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range got.Found {
		lines = append(lines, f.Topic+"|"+f.Name+"|"+string(f.Kind))
		if f.Gone {
			lines[len(lines)-1] += "|gone"
		}
	}
	want := []string{
		"homeassistant/device/0AFFD2/coi|Ngõ 12 Còi|siren",
		"homeassistant/device/0AFFD2/cu|||gone",
		"homeassistant/device/0AFFD2/khoi|Ngõ 12 Khói|smoke",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	siren := dialect.Device{Kind: signal.Siren, Topic: got.Found[0].Topic, Capabilities: got.Found[0].Capabilities}
	if diff := cmp.Diff([]string{"alley1/coi", "alley1/status"}, Dialect{}.Topics(siren)); diff != "" {
		t.Error(diff)
	}
	order, err := Dialect{}.Command(siren, dialect.Want{})
	if err != nil || order[0].Topic != "alley1/coi/set" {
		t.Errorf("%v, %v", order, err)
	}
}

func TestComponentsShareOptionsButNotTheirBase(t *testing.T) {
	payload := `{"dev":{"ids":"x"},"o":{"name":"y"},"~":"a","avty":[{"t":"~/lwt"}],"cmps":{` +
		`"one":{"p":"siren","~":"b","cmd_t":"~/set"},"two":{"p":"siren","cmd_t":"~/set","avty":[{"t":"own"}]},"three":{"p":"siren","cmd_t":"~/set"}}}`
	got, err := Dialect{}.DecodeHub(dialect.Message{Topic: "homeassistant/device/x/config", Payload: []byte(payload)})
	if err != nil || len(got.Found) != 3 {
		t.Fatal(got, err)
	}
	var topics [][]string
	for _, f := range got.Found {
		d := dialect.Device{Kind: signal.Siren, Topic: f.Topic, Capabilities: f.Capabilities}
		order, err := Dialect{}.Command(d, dialect.Want{})
		if err != nil {
			t.Fatal(err)
		}
		topics = append(topics, append(Dialect{}.Topics(d), order[0].Topic))
	}
	if diff := cmp.Diff([][]string{{"b/lwt", "b/set"}, {"a/lwt", "a/set"}, {"own", "a/set"}}, topics); diff != "" {
		t.Error(diff)
	}
}

func TestWithdrawn(t *testing.T) {
	for topic, want := range map[string][]dialect.Found{
		"homeassistant/siren/coi1/config":              {{Topic: "homeassistant/siren/coi1", Gone: true}},
		"homeassistant/device/0AFFD2/config":           {{Topic: "homeassistant/device/0AFFD2", Gone: true}},
		"homeassistant/alarm_control_panel/x/config":   nil,
		"homeassistant/sensor/x/config":                nil,
		"homeassistant/binary_sensor/x/not-the-config": nil,
	} {
		got, err := Dialect{}.DecodeHub(dialect.Message{Topic: topic})
		if diff := cmp.Diff(want, got.Found); err != nil || diff != "" {
			t.Errorf("%s: %v %s", topic, err, diff)
		}
	}
}

func TestDiscoveryThatSaysNothing(t *testing.T) {
	for _, payload := range []string{`{"migrate_discovery":true}`, `{"migr_discvry":true}`} {
		if got, err := (Dialect{}).DecodeHub(dialect.Message{Topic: "homeassistant/siren/x/config", Payload: []byte(payload)}); err != nil || got.Found != nil {
			t.Errorf("%s: %v, %v", payload, got, err)
		}
	}
	for topic, payload := range map[string]string{
		"homeassistant/siren/x/config":         `[1]`,
		"homeassistant/binary_sensor/x/config": `{"state_topic":[]}`,
		"homeassistant/device/x/config":        `{"device":{}}`,
		"homeassistant/device/y/config":        `{"cmps":{"a/b":{"p":"siren"}}}`,
		"homeassistant/device/z/config":        `{"cmps":{"a":5}}`,
		"homeassistant/status":                 `asleep`,
	} {
		if got, err := (Dialect{}).DecodeHub(dialect.Message{Topic: topic, Payload: []byte(payload)}); err == nil {
			t.Errorf("%s %s: %v", topic, payload, got)
		}
	}
}

func TestBirth(t *testing.T) {
	for payload, want := range map[string]signal.Kind{"online": signal.Online, "offline": signal.Offline, "": ""} {
		got, err := Dialect{}.DecodeHub(dialect.Message{Topic: "homeassistant/status", Payload: []byte(payload)})
		if err != nil || got.Presence != want {
			t.Errorf("%q: %v, %v", payload, got, err)
		}
	}
}

func TestAbbreviations(t *testing.T) {
	for short, long := range map[string]string{
		"stat_t": "state_topic", "avty_mode": "availability_mode", "stype": "subtype", "evt_typ": "event_types",
		"pl_not_avail": "payload_not_available", "p": "platform", "o": "origin", "cmps": "components",
	} {
		if optionNames[short] != long {
			t.Errorf("%s is %q, want %q", short, optionNames[short], long)
		}
	}
	longs := slices.Sorted(maps.Values(optionNames))
	if n := len(slices.Compact(longs)); n != len(optionNames) {
		t.Errorf("%d abbreviations for %d options", len(optionNames), n)
	}
}

func TestTemplates(t *testing.T) {
	payload := `{"a":{"b c":[1,{"d":true}]},"s":"x","n":null}`
	for template, want := range map[string]string{
		``: payload, `{{value}}`: payload, `{{- value -}}`: payload,
		`{{ value_json.s }}`: "x", `{{value_json['s']}}`: "x", `{{ value_json["a"]['b c'][1].d }}`: "True",
		`{{ value_json.a['b c'] }}`: `[1,{"d":true}]`, `{{ value_json.a['b c'][0] }}`: "1",
		`{{ value_json.n }}`: "None", `{{ value_json.absent.deeper }}`: "", `{{ value_json.a['b c'][7] }}`: "", `{{ value_json.s[0] }}`: "",
		" {{ value_json.s }}\n": "x",
	} {
		if got, err := read(template, []byte(payload)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", template, got, err, want)
		}
	}
	for _, template := range []string{
		`{{ value_json.s | upper }}`, `{{ states('x') }}`, `{{ value_json. }}`, `{{ value_json.1 }}`, `{{ value_json[] }}`, `{{ value_json['a }}`,
		`{{ value_json[-1] }}`, `{{ value_json['a\'b'] }}`, `{{ value_jsonx }}`, `ON`, `{{ value }}{{ value }}`, `{{ value_json.s }} x`, `{{`, `{% raw %}`,
	} {
		if got, err := read(template, []byte(payload)); err == nil || !strings.Contains(err.Error(), supported) {
			t.Errorf("%s was followed: %q, %v", template, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, caps := range []string{z2mSmoke, espGas, diySiren, tasmotaSiren, z2mTrigger, doorbell, relay} {
		f.Add([]byte(caps), "homeassistant/binary_sensor/x", []byte(`{"state":"ON","smoke":true,"event_type":"press"}`))
		f.Add([]byte(caps), "homeassistant/siren/x", []byte(`ON`))
	}
	f.Fuzz(func(t *testing.T, caps []byte, own string, payload []byte) {
		for _, k := range []signal.DeviceKind{signal.Button, signal.Siren, signal.Hub} {
			d := dialect.Device{Kind: k, Topic: own, Capabilities: caps}
			for _, topic := range (Dialect{}).Topics(d) {
				readings, _ := Dialect{}.Decode(d, dialect.Message{Topic: topic, Payload: payload})
				for _, r := range readings {
					if r.Kind == signal.Alarm && k != signal.Button {
						t.Errorf("a %s rang: %v", k, r)
					}
				}
			}
			orders, _ := Dialect{}.Command(d, dialect.Want{Sounding: true, Duration: time.Minute})
			for _, m := range orders {
				if m.Retain || m.Topic == "" || strings.ContainsAny(m.Topic, "+#") {
					t.Errorf("order %q, retained %v", m.Topic, m.Retain)
				}
			}
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	f.Add("homeassistant/device/x/config", []byte(devicePayload))
	f.Add("homeassistant/binary_sensor/n/x/config", []byte(z2mSmoke))
	f.Add("homeassistant/siren/x/config", []byte(diySiren))
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		report, err := Dialect{}.DecodeHub(dialect.Message{Topic: topic, Payload: payload})
		if err != nil {
			return
		}
		for _, found := range report.Found {
			if found.Gone {
				continue
			}
			if _, err := parseConfig(found.Capabilities); err != nil {
				t.Errorf("what was found cannot be read again: %v\n%s", err, found.Capabilities)
			}
		}
	})
}
