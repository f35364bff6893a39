package homeassistant

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

const birthTopic = "homeassistant/status"

// HubTopics implements [dialect.HubDialect].
func (Dialect) HubTopics() []string {
	return []string{birthTopic, "homeassistant/+/+/config", "homeassistant/+/+/+/config"}
}

// DecodeHub implements [dialect.HubDialect]. What a device payload announces is
// found as homeassistant/device/<id>/<component id>; a device payload that is
// withdrawn is reported as its topic alone, gone with everything below it.
func (Dialect) DecodeHub(m dialect.Message) (dialect.HubReport, error) {
	if m.Topic == birthTopic {
		return birth(string(m.Payload))
	}
	topic, ok := strings.CutSuffix(m.Topic, "/config")
	if !ok {
		return dialect.HubReport{}, nil
	}
	kind := component(topic)
	if kind != "device" && !supportedComponent(kind) {
		return dialect.HubReport{}, nil
	}
	if len(m.Payload) == 0 {
		return dialect.HubReport{Found: []dialect.Found{{Topic: topic, Gone: true}}}, nil
	}
	block, err := object(m.Payload)
	if err != nil {
		return dialect.HubReport{}, fmt.Errorf("%s: %w", m.Topic, err)
	}
	expand(block, optionNames)
	if block["migrate_discovery"] == true { // settings are kept, another payload follows
		return dialect.HubReport{}, nil
	}
	if kind == "device" {
		return announcedDevice(topic, block)
	}
	return announced(topic, kind, block)
}

// birth is Home Assistant's own word about itself.
func birth(payload string) (dialect.HubReport, error) {
	switch payload {
	case "online":
		return dialect.HubReport{Presence: signal.Online}, nil
	case "offline":
		return dialect.HubReport{Presence: signal.Offline}, nil
	case "":
		return dialect.HubReport{}, nil
	}
	return dialect.HubReport{}, fmt.Errorf("%s says %q, which is neither online nor offline", birthTopic, clip(payload))
}

// supportedComponent excludes alarm_control_panel: that is what Keng itself is.
func supportedComponent(s string) bool {
	return slices.Contains([]string{"binary_sensor", "siren", "event", "device_automation", "switch"}, s)
}

// announced is one entity.
func announced(topic, platform string, block map[string]any) (dialect.HubReport, error) {
	block["platform"] = platform
	writeOut(block)
	c, err := fromBlock(block)
	if err != nil {
		return dialect.HubReport{}, fmt.Errorf("%s: %w", topic, err)
	}
	if c.ours() {
		return dialect.HubReport{}, nil
	}
	full, err := json.Marshal(block)
	if err != nil {
		return dialect.HubReport{}, fmt.Errorf("%s: %w", topic, err)
	}
	return dialect.HubReport{Found: []dialect.Found{{
		Topic: topic, Name: c.name(topic), Model: string(c.Device.Model), Kind: c.guess(), Capabilities: full,
	}}}, nil
}

// shared are the options of a device payload that hold for its components too.
// "~" is added, so that a base topic written once serves all.
func shared() []string {
	return []string{
		"availability", "availability_mode", "availability_template", "availability_topic", "command_topic",
		"payload_available", "payload_not_available", "state_topic", "device", "origin", "~",
	}
}

// announcedDevice is many entities at once.
func announcedDevice(topic string, block map[string]any) (dialect.HubReport, error) {
	parts, ok := block["components"].(map[string]any)
	if !ok {
		return dialect.HubReport{}, fmt.Errorf("%s announces no components", topic)
	}
	var report dialect.HubReport
	for _, id := range slices.Sorted(maps.Keys(parts)) {
		part, ok := parts[id].(map[string]any)
		if !ok || id == "" || strings.ContainsAny(id, "/+#") {
			return dialect.HubReport{}, fmt.Errorf("%s: component %q is not readable", topic, clip(id))
		}
		found, err := announcedPart(topic+"/"+id, part, block)
		if err != nil {
			return dialect.HubReport{}, err
		}
		report.Found = append(report.Found, found...)
	}
	return report, nil
}

// announcedPart is one component of a device payload. One that names only its
// platform is withdrawn.
func announcedPart(topic string, part, device map[string]any) ([]dialect.Found, error) {
	expand(part, optionNames)
	platform, _ := part["platform"].(string)
	if !supportedComponent(platform) {
		return nil, nil
	}
	if len(part) == 1 {
		return []dialect.Found{{Topic: topic, Gone: true}}, nil
	}
	for _, key := range shared() {
		if v, ok := device[key]; ok && part[key] == nil {
			part[key] = deepCopy(v)
		}
	}
	report, err := announced(topic, platform, part)
	return report.Found, err
}

// deepCopy keeps components from changing each other's blocks.
func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = deepCopy(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = deepCopy(e)
		}
		return l
	}
	return v
}

// name is what people call the entity: the device's name and its own.
func (c config) name(topic string) string {
	own := string(c.Name)
	if c.Platform == "device_automation" {
		own = strings.Trim(string(c.Type)+" "+string(c.Subtype), " ")
	}
	if s := strings.Trim(string(c.Device.Name)+" "+own, " "); s != "" {
		return s
	}
	return topic[strings.LastIndexByte(topic, '/')+1:]
}

// guess is the kind that the entity most likely is, "" when it is of no use.
func (c config) guess() signal.DeviceKind {
	if c.EntityCategory == "config" || c.EntityCategory == "diagnostic" {
		return ""
	}
	switch c.Platform {
	case "siren", "switch":
		return signal.Siren
	case "event":
		return guessEvent(string(c.DeviceClass))
	case "device_automation":
		if c.AutomationType == "trigger" && !isRelease(string(c.Type)+string(c.Subtype)) {
			return signal.Button
		}
		return ""
	}
	return guessClass(string(c.DeviceClass))
}

func guessEvent(class string) signal.DeviceKind {
	if class == "motion" {
		return signal.Motion
	}
	return signal.Button
}

func guessClass(class string) signal.DeviceKind {
	switch class {
	case "smoke":
		return signal.Smoke
	case "gas":
		return signal.Gas
	case "carbon_monoxide":
		return signal.CO
	case "heat":
		return signal.Heat
	case "moisture":
		return signal.Water
	case "safety":
		return signal.Button
	case "door", "window", "opening", "garage_door":
		return signal.Contact
	case "motion", "occupancy":
		return signal.Motion
	case "tamper":
		return signal.Tamper
	}
	return ""
}
