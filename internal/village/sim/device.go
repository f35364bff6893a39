package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village/radio"
)

// thing is one simulated device.
type thing struct {
	device.NewDevice
	mute     bool // never confirms
	sounding bool
}

// base is the part of a topic before its last word, and that word.
func base(topic string) (string, string) {
	i := strings.LastIndex(topic, "/")
	if i < 0 {
		return "", topic
	}
	return topic[:i], topic[i+1:]
}

// node is the ESPHome node of a topic such as "alley1/binary_sensor/smoke".
func node(topic string) string {
	n, _, _ := strings.Cut(topic, "/")
	return n
}

// relay is a Tasmota topic without its part, and the part: "plug1/POWER2".
func relay(topic string) (string, string) {
	if at, part := base(topic); at != "" && (strings.HasPrefix(part, "POWER") || strings.HasPrefix(part, "Button") || strings.HasPrefix(part, "Switch")) {
		return at, part
	}
	return topic, "POWER"
}

// hears is the topic on which the device takes commands, "" for none.
func (d *thing) hears() string {
	if d.Kind != signal.Siren && d.Kind != signal.Lamp {
		return ""
	}
	switch d.Dialect {
	case "zigbee2mqtt", "json":
		return d.Topic + "/set"
	case "tasmota":
		t, _ := relay(d.Topic)
		return "cmnd/" + t + "/+"
	case "esphome":
		return d.Topic + "/command"
	}
	return ""
}

// alive is what the device says to show that it lives.
func (d *thing) alive() []radio.Message {
	switch d.Dialect {
	case "zigbee2mqtt":
		return []radio.Message{{Topic: d.Topic, Payload: d.state(nil)}}
	case "tasmota":
		t, _ := relay(d.Topic)
		return []radio.Message{{Topic: "tele/" + t + "/STATE", Payload: fmt.Appendf(nil, `{"POWER":%q,"Uptime":"0T01:00:00"}`, onOff(d.sounding))}}
	case "esphome":
		return []radio.Message{{Topic: node(d.Topic) + "/status", Payload: []byte("online"), Retain: true}}
	}
	return []radio.Message{{Topic: d.Topic, Payload: []byte(`{"event":"heartbeat"}`)}}
}

// presence is what says that the device is there, or, retained as a will, away.
func (d *thing) presence(online bool) []radio.Message {
	word := map[bool]string{true: "online", false: "offline"}[online]
	switch d.Dialect {
	case "zigbee2mqtt":
		return []radio.Message{{Topic: d.Topic + "/availability", Payload: fmt.Appendf(nil, `{"state":%q}`, word), Retain: true}}
	case "tasmota":
		t, _ := relay(d.Topic)
		return []radio.Message{{Topic: "tele/" + t + "/LWT", Payload: []byte(strings.ToUpper(word[:1]) + word[1:]), Retain: true}}
	case "esphome":
		return []radio.Message{{Topic: node(d.Topic) + "/status", Payload: []byte(word), Retain: true}}
	}
	return []radio.Message{{Topic: d.Topic + "/availability", Payload: []byte(word), Retain: true}}
}

// danger is what the device says when it is pressed or sees danger; calm is what
// it says when that is over, nil when it says nothing.
func (d *thing) danger(n int) (alarm, calm []radio.Message) {
	say := func(topic, payload string) []radio.Message {
		return []radio.Message{{Topic: topic, Payload: []byte(payload), QoS: 1}}
	}
	button := d.Kind == signal.Button
	switch d.Dialect {
	case "zigbee2mqtt":
		if button {
			return say(d.Topic, string(d.state(map[string]any{"action": "emergency"}))), nil
		}
		p := property(d.Kind)
		return say(d.Topic, string(d.state(map[string]any{p: true}))), say(d.Topic, string(d.state(map[string]any{p: false})))
	case "tasmota":
		t, part := relay(d.Topic)
		if strings.HasPrefix(part, "Switch") || !button {
			return say("stat/"+t+"/RESULT", fmt.Sprintf(`{%q:{"Action":"ON"}}`, or(part, "Switch1"))), say("stat/"+t+"/RESULT", fmt.Sprintf(`{%q:{"Action":"OFF"}}`, or(part, "Switch1")))
		}
		return say("stat/"+t+"/RESULT", fmt.Sprintf(`{%q:{"Action":"SINGLE"}}`, or(part, "Button1"))), nil
	case "esphome":
		return say(d.Topic+"/state", "ON"), say(d.Topic+"/state", "OFF")
	}
	if button {
		return say(d.Topic, fmt.Sprintf(`{"event":"press","id":"%s-%d"}`, d.ID, n)), nil
	}
	return say(d.Topic, `{"alarm":true}`), say(d.Topic, `{"alarm":false}`)
}

// or is part, unless that names a relay.
func or(part, def string) string {
	if strings.HasPrefix(part, "POWER") {
		return def
	}
	return part
}

func property(k signal.DeviceKind) string {
	switch k {
	case signal.Gas:
		return "gas"
	case signal.CO:
		return "carbon_monoxide"
	case signal.Water:
		return "water_leak"
	case signal.Motion:
		return "occupancy"
	case signal.Contact:
		return "contact"
	}
	return "smoke"
}

// state is a Zigbee2MQTT state message with extra in it.
func (d *thing) state(extra map[string]any) []byte {
	s := map[string]any{"linkquality": 120, "battery": 97, "battery_low": false, "tamper": false}
	if d.Kind == signal.Siren {
		s = map[string]any{"linkquality": 150, "alarm": d.sounding}
	}
	for k, v := range extra {
		s[k] = v
	}
	b, _ := json.Marshal(s) // a map of plain values cannot fail
	return b
}

// told applies a command and returns the device's echo.
func (d *thing) told(topic, payload string) []radio.Message {
	up := strings.ToUpper(payload)
	switch d.Dialect {
	case "zigbee2mqtt":
		d.sounding = !strings.Contains(payload, `"stop"`) && !strings.Contains(payload, `"alarm":false`) && !strings.Contains(up, `"OFF"`)
	case "json":
		d.sounding = strings.Contains(up, `"ON"`)
	case "tasmota":
		if _, part := base(topic); !strings.HasPrefix(part, "POWER") {
			return nil // PulseTime and the like: how it will sound, not that it does
		}
		d.sounding = up == "ON" || up == "1" || up == "BLINK"
	default:
		d.sounding = up == "ON"
	}
	if d.mute {
		return nil
	}
	switch d.Dialect {
	case "zigbee2mqtt":
		return []radio.Message{{Topic: d.Topic, Payload: d.state(nil)}}
	case "tasmota":
		t, part := relay(d.Topic)
		return []radio.Message{{Topic: "stat/" + t + "/RESULT", Payload: fmt.Appendf(nil, `{%q:%q}`, part, onOff(d.sounding))}}
	case "esphome":
		return []radio.Message{{Topic: d.Topic + "/state", Payload: []byte(onOff(d.sounding)), Retain: true}}
	}
	return []radio.Message{{Topic: d.Topic, Payload: fmt.Appendf(nil, `{"state":%q}`, onOff(d.sounding))}}
}

func onOff(b bool) string {
	if b {
		return "ON"
	}
	return "OFF"
}
