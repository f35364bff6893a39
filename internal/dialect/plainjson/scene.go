package plainjson

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

// lowCharge is the charge in percent at and below which a battery is low. Source:
// the same as for Zigbee devices; to be confirmed.
const lowCharge = 15

// scene gathers what one message says.
type scene struct {
	device dialect.Device

	states   map[signal.Category]said // by danger: a detector's keys
	deed     deed                     // of the event, action or state
	deedBy   string                   // the key that said it, "" for a bare word
	deedText string
	category signal.Category // named beside the deed

	more   []dialect.Reading // battery, tamper, fault, presence
	seq    string
	seenAt time.Time
	known  bool // some key was understood
	house  bool // a key about the device itself: uptime, rssi, battery
	doubts []string
}

// said is a state as it was said.
type said struct {
	holds bool
	text  string
}

// bare takes in a payload that is one word or value. On the availability topic it
// says whether the device is there.
func (s *scene) bare(v any, presence bool) {
	text := plain(v)
	d, c := readWord(text)
	switch {
	case v == nil:
		return
	case presence:
		s.presence(d, text)
	case d == strange && text == "":
		return
	case d == strange:
		s.doubts = append(s.doubts, fmt.Sprintf("%q is not known", short(text)))
	default:
		s.take(d, c, "", text)
	}
}

// presence takes in what is said on topic/availability.
func (s *scene) presence(d deed, text string) {
	switch d {
	case online, on, alive:
		s.more = append(s.more, dialect.Reading{Kind: signal.Online, Property: "availability", Level: true, Value: "online"})
	case offline, off:
		s.more = append(s.more, dialect.Reading{Kind: signal.Offline, Property: "availability", Level: true, Value: "offline"})
	default:
		s.doubts = append(s.doubts, fmt.Sprintf("%q says neither online nor offline", short(text)))
	}
}

// object takes in an object, key by key.
func (s *scene) object(object map[string]any, presence bool) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		v := object[key]
		name := phrase(key)
		if presence && (name == "state" || name == "status" || name == "availability") {
			d, _ := readWord(plain(v))
			s.presence(d, plain(v))
			continue
		}
		if v != nil && s.hear(name, v) {
			s.known = true
		}
	}
	if !s.known && len(object) > 0 && len(s.more) == 0 && len(s.doubts) == 0 {
		s.doubts = append(s.doubts, "none of its keys is known: "+short(strings.Join(slices.Sorted(maps.Keys(object)), ", ")))
	}
}

// hear takes in one key of an object and reports whether it knows it.
func (s *scene) hear(name string, v any) bool {
	switch name {
	case "event", "action", "alarm", "press", "pressed", "trigger", "triggered", "click", "clicked", "button", "cmd", "command", "su_kien":
		s.verb(name, v)
	case "state", "status", "value", "payload", "output":
		s.state(name, v)
	case "siren", "sounding", "lamp", "relay", "power":
		if s.house = true; s.echoes() {
			s.state(name, v)
		}
	case "kind", "k", "category", "type", "danger", "loai":
		s.naming(name, v)
	case "id", "seq", "n", "nonce", "uuid", "event_id", "msg_id", "message_id", "counter":
		s.number(name, v)
	case "ts", "time", "at", "timestamp":
		s.seenAt = seenAt(v)
	case "battery", "batt", "bat", "pin", "battery_level", "battery_percent":
		s.battery(v)
	case "battery_low", "low_battery", "lowbat":
		s.flag(v, signal.LowBattery, signal.BatteryOK, "battery")
	case "tamper", "tampered":
		s.flag(v, signal.TamperOpen, signal.TamperClosed, "tamper")
	case "fault", "error", "trouble", "err", "loi":
		s.fault(v)
	case "test", "testing", "self_test", "selftest":
		s.flag(v, signal.Test, "", "test")
	case "online", "connected", "availability":
		s.there(v)
	case "heartbeat", "alive", "uptime", "ping", "boot", "keepalive", "rssi", "wifi", "ssid", "ip", "mac", "heap", "free_heap", "version",
		"fw", "firmware", "voltage", "vcc", "temperature", "temp", "humidity", "name", "device", "duration", "pattern", "linkquality":
		s.house = true
	default:
		return s.hazard(name, v)
	}
	return true
}

