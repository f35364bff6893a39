package plainjson_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/plainjson"
	"github.com/keng-vn/keng/internal/signal"
)

var j plainjson.Dialect

const topic = "keng/g1-h1-button"

func decode(k signal.DeviceKind, below, payload string) ([]dialect.Reading, error) {
	d := dialect.Device{ID: "g1-h1-button", Kind: k, Topic: topic}
	return j.Decode(d, dialect.Message{Topic: topic + below, Payload: []byte(payload)})
}

// brief writes readings as "alarm fire fire", without the sign of life; * marks
// a state that holds.
func brief(readings []dialect.Reading) []string {
	list := []string{}
	for _, r := range readings {
		level := ""
		if r.Level {
			level = "*"
		}
		if r.Kind != signal.Heartbeat {
			list = append(list, strings.Join(strings.Fields(string(r.Kind)+level+" "+string(r.Category)), " "))
		}
	}
	return list
}

// TestDecodeSaysWhatWasMeant: one line per way to say it.
func TestDecodeSaysWhatWasMeant(t *testing.T) {
	none := []string{}
	panics := []string{"alarm panic"}
	for _, c := range []struct {
		kind    signal.DeviceKind
		payload string
		want    []string
	}{
		// a button in bare words
		{"button", `press`, panics},
		{"button", `"pressed"`, panics},
		{"button", `ON`, panics},
		{"button", `alarm`, panics},
		{"button", `1`, panics},
		{"button", `true`, panics},
		{"button", `double_click`, panics},
		{"button", `button_pressed`, panics},
		{"button", `báo động`, panics},
		{"button", `SOS`, panics},
		{"button", `cháy`, []string{"alarm fire"}},
		{"button", `trom`, []string{"alarm intrusion"}},
		{"button", `OFF`, none},
		{"button", `0`, none},
		{"button", `false`, none},
		{"button", `released`, none},
		{"button", `button_released`, none},
		{"button", `online`, []string{"online*"}},
		{"button", `offline`, []string{"offline*"}},
		{"button", `heartbeat`, none},
		{"button", `test`, []string{"test"}},
		// a button in objects
		{"button", `{"event":"press","kind":"fire","id":"17"}`, []string{"alarm fire"}},
		{"button", `{"action":"single"}`, panics},
		{"button", `{"pressed":true}`, panics},
		{"button", `{"button":2}`, panics},
		{"button", `{"state":"ON"}`, panics},
		{"button", `{"value":1}`, panics},
		{"button", `{"alarm":"fire"}`, []string{"alarm fire"}},
		{"button", `{"n":1,"ts":1700000000,"k":"fire"}`, []string{"alarm fire"}},
		{"button", `{"event":"press","k":"cấp cứu"}`, []string{"alarm medical"}},
		{"button", `{"event":"press","category":"holdup"}`, []string{"alarm holdup"}},
		{"button", `{"event":"press","type":"cuop"}`, []string{"alarm holdup"}},
		{"button", `{"type":"button","event":"press","battery":80}`, []string{"alarm panic", "battery_ok*"}},
		{"button", `{"EVENT":"PRESS"}`, panics},
		{"button", `{"sos":true}`, panics},
		{"button", `{"fire":1}`, []string{"alarm fire"}},
		{"button", `{"event":"button"}`, panics},
		{"button", `{"event":"alarm","kind":"technical"}`, []string{"alarm technical"}},
		{"button", `{"event":"press","kind":"gas"}`, []string{"alarm gas"}},
		{"button", `{"event":"press","kind":"co"}`, []string{"alarm co"}},
		{"button", `{"event":"press","kind":"flood"}`, []string{"alarm flood"}},
		{"button", `{"event":"press","kind":"thief"}`, []string{"alarm intrusion"}},
		{"button", `{"event":"press","kind":"sos"}`, panics},
		{"button", `{"event":"press","kind":"other"}`, []string{"alarm other"}},
		{"button", `{"state":"OFF"}`, none},
		{"button", `{"pressed":false}`, none},
		{"button", `{"fire":false}`, none},
		{"button", `{"action":"hold_release"}`, none},
		{"button", `{"kind":"fire","battery":90}`, []string{"battery_ok*"}},
		{"button", `{"kind":"fire","event":"heartbeat"}`, none},
		{"button", `{"kind":"button","uptime":123}`, none},
		{"button", `{"alive":true}`, none},
		{"button", `{"event":"heartbeat"}`, none},
		{"button", `{"status":"ok","rssi":-60}`, none},
		{"button", `{"event":"restore"}`, []string{"restore panic"}},
		{"button", `{"contact":false,"uptime":1}`, none},
		{"button", `{"value":23.5}`, none},
		{"button", `{"event":"tamper"}`, []string{"tamper*"}},
		{"button", `{}`, none},
		{"button", `null`, none},
		// detectors hold their state
		{"smoke", `{"smoke":true,"battery":12,"tamper":false}`, []string{"alarm* fire", "low_battery*", "tamper_restore*"}},
		{"smoke", `{"smoke":false}`, []string{"restore* fire"}},
		{"smoke", `{"smoke":1}`, []string{"alarm* fire"}},
		{"smoke", `{"smoke":417}`, none},
		{"smoke", `{"alarm":true}`, []string{"alarm* fire"}},
		{"smoke", `{"alarm":false}`, []string{"restore* fire"}},
		{"smoke", `{"state":"ON"}`, []string{"alarm* fire"}},
		{"smoke", `ON`, []string{"alarm* fire"}},
		{"smoke", `OFF`, []string{"restore* fire"}},
		{"smoke", `{"event":"restore"}`, []string{"restore* fire"}},
		{"smoke", `{"event":"alarm","kind":"gas"}`, []string{"alarm* gas"}},
		{"smoke", `{"state":"ON","smoke":false}`, []string{"restore* fire"}},
		{"smoke", `{"smoke":true,"co":false}`, []string{"restore* co", "alarm* fire"}},
		{"smoke", `{"smoke":false,"event":"alarm"}`, []string{"alarm* fire"}},
		{"smoke", `{"kind":"smoke","uptime":5}`, none},
		{"smoke", `{"status":"ok"}`, none},
		{"smoke", `smoke_detected`, []string{"alarm* fire"}},
		{"smoke", `no_smoke`, []string{"restore* fire"}},
		{"smoke", `{"smoke":"smoke_test"}`, []string{"test"}},
		{"smoke", `{"test":true}`, []string{"test*"}},
		{"smoke", `{"fault":"sensor dirty"}`, []string{"fault*"}},
		{"smoke", `{"fault":false,"error":null}`, []string{"fault_restore*"}},
		{"smoke", `{"battery":"low"}`, []string{"low_battery*"}},
		{"smoke", `{"battery":3300}`, none},
		{"gas", `{"gas":1}`, none},
		{"gas", `{"gas":true}`, []string{"alarm* gas"}},
		{"gas", `{"co":35,"gas_leak":"ON"}`, []string{"alarm* gas"}},
		{"co", `{"carbon_monoxide":"ON"}`, []string{"alarm* co"}},
		{"water", `{"leak":true}`, []string{"alarm* flood"}},
		{"heat", `{"alarm":"ON"}`, []string{"alarm* fire"}},
		{"contact", `{"contact":false}`, []string{"alarm* intrusion"}},
		{"contact", `{"contact":true}`, []string{"restore* intrusion"}},
		{"contact", `{"contact":"closed"}`, []string{"restore* intrusion"}},
		{"contact", `{"open":true}`, []string{"alarm* intrusion"}},
		{"contact", `{"door":"open"}`, []string{"alarm* intrusion"}},
		{"contact", `closed`, []string{"restore* intrusion"}},
		{"motion", `{"motion":true}`, []string{"alarm* intrusion"}},
		{"motion", `{"pir":0}`, []string{"restore* intrusion"}},
		// sirens and lamps only echo
		{"siren", `{"state":"ON","duration":180,"pattern":"alarm"}`, []string{"sounding*"}},
		{"siren", `{"state":"OFF"}`, []string{"quiet*"}},
		{"siren", `ON`, []string{"sounding*"}},
		{"siren", `{"siren":true}`, []string{"sounding*"}},
		{"siren", `{"alarm":true,"smoke":true}`, []string{"sounding*"}},
		{"siren", `alarm`, []string{"sounding*"}},
		{"siren", `{"event":"press","kind":"fire"}`, []string{"sounding*"}},
		{"lamp", `{"power":0}`, []string{"quiet*"}},
	} {
		got, err := decode(c.kind, "", c.payload)
		slicesSort := cmp.Transformer("sorted", sorted)
		if diff := cmp.Diff(c.want, brief(got), slicesSort); err != nil || diff != "" {
			t.Errorf("%s: %s: %v\n%s", c.kind, c.payload, err, diff)
		}
		if n := len(got); err == nil && (n == 0 || got[n-1].Kind != signal.Heartbeat) && c.payload != "offline" {
			t.Errorf("%s: %s: no sign of life last", c.kind, c.payload)
		}
	}
}

