package plainjson_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

func sortedCopy(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func kind(n uint8) signal.DeviceKind { return signal.DeviceKinds[int(n)%len(signal.DeviceKinds)] }

// FuzzDecode: no payload makes it panic, a button's alarms are pulses, a siren
// raises none, every alarm has its danger.
func FuzzDecode(f *testing.F) {
	for i, s := range []string{
		`press`, `{"event":"press","kind":"fire","id":"17"}`, `{"n":1,"ts":1700000000,"k":"fire"}`, `{"smoke":true,"battery":12}`, `{"alarm":"ON"}`,
		`{"state":"ON","duration":180,"pattern":"alarm"}`, `{"contact":"open"}`, `báo động`, `{"":{}}`, `[1]`, `{"a":1}{`, `"`, `1e999`, `null`, "\xff\xfe",
	} {
		f.Add([]byte(s), uint8(i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, payload []byte, k, below uint8) {
		d := dialect.Device{ID: "d", Kind: kind(k), Topic: topic}
		topics := j.Topics(d)
		got, err := j.Decode(d, dialect.Message{Topic: topics[int(below)%len(topics)], Payload: payload})
		if err != nil && len(got) > 0 {
			t.Errorf("%q is an error and readings", payload)
		}
		for _, r := range got {
			alarm := r.Kind == signal.Alarm
			switch {
			case r.Kind == "" || r.Number < 0 || r.Number > 100 || len(r.Value) > 60 || len(r.Seq) > 64:
				t.Errorf("%q: %+v", payload, r)
			case alarm && r.Category == "":
				t.Errorf("%q: an alarm without a danger", payload)
			case alarm && (d.Kind == signal.Siren || d.Kind == signal.Lamp):
				t.Errorf("%q: a siren raises an alarm", payload)
			case alarm && r.Level == (d.Kind == signal.Button):
				t.Errorf("%q: level is %v for a %s", payload, r.Level, d.Kind)
			}
		}
	})
}

// FuzzCommand: a command is JSON for topic/set and rings nobody when repeated.
func FuzzCommand(f *testing.F) {
	f.Add(`{"confirms":true}`, uint8(9), true, int64(time.Minute), "alarm")
	f.Add(``, uint8(10), false, int64(-1), `"\`)
	f.Fuzz(func(t *testing.T, caps string, k uint8, sounding bool, duration int64, pattern string) {
		d := dialect.Device{Kind: kind(k), Topic: topic, Capabilities: json.RawMessage(caps)}
		j.Confirms(d)
		got, err := j.Command(d, dialect.Want{Sounding: sounding, Duration: time.Duration(duration), Pattern: dialect.Pattern(pattern)})
		if err != nil {
			return
		}
		echo, err := j.Decode(d, dialect.Message{Topic: topic, Payload: got[0].Payload})
		if err != nil || !json.Valid(got[0].Payload) || got[0].Topic != topic+"/set" || got[0].Retain {
			t.Errorf("%s: %v", got[0].Payload, err)
		}
		if slices.ContainsFunc(echo, func(r dialect.Reading) bool { return r.Kind == signal.Alarm }) {
			t.Errorf("%s rings", got[0].Payload)
		}
	})
}
