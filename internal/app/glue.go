package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/dialect/esphome"
	"github.com/keng-vn/keng/internal/dialect/homeassistant"
	"github.com/keng-vn/keng/internal/dialect/plainjson"
	"github.com/keng-vn/keng/internal/dialect/tasmota"
	"github.com/keng-vn/keng/internal/dialect/zigbee2mqtt"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
	"github.com/keng-vn/keng/internal/screen"
	"github.com/keng-vn/keng/internal/signal"
)

// calmLasts is how long the evening stroke sounds on a siren.
const calmLasts = 3 * time.Second

// dialects are the MQTT dialects by the word in a village file.
func dialects() map[string]dialect.Dialect {
	all := map[string]dialect.Dialect{}
	for _, d := range []dialect.Dialect{zigbee2mqtt.Dialect{}, tasmota.Dialect{}, esphome.Dialect{}, homeassistant.Dialect{}, plainjson.Dialect{}} {
		all[d.Name()] = d
	}
	return all
}

// sirens lets alarm say what the sirens of a group shall do.
type sirens struct{ v *device.Service }

// Desire implements alarm.Sirens.
func (s sirens) Desire(d alarm.Desire) { s.v.Desire(d.Group, desire(d)) }

// Disagreeing implements alarm.Witness.
func (s sirens) Disagreeing(d alarm.Desire) []signal.DeviceID {
	return s.v.Disagreeing(d.Group, desire(d))
}

func desire(d alarm.Desire) device.Desire {
	patterns := map[alarm.Mode]dialect.Pattern{alarm.Live: dialect.AlarmPattern, alarm.Drill: dialect.DrillPattern, alarm.Test: dialect.TestPattern}
	w := device.Desire{Sounding: d.Sounding, Pattern: patterns[d.Mode], Quiet: d.Quiet, Incident: string(d.Incident)}
	if d.Mode == alarm.Live {
		w.Origins = d.Origins
	}
	return w
}

// reports brings what became of a command to the roll-call.
type reports struct{ v *alarm.Service }

// Siren implements device.Reports.
func (r reports) Siren(g place.GroupID, h place.HomeID, d signal.DeviceID, incident string, l device.Ladder, _ time.Time) {
	r.v.Siren(g, h, d, alarm.ID(incident), alarm.Ladder(l))
}

// told brings what devices say of themselves to screens and log.
type told struct{ a *App }

// Noticed implements device.Told.
func (t told) Noticed(n device.Notice) {
	t.a.Log.Info("device notice", slog.String("device", string(n.Device)), slog.String("kind", string(n.Kind)), slog.String("why", n.Why))
}

// Changed implements device.Told.
func (t told) Changed(g place.GroupID) { t.a.Screens.GroupChanged(g) }

// ears brings what happened in an incident to screens and to Home Assistant.
type ears struct{ a *App }

// Changed implements alarm.Listener.
func (e ears) Changed(i *alarm.Incident) {
	e.a.Screens.Changed(string(i.ID))
	e.a.Reach.Changed(callOf(i))
	if !i.Silent && i.Mode == alarm.Live {
		e.a.Devices.PublishGroup(i.Group)
	}
}

// Called implements alarm.Listener. Screens see it by Changed.
func (e ears) Called(i *alarm.Incident, t alarm.Target) {
	e.a.Reach.Called(callOf(i), reach.Target(t))
	e.a.Log.Warn("incident escalated", slog.String("incident", string(i.ID)), slog.String("group", string(i.Group)), slog.String("to", string(t)))
}

// ready shows how homes stand: by their devices, and by their phones.
type ready struct {
	v      *device.Service
	phones func(place.HomeID) (key string, known bool)
}

// Ready implements screen.Devices.
func (s ready) Ready(g place.GroupID) map[place.HomeID]screen.Readiness {
	all := map[place.HomeID]screen.Readiness{}
	for id, h := range s.v.Homes(g) {
		r := screen.Readiness{State: string(h.State), Key: h.Reason.Key, Args: h.Reason.Args, Siren: h.Siren, Button: h.Button}
		if key, known := s.phones(id); known && r.State == "green" { // what is worse is said first
			r.State, r.Key, r.Args = "amber", key, nil
		}
		all[id] = r
	}
	return all
}

// Strange implements screen.Devices.
func (s ready) Strange(g place.GroupID) (found, unknown int) {
	f, u := s.v.Strangers(g)
	return len(f), len(u)
}

// bounds shows the boundaries that were imported.
type bounds struct{ db *store.DB }

// Have implements screen.Bounds.
func (b bounds) Have(ctx context.Context) (bool, error) { return place.HasBoundaries(ctx, b.db.Read()) }

// GeoJSON implements screen.Bounds.
func (b bounds) GeoJSON(ctx context.Context) ([]byte, error) {
	return place.Boundaries(ctx, b.db.Read())
}

// calmer strikes in the evening.
type calmer struct{ a *App }

// Groups implements alarm.Calmer.
func (c calmer) Groups() []place.Group { return c.a.Village.Directory().Groups() }

// Calm implements alarm.Calmer.
func (c calmer) Calm(g place.GroupID) {
	c.a.Devices.Desire(g, device.Desire{Sounding: true, Pattern: dialect.CalmPattern, Until: c.a.Now().Add(calmLasts)})
	c.a.Screens.Calm(g)
}

// clockMoved keeps every deadline when the machine's clock is corrected, and
// tells the desk.
func (a *App) clockMoved(by time.Duration) {
	a.Log.Warn("the machine's clock was set", slog.Float64("seconds", by.Seconds()))
	a.Alarm.ClockMoved(by)
	a.jump.note(by, a.Now().Add(max(by, 0))) // the clock follows a jump forward only after this
}

// panel shows groups to Home Assistant.
type panel struct{ a *App }

// Show implements device.Panel.
func (p panel) Show(id place.GroupID) []dialect.Message {
	g, ok := p.a.Village.Directory().Group(id)
	if !ok {
		return nil
	}
	view := homeassistant.Group{ID: string(g.ID), Name: g.Name, State: homeassistant.Disarmed}
	unsafe := map[place.HomeID]bool{}
	for _, i := range p.a.Alarm.Live(id) {
		switch {
		case i.Condition != alarm.PreAlarm:
			view.State = homeassistant.Triggered
		case view.State == homeassistant.Disarmed:
			view.State = homeassistant.Pending
		}
		for _, r := range i.Homes {
			unsafe[r.Home] = unsafe[r.Home] || i.OriginHome(r.Home) || r.Answer().Answer == alarm.NeedHelp
		}
	}
	for _, h := range g.Homes {
		view.Homes = append(view.Homes, homeassistant.Home{ID: string(h.ID), Name: h.Name, Unsafe: unsafe[h.ID]})
	}
	return homeassistant.PublishGroup(view)
}

// tellHealth tells screens how Keng is, every few seconds.
func (a *App) tellHealth(ctx context.Context) {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.Screens.HealthChanged()
		case <-ctx.Done():
			return
		}
	}
}
