package tasmota

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// speech is one message in the making: who is meant and how it speaks.
type speech struct {
	dialect.Device
	address
	layout
	telemetry bool      // STATE or SENSOR: repeated every TelePeriod, changed or not
	at        time.Time // the message's own Time, when it has a zone
}

// stat reads what came on stat/<topic>/<tail>: RESULT, or POWER, BUTTON1, SWITCH1
// when each has a topic of its own.
func (s speech) stat(tail string, payload []byte) ([]dialect.Reading, error) {
	p, n := classify(tail)
	if p == relay && !strings.HasPrefix(string(payload), "{") {
		return s.one(s.relay(n, string(payload)))
	}
	if p == button {
		if r, ok, err := s.oldButton(n, payload); ok || err != nil {
			return s.one(r, err)
		}
	}
	return s.object(payload, tail)
}

// oldButton reads the payload of firmware before 9.1: {"ACTION":"SINGLE"}.
func (s speech) oldButton(n int, payload []byte) (dialect.Reading, bool, error) {
	var v struct{ ACTION string }
	if json.Unmarshal(payload, &v) != nil || v.ACTION == "" {
		return dialect.Reading{}, false, nil
	}
	r, err := s.button(n, v.ACTION)
	return r, true, err
}

// one makes a slice of r, none when r says nothing.
func (s speech) one(r dialect.Reading, err error) ([]dialect.Reading, error) {
	if err != nil || r.Kind == "" {
		return nil, err
	}
	return []dialect.Reading{r}, nil
}

// object reads a JSON object of parts and their states.
func (s speech) object(payload []byte, tail string) ([]dialect.Reading, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil {
		return nil, fmt.Errorf("%s is not a JSON object: %q", tail, clip(string(payload)))
	}
	s.at = zoned(fields["Time"])
	var readings []dialect.Reading
	for _, key := range sortedKeys(fields) {
		r, err := s.field(key, fields[key])
		if err != nil {
			return nil, err
		}
		if r.Kind != "" {
			readings = append(readings, r)
		}
	}
	if len(readings) == 0 && s.telemetry && s.part != code {
		readings = append(readings, dialect.Reading{Kind: signal.Heartbeat, Property: tail, SeenAt: s.at})
	}
	return readings, nil
}

func sortedKeys(m map[string]json.RawMessage) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// field reads one key of an object. A reading without a kind says nothing of
// the device that is meant.
func (s speech) field(key string, raw json.RawMessage) (dialect.Reading, error) {
	if key == "RfReceived" {
		return s.rf(raw)
	}
	p, n := s.names(key)
	if p == whole {
		return dialect.Reading{}, nil
	}
	state, ok := stateOf(raw)
	if !ok {
		return dialect.Reading{}, nil // settings such as {"POWER1":{...}} or {"Switch1":null}
	}
	switch p {
	case relay:
		return s.relay(n, state)
	case button:
		return s.button(n, state)
	}
	return s.input(n, state)
}

// stateOf reads "ON" or {"Action":"ON"}.
func stateOf(raw json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, text != ""
	}
	var v struct{ Action string }
	if json.Unmarshal(raw, &v) == nil {
		return v.Action, v.Action != ""
	}
	return "", false
}

// relay reads a POWER state: what a siren does, never an alarm.
func (s speech) relay(n int, state string) (dialect.Reading, error) {
	if !isRelay(s.Kind) || n != max(s.n, 1) {
		return dialect.Reading{}, nil
	}
	r := dialect.Reading{Property: "POWER" + strconv.Itoa(n), Level: true, SeenAt: s.at, Value: "POWER=" + clip(state)}
	word, _ := strings.CutPrefix(state, "Blink ")
	switch word {
	case s.state[1]:
		r.Kind = signal.Sounding
	case s.state[0]:
		r.Kind = signal.Quiet
	default:
		return dialect.Reading{}, strange(r.Property, state)
	}
	return r, nil
}

