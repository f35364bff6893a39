package zigbee2mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// longest is how long a siren is asked to sound in one go. Source: the longest
// of the common models (Heiman, Tuya), 1,800 s; Keng asks again before it ends.
const longest = 30 * time.Minute

// unsaid is how long a siren sounds when nobody said how long.
const unsaid = 3 * time.Minute

// Command brings siren or lamp d to w with one message on topic/set.
func (Dialect) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	if d.Topic == "" {
		return nil, errors.New("the device has no topic to command it on")
	}
	if w.Duration <= 0 {
		w.Duration = unsaid
	}
	w.Duration = min(w.Duration, longest)
	known := abilitiesOf(d)
	if len(known) == 0 {
		var err error
		if known, err = guess(d.Kind); err != nil {
			return nil, err
		}
	}
	f, err := findForm(d.Kind, known)
	if err != nil {
		return nil, err
	}
	body := f.order(known, d.Kind, w)
	if len(body) == 0 {
		return nil, nil // the sound ends by itself and cannot be stopped
	}
	return []dialect.Message{{Topic: d.Topic + "/set", Payload: body.encode()}}, nil
}

// Confirms reports whether d tells that it sounds: a siren state is published.
func (Dialect) Confirms(d dialect.Device) bool {
	known := abilitiesOf(d)
	f, err := findForm(d.Kind, known)
	if err == nil && f.main.readable() && f.main.Type != "composite" {
		return true
	}
	for i := range known {
		if known[i].readable() && (d.Kind == signal.Siren || d.Kind == signal.Lamp) && tellsSound(&known[i]) {
			return true
		}
	}
	return false
}

// tellsSound reports whether e says what the siren does.
func tellsSound(e *expose) bool {
	b := bag(split(e.Property))
	return e.Type != "composite" && (isSiren(b) || isDeviceState(b))
}

// isDeviceState: a vendor's summary of what its siren does, "siren_active".
func isDeviceState(b bag) bool { return b.has("device") && b.has("state") && len(b) == 2 }

// field is one property of a command; a body keeps their order, because
// Zigbee2MQTT carries them out one after the other.
type field struct {
	name  string
	value any
}

type body []field

// encode renders b as a JSON object in order.
func (b body) encode() []byte {
	out := []byte{'{'}
	for i, f := range b {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, render(f.name)...), ':')
		if inner, ok := f.value.(body); ok {
			out = append(out, inner.encode()...)
			continue
		}
		out = append(out, render(f.value)...)
	}
	return append(out, '}')
}

// render gives a scalar as JSON. Scalars came from JSON or are finite numbers,
// so that they always render.
func render(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return out
}

// form is how one device is made to sound.
type form struct {
	main *expose
	stop *expose // the property that stops it, when that is another one
}

// findForm picks the property by which a device sounds, or shines for a lamp.
func findForm(k signal.DeviceKind, known abilities) (form, error) {
	var best form
	top := 0
	for i := range known {
		e := &known[i]
		if n := fitness(k, e, known); n > top && e.writable() {
			best, top = form{main: e, stop: stopOf(e, known)}, n
		}
	}
	if top == 0 {
		return form{}, fmt.Errorf("this device has nothing that can sound or shine; it offers %s", known.names())
	}
	return best, nil
}

// fitness rates e as the way to make a device of kind k sound; 0 means unfit.
func fitness(k signal.DeviceKind, e *expose, known abilities) int {
	b := bag(split(e.Property))
	switch {
	case e.Property == "":
		return 0
	case k == signal.Lamp:
		return lampFitness(b, e)
	case e.Type == "composite":
		return compositeFitness(b, e)
	case isState(b, e):
		return 20 + bonus(b.has("siren"), 60)
	case !isSiren(b) || !canSound(e, known):
		return 0
	case b.has("switch"): // on a detector it is a setting: whether its own alarm may sound
		return bonus(!measuresDanger(known), 50)
	}
	return 60 + bonus(len(b) == 1, 10) + bonus(b.any("alarm", "siren"), 10) - bonus(b.has("manual") || b.has("force"), 10)
}

func bonus(when bool, n int) int {
	if when {
		return n
	}
	return 0
}

// isState: an on/off output, state or state_siren or state_l1. The lamp of a
// siren is not its sound.
func isState(b bag, e *expose) bool {
	return e.group != "composite" && e.group != "light" && e.group != "climate" && e.Type == "binary" && b.has("state") && b.within("state", "siren", "buzzer", "relay", "output")
}

