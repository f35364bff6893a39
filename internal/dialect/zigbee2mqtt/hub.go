package zigbee2mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// HubTopics lists what the bridge says about itself and its devices. The base
// may have one level ("zigbee2mqtt") or two ("home/zigbee2mqtt").
func (Dialect) HubTopics() []string {
	var topics []string
	for _, base := range []string{"+", "+/+"} {
		for _, what := range []string{"state", "devices", "event", "response/device/remove", "response/device/rename"} {
			topics = append(topics, base+"/bridge/"+what)
		}
	}
	return topics
}

// DecodeHub says what a message of the bridge means. Messages that are none of
// the hub topics' mean nothing.
func (Dialect) DecodeHub(m dialect.Message) (dialect.HubReport, error) {
	base, what, ok := strings.Cut(m.Topic, "/bridge/")
	payload := bytes.TrimSpace(m.Payload)
	if !ok || len(payload) == 0 {
		return dialect.HubReport{}, nil
	}
	switch what {
	case "state":
		k, err := presence(payload)
		return dialect.HubReport{Presence: k}, err
	case "devices":
		return devices(base, payload)
	case "event":
		return departure(base, payload)
	case "response/device/remove", "response/device/rename":
		return removal(base, payload)
	}
	return dialect.HubReport{}, nil
}

// listed is one entry of bridge/devices.
type listed struct {
	Type         string `json:"type"` // Coordinator, Router, EndDevice
	FriendlyName string `json:"friendly_name"`
	Disabled     bool   `json:"disabled"`
	ModelID      string `json:"model_id"` // the maker's own word, when there is no definition
	Definition   *struct {
		Model       string          `json:"model"`
		Description string          `json:"description"`
		Exposes     json.RawMessage `json:"exposes"`
	} `json:"definition"`
}

// devices reads the list of all devices behind the bridge. A disabled device is
// withdrawn: the bridge passes nothing on. One that is not supported or not yet
// interviewed has no exposes, so it is shown by name and of no use yet.
func devices(base string, payload []byte) (dialect.HubReport, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal(payload, &raw); err != nil {
		return dialect.HubReport{}, fmt.Errorf("the list of devices is not a JSON list or was cut short after %d bytes (the limit of the broker?): %w", len(payload), err)
	}
	var report dialect.HubReport
	for _, r := range raw {
		var l listed
		_ = json.Unmarshal(r, &l) // a field of a wrong type must not hide the device, nor the others
		if l.FriendlyName != "" && l.Type != "Coordinator" {
			report.Found = append(report.Found, l.found(base))
		}
	}
	return report, nil
}

// found is what the village needs to know of l.
func (l listed) found(base string) dialect.Found {
	f := dialect.Found{Topic: base + "/" + l.FriendlyName, Name: l.FriendlyName, Model: l.ModelID, Gone: l.Disabled}
	if l.Definition == nil {
		return f
	}
	if l.Definition.Model != "" {
		f.Model = l.Definition.Model
	}
	if known := parse(l.Definition.Exposes); len(known) > 0 {
		f.Capabilities, f.Kind = l.Definition.Exposes, kindOf(known, l.Definition.Description)
	}
	return f
}

// departure reads bridge/event: a device that left the network.
func departure(base string, payload []byte) (dialect.HubReport, error) {
	var event struct {
		Type string `json:"type"`
		Data struct {
			FriendlyName string `json:"friendly_name"`
			Address      string `json:"ieee_address"`
		} `json:"data"`
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return dialect.HubReport{}, fmt.Errorf("this event of the bridge is not JSON: %w", err)
	}
	if event.Type != "device_leave" {
		return dialect.HubReport{}, nil
	}
	if event.Data.FriendlyName == "" {
		event.Data.FriendlyName = event.Data.Address
	}
	return gone(base, event.Data.FriendlyName), nil
}

// removal reads the answer to a removal or a new name given in Zigbee2MQTT's
// own screen; under the old name the device is gone.
func removal(base string, payload []byte) (dialect.HubReport, error) {
	var answer struct {
		Status string `json:"status"`
		Data   struct {
			ID   any    `json:"id"`
			From string `json:"from"`
		} `json:"data"`
	}
	if err := json.Unmarshal(payload, &answer); err != nil {
		return dialect.HubReport{}, fmt.Errorf("this answer of the bridge is not JSON: %w", err)
	}
	if answer.Status != "ok" {
		return dialect.HubReport{}, nil
	}
	if answer.Data.From != "" {
		return gone(base, answer.Data.From), nil
	}
	return gone(base, text(answer.Data.ID)), nil
}

