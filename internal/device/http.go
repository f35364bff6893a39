package device

import (
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// LongestBypass is the longest time a device may be out of service in one go: a
// week, so that nobody forgets one.
const LongestBypass = 7 * 24 * time.Hour

// Rights says who may. people.Rights is one.
type Rights interface {
	MaySee(a people.Actor, g place.Group) bool
	MaySeeDevices(a people.Actor, g place.Group) bool
	MayBypass(a people.Actor, g place.Group) bool
}

type groupInput struct {
	ID string `path:"id" maxLength:"64"`
}

// Equipment is a group's devices, and what its hubs heard beside them.
type Equipment struct {
	Devices []View    `json:"devices"`
	Found   []Found   `json:"found"`
	Unknown []Unknown `json:"unknown"`
}

type equipmentOutput struct{ Body Equipment }

type bypassInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Hours float64 `json:"hours" minimum:"0" maximum:"168" doc:"0 puts the device back into service"`
	}
}

type deviceOutput struct{ Body View }

// Routes adds the slice's operations and the webhook to k.
func (v *Service) Routes(k *web.Kit, may Rights) {
	web.Register(k, web.Op{ID: "list-devices", Method: http.MethodGet, Path: "/api/v1/groups/{id}/devices", Tag: "device", Summary: "a group's devices, found and unknown ones"},
		func(ctx context.Context, in *groupInput) (*equipmentOutput, error) {
			e, err := v.Equipment(people.Asker(ctx), may, place.GroupID(in.ID))
			return &equipmentOutput{e}, err
		})
	web.Register(k, web.Op{ID: "bypass-device", Method: http.MethodPost, Path: "/api/v1/devices/{id}/bypass", Tag: "device", Summary: "take a device out of service for a while, or put it back"},
		func(ctx context.Context, in *bypassInput) (*deviceOutput, error) {
			x, err := v.Bypass(ctx, people.Asker(ctx), may, signal.DeviceID(in.ID), time.Duration(in.Body.Hours*float64(time.Hour)))
			return &deviceOutput{x}, err
		})
	k.Raw(web.Op{ID: "send-signal", Method: http.MethodPost, Path: "/v1/signal", Tag: "device", Summary: "a hub's signed signal; see docs/devices.md", Open: true, Status: http.StatusAccepted}, "application/json", v.webhook)
}

// Equipment lists what group g has.
func (v *Service) Equipment(a people.Actor, may Rights, id place.GroupID) (Equipment, error) {
	const op = "device.Equipment"
	g, err := v.seen(op, a, may, id)
	if err != nil {
		return Equipment{}, err
	}
	if !may.MaySeeDevices(a, g) {
		return Equipment{}, fault.New(op, fault.Denied, "fault.denied")
	}
	e := Equipment{Devices: v.Devices(id)}
	e.Found, e.Unknown = v.Strangers(id)
	return e, nil
}

// seen returns group id when a may know of it.
func (v *Service) seen(op string, a people.Actor, may Rights, id place.GroupID) (place.Group, error) {
	if a.Nobody() {
		return place.Group{}, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	if p := v.now.Load().places; p != nil {
		if g, ok := p.Group(id); ok && may.MaySee(a, g) {
			return g, nil
		}
	}
	return place.Group{}, fault.New(op, fault.NotFound, "fault.not_found")
}

// Bypass takes device id out of service for a time, at most [LongestBypass], or
// puts it back when long is zero. A detector or button out of service never
// rings, also not when it is pressed: the home shows it until it is back. A
// siren out of service stays silent.
func (v *Service) Bypass(ctx context.Context, a people.Actor, may Rights, id signal.DeviceID, long time.Duration) (View, error) {
	const op = "device.Bypass"
	d := v.now.Load().devices[id]
	var group place.GroupID
	if d != nil {
		group = d.group
	}
	g, err := v.seen(op, a, may, group)
	if err != nil {
		return View{}, err
	}
	if !may.MayBypass(a, g) {
		return View{}, fault.New(op, fault.Denied, "fault.denied")
	}
	if long < 0 || long > LongestBypass {
		return View{}, fault.New(op, fault.Invalid, "fault.invalid")
	}
	until := time.Time{}
	now := time.Now()
	if long > 0 {
		until = now.Add(long)
	}
	by := or(string(a.Person), a.Token)
	wait, cancel := context.WithTimeout(ctx, savedWithin)
	defer cancel()
	if err := v.DB.Exec(wait, `UPDATE device SET bypassed_until_ms = $1, bypassed_by = $2 WHERE id = $3`, toMS(until), by, string(id)); err != nil {
		return View{}, &fault.Error{Op: op, Kind: fault.Busy, Key: "fault.busy", Err: err}
	}
	d.live.mu.Lock()
	d.live.bypass = until
	d.live.mu.Unlock()
	v.check(d, now)
	v.changed(d.group)
	return v.view(d, now), nil
}
