package tasmota

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// HubTopics implements [dialect.HubDialect].
func (Dialect) HubTopics() []string {
	return []string{"tasmota/discovery/+/config", "tasmota/discovery/+/sensors"}
}

// DecodeHub implements [dialect.HubDialect]. A withdrawal (an empty payload,
// SetOption19 1) names only the MAC, not the topic, so nothing is reported gone;
// the LWT of the device says that it went.
func (Dialect) DecodeHub(m dialect.Message) (dialect.HubReport, error) {
	if !strings.HasSuffix(m.Topic, "/config") || len(m.Payload) == 0 {
		return dialect.HubReport{}, nil
	}
	var c config
	if err := json.Unmarshal(m.Payload, &c); err != nil {
		return dialect.HubReport{}, fmt.Errorf("Tasmota discovery is not readable: %w", err)
	}
	if c.Topic == "" {
		return dialect.HubReport{}, fmt.Errorf("Tasmota discovery without a topic (\"t\")")
	}
	return dialect.HubReport{Found: c.found(slices.Clone(m.Payload))}, nil
}

// found lists the device itself and each of its parts that can serve.
func (c config) found(raw json.RawMessage) []dialect.Found {
	parts := c.parts()
	first := dialect.Found{Topic: c.Topic, Name: or(c.Name, c.Topic), Model: c.Module, Kind: signal.Hub, Capabilities: raw}
	all := []dialect.Found{first}
	if len(parts) > 0 && meantByTopic(parts) {
		all[0].Kind = parts[0].Kind
		all = append(all, c.alsoWritten(parts[0], raw)...)
		parts = parts[1:]
	}
	for _, p := range parts {
		p.Topic = c.Topic + "/" + p.Topic
		p.Model, p.Capabilities = c.Module, raw
		all = append(all, p)
	}
	return all
}

// alsoWritten are the other topics by which a village file may mean the part that
// the topic alone means. They have no kind, since they are no further devices.
func (c config) alsoWritten(part dialect.Found, raw json.RawMessage) []dialect.Found {
	also := []dialect.Found{{Topic: c.Topic + "/" + part.Topic, Capabilities: raw}}
	if part.Topic == "POWER1" {
		also = append(also, dialect.Found{Topic: c.Topic + "/POWER", Capabilities: raw})
	}
	return also
}

// meantByTopic reports whether the topic alone means the first of parts: relay 1,
// or the only button or input.
func meantByTopic(parts []dialect.Found) bool {
	return parts[0].Topic == "POWER1" || len(parts) == 1 && parts[0].Kind != signal.Siren
}

// parts lists relays, then buttons, then inputs, with the last level of their topics.
func (c config) parts() []dialect.Found {
	var parts []dialect.Found
	for i, kind := range c.Relays {
		if kind == 1 {
			name := or(c.Name, c.Topic)
			if i < len(c.Names) && c.Names[i] != nil {
				name = or(*c.Names[i], name)
			}
			parts = append(parts, dialect.Found{Topic: "POWER" + strconv.Itoa(i+1), Name: name, Kind: signal.Siren})
		}
	}
	for i, on := range c.Buttons {
		if on == 1 {
			parts = append(parts, c.part("Button", i, signal.Button))
		}
	}
	for i, mode := range c.Modes {
		if mode >= 0 {
			parts = append(parts, c.part("Switch", i, signal.Contact))
		}
	}
	return parts
}

func (c config) part(word string, i int, k signal.DeviceKind) dialect.Found {
	word += strconv.Itoa(i + 1)
	return dialect.Found{Topic: word, Name: or(c.Name, c.Topic) + " " + word, Kind: k}
}
