package zigbee2mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// lowBattery is the charge in percent at and below which a battery is low even
// if the device does not say so. Source: Zigbee2MQTT's own devices report low
// between 10 and 20 %; to be confirmed.
const lowBattery = 15

// scene gathers what one message says.
type scene struct {
	device   dialect.Device
	said     map[string]any // the message, by property
	learned  bool           // abilities were parsed
	known    abilities      // parsed when first asked for: most messages need none
	explicit bool           // the message has a property that names a danger
	readings []dialect.Reading
	battery  battery
	health   word // what is broken
	casing   word // whether it was opened
	siren    word // whether it sounds
	doubts   []string
}

// word is what several properties say together: one that holds is enough.
type word struct {
	judged verdict
	by     string // the property that said so
	value  any
}

func (w *word) hear(judged verdict, property string, v any) {
	if (judged == holds && w.judged != holds) || (judged == clear && w.judged == unheard) {
		*w = word{judged, property, v}
	}
}

// decodeState reads a device's state: one JSON object by property.
func decodeState(d dialect.Device, payload []byte) ([]dialect.Reading, error) {
	var said map[string]any
	if err := json.Unmarshal(payload, &said); err != nil {
		return nil, notAState(payload, err)
	}
	s := scene{device: d, said: said}
	properties := slices.Sorted(maps.Keys(said))
	for _, p := range properties {
		if s.danger(split(p)) != "" && !isNumber(said[p]) {
			s.explicit = true
		}
	}
	for _, p := range properties {
		s.hear(p, said[p])
	}
	return s.finish()
}

// notAState explains why payload cannot be read.
func notAState(payload []byte, err error) error {
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &shape):
		return fmt.Errorf(`this is %s, not an object; Zigbee2MQTT sends an object such as {"smoke":true,"battery":97}: set output to json in its settings`, shape.Value)
	case payload[0] == '{':
		return fmt.Errorf(`this JSON is broken or was cut short after %d bytes: %w`, len(payload), err)
	}
	return fmt.Errorf(`this is not JSON; Zigbee2MQTT sends an object such as {"smoke":true,"battery":97}: set output to json in its settings, and check that the topic is the device's own`)
}

// abilities returns what discovery said, or what is known of the model.
func (s *scene) abilities() abilities {
	if !s.learned {
		s.known, s.learned = abilitiesOf(s.device), true
	}
	return s.known
}

// hear takes in one property.
func (s *scene) hear(property string, v any) {
	words := split(property)
	if v == nil || len(words) == 0 {
		return
	}
	b := bag(words)
	switch {
	case isAction(words):
		s.action(property, text(v))
	case isTest(b):
		s.test(property, v)
	case isFault(b):
		s.fault(property, v)
	case b.any("battery", "battpercentage", "power"):
		s.power(b, v)
	case isTamper(b):
		s.tamper(property, v)
	case s.danger(words) != "":
		s.alarm(property, v, s.danger(words))
	case s.isEcho(property, b, v):
		s.echo(property, v)
	case isGeneric(b):
		s.generic(property, v)
	case isNamedAlert(b):
		s.namedAlert(property, v)
	case s.watches(signal.Contact) && isOpening(b):
		s.opening(property, b, v)
	case s.watches(signal.Motion) && isMovement(b):
		s.alarm(property, v, signal.Intrusion)
	}
}

// watches reports whether a condition that only a device of kind k means as an
// alarm is one for this device.
func (s *scene) watches(k signal.DeviceKind) bool {
	return s.device.Kind == k || s.device.Kind == signal.Tamper
}

