package zigbee2mqtt_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// The catalogue test knows nothing of the decoder: it reads each model's exposes
// as a person would who has the Zigbee2MQTT documentation beside him, makes every
// message that the device can send, says what it must mean, and compares.

// model is one entry of KENG_FIXTURES/zigbee2mqtt/device-catalogue.json.
type model struct {
	Model       string
	Description string
	Classes     []string // smoke, co, gas, water, button, panic_button, siren
	Exposes     []thing
}

// thing is an expose.
type thing struct {
	Type, Name, Property string
	Access               *int
	Values               []any
	ValueOn              any      `json:"value_on"`
	ValueOff             any      `json:"value_off"`
	ValueMin             *float64 `json:"value_min"`
	ValueMax             *float64 `json:"value_max"`
	Unit                 string
	Features             []thing
}

func (x thing) key() string {
	if x.Property != "" {
		return x.Property
	}
	return x.Name
}

// may reports an access bit: 1 published, 2 settable. Features of a switch or
// light list none in the catalogue and have them all.
func (x thing) may(bit int) bool { return x.Access == nil || *x.Access&bit != 0 }

// catalogue reads the fixtures or skips the test.
func catalogue(t *testing.T) []model {
	t.Helper()
	dir := os.Getenv("KENG_FIXTURES")
	if dir == "" {
		t.Skip("KENG_FIXTURES is not set")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "zigbee2mqtt", "device-catalogue.json"))
	if err != nil {
		t.Fatal(err)
	}
	var models []model
	if err := json.Unmarshal(raw, &models); err != nil {
		t.Fatal(err)
	}
	return models
}

// capabilities are the exposes as discovery hands them on.
func (m model) capabilities(t *testing.T) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(m.Exposes)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// MarshalJSON writes a thing back in Zigbee2MQTT's own names.
func (x thing) MarshalJSON() ([]byte, error) {
	out := map[string]any{"type": x.Type}
	put := func(k string, v any, is bool) {
		if is {
			out[k] = v
		}
	}
	put("name", x.Name, x.Name != "")
	put("property", x.Property, x.Property != "")
	put("access", x.Access, x.Access != nil)
	put("values", x.Values, x.Values != nil)
	put("value_on", x.ValueOn, x.ValueOn != nil)
	put("value_off", x.ValueOff, x.ValueOff != nil)
	put("value_min", x.ValueMin, x.ValueMin != nil)
	put("value_max", x.ValueMax, x.ValueMax != nil)
	put("unit", x.Unit, x.Unit != "")
	put("features", x.Features, x.Features != nil)
	return json.Marshal(out)
}

// plainThings takes specific exposes (switch, light) apart.
func plainThings(list []thing) []thing {
	var flat []thing
	for _, x := range list {
		if len(x.Features) > 0 && x.Type != "composite" {
			flat = append(flat, plainThings(x.Features)...)
			continue
		}
		flat = append(flat, x)
	}
	return flat
}

// notDevices are entries whose class is a guess of the catalogue's that is wrong.
var notDevices = map[string]string{
	"MiCASAGasCounter gas": "a gas meter: gas is the volume in cubic metres",
	"ZHEMI101 gas":         "an energy, gas and water meter: gas is the volume in cubic metres",
	"FFZB1-SM-ECO siren":   "a listener for the sound of smoke alarms: it has nothing that can be set",
}

// calm is what x says when all is well, nil when it says nothing then.
func calm(x thing) any {
	switch x.Type {
	case "binary":
		return x.ValueOff
	case "enum":
		for _, v := range x.Values {
			if w := fmt.Sprint(v); slices.Contains([]string{"normal", "none", "safe", "no_fault_detected", "inactive", "off", "stop", "Ok", "high", "success"}, w) {
				return v
			}
		}
	case "numeric":
		if x.ValueMax != nil {
			return *x.ValueMax
		}
		return 42.0
	}
	return nil
}

// everyday is the message that a healthy device sends when nothing happens.
func everyday(m model) map[string]any {
	said := map[string]any{"linkquality": 120, "last_seen": "2026-03-01T15:32:45.941Z"}
	for _, x := range plainThings(m.Exposes) {
		if v := calm(x); v != nil && x.may(1) && !strings.HasPrefix(x.key(), "action") {
			said[x.key()] = v
		}
	}
	return said
}

