package tasmota

import (
	"strconv"
	"strings"
)

// part is what of a Tasmota device a village file means.
type part int

const (
	whole  part = iota // the topic alone
	relay              // <topic>/POWER2
	button             // <topic>/Button1
	input              // <topic>/Switch1
	code               // <topic>/0x7028D2
)

// address is a village file's topic, taken apart.
type address struct {
	topic string // Tasmota's own topic
	part  part
	n     int    // number of the relay, button or input, from 1; 0 for whole and code
	code  uint64 // the RF code, for code
}

// parseAddress takes "tasmota_alley1/Button1" apart. A last level of another
// shape belongs to the topic, which may have levels of its own.
func parseAddress(s string) address {
	head, last, found := cutLast(s)
	if !found {
		return address{topic: s}
	}
	if p, n := classify(last); p != whole {
		return address{topic: head, part: p, n: n}
	}
	if c, ok := parseHex(last); ok {
		return address{topic: head, part: code, code: c}
	}
	return address{topic: s}
}

// cutLast cuts s around its last slash.
func cutLast(s string) (head, last string, found bool) {
	i := strings.LastIndexByte(s, '/')
	if i <= 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// classify says which part a key of a Tasmota message or a level of a topic
// names: "POWER" is relay 1, "Switch2" is input 2. whole: none.
func classify(key string) (part, int) {
	name := strings.TrimRight(key, "0123456789")
	n, err := strconv.Atoi(key[len(name):])
	if err != nil || n < 1 || n > 64 {
		if strings.EqualFold(key, "POWER") {
			return relay, 1
		}
		return whole, 0
	}
	switch {
	case strings.EqualFold(name, "POWER"):
		return relay, n
	case strings.EqualFold(name, "Button"):
		return button, n
	case strings.EqualFold(name, "Switch"):
		return input, n
	}
	return whole, 0
}

// parseHex reads "0x7028D2".
func parseHex(s string) (uint64, bool) {
	if len(s) < 3 || !strings.EqualFold(s[:2], "0x") {
		return 0, false
	}
	v, err := strconv.ParseUint(s[2:], 16, 64)
	return v, err == nil
}
