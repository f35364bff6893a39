package alarm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// IncidentView is an incident as screens and programs see it. Times are RFC 3339, UTC.
type IncidentView struct {
	ID           ID              `json:"id"`
	Code         string          `json:"code" doc:"short number for people, such as TH-0231"`
	Version      int             `json:"version"`
	Group        place.GroupID   `json:"group"`
	Category     signal.Category `json:"category" enum:"fire,gas,co,intrusion,holdup,medical,panic,flood,technical,other"`
	Mode         Mode            `json:"mode" enum:"live,drill,test"`
	Silent       bool            `json:"silent" doc:"duty desk only"`
	Previous     ID              `json:"previous" doc:"the incident of the same danger closed less than 30 minutes before, or empty"`
	OpenedAt     time.Time       `json:"opened_at"`
	Condition    Condition       `json:"condition" enum:"pre_alarm,active,returned"`
	Annunciation Annunciation    `json:"annunciation" enum:"off,sounding,silenced,ended"`
	Response     Response        `json:"response" enum:"unacknowledged,acknowledged,attended,under_control"`
	Closed       *ClosedView     `json:"closed"`
	Spreading    bool            `json:"spreading"`
	Origins      []OriginView    `json:"origins"`
	Acknowledged *AckView        `json:"acknowledged"`
	Silences     []SilenceView   `json:"silences"`
	Mistake      *MistakeView    `json:"mistake" doc:"somebody of the home where it began says it was a mistake; a second home must confirm"`
	Homes        []RollView      `json:"homes"`
	Coming       int             `json:"coming" doc:"people on their way"`
	Heard        int             `json:"heard" doc:"homes where a siren sounds, a phone shows it or somebody answered"`
	NeedHelp     int             `json:"need_help" doc:"homes that need help"`
	Next         *NextView       `json:"next" doc:"next step of the escalation"`
	DeskSound    bool            `json:"desk_sound" doc:"the duty desk must sound now"`
	Adjacent     bool            `json:"adjacent" doc:"leaders of adjoining groups were called"`
	Province     bool            `json:"province" doc:"the province's watch was called"`
	Timeline     []EntryView     `json:"timeline"`
}

// ClosedView is how an incident ended.
type ClosedView struct {
	At    time.Time `json:"at"`
	Cause Cause     `json:"cause" enum:"real,mistaken_alarm,nuisance,test,drill,false_report,unknown,duplicate"`
	By    string    `json:"by"`
	Note  string    `json:"note"`
}

// OriginView is where an incident began or spread to.
type OriginView struct {
	Home       place.HomeID    `json:"home"`
	Device     signal.DeviceID `json:"device"`
	DeviceKind string          `json:"device_kind" doc:"button, smoke... or phone"`
	At         time.Time       `json:"at"`
	Person     string          `json:"person"`
	Returned   bool            `json:"returned"`
}

// AckView is who took the incident.
type AckView struct {
	By   string      `json:"by"`
	Role people.Role `json:"role"`
	At   time.Time   `json:"at"`
}

// SilenceView is a silence of one home's siren, or of the group's when Home is "".
type SilenceView struct {
	Home  place.HomeID `json:"home"`
	Until time.Time    `json:"until"`
}

// MistakeView is a claim that the alarm was a mistake.
type MistakeView struct {
	By   string       `json:"by"`
	Home place.HomeID `json:"home"`
	At   time.Time    `json:"at"`
}

// RollView is one home's line in the roll-call.
type RollView struct {
	Home     place.HomeID `json:"home"`
	Contact  Contact      `json:"contact" enum:"no_contact,device_sounding,phone_received,answered"`
	Answer   Answer       `json:"answer" enum:",safe,coming,need_help,away,cannot_help"`
	Ladder   Ladder       `json:"ladder" doc:"0 queued, 1 sent, 2 accepted, 3 sounding or shown, 4 answered"`
	At       *time.Time   `json:"at"`
	By       string       `json:"by"`
	OnBehalf bool         `json:"on_behalf"`
	Seconds  *int         `json:"seconds" doc:"from the opening to the answer, or without one to the first sign of life"`
	Knock    bool         `json:"knock" doc:"those coming shall knock at this door"`
	People   []PersonView `json:"people"`
	Siren    SirenView    `json:"siren"`
	Delivery Delivery     `json:"delivery" enum:",none,called,accepted,received,failed" doc:"what is known of the calls to its phones, the best of all ways"`
	Calls    []CallView   `json:"calls" doc:"the same for each way"`
}

// CallView is how far the calls to a home got by one way.
type CallView struct {
	Via   Via       `json:"via" enum:"push,sms,voice"`
	State Delivery  `json:"state" enum:"none,called,accepted,received,failed"`
	At    time.Time `json:"at"`
}

// PersonView is one person's answer.
type PersonView struct {
	Person   people.ID `json:"person"`
	Name     string    `json:"name"`
	Answer   Answer    `json:"answer" enum:"safe,coming,need_help,away,cannot_help"`
	At       time.Time `json:"at"`
	Minutes  int       `json:"eta_minutes"`
	OnBehalf bool      `json:"on_behalf"`
}

// SirenView counts a home's sirens by how far the command got.
type SirenView struct {
	Total    int `json:"total"`
	Accepted int `json:"accepted"`
	Sounding int `json:"sounding"`
	Silent   int `json:"silent" doc:"no sign of the command arriving"`
}

