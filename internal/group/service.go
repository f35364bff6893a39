package group

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/seal"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Rights says who may. people.Rights is one.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
}

// Village knows the groups and takes what changed. *place.Watcher is one.
type Village interface {
	Directory() *place.Directory
	Refresh(ctx context.Context) error
}

// Folk knows people by name. *people.Book is one.
type Folk interface {
	Person(id people.ID) (people.Person, bool)
	Group(g place.GroupID) []people.Person
}

// Alarms is the alarm slice, as far as notes and leaving are concerned.
type Alarms interface {
	// Emergency is incident id, open or past; false when there is none.
	Emergency(ctx context.Context, id string) (Emergency, bool, error)
	// Loud reports whether a live alarm of g is open that its homes know of.
	Loud(g place.GroupID) bool
}

// Wires takes the devices of homes that leave out of the village. Inside tx.
type Wires interface {
	Unwire(ctx context.Context, tx *sql.Tx, homes []place.HomeID) error
}

// Recorder writes who saw or did what into the log, inside tx.
type Recorder interface {
	Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error)
}

// Teller reaches people outside the screens. It must not block.
type Teller interface {
	Remind(ctx context.Context, to []people.ID, key string, args map[string]any)
}

// Service is the group slice at work. Fill the exported fields; Alarms, Wires,
// Recorder and Teller may be nil in tests that do not need them.
type Service struct {
	DB      *store.DB
	Box     seal.Box
	Rules   place.Rules
	Rights  Rights
	Village Village
	Folk    Folk
	People  *people.Service
	Alarms  Alarms
	Wires   Wires
	Log     Recorder
	Tell    Teller
	Left    func(ctx context.Context, who ...people.ID) // who left is reached no more; may be nil
	Note    *slog.Logger                                // of what went wrong; never about a person
	Now     func() time.Time
}

// area is group g as a policy sees it, at is home h of it.
func area(g place.Group) people.Thing {
	return people.Thing{Kind: "Area", ID: string(g.ID), Group: g}
}

func at(g place.Group, h place.HomeID) people.Thing {
	if h == "" {
		return area(g)
	}
	return people.Thing{Kind: "Home", ID: string(h), Group: g, Home: h}
}

// over is group id for a who may do verb to it, or to home h of it.
func (v *Service) over(op string, a people.Actor, id place.GroupID, verb string, h place.HomeID) (place.Group, error) {
	if a.Nobody() {
		return place.Group{}, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	g, ok := v.Village.Directory().Group(id)
	if !ok || !v.Rights.May(a, "place.see", area(g)) {
		return g, fault.New(op, fault.NotFound, "group.unknown")
	}
	if h != "" && !has(g.Homes, h) {
		return g, fault.New(op, fault.NotFound, "group.home_unknown")
	}
	if !v.Rights.May(a, verb, at(g, h)) {
		return g, fault.New(op, fault.Denied, "fault.denied")
	}
	return g, nil
}

// at is the group of a, a resident, who may do verb to his own home.
func (v *Service) at(op string, a people.Actor, verb string) (place.Group, error) {
	if a.Nobody() {
		return place.Group{}, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	g, ok := v.Village.Directory().Group(a.Group)
	if !ok || a.Home == "" || !v.Rights.May(a, verb, at(g, a.Home)) {
		return g, fault.New(op, fault.Denied, "fault.denied")
	}
	return g, nil
}

// deed is an act for the log of who saw what: its leaf goes into the transaction
// last.
type deed struct {
	name string
	on   string
	of   []people.ID
	body any
}

// record makes a deed.
func record(name, on string, of []people.ID, body any) deed { return deed{name, on, of, body} }

// change does f to group id as it stands now, writes it, and lets everybody know.
// f may change what place keeps of the group; homes that f leaves out are removed.
func (v *Service) change(ctx context.Context, op string, a people.Actor, id place.GroupID, f func(tx *sql.Tx, g *place.Group) (deed, error)) error {
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		g, ok, err := place.Find(ctx, tx, id)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(op, fault.NotFound, "group.unknown")
		}
		d, err := f(tx, &g)
		if err != nil {
			return err
		}
		if _, err := place.Put(ctx, tx, []place.Group{g}, true); err != nil {
			return err
		}
		if err := place.Bump(ctx, tx); err != nil {
			return err
		}
		_, err = v.write(ctx, tx, a, g.Commune, d)
		return err
	})
	return v.told(ctx, op, err)
}

// told lets everybody take what was written. When that fails, the watcher takes it
// at its next look.
func (v *Service) told(ctx context.Context, op string, err error) error {
	if err != nil {
		return fault.Wrap(op, err)
	}
	if err := v.Village.Refresh(ctx); err != nil && v.Note != nil {
		v.Note.Warn("the village was not taken at once", slog.Any("err", err))
	}
	return nil
}

