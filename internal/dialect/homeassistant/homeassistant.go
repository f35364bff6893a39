package homeassistant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Name is the word in a village file.
const Name = "homeassistant"

// Dialect speaks Home Assistant discovery. The zero value is ready for use.
type Dialect struct{}

// Name implements [dialect.Dialect].
func (Dialect) Name() string { return Name }

// configOf reads what discovery said of d. ok is false when nothing was heard
// yet, or when Keng itself announced it.
func configOf(d dialect.Device) (c config, ok bool, err error) {
	if len(d.Capabilities) == 0 {
		return config{}, false, nil
	}
	if c, err = parseConfig(d.Capabilities); err != nil {
		return config{}, false, err
	}
	if c.Platform == "" || c.Platform == "mqtt" {
		c.Platform = word(component(d.Topic))
	}
	return c, !c.ours(), nil
}

// component is the second level of homeassistant/binary_sensor/node/object.
func component(topic string) string {
	levels := strings.Split(topic, "/")
	if len(levels) < 2 {
		return ""
	}
	return levels[1]
}

// Topics implements [dialect.Dialect]. They are known only once discovery spoke.
func (Dialect) Topics(d dialect.Device) []string {
	c, ok, err := configOf(d)
	if err != nil || !ok {
		return nil
	}
	var topics []string
	add := func(t string) {
		if t != "" && !strings.ContainsAny(t, "+#") && !slices.Contains(topics, t) {
			topics = append(topics, t)
		}
	}
	add(c.speaks())
	for _, a := range c.reach() {
		add(string(a.Topic))
	}
	return topics
}

// Confirms implements [dialect.Dialect]: whether the siren or switch has a state topic.
func (Dialect) Confirms(d dialect.Device) bool {
	c, ok, err := configOf(d)
	return err == nil && ok && isOutput(d.Kind) && c.commands() && c.StateTopic != "" && !c.Optimistic.truth()
}

func isOutput(k signal.DeviceKind) bool { return k == signal.Siren || k == signal.Lamp }

// commands reports whether the entity is one that Keng switches.
func (c config) commands() bool { return c.Platform == "siren" || c.Platform == "switch" }

// Decode implements [dialect.Dialect].
func (Dialect) Decode(d dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	c, ok, err := configOf(d)
	if err != nil || !ok || len(m.Payload) == 0 {
		return nil, err
	}
	var readings []dialect.Reading
	for _, a := range c.reach() {
		if string(a.Topic) != m.Topic {
			continue
		}
		r, err := a.presence(m.Payload)
		if err != nil {
			return nil, err
		}
		readings = append(readings, r...)
	}
	if c.speaks() != m.Topic {
		return readings, nil
	}
	r, err := c.state(d, m.Payload)
	if err != nil || r.Kind == "" {
		return readings, err
	}
	return append(readings, r), nil
}

// presence reads an availability topic. Its Property is the topic, because an
// entity may have several.
func (a available) presence(payload []byte) ([]dialect.Reading, error) {
	value, err := read(string(a.Template), payload)
	if err != nil || value == "" {
		return nil, err
	}
	r := dialect.Reading{Property: string(a.Topic), Level: true, Value: clip(value)}
	switch {
	case same(value, string(a.Up)):
		r.Kind = signal.Online
	case same(value, string(a.Down)):
		r.Kind = signal.Offline
	default:
		return nil, neither(value, string(a.Up), string(a.Down))
	}
	return []dialect.Reading{r}, nil
}

func neither(value, a, b string) error {
	return fmt.Errorf("%q is neither %q nor %q, as the config has it", clip(value), a, b)
}

// state reads the entity's own topic.
func (c config) state(d dialect.Device, payload []byte) (dialect.Reading, error) {
	switch c.Platform {
	case "binary_sensor":
		return c.binary(d, payload)
	case "event":
		return c.event(d, payload)
	case "device_automation":
		return c.trigger(d, payload)
	case "siren":
		return c.output(d, string(c.StateTemplate), payload)
	case "switch":
		return c.output(d, string(c.ValueTemplate), payload)
	}
	return dialect.Reading{}, fmt.Errorf("component %q is not supported: use binary_sensor, event, device_automation, siren or switch", c.Platform)
}
