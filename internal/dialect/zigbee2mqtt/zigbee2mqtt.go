package zigbee2mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Dialect implements [dialect.HubDialect]. The zero value is ready.
type Dialect struct{}

var _ dialect.HubDialect = Dialect{}

// Name is the word in a village file.
func (Dialect) Name() string { return "zigbee2mqtt" }

// Topics lists where d speaks: its own topic, its availability, and the action
// topic of old versions. A device of kind hub speaks on base/bridge/state.
func (Dialect) Topics(d dialect.Device) []string {
	if d.Kind == signal.Hub {
		return []string{bridgeState(d.Topic)}
	}
	return []string{d.Topic, d.Topic + "/availability", d.Topic + "/action"}
}

// bridgeState makes "base/bridge/state" of "base", "base/bridge" or itself.
func bridgeState(topic string) string {
	topic = strings.TrimSuffix(strings.TrimSuffix(topic, "/state"), "/bridge")
	return topic + "/bridge/state"
}

// Decode says what m means for d. An empty payload is a retained value being
// cleared and means nothing.
func (Dialect) Decode(d dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	payload := bytes.TrimSpace(m.Payload)
	if len(payload) == 0 {
		return nil, nil
	}
	if d.Kind == signal.Hub {
		return presenceReading(payload)
	}
	switch m.Topic {
	case d.Topic:
		return decodeState(d, payload)
	case d.Topic + "/availability":
		return presenceReading(payload)
	case d.Topic + "/action":
		return decodeAction(d, payload)
	}
	return nil, nil
}

// decodeAction reads the action topic of old versions: one bare word.
func decodeAction(d dialect.Device, payload []byte) ([]dialect.Reading, error) {
	word := strings.Trim(string(payload), `"`)
	if strings.HasPrefix(word, "{") {
		return decodeState(d, payload)
	}
	s := scene{device: d}
	s.action("action", word)
	return s.finish()
}

// presenceReading reads {"state":"online"} or the plain online of old versions.
func presenceReading(payload []byte) ([]dialect.Reading, error) {
	kind, err := presence(payload)
	if err != nil {
		return nil, err
	}
	return []dialect.Reading{{Kind: kind, Property: "availability", Level: true, Value: string(kind)}}, nil
}

// presence returns [signal.Online] or [signal.Offline].
func presence(payload []byte) (signal.Kind, error) {
	word := strings.Trim(string(bytes.TrimSpace(payload)), `"`)
	var said struct {
		State string `json:"state"`
	}
	if json.Unmarshal(payload, &said) == nil && said.State != "" {
		word = said.State
	}
	switch strings.ToLower(word) {
	case "online":
		return signal.Online, nil
	case "offline":
		return signal.Offline, nil
	}
	return "", fmt.Errorf(`this says neither online nor offline; Zigbee2MQTT sends {"state":"online"} or online here`)
}
