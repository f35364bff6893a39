package policy

import (
	"encoding/json"
	"fmt"

	cedar "github.com/cedar-policy/cedar-go"
)

// faces is what a policy shows to the outside: which actions it speaks of, nil
// for all, and whom it names, which must be nobody.
type faces struct {
	actions []string
	names   string
}

type entityJSON struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type scopeJSON struct {
	Op       string       `json:"op"`
	Entity   *entityJSON  `json:"entity"`
	Entities []entityJSON `json:"entities"`
}

// facesOf reads a policy in its JSON form, which is Cedar's stable one.
func facesOf(p *cedar.Policy) (faces, error) {
	var f faces
	text, err := p.MarshalJSON()
	if err != nil {
		return f, fmt.Errorf("read policy: %w", err)
	}
	var v struct {
		Principal, Resource, Action scopeJSON
		Conditions                  []struct{ Body any }
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return f, fmt.Errorf("read policy: %w", err)
	}
	switch {
	case v.Action.Entity != nil:
		f.actions = []string{v.Action.Entity.ID}
	case v.Action.Op != "All":
		f.actions = []string{}
		for _, e := range v.Action.Entities {
			f.actions = append(f.actions, e.ID)
		}
	}
	for _, s := range []scopeJSON{v.Principal, v.Resource} {
		if s.Entity != nil {
			f.names = s.Entity.Type + " " + s.Entity.ID
		}
	}
	for _, c := range v.Conditions {
		if e := named(c.Body); e != "" {
			f.names = e
		}
	}
	return f, nil
}

// named finds an entity that is written out in a condition.
func named(v any) string {
	switch x := v.(type) {
	case map[string]any:
		if e, ok := x["__entity"].(map[string]any); ok {
			return fmt.Sprint(e["type"], " ", e["id"])
		}
		for _, y := range x {
			if e := named(y); e != "" {
				return e
			}
		}
	case []any:
		for _, y := range x {
			if e := named(y); e != "" {
				return e
			}
		}
	}
	return ""
}