// danger is the category of a property whose name says what is wrong; "" for a
// property that is about something else, is a setting, or is only a number.
func (s *scene) danger(words []string) signal.Category {
	b := bag(words)
	if slices.ContainsFunc(words, isDetail) {
		return ""
	}
	switch c := category(words); c {
	case "":
		return s.hotDanger(b)
	case signal.Fire:
		if b.has("heat") && (!s.detects() || !b.within("heat", "alarm", "state", "status", "detected", "fire")) {
			return ""
		}
		return c
	case signal.Flood:
		if b.has("water") && !b.any("leak", "leakage", "flood", "wet") && len(words) > 1 &&
			!b.any("alarm", "warning", "sensor", "state", "status", "detected", "condition", "presence") {
			return ""
		}
		return c
	case signal.Monoxide, signal.GasLeak:
		return c
	default:
		if !b.within("sos", "panic", "emergency", "help", "police", "duress", "holdup", "medical", "doctor", "ambulance", "burglar",
			"burglary", "intruder", "intrusion", "alarm", "call", "button", "state", "status", "pressed", "active", "detected") {
			return ""
		}
		return c
	}
}

// isDetail knows the words of properties that are about a danger without being
// one: how much, how loud, since when, whether it may be reported, the battery.
func isDetail(w string) bool {
	switch w {
	case "sensitivity", "concentration", "density", "dbm", "value", "level", "unit", "battery", "voltage", "threshold", "max", "min",
		"upper", "lower", "volume", "duration", "time", "ringtone", "melody", "mode", "type", "enable", "enabled", "control", "switch",
		"calibration", "offset", "count", "relay", "set", "setting", "settings", "delay", "interval", "silence", "silenced", "mute",
		"muted", "hush", "reset", "config", "multiplier", "divisor", "meter", "counter", "pressure", "flow", "temp", "shortage",
		"preset", "consumed", "buzzer", "beeper", "siren", "test", "manual", "force", "broadcast", "linkage", "link", "fault", "valve",
		"percent", "humidity", "soil", "rain", "pre", "prealarm", "ppm", "automation", "quick", "indicator", "led", "light", "invert",
		"low", "supply", "heater", "setpoint", "demand", "unoccupied", "washing", "target", "position", "schedule", "on":
		return true
	}
	return false
}

// hotDanger: a temperature alarm is fire when a heat detector says it; moisture
// is a flood when a water detector says it.
func (s *scene) hotDanger(b bag) signal.Category {
	switch {
	case s.device.Kind == signal.Heat && b.any("temperature", "overheat", "overtemperature") &&
		b.any("alarm", "warning", "overheat", "overtemperature", "high", "over") &&
		b.within("temperature", "probe", "overheat", "overtemperature", "alarm", "warning", "high", "over", "state", "status"):
		return signal.Fire
	case s.device.Kind == signal.Water && b.has("moisture") && b.within("moisture", "detected", "alarm", "state"):
		return signal.Flood
	}
	return ""
}

// detects reports whether the device is a detector of some danger.
func (s *scene) detects() bool {
	switch s.device.Kind {
	case signal.Smoke, signal.Heat, signal.Gas, signal.CO:
		return true
	}
	return false
}

// alarm takes in a property that names a condition of category c.
func (s *scene) alarm(property string, v any, c signal.Category) {
	var e *expose
	if !plain(property) || isString(v) {
		e = s.abilities().find(property)
	}
	if e != nil && e.writable() && !plain(property) {
		return
	}
	judged := e.judge(v)
	if hot := split(text(v)); isString(v) && bag(split(property)).any("temperature") {
		judged = judgeHeat(hot, judged)
	}
	if judged == unheard && e != nil && e.Type == "enum" && knowsCalm(e) {
		judged = holds // a grade of the danger that this vendor alone uses
	}
	s.condition(property, v, c, judged)
}

// plain lists names that are readings on every device, so that the exposes need
// not be asked.
func plain(property string) bool {
	switch property {
	case "smoke", "gas", "carbon_monoxide", "water_leak", "contact", "occupancy", "presence", "sos", "heat":
		return true
	}
	return false
}

// judgeHeat reads "upper_alarm" and "over_temperature"; too cold is no fire.
func judgeHeat(words []string, otherwise verdict) verdict {
	switch b := bag(words); {
	case b.any("lower", "low", "below", "under"):
		return clear
	case b.any("upper", "over", "high", "above"):
		return holds
	}
	return otherwise
}

// knowsCalm reports whether an enum has a value that means that all is well.
func knowsCalm(e *expose) bool {
	return slices.ContainsFunc(e.words(), func(w string) bool { return judgeWord(w) == clear })
}

