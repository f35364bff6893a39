package group

import (
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// day is a date in Vietnam, "2026-07-01"; "" is none.
type day = string

// vietnam is the zone in which days begin: UTC+7, without summer time.
func vietnam() *time.Location { return time.FixedZone("ICT", 7*60*60) }

func dayOf(t time.Time) day { return t.In(vietnam()).Format(time.DateOnly) }

// Kind is what a piece of gear is. Values are stored; append only.
type Kind string

// The kinds of gear.
const (
	Extinguisher Kind = "extinguisher"  // bình chữa cháy
	BreakingTool Kind = "breaking_tool" // dụng cụ phá dỡ
	Ladder       Kind = "ladder"        // thang
	Keys         Kind = "key"           // người giữ chìa khoá
	FirstAid     Kind = "first_aid"     // túi sơ cứu
	Torch        Kind = "torch"         // đèn pin
	Mask         Kind = "mask"          // mặt nạ phòng độc
	OtherGear    Kind = "other"
)

// Kinds lists every kind of gear.
var Kinds = [...]Kind{Extinguisher, BreakingTool, Ladder, Keys, FirstAid, Torch, Mask, OtherGear}

// Skill is what somebody can do for his neighbours. Values are stored; append only.
type Skill string

// Skills lists every skill that can be given: first aid, electrician, nurse or
// doctor, fire fighting, swimming, driving, strength, a foreign language.
var Skills = [...]Skill{"first_aid", "electrician", "nurse", "fire", "swim", "drive", "strong", "plumber"}

// NewHome is a home as it is first told of.
type NewHome struct {
	Name    string  `json:"name" maxLength:"120"`
	Address string  `json:"address" maxLength:"200"`
	Lat     float64 `json:"lat,omitempty" minimum:"-90" maximum:"90"`
	Lon     float64 `json:"lon,omitempty" minimum:"-180" maximum:"180"`
	Placed  bool    `json:"placed,omitempty" doc:"lat and lon are known"`
}

// Founding is what a founder says of his group.
type Founding struct {
	Name          string  `json:"name" maxLength:"120"`
	Neighbourhood string  `json:"neighbourhood" maxLength:"120"`
	Home          NewHome `json:"home"`
	Charter       string  `json:"charter,omitempty" maxLength:"20000" doc:"the first version of the rules; may come later"`
}

// Charter is one version of the group's rules.
type Charter struct {
	Version int
	Text    string
	At      time.Time
	By      people.ID
}

// Signature is one home's yes to a version of the charter.
type Signature struct {
	Home   place.HomeID
	Person people.ID // "" when he left since
	At     time.Time
}

// Term is who leads from which day until which.
type Term struct {
	ID     string
	Group  place.GroupID
	Person people.ID
	Role   people.Role
	From   day
	Until  day // first day on which it no longer holds; "" while open
	Ended  bool
}

// Gear is a piece of equipment.
type Gear struct {
	ID       string
	Group    place.GroupID
	Home     place.HomeID // "" for the group's own place
	Kind     Kind
	Label    string
	Expires  day
	Reminded string // days before of the last reminder, "" for none
}

// Assembly is where everybody meets.
type Assembly struct {
	Text   string  `json:"text" maxLength:"300"`
	Lat    float64 `json:"lat,omitempty" minimum:"-90" maximum:"90"`
	Lon    float64 `json:"lon,omitempty" minimum:"-180" maximum:"180"`
	Placed bool    `json:"placed,omitempty"`
}

// Opening is one look at a home's note.
type Opening struct {
	ID       string
	Home     place.HomeID
	Incident string
	Person   people.ID
	Role     people.Role
	At       time.Time
	Leaf     string // in the log of who saw what
}

// Emergency is an incident as far as a note is concerned.
type Emergency struct {
	Group  place.GroupID
	Open   bool
	Live   bool        // no drill, no bell test, and no longer a pre-alarm
	Silent bool        // the duty desk alone knows of it
	Coming []people.ID // who said of himself that he is on the way
}
