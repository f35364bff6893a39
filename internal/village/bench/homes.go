package bench

import (
	"fmt"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
)

// commune is the ward in which the made-up groups live.
const commune place.UnitCode = "04792"

// madeUp is a village of groups of seven homes: each home has a siren, the first
// one a button, and so many smoke detectors are spread over all of them. Every
// device is connected by itself and signs in with an account of its own, which is
// the dearest way for Keng.
func madeUp(groups, idle int) village.File {
	f := village.File{Commune: commune}
	for g := range groups {
		street := village.Group{ID: place.GroupID(fmt.Sprintf("g%d", g+1)), Name: fmt.Sprintf("Tổ liên gia số %d", g+1)}
		for k := range Homes {
			street.Homes = append(street.Homes, madeUpHome(g, k))
		}
		f.Groups = append(f.Groups, street)
	}
	for i := range idle {
		at := i % (groups * Homes)
		h := &f.Groups[at/Homes].Homes[at%Homes]
		h.Devices = append(h.Devices, madeUpDevice(h.ID, idleName(i), signal.Smoke))
	}
	return f
}

func madeUpHome(g, k int) village.Home {
	id := place.HomeID(fmt.Sprintf("g%d-h%d", g+1, k+1))
	h := village.Home{ID: id, Name: fmt.Sprintf("Nhà số %d", k+1), Address: fmt.Sprintf("Số %d, ngõ %d", k+1, g+1)}
	role := people.Member
	if k == 0 {
		role = people.Leader
		h.Devices = append(h.Devices, madeUpDevice(id, buttonName(g), signal.Button))
	}
	phone := fmt.Sprintf("+849%08d", g*Homes+k)
	h.Members = []village.Member{{NewMember: people.NewMember{Name: fmt.Sprintf("Chủ hộ số %d", k+1), Phone: phone, Role: role}}}
	h.Devices = append(h.Devices, madeUpDevice(id, sirenName(g, k), signal.Siren))
	return h
}

func madeUpDevice(home place.HomeID, id string, kind signal.DeviceKind) village.Device {
	return village.Device{NewDevice: device.NewDevice{
		ID: signal.DeviceID(id), Home: home, Kind: kind, Dialect: "json", Topic: topicOf(id), Username: id, Password: password(id),
	}}
}