func lampFitness(b bag, e *expose) int {
	switch {
	case e.Type == "binary" && b.has("state") && e.group == "light":
		return 90
	case isState(b, e):
		return 50
	case e.Type == "binary" && b.any("light", "strobe", "flash") && b.within("light", "strobe", "flash", "state", "on", "alarm"):
		return 70
	case e.Type == "enum" && isSiren(b) && bestValue(e, lightWeight) != "" && stopValue(e) != "":
		return 60
	}
	return 0
}

func compositeFitness(b bag, e *expose) int {
	switch {
	case b.has("warning") && part(e, "mode") != nil:
		return 100
	case b.any("siren", "alarm", "alert") && b.within("siren", "alarm", "alert", "trigger", "start", "play", "sound"):
		return 95
	case b.has("squawk"):
		return 5
	}
	return 0
}

// isSiren: the property is about a siren's own sound, and no mere setting.
func isSiren(b bag) bool {
	return b.any("alarm", "alert", "siren", "buzzer", "sounder", "horn", "warning", "squawk") &&
		b.within("alarm", "alert", "siren", "buzzer", "sounder", "horn", "warning", "squawk", "state", "status", "switch", "control", "on",
			"off", "active", "trigger", "force", "smoke", "fire", "manual", "for", "automation", "only", "device", "sounding", "enable")
}

// canSound reports whether e has a value that sounds and, somewhere, one that stops.
func canSound(e *expose, known abilities) bool {
	b := bag(split(e.Property))
	switch e.Type {
	case "binary":
		return !b.any("enable", "off")
	case "enum":
		return bestValue(e, soundWeight) != "" && (stopValue(e) != "" || stopOf(e, known) != nil)
	}
	return false
}

// measuresDanger reports whether the device is a detector too.
func measuresDanger(known abilities) bool {
	for _, e := range known {
		if !e.writable() && e.Type != "numeric" && category(split(e.Property)) != "" {
			return true
		}
	}
	return false
}

// stopOf finds a property whose only deed is to stop what e started.
func stopOf(e *expose, known abilities) *expose {
	if e.Type != "enum" || stopValue(e) != "" {
		return nil
	}
	for i := range known {
		b := bag(split(known[i].Property))
		if known[i].Type == "enum" && known[i].writable() && b.any("stop", "cancel", "dismiss") && b.any("alarm", "siren", "alert") && len(known[i].Values) > 0 {
			return &known[i]
		}
	}
	return nil
}

// part finds a feature of a composite by name.
func part(e *expose, name string) *expose {
	for i := range e.Features {
		if e.Features[i].Name == name {
			return &e.Features[i]
		}
	}
	return nil
}

// loud reports whether a pattern is a real alarm: as loud as can be.
func loud(p dialect.Pattern) bool {
	switch p {
	case dialect.DrillPattern, dialect.TestPattern, dialect.CalmPattern:
		return false
	}
	return true
}

// order is the message that brings the device to w.
func (f form) order(known abilities, k signal.DeviceKind, w dialect.Want) body {
	if !w.Sounding {
		return f.quiet()
	}
	trigger := field{f.main.Property, f.sounding(k, w)}
	before, after := companions(f.main, known, k, w)
	if f.main.Type == "composite" { // it carries its own settings: sound first
		return append(append(body{trigger}, before...), after...)
	}
	return append(append(before, trigger), after...)
}

// sounding is the value of the form that starts the sound, or the light of a lamp.
func (f form) sounding(k signal.DeviceKind, w dialect.Want) any {
	switch {
	case f.main.Type == "composite":
		return f.composite(w)
	case f.main.Type == "enum" && k == signal.Lamp:
		return bestValue(f.main, lightWeight)
	case f.main.Type == "enum" && loud(w.Pattern):
		return bestValue(f.main, soundWeight)
	case f.main.Type == "enum":
		return bestValue(f.main, softWeight)
	}
	return onValue(f.main)
}

// quiet is the message that stops the sound.
func (f form) quiet() body {
	switch {
	case f.stop != nil:
		return body{{f.stop.Property, f.stop.Values[0]}}
	case f.main.Type == "enum":
		return body{{f.main.Property, stopValue(f.main)}}
	case f.main.Type == "binary":
		return body{{f.main.Property, offValue(f.main)}}
	case bag(split(f.main.Property)).has("squawk"):
		return nil
	}
	return body{{f.main.Property, f.silence()}}
}

