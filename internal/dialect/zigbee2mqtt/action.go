package zigbee2mqtt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// isAction: action, action_l1, action_left, and click of the first versions.
// action_code, action_rate and the like are details of one.
func isAction(words []string) bool {
	if words[0] != "action" && words[0] != "click" {
		return false
	}
	for _, w := range words[1:] {
		if !side(w) {
			return false
		}
	}
	return true
}

// deed is what an action of a button is.
type deed int

const (
	strange deed = iota // no word of it is known
	idle                // known, and not a press: release, rotate_left, disarm
	press
)

// action takes in what was done to a button. Only a button's press is an alarm;
// on any other device only emergency, panic, SOS and the like.
func (s *scene) action(property, action string) {
	words := split(action)
	if len(words) == 0 {
		return
	}
	done := readDeed(words)
	if done == strange && s.device.Kind == signal.Button {
		s.doubts = append(s.doubts, fmt.Sprintf("action %q is not known as a press; known are single, double, hold, long, press, on, emergency, panic, sos and their like", short(action)))
	}
	c := dangerOf(words)
	switch {
	case done == press && s.device.Kind == signal.Button:
	case done == press && c != "":
	case s.device.Kind == signal.Motion && isJolt(words):
		c = signal.Intrusion
	default:
		return
	}
	if c == "" {
		c = signal.DefaultCategory(s.device.Kind)
	}
	s.readings = append(s.readings, dialect.Reading{Kind: signal.Alarm, Category: c, Property: property, Value: property + "=" + short(action)})
}

// dangerOf is the danger that an action names: emergency, sos, fire; "" for a
// mere press.
func dangerOf(words []string) signal.Category {
	b := bag(words)
	switch {
	case b.any("emergency", "panic", "sos", "help"):
		return signal.Panic
	case b.any("fire", "medical", "doctor", "ambulance", "duress", "holdup", "police", "burglar", "intruder"):
		return category(words)
	}
	return ""
}

// isJolt: a vibration sensor says in an action that it was moved.
func isJolt(words []string) bool {
	return bag(words).any("vibration", "tilt", "drop", "fall", "strike", "motion", "move", "movement", "shake")
}

// readDeed says whether an action is a press. Words that end, turn, dim or arm
// win over those that press, and those over words that only name a key or a
// colour: hold_release is no press, off_press is one, and so is press_or_release.
func readDeed(words []string) deed {
	b := bag(words)
	switch {
	case b.has("press") && b.has("or"):
		return press
	case slices.ContainsFunc(words, isEnding):
		return idle
	case slices.ContainsFunc(words, isPress), strings.Trim(strings.Join(words, ""), "0123456789") == "":
		return press
	case slices.ContainsFunc(words, isIdle):
		return idle
	}
	return strange
}

// isPress knows the words for pushing a key, in the spellings of the vendors.
func isPress(w string) bool {
	switch w {
	case "single", "double", "triple", "tripple", "quadruple", "quintuple", "many", "multi", "multiple", "once", "twice", "press",
		"pressed", "presses", "push", "pushed", "click", "clicked", "clicks", "doubleclick", "tap", "tapped", "touch", "touched", "hold",
		"held", "long", "longpress", "short", "shortpress", "initial", "on", "toggle", "button", "key", "trigger", "triggered", "bell",
		"ring", "scene", "recall", "select", "alarm",
		"emergency", "panic", "sos", "help", "fire", "medical", "doctor", "ambulance", "duress", "holdup", "police", "burglar", "intruder":
		return true
	}
	// key1, button2: a key with its number.
	stem := strings.TrimRight(w, "0123456789")
	return stem != w && (stem == "key" || stem == "button" || stem == "btn" || stem == "bell")
}

// isEnding knows the words of what is never a press, whatever stands beside
// them: letting go, turning, dimming, arming, locking, editing scenes.
func isEnding(w string) bool {
	switch w {
	case "release", "released", "releases", "stop", "stopped", "cancel", "cancelled", "canceled", "restore", "restored", "clear", "cleared",
		"rotate", "rotates", "rotated", "rotating", "rotation", "clockwise", "anticlockwise", "brightness", "brightenss", "move", "moving",
		"moved", "step", "store", "add", "remove", "arm", "armed", "disarm", "disarmed", "exit", "entry", "lock", "unlock", "locked",
		"unlocked", "inactivity":
		return true
	}
	return false
}

// isIdle knows the words that alone are no press: the off side of a switch,
// keys of lamps, curtains and keypads, and what a device does by itself.
func isIdle(w string) bool {
	switch w {
	case "off", "none", "null", "unknown", "idle", "normal", "reset", "dial", "slide", "slider", "up", "down", "bright", "dim", "color",
		"colour", "colortemp", "temperature", "hue", "saturation", "effect", "level", "cover", "curtain", "open", "opening", "close",
		"closing", "volume", "track", "play", "pause", "home", "away", "sleep", "night", "stay", "wakeup", "wake", "identify", "refresh",
		"shake", "flip", "fall", "drop", "tilt", "throw", "knock", "vibration", "static", "enter", "leave", "request":
		return true
	}
	return false
}