// echoes reports whether the device is one that is commanded.
func (s *scene) echoes() bool {
	return s.device.Kind == signal.Siren || s.device.Kind == signal.Lamp
}

// verb takes in a key that tells what happened: {"event":"press"},
// {"pressed":true}, {"alarm":"fire"}. A number under button says which button.
func (s *scene) verb(name string, v any) {
	text := plain(v)
	d, c := readWord(text)
	n, isNumber := number(v)
	switch {
	case isNumber && n > 1 && name != "event" && name != "action":
		d = press
	case d == on:
		d = press
	case d == alive && name == "alarm":
		d = restore // {"alarm":"ok"}
	case d == strange && phrase(text) == "button" && s.device.Kind == signal.Button:
		d = press // {"event":"button"}
	case d == strange && isDeviceWord(phrase(text)):
		return
	case d == strange:
		s.doubts = append(s.doubts, fmt.Sprintf("%s %q is not known", name, short(text)))
		return
	}
	s.take(d, c, name, text)
}

// state takes in how things stand. A number that is neither 0 nor 1 is a
// measurement.
func (s *scene) state(name string, v any) {
	text := plain(v)
	if n, isNumber := number(v); isNumber && n != 0 && n != 1 {
		s.house = true
		return
	}
	d, c := readWord(text)
	if d == strange {
		if _, inner := v.(map[string]any); !inner && text != "" {
			s.doubts = append(s.doubts, fmt.Sprintf("%s %q is not known", name, short(text)))
		}
		return
	}
	s.take(d, c, name, text)
}

// naming takes in which danger is meant, or what the device calls itself.
func (s *scene) naming(name string, v any) {
	text := plain(v)
	p := phrase(text)
	c := danger(p)
	if slices.Contains(signal.Categories[:], signal.Category(p)) {
		c = signal.Category(p)
	}
	if c != "" {
		s.category = c
		return
	}
	if d, _ := readWord(text); d != strange && !isDeviceWord(p) {
		s.take(d, "", name, text)
	}
}

// take notes a deed; the weightiest of several counts.
func (s *scene) take(d deed, c signal.Category, by, text string) {
	if c != "" {
		s.category = c
	}
	if weight(d) > weight(s.deed) {
		s.deed, s.deedBy, s.deedText = d, by, text
	}
}

func weight(d deed) int {
	switch d {
	case press:
		return 4
	case on:
		return 3
	case strange:
		return 0
	case off, alive:
		return 1
	}
	return 2
}

// hazard takes in a key that names a danger: {"smoke":true}, {"contact":false}.
func (s *scene) hazard(name string, v any) bool {
	c, inverted := s.hazardOf(name)
	if c == "" {
		return false
	}
	n, isNumber := number(v)
	if isNumber && (c == signal.GasLeak || c == signal.Monoxide || (n != 0 && n != 1)) {
		s.house = true // a measurement
		return true
	}
	text := plain(v)
	p := phrase(text)
	d, _ := readWord(text)
	switch {
	case p == "open" || p == "opened":
		s.note(c, true, name+"="+text)
	case p == "closed" || p == "close":
		s.note(c, false, name+"="+text)
	case d == on || d == press:
		s.note(c, !inverted, name+"="+text)
	case d == off || d == restore || d == alive:
		s.note(c, inverted, name+"="+text)
	case d == test:
		s.take(test, "", name, text)
	case text != "":
		s.doubts = append(s.doubts, fmt.Sprintf("%s %q is neither true nor false", name, short(text)))
	}
	return true
}

// hazardOf is the danger of a key. Doors and movement are one only for the
// devices that watch them; contact:true is a closed contact.
func (s *scene) hazardOf(name string) (c signal.Category, inverted bool) {
	watches := s.device.Kind == signal.Contact || s.device.Kind == signal.Motion || s.device.Kind == signal.Tamper
	switch name {
	case "contact":
		if watches {
			return signal.Intrusion, true
		}
	case "open", "opened", "door", "window", "gate", "motion", "movement", "pir", "occupancy", "presence", "vibration", "cua":
		if watches {
			return signal.Intrusion, false
		}
	}
	return danger(strings.TrimSuffix(strings.TrimSuffix(name, "_detected"), "_alarm")), false
}

