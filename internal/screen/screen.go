package screen

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Alarms is the alarm slice, as far as screens need it.
type Alarms interface {
	// Around lists the groups that a may know of, adjoining ones that called included.
	Around(a people.Actor) []place.Group
	// Recent lists the incidents of these groups that a may see: open, and closed
	// within a day. The value becomes JSON.
	Recent(ctx context.Context, a people.Actor, groups []place.Group) (any, error)
	// Open lists the open incidents that a may see, by id.
	Open(a people.Actor) []string
	// Show is one incident for a, or false when a may not know of it.
	Show(a people.Actor, id string) (view any, ok bool)
}

// Readiness is how a home stands: green, amber or red, with one sentence.
type Readiness struct {
	State  string         // green, amber, red
	Key    string         // of the sentence
	Args   map[string]any // its values
	Siren  bool           // has a siren
	Button bool           // has a button
}

// Devices is the device slice, as far as screens need it.
type Devices interface {
	// Ready says how each home of group g stands.
	Ready(g place.GroupID) map[place.HomeID]Readiness
	// Strange counts what was found but has no home, and what was not understood,
	// by hubs of the group.
	Strange(g place.GroupID) (found, unknown int)
}

// Folk knows people. *people.Book is one.
type Folk interface {
	LeaderOf(g place.GroupID) (people.Person, bool)
	PhoneOf(h place.HomeID) string
}

// Rights says who may see more than the alarm itself.
type Rights interface {
	MaySee(a people.Actor, g place.Group) bool
	MaySeeNames(a people.Actor, g place.Group) bool
	MaySeePhones(a people.Actor, g place.Group) bool
	MaySeeDevices(a people.Actor, g place.Group) bool
	MaySeeHealth(a people.Actor) bool
	MayConsole(a people.Actor) bool
	MayPhone(a people.Actor) bool
}

// Number is an emergency number; they are rows of configuration ([place.Rules]).
type Number struct {
	Number string `json:"number"`
	Name   string `json:"name_key" doc:"fire_rescue, police, ambulance, disaster"`
}

// Bounds knows the boundaries of the units.
type Bounds interface {
	Have(ctx context.Context) (bool, error)
	GeoJSON(ctx context.Context) ([]byte, error)
}

// Looks is told before somebody reads the names of groups' homes.
type Looks interface {
	Looked(ctx context.Context, a people.Actor, groups []place.Group)
}

// Options is what an operator may set.
type Options struct {
	Rules    place.Rules // emergency numbers and the like
	StyleURL string      // of the map's base style; "" for none
	Demo     bool
	Version  string
}

// Service shows screens. Fill the exported fields, then call Routes.
type Service struct {
	Options
	Alarms    Alarms
	Devices   Devices
	Folk      Folk
	Rights    Rights
	Directory func() *place.Directory
	Health    func(a people.Actor) any // how Keng is, as far as it concerns a; becomes JSON
	Bounds    Bounds                   // may be nil
	Looks     Looks                    // who saw what; may be nil
	Now       func() time.Time
	// Still reports whether the one who opened r is still who he was then; nil: yes.
	Still func(r *http.Request, was people.Actor) bool
	// Felt is closed when somebody's session or role changed; nil: never.
	Felt func() <-chan struct{}

	hub hub
}

// StateView is everything a screen needs at once.
type StateView struct {
	Now       time.Time   `json:"now"`
	Seq       string      `json:"seq" doc:"give it to the stream as last_event_id: nothing between is missed"`
	Me        MeView      `json:"me"`
	Demo      bool        `json:"demo"`
	Lang      string      `json:"lang"`
	Version   string      `json:"version"`
	Numbers   []Number    `json:"numbers"`
	Groups    []GroupView `json:"groups"`
	Incidents any         `json:"incidents" doc:"as GET /api/v1/incidents answers: open, and closed within a day"`
	Health    any         `json:"health" doc:"duty desk, leader and auditor only"`
	Map       MapView     `json:"map"`
}

// MeView is who looks.
type MeView struct {
	Person   people.ID      `json:"person"`
	Name     string         `json:"name"`
	Role     people.Role    `json:"role"`
	Home     place.HomeID   `json:"home"`
	Group    place.GroupID  `json:"group"`
	Unit     place.UnitCode `json:"unit"`
	UnitName string         `json:"unit_name"`
}

// MapView is what the map can show.
type MapView struct {
	StyleURL      string `json:"style_url"`
	HasBoundaries bool   `json:"has_boundaries"`
}

// GroupView is one neighbour group.
type GroupView struct {
	ID            place.GroupID  `json:"id"`
	Name          string         `json:"name"`
	Neighbourhood string         `json:"neighbourhood"`
	Commune       place.UnitCode `json:"commune"`
	CommuneName   string         `json:"commune_name"`
	ProvinceName  string         `json:"province_name"`
	Leader        ContactView    `json:"leader"`
	Homes         []HomeView     `json:"homes"`
	Readiness     CountView      `json:"readiness"`
	Found         int            `json:"found" doc:"devices found, not yet assigned; leader and desk only"`
	Unknown       int            `json:"unknown" doc:"messages not understood; leader and desk only"`
}