// dangers says which property of a class is its danger, and which danger.
var dangers = map[string]struct {
	kind     signal.DeviceKind
	category signal.Category
	name     *regexp.Regexp
}{
	"smoke":        {signal.Smoke, signal.Fire, regexp.MustCompile(`^(smoke|fire)(_state|_alarm_\d)?$|^heat$|^alarm_state$`)},
	"co":           {signal.CO, signal.Monoxide, regexp.MustCompile(`^carbon_monoxide(_alarm_\d)?$|^co_state$|^alarm_state$`)},
	"gas":          {signal.Gas, signal.GasLeak, regexp.MustCompile(`^gas(_alarm_\d|_sensor_state)?$`)},
	"water":        {signal.Water, signal.Flood, regexp.MustCompile(`^(active_)?water_leak(_l?\d|_zone_\d|_both_zones|_wire_\d|_alarm_\d)?$|^water$|leak_detect`)},
	"panic_button": {signal.Button, signal.Panic, regexp.MustCompile(`^sos(_alarm)?$|^panic$`)},
	"button":       {signal.Button, signal.Panic, regexp.MustCompile(`^sos(_alarm)?$|^panic$`)},
}

// alarmWords are the values of an enum that mean an alarm.
var alarmWords = []string{"alarm", "alarmed", "critical_alarm", "warning_alarm", "fire", "smoke", "carbon_monoxide"}

// alarmValues are the values of x that mean an alarm.
func alarmValues(x thing) []any {
	switch x.Type {
	case "binary":
		return []any{x.ValueOn}
	case "enum":
		var list []any
		for _, v := range x.Values {
			if slices.Contains(alarmWords, fmt.Sprint(v)) {
				list = append(list, v)
			}
		}
		return list
	}
	return nil
}

// pressWords are the actions of the catalogue that are a finger on a key; all
// other actions let go, turn, dim, arm, or edit scenes.
var pressWords = []string{
	"emergency", "panic", "sos", "single", "double", "triple", "quadruple", "quintuple", "many", "hold", "long", "on",
	"toggle", "pressed", "single_ext", "hold_ext", "single_long", "double_long", "triple_long", "slider_single", "slider_double",
	"slider_hold", "recall",
}

// keyNumber says which key of several was pressed.
var keyNumber = regexp.MustCompile(`^(button_)?\d+_`)

// tally counts what was tried.
type tally struct{ models, alarms, actions, commands, skipped int }

func (n tally) String() string {
	return fmt.Sprintf("%d models, %d alarm values, %d actions, %d commands; %d entries are no such device", n.models, n.alarms, n.actions, n.commands, n.skipped)
}

// decode reads said as sent by m in a home where it is of kind k. Before the hub
// has listed its devices the exposes are not known; what rings must be the same.
func decode(t *testing.T, m model, k signal.DeviceKind, said map[string]any) []dialect.Reading {
	t.Helper()
	payload, err := json.Marshal(said)
	if err != nil {
		t.Fatal(err)
	}
	d := dialect.Device{ID: "d", Kind: k, Topic: topic, Model: m.Model, Capabilities: m.capabilities(t)}
	got, err := z.Decode(d, dialect.Message{Topic: topic, Payload: payload})
	if err != nil {
		t.Errorf("%s as %s: %s: %v", m.Model, k, payload, err)
	}
	d.Capabilities = nil
	early, err := z.Decode(d, dialect.Message{Topic: topic, Payload: payload})
	if a, b := alarms(early), alarms(got); err != nil || !slices.Equal(a, b) {
		t.Errorf("%s as %s: %s: before discovery %v %v, after %v", m.Model, k, payload, a, err, b)
	}
	return got
}

// alarms are the alarms among readings, "fire smoke".
func alarms(readings []dialect.Reading) []string {
	var list []string
	for _, r := range readings {
		if r.Kind == signal.Alarm {
			list = append(list, string(r.Category)+" "+r.Property)
		}
	}
	return list
}

// TestCatalogueSaysWhatItMeans: every message of every detector and button.
func TestCatalogueSaysWhatItMeans(t *testing.T) {
	counts := map[string]*tally{}
	for _, m := range catalogue(t) {
		for _, class := range m.Classes {
			if counts[class] == nil {
				counts[class] = &tally{}
			}
			n := counts[class]
			switch {
			case notDevices[m.Model+" "+class] != "":
				n.skipped++
				continue
			case class == "siren":
				tryEcho(t, m, n)
			default:
				tryDetector(t, m, class, n)
			}
			n.models++
		}
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%-12s %v", class, counts[class])
	}
}

