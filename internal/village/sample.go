package village

import (
	"fmt"
	"math"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// tanHoa is the ward of the pilot, phường Tân Hoà.
const tanHoa place.UnitCode = "04792"

// Sample makes a village of so many groups with so many homes each, for the
// simulator and the bench: g1-h1 with a smoke detector, a button and a siren
// behind Zigbee2MQTT, one hub for each group. The same numbers make the same village.
func Sample(groups, homes int) File {
	f := File{Commune: tanHoa}
	for i := range groups {
		g := Group{ID: place.GroupID(fmt.Sprintf("g%d", i+1)), Name: fmt.Sprintf("Tổ liên gia số %d", i+1), Neighbourhood: fmt.Sprintf("Tổ %d", i/8+1)}
		hub := fmt.Sprintf("hub%d", i+1)
		f.Hubs = append(f.Hubs, Hub{NewHub: device.NewHub{Username: hub, Password: "sample-" + hub}})
		lane := laneOf(i)
		for j := range homes {
			g.Homes = append(g.Homes, sampleHome(g.ID, i, j, hub, lane))
		}
		if i > 0 {
			g.Adjoining = []place.GroupID{f.Groups[i-1].ID}
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

func sampleHome(g place.GroupID, i, j int, hub string, l lane) Home {
	id := fmt.Sprintf("%s-h%d", g, j+1)
	h := Home{ID: place.HomeID(id), Name: fmt.Sprintf("Nhà số %d", 2*j+2), Address: fmt.Sprintf("Số %d, ngõ %d", 2*j+2, i+1)}
	h.Lat, h.Lon = l.at(j)
	h.Placed = true
	m := people.NewMember{Name: fmt.Sprintf("Chủ hộ số %d", 2*j+2), Phone: fmt.Sprintf("+849%08d", i*100+j), Role: people.Member}
	if j == 0 {
		m.Role = people.Leader
	}
	h.Members = []Member{{NewMember: m}}
	for _, k := range []signal.DeviceKind{signal.Smoke, signal.Button, signal.Siren} {
		name := id + "-" + string(k)
		d := device.NewDevice{ID: signal.DeviceID(name), Home: h.ID, Kind: k, Dialect: "zigbee2mqtt", Topic: "zigbee2mqtt/" + name, Hub: hub}
		if k == signal.Siren {
			d.Model = "HS2WD-E"
		}
		h.Devices = append(h.Devices, Device{NewDevice: d})
	}
	return h
}

// lane is a street: where it begins, where it leads.
type lane struct {
	lat, lon float64 // degrees
	course   float64 // radians, 0 is north, clockwise
}

// laneOf spreads lanes over the ward, 120 m apart, so that groups next to each
// other in number lie next to each other on the ground.
func laneOf(i int) lane {
	const step = 120
	row, col := i/40, i%40
	return lane{lat: 20.862 + metresNorth(float64(row)*step), lon: 105.325 + metresEast(float64(col)*step, 20.862), course: 0.35}
}

// at is the position of house j: both sides of the lane, 9 m from its middle,
// 14 m from house to house.
func (l lane) at(j int) (lat, lon float64) {
	along, aside := float64(j/2)*14, 9.0
	if j%2 == 1 {
		aside = -9
	}
	north := along*math.Cos(l.course) - aside*math.Sin(l.course)
	east := along*math.Sin(l.course) + aside*math.Cos(l.course)
	return round6(l.lat + metresNorth(north)), round6(l.lon + metresEast(east, l.lat))
}

func metresNorth(m float64) float64 { return m / 111_200 }

func metresEast(m, lat float64) float64 { return m / (111_200 * math.Cos(lat*math.Pi/180)) }

// round6 keeps a tenth of a metre.
func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }
