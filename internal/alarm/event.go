package alarm

import (
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Kind is what happened. Values are stored; append only.
type Kind string

// The kinds of event. Together they are the truth: an incident is what [Decide]
// makes of them.
const (
	Signaled      Kind = "signaled"      // a device spoke: alarm or restore
	Pressed       Kind = "pressed"       // a person raised it, or began a drill or a bell test
	Recategorised Kind = "recategorised" // the danger got its name
	AnsweredKind  Kind = "answered"
	ReceivedKind  Kind = "received" // a phone shows it
	SirenReported Kind = "siren_reported"
	AckedKind     Kind = "acknowledged"
	SilencedKind  Kind = "silenced"
	AttendedKind  Kind = "attended"
	Controlled    Kind = "controlled"
	Noted         Kind = "noted"
	ClosedKind    Kind = "closed"
	Ticked        Kind = "ticked"        // a time in the plan came
	ClockShifted  Kind = "clock_shifted" // the machine's clock was corrected
	PhoneReported Kind = "phone_reported"
	Restated      Kind = "restated" // an incident as it is, after an event of it could not be written
)

// Opening is what an event must carry to open an incident, so that the journal
// alone says what happened, whatever the village looks like later.
type Opening struct {
	ID       ID             `json:"id"`
	Number   int64          `json:"number"`
	Homes    []place.HomeID `json:"homes"`
	Plan     Plan           `json:"plan"`
	Previous ID             `json:"previous,omitempty"` // closed less than 30 min ago
}

// Event is one thing that happened in one group. Only the fields of its kind
// are set.
type Event struct {
	Kind     Kind          `json:"kind"`
	Group    place.GroupID `json:"group"`
	At       time.Time     `json:"at"` // Keng's own time, UTC, whole ms
	Key      string        `json:"key,omitempty"`
	Incident ID            `json:"incident,omitempty"` // "" only before Resolve
	Opens    *Opening      `json:"opens,omitempty"`
	By       Who           `json:"by"`

	Signal   *signal.Signal  `json:"signal,omitempty"`
	Home     place.HomeID    `json:"home,omitempty"`
	Category signal.Category `json:"category,omitempty"`
	Mode     Mode            `json:"mode,omitempty"`
	Silent   bool            `json:"silent,omitempty"`
	Answer   Answer          `json:"answer,omitempty"`
	Minutes  int             `json:"eta_minutes,omitempty"`
	Text     string          `json:"text,omitempty"` // reason or note
	Cause    Cause           `json:"cause,omitempty"`
	Until    time.Time       `json:"until"`
	Device   signal.DeviceID `json:"device,omitempty"`
	Ladder   Ladder          `json:"ladder,omitempty"`
	Shift    time.Duration   `json:"shift,omitempty"` // of the clock, ns
	Via      Via             `json:"via,omitempty"`
	Delivery Delivery        `json:"delivery,omitempty"`
	State    *Incident       `json:"state,omitempty"`
}

// raises reports whether e is an alarm, a drill or a bell test.
func (e Event) raises() bool {
	return e.Kind == Pressed || e.Kind == Signaled && e.Signal != nil && e.Signal.Kind == signal.Alarm
}

// origin is the home, device and person behind an event that raises.
func (e Event) origin() Origin {
	if e.Signal != nil {
		return Origin{Home: e.Signal.Home, Device: e.Signal.Device, Kind: e.Signal.DevKind, At: e.At}
	}
	return Origin{Home: e.Home, Person: e.By.Person, At: e.At}
}

// danger is the category that e speaks of.
func (e Event) danger() signal.Category {
	c := e.Category
	if e.Signal != nil {
		c = e.Signal.Category
	}
	if c == "" {
		return signal.Panic
	}
	return c
}

// mode is the mode that e speaks of; a device always means it.
func (e Event) mode() Mode {
	if e.Mode == "" {
		return Live
	}
	return e.Mode
}

// quiet reports whether e goes to the duty desk only.
func (e Event) quiet() bool { return e.Silent || e.danger() == signal.HoldUp }

// automatic reports whether a detector spoke, not a person.
func (e Event) automatic() bool {
	if e.Signal == nil {
		return false
	}
	switch e.Signal.DevKind {
	case signal.Smoke, signal.Heat, signal.Gas, signal.CO, signal.Water, signal.Contact, signal.Motion:
		return true
	}
	return false
}
