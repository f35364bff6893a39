package esphome

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Name is the word in a village file.
const Name = "esphome"

// Dialect speaks ESPHome. The zero value is ready for use.
type Dialect struct{}

// Name implements [dialect.Dialect].
func (Dialect) Name() string { return Name }

// address is a village file's topic, taken apart: "alley1/binary_sensor/smoke".
type address struct {
	prefix    string // "alley1", may have levels of its own
	component string // "binary_sensor"
}

func parseAddress(topic string) (address, error) {
	levels := strings.Split(topic, "/")
	if n := len(levels); n >= 3 && !slices.Contains(levels, "") {
		return address{strings.Join(levels[:n-2], "/"), levels[n-2]}, nil
	}
	return address{}, fmt.Errorf("topic %q is not <prefix>/<component>/<object>, as in alley1/binary_sensor/smoke", topic)
}

// commands reports whether the component is one that Keng switches.
func (a address) commands() bool { return a.component == "switch" || a.component == "light" }

func isOutput(k signal.DeviceKind) bool { return k == signal.Siren || k == signal.Lamp }

// Topics implements [dialect.Dialect].
func (Dialect) Topics(d dialect.Device) []string {
	a, err := parseAddress(d.Topic)
	if err != nil {
		return nil
	}
	return []string{d.Topic + "/state", a.prefix + "/status"}
}

// Confirms implements [dialect.Dialect]: a switch or light tells its state after every command.
func (Dialect) Confirms(d dialect.Device) bool {
	a, err := parseAddress(d.Topic)
	return err == nil && isOutput(d.Kind) && a.commands()
}

// Decode implements [dialect.Dialect].
func (Dialect) Decode(d dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	a, err := parseAddress(d.Topic)
	if err != nil {
		return nil, err
	}
	if len(m.Payload) == 0 { // a retained value withdrawn
		return nil, nil
	}
	switch m.Topic {
	case a.prefix + "/status":
		return one(presence(string(m.Payload)))
	case d.Topic + "/state":
		return one(a.state(d, m.Payload))
	}
	return nil, nil
}

// one makes a slice of r, none when r says nothing.
func one(r dialect.Reading, err error) ([]dialect.Reading, error) {
	if err != nil || r.Kind == "" {
		return nil, err
	}
	return []dialect.Reading{r}, nil
}

func presence(payload string) (dialect.Reading, error) {
	r := dialect.Reading{Property: "status", Level: true, Value: payload}
	switch payload {
	case "online":
		r.Kind = signal.Online
	case "offline":
		r.Kind = signal.Offline
	default:
		return r, strange("status", payload)
	}
	return r, nil
}

func (a address) state(d dialect.Device, payload []byte) (dialect.Reading, error) {
	switch a.component {
	case "binary_sensor":
		return binary(d, string(payload))
	case "event":
		return event(d, payload)
	case "switch":
		return output(d, string(payload))
	case "light":
		return light(d, payload)
	}
	return dialect.Reading{}, fmt.Errorf("component %q is not supported: use binary_sensor, event, switch or light", a.component)
}

// binary reads ON and OFF of a detector or a button's contact.
func binary(d dialect.Device, payload string) (dialect.Reading, error) {
	if isOutput(d.Kind) || d.Kind == signal.Hub {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be a binary_sensor: give it the topic of its switch", d.Kind)
	}
	r := dialect.Reading{Property: "binary_sensor", Level: true, Value: payload}
	switch payload {
	case "ON":
		r.Kind = signal.Alarm
	case "OFF":
		r.Kind = signal.Restore
	default:
		return r, strange("binary_sensor", payload)
	}
	return r, nil
}

// event reads {"event_type":"press"}. Every type is a press but a release.
func event(d dialect.Device, payload []byte) (dialect.Reading, error) {
	if isOutput(d.Kind) || d.Kind == signal.Hub {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be an event: give it the topic of its switch", d.Kind)
	}
	var v struct {
		Type string `json:"event_type"`
	}
	if err := json.Unmarshal(payload, &v); err != nil || v.Type == "" {
		return dialect.Reading{}, strange("event", string(payload))
	}
	if strings.Contains(strings.ToLower(v.Type), "release") {
		return dialect.Reading{}, nil
	}
	return dialect.Reading{Kind: signal.Alarm, Property: "event", Value: "event=" + clip(v.Type)}, nil
}

// output reads what a siren does. It is the echo of a command, never an alarm.
func output(d dialect.Device, state string) (dialect.Reading, error) {
	if !isOutput(d.Kind) {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be a switch or light: they are commanded and raise no alarm", d.Kind)
	}
	r := dialect.Reading{Property: "state", Level: true, Value: "state=" + clip(state)}
	switch state {
	case "ON":
		r.Kind = signal.Sounding
	case "OFF":
		r.Kind = signal.Quiet
	default:
		return r, strange("state", state)
	}
	return r, nil
}

// light reads {"state":"ON",...}.
func light(d dialect.Device, payload []byte) (dialect.Reading, error) {
	var v struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(payload, &v); err != nil {
		return dialect.Reading{}, strange("light", string(payload))
	}
	return output(d, v.State)
}

// Command implements [dialect.Dialect]. ESPHome's switch and light know neither
// duration nor pattern: every pattern is ON.
func (Dialect) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	a, err := parseAddress(d.Topic)
	if err != nil {
		return nil, err
	}
	if !isOutput(d.Kind) || !a.commands() {
		return nil, fmt.Errorf("%s of kind %s cannot sound: only a siren or lamp that is a switch or light can", d.Topic, d.Kind)
	}
	word := "OFF"
	if w.Sounding {
		word = "ON"
	}
	payload := []byte(word)
	if a.component == "light" {
		payload = []byte(`{"state":"` + word + `"}`)
	}
	return []dialect.Message{{Topic: d.Topic + "/command", Payload: payload}}, nil
}

// strange is the error for a word that ESPHome does not write.
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
