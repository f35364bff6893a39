package plainjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Dialect implements [dialect.Dialect]. The zero value is ready.
type Dialect struct{}

var _ dialect.Dialect = Dialect{}

// unsaid is how long a siren sounds when nobody said how long.
const unsaid = 3 * time.Minute

// Name is the word in a village file.
func (Dialect) Name() string { return "json" }

// below are the topics under a device's own that people use.
var below = [...]string{"", "/state", "/event", "/status", "/availability"}

// Topics lists where d may speak.
func (Dialect) Topics(d dialect.Device) []string {
	topics := make([]string, 0, len(below))
	for _, b := range below {
		topics = append(topics, d.Topic+b)
	}
	return topics
}

// Decode says what m means for d. An empty payload means nothing.
func (Dialect) Decode(d dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	payload := bytes.TrimSpace(m.Payload)
	if len(payload) == 0 {
		return nil, nil
	}
	s := scene{device: d}
	presence := m.Topic == d.Topic+"/availability"
	object, value, err := read(payload)
	switch {
	case err != nil:
		return nil, err
	case object == nil:
		s.bare(value, presence)
	default:
		s.object(object, presence)
	}
	return s.finish()
}

// read parses a payload: an object, or one value. What is not JSON is a bare word.
func read(payload []byte) (map[string]any, any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	err := dec.Decode(&v)
	if err == nil && dec.More() {
		err = fmt.Errorf("more follows the first value")
	}
	if err != nil && strings.ContainsAny(string(payload[:1]), "{[") {
		return nil, nil, fmt.Errorf("this JSON is broken or was cut short after %d bytes (%w). %s", len(payload), err, hint)
	}
	if err != nil {
		return nil, string(payload), nil
	}
	switch v := v.(type) {
	case map[string]any:
		return v, nil, nil
	case []any:
		return nil, nil, fmt.Errorf("this is a list; send one object. %s", hint)
	default:
		return nil, v, nil
	}
}

// hint ends every error: what would be understood.
const hint = `A button may send press, ON, {"event":"press"} or {"pressed":true,"kind":"fire","n":17}; a detector {"alarm":true} and {"alarm":false}, or {"smoke":true}; a siren {"state":"ON"}; any device {"battery":80}, {"event":"heartbeat"}, online, offline`

// Command asks siren or lamp d on topic/set to sound or to be quiet. Pattern is
// one of the words of [dialect.Pattern], duration is in whole seconds.
func (Dialect) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	switch {
	case d.Topic == "":
		return nil, fmt.Errorf("the device has no topic to command it on")
	case d.Kind != signal.Siren && d.Kind != signal.Lamp:
		return nil, fmt.Errorf("a %s cannot be commanded: only a siren or lamp can", d.Kind)
	}
	order := struct {
		State    string          `json:"state"`
		Duration int64           `json:"duration,omitempty"` // s
		Pattern  dialect.Pattern `json:"pattern,omitempty"`
	}{State: "OFF"}
	if w.Sounding {
		if w.Duration <= 0 {
			w.Duration = unsaid
		}
		order.State, order.Pattern = "ON", w.Pattern
		order.Duration = int64(math.Ceil(w.Duration.Seconds()))
	}
	payload, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("write the command: %w", err)
	}
	return []dialect.Message{{Topic: d.Topic + "/set", Payload: payload}}, nil
}

// Confirms is true only for a device whose capabilities say {"confirms":true}:
// many scripts never answer, and a siren that is waited for in vain is commanded
// again and again. That a device has answered once is for package device to learn.
func (Dialect) Confirms(d dialect.Device) bool {
	var able struct {
		Confirms bool `json:"confirms"`
	}
	return json.Unmarshal(d.Capabilities, &able) == nil && able.Confirms
}
