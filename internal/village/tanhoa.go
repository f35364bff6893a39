package village

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// house is a home of the demo as its street knows it.
type house struct {
	name    string // on the gate
	number  int
	members []string // first the one who answers the door
	speaks  make3    // languages of its devices
}

// make3 is the dialects of a home's button, smoke detector and siren.
type make3 struct{ button, smoke, siren string }

// The mixes of equipment of the demo, as an alley grows it: what the group
// bought together, and what somebody had already.
var (
	zigbee = make3{"zigbee2mqtt", "zigbee2mqtt", "zigbee2mqtt"}
	plug   = make3{"zigbee2mqtt", "zigbee2mqtt", "tasmota"} // an old siren on a smart plug
	esp    = make3{"esphome", "zigbee2mqtt", "esphome"}     // a nephew's ESP32
	diy    = make3{"json", "zigbee2mqtt", "json"}           // the school's workshop
)

// street is a group of the demo.
type street struct {
	id, name, neighbourhood, hub string
	lane                         int // number of the alley
	from                         lane
	calm                         string
	near                         []place.GroupID
	houses                       []house
}

// streets are three groups of phường Tân Hoà. The people are made up.
func streets() []street {
	return []street{
		{id: "g1", name: "Tổ liên gia số 1", neighbourhood: "Tổ 5", hub: "alley12", lane: 12, from: lane{20.8618, 105.3246, 0.5}, calm: "22:00", near: []place.GroupID{"g2"}, houses: []house{
			{"Nhà bà Bùi Thị Lan", 6, []string{"Bùi Thị Lan", "Bùi Minh Khôi"}, zigbee},
			{"Nhà ông Đinh Công Thành", 8, []string{"Đinh Công Thành"}, plug},
			{"Nhà ông Nguyễn Văn Bình", 10, []string{"Nguyễn Văn Bình", "Phạm Thị Nga"}, zigbee},
			{"Nhà chị Quách Thị Hường", 12, []string{"Quách Thị Hường"}, zigbee},
			{"Tạp hoá Tươi Sáng", 14, []string{"Lê Thị Tươi", "Hoàng Văn Sáng"}, diy},
			{"Nhà anh Hà Văn Sơn", 16, []string{"Hà Văn Sơn", "Xa Thị Mai"}, esp},
			{"Nhà ông Trần Đức Long", 18, []string{"Trần Đức Long"}, zigbee},
		}},
		{id: "g2", name: "Tổ liên gia số 2", neighbourhood: "Tổ 5", hub: "alley14", lane: 14, from: lane{20.8627, 105.3262, 0.5}, near: []place.GroupID{"g3"}, houses: []house{
			{"Nhà ông Bùi Văn Nhất", 3, []string{"Bùi Văn Nhất", "Đinh Thị Hoa"}, zigbee},
			{"Nhà cô Nguyễn Thu Hằng", 5, []string{"Nguyễn Thu Hằng"}, zigbee},
			{"Nhà bà Quách Thị Én", 7, []string{"Quách Thị Én", "Quách Văn Tùng"}, esp},
			{"Xưởng mộc Đức Thịnh", 9, []string{"Phùng Đức Thịnh"}, plug},
			{"Nhà anh Lường Văn Pha", 11, []string{"Lường Văn Pha", "Hà Thị Diệp"}, zigbee},
			{"Nhà chị Vũ Thị Thuỷ", 13, []string{"Vũ Thị Thuỷ"}, diy},
		}},
		{id: "g3", name: "Tổ liên gia số 3", neighbourhood: "Tổ 6", hub: "alley3", lane: 3, from: lane{20.8602, 105.3275, 1.2}, houses: []house{
			{"Nhà ông Đặng Quốc Việt", 2, []string{"Đặng Quốc Việt", "Trịnh Thị Yến"}, zigbee},
			{"Nhà bà Hoàng Thị Mỵ", 4, []string{"Hoàng Thị Mỵ"}, zigbee},
			{"Nhà anh Bàn Văn Tài", 6, []string{"Bàn Văn Tài", "Triệu Thị Pham"}, plug},
			{"Quán cơm Hương Quê", 8, []string{"Nguyễn Thị Hương", "Nguyễn Văn Quê"}, zigbee},
			{"Nhà cụ Đinh Thị Sẹo", 10, []string{"Đinh Thị Sẹo", "Đinh Công Dũng"}, esp},
		}},
	}
}