// write puts d into the log of who saw what, if there is one, and returns the
// number of its leaf. It comes last in a transaction.
func (v *Service) write(ctx context.Context, tx *sql.Tx, a people.Actor, unit place.UnitCode, d deed) (string, error) {
	if v.Log == nil || d.name == "" {
		return "", nil
	}
	of := make([]string, 0, len(d.of))
	for _, p := range d.of {
		of = append(of, string(p))
	}
	by := string(a.Person)
	if by == "" {
		by = "token/" + a.Token
	}
	e, err := v.Log.Append(ctx, tx, audit.Act{Name: d.name, Area: string(unit), By: by, On: d.on, Of: of, Body: d.body})
	if err != nil {
		return "", fmt.Errorf("write %s into the log: %w", d.name, err)
	}
	return strconv.FormatInt(e.N, 10), nil
}

func onGroup(id place.GroupID) string { return "group/" + string(id) }
func onHome(id place.HomeID) string   { return "home/" + string(id) }
func onPerson(id people.ID) string    { return "person/" + string(id) }

// newID makes an id that says nothing: "g-7k2m9qxt4b".
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()[:10]) }

// limits are the usual sizes of a group in a commune, 0 for none.
func (v *Service) limits(unit place.UnitCode) (least, most int) {
	least, _ = v.Rules.Number("group.least", unit, v.Now())
	most, _ = v.Rules.Number("group.most", unit, v.Now())
	return least, most
}

// reminders are how many days before its end gear is spoken of, in a commune.
func (v *Service) reminders(unit place.UnitCode) []int {
	if r, ok := v.Rules.At("gear.remind_days", unit, v.Now()); ok {
		return stages(r.Value)
	}
	return nil
}

// Found makes a group of a's own home. a is somebody whom the commune invited to
// found one; from now on he is its leader. The same key is the same group.
func (v *Service) Found(ctx context.Context, a people.Actor, key string, f Founding) (place.GroupID, error) {
	const op = "group.Found"
	if a.Nobody() {
		return "", fault.New(op, fault.Unknown, "fault.sign_in")
	}
	if id, ok, err := foundedWith(ctx, v.DB.Read(), a.Person, key); err != nil || ok {
		return id, fault.Wrap(op, err)
	}
	unit, invited, err := founder(ctx, v.DB.Read(), a.Person)
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	if !v.Rights.May(a, "group.found", people.Thing{Kind: "Founding", ID: string(a.Person), Unit: unit, Attrs: map[string]any{"invited": invited}}) {
		return "", fault.New(op, fault.Denied, "group.not_invited_to_found")
	}
	g := place.Group{ID: place.GroupID(newID("g-")), Commune: unit}
	if g.Name, err = text(op, f.Name, "group.name_needed", longName); err != nil {
		return "", err
	}
	if g.Neighbourhood, err = text(op, f.Neighbourhood, "", longName); err != nil {
		return "", err
	}
	if f.Home, err = f.Home.check(op); err != nil {
		return "", err
	}
	if f.Charter, err = text(op, f.Charter, "", longCharter); err != nil {
		return "", err
	}
	h := f.Home.at(g.ID)
	g.Homes = []place.Home{h}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if err := people.Settle(ctx, tx, a.Person, g.ID, h.ID, people.Leader, v.Now()); err != nil {
			return err
		}
		if _, err := place.Put(ctx, tx, []place.Group{g}, false); err != nil {
			return err
		}
		now := v.Now()
		if _, err := tx.ExecContext(ctx, `INSERT INTO group_founded (group_id, at_ms, by_person, key) VALUES ($1, $2, $3, $4)`, g.ID, now.UnixMilli(), a.Person, key); err != nil {
			return fmt.Errorf("found group: %w", err)
		}
		t := Term{ID: newID("t-"), Group: g.ID, Person: a.Person, Role: people.Leader, From: dayOf(now)}
		if err := putTerm(ctx, tx, t, a.Person, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM group_founder WHERE person = $1`, a.Person); err != nil {
			return err
		}
		if f.Charter != "" {
			if err := putCharter(ctx, tx, g.ID, Charter{1, f.Charter, now, a.Person}); err != nil {
				return err
			}
		}
		if err := place.Bump(ctx, tx); err != nil {
			return err
		}
		_, err := v.write(ctx, tx, a, g.Commune, record("group.found", onGroup(g.ID), []people.ID{a.Person}, nil))
		return err
	})
	v.People.Changed(a.Person)
	return g.ID, v.told(ctx, op, err)
}

// at is h as a home of group g, with a new id.
func (h NewHome) at(g place.GroupID) place.Home {
	return place.Home{ID: place.HomeID(newID(string(g) + "-h")), Group: g, Name: h.Name, Address: h.Address, Lat: h.Lat, Lon: h.Lon, Placed: h.Placed}
}

// InviteFounder lets a duty desk invite somebody of its unit to found a group.
func (v *Service) InviteFounder(ctx context.Context, a people.Actor, name string) (people.Invite, error) {
	const op = "group.InviteFounder"
	if a.Nobody() {
		return people.Invite{}, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	unit := a.Scope.Unit
	if !v.Rights.May(a, "group.invite_founder", people.Thing{Kind: "Area", ID: string(unit), Unit: unit}) {
		return people.Invite{}, fault.New(op, fault.Denied, "fault.denied")
	}
	if u, ok := place.UnitOf(unit); !ok || u.Parent == "" {
		return people.Invite{}, fault.New(op, fault.Invalid, "group.not_a_commune")
	}
	var i people.Invite
	err := v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		if i, err = v.People.InviteStranger(ctx, tx, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO group_founder (person, unit, at_ms, by_person) VALUES ($1, $2, $3, $4)`, i.Person.ID, unit, v.Now().UnixMilli(), a.Person); err != nil {
			return err
		}
		_, err = v.write(ctx, tx, a, unit, record("group.invite_founder", onPerson(i.Person.ID), []people.ID{i.Person.ID}, nil))
		return err
	})
	return i, fault.Wrap(op, err)
}

