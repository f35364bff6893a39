package zigbee2mqtt

import (
	"slices"
	"strings"
	"unicode"
)

// split takes a name apart into lower-case words: "gas_alarm_1" is gas, alarm,
// 1; "doubleClick" is double, click. "co2" and "l1" stay whole.
func split(name string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			lower = false
			continue
		case unicode.IsUpper(r) && lower:
			end()
		}
		lower = unicode.IsLower(r)
		word.WriteRune(unicode.ToLower(r))
	}
	end()
	return words
}

// bag is the words of a name, asked for what is among them.
type bag []string

func (b bag) has(word string) bool { return slices.Contains(b, word) }

func (b bag) any(words ...string) bool {
	return slices.ContainsFunc(b, func(w string) bool { return slices.Contains(words, w) })
}

// within reports whether every word of b is one of allowed or an endpoint.
func (b bag) within(allowed ...string) bool {
	return !slices.ContainsFunc(b, func(w string) bool { return !slices.Contains(allowed, w) && !endpoint(w) })
}

// endpoint reports whether w names one of several equal parts of a device: 1,
// l2, left. Zigbee2MQTT appends it to the property: action_l1, alarm_2.
func endpoint(w string) bool {
	switch w {
	case "wire", "zone", "zones", "channel", "input":
		return true
	}
	return side(w)
}

// side is an [endpoint] that may follow an action: action_zone is none.
func side(w string) bool {
	digits := strings.TrimLeft(w, "lesb") // l1, e1, s1, b1
	if len(w)-len(digits) <= 1 && digits != "" && strings.Trim(digits, "0123456789") == "" {
		return true
	}
	switch w {
	case "left", "right", "center", "centre", "top", "bottom", "both", "all", "main", "sub":
		return true
	}
	return false
}

// judgeWord reads a value in words. Denial wins over doubt, doubt over calm,
// calm over alarm: "no_fault_detected", "smoke_test", "alarm_off".
func judgeWord(value string) verdict {
	words := split(value)
	best := unheard
	rank := func(v verdict) int { return [...]int{unheard: 0, holds: 1, clear: 2, neutral: 3}[v] }
	for _, w := range words {
		if w == "no" || w == "not" {
			return clear
		}
		if v := meaning(w); rank(v) > rank(best) {
			best = v
		}
	}
	return best
}

// meaning is what one word says about a condition.
func meaning(w string) verdict {
	switch w {
	case "unknown", "detecting", "initializing", "preheat", "preheating", "warming", "warmup", "test", "testing", "checking",
		"check", "selftest", "pre", "prealarm", "silence", "silenced", "muted", "hush", "hushed", "unavailable", "calibrating",
		"calibration", "other", "others", "fault", "error", "failure", "fail", "failed", "lost", "weather", "battery", "life",
		"expired", "expires", "null", "undefined", "running", "success", "low", "medium", "tamper", "timer", "light", "contamination":
		return neutral
	case "normal", "none", "ok", "clear", "cleared", "safe", "off", "false", "idle", "dry", "closed", "close", "inactive", "standby",
		"stop", "stopped", "cancel", "canceled", "cancelled", "disarmed", "work", "working", "good", "ready", "0", "quiet", "mute",
		"unoccupied", "absent", "absence", "nobody", "healthy", "restored", "restore", "ended", "end":
		return clear
	case "alarm", "alarmed", "alarming", "alert", "true", "on", "yes", "1", "active", "activated", "detected", "detect", "triggered",
		"trigger", "fire", "smoke", "gas", "co", "monoxide", "leak", "leaking", "leakage", "wet", "flood", "flooded", "danger",
		"dangerous", "critical", "emergency", "warning", "burglar", "sos", "panic", "open", "opened", "occupied", "presence",
		"present", "motion", "moving", "heat", "high", "overheat", "tampered":
		return holds
	}
	return unheard
}
