package group

import (
	"context"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// InsideView is a group as one of its own people sees it. Times are RFC 3339, UTC; days
// are days in Vietnam.
type InsideView struct {
	ID            place.GroupID   `json:"id"`
	Name          string          `json:"name"`
	Neighbourhood string          `json:"neighbourhood"`
	Homes         []HouseholdView `json:"homes"`
	Least         int             `json:"least" doc:"usual number of homes, 0 when none is set"`
	Most          int             `json:"most"`
	SizeKey       string          `json:"size_key" enum:",group.size_small,group.size_large" doc:"advice about the number of homes"`
	Charter       *CharterView    `json:"charter" doc:"the newest version of the rules"`
	Terms         []TermView      `json:"terms"`
	Neighbours    []NeighbourView `json:"neighbours"`
	Nearby        []NeighbourView `json:"nearby" doc:"other groups of the commune that can be asked; leaders only"`
	Assembly      *Assembly       `json:"assembly"`
	Gear          []GearView      `json:"gear"`
	Leads         bool            `json:"leads" doc:"whether the asker may change the group"`
	Mine          []Skill         `json:"mine" doc:"skills that the asker gave"`
}

// HouseholdView is a home with its adults.
type HouseholdView struct {
	ID      place.HomeID `json:"id"`
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Placed  bool         `json:"placed"`
	Signed  bool         `json:"signed" doc:"the newest rules; leaders see it of every home, others of their own"`
	Adults  []AdultView  `json:"adults"`
}

// AdultView is an adult of a home.
type AdultView struct {
	Person people.ID   `json:"person"`
	Name   string      `json:"name"`
	Role   people.Role `json:"role"`
	Came   bool        `json:"came" doc:"has used an invite at least once"`
	Skills []Skill     `json:"skills"`
}

// CharterView is the newest version of the rules.
type CharterView struct {
	Version int            `json:"version"`
	Text    string         `json:"text"`
	At      time.Time      `json:"at"`
	Signed  int            `json:"signed" doc:"homes that signed"`
	Mine    *SignatureView `json:"mine" doc:"the signature of the asker's home"`
	Missing []place.HomeID `json:"missing" doc:"homes that did not sign yet; leaders only"`
}

// SignatureView is one home's signature.
type SignatureView struct {
	By string    `json:"by" doc:"empty when he left since"`
	At time.Time `json:"at"`
}

// TermView is a term that holds or will.
type TermView struct {
	ID     string      `json:"id"`
	Person people.ID   `json:"person"`
	Name   string      `json:"name"`
	Role   people.Role `json:"role" enum:"leader,deputy"`
	From   string      `json:"from"`
	Until  string      `json:"until" doc:"first day on which it no longer holds, empty while open"`
	Holds  bool        `json:"holds" doc:"today"`
}

// NeighbourView is another group.
type NeighbourView struct {
	Group         place.GroupID `json:"group"`
	Name          string        `json:"name"`
	Neighbourhood string        `json:"neighbourhood"`
	State         string        `json:"state" enum:",joined,asked,asks" doc:"asked: by us; asks: us"`
}

// GearView is a piece of gear.
type GearView struct {
	ID      string       `json:"id"`
	Home    place.HomeID `json:"home"`
	Kind    Kind         `json:"kind" enum:"extinguisher,breaking_tool,ladder,key,first_aid,torch,mask,other"`
	Label   string       `json:"label"`
	Expires string       `json:"expires"`
	Days    *int         `json:"days" doc:"until it expires; negative when it has"`
	State   string       `json:"state" enum:"good,soon,expired"`
}

// Look is group id for a, who lives in it or leads it.
func (v *Service) Look(ctx context.Context, a people.Actor, id place.GroupID) (InsideView, error) {
	const op = "group.Look"
	g, err := v.over(op, a, id, "group.see_inside", "")
	if err != nil {
		return InsideView{}, err
	}
	leads := v.Rights.May(a, "group.change", area(g))
	w := InsideView{ID: g.ID, Name: g.Name, Neighbourhood: g.Neighbourhood, Leads: leads, Mine: []Skill{}}
	w.Least, w.Most = v.limits(g.Commune)
	w.SizeKey = size(len(g.Homes), w.Least, w.Most)
	skills, err := readSkills(ctx, v.DB.Read())
	if err != nil {
		return w, fault.Wrap(op, err)
	}
	w.Mine = append(w.Mine, skills[a.Person]...)
	for _, part := range []func() error{
		func() error { return v.seeCharter(ctx, a, g, &w) },
		func() error { return v.seeHomes(ctx, g, skills, &w) },
		func() error { return v.seeTerms(ctx, g, &w) },
		func() error { return v.seeNeighbours(ctx, g, &w) },
		func() error { return v.seeGear(ctx, g, &w) },
	} {
		if err := part(); err != nil {
			return w, fault.Wrap(op, err)
		}
	}
	w.Assembly, err = readAssembly(ctx, v.DB.Read(), g.ID)
	return w, fault.Wrap(op, err)
}

// seeCharter shows the newest rules. Who has not signed is the leader's business
// only, and of others everybody knows his own home.
func (v *Service) seeCharter(ctx context.Context, a people.Actor, g place.Group, w *InsideView) error {
	for _, h := range g.Homes {
		w.Homes = append(w.Homes, HouseholdView{ID: h.ID, Name: h.Name, Address: h.Address, Placed: h.Placed, Adults: []AdultView{}})
	}
	c, ok, err := newest(ctx, v.DB.Read(), g.ID)
	if err != nil || !ok {
		return err
	}
	signed, err := readSigned(ctx, v.DB.Read(), g.ID, c.Version)
	if err != nil {
		return err
	}
	view := &CharterView{Version: c.Version, Text: c.Text, At: c.At, Missing: []place.HomeID{}}
	yes, missing := signers(g.Homes, signed)
	view.Signed = yes
	if w.Leads {
		view.Missing = missing
	}
	for _, s := range signed {
		if s.Home == a.Home && a.Home != "" {
			p, _ := v.Folk.Person(s.Person)
			view.Mine = &SignatureView{p.Name, s.At}
		}
		for i := range w.Homes {
			if h := &w.Homes[i]; h.ID == s.Home && (w.Leads || h.ID == a.Home) {
				h.Signed = true
			}
		}
	}
	w.Charter = view
	return nil
}

func (v *Service) seeHomes(ctx context.Context, g place.Group, skills map[people.ID][]Skill, w *InsideView) error {
	came, err := people.Arrived(ctx, v.DB.Read(), g.ID)
	if err != nil {
		return err
	}
	for _, p := range v.Folk.Group(g.ID) {
		i := slices.IndexFunc(w.Homes, func(h HouseholdView) bool { return h.ID == p.Home })
		if i < 0 {
			continue
		}
		w.Homes[i].Adults = append(w.Homes[i].Adults, AdultView{p.ID, p.Name, p.Role, came[p.ID], append([]Skill{}, skills[p.ID]...)})
	}
	return nil
}

func (v *Service) seeTerms(ctx context.Context, g place.Group, w *InsideView) error {
	w.Terms = []TermView{}
	terms, err := readTerms(ctx, v.DB.Read(), g.ID)
	if err != nil {
		return err
	}
	today := dayOf(v.Now())
	for _, t := range terms {
		if t.Ended || t.Until != "" && t.Until <= today {
			continue
		}
		p, ok := v.Folk.Person(t.Person)
		if ok {
			w.Terms = append(w.Terms, TermView{t.ID, t.Person, p.Name, t.Role, t.From, t.Until, t.holds(today)})
		}
	}
	return nil
}

func (v *Service) seeNeighbours(ctx context.Context, g place.Group, w *InsideView) error {
	w.Neighbours, w.Nearby = []NeighbourView{}, []NeighbourView{}
	mine, theirs, err := askings(ctx, v.DB.Read(), g.ID)
	if err != nil {
		return err
	}
	for _, o := range v.Village.Directory().Groups() {
		if o.ID == g.ID {
			continue
		}
		n := NeighbourView{Group: o.ID, Name: o.Name, Neighbourhood: o.Neighbourhood}
		switch {
		case slices.Contains(g.Adjoining, o.ID):
			n.State = "joined"
		case w.Leads && slices.Contains(theirs, o.ID):
			n.State = "asks"
		case w.Leads && slices.Contains(mine, o.ID):
			n.State = "asked"
		}
		if n.State != "" {
			w.Neighbours = append(w.Neighbours, n)
		} else if w.Leads && o.Commune == g.Commune {
			w.Nearby = append(w.Nearby, n)
		}
	}
	return nil
}

func (v *Service) seeGear(ctx context.Context, g place.Group, w *InsideView) error {
	w.Gear = []GearView{}
	gear, err := readGear(ctx, v.DB.Read(), g.ID)
	if err != nil {
		return err
	}
	today, first := dayOf(v.Now()), 0
	for _, s := range v.reminders(g.Commune) {
		first = max(first, s)
	}
	for _, x := range gear {
		y := GearView{ID: x.ID, Home: x.Home, Kind: x.Kind, Label: x.Label, Expires: x.Expires, State: x.state(today, first)}
		if n, ok := x.left(today); ok {
			y.Days = &n
		}
		w.Gear = append(w.Gear, y)
	}
	return nil
}