func sorted(list []string) string {
	return strings.Join(sortedCopy(list), "; ")
}

// TestDecodeGivesEveryField pins a press in full.
func TestDecodeGivesEveryField(t *testing.T) {
	at := time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)
	got, err := decode(signal.Button, "/event", `{"n":17,"ts":1700000000,"event":"press","kind":"fire"}`)
	want := []dialect.Reading{
		{Kind: signal.Alarm, Category: signal.Fire, Property: "fire", Seq: "17", SeenAt: at, Value: "press"},
		{Kind: signal.Heartbeat, Seq: "17", SeenAt: at, Value: "sign of life"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestSenderTime in seconds, milliseconds and RFC 3339; a clock never set is none.
func TestSenderTime(t *testing.T) {
	at := time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)
	for said, want := range map[string]time.Time{
		`"ts":1700000000`: at, `"time":1700000000000`: at, `"at":"2023-11-15T05:13:20+07:00"`: at, `"timestamp":"1700000000"`: at,
		`"ts":1700000000.5`: at.Add(500 * time.Millisecond), `"ts":12`: {}, `"time":"12:30:05"`: {}, `"ts":-1`: {}, `"ts":1e99`: {}, `"ts":true`: {},
	} {
		got, err := decode(signal.Button, "", `{"pressed":true,`+said+`}`)
		if err != nil || !got[0].SeenAt.Equal(want) {
			t.Errorf("%s: %v %v, want %v", said, got, err, want)
		}
	}
}

// TestSenderNumber: what numbers a press, and an id that only names the device.
func TestSenderNumber(t *testing.T) {
	for said, want := range map[string]string{
		`"id":"17"`: "17", `"seq":5`: "5", `"n":0`: "0", `"nonce":"x9"`: "x9", `"uuid":"0198a-1"`: "0198a-1", `"id":"esp","n":3`: "3",
		`"n":9007199254740993`: "9007199254740993", `"id":"g1-h1-button"`: "", `"id":"keng/g1-h1-button"`: "", `"id":"A4:CF:12:00:9B:01"`: "",
		`"id":{"a":1}`: "", `"x":1`: "",
	} {
		got, err := decode(signal.Button, "", `{"pressed":true,`+said+`}`)
		if err != nil || got[0].Seq != want {
			t.Errorf("%s: %v %v, want %q", said, got, err, want)
		}
	}
}

// TestTopics: its own first, then what people use below it.
func TestTopics(t *testing.T) {
	got := j.Topics(dialect.Device{Topic: "a"})
	if diff := cmp.Diff([]string{"a", "a/state", "a/event", "a/status", "a/availability"}, got); diff != "" {
		t.Error(diff)
	}
	for payload, want := range map[string]signal.Kind{`online`: "online", `{"state":"offline"}`: "offline", `1`: "online", `ON`: "online", `false`: "offline", `{"online":true}`: "online"} {
		for _, k := range []signal.DeviceKind{"button", "siren", "smoke"} {
			got, err := decode(k, "/availability", payload)
			if err != nil || got[0].Kind != want {
				t.Errorf("%s on availability: %v %v, want %s", payload, brief(got), err, want)
			}
		}
	}
}

// TestWhatIsNotUnderstoodIsExplained: with what was received and what would be.
func TestWhatIsNotUnderstoodIsExplained(t *testing.T) {
	for payload, word := range map[string]string{
		`xyzzy`: "xyzzy", `{"event":"xyzzy"}`: "xyzzy", `{"foo":1,"bar":2}`: "bar, foo", `{"event":"pr`: "cut short", `[{"event":"press"}]`: "list",
		`{"smoke":"maybe"}`: "maybe", `23.5`: "23.5", `có người`: "người", `{"event":"press"}{"event":"press"}`: "more follows",
	} {
		got, err := decode(signal.Button, "", payload)
		if err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), `{"event":"press"}`) || len(got) > 0 {
			t.Errorf("%s: %v %v", payload, got, err)
		}
	}
	if _, err := decode(signal.Button, "/availability", "asleep"); err == nil {
		t.Error("asleep is understood")
	}
	if got, err := decode(signal.Button, "", `{"event":"press","value":"xyzzy"}`); err != nil || got[0].Kind != signal.Alarm {
		t.Errorf("a press beside a doubt: %v %v", got, err)
	}
	if got, err := decode(signal.Button, "", " "); got != nil || err != nil {
		t.Errorf("nothing: %v %v", got, err)
	}
}

