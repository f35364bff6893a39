package people

import "github.com/keng-vn/keng/internal/place"

// ID names a person. It never leaves Keng in a log beside a name.
type ID string

// Role is what a person may be somewhere. Values are stored; append only.
type Role string

// The roles of this stage; passkeys and the full set come later.
const (
	Member  Role = "member"  // thành viên: an adult of a home in a group
	Leader  Role = "leader"  // tổ trưởng of a group
	Deputy  Role = "deputy"  // tổ phó
	Desk    Role = "desk"    // trực ban: duty officer of a commune
	Auditor Role = "auditor" // reads, never acts
	Admin   Role = "admin"   // runs the machine, reads nobody's data
)

// Officer reports whether r is held for a unit rather than lived in a home.
func (r Role) Officer() bool { return r == Desk || r == Auditor || r == Admin }

// Person is somebody Keng knows: a resident of a home, or an officer of a unit.
type Person struct {
	ID    ID
	Name  string // "Chủ hộ số 10"
	Phone string // E.164, "+84900000001"; "" when unknown
	Role  Role
	Home  place.HomeID // "" for an officer
	Scope place.Scope  // the group of a resident, the unit of an officer
}

// Actor is whoever stands behind a request: a person with a session, or a
// bearer token of a program. The zero Actor is nobody.
type Actor struct {
	Person ID     // "" for a token
	Token  string // name of the token, "" for a person
	Name   string
	Role   Role
	Home   place.HomeID // "" for an officer or a token
	Group  place.GroupID
	Scope  place.Scope
}

// Nobody reports whether a is not known at all.
func (a Actor) Nobody() bool { return a.Person == "" && a.Token == "" }
