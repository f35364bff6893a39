package zigbee2mqtt

import (
	"encoding/json"
	"fmt"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// abilitiesOf is what discovery said about d, else what is known of its model,
// else nothing.
func abilitiesOf(d dialect.Device) abilities {
	if known := parse(d.Capabilities); len(known) > 0 {
		return known
	}
	return parse(json.RawMessage(knownModel(d.Model)))
}

// guess is what a siren or lamp can most likely do when neither discovery nor
// the model says: most sirens take a warning, most lamps and relays a state.
func guess(k signal.DeviceKind) (abilities, error) {
	switch k {
	case signal.Siren:
		return parse(json.RawMessage(`[` + warning + `]`)), nil
	case signal.Lamp:
		return parse(json.RawMessage(`[{"type":"switch","features":[{"type":"binary","name":"state","value_on":"ON","value_off":"OFF"}]}]`)), nil
	}
	return nil, fmt.Errorf("it is not known whether this device (%s) can sound: give its model in the village file, or wait until Zigbee2MQTT has listed it", k)
}

// warning is the IAS warning device of ZCL 8.4 as Zigbee2MQTT exposes it.
const warning = `{"type":"composite","name":"warning","property":"warning","access":2,"features":[
	{"type":"enum","name":"mode","values":["stop","burglar","fire","emergency","police_panic","fire_panic","emergency_panic"]},
	{"type":"enum","name":"level","values":["low","medium","high","very_high"]},
	{"type":"binary","name":"strobe","value_on":true,"value_off":false},
	{"type":"numeric","name":"duration","unit":"s"}]}`

// knownModel gives the exposes of common sirens, for a village file that names
// the model before the hub has listed its devices. "" when it is not one of them.
// Source: the published device definitions, facts re-typed.
func knownModel(model string) string {
	switch model {
	case "HS2WD-E", "HS2WD-EF": // Heiman; 30 minutes at most
		return `[{"type":"composite","name":"warning","property":"warning","access":2,"features":[
			{"type":"enum","name":"mode","values":["stop","emergency"]},
			{"type":"binary","name":"strobe","value_on":true,"value_off":false},
			{"type":"numeric","name":"duration","unit":"s","value_max":1800}]}]`
	case "NAS-AB02B2", "NAS-AB02B0": // Neo
		return `[{"type":"binary","name":"alarm","access":3,"value_on":true,"value_off":false},
			{"type":"numeric","name":"duration","access":3,"unit":"s","value_min":0,"value_max":1800},
			{"type":"enum","name":"volume","access":3,"values":["low","medium","high"]}]`
	case "NAS-AB06B3", "NAS-AB03B3": // eWeLink
		return `[{"type":"binary","name":"alarm","access":7,"value_on":true,"value_off":false},
			{"type":"numeric","name":"alarm_duration","access":7,"unit":"s","value_min":1,"value_max":1800}]`
	case "TS0216": // Tuya
		return `[{"type":"binary","name":"alarm","access":3,"value_on":true,"value_off":false},
			{"type":"numeric","name":"volume","access":7,"value_min":0,"value_max":100}]`
	case "YXZBSL": // Tuya
		return `[{"type":"binary","name":"alarm","access":3,"value_on":"ON","value_off":"OFF"},
			{"type":"numeric","name":"duration","access":3,"unit":"min","value_min":1,"value_max":60},
			{"type":"enum","name":"volume","access":3,"values":["mute","low","middle","high"]}]`
	case "ZA03": // Tuya
		return `[{"type":"binary","name":"alarm","access":3,"value_on":"ON","value_off":"OFF"},
			{"type":"numeric","name":"duration","access":3,"unit":"s","value_min":1,"value_max":380},
			{"type":"enum","name":"volume","access":3,"values":["low","medium","high","mute"]}]`
	case "MG-BJQ002": // Moes
		return `[{"type":"enum","name":"alarm","access":3,"values":["sound","light","sound_light","off"]},
			{"type":"numeric","name":"duration","access":3,"unit":"s","value_min":1,"value_max":1800},
			{"type":"enum","name":"volume","access":3,"values":["low","medium","high","mute"]}]`
	case "07504L": // Immax
		return `[{"type":"binary","name":"alarm","access":7,"value_on":true,"value_off":false},
			{"type":"numeric","name":"duration","access":7,"unit":"s","value_min":0,"value_max":3600},
			{"type":"numeric","name":"volume","access":7,"value_min":0,"value_max":50}]`
	case "SNZB-09P": // SONOFF
		return `[{"type":"binary","name":"siren_on","access":2,"value_on":"ON","value_off":"OFF"},
			{"type":"enum","name":"alarm_volume_level","access":7,"values":["low","medium","high","max"]},
			{"type":"numeric","name":"alarm_duration","access":7,"unit":"s","value_min":1,"value_max":900}]`
	}
	return ""
}