// composite fills the features of warning, trigger_siren or squawk. strobe_level
// is the light's, level the sound's.
func (f form) composite(w dialect.Want) body {
	var b body
	for i := range f.main.Features {
		e := &f.main.Features[i]
		words := bag(split(e.Name))
		switch {
		case !e.writable():
		case e.Type == "numeric" && words.has("duration"):
			b = append(b, field{e.Name, inUnit(e, w.Duration)})
		case e.Type == "numeric" && words.has("duty"): // tenths of a second's light
			b = append(b, field{e.Name, clamp(e, 5)})
		case e.Type == "numeric" && words.has("volume"):
			b = append(b, field{e.Name, volume(e, loud(w.Pattern))})
		case e.Type == "enum" && words.any("level", "volume"):
			b = append(b, field{e.Name, strength(e, loud(w.Pattern))})
		case e.Type == "binary" && words.has("strobe"):
			b = append(b, field{e.Name, loudOr(loud(w.Pattern), onValue(e), offValue(e))})
		case e.Type == "enum" && loud(w.Pattern):
			b = append(b, field{e.Name, choice(e, soundWeight)})
		case e.Type == "enum":
			b = append(b, field{e.Name, choice(e, softWeight)})
		}
	}
	return b
}

func loudOr(isLoud bool, yes, no any) any {
	if isLoud {
		return yes
	}
	return no
}

// silence fills the features of a composite so that it stops: mode stop, no
// strobe, lowest level. Some models stop only when all of these are zero.
func (f form) silence() body {
	var b body
	stopped := false
	for i := range f.main.Features {
		e := &f.main.Features[i]
		words := bag(split(e.Name))
		switch {
		case !e.writable():
		case e.Type == "enum" && stopValue(e) != "":
			b, stopped = append(b, field{e.Name, stopValue(e)}), true
		case e.Type == "enum" && words.any("level", "volume"):
			b = append(b, field{e.Name, strength(e, false)})
		case e.Type == "binary" && words.has("strobe"):
			b = append(b, field{e.Name, offValue(e)})
		}
	}
	if d := part(f.main, "duration"); d != nil && d.writable() {
		least := clamp(d, 0)
		if stopped { // without a mode to stop, no time at all is what stops
			least = clamp(d, 1)
		}
		b = append(b, field{d.Name, least})
	}
	return b
}

func onValue(e *expose) any {
	if e.On != nil {
		return e.On
	}
	return true
}

func offValue(e *expose) any {
	if e.Off != nil {
		return e.Off
	}
	return false
}

// bestValue is the enum value of the greatest positive weight, "" when none has one.
func bestValue(e *expose, weight func(bag) int) string {
	best, top := "", 0
	for _, w := range e.words() {
		if n := weight(bag(split(w))); n > top {
			best, top = w, n
		}
	}
	return best
}

// choice is [bestValue], or the first value of an enum in other words.
func choice(e *expose, weight func(bag) int) string {
	if best := bestValue(e, weight); best != "" || len(e.Values) == 0 {
		return best
	}
	return e.words()[0]
}

// soundWeight prefers the general danger, then fire, then burglary; sound with
// light over sound alone. Stops, lights and settings weigh nothing.
func soundWeight(b bag) int {
	if isStop(b) {
		return 0
	}
	n := 0
	for _, w := range [...]struct {
		words  []string
		weight int
	}{
		{[]string{"emergency"}, 60},
		{[]string{"fire", "smoke"}, 50},
		{[]string{"burglar", "intruder"}, 40},
		{[]string{"siren", "alarm"}, 36},
		{[]string{"police", "panic"}, 30},
		{[]string{"sound", "ring", "co", "gas", "heat", "trigger", "start", "on", "play", "both"}, 30},
		{[]string{"beep", "chirp", "music", "tone"}, 10},
	} {
		if n == 0 && b.any(w.words...) {
			n = w.weight
		}
	}
	switch light := b.any("light", "flash", "strobe", "led"); {
	case n > 0 && light && b.any("only"), b.has("alarm") && light && !b.any("sound", "siren", "and"):
		return 0
	case n > 0 && light:
		n += 5
	}
	if b.any("panic") && b.any("fire", "emergency") { // panic variants exist beside the plain ones
		n -= 8
	}
	if b.any("pre", "prealarm") {
		n = min(n, 5)
	}
	return n
}