// NextView is the next step of the escalation.
type NextView struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
}

// EntryView is one line of the timeline.
type EntryView struct {
	At   time.Time      `json:"at"`
	Key  string         `json:"key"`
	Home place.HomeID   `json:"home"`
	By   string         `json:"by"`
	Args map[string]any `json:"args"`
	Tone string         `json:"tone" enum:"alarm,help,coming,safe,info"`
}

// Names looks up what a person is called. *people.Book is one.
type Names interface {
	Name(id people.ID) string
}

// viewer makes views. With no names it makes the machine's view: ids, times and
// states, nothing about anybody.
type viewer struct {
	names Names
	unit  func(place.GroupID) string // name of the group's commune
}

func (w viewer) who(a Who) string {
	switch {
	case w.names == nil:
		return ""
	case a.Token != "":
		return a.Token
	case a.Person == "":
		return ""
	}
	return w.names.Name(a.Person)
}

func (w viewer) see(i *Incident) IncidentView {
	v := IncidentView{
		ID: i.ID, Code: code(w.unit(i.Group), i.Number), Version: i.Version, Group: i.Group, Category: i.Category, Mode: i.Mode,
		Silent: i.Silent, Previous: i.Previous, OpenedAt: i.Opened, Condition: i.Condition, Annunciation: i.Annunciation,
		Response: i.Response, Spreading: i.Spreading, Coming: i.Coming(), NeedHelp: i.NeedsHelp(), DeskSound: i.DeskSound,
		Adjacent: i.Adjacent, Province: i.Province, Origins: []OriginView{}, Silences: []SilenceView{}, Homes: []RollView{}, Timeline: []EntryView{},
	}
	if c := i.Closed; c != nil {
		v.Closed = &ClosedView{At: c.By.At, Cause: c.Cause, By: w.who(c.By), Note: w.text(c.Note)}
	}
	if a := i.Ack; a != nil {
		v.Acknowledged = &AckView{By: w.who(*a), Role: a.Role, At: a.At}
	}
	if m := i.Mistake; m != nil && i.Open() {
		v.Mistake = &MistakeView{By: w.who(*m), Home: m.Home, At: m.At}
	}
	for _, o := range i.Origins {
		kind := string(o.Kind)
		if o.Device == "" {
			kind = "phone"
		}
		v.Origins = append(v.Origins, OriginView{o.Home, o.Device, kind, o.At, w.who(Who{Person: o.Person}), o.Returned})
	}
	for h, until := range i.Silences {
		v.Silences = append(v.Silences, SilenceView{h, until})
	}
	for _, r := range i.Homes {
		line := w.roll(i, r)
		if line.Contact != NoContact {
			v.Heard++
		}
		v.Homes = append(v.Homes, line)
	}
	for _, d := range i.Steps {
		if i.Open() && d.Done.IsZero() && (v.Next == nil || d.At.Before(v.Next.At)) {
			v.Next = &NextView{"step." + d.Step.Name, d.At}
		}
	}
	for _, t := range i.Timeline {
		v.Timeline = append(v.Timeline, w.entry(t))
	}
	return v
}

func (w viewer) roll(i *Incident, r Roll) RollView {
	top := r.Answer()
	v := RollView{Home: r.Home, Contact: r.Contact(), Answer: top.Answer, Ladder: r.Ladder(), Knock: r.Knock, OnBehalf: top.OnBehalf, People: []PersonView{}, Delivery: r.Delivery(), Calls: []CallView{}}
	if !top.At.IsZero() {
		at := top.At
		v.At, v.By = &at, w.who(Who{Person: top.Person})
	}
	reached := r.First
	if !top.At.IsZero() {
		reached = top.At
	}
	if !reached.IsZero() {
		s := int(reached.Sub(i.Opened).Seconds())
		v.Seconds = &s
	}
	for _, p := range r.People {
		line := PersonView{p.Person, w.who(Who{Person: p.Person}), p.Answer, p.At, p.Minutes, p.OnBehalf}
		if w.names == nil {
			line.Person = ""
		}
		v.People = append(v.People, line)
	}
	for _, via := range slices.Sorted(maps.Keys(r.Calls)) {
		v.Calls = append(v.Calls, CallView{via, r.Calls[via].State, r.Calls[via].At})
	}
	for _, l := range r.Sirens {
		v.Siren.Total++
		switch {
		case l >= Heard:
			v.Siren.Sounding++
			v.Siren.Accepted++
		case l == Accepted:
			v.Siren.Accepted++
		default:
			v.Siren.Silent++
		}
	}
	return v
}

func (w viewer) entry(t Entry) EntryView {
	args := t.Args
	if args == nil || w.names == nil {
		args = map[string]any{}
	}
	return EntryView{t.At, t.Key, t.Home, w.who(t.By), args, t.Tone}
}

// text hides what somebody wrote from the machine's view.
func (w viewer) text(s string) string {
	if w.names == nil {
		return ""
	}
	return s
}

// code is the short number that people say aloud: the unit's initials and four
// digits.
func code(unit string, n int64) string {
	var b strings.Builder
	for _, word := range strings.Fields(place.Fold(unit)) {
		b.WriteString(strings.ToUpper(word[:1]))
	}
	return fmt.Sprintf("%s-%04d", b.String(), n)
}
