package homeassistant

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// meaning is what on and off of a binary sensor say.
type meaning struct{ on, off signal.Kind }

// meaningOf looks at the device class. The village file's kind says which danger
// it is; the class says only whether it is a danger at all.
func meaningOf(class string, k signal.DeviceKind) meaning {
	switch {
	case class == "battery":
		return meaning{signal.LowBattery, signal.BatteryOK}
	case class == "problem":
		return meaning{signal.Fault, signal.FaultRestore}
	case class == "connectivity":
		return meaning{signal.Online, signal.Offline}
	case class == "tamper" && k != signal.Tamper:
		return meaning{signal.TamperOpen, signal.TamperClosed}
	}
	return meaning{signal.Alarm, signal.Restore}
}

// binary reads a binary sensor.
func (c config) binary(d dialect.Device, payload []byte) (dialect.Reading, error) {
	value, err := read(string(c.ValueTemplate), payload)
	if err != nil || value == "" || value == "None" { // None: Home Assistant's "unknown"
		return dialect.Reading{}, err
	}
	means := meaningOf(string(c.DeviceClass), d.Kind)
	if means.on == signal.Alarm && !alarms(d.Kind) {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be this binary_sensor: it tells of a danger", d.Kind)
	}
	property := c.DeviceClass.or("binary_sensor")
	r := dialect.Reading{Property: property, Level: true, Value: property + "=" + clip(value)}
	on, off := c.PayloadOn.or("ON"), c.PayloadOff.or("OFF")
	switch {
	case same(value, on):
		r.Kind = means.on
		r.Level = c.OffDelay == "" // with off_delay the sensor never says off
	case same(value, off):
		r.Kind = means.off
	default:
		return dialect.Reading{}, neither(value, on, off)
	}
	return r, nil
}

// alarms reports whether a device of kind k can raise an alarm.
func alarms(k signal.DeviceKind) bool { return !isOutput(k) && k != signal.Hub }

// event reads {"event_type":"press"}. Every announced type is a press but a release.
func (c config) event(d dialect.Device, payload []byte) (dialect.Reading, error) {
	if !alarms(d.Kind) {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be an event", d.Kind)
	}
	value, err := read(string(c.ValueTemplate), payload)
	if err != nil || value == "" || value == "{}" || value == "None" {
		return dialect.Reading{}, err
	}
	var v struct {
		Type word `json:"event_type"`
	}
	if err := json.Unmarshal([]byte(value), &v); err != nil || v.Type == "" {
		return dialect.Reading{}, fmt.Errorf("event %q has no event_type", clip(value))
	}
	if !c.announces(v.Type) {
		return dialect.Reading{}, fmt.Errorf("event type %q is not among those announced", clip(string(v.Type)))
	}
	if isRelease(string(v.Type)) {
		return dialect.Reading{}, nil
	}
	return dialect.Reading{Kind: signal.Alarm, Property: "event", Value: "event=" + clip(string(v.Type))}, nil
}

func (c config) announces(t word) bool {
	return len(c.EventTypes) == 0 || slices.Contains(c.EventTypes, t)
}

func isRelease(s string) bool { return strings.Contains(strings.ToLower(s), "release") }

// trigger reads a device automation: its payload, or any when it names none.
func (c config) trigger(d dialect.Device, payload []byte) (dialect.Reading, error) {
	if !alarms(d.Kind) {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be a device_automation", d.Kind)
	}
	value, err := read(string(c.ValueTemplate), payload)
	if err != nil || value == "" || isRelease(string(c.Type)+string(c.Subtype)) {
		return dialect.Reading{}, err
	}
	if c.Payload != "" && !same(value, string(c.Payload)) {
		return dialect.Reading{}, nil
	}
	name := strings.Trim(string(c.Type)+" "+string(c.Subtype), " ")
	return dialect.Reading{Kind: signal.Alarm, Property: "trigger", Value: clip(name)}, nil
}

// output reads what a siren or switch does: a word, or for a siren an object
// with "state". It is the echo of a command, never an alarm.
func (c config) output(d dialect.Device, template string, payload []byte) (dialect.Reading, error) {
	if !isOutput(d.Kind) {
		return dialect.Reading{}, fmt.Errorf("a %s cannot be a %s: it is commanded and raises no alarm", d.Kind, c.Platform)
	}
	value, err := read(template, payload)
	if err != nil {
		return dialect.Reading{}, err
	}
	if c.Platform == "siren" {
		value = stateWithin(value)
	}
	if value == "" || value == "None" {
		return dialect.Reading{}, nil
	}
	r := dialect.Reading{Property: "state", Level: true, Value: "state=" + clip(value)}
	on, off := c.states()
	switch {
	case same(value, on):
		r.Kind = signal.Sounding
	case same(value, off):
		r.Kind = signal.Quiet
	default:
		return dialect.Reading{}, neither(value, on, off)
	}
	return r, nil
}

// stateWithin is "state" of an object; a value that is no object stands for itself.
func stateWithin(value string) string {
	if !strings.HasPrefix(strings.TrimSpace(value), "{") {
		return value
	}
	var v struct {
		State word `json:"state"`
	}
	if json.Unmarshal([]byte(value), &v) != nil {
		return value
	}
	return string(v.State)
}