// condition records that a state holds or does not.
func (s *scene) condition(property string, v any, c signal.Category, judged verdict) {
	switch judged {
	case holds:
		s.add(signal.Alarm, c, property, v)
	case clear:
		s.add(signal.Restore, c, property, v)
	case unheard:
		s.doubts = append(s.doubts, fmt.Sprintf("%s says %q, which is neither an alarm nor calm", property, short(text(v))))
	}
}

// add records a state that holds until it changes.
func (s *scene) add(k signal.Kind, c signal.Category, property string, v any) {
	s.readings = append(s.readings, dialect.Reading{Kind: k, Category: c, Property: property, Level: true, Value: property + "=" + short(text(v))})
}

// short bounds a text for people.
func short(t string) string {
	if len(t) <= 40 {
		return t
	}
	return strings.ToValidUTF8(t[:40], "") + "..."
}

// isGeneric: the property says that there is an alarm, and not of what.
func isGeneric(b bag) bool {
	return b.any("alarm", "alarms", "alert") &&
		b.within("alarm", "alarms", "alert", "state", "status", "active", "detected", "triggered")
}

// generic takes in an alarm without a name: the value may name the danger, else
// the device's kind does. Values that nobody knows say nothing.
func (s *scene) generic(property string, v any) {
	if s.device.Kind == signal.Hub || s.aside(property, v) {
		return
	}
	judged := s.abilities().find(property).judge(v)
	if judged == unheard {
		return
	}
	s.condition(property, v, s.categoryOf(v), judged)
}

// categoryOf is the danger that a value names, else the one of the device's kind.
func (s *scene) categoryOf(v any) signal.Category {
	if c := category(split(text(v))); isString(v) && c != "" {
		return c
	}
	return signal.DefaultCategory(s.device.Kind)
}

// isNamedAlert: a vendor's own summary, "halo_alert_state". Only a value that
// names a danger is an alarm.
func isNamedAlert(b bag) bool {
	return b.any("alert", "alarm", "hazard") && b.any("state", "status") &&
		!b.any("temperature", "humidity", "linkage", "valve", "battery", "soil")
}

func (s *scene) namedAlert(property string, v any) {
	if !isString(v) || s.aside(property, v) {
		return
	}
	c := category(split(text(v)))
	switch judged := judgeWord(text(v)); {
	case judged == holds && c != "":
		s.condition(property, v, c, holds)
	case judged == clear:
		s.condition(property, v, signal.DefaultCategory(s.device.Kind), clear)
	}
}

// aside takes in what an alarm property may say beside alarms: a test, a low
// battery, the end of the device's life. It reports whether it was one of these.
func (s *scene) aside(property string, v any) bool {
	b := bag(split(text(v)))
	switch {
	case !isString(v):
		return false
	case b.any("test", "testing", "selftest"):
		s.add(signal.Test, "", property, v)
	case b.has("battery") && b.any("low", "failed"):
		s.battery.low = holds
	case b.has("end") && b.has("life"), b.any("fault", "failure", "error"):
		s.health.hear(holds, property, v)
	default:
		return false
	}
	return true
}

// isOpening: the property tells whether a door or window is open.
func isOpening(b bag) bool {
	return b.any("contact", "opening", "open", "opened", "door", "window", "gate") &&
		b.within("contact", "opening", "open", "opened", "door", "window", "gate", "state", "status", "mode", "alarm", "detected")
}

// opening takes in a door or window. contact:true is a closed contact.
func (s *scene) opening(property string, b bag, v any) {
	judged := (*expose)(nil).judge(v)
	if e := s.abilities().find(property); e != nil && isString(v) && !b.has("contact") {
		judged = e.judge(v)
	}
	if isString(v) && bag(split(text(v))).any("tilted", "tilt", "ajar", "half") {
		judged = holds
	}
	if b.has("contact") && !b.has("alarm") && (!isString(v) || !bag(split(text(v))).any("open", "opened", "closed", "close")) {
		judged = opposite(judged)
	}
	s.condition(property, v, signal.Intrusion, judged)
}

func opposite(v verdict) verdict {
	switch v {
	case holds:
		return clear
	case clear:
		return holds
	}
	return v
}

