package cap

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/place"
)

// Life is what happened in an incident, as far as it may leave Keng: no names.
type Life struct {
	ID     string
	Code   string // short number for people
	Group  place.Group
	Mode   string // live, drill, test
	Silent bool
	Steps  []Step // as they happened; the first one opened it
}

// Step is one thing that happened.
type Step struct {
	At       time.Time
	Key      string // of slice alarm's timeline: "event.raised"
	Category string // that was named, "" for none
}

// told are the steps that make a message, by their key, with the key of its
// sentence. Others, such as a second press, change nothing for who is far away.
var told = map[string]string{
	"event.raised": "cap.life.raised", "event.drill": "cap.life.raised", "event.test": "cap.life.raised",
	"event.spread": "cap.life.spread", "event.recategorised": "cap.life.named", "event.verified": "cap.life.verified",
	"event.answer.need_help": "cap.life.need_help", "event.acknowledged": "cap.life.acknowledged", "event.attended": "cap.life.attended",
	"event.under_control": "cap.life.under_control", "event.call.adjacent": "cap.life.adjacent", "event.closed": "cap.life.closed",
}

var statuses = map[string]string{"live": "Actual", "drill": "Exercise", "test": "Test"}

// kinds is CAP's category for a danger, and how bad it may be.
var kinds = map[string][2]string{
	"fire": {"Fire", "Severe"}, "gas": {"Safety", "Severe"}, "co": {"Health", "Severe"}, "intrusion": {"Security", "Severe"}, "medical": {"Health", "Severe"},
	"panic": {"Safety", "Severe"}, "flood": {"Safety", "Severe"}, "technical": {"Infra", "Minor"}, "other": {"Other", "Moderate"},
}

// Messages are the CAP messages of l, oldest first: one Alert, Updates, and a
// Cancel when it was closed. A hold-up has none.
func Messages(l Life) []Alert {
	if l.Silent || statuses[l.Mode] == "" {
		return nil
	}
	var list []Alert
	now := state{danger: "panic", certainty: "Likely"}
	for _, s := range l.Steps {
		sentence := told[s.Key]
		if sentence == "" || len(list) == 0 && sentence != "cap.life.raised" {
			continue
		}
		now.take(s)
		list = append(list, l.message(list, s, now, sentence))
	}
	return list
}

// state is how an incident stands, as far as CAP can say it.
type state struct {
	danger    string
	certainty string
	closed    bool
}

func (s *state) take(step Step) {
	if kinds[step.Category] != [2]string{} && (step.Key == "event.recategorised" || s.danger == "panic") {
		s.danger = step.Category
	}
	switch step.Key {
	case "event.verified", "event.spread", "event.attended", "event.under_control", "event.answer.need_help":
		s.certainty = "Observed"
	case "event.closed":
		s.closed = true
	}
}

// message is the next one after earlier.
func (l Life) message(earlier []Alert, s Step, now state, sentence string) Alert {
	unit, _ := place.UnitOf(l.Group.Commune)
	a := Alert{
		Identifier: l.ID + "." + strconv.Itoa(len(earlier)+1), Sender: "keng." + string(l.Group.Commune), Sent: s.At.UTC().Truncate(time.Second),
		Status: statuses[l.Mode], MsgType: "Alert", Scope: "Restricted", Restriction: say.In(say.Vietnamese).Text("cap.restriction", nil),
		Addresses: []string{"truc-ban." + string(l.Group.Commune)}, Incidents: []string{l.Code},
	}
	for _, e := range earlier {
		a.References = append(a.References, Reference{e.Sender, e.Identifier, e.Sent})
	}
	switch {
	case now.closed:
		a.MsgType = "Cancel"
	case len(earlier) > 0:
		a.MsgType = "Update"
	}
	for _, lang := range []struct {
		tag string
		of  say.Lang
	}{{"vi-VN", say.Vietnamese}, {"en-US", say.English}} {
		a.Infos = append(a.Infos, l.info(say.In(lang.of), lang.tag, now, sentence, unit))
	}
	return a
}

func (l Life) info(b say.Book, tag string, now state, sentence string, unit place.Unit) Info {
	event := b.Text("cap.event."+now.danger, nil)
	where := strings.Join(nonempty(l.Group.Name, l.Group.Neighbourhood, unit.FullName), ", ")
	i := Info{
		Language: tag, Categories: []string{kinds[now.danger][0]}, Event: event, ResponseTypes: []string{"Assess"},
		Urgency: "Immediate", Severity: kinds[now.danger][1], Certainty: now.certainty, SenderName: "Kẻng, " + unit.FullName,
		Headline: event + ": " + where, Description: b.Text(sentence, nil), Areas: []Area{l.area(where)},
	}
	if l.Mode != "live" {
		i.Headline, i.Severity = b.Text("cap.mode."+l.Mode, nil)+": "+i.Headline, "Minor"
	}
	if now.closed {
		i.Urgency, i.Severity, i.Certainty, i.ResponseTypes = "Past", "Minor", "Observed", []string{"AllClear"}
	}
	return i
}

func nonempty(words ...string) (list []string) {
	for _, w := range words {
		if w != "" {
			list = append(list, w)
		}
	}
	return list
}

// area is the group, as its commune's code and a circle around all of its homes:
// never one home's position.
func (l Life) area(where string) Area {
	a := Area{Desc: where, Geocodes: []Value{{Geocode, string(l.Group.Commune)}}}
	var mid Point
	n := 0.0
	for _, h := range l.Group.Homes {
		if h.Placed {
			mid.Lat, mid.Lon, n = mid.Lat+h.Lat, mid.Lon+h.Lon, n+1
		}
	}
	if n == 0 {
		return a
	}
	mid.Lat, mid.Lon = mid.Lat/n, mid.Lon/n
	km := 0.0
	for _, h := range l.Group.Homes {
		if h.Placed {
			km = max(km, distance(mid, Point{h.Lat, h.Lon}))
		}
	}
	a.Circles = []Circle{{mid, math.Ceil(km*10)/10 + 0.1}}
	return a
}

// distance between two points, km.
func distance(a, b Point) float64 {
	const earth, rad = 6371.0, math.Pi / 180
	y, x := math.Sin((a.Lat-b.Lat)*rad/2), math.Sin((a.Lon-b.Lon)*rad/2)
	return 2 * earth * math.Asin(math.Sqrt(min(1, y*y+math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*x*x)))
}

// incidentOf is the incident of an identifier that [Messages] made, and which of
// its messages.
func incidentOf(identifier string) (incident string, n int, err error) {
	incident, num, ok := strings.Cut(identifier, ".")
	if n, err = strconv.Atoi(num); !ok || err != nil || n < 1 {
		return "", 0, fmt.Errorf("identifier %q is none of ours", identifier)
	}
	return incident, n, nil
}
