package alarm

import (
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// ID names an incident: a ULID, so that IDs sort by time.
type ID string

// Mode is what an incident is for.
type Mode string

// The modes.
const (
	Live  Mode = "live"
	Drill Mode = "drill" // diễn tập
	Test  Mode = "test"  // thử chuông
)

// Condition is whether the danger is still reported (OPC UA: ActiveState). It
// stays latched until the incident is closed.
type Condition string

// The conditions.
const (
	PreAlarm Condition = "pre_alarm" // one detector spoke; verifying, when the plan says so
	Active   Condition = "active"
	Returned Condition = "returned" // every detector says the danger is over
)

// Annunciation is what the sirens of the group do.
type Annunciation string

// The annunciations.
const (
	Off      Annunciation = "off"
	Sounding Annunciation = "sounding"
	Silenced Annunciation = "silenced" // by a person, for at most the plan's SilenceMax
	Ended    Annunciation = "ended"    // resting between repeats after the long first run
)

// Response is who has taken the incident.
type Response string

// The responses, in order.
const (
	Unacknowledged Response = "unacknowledged"
	Acknowledged   Response = "acknowledged"
	Attended       Response = "attended" // somebody is on the spot
	UnderControl   Response = "under_control"
)

// Cause is why an incident was closed. Values are stored; append only.
type Cause string

// The causes.
const (
	Real          Cause = "real"
	MistakenAlarm Cause = "mistaken_alarm" // báo nhầm
	Nuisance      Cause = "nuisance"       // cooking smoke, steam, an insect
	TestCause     Cause = "test"
	DrillCause    Cause = "drill"
	FalseReport   Cause = "false_report" // only the competent person may say so
	UnknownCause  Cause = "unknown"
	Duplicate     Cause = "duplicate"
)

// Causes lists every cause.
var Causes = [...]Cause{Real, MistakenAlarm, Nuisance, TestCause, DrillCause, FalseReport, UnknownCause, Duplicate}

// Answer is what a person says of himself and his home.
type Answer string

// The answers. "" is no answer yet.
const (
	NoAnswer   Answer = ""
	Safe       Answer = "safe"
	Coming     Answer = "coming"
	NeedHelp   Answer = "need_help"
	Away       Answer = "away"
	CannotHelp Answer = "cannot_help"
)

// Answers lists what a person may say.
var Answers = [...]Answer{Safe, Coming, NeedHelp, Away, CannotHelp}

// rank orders answers: the worst of a home's people stands for the home.
func (a Answer) rank() int {
	switch a {
	case NeedHelp:
		return 4
	case Coming:
		return 3
	case Safe:
		return 2
	case CannotHelp:
		return 1
	case Away:
		return 0
	}
	return -1
}

// Contact is how far the alarm got into a home.
type Contact string

// The contacts, in order.
const (
	NoContact      Contact = "no_contact"
	DeviceSounding Contact = "device_sounding"
	PhoneReceived  Contact = "phone_received"
	HomeAnswered   Contact = "answered"
)

// Ladder is how far a command to a siren, or the alarm of a home, got.
type Ladder int

// The rungs.
const (
	Queued     Ladder = iota // L0
	Sent                     // L1: left Keng
	Accepted                 // L2: the hub or push service took it
	Heard                    // L3: the siren reports that it sounds, or a phone shows it
	AnsweredBy               // L4: a person answered
)

// Who did something. Names are looked up when shown, so that a person can be
// forgotten.
type Who struct {
	Person people.ID    `json:"person,omitempty"`
	Token  string       `json:"token,omitempty"` // a program's token instead of a person
	Role   people.Role  `json:"role,omitempty"`
	Home   place.HomeID `json:"home,omitempty"`
	At     time.Time    `json:"at"`
}

// Nobody reports whether w is the clock or a device rather than somebody.
func (w Who) Nobody() bool { return w.Person == "" && w.Token == "" }

// desk reports whether w acts for the duty desk; its chief does so too.
func (w Who) desk() bool { return w.Role == people.Desk || w.Role == people.Chief }

// Origin is where an incident began, or spread to.
type Origin struct {
	Home     place.HomeID      `json:"home"`
	Device   signal.DeviceID   `json:"device,omitempty"`
	Kind     signal.DeviceKind `json:"device_kind,omitempty"`
	Person   people.ID         `json:"person,omitempty"`
	At       time.Time         `json:"at"`
	Returned bool              `json:"returned,omitempty"`
}

// PersonAnswer is one person's line in the roll-call.
type PersonAnswer struct {
	Person   people.ID `json:"person"`
	Answer   Answer    `json:"answer"`
	At       time.Time `json:"at"`
	Minutes  int       `json:"eta_minutes,omitempty"`
	OnBehalf bool      `json:"on_behalf,omitempty"` // said by somebody of another home, or the desk
}

// Roll is one home's line in the roll-call.
type Roll struct {
	Home   place.HomeID               `json:"home"`
	People []PersonAnswer             `json:"people,omitempty"`
	Phones map[people.ID]time.Time    `json:"phones,omitempty"` // whose phone shows it, since when
	Calls  map[Via]PhoneCall          `json:"calls,omitempty"`  // how far the calls to its people got
	Sirens map[signal.DeviceID]Ladder `json:"sirens,omitempty"`
	First  time.Time                  `json:"first"` // first sign of life of this home; zero for none
	Knock  bool                       `json:"knock,omitempty"`
}

// Answer is the home's answer: the worst of its people's.
func (r Roll) Answer() (worst PersonAnswer) {
	for i, p := range r.People {
		if i == 0 || p.Answer.rank() > worst.Answer.rank() {
			worst = p
		}
	}
	return worst
}

// Contact is how far the alarm got into the home.
func (r Roll) Contact() Contact {
	switch {
	case len(r.People) > 0:
		return HomeAnswered
	case len(r.Phones) > 0:
		return PhoneReceived
	}
	for _, l := range r.Sirens {
		if l >= Heard {
			return DeviceSounding
		}
	}
	return NoContact
}

// Ladder is the highest rung that any channel of the home reached.
func (r Roll) Ladder() Ladder {
	switch r.Contact() {
	case HomeAnswered:
		return AnsweredBy
	case PhoneReceived, DeviceSounding:
		return Heard
	}
	top := Queued
	for _, l := range r.Sirens {
		top = max(top, l)
	}
	for _, c := range r.Calls {
		top = max(top, c.State.ladder())
	}
	return top
}

// Via is a way to the people of a home: push, sms, voice.
type Via string

// Delivery is how far the calls to a home got, by one way. Values are stored;
// append only.
type Delivery string

// The deliveries.
const (
	NoWay        Delivery = "none"     // nobody there can be called like that
	Called       Delivery = "called"   // left Keng
	TakenOn      Delivery = "accepted" // the push service or gateway took it
	Arrived      Delivery = "received" // the phone said so
	NotDelivered Delivery = "failed"   // nobody took it
)

// PhoneCall is the best of the calls to a home by one way.
type PhoneCall struct {
	State Delivery  `json:"state"`
	At    time.Time `json:"at"`
}

func (d Delivery) ladder() Ladder {
	switch d {
	case Called:
		return Sent
	case TakenOn:
		return Accepted
	case Arrived:
		return Heard
	}
	return Queued
}

// rank orders deliveries: what was taken on is not made undone by a later failure.
func (d Delivery) rank() int {
	switch d {
	case TakenOn:
		return 1
	case Arrived:
		return 2
	}
	return 0
}

// Delivery is what is known of the calls to the home: the best of all ways. ""
// while nobody was called yet.
func (r Roll) Delivery() (best Delivery) {
	order := []Delivery{"", NoWay, NotDelivered, Called, TakenOn, Arrived}
	if len(r.Phones) > 0 {
		return Arrived
	}
	for _, c := range r.Calls {
		if slices.Index(order, c.State) > slices.Index(order, best) {
			best = c.State
		}
	}
	return best
}

// Unreached lists the homes from which nothing came back: no phone shows it and
// nobody answered. A home whose person raised it knows.
func (i *Incident) Unreached() (homes []place.HomeID) {
	for _, r := range i.Homes {
		knows := slices.ContainsFunc(i.Origins, func(o Origin) bool { return o.Home == r.Home && o.Person != "" })
		if len(r.People) == 0 && len(r.Phones) == 0 && !knows {
			homes = append(homes, r.Home)
		}
	}
	return homes
}

// Closing is how an incident ended.
type Closing struct {
	By    Who    `json:"by"`
	Cause Cause  `json:"cause"`
	Note  string `json:"note,omitempty"`
}

// Due is one step of the plan for one incident.
type Due struct {
	Step Step      `json:"step"`
	At   time.Time `json:"at"`
	Done time.Time `json:"done"` // zero while it waits
	Met  bool      `json:"met"`  // whether it was carried out, or its condition did not hold
}

// Entry is one line of the timeline. Key names a sentence.
type Entry struct {
	At   time.Time      `json:"at"`
	Key  string         `json:"key"`
	Home place.HomeID   `json:"home,omitempty"`
	By   Who            `json:"by"`
	Args map[string]any `json:"args,omitempty"`
	Tone string         `json:"tone"` // alarm, help, coming, safe, info
}

// Incident is one group's response to one danger. A value that others may hold
// is never changed: [Decide] copies it first.
type Incident struct {
	ID       ID              `json:"id"`
	Number   int64           `json:"number"` // short number for people
	Group    place.GroupID   `json:"group"`
	Category signal.Category `json:"category"`
	Mode     Mode            `json:"mode"`
	Silent   bool            `json:"silent,omitempty"` // duty desk only
	Previous ID              `json:"previous,omitempty"`
	Opened   time.Time       `json:"opened"`
	Version  int             `json:"version"`

	Condition    Condition    `json:"condition"`
	Annunciation Annunciation `json:"annunciation"`
	Response     Response     `json:"response"`
	Closed       *Closing     `json:"closed,omitempty"`

	Origins   []Origin                   `json:"origins"`
	Spreading bool                       `json:"spreading,omitempty"`
	Homes     []Roll                     `json:"homes"`
	Silences  map[place.HomeID]time.Time `json:"silences,omitempty"` // until when; "" is the whole group
	Ack       *Who                       `json:"ack,omitempty"`
	DeskAck   *Who                       `json:"desk_ack,omitempty"`
	DeskSeen  time.Time                  `json:"desk_seen"` // last sign of life of the desk that acknowledged
	DeskSound bool                       `json:"desk_sound,omitempty"`
	OnSpot    *Who                       `json:"on_spot,omitempty"`
	Mistake   *Who                       `json:"mistake,omitempty"`
	Adjacent  bool                       `json:"adjacent,omitempty"` // the neighbouring groups' leaders were called
	Province  bool                       `json:"province,omitempty"`

	Plan       Plan      `json:"plan"`
	Steps      []Due     `json:"steps"`
	VerifyBy   time.Time `json:"verify_by"`   // end of the pre-alarm; zero when there is none
	SoundUntil time.Time `json:"sound_until"` // end of this run of the sirens
	SoundAgain time.Time `json:"sound_again"` // begin of the next run
	EndsBy     time.Time `json:"ends_by"`     // a bell test ends by itself

	Timeline []Entry `json:"timeline"`
}

// Open reports whether nobody closed it yet.
func (i *Incident) Open() bool { return i.Closed == nil }

// Coming counts the people on their way.
func (i *Incident) Coming() int {
	n := 0
	for _, r := range i.Homes {
		for _, p := range r.People {
			if p.Answer == Coming {
				n++
			}
		}
	}
	return n
}

// NeedsHelp counts the homes that need help.
func (i *Incident) NeedsHelp() int {
	n := 0
	for _, r := range i.Homes {
		if r.Answer().Answer == NeedHelp {
			n++
		}
	}
	return n
}

// OriginHome reports whether h raised it, first or later.
func (i *Incident) OriginHome(h place.HomeID) bool {
	for _, o := range i.Origins {
		if o.Home == h {
			return true
		}
	}
	return false
}

// roll returns the line of home h, or nil.
func (i *Incident) roll(h place.HomeID) *Roll {
	for k := range i.Homes {
		if i.Homes[k].Home == h {
			return &i.Homes[k]
		}
	}
	return nil
}
