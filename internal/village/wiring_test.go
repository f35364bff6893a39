package village_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/dc09"
	"github.com/keng-vn/keng/internal/dialect/esphome"
	"github.com/keng-vn/keng/internal/dialect/homeassistant"
	"github.com/keng-vn/keng/internal/dialect/plainjson"
	"github.com/keng-vn/keng/internal/dialect/tasmota"
	"github.com/keng-vn/keng/internal/dialect/zigbee2mqtt"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
)

func spoken() map[string]dialect.Dialect {
	all := map[string]dialect.Dialect{}
	for _, d := range []dialect.Dialect{zigbee2mqtt.Dialect{}, tasmota.Dialect{}, esphome.Dialect{}, homeassistant.Dialect{}, plainjson.Dialect{}} {
		all[d.Name()] = d
	}
	return all
}

// TestVillageFilesKnowTheDialects: a word that the file accepts is a dialect
// that there is, and the other way round.
func TestVillageFilesKnowTheDialects(t *testing.T) {
	want := []string{"webhook", dc09.Name}
	for name := range spoken() {
		want = append(want, name)
	}
	got := slices.Sorted(slices.Values(village.Dialects[:]))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("accepted %v, there are %v", got, want)
	}
}

// danger is what a device of the demo sends when somebody needs help.
func danger(d village.Device) dialect.Message {
	switch d.Dialect {
	case "esphome":
		return dialect.Message{Topic: d.Topic + "/state", Payload: []byte("ON")}
	case "json":
		return dialect.Message{Topic: d.Topic, Payload: []byte(`{"event":"press"}`)}
	}
	if d.Kind == signal.Smoke {
		return dialect.Message{Topic: d.Topic, Payload: []byte(`{"smoke":true}`)}
	}
	return dialect.Message{Topic: d.Topic, Payload: []byte(`{"action":"emergency"}`)}
}

// TestSampleDevicesAreUnderstood: every siren of the made-up villages can be
// commanded, and every button and detector raises an alarm.
func TestSampleDevicesAreUnderstood(t *testing.T) {
	all, mix := spoken(), map[string]int{}
	for _, f := range []village.File{village.TanHoa(), village.Sample(2, 7)} {
		for _, g := range f.Groups {
			for _, h := range g.Homes {
				for _, d := range h.Devices {
					mix[d.Dialect]++
					lang, as := all[d.Dialect], dialect.Device{ID: d.ID, Kind: d.Kind, Topic: d.Topic, Model: d.Model}
					if d.Kind == signal.Siren {
						if ms, err := lang.Command(as, dialect.Want{Sounding: true, Duration: 3 * time.Minute, Pattern: dialect.AlarmPattern}); err != nil || len(ms) == 0 {
							t.Errorf("%s: %v %v", d.ID, ms, err)
						}
						continue
					}
					m := danger(d)
					rs, err := lang.Decode(as, m)
					if err != nil || !slices.ContainsFunc(rs, func(r dialect.Reading) bool { return r.Kind == signal.Alarm }) {
						t.Errorf("%s: %s is %v %v", d.ID, m.Payload, rs, err)
					}
					if !slices.Contains(lang.Topics(as), m.Topic) {
						t.Errorf("%s does not listen on %s: %v", d.ID, m.Topic, lang.Topics(as))
					}
				}
			}
		}
	}
	for _, name := range []string{"tasmota", "esphome", "json"} {
		if mix[name] == 0 || mix[name] > mix["zigbee2mqtt"] {
			t.Errorf("mix %v", mix)
		}
	}
}
