package register

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Tally counts what happened to the things of one kind.
type Tally struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

// adult is somebody of a plan: known when ID is set.
type adult struct {
	people.Person
	was *people.Person // as he is now; nil for a new one
}

// village is who lives in a unit, as a plan changes it.
type village struct {
	unit   place.UnitCode
	groups []place.Group // of the unit, with what is added
	was    map[place.GroupID]place.Group
	elsew  map[place.GroupID]bool // groups of other units
	homes  map[place.HomeID]place.GroupID
	adults map[place.HomeID][]adult
	seen   map[place.HomeID]bool // homes that the list named
	named  map[people.ID]bool    // people that the list named
}

func newVillage(unit place.UnitCode, all []place.Group, folk []people.Person) *village {
	v := &village{unit: unit, was: map[place.GroupID]place.Group{}, elsew: map[place.GroupID]bool{}, homes: map[place.HomeID]place.GroupID{}, adults: map[place.HomeID][]adult{}, seen: map[place.HomeID]bool{}, named: map[people.ID]bool{}}
	for _, g := range all {
		for _, h := range g.Homes {
			v.homes[h.ID] = g.ID
		}
		if g.Commune != unit {
			v.elsew[g.ID] = true
			continue
		}
		v.was[g.ID] = g
		g.Homes = slices.Clone(g.Homes)
		v.groups = append(v.groups, g)
	}
	for _, p := range folk {
		was := p
		v.adults[p.Home] = append(v.adults[p.Home], adult{p, &was})
	}
	return v
}

// take lets the village have what l says; what does not fit is wrong.
func (v *village) take(s *sheet, l line) {
	g := v.group(s, l)
	if g == nil {
		return
	}
	h := v.home(s, g, l)
	if h == "" || l.name == "" {
		return
	}
	v.adult(h, g.ID, l)
}

// group finds or adds the group of l.
func (v *village) group(s *sheet, l line) *place.Group {
	if v.elsew[l.group] {
		s.bad(l.row, GroupID, "register.group_elsewhere", map[string]any{"group": string(l.group)})
		return nil
	}
	i := slices.IndexFunc(v.groups, func(g place.Group) bool {
		if l.group != "" {
			return g.ID == l.group
		}
		return place.Fold(g.Name) == place.Fold(l.groupName) && (l.neighbourhood == "" || g.Neighbourhood == "" || place.Fold(g.Neighbourhood) == place.Fold(l.neighbourhood))
	})
	if i < 0 {
		id := l.group
		if id == "" {
			id = place.GroupID("g-" + random())
		}
		if l.groupName == "" {
			s.bad(l.row, GroupName, "register.group_name_missing", map[string]any{"group": string(id)})
			return nil
		}
		v.groups = append(v.groups, place.Group{ID: id, Commune: v.unit, Name: l.groupName, Neighbourhood: l.neighbourhood})
		return &v.groups[len(v.groups)-1]
	}
	g := &v.groups[i]
	if l.group != "" && l.groupName != "" {
		g.Name = l.groupName
	}
	if l.neighbourhood != "" {
		g.Neighbourhood = l.neighbourhood
	}
	return g
}

// home finds or adds the home of l in g.
func (v *village) home(s *sheet, g *place.Group, l line) place.HomeID {
	if was, known := v.homes[l.home]; l.home != "" && known && was != g.ID {
		s.bad(l.row, HomeID, "register.home_elsewhere", map[string]any{"home": string(l.home), "group": string(was)})
		return ""
	}
	i := slices.IndexFunc(g.Homes, func(h place.Home) bool { return v.sameHome(h, l) })
	if i < 0 {
		if len(g.Homes) >= 60 {
			s.bad(l.row, GroupName, "register.group_full", map[string]any{"most": 60})
			return ""
		}
		h := place.Home{ID: l.home, Group: g.ID, Name: l.homeName, Address: l.address, Lat: l.lat, Lon: l.lon, Placed: l.placed}
		if h.ID == "" {
			h.ID = place.HomeID(string(g.ID) + "-h" + random())
		}
		if h.Name == "" {
			h.Name = "Nhà " + l.name
		}
		g.Homes = append(g.Homes, h)
		v.homes[h.ID], v.seen[h.ID] = g.ID, true
		return h.ID
	}
	h := &g.Homes[i]
	v.seen[h.ID] = true
	if l.home != "" && l.homeName != "" {
		h.Name = l.homeName
	}
	if l.address != "" {
		h.Address = l.address
	}
	if l.placed {
		h.Lat, h.Lon, h.Placed = l.lat, l.lon, true
	}
	return h.ID
}

// sameHome reports whether l speaks of home h: by id, else by name and address,
// else by address, else by the one who lives there.
func (v *village) sameHome(h place.Home, l line) bool {
	if l.home != "" {
		return h.ID == l.home
	}
	sameAddress := l.address == "" || h.Address == "" || place.Fold(h.Address) == place.Fold(l.address)
	switch {
	case l.homeName != "":
		return place.Fold(h.Name) == place.Fold(l.homeName) && sameAddress
	case l.address != "" && h.Address != "":
		return place.Fold(h.Address) == place.Fold(l.address)
	}
	lives := slices.ContainsFunc(v.adults[h.ID], func(a adult) bool { return place.Fold(a.Name) == place.Fold(l.name) })
	return lives || place.Fold(h.Name) == place.Fold("Nhà "+l.name)
}

// adult finds or adds the adult of l in home h. What somebody may do is never
// changed by a list.
func (v *village) adult(h place.HomeID, g place.GroupID, l line) {
	all := v.adults[h]
	i := slices.IndexFunc(all, func(a adult) bool { return place.Fold(a.Name) == place.Fold(l.name) })
	if i < 0 && l.phone != "" {
		i = slices.IndexFunc(all, func(a adult) bool { return a.Phone == l.phone })
	}
	if i < 0 {
		v.adults[h] = append(all, adult{Person: people.Person{Name: l.name, Phone: l.phone, Role: l.role, Home: h, Scope: place.Scope{Group: g}}})
		return
	}
	all[i].Name = l.name
	if l.phone != "" {
		all[i].Phone = l.phone
	}
	v.named[all[i].ID] = true
}

func random() string { return strings.ToLower(rand.Text()[:10]) }

// States that an import is compared by: all that a list can say.
type groupState struct {
	Name, Neighbourhood string
}

type homeState struct {
	Group         place.GroupID
	Name, Address string
	Lat, Lon      float64
	Placed        bool
}

type personState struct {
	Home        place.HomeID
	Name, Phone string
}

func stateOfGroup(g place.Group) groupState { return groupState{g.Name, g.Neighbourhood} }

func stateOfHome(h place.Home) homeState {
	return homeState{h.Group, h.Name, h.Address, h.Lat, h.Lon, h.Placed}
}

func stateOfPerson(p people.Person) personState { return personState{p.Home, p.Name, p.Phone} }

// text is a state as JSON, digest its SHA-256 with the id, so that equal states of
// two things do not look equal.
func text(state any) string {
	b, _ := json.Marshal(state) // plain structs always can
	return string(b)
}

func digest(id string, state any) string {
	sum := sha256.Sum256([]byte(id + "\x00" + text(state)))
	return hex.EncodeToString(sum[:])
}
