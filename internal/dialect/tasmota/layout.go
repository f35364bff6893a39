package tasmota

import (
	"encoding/json"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
)

// config is what Tasmota publishes on tasmota/discovery/<mac>/config, as far as
// Keng reads it. Source: firmware, xdrv_12_discovery.
type config struct {
	Name      string         `json:"dn"`    // device name
	Names     []*string      `json:"fn"`    // friendly names of the relays
	Host      string         `json:"hn"`    // host name
	MAC       string         `json:"mac"`   // "DC4F22A1B2C3"
	Module    string         `json:"md"`    // "Sonoff Basic"
	Online    string         `json:"onln"`  // LWT texts
	Offline   string         `json:"ofln"`  //
	State     []string       `json:"state"` // texts of OFF, ON, TOGGLE, HOLD
	Topic     string         `json:"t"`     // Topic
	FullTopic string         `json:"ft"`    // "%prefix%/%topic%/"
	Prefixes  []string       `json:"tp"`    // of command, stat, tele
	Relays    []int          `json:"rl"`    // 0 none, 1 relay, 2 light, 3 shutter
	Modes     []int          `json:"swc"`   // SwitchMode of the inputs that report, else -1
	Inputs    []*string      `json:"swn"`   // SwitchText of the inputs that report
	Buttons   []int          `json:"btn"`   // 1: reports (SetOption73)
	Options   map[string]int `json:"so"`    // SetOptions: "4", "73", "114"
}

// layout is where one device speaks and in which words.
type layout struct {
	cmnd, stat, tele string    // heads of its topics, with the slash: "stat/tasmota_alley1/"
	state            [4]string // texts of OFF, ON, TOGGLE, HOLD
	online, offline  string    // texts of the LWT
	inputs           []*string // names that stand for Switch1, Switch2, ...; nil when unknown
	modes            []int     // their SwitchMode; nil when unknown
}

// layoutOf takes what discovery said of d, or the firmware's defaults.
func layoutOf(d dialect.Device, topic string) layout {
	var c config
	if json.Unmarshal(d.Capabilities, &c) != nil || c.Topic != topic {
		c = config{Topic: topic}
	}
	return c.layout()
}

func (c config) layout() layout {
	l := layout{
		cmnd: c.head(0, "cmnd"), stat: c.head(1, "stat"), tele: c.head(2, "tele"),
		state:  [4]string{"OFF", "ON", "TOGGLE", "HOLD"},
		online: or(c.Online, "Online"), offline: or(c.Offline, "Offline"),
		inputs: c.Inputs, modes: c.Modes,
	}
	for i, s := range c.State {
		if i < len(l.state) {
			l.state[i] = or(s, l.state[i])
		}
	}
	return l
}

// head is FullTopic with its tokens replaced, for prefix i.
func (c config) head(i int, prefix string) string {
	if i < len(c.Prefixes) {
		prefix = or(c.Prefixes[i], prefix)
	}
	r := strings.NewReplacer("%prefix%", prefix, "%topic%", c.Topic, "%hostname%", c.Host, "%id%", c.MAC)
	s := r.Replace(or(c.FullTopic, "%prefix%/%topic%/"))
	return strings.TrimSuffix(s, "/") + "/"
}

// names returns which part key stands for, knowing that SwitchText may have
// renamed an input.
func (l layout) names(key string) (part, int) {
	if p, n := classify(key); p != whole {
		return p, n
	}
	for i, s := range l.inputs {
		if s != nil && *s != "" && *s == key {
			return input, i + 1
		}
	}
	return whole, 0
}

// silentSensor reports whether input n is known to report its changes as a
// RESULT, so that the periodic SENSOR message says nothing new of it.
func (l layout) silentSensor(n int) bool {
	if n > len(l.modes) {
		return false
	}
	m := l.modes[n-1]
	return m >= 0 && m != 15 && m != 16 // 15 and 16 report in SENSOR only
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
