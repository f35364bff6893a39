package alarm

import (
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Groups lists the groups that an actor may know of.
type Groups interface {
	In(s place.Scope) []place.Group
}

// asker is who asks in ctx, or the fault that says: sign in first.
func asker(ctx context.Context, op string) (Act, error) {
	a, err := people.Known(ctx, op)
	return Act{By: a, Key: web.OutboxKey(ctx)}, err
}

type idInput struct {
	ID string `path:"id" maxLength:"40"`
}

type viewOutput struct {
	Status int
	Body   IncidentView
}

type listInput struct {
	State string `query:"state" enum:"open,closed,all" default:"open" doc:"which incidents"`
	Mode  string `query:"mode" enum:"live,drill,test,all" default:"all"`
	Hours int    `query:"hours" minimum:"1" maximum:"8760" default:"24" doc:"how far back closed incidents are listed"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

type listOutput struct {
	Body []IncidentView
}

// Routes adds the slice's operations to k. groups is asked at each request.
func (v *Service) Routes(k *web.Kit, groups func() Groups) {
	web.Register(k, web.Op{ID: "list-incidents", Method: http.MethodGet, Path: "/api/v1/incidents", Tag: "alarm", Summary: "incidents the asker may see, newest first"},
		func(ctx context.Context, in *listInput) (*listOutput, error) {
			a, err := asker(ctx, "alarm.List")
			if err != nil {
				return nil, err
			}
			w := Which{State: in.State, Mode: Mode(in.Mode), Since: v.Now().Add(-time.Duration(in.Hours) * time.Hour), Limit: in.Limit}
			if in.Mode == "all" {
				w.Mode = ""
			}
			list, err := v.List(ctx, a.By, v.around(a.By, groups()), w)
			return &listOutput{list}, err
		})
	web.Register(k, web.Op{ID: "get-incident", Method: http.MethodGet, Path: "/api/v1/incidents/{id}", Tag: "alarm", Summary: "one incident"},
		func(ctx context.Context, in *idInput) (*viewOutput, error) {
			a, err := asker(ctx, "alarm.Get")
			if err != nil {
				return nil, err
			}
			_, i, err := v.seen(ctx, "alarm.Get", a, ID(in.ID))
			return v.answerWith(a, i, err)
		})
	v.raiseRoutes(k)
	v.actRoutes(k)
}

// around is the groups that a may know of: those of the places for which he holds
// something, and those adjoining his own that called for help.
func (v *Service) around(a people.Actor, all Groups) []place.Group {
	var groups []place.Group
	known := map[place.GroupID]bool{}
	add := func(g place.Group) {
		if !known[g.ID] {
			known[g.ID] = true
			groups = append(groups, g)
		}
	}
	at := a.Places()
	for _, s := range at {
		for _, g := range all.In(s) {
			if v.Rights.MaySee(a, g) {
				add(g)
			}
		}
	}
	for _, s := range at {
		if g, ok := v.Village().Group(s.Group); ok {
			for _, n := range v.Adjoining(a, g) {
				add(n)
			}
		}
	}
	return groups
}

func (v *Service) answerWith(a Act, i *Incident, err error) (*viewOutput, error) {
	if err != nil {
		return nil, err
	}
	g, _ := v.Village().Group(i.Group)
	return &viewOutput{http.StatusOK, v.ViewFor(a.By, g, i)}, nil
}

type raiseInput struct {
	Body struct {
		Group     string    `json:"group,omitempty" maxLength:"64" doc:"default: the asker's own"`
		Home      string    `json:"home,omitempty" maxLength:"64" doc:"default: the asker's own"`
		Category  string    `json:"category,omitempty" maxLength:"20" doc:"default panic: the danger is not known yet"`
		Silent    bool      `json:"silent,omitempty" doc:"hold-up: only the duty desk knows"`
		PressedAt time.Time `json:"pressed_at,omitempty" doc:"by the phone's clock; for the record only"`
	}
}

type practiseInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body *struct {
		Category string `json:"category,omitempty" maxLength:"20"`
	}
}

func (v *Service) raiseRoutes(k *web.Kit) {
	web.Register(k, web.Op{ID: "raise-incident", Method: http.MethodPost, Path: "/api/v1/incidents", Tag: "alarm", Summary: "strike the gong", Status: http.StatusCreated},
		func(ctx context.Context, in *raiseInput) (*viewOutput, error) {
			a, err := asker(ctx, "alarm.Raise")
			if err != nil {
				return nil, err
			}
			b := in.Body
			g := place.GroupID(b.Group)
			if g == "" && b.Home != "" {
				g = v.groupOf(place.HomeID(b.Home), a.By.Group)
			}
			i, err := v.Raise(ctx, a, g, place.HomeID(b.Home), signal.Category(b.Category), b.Silent)
			out, err := v.answerWith(a, i, err)
			if err == nil {
				out.Status = http.StatusCreated
			}
			return out, err
		})
	practise := func(id, path, what string, m Mode) {
		web.Register(k, web.Op{ID: id, Method: http.MethodPost, Path: path, Tag: "alarm", Summary: what, Status: http.StatusCreated},
			func(ctx context.Context, in *practiseInput) (*viewOutput, error) {
				a, err := asker(ctx, "alarm.Practise")
				if err != nil {
					return nil, err
				}
				var c signal.Category
				if in.Body != nil {
					c = signal.Category(in.Body.Category)
				}
				if c == "" {
					c = signal.Fire
				}
				i, err := v.Practise(ctx, a, place.GroupID(in.ID), m, c)
				out, err := v.answerWith(a, i, err)
				if err == nil {
					out.Status = http.StatusCreated
				}
				return out, err
			})
	}
	practise("start-drill", "/api/v1/groups/{id}/drills", "begin a drill", Drill)
	practise("start-bell-test", "/api/v1/groups/{id}/tests", "begin a bell test", Test)
}

// groupOf is the group of home h, or own when there is no such home.
func (v *Service) groupOf(h place.HomeID, own place.GroupID) place.GroupID {
	if d, ok := v.Village().(interface {
		GroupOf(place.HomeID) (place.Group, bool)
	}); ok {
		if g, found := d.GroupOf(h); found {
			return g.ID
		}
	}
	return own
}

type emptyInput struct {
	ID   string    `path:"id" maxLength:"40"`
	Body *struct{} `required:"false"`
}

type categoryInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Category string `json:"category" maxLength:"20"`
	}
}

type answerInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Answer  string `json:"answer" maxLength:"20" doc:"coming, safe, need_help, away or cannot_help"`
		Home    string `json:"home,omitempty" maxLength:"64" doc:"on behalf of this home; default the asker's own"`
		Minutes int    `json:"eta_minutes,omitempty"`
		Reason  string `json:"reason,omitempty" doc:"needed to end another's need_help"`
	}
}

type silenceInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body *struct {
		Home    string `json:"home,omitempty" maxLength:"64" doc:"empty: the whole group"`
		Seconds int    `json:"seconds,omitempty" minimum:"0" maximum:"3600" doc:"default and at most the plan's 180 s"`
	}
}

type noteInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Text string `json:"text"`
	}
}

type closeInput struct {
	ID   string `path:"id" maxLength:"40"`
	Body struct {
		Cause string `json:"cause" maxLength:"20"`
		Note  string `json:"note,omitempty"`
	}
}

func (v *Service) actRoutes(k *web.Kit) {
	const at = "/api/v1/incidents/{id}/"
	act(k, v, "name-category", at+"category", "say which danger it is", func(ctx context.Context, a Act, in *categoryInput) (*Incident, error) {
		return v.Name(ctx, a, ID(in.ID), signal.Category(in.Body.Category))
	})
	act(k, v, "answer", at+"answers", "answer the roll-call", func(ctx context.Context, a Act, in *answerInput) (*Incident, error) {
		b := in.Body
		return v.Answer(ctx, a, ID(in.ID), place.HomeID(b.Home), Answer(b.Answer), b.Minutes, b.Reason)
	})
	act(k, v, "receive", at+"receipts", "my phone shows it", func(ctx context.Context, a Act, in *emptyInput) (*Incident, error) {
		return v.Receive(ctx, a, ID(in.ID))
	})
	act(k, v, "acknowledge", at+"acknowledge", "take it; silences nothing", func(ctx context.Context, a Act, in *emptyInput) (*Incident, error) {
		return v.Acknowledge(ctx, a, ID(in.ID))
	})
	act(k, v, "silence", at+"silence", "rest sirens for at most 180 s; answers and closes nothing", func(ctx context.Context, a Act, in *silenceInput) (*Incident, error) {
		if in.Body == nil {
			return v.Silence(ctx, a, ID(in.ID), "", 0)
		}
		return v.Silence(ctx, a, ID(in.ID), place.HomeID(in.Body.Home), time.Duration(in.Body.Seconds)*time.Second)
	})
	act(k, v, "attend", at+"attend", "somebody is on the spot", func(ctx context.Context, a Act, in *emptyInput) (*Incident, error) {
		return v.Attend(ctx, a, ID(in.ID))
	})
	act(k, v, "control", at+"control", "it is under control", func(ctx context.Context, a Act, in *emptyInput) (*Incident, error) {
		return v.Control(ctx, a, ID(in.ID))
	})
	act(k, v, "note", at+"notes", "write into the timeline", func(ctx context.Context, a Act, in *noteInput) (*Incident, error) {
		return v.Note(ctx, a, ID(in.ID), in.Body.Text)
	})
	act(k, v, "close", at+"close", "end it, with a cause; sirens stop and the group is at rest", func(ctx context.Context, a Act, in *closeInput) (*Incident, error) {
		return v.Close(ctx, a, ID(in.ID), Cause(in.Body.Cause), in.Body.Note)
	})
}

// act adds one operation that does something to an incident and answers with it.
func act[I any](k *web.Kit, v *Service, id, path, what string, f func(context.Context, Act, *I) (*Incident, error)) {
	web.Register(k, web.Op{ID: id + "-incident", Method: http.MethodPost, Path: path, Tag: "alarm", Summary: what},
		func(ctx context.Context, in *I) (*viewOutput, error) {
			a, err := asker(ctx, "alarm."+id)
			if err != nil {
				return nil, err
			}
			i, err := f(ctx, a, in)
			return v.answerWith(a, i, err)
		})
}
