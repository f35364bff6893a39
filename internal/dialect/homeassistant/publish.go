package homeassistant

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
)

// StatusTopic says whether Keng is there: "online" or "offline". On a standing
// broker it is also Keng's will, so that Home Assistant shows "unavailable"
// rather than an old "disarmed".
const StatusTopic = "keng/out/status"

// State is what Home Assistant's alarm panel shows of a group.
type State string

// The states of a group.
const (
	Disarmed  State = "disarmed"  // no open incident
	Pending   State = "pending"   // an automatic detector is being verified
	Triggered State = "triggered" // an open incident
)

// Group is a neighbour group as Home Assistant shall see it.
type Group struct {
	ID    string // "g1"
	Name  string // "Tổ liên gia số 1"
	State State
	Homes []Home
}

// Home is one home of a group.
type Home struct {
	ID     string // "g1-h1"
	Name   string // "Nhà số 10"
	Unsafe bool   // an alarm of an open incident came from here, or somebody here needs help
}

// PublishGroup announces g and tells its state. All messages are retained;
// sending them again is safe. On a standing broker "online" must be sent only
// by one who also left [Status](false) as its will.
func PublishGroup(g Group) []dialect.Message {
	messages := []dialect.Message{retained(configTopic("alarm_control_panel", groupID(g.ID)), announcePanel(g))}
	for _, h := range g.Homes {
		messages = append(messages, retained(configTopic("binary_sensor", homeID(h.ID)), announceHome(g, h)))
	}
	return append(append(messages, PublishState(g)...), Status(true))
}

// PublishState tells the state of g and of each of its homes.
func PublishState(g Group) []dialect.Message {
	messages := []dialect.Message{retained(stateTopic(g.ID), string(g.State))}
	for _, h := range g.Homes {
		state := "OFF"
		if h.Unsafe {
			state = "ON"
		}
		messages = append(messages, retained(homeTopic(g.ID, h.ID), state))
	}
	return messages
}

// WithdrawGroup takes back what [PublishGroup] announced.
func WithdrawGroup(g Group) []dialect.Message {
	messages := []dialect.Message{retained(configTopic("alarm_control_panel", groupID(g.ID)), ""), retained(stateTopic(g.ID), "")}
	for _, h := range g.Homes {
		messages = append(messages, retained(configTopic("binary_sensor", homeID(h.ID)), ""), retained(homeTopic(g.ID, h.ID), ""))
	}
	return messages
}

// Status tells whether Keng is there.
func Status(online bool) dialect.Message {
	if online {
		return retained(StatusTopic, "online")
	}
	return retained(StatusTopic, "offline")
}

func retained(topic, payload string) dialect.Message {
	return dialect.Message{Topic: topic, Payload: []byte(payload), Retain: true}
}

// announcePanel makes the group an alarm panel that can do nothing: Home
// Assistant insists on a command topic, and nobody listens to this one.
func announcePanel(g Group) string {
	return announcement(g, map[string]any{
		"name":                  nil, // the device's name is enough
		"unique_id":             groupID(g.ID),
		"state_topic":           stateTopic(g.ID),
		"command_topic":         "keng/out/" + safe(g.ID) + "/ignored",
		"supported_features":    []string{},
		"code_arm_required":     false,
		"code_disarm_required":  false,
		"code_trigger_required": false,
	})
}

func announceHome(g Group, h Home) string {
	return announcement(g, map[string]any{
		"name":         h.Name,
		"unique_id":    homeID(h.ID),
		"state_topic":  homeTopic(g.ID, h.ID),
		"device_class": "safety", // on means unsafe
	})
}

// announcement adds what all of a group's entities have in common.
func announcement(g Group, block map[string]any) string {
	block["availability_topic"] = StatusTopic
	block["device"] = map[string]any{
		"identifiers": []string{groupID(g.ID)}, "name": g.Name, "manufacturer": origin, "model": "Tổ liên gia",
	}
	block["origin"] = map[string]any{"name": origin}
	b, _ := json.Marshal(block) // texts and booleans always marshal
	return string(b)
}

func configTopic(component, id string) string {
	return "homeassistant/" + component + "/" + id + "/config"
}

func stateTopic(group string) string { return "keng/out/" + safe(group) + "/state" }

func homeTopic(group, home string) string {
	return "keng/out/" + safe(group) + "/home/" + safe(home) + "/state"
}

// groupID is the unique id and the object id of a group: "keng_g1".
func groupID(id string) string { return "keng_" + safe(id) }

// homeID is that of a home, whose own id is unique in all of Keng: "keng_home_g1-h1".
func homeID(id string) string { return "keng_home_" + safe(id) }

// safe keeps letters, digits, "_" and "-", which is all that an object id may
// hold, and writes any other byte as "-x" and two hexadecimal digits.
func safe(id string) string {
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; isWord(c) || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "-x%02x", c)
		}
	}
	return b.String()
}
