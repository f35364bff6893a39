package reach

import (
	"context"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Mode is what a case is for.
type Mode string

// The modes.
const (
	Live  Mode = "live"
	Drill Mode = "drill"
	Test  Mode = "test"
)

// Target is who a step of the plan calls; see slice alarm.
type Target string

// The targets.
const (
	ByPush   Target = "push"
	BySMS    Target = "sms"
	ByVoice  Target = "voice"
	Leader   Target = "leader"
	Adjacent Target = "adjacent"
	Desk     Target = "desk_sound"
	Province Target = "province"
)

// Origin is where a case began or spread to.
type Origin struct {
	Home   place.HomeID
	Person people.ID // "" when a device spoke
}

// Case is an incident, as far as calling needs it.
type Case struct {
	ID        string
	Group     place.GroupID
	Mode      Mode
	Category  signal.Category
	Silent    bool // duty desk only
	Open      bool
	Waits     bool // only the home where it began shall know yet
	Spreading bool
	Cause     string // why it was closed
	Origins   []Origin
	Homes     []place.HomeID
	Unreached []place.HomeID // nothing came back from there
}

// Delivery is how far the calls to a home got; see slice alarm.
type Delivery string

// The deliveries.
const (
	NoWay    Delivery = "none"
	Calling  Delivery = "called"
	TakenOn  Delivery = "accepted"
	Arrived  Delivery = "received"
	NotTaken Delivery = "failed"
)

// Alarms is the alarm slice, as far as calling needs it.
type Alarms interface {
	// Case is a case as it is now, or false.
	Case(id string) (Case, bool)
	// Answer answers the roll-call as a.
	Answer(ctx context.Context, a people.Actor, id, answer, key string) error
	// Receive notes that a's phone shows it.
	Receive(ctx context.Context, a people.Actor, id string) error
	// Reached notes how far the calls to a home got by one way. It does not wait.
	Reached(g place.GroupID, h place.HomeID, id, via string, d Delivery)
}

// Folk knows people. *people.Book is one.
type Folk interface {
	Person(id people.ID) (people.Person, bool)
	Home(h place.HomeID) []people.Person
	Group(g place.GroupID) []people.Person
}

// Officers finds the people of a desk.
type Officers interface {
	// Desk lists who stands at the duty desk of unit.
	Desk(unit place.UnitCode) []people.Person
}

// Village knows the groups. *place.Directory is one.
type Village interface {
	Group(id place.GroupID) (place.Group, bool)
	Home(id place.HomeID) (place.Home, bool)
	GroupOf(id place.HomeID) (place.Group, bool)
}
