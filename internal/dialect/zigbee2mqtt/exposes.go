package zigbee2mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/signal"
)

// Access bits of an expose.
const (
	published = 1 // its value appears in the device's state
	settable  = 2 // it may be commanded
	anyAccess = 7
)

// expose is one property of a device. Shape:
//
//	{"type":"binary","name":"alarm","property":"alarm","access":3,"value_on":"ON","value_off":"OFF"}
//
// A specific expose (switch, light, lock) and a composite have features instead.
type expose struct {
	Type     string   `json:"type"` // binary, enum, numeric, text, composite, list, switch, light, ...
	Name     string   `json:"name"`
	Property string   `json:"property"` // key in the state; name plus endpoint
	Endpoint string   `json:"endpoint"`
	Access   *int     `json:"access"`
	Values   []any    `json:"values"` // of an enum
	On       any      `json:"value_on"`
	Off      any      `json:"value_off"`
	Min      *float64 `json:"value_min"`
	Max      *float64 `json:"value_max"`
	Unit     string   `json:"unit"`
	Features []expose `json:"features"`

	group string // type of the specific expose that it belongs to: "switch", "light"
}

// abilities are the exposes of one device, specific ones taken apart.
type abilities []expose

// parse reads capabilities: the list of exposes, or a definition that holds it.
// What is not understood is left out; nil means that nothing is known.
func parse(capabilities json.RawMessage) abilities {
	raw := bytes.TrimSpace(capabilities)
	if len(raw) == 0 {
		return nil
	}
	var list []expose
	if raw[0] == '{' {
		var definition struct {
			Exposes []expose `json:"exposes"`
		}
		_ = json.Unmarshal(raw, &definition) // one field of a wrong type must not hide the others
		list = definition.Exposes
	} else {
		_ = json.Unmarshal(raw, &list) // as above
	}
	return flatten(nil, list, "", anyAccess)
}

// flatten appends list to a: composites stay whole, specific exposes are
// replaced by their features. A feature without access has its parent's.
func flatten(a abilities, list []expose, group string, access int) abilities {
	for _, e := range list {
		if e.Access == nil {
			e.Access = &access
		}
		if e.Property == "" {
			e.Property = e.Name
		}
		e.group = group
		switch {
		case len(e.Features) == 0:
			a = append(a, e)
		case e.Type == "composite":
			e.Features = flatten(nil, e.Features, "composite", *e.Access)
			a = append(a, e)
		default:
			a = flatten(a, e.Features, e.Type, *e.Access)
		}
	}
	return a
}

// find returns the expose of a property, nil when the device lists none.
func (a abilities) find(property string) *expose {
	for i := range a {
		if a[i].Property == property {
			return &a[i]
		}
	}
	return nil
}

// names lists the properties for people, at most ten.
func (a abilities) names() string {
	var names []string
	for _, e := range a {
		if e.Property != "" && len(names) < 10 {
			names = append(names, e.Property)
		}
	}
	return strings.Join(names, ", ")
}

func (e *expose) writable() bool { return e.Access == nil || *e.Access&settable != 0 }
func (e *expose) readable() bool { return e.Access == nil || *e.Access&published != 0 }

// words are the texts of an enum's values.
func (e *expose) words() []string {
	list := make([]string, 0, len(e.Values))
	for _, v := range e.Values {
		list = append(list, text(v))
	}
	return list
}

// text renders a scalar of JSON as a person would say it: on for "on", 3 for 3.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil, []any, map[string]any:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

// verdict is what a value says about a condition.
type verdict int

const (
	unheard verdict = iota // no word of it is known
	neutral                // known, and neither: detecting, preheating, pre_alarm
	clear                  // the condition does not hold
	holds                  // the condition holds
)

// judge reads value v of property e. e may be nil. Numbers are measurements and
// are judged only when e is a binary whose on or off value they are.
func (e *expose) judge(v any) verdict {
	if e != nil && e.Type == "binary" {
		switch {
		case e.On != nil && strings.EqualFold(text(v), text(e.On)):
			return holds
		case e.Off != nil && strings.EqualFold(text(v), text(e.Off)):
			return clear
		}
	}
	switch v := v.(type) {
	case bool:
		if v {
			return holds
		}
		return clear
	case string:
		return judgeWord(v)
	}
	return neutral
}

// category is which danger the words of a name or value speak of, "" when none.
func category(words []string) signal.Category {
	has := bag(words)
	switch {
	case has.has("carbon") && has.has("monoxide"), has.has("co"):
		return signal.Monoxide
	case has.any("smoke", "fire", "heat"):
		return signal.Fire
	case has.any("gas", "methane", "lpg", "propane", "cng"):
		return signal.GasLeak
	case has.any("leak", "leakage", "water", "flood", "wet"):
		return signal.Flood
	case has.any("duress", "holdup"):
		return signal.HoldUp
	case has.any("medical", "doctor", "ambulance"):
		return signal.Medical
	case has.any("burglar", "burglary", "intrusion", "intruder"):
		return signal.Intrusion
	case has.any("sos", "panic", "emergency", "help", "police"):
		return signal.Panic
	}
	return ""
}