// note records a state; of two words on the same danger the alarm wins.
func (s *scene) note(c signal.Category, holds bool, text string) {
	if s.states == nil {
		s.states = map[signal.Category]said{}
	}
	if old := s.states[c]; !old.holds {
		s.states[c] = said{holds, text}
	}
}

// number takes in the sender's own number of the event. An id that only names
// the device numbers nothing.
func (s *scene) number(name string, v any) {
	text := plain(v)
	tail := s.device.Topic[strings.LastIndexByte(s.device.Topic, '/')+1:]
	if text == "" || len(text) > 64 || (name == "id" && (text == string(s.device.ID) || text == s.device.Topic || text == tail || isAddress(text))) {
		return
	}
	if s.seq == "" || name != "id" {
		s.seq = text
	}
}

// isAddress: six bytes in hex, as a network card is called.
func isAddress(text string) bool {
	hex := strings.NewReplacer(":", "", "-", "").Replace(strings.ToLower(text))
	return len(hex) == 12 && strings.Trim(hex, "0123456789abcdef") == "" && strings.Trim(hex, "0123456789") != ""
}

// battery takes in a charge in percent, or in words.
func (s *scene) battery(v any) {
	s.house = true
	r := dialect.Reading{Kind: signal.BatteryOK, Property: "battery", Level: true}
	n, isNumber := number(v)
	switch p := phrase(plain(v)); {
	case isNumber && n >= 0 && n <= 100:
		r.Number, r.Value = n, "battery "+strconv.FormatFloat(n, 'f', -1, 64)+" %"
		if n <= lowCharge {
			r.Kind = signal.LowBattery
		}
	case isNumber:
		return // a voltage
	case p == "low" || p == "empty" || p == "yeu":
		r.Kind, r.Value = signal.LowBattery, "battery low"
	case p == "ok" || p == "full" || p == "high" || p == "normal" || p == "medium":
		r.Value = "battery ok"
	default:
		return
	}
	s.more = append(s.more, r)
}

// flag takes in a condition of the device itself.
func (s *scene) flag(v any, yes, no signal.Kind, property string) {
	s.house = true
	text := plain(v)
	d, _ := readWord(text)
	r := dialect.Reading{Kind: yes, Property: property, Level: true, Value: property + "=" + short(text)}
	switch {
	case d == strange:
		return
	case d == off || d == restore || d == alive:
		if r.Kind = no; no == "" {
			return
		}
	}
	s.more = append(s.more, r)
}

// fault takes in true, false, or the fault's name.
func (s *scene) fault(v any) {
	s.house = true
	text := plain(v)
	r := dialect.Reading{Kind: signal.Fault, Property: "fault", Level: true, Value: "fault=" + short(text)}
	if d, _ := readWord(text); d == off || d == restore || d == alive || text == "" {
		r.Kind = signal.FaultRestore
	}
	s.more = append(s.more, r)
}

// there takes in {"online":true}.
func (s *scene) there(v any) {
	s.house = true
	d, _ := readWord(plain(v))
	s.presence(d, plain(v))
}

