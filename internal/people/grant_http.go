package people

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/place"
)

// GrantView is a grant as somebody who may see it is told.
type GrantView struct {
	ID            string         `json:"id"`
	Person        ID             `json:"person"`
	Name          string         `json:"name"`
	Role          Role           `json:"role"`
	Unit          place.UnitCode `json:"unit"`
	Neighbourhood string         `json:"neighbourhood"`
	Group         place.GroupID  `json:"group"`
	Place         string         `json:"place" doc:"what the place is called"`
	From          time.Time      `json:"from"`
	Until         *time.Time     `json:"until" doc:"none: until it is ended"`
	State         State          `json:"state" enum:"proposed,held,refused,ended"`
	ProposedBy    string         `json:"proposed_by" doc:"a name; village, command or group"`
	ProposedAt    time.Time      `json:"proposed_at"`
	DecidedBy     string         `json:"decided_by"`
	EndedBy       string         `json:"ended_by"`
	May           []string       `json:"may" doc:"what the asker may do with it now: confirm, refuse, end"`
}

// FoundView is a person whom a search found.
type FoundView struct {
	Person ID     `json:"person"`
	Name   string `json:"name"`
	Place  string `json:"place" doc:"home and group, or unit"`
}

type grantsInput struct {
	Ever bool `query:"ever" doc:"also those that were refused or are over"`
}

type grantsOutput struct{ Body []GrantView }

type grantOutput struct{ Body GrantView }

type proposeInput struct {
	Body struct {
		Person        string    `json:"person" maxLength:"40"`
		Role          string    `json:"role" maxLength:"20"`
		Unit          string    `json:"unit,omitempty" maxLength:"5"`
		Neighbourhood string    `json:"neighbourhood,omitempty" maxLength:"100"`
		From          time.Time `json:"from,omitempty" doc:"default: now"`
		Until         time.Time `json:"until,omitempty" doc:"default: until it is ended"`
	}
}

type grantInput struct {
	ID   string    `path:"id" maxLength:"60"`
	Body *struct{} `required:"false"`
}

type findInput struct {
	Body struct {
		Name string `json:"name" maxLength:"100" doc:"a part of the name, at least two letters"`
	}
}

type findOutput struct{ Body []FoundView }

// most is how many people a search shows: it finds somebody, it lists nobody.
const most = 20

// Routes adds giving and taking roles to k. book knows what people are called.
func (v *Grants) Routes(k *web.Kit, book *Book) {
	web.Register(k, web.Op{ID: "list-grants", Method: http.MethodGet, Path: "/api/v1/grants", Tag: "people", Summary: "roles that wait for a second person or are held, as far as the asker may know"},
		func(ctx context.Context, in *grantsInput) (*grantsOutput, error) {
			a, err := Known(ctx, "people.Grants")
			if err != nil {
				return nil, err
			}
			list, err := v.List(ctx, a, in.Ever)
			out := &grantsOutput{Body: []GrantView{}}
			for _, g := range list {
				out.Body = append(out.Body, v.view(a, g, book))
			}
			return out, err
		})
	web.Register(k, web.Op{ID: "propose-grant", Method: http.MethodPost, Path: "/api/v1/grants", Tag: "people", Summary: "propose that somebody shall hold a role", Status: http.StatusCreated},
		func(ctx context.Context, in *proposeInput) (*grantOutput, error) {
			a, err := Known(ctx, "people.Propose")
			if err != nil {
				return nil, err
			}
			b := in.Body
			at := place.Scope{Unit: place.UnitCode(b.Unit), Neighbourhood: b.Neighbourhood}
			g, err := v.Propose(ctx, a, ID(b.Person), Role(b.Role), at, b.From, b.Until)
			return v.show(a, g, book, err)
		})
	move := func(id, what string, f func(context.Context, Actor, string) (Grant, error)) {
		web.Register(k, web.Op{ID: id + "-grant", Method: http.MethodPost, Path: "/api/v1/grants/{id}/" + id, Tag: "people", Summary: what},
			func(ctx context.Context, in *grantInput) (*grantOutput, error) {
				a, err := Known(ctx, "people."+id)
				if err != nil {
					return nil, err
				}
				g, err := f(ctx, a, in.ID)
				return v.show(a, g, book, err)
			})
	}
	move("confirm", "the second person's yes", v.Confirm)
	move("refuse", "no, or take a proposal back", v.Refuse)
	move("end", "take a role back at once", v.End)
	web.Register(k, web.Op{ID: "find-people", Method: http.MethodPost, Path: "/api/v1/people/find", Tag: "people", Summary: "find somebody by name, at most twenty; who looked is on record"},
		func(ctx context.Context, in *findInput) (*findOutput, error) {
			a, err := Known(ctx, "people.Find")
			if err != nil {
				return nil, err
			}
			found, err := v.Find(ctx, a, in.Body.Name, book)
			return &findOutput{found}, err
		})
}