// TestCommand: on topic/set, with duration and pattern, and only what can sound.
func TestCommand(t *testing.T) {
	siren := dialect.Device{Kind: signal.Siren, Topic: "keng/coi"}
	for _, c := range []struct {
		w    dialect.Want
		want string
	}{
		{dialect.Want{Sounding: true, Duration: 180 * time.Second, Pattern: dialect.AlarmPattern}, `{"state":"ON","duration":180,"pattern":"alarm"}`},
		{dialect.Want{Sounding: true, Duration: 200 * time.Millisecond, Pattern: dialect.TestPattern}, `{"state":"ON","duration":1,"pattern":"test"}`},
		{dialect.Want{Sounding: true}, `{"state":"ON","duration":180}`},
		{dialect.Want{}, `{"state":"OFF"}`},
	} {
		got, err := j.Command(siren, c.w)
		want := []dialect.Message{{Topic: "keng/coi/set", Payload: []byte(c.want)}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
	}
	for _, d := range []dialect.Device{{Kind: signal.Button, Topic: "x"}, {Kind: signal.Siren}} {
		if got, err := j.Command(d, dialect.Want{Sounding: true}); err == nil {
			t.Errorf("%+v obeys: %s", d, got[0].Payload)
		}
	}
}

// TestConfirms: only when it is said.
func TestConfirms(t *testing.T) {
	for caps, want := range map[string]bool{``: false, `{"confirms":true}`: true, `{"confirms":false}`: false, `{"confirms":"x"}`: false, `[`: false} {
		if got := j.Confirms(dialect.Device{Kind: signal.Siren, Capabilities: []byte(caps)}); got != want {
			t.Errorf("%s: %v", caps, got)
		}
	}
}

// TestCommandEchoedIsNoAlarm for every pattern, on every topic.
func TestCommandEchoedIsNoAlarm(t *testing.T) {
	for _, k := range []signal.DeviceKind{signal.Siren, signal.Lamp} {
		for _, p := range []dialect.Pattern{"alarm", "origin", "drill", "test", "all_calm"} {
			for _, sounding := range []bool{true, false} {
				d := dialect.Device{Kind: k, Topic: topic}
				order, err := j.Command(d, dialect.Want{Sounding: sounding, Duration: time.Minute, Pattern: p})
				if err != nil {
					t.Fatal(err)
				}
				want := signal.Quiet
				if sounding {
					want = signal.Sounding
				}
				for _, on := range j.Topics(d)[:4] {
					got, err := j.Decode(d, dialect.Message{Topic: on, Payload: order[0].Payload})
					if err != nil || got[0].Kind != want {
						t.Errorf("%s on %s: %v %v", order[0].Payload, on, brief(got), err)
					}
				}
			}
		}
	}
}

// TestDocumentedMessages tries the table of docs/devices.md.
func TestDocumentedMessages(t *testing.T) {
	page, err := os.ReadFile("../../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Plain JSON\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1)
	if !found || len(rows) < 20 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		got, err := decode(signal.DeviceKind(row[1]), "", row[2])
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
