package app

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// officers are persons with a session who hold one role and live nowhere here. "of
// the ward" is theirs unless another place is said.
var officers = []string{"chief", "desk officer", "head", "head next door", "team", "mediator", "elder", "steering", "viewer", "auditor of the ward", "administrator", "chief elsewhere"}

// serve makes officers and returns their secrets.
func serve(t *testing.T, a *App) map[string]string {
	t.Helper()
	ward := place.Scope{Unit: "04792"}
	posts := map[string]people.Post{
		"chief": {Role: people.Chief, At: ward}, "desk officer": {Role: people.Desk, At: ward}, "team": {Role: people.Team, At: ward},
		"mediator": {Role: people.Mediator, At: ward}, "elder": {Role: people.Elder, At: ward}, "steering": {Role: people.Steering, At: ward},
		"viewer": {Role: people.Viewer, At: place.Scope{Unit: "25"}}, "auditor of the ward": {Role: people.Auditor, At: ward},
		"administrator": {Role: people.Admin, At: place.Scope{Unit: "25"}}, "chief elsewhere": {Role: people.Chief, At: place.Scope{Unit: "04795"}},
		"head": {Role: people.Head, At: place.Scope{Unit: "04792", Neighbourhood: "Tổ 5"}}, "head next door": {Role: people.Head, At: place.Scope{Unit: "04792", Neighbourhood: "Tổ 6"}},
	}
	secrets := map[string]string{}
	for _, name := range officers {
		p := posts[name]
		p.From, p.By = a.Now().Add(-time.Hour), people.ByCommand
		who, err := a.People.Officer(t.Context(), people.Steering, "04795", name)
		if err != nil {
			t.Fatal(err)
		}
		err = a.DB.Tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := people.EndPosts(t.Context(), tx, who.ID, place.Scope{Unit: "04795"}, people.ByCommand, a.Now(), people.Steering); err != nil {
				return err
			}
			_, err := people.Give(t.Context(), tx, who.ID, p, a.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		secrets[name] = signedInAs(t, a, who.ID)
	}
	if err := a.Book.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secrets
}

func signedInAs(t *testing.T, a *App, id people.ID) string {
	t.Helper()
	s, err := a.People.SignIn(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Secret
}

// mayDo says which officers a route answers with 2xx; every other one must not be.
// Written from the stance: who stands where. A route that is not named answers
// nobody of them but with what is everybody's.
var mayDo = map[string][]string{
	"GET /api/v1/incidents/{id}":              {"chief", "desk officer", "head", "team", "auditor of the ward", "administrator"},
	"POST /api/v1/incidents":                  {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/answers":     {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/receipts":    {"chief", "desk officer", "head", "team", "auditor of the ward", "administrator"},
	"POST /api/v1/incidents/{id}/acknowledge": {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/attend":      {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/control":     {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/notes":       {"chief", "desk officer", "head", "team"},
	"POST /api/v1/incidents/{id}/category":    {"chief", "desk officer"},
	"POST /api/v1/incidents/{id}/silence":     {"chief", "desk officer"},
	"POST /api/v1/incidents/{id}/close":       {"chief", "desk officer"},
	"POST /api/v1/groups/{id}/drills":         {},
	"POST /api/v1/groups/{id}/tests":          {},
	"GET /api/v1/groups/{id}/devices":         {"chief", "desk officer", "auditor of the ward"},
	"POST /api/v1/devices/{id}/bypass":        {},
	"GET /api/v1/groups/{id}/phones":          {"chief", "desk officer", "head", "team", "auditor of the ward"},
	"GET /api/v1/handovers":                   {"chief", "desk officer", "auditor of the ward", "chief elsewhere"},
	"POST /api/v1/handovers":                  {"desk officer"},
	"GET /api/v1/privacy/requests":            {"chief", "desk officer", "auditor of the ward", "chief elsewhere"}, // of their own unit
	"GET /api/v1/shifts":                      {"chief", "desk officer", "auditor of the ward", "chief elsewhere"},
	"POST /api/v1/shifts/take":                {"desk officer"},
	"POST /api/v1/shifts/hand-over":           {}, // an incident waits
	"GET /api/v1/me/colleagues":               {"chief", "desk officer", "steering", "viewer", "auditor of the ward", "administrator", "chief elsewhere"},
	"POST /api/v1/grants":                     {"chief", "desk officer"},
	"POST /api/v1/grants/{id}/confirm":        {"chief", "desk officer"}, // proposed by another chief
	"POST /api/v1/grants/{id}/refuse":         {"chief", "desk officer"},
	"POST /api/v1/grants/{id}/end":            {"chief"},
	"GET /{$}":                                {"head", "head next door", "team", "mediator", "elder"},
	"GET /console":                            {"chief", "desk officer", "steering", "viewer", "auditor of the ward", "administrator", "chief elsewhere"},
}

// TestEveryRoleAsksEveryRoute requests every route of the table as every officer:
// 0 answers to whom they are not owed, and none refused to whom they are.
func TestEveryRoleAsksEveryRoute(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	secret := serve(t, a)
	second := people.Actor{Person: "p-second", Role: people.Chief, Scope: place.Scope{Unit: "04792"}}
	asked, wrong := 0, 0
	for _, r := range a.Kit.Routes() {
		name := r.Method + " " + r.Pattern
		rule, known := rules[name]
		if r.Static || !known || strings.HasSuffix(name, "sign-out") {
			continue
		}
		may, said := mayDo[name]
		if !said && rule.answers["other resident"] == yes {
			may = officers // what everybody has: himself, his own list
		}
		for _, officer := range officers {
			id, body := "none", rule.body
			if !rule.calm {
				id = raise(t, a, who["leader"])
			}
			pattern := r.Pattern
			if strings.Contains(pattern, "/grants/{id}") {
				pattern = strings.Replace(pattern, "{id}", waiting(t, a, second, strings.HasSuffix(pattern, "end")), 1)
			}
			if name == "POST /api/v1/grants" {
				body = `{"person":"` + string(somebody(t, a)) + `","role":"team","unit":"04792"}`
			}
			status, text, location := ask(t, h, secret[officer], r.Method, pattern, id, body)
			got := answerOf(status, location)
			if asked++; (got == yes) != slices.Contains(may, officer) || !slices.Contains([]what{yes, denied, unknown, elsewher, signIn, conflict}, got) {
				wrong++
				t.Errorf("%s by %s: %d %s: %.200s", name, officer, status, got, text)
			}
			if slices.Contains([]string{"mediator", "elder", "steering", "viewer", "administrator", "chief elsewhere", "head next door"}, officer) {
				for _, s := range secrets {
					if strings.Contains(text, s) {
						t.Errorf("%s: %s reads %q", name, officer, s)
					}
				}
			}
			calm(t, a)
		}
	}
	t.Logf("%d requests, %d answered wrongly", asked, wrong)
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
}

// somebody is a resident of g2 who holds nothing yet.
func somebody(t *testing.T, a *App) people.ID {
	t.Helper()
	p := a.Book.Home("g2-h3")[0]
	list, err := a.Grants.List(t.Context(), people.Actor{Person: "p-second", Role: people.Chief, Scope: place.Scope{Unit: "04792"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		if g.Person != p.ID {
			continue
		}
		by := people.Actor{Person: "p-third", Role: people.Chief, Scope: place.Scope{Unit: "04792"}}
		if g.State == people.Proposed {
			_, err = a.Grants.Refuse(t.Context(), by, g.ID)
		} else {
			_, err = a.Grants.End(t.Context(), by, g.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return p.ID
}

// waiting is a grant that waits for a second person, or is held.
func waiting(t *testing.T, a *App, by people.Actor, held bool) string {
	t.Helper()
	g, err := a.Grants.Propose(t.Context(), by, somebody(t, a), people.Team, place.Scope{Unit: "04792"}, time.Time{}, time.Time{})
	if err == nil && held {
		_, err = a.Grants.Confirm(t.Context(), people.Actor{Person: "p-third", Role: people.Chief, Scope: place.Scope{Unit: "04792"}}, g.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

// TestRoleTakenBackIsFeltAtOnce: who loses the desk sees nothing more of it, at his
// very next request.
func TestRoleTakenBackIsFeltAtOnce(t *testing.T) {
	a, who := street(t)
	secret := serve(t, a)
	h := a.Kit.Handler()
	id := raise(t, a, who["leader"])
	defer calm(t, a)
	if status, _, _ := ask(t, h, secret["desk officer"], http.MethodGet, "/api/v1/incidents/{id}", id, ""); status != http.StatusOK {
		t.Fatalf("the desk does not see the incident: %d", status)
	}
	chief := people.Actor{Person: "p-second", Role: people.Chief, Scope: place.Scope{Unit: "04792"}}
	list, err := a.Grants.List(t.Context(), chief, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		if p, _ := a.Book.Person(g.Person); p.Name == "desk officer" {
			if _, err := a.Grants.End(t.Context(), chief, g.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if status, _, _ := ask(t, h, secret["desk officer"], http.MethodGet, "/api/v1/incidents/{id}", id, ""); status != http.StatusNotFound {
		t.Errorf("who lost the desk still sees the incident: %d", status)
	}
}
