package village

import (
	"context"
	"database/sql"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// fit finds what of f does not fit with the rest of the village: ids that
// others have already. Nobody's home or hub may be taken over by a slip.
func (rep *Report) fit(ctx context.Context, tx *sql.Tx, f File) error {
	groups, err := place.Groups(ctx, tx)
	if err != nil {
		return err
	}
	homes, err := place.Homes(ctx, tx)
	if err != nil {
		return err
	}
	wiring, err := device.Wiring(ctx, tx)
	if err != nil {
		return err
	}
	v := neighbours{rep: rep, f: f, commune: groups, home: homes, named: map[place.GroupID]bool{}}
	for _, g := range f.Groups {
		v.named[g.ID] = true
	}
	v.fitGroups()
	v.fitHomes()
	v.fitDevices(wiring)
	v.fitHubs(wiring)
	rep.Rows.sort()
	return nil
}

// neighbours is a file among what the village has already.
type neighbours struct {
	rep     *Report
	f       File
	named   map[place.GroupID]bool // groups of the file
	commune map[place.GroupID]place.UnitCode
	home    map[place.HomeID]place.GroupID
}

func (v *neighbours) bad(line int, key string, pairs ...any) {
	v.rep.Rows = append(v.rep.Rows, Row{Line: line, Key: key, Args: args(pairs...)})
}

func (v *neighbours) fitGroups() {
	for _, g := range v.f.Groups {
		if c, known := v.commune[g.ID]; known && c != v.f.Commune {
			u, _ := place.UnitOf(c)
			v.bad(g.Line, "village.group_elsewhere", "group", string(g.ID), "unit", string(c), "name", u.FullName)
		}
		for _, a := range g.Adjoining {
			if _, known := v.commune[a]; !known && !v.named[a] {
				v.bad(g.Line, "village.adjoining_unknown", "group", string(a))
			}
		}
	}
}

func (v *neighbours) fitHomes() {
	for _, g := range v.f.Groups {
		for _, h := range g.Homes {
			if was, known := v.home[h.ID]; known && !v.named[was] {
				v.bad(h.Line, "village.home_elsewhere", "home", string(h.ID), "group", string(was))
			}
		}
	}
}

func (v *neighbours) fitDevices(wiring []device.NewDevice) {
	where := map[signal.DeviceID]place.HomeID{}
	for _, d := range wiring {
		where[d.ID] = d.Home
	}
	for _, g := range v.f.Groups {
		for _, h := range g.Homes {
			for _, d := range h.Devices {
				if was, known := where[d.ID]; known && !v.named[v.home[was]] {
					v.bad(d.Line, "village.device_elsewhere", "device", string(d.ID), "home", string(was))
				}
			}
		}
	}
}

// fitHubs refuses a hub that devices of another commune speak through: two
// communes must never share a topic space.
func (v *neighbours) fitHubs(wiring []device.NewDevice) {
	of := map[string]place.UnitCode{}
	for _, d := range wiring {
		if c := v.commune[v.home[d.Home]]; c != "" && c != v.f.Commune && d.Hub != "" {
			of[d.Hub] = c
		}
	}
	for _, h := range v.f.Hubs {
		if c, taken := of[h.Username]; taken {
			u, _ := place.UnitOf(c)
			v.bad(h.Line, "village.hub_elsewhere", "hub", h.Username, "unit", string(c), "name", u.FullName)
		}
	}
}