// finish turns what was said into readings, alarms first, dated and numbered.
func (s *scene) finish() ([]dialect.Reading, error) {
	var list []dialect.Reading
	switch s.device.Kind {
	case signal.Siren, signal.Lamp:
		list = s.echo() // alarms of it are none
	case signal.Button:
		list = s.presses()
	default:
		list = s.conditions()
	}
	list = append(list, s.deeds()...)
	list = append(list, s.more...)
	slices.SortStableFunc(list, func(a, b dialect.Reading) int { return urgency(a.Kind) - urgency(b.Kind) })
	urgent := len(list) > 0 && list[0].Kind == signal.Alarm
	if len(s.doubts) > 0 && !urgent {
		return nil, errors.New(strings.Join(s.doubts, "; ") + ". " + hint)
	}
	if !slices.ContainsFunc(list, func(r dialect.Reading) bool { return r.Kind == signal.Offline }) {
		list = append(list, dialect.Reading{Kind: signal.Heartbeat, Value: "sign of life"})
	}
	for i := range list {
		list[i].Seq, list[i].SeenAt = s.seq, s.seenAt
	}
	return list, nil
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

// echo: what a siren or lamp says of itself is never an alarm.
func (s *scene) echo() []dialect.Reading {
	switch s.deed {
	case press, on:
		return []dialect.Reading{s.reading(signal.Sounding, "", "state", true, s.deedText)}
	case off, restore:
		return []dialect.Reading{s.reading(signal.Quiet, "", "state", true, s.deedText)}
	}
	return nil
}

// presses: a button's alarms are pulses. A danger named with a number or a time
// and nothing about the device itself, {"n":1,"k":"fire"}, is a press too.
func (s *scene) presses() []dialect.Reading {
	var list []dialect.Reading
	for _, c := range slices.Sorted(maps.Keys(s.states)) {
		if st := s.states[c]; st.holds {
			list = append(list, s.reading(signal.Alarm, c, string(c), false, st.text))
		}
	}
	named := s.category != "" && s.deed == strange && !s.house && len(s.states) == 0
	if len(list) == 0 && (s.deed == press || s.deed == on || named) {
		c := s.danger()
		list = append(list, s.reading(signal.Alarm, c, string(c), false, s.deedText))
	}
	return list
}

// conditions: a detector's alarms are states. A key that names the danger says
// more than a general state beside it.
func (s *scene) conditions() []dialect.Reading {
	var list []dialect.Reading
	for _, c := range slices.Sorted(maps.Keys(s.states)) {
		kind := signal.Restore
		if s.states[c].holds {
			kind = signal.Alarm
		}
		list = append(list, s.reading(kind, c, string(c), true, s.states[c].text))
	}
	c := s.danger()
	_, double := s.states[c]
	switch {
	case s.device.Kind == signal.Hub, s.standing() && len(s.states) > 0, double && s.states[c].holds:
	case s.deed == press || s.deed == on:
		list = slices.DeleteFunc(list, func(r dialect.Reading) bool { return r.Category == c })
		list = append(list, s.reading(signal.Alarm, c, string(c), true, s.deedText))
	case !double && (s.deed == off || s.deed == restore):
		list = append(list, s.reading(signal.Restore, c, string(c), true, s.deedText))
	}
	return list
}

// standing reports whether the deed was said by a key of state, not of an event.
func (s *scene) standing() bool {
	switch s.deedBy {
	case "state", "status", "value", "payload", "output":
		return true
	}
	return false
}

// danger is the danger named, else the one of the device's kind.
func (s *scene) danger() signal.Category {
	if s.category != "" {
		return s.category
	}
	return signal.DefaultCategory(s.device.Kind)
}

// deeds are what a word says of the device itself: {"event":"tamper"}.
func (s *scene) deeds() []dialect.Reading {
	kinds := map[deed]signal.Kind{
		test: signal.Test, tamper: signal.TamperOpen, tamperOver: signal.TamperClosed, fault: signal.Fault, faultOver: signal.FaultRestore,
		lowBattery: signal.LowBattery, batteryOK: signal.BatteryOK, online: signal.Online, offline: signal.Offline,
	}
	k, ok := kinds[s.deed]
	switch {
	case s.deed == restore && s.device.Kind == signal.Button && !s.standing():
		c := s.danger()
		return []dialect.Reading{s.reading(signal.Restore, c, string(c), false, s.deedText)}
	case !ok:
		return nil
	}
	return []dialect.Reading{s.reading(k, "", string(k), s.deed != test, s.deedText)}
}

func (s *scene) reading(k signal.Kind, c signal.Category, property string, level bool, text string) dialect.Reading {
	if text == "" {
		text = string(c)
	}
	return dialect.Reading{Kind: k, Category: c, Property: property, Level: level, Value: short(text)}
}

// plain renders a scalar as a person would say it.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// number reads a number, also one in quotes.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	}
	return 0, false
}

// seenAt reads the sender's time: seconds or milliseconds since 1970, or RFC
// 3339. Anything else, and a clock that was never set, is the zero time.
func seenAt(v any) time.Time {
	var at time.Time
	if n, ok := number(v); ok && n > 0 && n < 1e13 {
		if at = time.UnixMilli(int64(n)); n < 1e11 {
			at = time.UnixMilli(int64(n * 1000))
		}
	} else if t, err := time.Parse(time.RFC3339Nano, plain(v)); err == nil {
		at = t
	}
	if at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}
	}
	return at.UTC()
}

// short bounds a text for people.
func short(t string) string {
	if len(t) <= 40 {
		return t
	}
	return strings.ToValidUTF8(t[:40], "") + "..."
}