// tryDetector sends the everyday message of m, then each of its alarms and actions.
func tryDetector(t *testing.T, m model, class string, n *tally) {
	is := dangers[class]
	before := n.alarms + n.actions
	if got := alarms(decode(t, m, is.kind, everyday(m))); got != nil {
		t.Errorf("%s (%s): an everyday message rings: %v", m.Model, class, got)
	}
	for _, x := range plainThings(m.Exposes) {
		switch {
		case !x.may(1):
		case x.key() == "action" || strings.HasPrefix(x.key(), "action_l"):
			tryActions(t, m, is.kind, x, n)
		case !x.may(2) && x.Type != "numeric" && is.name.MatchString(x.key()):
			tryAlarm(t, m, is.kind, is.category, x, n)
		}
	}
	if n.alarms+n.actions == before {
		t.Errorf("%s (%s): nothing in its exposes is an alarm; is the class right?", m.Model, class)
	}
}

// tryAlarm sends each alarm value of x and the calm that follows.
func tryAlarm(t *testing.T, m model, k signal.DeviceKind, c signal.Category, x thing, n *tally) {
	for _, v := range alarmValues(x) {
		said := everyday(m)
		said[x.key()] = v
		got := alarms(decode(t, m, k, said))
		if want := string(c) + " " + x.key(); !slices.Equal(got, []string{want}) {
			t.Errorf("%s (%s): %s=%v is %v, want %s alone", m.Model, k, x.key(), v, got, want)
		}
		n.alarms++
	}
	if calm(x) == nil {
		return
	}
	restored := slices.ContainsFunc(decode(t, m, k, everyday(m)), func(r dialect.Reading) bool {
		return r.Kind == signal.Restore && r.Category == c && r.Property == x.key() && r.Level
	})
	if !restored {
		t.Errorf("%s (%s): %s=%v is no restore", m.Model, k, x.key(), calm(x))
	}
}

// tryActions does each thing that can be done to a button.
func tryActions(t *testing.T, m model, k signal.DeviceKind, x thing, n *tally) {
	pressed := false
	for _, v := range x.Values {
		said := everyday(m)
		said[x.key()] = v
		got := alarms(decode(t, m, k, said))
		var want []string
		if k == signal.Button && slices.Contains(pressWords, keyNumber.ReplaceAllString(fmt.Sprint(v), "")) {
			want, pressed = []string{"panic " + x.key()}, true
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s (%s): %s=%v is %v, want %v", m.Model, k, x.key(), v, got, want)
		}
		n.actions++
	}
	if k == signal.Button && !pressed {
		t.Errorf("%s: no action of this button is a press", m.Model)
	}
}

// tryEcho lets a siren say that it sounds, in every property that is about
// sounding, and expects [signal.Sounding] and no alarm.
func tryEcho(t *testing.T, m model, n *tally) {
	for _, x := range plainThings(m.Exposes) {
		if !x.may(1) || !regexp.MustCompile(`^alarm(_state|_\d|_alarm_\d)?$`).MatchString(x.key()) {
			continue
		}
		for _, v := range append(alarmValues(x), x.Values...) {
			said := everyday(m)
			said[x.key()] = v
			got := decode(t, m, signal.Siren, said)
			if a := alarms(got); a != nil {
				t.Errorf("%s: its own %s=%v rings: %v", m.Model, x.key(), v, a)
			}
			sounds := slices.ContainsFunc(got, func(r dialect.Reading) bool { return r.Kind == signal.Sounding })
			still := slices.Contains([]any{"off", "stop", "normal", "light", "alarm_light"}, v)
			if sounds == still {
				t.Errorf("%s: %s=%v sounds: %v", m.Model, x.key(), v, sounds)
			}
			n.alarms++
		}
	}
}

// TestCatalogueSirensObey: every siren, and every detector with a siren, for
// every pattern and for quiet.
func TestCatalogueSirensObey(t *testing.T) {
	var n tally
	patterns := []dialect.Pattern{dialect.AlarmPattern, dialect.OriginPattern, dialect.DrillPattern, dialect.TestPattern, dialect.CalmPattern}
	for _, m := range catalogue(t) {
		if !slices.Contains(m.Classes, "siren") {
			continue
		}
		if notDevices[m.Model+" siren"] != "" {
			n.skipped++
			continue
		}
		n.models++
		for _, k := range []signal.DeviceKind{signal.Siren, signal.Smoke} {
			d := dialect.Device{ID: "d", Kind: k, Topic: topic, Model: m.Model, Capabilities: m.capabilities(t)}
			for _, p := range patterns {
				for _, seconds := range []int{1, 10, 180, 7200} {
					tryCommand(t, m, d, dialect.Want{Sounding: true, Duration: time.Duration(seconds) * time.Second, Pattern: p})
					n.commands++
				}
			}
			tryCommand(t, m, d, dialect.Want{})
			n.commands++
		}
	}
	t.Log(n)
}