func (v *Grants) show(a Actor, g Grant, book *Book, err error) (*grantOutput, error) {
	if err != nil {
		return nil, err
	}
	return &grantOutput{v.view(a, g, book)}, nil
}

func (v *Grants) view(a Actor, g Grant, book *Book) GrantView {
	name := func(by string) string {
		if n := book.Name(ID(by)); n != "" {
			return n
		}
		switch by {
		case ByVillage, ByCommand, byGroup:
			return by
		case byUpgrade:
			return ByVillage
		}
		return ""
	}
	x := GrantView{
		ID: g.ID, Person: g.Person, Name: book.Name(g.Person), Role: g.Role, Unit: g.At.Unit, Neighbourhood: g.At.Neighbourhood, Group: g.At.Group,
		Place: v.called(g.At), From: g.From, State: g.State, ProposedBy: name(g.ProposedBy), ProposedAt: g.Proposed,
		DecidedBy: book.Name(g.DecidedBy), EndedBy: name(g.EndedBy), May: v.Open(a, g),
	}
	if !g.Until.IsZero() {
		x.Until = &g.Until
	}
	if x.May == nil {
		x.May = []string{}
	}
	return x
}

// called is what a place is called: "Khu 5, Phường Tân Hoà".
func (v *Grants) called(at place.Scope) string {
	if at.Group != "" {
		g, _ := v.Places().Group(at.Group)
		return g.Name
	}
	u, _ := place.UnitOf(at.Unit)
	if at.Neighbourhood != "" {
		return at.Neighbourhood + ", " + u.FullName
	}
	return u.FullName
}

// Find looks for people whose name contains a text, among those whose names a may
// read anyway, and writes into the log whose names he read.
func (v *Grants) Find(ctx context.Context, a Actor, name string, book *Book) ([]FoundView, error) {
	const op = "people.Find"
	want := place.Fold(name)
	if utf8.RuneCountInString(want) < 2 {
		return nil, fault.New(op, fault.Invalid, "people.name_needed")
	}
	found, ids := []FoundView{}, []string{}
	for _, p := range book.everybody() {
		if len(found) == most || !strings.Contains(place.Fold(p.Name), want) || !v.mayRead(a, p) {
			continue
		}
		f := FoundView{Person: p.ID, Name: p.Name}
		if h, ok := v.Places().Home(p.Home); ok {
			f.Place = h.Name + ", " + v.called(p.Scope)
		} else {
			f.Place = v.called(p.Scope)
		}
		found, ids = append(found, f), append(ids, string(p.ID))
	}
	if v.Record == nil || len(found) == 0 {
		return found, nil
	}
	by := string(a.Person)
	if by == "" {
		by = "token/" + a.Token
	}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := v.Record.Append(ctx, tx, audit.Act{Name: "people.find", By: by, Of: ids})
		return err
	})
	return found, err
}

// mayRead reports whether a may read the name of p: where he lives, or where he
// serves.
func (v *Grants) mayRead(a Actor, p Person) bool {
	if p.Home != "" {
		g, ok := v.Places().Group(p.Scope.Group)
		return ok && v.Rights.MaySeeNames(a, g)
	}
	return p.Scope.Unit != "" && v.Rights.May(a, "people.names", Thing{Kind: "Area", Unit: p.Scope.Unit})
}