// isMovement: the property tells of somebody or something that moves.
func isMovement(b bag) bool {
	return b.any("occupancy", "presence", "motion", "moving", "movement", "vibration", "shock", "tilt", "drop", "glass", "human", "pir") &&
		b.within("occupancy", "presence", "motion", "moving", "movement", "vibration", "shock", "tilt", "drop", "glass", "break", "human",
			"pir", "state", "status", "alarm", "detected")
}

// isTamper: the casing was opened.
func isTamper(b bag) bool {
	return b.any("tamper", "tampered", "sabotage", "tampering") &&
		b.within("tamper", "tampered", "sabotage", "tampering", "alarm", "state", "status", "detected")
}

// tamper takes in an opened casing; for a device of kind tamper that is its alarm.
func (s *scene) tamper(property string, v any) {
	var e *expose
	if isString(v) {
		e = s.abilities().find(property)
	}
	judged := e.judge(v)
	switch {
	case s.device.Kind == signal.Tamper:
		s.condition(property, v, signal.Intrusion, judged)
	default:
		s.casing.hear(judged, property, v)
	}
}

// isTest: somebody pressed the test button, or a test has a result.
func isTest(b bag) bool {
	return b.any("test", "selftest", "testing", "checking") &&
		b.within("self", "test", "selftest", "testing", "checking", "in", "progress", "mode", "alarm", "result", "state", "status", "halo")
}

// test takes in a test: under way, failed (a fault) or passed.
func (s *scene) test(property string, v any) {
	b := bag(split(text(v)))
	switch judged := s.abilitiesFor(property, v).judge(v); {
	case isString(v) && b.any("failure", "fail", "failed"):
		s.health.hear(holds, property, v)
	case isString(v) && b.any("success", "passed", "pass"):
		s.health.hear(clear, property, v)
	case judged == holds, isString(v) && b.any("test", "testing", "checking", "running", "selftest"):
		s.add(signal.Test, "", property, v)
	}
}

// abilitiesFor finds the expose that tells what a text means; bools need none.
func (s *scene) abilitiesFor(property string, v any) *expose {
	if !isString(v) {
		return nil
	}
	return s.abilities().find(property)
}

// isFault: the device says whether it is well.
func isFault(b bag) bool {
	worn := b.has("end") && b.has("of") && b.has("life")
	return (worn || b.any("fault", "trouble", "failure", "malfunction", "defect", "reliability", "endoflife", "lifecycle", "contamination", "error")) &&
		b.within("end", "of", "life", "fault", "trouble", "failure", "malfunction", "defect", "reliability", "endoflife", "lifecycle",
			"contamination", "error", "alarm", "state", "status", "device", "sensor", "chamber", "battery", "hardware")
}

// fault takes in the device's health. A text that is not a known word of health
// is the vendor's name of the fault.
func (s *scene) fault(property string, v any) {
	s.health.hear(judgeFault(s.abilitiesFor(property, v), property, v), property, v)
}

func judgeFault(e *expose, property string, v any) verdict {
	word, isText := v.(string)
	switch {
	case !isText:
		return e.judge(v)
	case e != nil && e.Type == "binary":
		return e.judge(v)
	case strings.Contains(property, "contamination") && !strings.Contains(word, "critical"):
		return clear
	case strings.TrimSpace(word) == "":
		return clear
	}
	b := bag(split(word))
	if b.has("unknown") {
		return neutral
	}
	if b.any("no", "none", "normal", "ok", "off", "false", "healthy", "clear", "inactive") {
		return clear
	}
	return holds
}

// battery is what a message says about the charge.
type battery struct {
	low     verdict // the device's own word
	percent float64
	counted bool // percent is known
}

// power takes in battery, battery_low, battery_state, power_type.
func (s *scene) power(b bag, v any) {
	n, isNum := v.(float64)
	switch {
	case isNum && n >= 0 && n <= 100 && b.any("battery", "battpercentage") &&
		b.within("battery", "battpercentage", "percentage", "percent", "smoke", "level", "remaining"):
		s.battery.least(n)
	case isNum:
	case b.has("battery") && b.within("battery", "low", "state", "level", "status", "warning"), b.has("power") && b.within("power", "type"):
		s.battery.worst(judgeCharge(v, b.has("low")))
	}
}