func gone(base, name string) dialect.HubReport {
	if name == "" {
		return dialect.HubReport{}
	}
	return dialect.HubReport{Found: []dialect.Found{{Topic: base + "/" + name, Name: name, Gone: true}}}
}

// kindOf guesses what a device is for. What saves lives comes first: a detector
// with a siren is a detector, a keypad with an emergency key is a button. The
// maker's description decides where the exposes only say "alarm". "" means of no
// use: a plug may feed a fridge, so it is never guessed a siren.
func kindOf(known abilities, description string) signal.DeviceKind {
	dangers := known.dangers()
	about := bag(split(description))
	for _, guess := range []struct {
		yes  bool
		kind signal.DeviceKind
	}{
		{known.sounds() && about.has("siren") && !about.any("smoke", "gas", "carbon", "fire", "heat", "water", "detector", "sensor"), signal.Siren},
		{dangers[signal.Fire] && (about.has("heat") || known.find("smoke") == nil && known.find("heat") != nil), signal.Heat},
		{dangers[signal.Fire], signal.Smoke},
		{dangers[signal.Monoxide], signal.CO},
		{dangers[signal.GasLeak], signal.Gas},
		{dangers[signal.Flood], signal.Water},
		{dangers[signal.Panic] || known.act(func(words []string) bool { return dangerOf(words) != "" }), signal.Button},
		{known.informs(isGeneric) && describedKind(about) != "", describedKind(about)},
		{known.sounds(), signal.Siren},
		{known.informs(isOpening), signal.Contact},
		{known.informs(isMovement), signal.Motion},
		{known.act(func(words []string) bool { return readDeed(words) == press }), signal.Button},
		{known.shines(), signal.Lamp},
		{known.informs(isTamper) && known.informs(isGeneric), signal.Tamper},
	} {
		if guess.yes {
			return guess.kind
		}
	}
	return ""
}

// describedKind reads a maker's description of a device that only says "alarm".
func describedKind(about bag) signal.DeviceKind {
	switch {
	case about.has("siren"):
		return "" // a listener for sirens, or a siren: the exposes know better
	case about.has("heat"):
		return signal.Heat
	case about.any("smoke", "fire"):
		return signal.Smoke
	case about.any("carbon", "co"):
		return signal.CO
	case about.has("gas"):
		return signal.Gas
	case about.any("water", "leak", "leakage", "flood"):
		return signal.Water
	case about.any("door", "window", "contact"):
		return signal.Contact
	case about.any("motion", "vibration"):
		return signal.Motion
	case about.any("button", "sos", "panic", "emergency"):
		return signal.Button
	}
	return ""
}

// dangers are the categories that the device can report by name.
func (a abilities) dangers() map[signal.Category]bool {
	found := map[signal.Category]bool{}
	s := scene{device: dialect.Device{Kind: signal.Smoke}}
	for _, e := range a {
		if e.Type != "numeric" && e.readable() && (!e.writable() || plain(e.Property)) {
			found[s.danger(split(e.Property))] = true
		}
	}
	return found
}

// act reports whether one of the device's actions is as asked.
func (a abilities) act(is func(words []string) bool) bool {
	for _, e := range a {
		if words := split(e.Property); len(words) == 0 || !isAction(words) {
			continue
		}
		for _, w := range e.words() {
			if words := split(w); len(words) > 0 && is(words) {
				return true
			}
		}
	}
	return false
}

// sounds reports whether the device has a siren of its own: not a mere relay,
// nor, without a melody to choose, a mere permission to sound.
func (a abilities) sounds() bool {
	f, err := findForm(signal.Siren, a)
	if err != nil {
		return false
	}
	b := bag(split(f.main.Property))
	return !isState(b, f.main) && (!b.has("switch") || a.has(isMelody))
}

// shines reports whether the device is a lamp.
func (a abilities) shines() bool {
	for _, e := range a {
		if e.group == "light" && bag(split(e.Property)).has("state") {
			return true
		}
	}
	return false
}

// informs reports whether a property that cannot be set is as asked.
func (a abilities) informs(is func(b bag) bool) bool {
	return slices.ContainsFunc(a, func(e expose) bool {
		return e.readable() && !e.writable() && e.Type != "numeric" && is(bag(split(e.Property)))
	})
}

// has reports whether any property is as asked.
func (a abilities) has(is func(b bag) bool) bool {
	return slices.ContainsFunc(a, func(e expose) bool { return is(bag(split(e.Property))) })
}
