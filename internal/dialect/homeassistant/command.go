package homeassistant

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
)

// unsaid is how long a siren sounds when nobody said how long.
const unsaid = 3 * time.Minute

// Command implements [dialect.Dialect].
func (Dialect) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	c, ok, err := configOf(d)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("%s has not announced itself yet: no topic to command it on", d.Topic)
	case !isOutput(d.Kind) || !c.commands():
		return nil, fmt.Errorf("%s of kind %s cannot sound: only a siren or lamp that is a siren or switch can", d.Topic, d.Kind)
	case c.CommandTopic == "" || strings.ContainsAny(string(c.CommandTopic), "+#\x00"):
		return nil, fmt.Errorf("%s announces no topic to command it on (command_topic %q)", d.Topic, c.CommandTopic)
	}
	payload, err := c.order(w)
	if err != nil {
		return nil, err
	}
	return []dialect.Message{{Topic: string(c.CommandTopic), Payload: []byte(payload)}}, nil
}

// order is what the entity is told: its template filled in, a siren's JSON, or a
// switch's word.
func (c config) order(w dialect.Want) (string, error) {
	s := c.wish(w)
	template := string(c.CommandTemplate)
	if !w.Sounding && c.OffTemplate != "" {
		template = string(c.OffTemplate)
	}
	switch {
	case template != "":
		return fill(template, s.values())
	case c.Platform == "switch":
		return s.State, nil
	}
	b, err := json.Marshal(s)
	return string(b), err
}

// sirenOrder is what Home Assistant sends a siren.
type sirenOrder struct {
	State    string  `json:"state"`
	Tone     string  `json:"tone,omitempty"`
	Duration int     `json:"duration,omitempty"`     // s
	Volume   float64 `json:"volume_level,omitempty"` // 0 to 1
}

func (s sirenOrder) values() map[string]string {
	return map[string]string{
		"value": s.State, "state": s.State, "tone": s.Tone,
		"duration": strconv.Itoa(s.Duration), "volume_level": strconv.FormatFloat(s.Volume, 'g', -1, 64),
	}
}

// wish is w as far as the siren can follow it.
func (c config) wish(w dialect.Want) sirenOrder {
	if !w.Sounding {
		return sirenOrder{State: c.PayloadOff.or("OFF")}
	}
	s := sirenOrder{State: c.PayloadOn.or("ON"), Tone: c.tone(w.Pattern)}
	if c.Duration == "" || c.Duration.truth() {
		d := w.Duration
		if d <= 0 { // the contract forbids it, but silence would be worse
			d = unsaid
		}
		s.Duration = int((d + time.Second - 1) / time.Second)
	}
	if c.Volume == "" || c.Volume.truth() {
		s.Volume = volume(w.Pattern)
	}
	return s
}

func volume(p dialect.Pattern) float64 {
	switch p {
	case dialect.DrillPattern, dialect.TestPattern:
		return 0.5
	case dialect.CalmPattern:
		return 0.3
	}
	return 1
}

// tone picks the tone whose name fits the pattern best, else the first that sounds.
func (c config) tone(p dialect.Pattern) string {
	fits := []string{"emergency", "fire", "alarm", "siren", "burglar", "panic"}
	switch p {
	case dialect.DrillPattern, dialect.TestPattern, dialect.CalmPattern:
		fits = []string{"test", "chime", "bell", "ding", "ping", "beep", "notif", "warn"}
	}
	first := ""
	best := len(fits)
	for _, t := range c.Tones {
		name := strings.ToLower(string(t))
		if name == "" || name == "stop" || name == "off" || name == "none" {
			continue
		}
		if first == "" {
			first = string(t)
		}
		for i := range best {
			if strings.Contains(name, fits[i]) {
				best, first = i, string(t)
				break
			}
		}
	}
	return first
}
