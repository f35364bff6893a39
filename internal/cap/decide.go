package cap

import (
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// Geocode is the name under which Keng writes the official code of a unit.
const Geocode = "DVHC"

// geocodes are the names under which it reads one: mã đơn vị hành chính, the
// General Statistics Office's, and SAME, which carries it in six digits.
var geocodes = map[string]bool{"DVHC": true, "GSO": true, "SAME": true, "KENG:UNIT": true}

// The product's own choices.
const (
	early     = 10 * time.Minute // a clock may run ahead by so much
	otherwise = 24 * time.Hour   // how long a warning holds that does not say
)

// verdict is what is done with a message that came in.
type verdict struct {
	show    bool
	recall  bool // what it refers to is over
	title   string
	text    string
	level   string
	expires time.Time
}

// judge decides about a at time now, or says what is wrong with its times.
func judge(a Alert, now time.Time) (v verdict, err error) {
	if a.Sent.After(now.Add(early)) {
		return v, bad("cap.from_future", "sent")
	}
	if (a.MsgType == "Update" || a.MsgType == "Cancel") && len(a.References) == 0 {
		return v, bad("cap.missing", "references")
	}
	if a.Status != "Actual" && a.Status != "Exercise" || a.MsgType == "Ack" || a.MsgType == "Error" {
		return v, nil // understood, and nobody's business
	}
	v.recall = a.MsgType != "Alert"
	if a.MsgType == "Cancel" {
		return v, nil
	}
	i, ok := a.info()
	if !ok {
		return v, bad("cap.missing", "info")
	}
	if v.expires = i.Expires; v.expires.IsZero() {
		v.expires = a.Sent.Add(otherwise)
	}
	if v.expires.Before(a.Sent) || !i.Effective.IsZero() && v.expires.Before(i.Effective) {
		return v, bad("cap.bad_dates", "expires")
	}
	if !v.expires.After(now) {
		return v, bad("cap.expired", "expires")
	}
	v.show, v.level, v.title = true, strings.ToLower(i.Severity), i.Headline
	if v.title == "" {
		v.title = i.Event
	}
	v.text = strings.Join(nonempty(i.Description, i.Instruction, i.SenderName), "\n")
	return v, nil
}

// info is what a says, in Vietnamese if it can, else in English, else as it comes.
func (a Alert) info() (Info, bool) {
	for _, want := range []string{"vi", "en", ""} {
		for _, i := range a.Infos {
			if strings.HasPrefix(strings.ToLower(i.Language), want) {
				return i, true
			}
		}
	}
	return Info{}, false
}

// known reports whether any area of a says where it is in a way that Keng knows.
func (a Alert) known() bool {
	for _, i := range a.Infos {
		for _, r := range i.Areas {
			if len(r.Polygons)+len(r.Circles)+len(r.units()) > 0 {
				return true
			}
		}
	}
	return false
}

// units are the codes of r that exist.
func (r Area) units() (list []place.UnitCode) {
	for _, c := range r.Geocodes {
		if !geocodes[strings.ToUpper(c.Name)] {
			continue
		}
		for _, u := range place.Units() {
			if strings.TrimLeft(string(u.Code), "0") == strings.TrimLeft(c.Value, "0") {
				list = append(list, u.Code)
			}
		}
	}
	return list
}

// field is an alert's area, made ready to be asked for many groups.
type field struct {
	units map[place.UnitCode]bool
	areas []Area
}

func (a Alert) field() field {
	f := field{units: map[place.UnitCode]bool{}}
	for _, i := range a.Infos {
		for _, r := range i.Areas {
			f.areas = append(f.areas, r)
			for _, u := range r.units() {
				f.units[u] = true
			}
		}
	}
	return f
}

// covers reports whether g, or one of its homes, lies in f.
func (f field) covers(g place.Group) bool {
	if f.units[g.Commune] || f.units[place.ParentOf(g.Commune)] {
		return true
	}
	for _, h := range g.Homes {
		if h.Placed && f.holds(Point{h.Lat, h.Lon}) {
			return true
		}
	}
	return false
}

func (f field) holds(p Point) bool {
	for _, r := range f.areas {
		for _, c := range r.Circles {
			if distance(c.Point, p) <= c.Km {
				return true
			}
		}
		for _, ring := range r.Polygons {
			if inside(ring, p) {
				return true
			}
		}
	}
	return false
}

// inside reports whether p lies in a closed ring: a line from it crosses the ring
// an odd number of times.
func inside(ring []Point, p Point) bool {
	in := false
	for k := 1; k < len(ring); k++ {
		a, b := ring[k-1], ring[k]
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && p.Lon < a.Lon+(p.Lat-a.Lat)/(b.Lat-a.Lat)*(b.Lon-a.Lon) {
			in = !in
		}
	}
	return in
}