// TanHoa is the demo: phường Tân Hoà with three groups of 7, 6 and 5 homes.
func TanHoa() File {
	f := File{Commune: tanHoa}
	phone := 0
	for _, s := range streets() {
		f.Hubs = append(f.Hubs, Hub{NewHub: device.NewHub{Username: s.hub, Password: "demo-" + s.hub}})
		g := Group{ID: place.GroupID(s.id), Name: s.name, Neighbourhood: s.neighbourhood, AllCalm: s.calm, Adjoining: s.near}
		for i, h := range s.houses {
			g.Homes = append(g.Homes, h.home(s, i, &phone))
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

func (h house) home(s street, i int, phone *int) Home {
	id := fmt.Sprintf("%s-h%d", s.id, i+1)
	x := Home{ID: place.HomeID(id), Name: h.name, Address: fmt.Sprintf("Số %d, ngõ %d", h.number, s.lane), Placed: true}
	x.Lat, x.Lon = s.from.at(i)
	for j, name := range h.members {
		*phone++
		m := people.NewMember{Name: name, Phone: fmt.Sprintf("+849000%05d", *phone), Role: people.Member}
		switch {
		case i == 0 && j == 0:
			m.Role = people.Leader
		case i == 1 && j == 0:
			m.Role = people.Deputy
		}
		x.Members = append(x.Members, Member{NewMember: m})
	}
	for _, d := range [...]struct {
		kind    signal.DeviceKind
		dialect string
	}{{signal.Smoke, h.speaks.smoke}, {signal.Button, h.speaks.button}, {signal.Siren, h.speaks.siren}} {
		n := device.NewDevice{ID: signal.DeviceID(id + "-" + string(d.kind)), Home: x.ID, Kind: d.kind, Dialect: d.dialect, Hub: s.hub}
		n.Topic, n.Model = wiredAs(d.dialect, string(n.ID), d.kind)
		x.Devices = append(x.Devices, Device{NewDevice: n})
	}
	return x
}

// wiredAs is the topic and model under which such a device of the demo speaks.
func wiredAs(dialect, id string, k signal.DeviceKind) (topic, model string) {
	switch dialect {
	case "tasmota":
		return id, "Sonoff S26"
	case "esphome":
		if k == signal.Siren {
			return id + "/switch/siren", "ESP32"
		}
		return id + "/binary_sensor/" + string(k), "ESP32"
	case "json":
		return "keng/" + id, ""
	}
	models := map[signal.DeviceKind]string{signal.Smoke: "HS1SA-E", signal.Button: "HS1EB-E", signal.Siren: "HS2WD-E"}
	return "zigbee2mqtt/" + id, models[k]
}

// Demo imports [TanHoa] into an empty database, adds its officers, and returns
// who may be played.
func Demo(ctx context.Context, db *store.DB, who *people.Service) ([]people.Persona, error) {
	var text bytes.Buffer
	if err := TanHoa().Write(&text); err != nil {
		return nil, err
	}
	if rep, err := Import(ctx, db, strings.NewReader(text.String()), Options{}); err != nil {
		return nil, fmt.Errorf("import demo: %w %v", err, rep.Rows)
	}
	book, err := people.OpenBook(ctx, db)
	if err != nil {
		return nil, err
	}
	var cast []people.Persona
	for _, c := range []struct {
		key  string
		home place.HomeID
	}{{"member", "g1-h3"}, {"neighbour", "g1-h5"}, {"leader", "g1-h1"}, {"deputy", "g1-h2"}, {"leader2", "g2-h1"}} {
		cast = append(cast, people.Persona{Key: c.key, Person: book.Home(c.home)[0].ID})
	}
	for _, o := range []struct {
		key  string
		role people.Role
		unit place.UnitCode
		name string
	}{
		{"desk", people.Desk, tanHoa, "Đại uý Hà Minh Tuấn"},
		{"desk2", people.Desk, "04795", "Trung uý Bùi Văn Toàn"},
		{"auditor", people.Auditor, place.Province().Code, "Nguyễn Thị Minh"},
		{"admin", people.Admin, place.Province().Code, "Quản trị viên"},
	} {
		p, err := who.Officer(ctx, o.role, o.unit, o.name)
		if err != nil {
			return nil, err
		}
		cast = append(cast, people.Persona{Key: o.key, Person: p.ID})
	}
	return cast, nil
}
