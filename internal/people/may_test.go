package people_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// matrix is who may do what in group g1 of commune 04792, homes h1 and h2,
// written by hand: x may, . may not. It is the word of the field (who stands
// where, who is on the spot), not of the code.
const matrix = `
                      see names phone silen raise raisX answ1 answ2 forh2 forhX ack   name  resp  note  silh1 silh2 silG  mista nuisa real  drill false other dril  bypas devic invit
nobody                .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
member h1             x   x     x     .     x     .     x     .     x     .     x     .     x     x     x     .     .     x     x     .     .     .     .     .     .     .     .
member h2             x   x     x     .     x     .     .     x     x     .     x     .     x     x     .     x     .     x     x     .     .     .     .     .     .     .     .
member of g2          .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
member without home   .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
leader h1             x   x     x     .     x     .     x     .     x     .     x     x     x     x     x     x     x     x     x     x     x     .     .     x     x     x     x
deputy h2             x   x     x     .     x     .     .     x     x     .     x     x     x     x     x     x     x     x     x     x     x     .     .     x     x     x     x
leader of g2          .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
leader token g1       x   x     x     .     x     .     .     .     x     .     x     x     x     x     x     x     x     x     x     x     x     .     .     x     x     x     x
leader token 04792    x   x     x     .     x     .     .     .     x     .     x     x     x     x     x     x     x     x     x     x     x     .     .     x     x     x     x
leader token 04795    .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
leader token nowhere  .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
desk 04792            x   x     x     x     x     .     .     .     x     .     x     x     x     x     x     x     x     x     x     x     x     x     .     .     .     x     .
desk token 04792      x   x     x     x     x     .     .     .     x     .     x     x     x     x     x     x     x     x     x     x     x     x     .     .     .     x     .
desk 25               x   x     x     x     x     .     .     .     x     .     x     x     x     x     x     x     x     x     x     x     x     x     .     .     .     x     .
desk 04795            .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
auditor 04792         x   x     .     x     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     x     .
auditor 04795         .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
admin 25              x   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
admin 04795           .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
role of tomorrow      .   .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .     .
`

func resident(r people.Role, g place.GroupID, h place.HomeID) people.Actor {
	return people.Actor{Person: "p-1", Role: r, Home: h, Group: g, Scope: place.Scope{Group: g}}
}

func program(r people.Role, scope string) people.Actor {
	s := place.ParseScope(scope)
	return people.Actor{Token: "t", Role: r, Group: s.Group, Scope: s}
}

func seat(r people.Role, unit place.UnitCode) people.Actor {
	return people.Actor{Person: "p-2", Role: r, Scope: place.Scope{Unit: unit}}
}

var actors = map[string]people.Actor{
	"nobody":               {Role: people.Desk, Scope: place.Scope{Unit: "25"}}, // a role without anybody
	"member h1":            resident(people.Member, "g1", "h1"),
	"member h2":            resident(people.Member, "g1", "h2"),
	"member of g2":         resident(people.Member, "g2", "h3"),
	"member without home":  resident(people.Member, "g1", ""),
	"leader h1":            resident(people.Leader, "g1", "h1"),
	"deputy h2":            resident(people.Deputy, "g1", "h2"),
	"leader of g2":         resident(people.Leader, "g2", "h3"),
	"leader token g1":      program(people.Leader, "g1"),
	"leader token 04792":   program(people.Leader, "04792"),
	"leader token 04795":   program(people.Leader, "04795"),
	"leader token nowhere": program(people.Leader, ""),
	"desk 04792":           seat(people.Desk, "04792"),
	"desk token 04792":     program(people.Desk, "04792"),
	"desk 25":              seat(people.Desk, "25"),
	"desk 04795":           seat(people.Desk, "04795"),
	"auditor 04792":        seat(people.Auditor, "04792"),
	"auditor 04795":        seat(people.Auditor, "04795"),
	"admin 25":             seat(people.Admin, "25"),
	"admin 04795":          seat(people.Admin, "04795"),
	"role of tomorrow":     seat("tomorrow", "25"),
}

func TestEveryRoleMayWhatTheTableSays(t *testing.T) {
	var may people.Rights
	g := place.Group{ID: "g1", Commune: "04792", Homes: []place.Home{{ID: "h1"}, {ID: "h2"}}}
	closing := func(cause string) func(people.Actor) bool {
		return func(a people.Actor) bool { return may.MayClose(a, g, cause) }
	}
	at := func(f func(people.Actor, place.Group, place.HomeID) bool, h place.HomeID) func(people.Actor) bool {
		return func(a people.Actor) bool { return f(a, g, h) }
	}
	of := func(f func(people.Actor, place.Group) bool) func(people.Actor) bool {
		return func(a people.Actor) bool { return f(a, g) }
	}
	verbs := []func(people.Actor) bool{
		of(may.MaySee), of(may.MaySeeNames), of(may.MaySeePhones), of(may.MaySeeSilent),
		at(may.MayRaise, "h2"), at(may.MayRaise, "h3"), at(may.MayAnswer, "h1"), at(may.MayAnswer, "h2"), at(may.MayAnswerFor, "h2"), at(may.MayAnswerFor, "h3"),
		of(may.MayAcknowledge), of(may.MayName), of(may.MayRespond), of(may.MayNote),
		at(may.MaySilenceHome, "h1"), at(may.MaySilenceHome, "h2"), of(may.MaySilenceGroup),
		closing("mistaken_alarm"), closing("nuisance"), closing("real"), closing("drill"), closing("false_report"), closing("because"),
		of(may.MayDrill), of(may.MayBypass), of(may.MaySeeDevices), of(may.MayInvite),
	}
	lines := strings.Split(strings.Trim(matrix, "\n"), "\n")
	if len(lines)-1 != len(actors) || len(strings.Fields(lines[0])) != len(verbs) {
		t.Fatalf("%d rows for %d actors, %d columns for %d verbs", len(lines)-1, len(actors), len(strings.Fields(lines[0])), len(verbs))
	}
	for _, line := range lines[1:] {
		name := strings.TrimSpace(line[:22])
		a, ok := actors[name]
		if !ok {
			t.Fatalf("no actor %q", name)
		}
		var got []string
		for _, v := range verbs {
			got = append(got, map[bool]string{true: "x", false: "."}[v(a)])
		}
		if diff := cmp.Diff(strings.Fields(line[22:]), got); diff != "" {
			t.Errorf("%s, columns %v:\n%s", name, strings.Fields(lines[0]), diff)
		}
	}
}

// TestNothingIsHeldOverNothing: a group that does not exist is no group.
func TestNothingIsHeldOverNothing(t *testing.T) {
	var may people.Rights
	for name, a := range actors {
		for _, g := range []place.Group{{}, {Commune: "04792"}, {Commune: "25"}} {
			if may.MaySee(a, g) || may.MayDrill(a, g) || may.MayRaise(a, g, "") || may.MayAnswer(a, g, "") {
				t.Errorf("%s holds something over %+v", name, g)
			}
		}
	}
}

func TestWhoSeesHealthAndHandsOver(t *testing.T) {
	var may people.Rights
	for name, a := range actors {
		got := fmt.Sprint(may.MaySeeHealth(a), may.MayHandover(a), may.MayReadHandovers(a))
		want := "false false false"
		switch {
		case strings.HasPrefix(name, "leader"), strings.HasPrefix(name, "deputy"), strings.HasPrefix(name, "admin"):
			want = "true false false"
		case strings.HasPrefix(name, "desk"):
			want = "true true true"
		case strings.HasPrefix(name, "auditor"):
			want = "true false true"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
