package plainjson

import (
	"strings"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// deed is what a word says was done, or how things stand.
type deed int

const (
	strange deed = iota
	press        // a finger did something, or an alarm was raised
	on           // a state that may be an alarm: ON, true, 1, open
	off          // the opposite, or letting go
	restore      // the danger is over
	test
	tamper
	tamperOver
	fault
	faultOver
	lowBattery
	batteryOK
	alive // only a sign of life
	online
	offline
)

// phrase folds a word: lower case, no Vietnamese marks, one _ between parts.
// "Báo động" and "bao-dong" are bao_dong.
func phrase(s string) string {
	return strings.Join(strings.FieldsFunc(place.Fold(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "_")
}

// readWord says what a word means and which danger it names. Whole phrases
// first, then their parts: one that ends wins ("button_released"), then one about
// the device itself ("smoke_test"), then any other. A part "co" is not read: in
// Vietnamese it says that there is something.
func readWord(s string) (deed, signal.Category) {
	p := phrase(s)
	if d, c := known(p); d != strange {
		return d, c
	}
	best, named := strange, signal.Category("")
	for part := range strings.SplitSeq(p, "_") {
		d, c := known(part)
		switch {
		case part == "co" || part == "on" || part == "1" || d == strange:
			continue
		case d == off || d == restore:
			return d, ""
		case c != "":
			named = c
		}
		if best == strange || (d != press && d != on) {
			best = d
		}
	}
	return best, named
}

// known knows whole phrases.
func known(p string) (deed, signal.Category) {
	if c := danger(p); c != "" {
		return press, c
	}
	switch p {
	case "press", "pressed", "push", "pushed", "click", "clicked", "tap", "tapped", "single", "double", "triple", "hold", "held", "long",
		"long_press", "short", "down", "alarm", "alarmed", "alert", "trigger", "triggered", "danger", "detected", "ring", "bell",
		"nhan", "bam", "bao_dong", "baodong", "keng":
		return press, ""
	case "on", "true", "1", "yes", "active", "open", "opened", "bat", "motion":
		return on, ""
	case "off", "false", "0", "no", "not", "inactive", "closed", "close", "idle", "none", "null", "released", "release", "up", "tat":
		return off, ""
	case "restore", "restored", "clear", "cleared", "normal", "safe", "end", "ended", "cancel", "het", "binh_thuong", "an_toan":
		return restore, ""
	case "test", "testing", "selftest", "self_test", "thu":
		return test, ""
	case "tamper", "tampered", "sabotage":
		return tamper, ""
	case "tamper_restore", "tamper_closed", "tamper_ok":
		return tamperOver, ""
	case "fault", "error", "failure", "failed", "broken", "trouble", "hong", "loi":
		return fault, ""
	case "fault_restore", "fault_ok":
		return faultOver, ""
	case "low_battery", "battery_low", "lowbattery", "low_bat", "pin_yeu":
		return lowBattery, ""
	case "battery_ok", "battery_normal":
		return batteryOK, ""
	case "heartbeat", "alive", "ping", "hello", "boot", "booted", "start", "started", "ready", "wake", "wakeup", "keepalive", "ok", "good", "running":
		return alive, ""
	case "online", "connected":
		return online, ""
	case "offline", "disconnected", "lost":
		return offline, ""
	}
	return strange, ""
}

// danger is the category that a folded word names, English or Vietnamese.
func danger(p string) signal.Category {
	switch p {
	case "fire", "smoke", "heat", "chay", "chay_nha", "khoi", "hoa_hoan", "co_chay":
		return signal.Fire
	case "intruder", "intrusion", "thief", "burglar", "burglary", "robber", "trom", "co_trom", "dot_nhap", "ke_gian":
		return signal.Intrusion
	case "medical", "medic", "ambulance", "doctor", "cap_cuu", "capcuu", "y_te":
		return signal.Medical
	case "holdup", "hold_up", "duress", "cuop", "bi_cuop":
		return signal.HoldUp
	case "gas", "gas_leak", "methane", "lpg", "khi_gas", "ro_gas":
		return signal.GasLeak
	case "co", "co_alarm", "co_detected", "carbon_monoxide", "monoxide", "khi_co":
		return signal.Monoxide
	case "flood", "water", "leak", "water_leak", "lut", "lu_lut", "ngap", "ngap_lut", "ro_nuoc":
		return signal.Flood
	case "panic", "sos", "help", "emergency", "cuu", "cuu_voi", "khan_cap", "police", "cong_an":
		return signal.Panic
	case "technical":
		return signal.Technical
	case "other", "khac":
		return signal.Other
	}
	return ""
}

// isDeviceWord: what a device calls itself, which says nothing about an event.
func isDeviceWord(p string) bool {
	switch p {
	case "button", "sensor", "detector", "siren", "lamp", "device", "esp32", "esp8266", "contact", "door", "motion", "smoke_detector",
		"gas_detector", "nut", "coi", "den", "binary_sensor", "switch":
		return true
	}
	return false
}