// ContactView is somebody to call.
type ContactView struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// CountView counts homes by readiness.
type CountView struct {
	Green int `json:"green"`
	Amber int `json:"amber"`
	Red   int `json:"red"`
}

// HomeView is one home.
type HomeView struct {
	ID      place.HomeID `json:"id"`
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Lat     float64      `json:"lat"`
	Lon     float64      `json:"lon"`
	Placed  bool         `json:"placed"`
	Phone   string       `json:"phone"`
	State   string       `json:"state" enum:"green,amber,red"`
	Reason  ReasonView   `json:"reason"`
	Siren   bool         `json:"siren"`
	Button  bool         `json:"button"`
	Screens int          `json:"screens" doc:"phones of this home that are connected now"`
}

// ReasonView is one sentence: its key and values.
type ReasonView struct {
	Key  string         `json:"key"`
	Args map[string]any `json:"args"`
}

// State is everything a's screen needs.
func (v *Service) State(ctx context.Context, a people.Actor, lang string) (StateView, error) {
	seq := v.hub.now() // before anything is read
	groups := v.Alarms.Around(a)
	v.looked(ctx, a, groups)
	incidents, err := v.Alarms.Recent(ctx, a, groups)
	if err != nil {
		return StateView{}, err
	}
	s := StateView{
		Now: v.Now(), Seq: seq, Me: me(a), Demo: v.Demo, Lang: lang, Version: v.Version, Numbers: v.numbers(a, groups), Groups: []GroupView{},
		Incidents: incidents, Map: MapView{StyleURL: v.StyleURL},
	}
	for _, g := range groups {
		s.Groups = append(s.Groups, v.Group(a, g))
	}
	if v.Rights.MaySeeHealth(a) {
		s.Health = v.Health(a)
	}
	if v.Bounds != nil {
		have, err := v.Bounds.Have(ctx)
		s.Map.HasBoundaries = err == nil && have
	}
	return s, nil
}

func (v *Service) looked(ctx context.Context, a people.Actor, groups []place.Group) {
	if v.Looks != nil {
		v.Looks.Looked(ctx, a, groups)
	}
}

// numbers are the emergency numbers that hold where a is, fire first.
func (v *Service) numbers(a people.Actor, groups []place.Group) []Number {
	unit := a.Scope.Unit
	if unit == "" && len(groups) > 0 {
		unit = groups[0].Commune
	}
	list := []Number{}
	for _, key := range v.Rules.Keys("number.") {
		if r, ok := v.Rules.At(key, unit, v.Now()); ok {
			list = append(list, Number{r.Value, strings.TrimPrefix(key, "number.")})
		}
	}
	return list
}

func me(a people.Actor) MeView {
	m := MeView{Person: a.Person, Name: a.Name, Role: a.Role, Home: a.Home, Group: a.Group, Unit: a.Scope.Unit}
	if m.Name == "" {
		m.Name = a.Token
	}
	if u, ok := place.UnitOf(a.Scope.Unit); ok {
		m.UnitName = u.FullName
	}
	return m
}

// Group is group g for a, who may know of it.
func (v *Service) Group(a people.Actor, g place.Group) GroupView {
	u, _ := place.UnitOf(g.Commune)
	over, _ := place.UnitOf(u.Parent)
	names := v.Rights.MaySeeNames(a, g)
	view := GroupView{ID: g.ID, Name: g.Name, Neighbourhood: g.Neighbourhood, Commune: g.Commune, CommuneName: u.FullName, ProvinceName: over.FullName, Homes: []HomeView{}}
	phones := v.Rights.MaySeePhones(a, g)
	if p, ok := v.Folk.LeaderOf(g.ID); ok && names {
		view.Leader.Name = p.Name
		if phones {
			view.Leader.Phone = p.Phone
		}
	}
	if v.Rights.MaySeeDevices(a, g) {
		view.Found, view.Unknown = v.Devices.Strange(g.ID)
	}
	ready := v.Devices.Ready(g.ID)
	for _, h := range g.Homes {
		home := v.home(h, ready[h.ID], names)
		if phones {
			home.Phone = v.Folk.PhoneOf(h.ID)
		}
		switch home.State {
		case "green":
			view.Readiness.Green++
		case "red":
			view.Readiness.Red++
		default:
			view.Readiness.Amber++
		}
		view.Homes = append(view.Homes, home)
	}
	return view
}

// home is one home. Without names it is a bare id with its state: the machine's
// view.
func (v *Service) home(h place.Home, r Readiness, names bool) HomeView {
	home := HomeView{ID: h.ID, State: r.State, Reason: ReasonView{r.Key, r.Args}, Siren: r.Siren, Button: r.Button, Screens: v.hub.screens(h.ID)}
	if home.Reason.Args == nil {
		home.Reason.Args = map[string]any{}
	}
	if names {
		home.Name, home.Address, home.Lat, home.Lon, home.Placed = h.Name, h.Address, h.Lat, h.Lon, h.Placed
	}
	return home
}