// judgeCharge reads a charge in words; flag says that the property itself is
// called low, so that true means low.
func judgeCharge(v any, flag bool) verdict {
	word := strings.ToLower(text(v))
	switch b := bag(split(word)); {
	case b.any("low", "empty", "critical", "flat"):
		return holds
	case b.any("normal", "medium", "middle", "high", "full", "ok", "good"):
		return clear
	case flag:
		return (*expose)(nil).judge(v)
	}
	return neutral
}

func (c *battery) least(percent float64) {
	if !c.counted || percent < c.percent {
		c.percent, c.counted = percent, true
	}
}

func (c *battery) worst(v verdict) {
	if v == holds || (v == clear && c.low != holds) {
		c.low = v
	}
}

// reading says what the charge is; false when the message did not say.
func (c battery) reading() (dialect.Reading, bool) {
	r := dialect.Reading{Kind: signal.BatteryOK, Property: "battery", Level: true, Number: c.percent}
	switch {
	case c.counted:
		r.Value = fmt.Sprintf("battery %s %%", strconv.FormatFloat(c.percent, 'f', -1, 64))
	case c.low == holds:
		r.Value = "battery low"
	case c.low == clear:
		r.Value = "battery ok"
	default:
		return r, false
	}
	if c.low == holds || (c.counted && c.percent <= lowBattery) {
		r.Kind = signal.LowBattery
	}
	return r, true
}

// finish puts the readings in order, alarms first and the sign of life last, and
// dates them. What could not be judged is an error unless there is an alarm.
func (s *scene) finish() ([]dialect.Reading, error) {
	if r, ok := s.battery.reading(); ok {
		s.readings = append(s.readings, r)
	}
	s.sum(s.health, signal.Fault, signal.FaultRestore)
	s.sum(s.casing, signal.TamperOpen, signal.TamperClosed)
	s.sum(s.siren, signal.Sounding, signal.Quiet)
	slices.SortStableFunc(s.readings, func(a, b dialect.Reading) int { return urgency(a.Kind) - urgency(b.Kind) })
	urgent := len(s.readings) > 0 && s.readings[0].Kind == signal.Alarm
	s.readings = append(s.readings, dialect.Reading{Kind: signal.Heartbeat, Value: "sign of life"})
	seen := seenAt(s.said["last_seen"])
	for i := range s.readings {
		s.readings[i].SeenAt = seen
	}
	if len(s.doubts) > 0 && !urgent {
		return s.readings, errors.New(strings.Join(s.doubts, "; "))
	}
	return s.readings, nil
}

// sum adds what several properties said together as one reading: a device is
// well only when nothing of it is broken.
func (s *scene) sum(w word, yes, no signal.Kind) {
	switch w.judged {
	case holds:
		s.add(yes, "", w.by, w.value)
	case clear:
		s.add(no, "", w.by, w.value)
	}
}

func urgency(k signal.Kind) int {
	switch k {
	case signal.Alarm:
		return 0
	case signal.Restore:
		return 1
	}
	return 2
}

// seenAt reads last_seen in each of Zigbee2MQTT's forms: ISO 8601 in UTC, ISO
// 8601 with an offset, milliseconds since 1970. Others are the zero time.
func seenAt(v any) time.Time {
	var at time.Time
	switch v := v.(type) {
	case float64:
		at = epoch(v)
	case string:
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			at = epoch(n)
		} else if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			at = t.UTC()
		}
	}
	if at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}
	}
	return at
}

// epoch reads milliseconds, or seconds when the number is too small for them.
func epoch(n float64) time.Time {
	switch {
	case !(n > 0 && n < 1e13):
		return time.Time{}
	case n < 1e11:
		return time.Unix(int64(n), 0).UTC()
	}
	return time.UnixMilli(int64(n)).UTC()
}

func isString(v any) bool { _, ok := v.(string); return ok }
func isNumber(v any) bool { _, ok := v.(float64); return ok }