// button reads a push button with SetOption73 1.
func (s speech) button(n int, action string) (dialect.Reading, error) {
	if !s.means(button, n) {
		return dialect.Reading{}, nil
	}
	r := dialect.Reading{
		Kind: signal.Alarm, Property: "Button" + strconv.Itoa(n), SeenAt: s.at,
		Value: fmt.Sprintf("Button%d=%s", n, clip(action)),
	}
	switch action {
	case "SINGLE", "DOUBLE", "TRIPLE", "QUAD", "PENTA", "HOLD", s.state[3]:
		return r, nil
	case "CLEAR":
		return dialect.Reading{}, nil
	}
	return dialect.Reading{}, strange(r.Property, action)
}

// input reads a switch input: SetOption114 1, or SwitchMode 15 and 16 in SENSOR.
func (s speech) input(n int, state string) (dialect.Reading, error) {
	if !s.means(input, n) || s.telemetry && s.Kind == signal.Button && s.silentSensor(n) {
		return dialect.Reading{}, nil
	}
	r := dialect.Reading{
		Kind: signal.Alarm, Property: "Switch" + strconv.Itoa(n), SeenAt: s.at,
		Level: s.Kind != signal.Button || s.telemetry,
		Value: fmt.Sprintf("Switch%d=%s", n, clip(state)),
	}
	switch state {
	case s.state[1]:
		return r, nil
	case s.state[0]:
		r.Kind = signal.Restore
		if !r.Level {
			return dialect.Reading{}, nil // a button let go
		}
		return r, nil
	case s.state[2], s.state[3]: // TOGGLE, HOLD: a change without a direction rings
		r.Level = false
		return r, nil
	case "CLEAR", "RELEASE", "POWER_CLEAR", "POWER_RELEASE":
		return dialect.Reading{}, nil
	}
	return dialect.Reading{}, strange(r.Property, state)
}

// speaks reports whether the device is of a kind that can raise an alarm.
func (s speech) speaks() bool { return !isRelay(s.Kind) && s.Kind != signal.Hub }

// means reports whether part p number n is one that s is about.
func (s speech) means(p part, n int) bool {
	return s.speaks() && (s.part == whole || s.part == p && s.n == n)
}

// rf reads {"Data":"0x7028D2",...}; an RF bridge writes the code as hexadecimal
// text with or without 0x, or with SetOption28 1 as a number.
func (s speech) rf(raw json.RawMessage) (dialect.Reading, error) {
	if !s.speaks() {
		return dialect.Reading{}, nil
	}
	var v struct{ Data json.RawMessage }
	if err := json.Unmarshal(raw, &v); err != nil {
		return dialect.Reading{}, strange("RfReceived", string(raw))
	}
	heard, ok := rfCode(v.Data)
	if !ok {
		return dialect.Reading{}, strange("RfReceived Data", string(v.Data))
	}
	if s.part == whole {
		return dialect.Reading{}, fmt.Errorf("an RF bridge heard code 0x%X: give the device the topic %s/0x%X", heard, s.topic, heard)
	}
	if s.part != code || heard != s.code {
		return dialect.Reading{}, nil
	}
	return dialect.Reading{
		Kind: signal.Alarm, Property: "RfReceived", SeenAt: s.at, Value: fmt.Sprintf("RF 0x%X", heard),
	}, nil
}

func rfCode(raw json.RawMessage) (uint64, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		v, err := strconv.ParseUint(string(raw), 10, 64)
		return v, err == nil
	}
	if v, ok := parseHex(text); ok {
		return v, true
	}
	v, err := strconv.ParseUint(text, 16, 64)
	return v, err == nil
}

// zoned reads Tasmota's Time when it carries a zone (SetOption52 1). Without one
// it is local time of an unknown place, and says nothing.
func zoned(raw json.RawMessage) time.Time {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// strange is the error for a word that Tasmota's firmware does not write.
func strange(property, value string) error {
	return fmt.Errorf("%s says %q, which is not known", property, clip(value))
}

// clip shortens what a device sent for people's eyes.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