// tryCommand checks one command against the exposes of m, and that the device
// repeating it in its state rings nobody.
func tryCommand(t *testing.T, m model, d dialect.Device, w dialect.Want) {
	t.Helper()
	got, err := z.Command(d, w)
	if err != nil || len(got) != 1 || got[0].Topic != topic+"/set" || got[0].Retain {
		t.Errorf("%s %+v: %v %v", m.Model, w, got, err)
		return
	}
	var said map[string]any
	if err := json.Unmarshal(got[0].Payload, &said); err != nil {
		t.Errorf("%s: %s: %v", m.Model, got[0].Payload, err)
	}
	for _, complaint := range check(plainThings(m.Exposes), said, w) {
		t.Errorf("%s %+v: %s: %s", m.Model, w, got[0].Payload, complaint)
	}
	echo, err := z.Decode(d, dialect.Message{Topic: topic, Payload: got[0].Payload})
	if a := alarms(echo); a != nil || err != nil {
		t.Errorf("%s: its own command %s rings: %v %v", m.Model, got[0].Payload, a, err)
	}
}

// check says what is wrong with a command.
func check(things []thing, said map[string]any, w dialect.Want) []string {
	var wrong []string
	durations, timed, started := 0, false, false
	for _, x := range things {
		durations += countDurations(x)
	}
	for key, v := range said {
		i := slices.IndexFunc(things, func(x thing) bool { return x.key() == key })
		if i < 0 || !things[i].may(2) {
			wrong = append(wrong, key+" cannot be set")
			continue
		}
		x := things[i]
		wrong = append(wrong, fits(x, v)...)
		timed = timed || isTimed(x, v)
		started = started || starts(x, v)
	}
	switch {
	case w.Sounding && durations > 0 && !timed:
		wrong = append(wrong, "no duration")
	case w.Sounding && !started:
		wrong = append(wrong, "nothing starts to sound")
	case !w.Sounding && started:
		wrong = append(wrong, "something sounds")
	}
	return wrong
}

// durationName: a number that says how long a siren sounds.
var durationName = regexp.MustCompile(`^((max|alarm|siren)_)?duration$|^alarm_time$`)

func countDurations(x thing) int {
	n := 0
	if x.Type == "numeric" && x.may(2) && durationName.MatchString(x.key()) {
		n++
	}
	for _, f := range x.Features {
		n += countDurations(f)
	}
	return n
}

// isTimed reports whether value v of x carries a duration above zero.
func isTimed(x thing, v any) bool {
	inner, _ := v.(map[string]any)
	for _, f := range x.Features {
		if isTimed(f, inner[f.Name]) {
			return true
		}
	}
	n, ok := v.(float64)
	return ok && n > 0 && durationName.MatchString(x.key())
}

// fits says how v breaks the bounds of x.
func fits(x thing, v any) []string {
	switch x.Type {
	case "composite":
		var wrong []string
		inner, ok := v.(map[string]any)
		if !ok {
			return []string{x.key() + " must be an object"}
		}
		for key, v := range inner {
			i := slices.IndexFunc(x.Features, func(f thing) bool { return f.Name == key })
			if i < 0 {
				wrong = append(wrong, x.key()+" has no "+key)
				continue
			}
			wrong = append(wrong, fits(x.Features[i], v)...)
		}
		return wrong
	case "enum":
		if !slices.Contains(x.Values, v) {
			return []string{fmt.Sprintf("%s=%v is none of %v", x.key(), v, x.Values)}
		}
	case "binary":
		if v != x.ValueOn && v != x.ValueOff {
			return []string{fmt.Sprintf("%s=%v is neither %v nor %v", x.key(), v, x.ValueOn, x.ValueOff)}
		}
	case "numeric":
		n, ok := v.(float64)
		if !ok || (x.ValueMin != nil && n < *x.ValueMin) || (x.ValueMax != nil && n > *x.ValueMax) {
			return []string{fmt.Sprintf("%s=%v is out of bounds", x.key(), v)}
		}
	default:
		return []string{x.key() + " is a " + x.Type}
	}
	return nil
}

// starts reports whether setting x to v makes a sound.
func starts(x thing, v any) bool {
	inner, _ := v.(map[string]any)
	switch {
	case x.key() == "warning":
		return inner["mode"] != "stop" && inner["mode"] != nil
	case x.key() == "alarm" && x.Type == "binary":
		return v == x.ValueOn
	case x.key() == "alarm" && x.Type == "enum":
		return slices.Contains([]any{"sound", "sound_light", "beep", "ring", "alarm_sound", "alarm_sound_light", "fire", "burglar", "pre_alarm"}, v)
	}
	return false
}
