package place

import "strings"

// UnitCode is the official code of an administrative unit, a string with its
// leading zeros: "25" for the province, "04792" for Tân Hoà ward.
type UnitCode string

// GroupID names a neighbour group (tổ liên gia), as its village file does: "g1".
type GroupID string

// HomeID names a home (a household's house), as its village file does: "g1-h1".
type HomeID string

// Group is a neighbour group: 5 to 15 adjoining homes that share one alarm.
type Group struct {
	ID            GroupID
	Commune       UnitCode // unit that it belongs to
	Name          string   // "Tổ liên gia số 1"
	Neighbourhood string   // "Tổ 5"; has no official code
	Adjoining     []GroupID
	Plan          string // JSON of the group's own alarm plan, "" for the defaults; owned by slice alarm
	AllCalm       string // "22:00" when the group opted in to the evening stroke, else ""
	Homes         []Home // in street order
}

// Home is one house of a group.
type Home struct {
	ID       HomeID
	Group    GroupID
	Name     string // "Nhà số 10"
	Address  string // "Số 10, ngõ 12"
	Lat, Lon float64
	Placed   bool // whether Lat and Lon are known
}

// Unit is a province, commune or ward.
type Unit struct {
	Code     UnitCode
	Name     string // "Tân Hoà"
	FullName string // "Phường Tân Hoà"
	Kind     string // province, commune, ward, special_zone
	Parent   UnitCode
}

// Scope is where a role holds: a unit, a neighbourhood of it, or one group.
type Scope struct {
	Unit          UnitCode // "" when Group is set
	Neighbourhood string   // of Unit, which is then a commune; "" for all of it
	Group         GroupID  // "" when Unit is set
}

// Covers reports whether a group lies in s. A province covers its communes:
// parent is the unit above g.Commune.
func (s Scope) Covers(g Group, parent UnitCode) bool {
	if s.Group != "" {
		return s.Group == g.ID
	}
	if s.Neighbourhood != "" {
		return s.Unit != "" && s.Unit == g.Commune && Fold(s.Neighbourhood) == Fold(g.Neighbourhood)
	}
	return s.Unit != "" && (s.Unit == g.Commune || s.Unit == parent)
}

// ParseScope reads what an operator typed: digits are a unit code, anything
// else is a group.
func ParseScope(s string) Scope {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return Scope{Unit: UnitCode(s)}
	}
	return Scope{Group: GroupID(s)}
}

// String is the inverse of [ParseScope]; a neighbourhood stands behind its unit.
func (s Scope) String() string {
	if s.Neighbourhood != "" {
		return string(s.Unit) + "/" + s.Neighbourhood
	}
	return string(s.Unit) + string(s.Group)
}
