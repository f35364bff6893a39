package homeassistant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// supported is what people read when a template is refused.
const supported = "supported are {{ value }}, {{ value_json.x }}, {{ value_json['x'] }} and paths of these"

// step is one level of a path: a key of an object or an index of an array.
type step struct {
	key   string
	index int // used when key is ""
}

// path is a template that Keng follows. whole: the payload as it is.
type path struct {
	json  bool
	steps []step
}

// parsePath reads a value template. "" is {{ value }}.
func parsePath(template string) (path, error) {
	s := strings.TrimSpace(template)
	if s == "" {
		return path{}, nil
	}
	inner, ok := expression(s)
	if ok && inner == "value" {
		return path{}, nil
	}
	rest, isJSON := strings.CutPrefix(inner, "value_json")
	if !ok || !isJSON {
		return path{}, refused(template)
	}
	p := path{json: true}
	for rest != "" {
		var st step
		if st, rest, ok = cutStep(rest); !ok {
			return path{}, refused(template)
		}
		p.steps = append(p.steps, st)
	}
	return p, nil
}

// expression returns what stands between "{{" and "}}", with their trim marks.
func expression(s string) (string, bool) {
	s, opened := strings.CutPrefix(s, "{{")
	s, closed := strings.CutSuffix(s, "}}")
	s = strings.TrimSuffix(strings.TrimPrefix(s, "-"), "-")
	return strings.TrimSpace(s), opened && closed
}

// cutStep cuts ".key", "['key']", "[\"key\"]" or "[0]" off the front of s.
func cutStep(s string) (st step, rest string, ok bool) {
	if s, ok := strings.CutPrefix(s, "."); ok {
		end := 0
		for end < len(s) && isWord(s[end]) {
			end++
		}
		first := end > 0 && (s[0] < '0' || s[0] > '9')
		return step{key: s[:end]}, s[end:], first
	}
	inner, rest, closed := strings.Cut(strings.TrimPrefix(s, "["), "]")
	if !strings.HasPrefix(s, "[") || !closed {
		return step{}, s, false
	}
	if key, ok := quoted(inner); ok {
		return step{key: key}, rest, true
	}
	n, err := strconv.Atoi(inner)
	return step{index: n}, rest, err == nil && n >= 0
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func quoted(s string) (string, bool) {
	if len(s) < 3 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return "", false
	}
	key := s[1 : len(s)-1]
	return key, !strings.ContainsAny(key, "\\'\"")
}

func refused(template string) error {
	return fmt.Errorf("template %q is not followed: %s", clip(template), supported)
}

// follow renders p for payload as Home Assistant would: text as it is, true as
// "True", null as "None", an object as JSON; what is not there is "".
func (p path) follow(payload []byte) (string, error) {
	if !p.json {
		return string(payload), nil
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("payload %q is not JSON, as the template wants", clip(string(payload)))
	}
	for _, st := range p.steps {
		var ok bool
		if v, ok = st.into(v); !ok {
			return "", nil
		}
	}
	return text(v)
}

// into goes one level down.
func (st step) into(v any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		next, ok := v[st.key]
		return next, ok && st.key != ""
	case []any:
		if st.key == "" && st.index < len(v) {
			return v[st.index], true
		}
	}
	return nil, false
}

func text(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "None", nil
	case string:
		return v, nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case json.Number:
		return v.String(), nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// read renders template for payload.
func read(template string, payload []byte) (string, error) {
	p, err := parsePath(template)
	if err != nil {
		return "", err
	}
	return p.follow(payload)
}

// same reports whether a rendered value is the payload that the config names.
// JSON's true and Python's "True" are the same.
func same(value, payload string) bool {
	if value == payload {
		return true
	}
	isBool := strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	return isBool && strings.EqualFold(value, payload)
}

// fill writes a command template: text in which {{ value }}, {{ tone }},
// {{ duration }} and {{ volume_level }} stand for themselves and nothing else is computed.
func fill(template string, values map[string]string) (string, error) {
	var b strings.Builder
	for rest := template; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		b.WriteString(before)
		if strings.Contains(before, "{%") || strings.Contains(before, "{#") {
			return "", refusedCommand(template)
		}
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}}")
		v, known := values[strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(name, "-"), "-"))]
		if !closed || !known {
			return "", refusedCommand(template)
		}
		b.WriteString(v)
		rest = tail
	}
	return b.String(), nil
}

func refusedCommand(template string) error {
	return fmt.Errorf("command template %q is not followed: supported is text with {{ value }}, {{ tone }}, {{ duration }} and {{ volume_level }}", clip(template))
}

// clip shortens what somebody else wrote for people's eyes.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
