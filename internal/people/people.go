package people

import (
	"slices"

	"github.com/keng-vn/keng/internal/place"
)

// ID names a person. It never leaves Keng in a log beside a name.
type ID string

// Role is what a person may be somewhere. Values are stored; append only.
type Role string

// The roles. Member comes with a home; every other is given, for a place and a time.
const (
	Member   Role = "member"   // thành viên: an adult of a home in a group
	Leader   Role = "leader"   // tổ trưởng of a group
	Deputy   Role = "deputy"   // tổ phó
	Head     Role = "head"     // trưởng khu, trưởng thôn: head of a neighbourhood
	Team     Role = "team"     // tổ bảo vệ an ninh, trật tự: the security team
	Mediator Role = "mediator" // hoà giải viên
	Elder    Role = "elder"    // trưởng họ: head of a clan
	Desk     Role = "desk"     // trực ban: duty officer of a commune
	Chief    Role = "chief"    // trưởng công an xã, phường: commands the desk
	Steering Role = "steering" // thành viên ban chỉ đạo
	Viewer   Role = "viewer"   // cấp tỉnh: figures only
	Auditor  Role = "auditor"  // reads, never acts
	Admin    Role = "admin"    // runs the machine, reads nobody's data
)

// Officer reports whether r is held in an office rather than among neighbours: it
// ends with the shift's session.
func (r Role) Officer() bool {
	switch r {
	case Desk, Chief, Steering, Viewer, Auditor, Admin:
		return true
	}
	return false
}

// Person is somebody Keng knows: a resident of a home, or an officer of a unit.
type Person struct {
	ID    ID
	Name  string       // "Chủ hộ số 10"
	Phone string       // E.164, "+84900000001"; "" when unknown
	Role  Role         // the main one
	Home  place.HomeID // "" for an officer
	Scope place.Scope  // the group of a resident, the unit of an officer
	Posts Posts        // what was given to him
}

// Actor is whoever stands behind a request: a person with a session, or a
// bearer token of a program. The zero Actor is nobody.
type Actor struct {
	Person ID     // "" for a token
	Token  string // name of the token, "" for a person
	Name   string
	Role   Role         // the main one
	Home   place.HomeID // "" for an officer or a token
	Group  place.GroupID
	Scope  place.Scope // where Role is held
	Posts  Posts       // every role that was given to him and is held now
}

// Held lists every role of a and where it holds: his home's, his main one and
// those of his posts. Nobody holds nothing.
func (a Actor) Held() []Post {
	if a.Nobody() {
		return nil
	}
	var held []Post
	if a.Home != "" && a.Group != "" {
		held = append(held, Post{Role: Member, At: place.Scope{Group: a.Group}})
	}
	if a.Role != "" && a.Role != Member {
		held = append(held, Post{Role: a.Role, At: a.Scope})
	}
	return slices.AppendSeq(held, a.Posts.All())
}

// As is the role in which a acts for group g: of those that he holds for it the one
// that asks most of him, else his main one. Who only reads somewhere acts there as
// the neighbour that he also is.
func (a Actor) As(g place.Group) Role {
	held := a.Held()
	for _, r := range []Role{Chief, Desk, Leader, Deputy, Member, Head, Team} {
		for _, p := range held {
			if p.Role == r && p.At.Covers(g, place.ParentOf(g.Commune)) {
				return r
			}
		}
	}
	return a.Role
}

// Places lists where a holds anything, each place once.
func (a Actor) Places() []place.Scope {
	var at []place.Scope
	for _, p := range a.Held() {
		if p.At != (place.Scope{}) && !slices.Contains(at, p.At) {
			at = append(at, p.At)
		}
	}
	return at
}

// Nobody reports whether a is not known at all.
func (a Actor) Nobody() bool { return a.Person == "" && a.Token == "" }

// By is how a stands in records: a person's id, or "token/" and a token's name.
func (a Actor) By() string {
	if a.Token != "" {
		return "token/" + a.Token
	}
	return string(a.Person)
}