// softWeight prefers what does not sound like the alarm: beeps, then sound
// without light, then the least alarming mode. A panic mode comes last.
func softWeight(b bag) int {
	switch n := soundWeight(b); {
	case n == 0:
		return 0
	case b.has("panic"):
		return 1
	default:
		return 100 - n
	}
}

// lightWeight prefers light without sound.
func lightWeight(b bag) int {
	switch {
	case isStop(b) || !b.any("light", "flash", "strobe", "led"):
		return 0
	case b.any("sound", "siren", "and"):
		return 1
	}
	return 10
}

// isStop: the words of a value that ends the sound.
func isStop(b bag) bool {
	return b.any("stop", "off", "normal", "mute", "muted", "none", "no", "idle", "silent", "silence", "clear", "ok", "false", "disarm", "disarmed", "inactive", "quiet")
}

// stopValue is the enum value that ends the sound, "" when there is none.
func stopValue(e *expose) string {
	for _, w := range e.words() {
		if isStop(bag(split(w))) {
			return w
		}
	}
	return ""
}

// inUnit renders d in the unit of numeric e, within its bounds and never zero.
func inUnit(e *expose, d time.Duration) float64 {
	n := math.Ceil(d.Seconds())
	switch strings.ToLower(e.Unit) {
	case "min", "mins", "minute", "minutes", "m":
		n = math.Ceil(d.Minutes())
	case "ms", "millisecond", "milliseconds":
		n = float64(d.Milliseconds())
	}
	return clamp(e, max(n, 1))
}

// clamp bounds n by what e allows.
func clamp(e *expose, n float64) float64 {
	if e.Max != nil {
		n = min(n, *e.Max)
	}
	if e.Min != nil {
		n = max(n, *e.Min)
	}
	return n
}

// isEcho reports whether a property tells what the device's own siren
// does. On a detector that is only so for what can be set, and, when its exposes
// are not known, for an alarm beside the property that names the danger.
func (s *scene) isEcho(property string, b bag, v any) bool {
	sounds := s.device.Kind == signal.Siren || s.device.Kind == signal.Lamp
	switch {
	case b.has("state") && len(b) == 1:
		return sounds && s.stateIsEcho()
	case isState(b, &expose{Type: "binary"}) && b.any("siren", "relay"):
		return sounds
	case sounds && isDeviceState(b):
		return true
	case !isSiren(b) || b.has("enable"):
		return false
	case sounds, b.any("siren", "buzzer"):
		return true
	case b.has("switch"):
		return true // whether a detector's own alarm may sound: never a danger
	}
	if e := s.abilities().find(property); e != nil {
		return e.writable()
	}
	if isString(v) && b.any("state", "status") && !bag(split(text(v))).any("sound", "light", "siren", "ring", "beep") {
		return false // a grade of the danger: "critical_alarm"
	}
	return s.explicit
}

// stateIsEcho: on a relay or lamp, state is what was commanded; on a siren with
// a way of its own to sound it is something else.
func (s *scene) stateIsEcho() bool {
	known := s.abilities()
	if len(known) == 0 {
		return true
	}
	f, err := findForm(s.device.Kind, known)
	return err == nil && f.main.Property == "state"
}

// echo takes in what the siren says of itself. One property that sounds is
// enough.
func (s *scene) echo(property string, v any) {
	if s.device.Kind != signal.Siren && s.device.Kind != signal.Lamp && bag(split(property)).has("switch") {
		return
	}
	s.siren.hear(s.judgeSound(property, v), property, v)
}

// judgeSound reads a siren's state: bool, ON, an enum, or a warning's mode.
func (s *scene) judgeSound(property string, v any) verdict {
	if inner, ok := v.(map[string]any); ok {
		if v = inner["mode"]; v == nil {
			return neutral
		}
	}
	if !isString(v) {
		return (*expose)(nil).judge(v)
	}
	e := s.abilities().find(property)
	if e != nil && e.Type == "binary" {
		return e.judge(v)
	}
	b := bag(split(text(v)))
	switch {
	case isStop(b):
		return clear
	case s.device.Kind == signal.Lamp && lightWeight(b) > 0, soundWeight(b) > 0:
		return holds
	case b.any("light", "flash"):
		return clear
	}
	return judgeWord(text(v))
}
