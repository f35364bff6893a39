package tasmota

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

// discovery is a config as firmware 14 publishes it, for a node with one relay,
// one reporting button, one reporting input named "Khoi", and a FullTopic of its own.
const discovery = `{"ip":"192.168.1.50","dn":"Ngõ 12","fn":["Còi nhà 10",null,null,null,null,null,null,null],` +
	`"hn":"tasmota-A1B2C3-1234","mac":"DC4F22A1B2C3","md":"Sonoff Basic","ty":0,"if":0,"ofln":"Offline","onln":"Online",` +
	`"state":["TAT","BAT","DAO","GIU"],"sw":"14.1.0","t":"alley1","ft":"%topic%/%prefix%/","tp":["cmnd","stat","tele"],` +
	`"rl":[1,0,0,0],"swc":[1,-1],"swn":["Khoi",null],"btn":[1,0],"so":{"4":0,"73":1,"114":1},"lk":0,"ver":1}`

func TestDecode(t *testing.T) {
	button := dialect.Device{Kind: signal.Button, Topic: "tasmota_alley1"}
	first := dialect.Device{Kind: signal.Button, Topic: "tasmota_alley1/Button1"}
	smoke := dialect.Device{Kind: signal.Smoke, Topic: "tasmota_alley1/Switch1"}
	rf := dialect.Device{Kind: signal.Button, Topic: "rfbridge/0x7028D2"}
	siren := dialect.Device{Kind: signal.Siren, Topic: "tasmota_alley1"}
	second := dialect.Device{Kind: signal.Siren, Topic: "tasmota_alley1/POWER2"}
	known := dialect.Device{Kind: signal.Smoke, Topic: "alley1", Capabilities: json.RawMessage(discovery)}

	press := func(property, value string) []dialect.Reading {
		return []dialect.Reading{{Kind: signal.Alarm, Property: property, Value: value}}
	}
	state := func(k signal.Kind, property, value string) []dialect.Reading {
		return []dialect.Reading{{Kind: k, Property: property, Level: true, Value: value}}
	}
	for name, tc := range map[string]struct {
		d              dialect.Device
		topic, payload string
		want           []dialect.Reading
	}{
		"single press":         {button, "stat/tasmota_alley1/RESULT", `{"Button1":{"Action":"SINGLE"}}`, press("Button1", "Button1=SINGLE")},
		"five presses":         {button, "stat/tasmota_alley1/RESULT", `{"Button3":{"Action":"PENTA"}}`, press("Button3", "Button3=PENTA")},
		"held":                 {first, "stat/tasmota_alley1/RESULT", `{"Button1":{"Action":"HOLD"}}`, press("Button1", "Button1=HOLD")},
		"let go":               {first, "stat/tasmota_alley1/RESULT", `{"Button1":{"Action":"CLEAR"}}`, nil},
		"another button":       {first, "stat/tasmota_alley1/RESULT", `{"Button2":{"Action":"SINGLE"}}`, nil},
		"SetOption4":           {first, "stat/tasmota_alley1/BUTTON1", `{"Button1":{"Action":"SINGLE"}}`, press("Button1", "Button1=SINGLE")},
		"before firmware 9.1":  {first, "stat/tasmota_alley1/BUTTON1", `{"ACTION":"SINGLE"}`, press("Button1", "Button1=SINGLE")},
		"input as button":      {button, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"TOGGLE"}}`, press("Switch1", "Switch1=TOGGLE")},
		"input pushed":         {button, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"ON"}}`, press("Switch1", "Switch1=ON")},
		"input let go":         {button, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"OFF"}}`, nil},
		"smoke contact closes": {smoke, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"ON"}}`, state(signal.Alarm, "Switch1", "Switch1=ON")},
		"smoke contact opens":  {smoke, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"OFF"}}`, state(signal.Restore, "Switch1", "Switch1=OFF")},
		"smoke, SwitchMode 15": {smoke, "tele/tasmota_alley1/SENSOR", `{"Time":"2021-01-01T00:00:00","Switch1":"ON"}`, state(signal.Alarm, "Switch1", "Switch1=ON")},
		"smoke, wrong mode":    {smoke, "stat/tasmota_alley1/RESULT", `{"Switch1":{"Action":"TOGGLE"}}`, press("Switch1", "Switch1=TOGGLE")},
		"renamed input":        {known, "alley1/stat/RESULT", `{"Khoi":{"Action":"BAT"}}`, state(signal.Alarm, "Switch1", "Switch1=BAT")},
		"renamed input calm":   {known, "alley1/stat/RESULT", `{"Khoi":{"Action":"TAT"}}`, state(signal.Restore, "Switch1", "Switch1=TAT")},
		"its RF code":          {rf, "tele/rfbridge/RESULT", `{"Time":"2020-05-27T18:59:06","RfReceived":{"Data":"0x7028D2","Bits":24,"Protocol":1,"Pulse":238}}`, press("RfReceived", "RF 0x7028D2")},
		"its RF code, bridge":  {rf, "tele/rfbridge/RESULT", `{"Time":"2020-05-27T18:59:06","RfReceived":{"Sync":7480,"Low":250,"High":730,"Data":"7028D2","RfKey":"None"}}`, press("RfReceived", "RF 0x7028D2")},
		"its RF code, decimal": {rf, "tele/rfbridge/RFRECEIVED", `{"RfReceived":{"Data":7350482,"Bits":24}}`, press("RfReceived", "RF 0x7028D2")},
		"a stranger's RF code": {rf, "tele/rfbridge/RESULT", `{"RfReceived":{"Data":"0x112233"}}`, nil},
		"bridge's heartbeat":   {rf, "tele/rfbridge/STATE", `{"Time":"2020-05-27T18:59:06","Uptime":"0T00:10:15"}`, nil},
		"siren sounds":         {siren, "stat/tasmota_alley1/RESULT", `{"POWER":"ON"}`, state(signal.Sounding, "POWER1", "POWER=ON")},
		"siren quiet":          {siren, "stat/tasmota_alley1/POWER", `OFF`, state(signal.Quiet, "POWER1", "POWER=OFF")},
		"siren with index":     {siren, "stat/tasmota_alley1/RESULT", `{"POWER1":"ON"}`, state(signal.Sounding, "POWER1", "POWER=ON")},
		"siren in telemetry":   {siren, "tele/tasmota_alley1/STATE", `{"Time":"2021-01-01T00:00:00","Uptime":"0T00:10:15","POWER":"ON"}`, state(signal.Sounding, "POWER1", "POWER=ON")},
		"drill begins":         {siren, "stat/tasmota_alley1/RESULT", `{"POWER":"Blink ON"}`, state(signal.Sounding, "POWER1", "POWER=Blink ON")},
		"drill ends":           {siren, "stat/tasmota_alley1/RESULT", `{"POWER":"Blink OFF"}`, state(signal.Quiet, "POWER1", "POWER=Blink OFF")},
		"another relay":        {siren, "stat/tasmota_alley1/RESULT", `{"POWER2":"ON"}`, nil},
		"second relay":         {second, "stat/tasmota_alley1/POWER2", `ON`, state(signal.Sounding, "POWER2", "POWER=ON")},
		"answer to PulseTime":  {siren, "stat/tasmota_alley1/RESULT", `{"PulseTime1":{"Set":280,"Remaining":280}}`, nil},
		"online":               {button, "tele/tasmota_alley1/LWT", `Online`, state(signal.Online, "LWT", "Online")},
		"offline":              {button, "tele/tasmota_alley1/LWT", `Offline`, state(signal.Offline, "LWT", "Offline")},
		"LWT withdrawn":        {button, "tele/tasmota_alley1/LWT", ``, nil},
		"heartbeat":            {button, "tele/tasmota_alley1/STATE", `{"Time":"2021-01-01T00:00:00","POWER":"ON"}`, []dialect.Reading{{Kind: signal.Heartbeat, Property: "STATE"}}},
		"not its topic":        {button, "stat/tasmota_alley2/RESULT", `{"Button1":{"Action":"SINGLE"}}`, nil},
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

func TestTimeWithoutZoneIsNotTrusted(t *testing.T) {
	d := dialect.Device{Kind: signal.Button, Topic: "t"}
	for text, want := range map[string]time.Time{
		"2026-03-01T10:00:00":       {},
		"2026-03-01T10:00:00+07:00": time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC),
	} {
		got, err := Dialect{}.Decode(d, dialect.Message{Topic: "tele/t/STATE", Payload: []byte(`{"Time":"` + text + `"}`)})
		if err != nil || len(got) != 1 || !got[0].SeenAt.Equal(want) {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestUnreadableIsAnErrorForThePeople(t *testing.T) {
	button := dialect.Device{Kind: signal.Button, Topic: "t"}
	siren := dialect.Device{Kind: signal.Siren, Topic: "t"}
	for _, tc := range []struct {
		d              dialect.Device
		topic, payload string
		says           string
	}{
		{button, "stat/t/RESULT", `not JSON`, "RESULT is not a JSON object"},
		{button, "stat/t/RESULT", `{"Button1":{"Action":"WIGGLE"}}`, `Button1 says "WIGGLE"`},
		{button, "stat/t/RESULT", `{"Switch1":{"Action":"WIGGLE"}}`, `Switch1 says "WIGGLE"`},
		{siren, "stat/t/POWER", `MAYBE`, `POWER1 says "MAYBE"`},
		{button, "tele/t/LWT", `Perhaps`, `LWT says "Perhaps"`},
		{button, "tele/t/RESULT", `{"RfReceived":{"Data":"0x7028D2"}}`, "t/0x7028D2"},
		{button, "tele/t/RESULT", `{"RfReceived":{"Data":"zz"}}`, "RfReceived Data"},
	} {
		got, err := Dialect{}.Decode(tc.d, dialect.Message{Topic: tc.topic, Payload: []byte(tc.payload)})
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %s: got %v, %v; want an error with %q", tc.topic, tc.payload, got, err, tc.says)
		}
	}
}

func TestKnownButtonIgnoresPeriodicSensor(t *testing.T) {
	m := dialect.Message{Topic: "alley1/tele/SENSOR", Payload: []byte(`{"Time":"2021-01-01T00:00:00","Khoi":"BAT"}`)}
	d := dialect.Device{Kind: signal.Button, Topic: "alley1", Capabilities: json.RawMessage(discovery)}
	got, err := Dialect{}.Decode(d, m)
	if want := []dialect.Reading{{Kind: signal.Heartbeat, Property: "SENSOR"}}; err != nil || !cmp.Equal(want, got) {
		t.Errorf("SwitchMode 1 reports as RESULT; SENSOR gave %v, %v", got, err)
	}
	d.Capabilities = json.RawMessage(strings.Replace(discovery, `"swc":[1,`, `"swc":[15,`, 1))
	got, err = Dialect{}.Decode(d, m)
	if err != nil || len(got) != 1 || got[0].Kind != signal.Alarm || !got[0].Level {
		t.Errorf("SwitchMode 15 reports in SENSOR only; got %v, %v", got, err)
	}
}

func TestTopics(t *testing.T) {
	for topic, tc := range map[string]struct {
		kind signal.DeviceKind
		want []string
	}{
		"a/Button2":    {signal.Button, []string{"stat/a/RESULT", "tele/a/RESULT", "tele/a/LWT", "tele/a/STATE", "tele/a/SENSOR", "stat/a/BUTTON2"}},
		"a/b/Switch1":  {signal.Smoke, []string{"stat/a/b/RESULT", "tele/a/b/RESULT", "tele/a/b/LWT", "tele/a/b/STATE", "tele/a/b/SENSOR", "stat/a/b/SWITCH1"}},
		"rf/0x7028D2":  {signal.Button, []string{"stat/rf/RESULT", "tele/rf/RESULT", "tele/rf/LWT", "tele/rf/STATE", "tele/rf/SENSOR", "tele/rf/RFRECEIVED"}},
		"plug":         {signal.Siren, []string{"stat/plug/RESULT", "tele/plug/RESULT", "tele/plug/LWT", "tele/plug/STATE", "tele/plug/SENSOR", "stat/plug/POWER", "stat/plug/POWER1"}},
		"plug/POWER1":  {signal.Siren, []string{"stat/plug/RESULT", "tele/plug/RESULT", "tele/plug/LWT", "tele/plug/STATE", "tele/plug/SENSOR", "stat/plug/POWER", "stat/plug/POWER1"}},
		"strip/POWER3": {signal.Siren, []string{"stat/strip/RESULT", "tele/strip/RESULT", "tele/strip/LWT", "tele/strip/STATE", "tele/strip/SENSOR", "stat/strip/POWER3"}},
	} {
		if diff := cmp.Diff(tc.want, Dialect{}.Topics(dialect.Device{Kind: tc.kind, Topic: topic})); diff != "" {
			t.Errorf("%s: %s", topic, diff)
		}
	}
	got := Dialect{}.Topics(dialect.Device{Kind: signal.Siren, Topic: "alley1", Capabilities: json.RawMessage(discovery)})
	if got[0] != "alley1/stat/RESULT" {
		t.Errorf("FullTopic of discovery not followed: %v", got)
	}
	got = Dialect{}.Topics(dialect.Device{Kind: signal.Siren, Topic: "alley2", Capabilities: json.RawMessage(discovery)})
	if got[0] != "stat/alley2/RESULT" {
		t.Errorf("another device's discovery followed: %v", got)
	}
}

// commands writes messages as "topic payload" lines.
func commands(t *testing.T, d dialect.Device, w dialect.Want) []string {
	t.Helper()
	messages, err := Dialect{}.Command(d, w)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range messages {
		if m.Retain {
			t.Errorf("%s is retained: a stale command would ring", m.Topic)
		}
		lines = append(lines, m.Topic+" "+string(m.Payload))
	}
	return lines
}

func TestCommand(t *testing.T) {
	plug := dialect.Device{Kind: signal.Siren, Topic: "plug"}
	third := dialect.Device{Kind: signal.Siren, Topic: "strip/POWER3"}
	known := dialect.Device{Kind: signal.Lamp, Topic: "alley1", Capabilities: json.RawMessage(discovery)}
	for name, tc := range map[string]struct {
		d    dialect.Device
		w    dialect.Want
		want []string
	}{
		"alarm":      {plug, dialect.Want{Sounding: true, Duration: 3 * time.Minute, Pattern: dialect.AlarmPattern}, []string{"cmnd/plug/PulseTime1 280", "cmnd/plug/POWER ON"}},
		"origin":     {third, dialect.Want{Sounding: true, Duration: 3 * time.Minute, Pattern: dialect.OriginPattern}, []string{"cmnd/strip/PulseTime3 280", "cmnd/strip/POWER3 ON"}},
		"bell test":  {plug, dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.TestPattern}, []string{"cmnd/plug/PulseTime1 10", "cmnd/plug/POWER ON"}},
		"all calm":   {plug, dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.CalmPattern}, []string{"cmnd/plug/PulseTime1 40", "cmnd/plug/POWER ON"}},
		"drill":      {plug, dialect.Want{Sounding: true, Duration: 31 * time.Second, Pattern: dialect.DrillPattern}, []string{"cmnd/plug/BlinkTime 10", "cmnd/plug/BlinkCount 16", "cmnd/plug/POWER BLINK"}},
		"unsaid":     {plug, dialect.Want{Sounding: true}, []string{"cmnd/plug/PulseTime1 280", "cmnd/plug/POWER ON"}},
		"quiet":      {third, dialect.Want{}, []string{"cmnd/strip/POWER3 OFF"}},
		"full topic": {known, dialect.Want{}, []string{"alley1/cmnd/POWER OFF"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, commands(t, tc.d, tc.w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPulseTimeIsNeverShorterThanAsked(t *testing.T) {
	for d, want := range map[time.Duration]int{
		time.Millisecond: 1, time.Second: 10, 11100 * time.Millisecond: 111, 11101 * time.Millisecond: 112,
		12 * time.Second: 112, 3 * time.Minute: 280, 180*time.Second + 1: 281, 100 * time.Hour: 64900,
	} {
		if got := pulseTime(d); got != want {
			t.Errorf("pulseTime(%v) = %d, want %d", d, got, want)
		}
	}
}

func TestOnlyARelayCanBeCommanded(t *testing.T) {
	sound := dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.AlarmPattern}
	for _, d := range []dialect.Device{
		{Kind: signal.Button, Topic: "t"}, {Kind: signal.Siren, Topic: "t/Button1"}, {Kind: signal.Siren, Topic: "rf/0x7028D2"},
	} {
		if m, err := (Dialect{}).Command(d, sound); err == nil {
			t.Errorf("%s %s: commanded with %v", d.Kind, d.Topic, m)
		}
	}
}

func TestEchoOfOwnCommandIsNeverAnAlarm(t *testing.T) {
	echoes := []dialect.Message{
		{Topic: "stat/t/RESULT", Payload: []byte(`{"POWER":"ON"}`)},
		{Topic: "stat/t/RESULT", Payload: []byte(`{"POWER1":"OFF"}`)},
		{Topic: "stat/t/RESULT", Payload: []byte(`{"POWER":"Blink ON"}`)},
		{Topic: "stat/t/POWER", Payload: []byte(`ON`)},
		{Topic: "stat/t/RESULT", Payload: []byte(`{"PulseTime1":{"Set":280,"Remaining":280}}`)},
		{Topic: "stat/t/RESULT", Payload: []byte(`{"BlinkCount":16}`)},
		{Topic: "tele/t/STATE", Payload: []byte(`{"POWER":"ON"}`)},
		{Topic: "cmnd/t/POWER", Payload: []byte(`ON`)},
		{Topic: "cmnd/t/PulseTime1", Payload: []byte(`280`)},
	}
	for _, k := range signal.DeviceKinds {
		for _, topic := range []string{"t", "t/POWER1", "t/POWER2", "t/Button1", "t/Switch1", "t/0x7028D2"} {
			for _, m := range echoes {
				got, err := Dialect{}.Decode(dialect.Device{Kind: k, Topic: topic}, m)
				for _, r := range got {
					if r.Kind == signal.Alarm || r.Kind == signal.Test {
						t.Errorf("%s %s: %s %s rang (%v, %v)", k, topic, m.Topic, m.Payload, r, err)
					}
				}
			}
		}
	}
}

func TestDiscovery(t *testing.T) {
	m := dialect.Message{Topic: "tasmota/discovery/DC4F22A1B2C3/config", Payload: []byte(discovery), Retain: true}
	got, err := Dialect{}.DecodeHub(m)
	if err != nil {
		t.Fatal(err)
	}
	raw := json.RawMessage(discovery)
	want := dialect.HubReport{Found: []dialect.Found{
		{Topic: "alley1", Name: "Ngõ 12", Model: "Sonoff Basic", Kind: signal.Siren, Capabilities: raw},
		{Topic: "alley1/POWER1", Capabilities: raw},
		{Topic: "alley1/POWER", Capabilities: raw},
		{Topic: "alley1/Button1", Name: "Ngõ 12 Button1", Model: "Sonoff Basic", Kind: signal.Button, Capabilities: raw},
		{Topic: "alley1/Switch1", Name: "Ngõ 12 Switch1", Model: "Sonoff Basic", Kind: signal.Contact, Capabilities: raw},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m.Payload[0] = 'x' // the broker reuses its buffer
	if !json.Valid(got.Found[0].Capabilities) {
		t.Error("capabilities share the message's buffer")
	}
}

func TestDiscoveryOfOnePartMeansTheTopic(t *testing.T) {
	for payload, want := range map[string][]string{
		`{"t":"b","md":"Generic","rl":[0],"btn":[1,0],"swc":[-1]}`:   {"b button", "b/Button1 "},
		`{"t":"b","md":"Generic","rl":[0],"btn":[1,1],"swc":[-1]}`:   {"b hub", "b/Button1 button", "b/Button2 button"},
		`{"t":"rf","md":"Sonoff Bridge","rl":[0],"btn":[],"swc":[]}`: {"rf hub"},
		`{"t":"p","md":"Plug","rl":[1,1],"btn":[],"swc":[]}`:         {"p siren", "p/POWER1 ", "p/POWER ", "p/POWER2 siren"},
		`{"t":"p","md":"Plug","rl":[0,1],"btn":[],"swc":[]}`:         {"p hub", "p/POWER2 siren"},
	} {
		got, err := Dialect{}.DecodeHub(dialect.Message{Topic: "tasmota/discovery/1/config", Payload: []byte(payload)})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, f := range got.Found {
			lines = append(lines, f.Topic+" "+string(f.Kind))
		}
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("%s: %s", payload, diff)
		}
	}
}

func TestDiscoveryThatSaysNothing(t *testing.T) {
	for _, m := range []dialect.Message{
		{Topic: "tasmota/discovery/1/config"},
		{Topic: "tasmota/discovery/1/sensors", Payload: []byte(`{"sn":{"Time":"2021-01-01T00:00:00"},"ver":1}`)},
	} {
		if got, err := (Dialect{}).DecodeHub(m); err != nil || len(got.Found) != 0 {
			t.Errorf("%s: %v, %v", m.Topic, got, err)
		}
	}
	for _, payload := range []string{`{`, `{}`, `[]`} {
		if _, err := (Dialect{}).DecodeHub(dialect.Message{Topic: "tasmota/discovery/1/config", Payload: []byte(payload)}); err == nil {
			t.Errorf("%s was taken for a config", payload)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("stat/t/RESULT", []byte(`{"Button1":{"Action":"SINGLE"},"POWER":"ON","Time":"2021-01-01T00:00:00"}`), "t", []byte(nil))
	f.Add("tele/t/RESULT", []byte(`{"RfReceived":{"Data":"0x7028D2"}}`), "t/0x7028D2", []byte(nil))
	f.Add("alley1/stat/RESULT", []byte(`{"Khoi":{"Action":"BAT"}}`), "alley1", []byte(discovery))
	f.Add("tele/t/LWT", []byte(`Online`), "t/POWER2", []byte(`{"t":"t","ft":"%topic%"}`))
	f.Fuzz(func(t *testing.T, topic string, payload []byte, own string, capabilities []byte) {
		for _, k := range []signal.DeviceKind{signal.Button, signal.Smoke, signal.Siren, signal.Hub} {
			d := dialect.Device{Kind: k, Topic: own, Capabilities: capabilities}
			_ = Dialect{}.Topics(d)
			readings, err := Dialect{}.Decode(d, dialect.Message{Topic: topic, Payload: payload})
			if err != nil && err.Error() == "" {
				t.Error("an error without a text")
			}
			for _, r := range readings {
				if r.Kind == signal.Alarm && (isRelay(k) || k == signal.Hub) {
					t.Errorf("a %s rang: %v", k, r)
				}
			}
			_, _ = Dialect{}.Command(d, dialect.Want{Sounding: true, Duration: time.Minute, Pattern: dialect.DrillPattern})
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(discovery))
	f.Add([]byte(`{"t":"b","rl":[1,2,3],"fn":[null]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		report, err := Dialect{}.DecodeHub(dialect.Message{Topic: "tasmota/discovery/x/config", Payload: payload})
		if err == nil && len(payload) > 0 && len(report.Found) == 0 {
			t.Error("a readable config that finds nothing")
		}
	})
}