// Founding is where a was invited to found a group; no unit when he was not.
func (v *Service) Founding(ctx context.Context, a people.Actor) (place.Unit, error) {
	const op = "group.Founding"
	if a.Nobody() {
		return place.Unit{}, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	code, _, err := founder(ctx, v.DB.Read(), a.Person)
	if err != nil {
		return place.Unit{}, fault.Wrap(op, err)
	}
	u, _ := place.UnitOf(code)
	return u, nil
}

// AddHome adds a home to a group. The number of homes is advice, not a limit.
func (v *Service) AddHome(ctx context.Context, a people.Actor, id place.GroupID, n NewHome) (place.HomeID, error) {
	const op = "group.AddHome"
	if _, err := v.over(op, a, id, "group.change", ""); err != nil {
		return "", err
	}
	n, err := n.check(op)
	if err != nil {
		return "", err
	}
	h := n.at(id)
	err = v.change(ctx, op, a, id, func(_ *sql.Tx, g *place.Group) (deed, error) {
		if len(g.Homes) >= mostHomes {
			return deed{}, &fault.Error{Op: op, Kind: fault.Invalid, Key: "group.full", Args: map[string]any{"most": mostHomes}}
		}
		for _, x := range g.Homes {
			if place.Fold(x.Name) == place.Fold(h.Name) && place.Fold(x.Address) == place.Fold(h.Address) {
				return deed{}, &fault.Error{Op: op, Kind: fault.Conflict, Key: "group.home_known", Args: map[string]any{"name": x.Name}}
			}
		}
		g.Homes = append(g.Homes, h)
		return deed{}, nil
	})
	return h.ID, err
}

// Move corrects what a home is called and where it stands: the leader for every
// home, everybody for his own.
func (v *Service) Move(ctx context.Context, a people.Actor, id place.GroupID, h place.HomeID, n NewHome) error {
	const op = "group.Move"
	if _, err := v.over(op, a, id, "group.home", h); err != nil {
		return err
	}
	n, err := n.check(op)
	if err != nil {
		return err
	}
	return v.change(ctx, op, a, id, func(_ *sql.Tx, g *place.Group) (deed, error) {
		for i, x := range g.Homes {
			if x.ID == h {
				g.Homes[i] = place.Home{ID: h, Group: id, Name: n.Name, Address: n.Address, Lat: n.Lat, Lon: n.Lon, Placed: n.Placed}
				return deed{}, nil
			}
		}
		return deed{}, fault.New(op, fault.NotFound, "group.home_unknown")
	})
}

// Rename changes what a group is called.
func (v *Service) Rename(ctx context.Context, a people.Actor, id place.GroupID, name, neighbourhood string) error {
	const op = "group.Rename"
	if _, err := v.over(op, a, id, "group.change", ""); err != nil {
		return err
	}
	name, err := text(op, name, "group.name_needed", longName)
	if err != nil {
		return err
	}
	if neighbourhood, err = text(op, neighbourhood, "", longName); err != nil {
		return err
	}
	return v.change(ctx, op, a, id, func(_ *sql.Tx, g *place.Group) (deed, error) {
		g.Name, g.Neighbourhood = name, neighbourhood
		return deed{}, nil
	})
}

// Invite makes an invite for an adult of home h: the leader for every home,
// everybody for his own. The adult comes by himself, or not.
func (v *Service) Invite(ctx context.Context, a people.Actor, id place.GroupID, h place.HomeID, name string) (people.Invite, error) {
	const op = "group.Invite"
	if _, err := v.over(op, a, id, "group.invite", h); err != nil {
		return people.Invite{}, err
	}
	var i people.Invite
	err := v.change(ctx, op, a, id, func(tx *sql.Tx, g *place.Group) (d deed, err error) {
		if !has(g.Homes, h) {
			return d, fault.New(op, fault.NotFound, "group.home_unknown")
		}
		if i, err = v.People.InviteAdult(ctx, tx, id, h, name); err != nil {
			return d, err
		}
		return record("group.invite", onHome(h), []people.ID{i.Person.ID}, nil), nil
	})
	return i, err
}
