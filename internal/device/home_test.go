package device

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/signal"
)

// well is a device that works, is proven and spoke a minute ago.
func well(k signal.DeviceKind) Watched {
	return Watched{ID: "d", Kind: k, Hub: "alley12", State: State{Seen: noon.Add(-time.Minute), Proven: noon.Add(-time.Hour)}, Start: noon.Add(-240 * time.Hour)}
}

func TestCheck(t *testing.T) {
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for _, c := range []struct {
		name string
		kind signal.DeviceKind
		with func(*Watched)
		want Status
		key  string
		args map[string]any // beside device and kind
		next time.Duration  // from noon; 0: never
	}{
		{"well", signal.Smoke, func(*Watched) {}, OK, "device.ok", nil, 25*time.Hour*2/3 - time.Minute},
		{"well, and must be tried out", signal.Siren, func(w *Watched) { w.State.Proven = ago(ProvenFor - time.Hour) }, OK, "device.ok", nil, time.Hour},
		{"never heard", signal.Smoke, func(w *Watched) { w.State.Seen = time.Time{} }, Offline, "device.never_seen", nil, 0},
		{"silent for a day", signal.Smoke, func(w *Watched) { w.State.Seen = ago(25 * time.Hour) }, Offline, "device.offline", map[string]any{"hours": 25}, 0},
		{"silent for 17 hours", signal.Smoke, func(w *Watched) { w.State.Seen = ago(17 * time.Hour) }, Late, "device.late", map[string]any{"hours": 17}, 8 * time.Hour},
		{"silent while Keng was away", signal.Smoke, func(w *Watched) { w.State.Seen, w.Start = ago(100*time.Hour), ago(time.Minute) }, OK, "device.ok", nil, 25*time.Hour*2/3 - time.Minute},
		{"silent, with a known interval", signal.Smoke, func(w *Watched) {
			w.State.Gap, w.State.Steady = 30*time.Second, 20
			w.State.Seen = ago(2 * time.Minute)
		}, Offline, "device.offline", map[string]any{"hours": 0}, 0},
		{"silent, with its own connection", signal.Smoke, func(w *Watched) { w.Client = true; w.State.Seen = ago(100 * time.Hour) }, OK, "device.ok", nil, 0},
		{"connection lost just now", signal.Smoke, func(w *Watched) { w.State.Away = ago(10 * time.Second) }, OK, "device.ok", nil, 5 * time.Second},
		{"connection lost", signal.Smoke, func(w *Watched) { w.State.Away = ago(3 * time.Hour) }, Offline, "device.offline", map[string]any{"hours": 3}, 0},
		{"hub lost", signal.Smoke, func(w *Watched) { w.HubOff = ago(2 * time.Hour) }, Offline, "device.hub_offline", map[string]any{"hub": "alley12", "hours": 2}, 0},
		{"hub lost just now", signal.Smoke, func(w *Watched) { w.HubOff = noon.Add(5 * time.Second) }, OK, "device.ok", nil, 5 * time.Second},
		{"its own account lost", signal.Smoke, func(w *Watched) { w.Hub, w.HubOff = "", ago(0) }, Offline, "device.offline", map[string]any{"hours": 0}, 0},
		{"cannot be commanded", signal.Siren, func(w *Watched) { w.Broken = true }, Faulty, "device.cannot_command", nil, 25*time.Hour - time.Minute},
		{"says it is broken", signal.Smoke, func(w *Watched) { w.State.Fault = "chamber" }, Faulty, "device.fault", map[string]any{"text": "chamber"}, 25*time.Hour - time.Minute},
		{"alarm nobody heard", signal.Smoke, func(w *Watched) { w.State.Missed = ago(time.Hour) }, Faulty, "device.alarm_missed", map[string]any{"at": ago(time.Hour)}, 25*time.Hour - time.Minute},
		{"stands at alarm", signal.Smoke, func(w *Watched) {
			w.State.Levels = []Level{{Alarm: true, Key: "k", At: ago(2 * time.Hour).UnixMilli()}}
		}, Faulty, "device.alarm_standing", nil, 25*time.Hour - time.Minute},
		{"an open door", signal.Contact, func(w *Watched) { w.State.Levels = []Level{{Alarm: true, At: ago(2 * time.Hour).UnixMilli()}} }, OK, "device.ok", nil, 25*time.Hour*2/3 - time.Minute},
		{"opened", signal.Smoke, func(w *Watched) { w.State.Tamper = true }, Tampered, "device.tamper", nil, 25*time.Hour - time.Minute},
		{"low battery", signal.Smoke, func(w *Watched) { w.State.LowBattery, w.State.HasBattery, w.State.Battery = true, true, 7 }, LowBattery, "device.low_battery", map[string]any{"percent": 7}, 25*time.Hour - time.Minute},
		{"low battery, who knows how low", signal.Smoke, func(w *Watched) { w.State.LowBattery = true }, LowBattery, "device.battery_empty", nil, 25*time.Hour - time.Minute},
		{"never tried out", signal.Siren, func(w *Watched) { w.State.Proven = time.Time{} }, Unproven, "device.never_proven", nil, 25*time.Hour - time.Minute},
		{"not tried out for long", signal.Button, func(w *Watched) { w.State.Proven = ago(31 * 24 * time.Hour) }, Unproven, "device.unproven", map[string]any{"days": 31}, 25*time.Hour - time.Minute},
		{"a detector need not be", signal.Smoke, func(w *Watched) { w.State.Proven = time.Time{} }, OK, "device.ok", nil, 25*time.Hour*2/3 - time.Minute},
		{"out of service", signal.Siren, func(w *Watched) { w.Bypass = noon.Add(time.Hour); w.State.Fault = "x"; w.HubOff = ago(time.Hour) }, Bypassed, "device.bypassed", map[string]any{"until": noon.Add(time.Hour)}, time.Hour},
		{"back in service", signal.Siren, func(w *Watched) { w.Bypass = noon }, OK, "device.ok", nil, 25*time.Hour*2/3 - time.Minute},
		{"offline hides low battery", signal.Smoke, func(w *Watched) { w.State.LowBattery, w.State.Away = true, ago(time.Hour) }, Offline, "device.offline", map[string]any{"hours": 1}, 0},
		{"a fault hides tamper", signal.Smoke, func(w *Watched) { w.State.Tamper, w.State.Fault = true, "x" }, Faulty, "device.fault", map[string]any{"text": "x"}, 25*time.Hour - time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := well(c.kind)
			c.with(&w)
			s, r, next := Check(w, noon)
			want := Reason{Key: c.key, Args: map[string]any{"device": "d", "kind": string(c.kind)}}
			maps.Copy(want.Args, c.args)
			if diff := cmp.Diff(want, r); s != c.want || diff != "" {
				t.Errorf("%s, want %s: %s", s, c.want, diff)
			}
			at := time.Duration(0)
			if !next.IsZero() {
				at = next.Sub(noon)
			}
			if at != c.next {
				t.Errorf("look again after %s, want %s", at, c.next)
			}
		})
	}
}

