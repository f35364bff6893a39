package homeassistant

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

var group = Group{ID: "g1", Name: "Tổ liên gia số 1", State: Triggered, Homes: []Home{
	{ID: "g1-h1", Name: "Nhà số 10", Unsafe: true}, {ID: "nhà/2", Name: "Nhà số 12"},
}}

func TestPublishGroup(t *testing.T) {
	want := []string{
		`homeassistant/alarm_control_panel/keng_g1/config {"availability_topic":"keng/out/status","code_arm_required":false,"code_disarm_required":false,` +
			`"code_trigger_required":false,"command_topic":"keng/out/g1/ignored","device":{"identifiers":["keng_g1"],"manufacturer":"Keng","model":"Tổ liên gia",` +
			`"name":"Tổ liên gia số 1"},"name":null,"origin":{"name":"Keng"},"state_topic":"keng/out/g1/state","supported_features":[],"unique_id":"keng_g1"}`,
		`homeassistant/binary_sensor/keng_home_g1-h1/config {"availability_topic":"keng/out/status","device":{"identifiers":["keng_g1"],"manufacturer":"Keng",` +
			`"model":"Tổ liên gia","name":"Tổ liên gia số 1"},"device_class":"safety","name":"Nhà số 10","origin":{"name":"Keng"},` +
			`"state_topic":"keng/out/g1/home/g1-h1/state","unique_id":"keng_home_g1-h1"}`,
		`homeassistant/binary_sensor/keng_home_nh-xc3-xa0-x2f2/config {"availability_topic":"keng/out/status","device":{"identifiers":["keng_g1"],"manufacturer":"Keng",` +
			`"model":"Tổ liên gia","name":"Tổ liên gia số 1"},"device_class":"safety","name":"Nhà số 12","origin":{"name":"Keng"},` +
			`"state_topic":"keng/out/g1/home/nh-xc3-xa0-x2f2/state","unique_id":"keng_home_nh-xc3-xa0-x2f2"}`,
		"keng/out/g1/state triggered",
		"keng/out/g1/home/g1-h1/state ON",
		"keng/out/g1/home/nh-xc3-xa0-x2f2/state OFF",
		"keng/out/status online",
	}
	var got []string
	for _, m := range PublishGroup(group) {
		if !m.Retain {
			t.Errorf("%s is not retained", m.Topic)
		}
		got = append(got, m.Topic+" "+string(m.Payload))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOwnAnnouncementIsNeverReadBack(t *testing.T) {
	for _, m := range PublishGroup(group) {
		report, err := Dialect{}.DecodeHub(m)
		if err != nil || len(report.Found) != 0 || report.Presence != "" {
			t.Errorf("%s was found: %v, %v", m.Topic, report, err)
		}
		if !json.Valid(m.Payload) {
			continue
		}
		d := dialect.Device{Kind: signal.Smoke, Topic: "homeassistant/binary_sensor/keng_home_g1-h1", Capabilities: m.Payload}
		if topics := (Dialect{}).Topics(d); topics != nil {
			t.Errorf("a device of the village file listens to Keng itself: %v", topics)
		}
		for _, state := range PublishState(group) {
			if got, err := (Dialect{}).Decode(d, state); err != nil || got != nil {
				t.Errorf("%s came back: %v, %v", state.Topic, got, err)
			}
		}
	}
}

func TestWithdrawGroupTakesBackEverything(t *testing.T) {
	left := map[string]bool{}
	for _, m := range PublishGroup(group) {
		left[m.Topic] = true
	}
	for _, m := range WithdrawGroup(group) {
		if len(m.Payload) != 0 || !m.Retain || !left[m.Topic] {
			t.Errorf("%s: %q, retained %v, announced %v", m.Topic, m.Payload, m.Retain, left[m.Topic])
		}
		delete(left, m.Topic)
	}
	delete(left, StatusTopic) // other groups still need it
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStatus(t *testing.T) {
	if m := Status(false); m.Topic != StatusTopic || string(m.Payload) != "offline" || !m.Retain {
		t.Errorf("%v", m)
	}
}
