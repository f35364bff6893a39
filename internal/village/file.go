package village

import (
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// File is a village file. Lines are where a thing begins in the file, 0 in one
// that was made by the program.
type File struct {
	Commune place.UnitCode
	Hubs    []Hub
	Groups  []Group
}

// Hub is one MQTT account with its own topic space.
type Hub struct {
	Line int
	device.NewHub
}

// Group is a neighbour group with its homes in street order.
type Group struct {
	Line          int
	ID            place.GroupID
	Name          string
	Neighbourhood string
	Adjoining     []place.GroupID
	AllCalm       string // "22:00", "" when the group did not opt in
	Plan          string // JSON, "" for the defaults
	Homes         []Home
}

// Home is a home with those who live there and what is wired to it.
type Home struct {
	Line     int
	ID       place.HomeID
	Name     string
	Address  string
	Lat, Lon float64 // degrees, WGS 84
	Placed   bool
	Members  []Member
	Devices  []Device
}

// Member is an adult of a home.
type Member struct {
	Line int
	people.NewMember
}

// Device is a device, wired to its home.
type Device struct {
	Line int
	device.NewDevice
}

// places is the part of f that package place keeps.
func (f File) places() []place.Group {
	groups := make([]place.Group, 0, len(f.Groups))
	for _, g := range f.Groups {
		p := place.Group{ID: g.ID, Commune: f.Commune, Name: g.Name, Neighbourhood: g.Neighbourhood, Adjoining: g.Adjoining, Plan: g.Plan, AllCalm: g.AllCalm}
		for _, h := range g.Homes {
			p.Homes = append(p.Homes, place.Home{ID: h.ID, Group: g.ID, Name: h.Name, Address: h.Address, Lat: h.Lat, Lon: h.Lon, Placed: h.Placed})
		}
		groups = append(groups, p)
	}
	return groups
}

// households is the part of f that package people keeps.
func (f File) households() []people.Household {
	var all []people.Household
	for _, g := range f.Groups {
		for _, h := range g.Homes {
			p := people.Household{Home: h.ID, Group: g.ID}
			for _, m := range h.Members {
				p.Members = append(p.Members, m.NewMember)
			}
			all = append(all, p)
		}
	}
	return all
}

// wiring is the part of f that package device keeps.
func (f File) wiring() (hubs []device.NewHub, devices []device.NewDevice) {
	for _, h := range f.Hubs {
		hubs = append(hubs, h.NewHub)
	}
	for _, g := range f.Groups {
		for _, h := range g.Homes {
			for _, d := range h.Devices {
				devices = append(devices, d.NewDevice)
			}
		}
	}
	return hubs, devices
}
