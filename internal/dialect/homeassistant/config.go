package homeassistant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// origin is the name under which Keng announces; what carries it is never read back.
const origin = "Keng"

// config is one entity's announcement, as far as Keng reads it.
type config struct {
	Platform          word          `json:"platform"` // binary_sensor, siren, event, device_automation, switch
	Name              word          `json:"name"`
	DeviceClass       word          `json:"device_class"`
	EntityCategory    word          `json:"entity_category"`
	StateTopic        word          `json:"state_topic"`
	CommandTopic      word          `json:"command_topic"`
	ValueTemplate     word          `json:"value_template"`
	StateTemplate     word          `json:"state_value_template"` // of a siren
	CommandTemplate   word          `json:"command_template"`
	OffTemplate       word          `json:"command_off_template"`
	PayloadOn         word          `json:"payload_on"`
	PayloadOff        word          `json:"payload_off"`
	StateOn           word          `json:"state_on"`
	StateOff          word          `json:"state_off"`
	OffDelay          word          `json:"off_delay"` // s; "" none
	EventTypes        []word        `json:"event_types"`
	Tones             tones         `json:"available_tones"`
	Duration          word          `json:"support_duration"`   // default true
	Volume            word          `json:"support_volume_set"` // default true
	Optimistic        word          `json:"optimistic"`
	AutomationType    word          `json:"automation_type"` // "trigger"
	Topic             word          `json:"topic"`           // of a trigger
	Payload           word          `json:"payload"`         // of a trigger; "" any
	Type              word          `json:"type"`            // "button_short_press"
	Subtype           word          `json:"subtype"`         // "button_1"
	AvailabilityTopic word          `json:"availability_topic"`
	AvailabilityTmpl  word          `json:"availability_template"`
	PayloadUp         word          `json:"payload_available"`
	PayloadDown       word          `json:"payload_not_available"`
	Availability      availableList `json:"availability"`
	AvailabilityMode  word          `json:"availability_mode"` // all, any, latest
	Origin            struct {
		Name word `json:"name"`
	} `json:"origin"`
	Device struct {
		Name  word `json:"name"`
		Model word `json:"model"`
	} `json:"device"`
}

// available is one topic that says whether the entity can be reached.
type available struct {
	Topic    word `json:"topic"`
	Template word `json:"value_template"`
	Up       word `json:"payload_available"`
	Down     word `json:"payload_not_available"`
}

// word is a text that a config may also give as a number or a boolean.
type word string

// UnmarshalJSON implements [json.Unmarshaler]. true is "True", as in Home Assistant.
func (w *word) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(w))
	case 't':
		*w = "True"
	case 'f':
		*w = "False"
	case 'n':
		*w = ""
	case '{', '[':
		return fmt.Errorf("%s is no text", clip(string(b)))
	default:
		*w = word(b) // a number as it is written
	}
	return nil
}

// truth reads w as a boolean.
func (w word) truth() bool {
	return slices.Contains([]string{"true", "yes", "on", "enable", "1"}, strings.ToLower(string(w)))
}

func (w word) or(other string) string {
	if w == "" {
		return other
	}
	return string(w)
}

// availableList is a list of topics, or one alone.
type availableList []available

// UnmarshalJSON implements [json.Unmarshaler].
func (l *availableList) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]available)(l))
	}
	var one available
	if err := json.Unmarshal(b, &one); err != nil || one.Topic == "" {
		return err
	}
	*l = availableList{one}
	return nil
}

// tones is a list of names, or one alone.
type tones []word

// UnmarshalJSON implements [json.Unmarshaler].
func (t *tones) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]word)(t))
	}
	var one word
	if err := json.Unmarshal(b, &one); err != nil || one == "" {
		return err
	}
	*t = tones{one}
	return nil
}

// parseConfig reads an entity's config, written out in full by [Dialect.DecodeHub]
// (it then names its platform) or as announced.
func parseConfig(raw json.RawMessage) (config, error) {
	var c config
	if json.Unmarshal(raw, &c) == nil && supportedComponent(string(c.Platform)) {
		return c, nil
	}
	block, err := object(raw)
	if err != nil {
		return config{}, err
	}
	writeOut(block)
	return fromBlock(block)
}

func fromBlock(block map[string]any) (config, error) {
	full, err := json.Marshal(block)
	if err != nil {
		return config{}, fmt.Errorf("config: %w", err)
	}
	var c config
	if err := json.Unmarshal(full, &c); err != nil {
		return config{}, fmt.Errorf("config is not as Home Assistant documents it: %w", err)
	}
	return c, nil
}

// object reads a JSON object, with numbers as they are written.
func object(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var block map[string]any
	if err := dec.Decode(&block); err != nil {
		return nil, fmt.Errorf("config is no JSON object: %w", err)
	}
	if block == nil {
		return nil, fmt.Errorf("config is no JSON object: null")
	}
	return block, nil
}

// writeOut replaces abbreviations and the base topic "~" in an entity's block.
func writeOut(block map[string]any) {
	expand(block, optionNames)
	expandWithin(block, "device", deviceNames)
	expandWithin(block, "origin", originNames)
	for _, a := range availabilities(block) {
		expand(a, optionNames)
	}
	replaceBase(block)
}

func expandWithin(block map[string]any, key string, names map[string]string) {
	if b, ok := block[key].(map[string]any); ok {
		expand(b, names)
	}
}

// availabilities lists the blocks under "availability", a list or one alone.
func availabilities(block map[string]any) []map[string]any {
	list, ok := block["availability"].([]any)
	if !ok {
		list = []any{block["availability"]}
	}
	var blocks []map[string]any
	for _, v := range list {
		if b, ok := v.(map[string]any); ok {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// replaceBase puts the base topic where a topic begins or ends with "~".
func replaceBase(block map[string]any) {
	base, ok := block["~"].(string)
	if !ok {
		return
	}
	delete(block, "~")
	for key, v := range block {
		if s, ok := v.(string); ok && strings.HasSuffix(key, "topic") {
			block[key] = based(s, base)
		}
	}
	for _, a := range availabilities(block) {
		if s, ok := a["topic"].(string); ok {
			a["topic"] = based(s, base)
		}
	}
}

func based(topic, base string) string {
	if rest, ok := strings.CutPrefix(topic, "~"); ok {
		return base + rest
	}
	if rest, ok := strings.CutSuffix(topic, "~"); ok {
		return rest + base
	}
	return topic
}

// ours reports whether Keng itself announced c.
func (c config) ours() bool { return c.Origin.Name == origin }

// reach lists the topics that say whether the entity can be reached, with their
// payloads filled in.
func (c config) reach() []available {
	list := c.Availability
	if c.AvailabilityTopic != "" {
		list = availableList{{Topic: c.AvailabilityTopic, Template: c.AvailabilityTmpl, Up: c.PayloadUp, Down: c.PayloadDown}}
	}
	full := make([]available, 0, len(list))
	for _, a := range list {
		a.Up, a.Down = word(a.Up.or("online")), word(a.Down.or("offline"))
		full = append(full, a)
	}
	return full
}

// speaks is the topic of the entity's own state or trigger.
func (c config) speaks() string {
	if c.Platform == "device_automation" {
		return string(c.Topic)
	}
	return string(c.StateTopic)
}

// states are the words for on and off of a siren or switch.
func (c config) states() (on, off string) {
	return c.StateOn.or(c.PayloadOn.or("ON")), c.StateOff.or(c.PayloadOff.or("OFF"))
}