func TestHomeState(t *testing.T) {
	is := func(k signal.DeviceKind, s Status, key string) Checked {
		return Checked{ID: signal.DeviceID(k), Kind: k, Status: s, Reason: Reason{Key: key, Args: map[string]any{"hours": 3, "device": string(k)}}}
	}
	siren, button, smoke := is(signal.Siren, OK, "device.ok"), is(signal.Button, OK, "device.ok"), is(signal.Smoke, OK, "device.ok")
	for _, c := range []struct {
		name    string
		devices []Checked
		state   Colour
		key     string
	}{
		{"nothing at all", nil, Red, "home.no_equipment"},
		{"only a button", []Checked{button}, Red, "home.no_siren"},
		{"only a siren", []Checked{siren}, Red, "home.no_button"},
		{"complete", []Checked{siren, button, smoke}, Green, "home.ready"},
		{"late is not yet weak", []Checked{siren, button, is(signal.Smoke, Late, "device.late")}, Green, "home.ready"},
		{"siren away", []Checked{is(signal.Siren, Offline, "device.offline"), button}, Red, "home.siren_offline"},
		{"siren away behind its hub", []Checked{is(signal.Siren, Offline, "device.hub_offline"), is(signal.Button, Offline, "device.hub_offline")}, Red, "home.hub_offline"},
		{"one of two sirens away", []Checked{is(signal.Siren, Offline, "device.offline"), siren, button}, Amber, "home.siren_offline"},
		{"siren never heard", []Checked{is(signal.Siren, Offline, "device.never_seen"), button}, Red, "home.siren_never_seen"},
		{"siren broken", []Checked{is(signal.Siren, Faulty, "device.fault"), button}, Red, "home.siren_faulty"},
		{"siren out of service", []Checked{is(signal.Siren, Bypassed, "device.bypassed"), button}, Red, "home.siren_bypassed"},
		{"button away", []Checked{siren, is(signal.Button, Offline, "device.offline")}, Red, "home.button_offline"},
		{"button never tried", []Checked{siren, is(signal.Button, Unproven, "device.never_proven")}, Amber, "home.button_never_proven"},
		{"siren not tried for long", []Checked{is(signal.Siren, Unproven, "device.unproven"), button}, Amber, "home.siren_unproven"},
		{"the other siren was tried", []Checked{is(signal.Siren, Unproven, "device.unproven"), siren, button}, Green, "home.ready"},
		{"detector away", []Checked{siren, button, is(signal.Smoke, Offline, "device.offline")}, Amber, "home.device_offline"},
		{"detector opened", []Checked{siren, button, is(signal.Smoke, Tampered, "device.tamper")}, Amber, "home.tamper"},
		{"detector weak", []Checked{siren, button, is(signal.Smoke, LowBattery, "device.low_battery")}, Amber, "home.low_battery"},
		{"button weak", []Checked{siren, is(signal.Button, LowBattery, "device.battery_empty")}, Amber, "home.battery_empty"},
		{"detector out of service", []Checked{siren, button, is(signal.Smoke, Bypassed, "device.bypassed")}, Amber, "home.device_bypassed"},
		{"detector broken", []Checked{siren, button, is(signal.Smoke, Faulty, "device.fault")}, Amber, "home.device_faulty"},
		{"detector stands at alarm", []Checked{siren, button, is(signal.Smoke, Faulty, "device.alarm_standing")}, Amber, "home.alarm_standing"},
		{"alarm nobody heard is the worst", []Checked{is(signal.Smoke, Faulty, "device.alarm_missed"), button}, Red, "home.alarm_missed"},
		{"of two weaknesses the worse", []Checked{siren, is(signal.Button, LowBattery, "device.low_battery"), is(signal.Smoke, Faulty, "device.fault")}, Amber, "home.device_faulty"},
		{"no siren is worse than a weak button", []Checked{is(signal.Button, LowBattery, "device.low_battery")}, Red, "home.no_siren"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := HomeState("h1", c.devices)
			if h.State != c.state || h.Reason.Key != c.key {
				t.Errorf("%s %s, want %s %s", h.State, h.Reason.Key, c.state, c.key)
			}
			if h.Reason.Args == nil {
				t.Error("a reason without values")
			}
			if (h.State == Red) == (h.Siren && h.Button) && c.key != "home.alarm_missed" {
				t.Errorf("%s although siren %v, button %v", h.State, h.Siren, h.Button)
			}
		})
	}
}
