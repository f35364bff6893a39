package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// PolicyReport is how fast "may they?" is answered, over a province in memory.
type PolicyReport struct {
	Entities, Questions int
	Rows                []PolicyRow
	Different           int // answers in which the text and the chain of ifs differ
}

// PolicyRow is one way to answer.
type PolicyRow struct {
	Name     string
	Each     float64 // decisions a second
	P50, P99 time.Duration
}

// look is one question: may this person do this to that group?
type look struct {
	who  people.Actor
	verb string
	g    place.Group
}

// MeasurePolicy asks the same questions of the policies, of the policies with what
// they answered before, and of a plain chain of ifs, in the same run.
func MeasurePolicy(ctx context.Context, rounds int) (PolicyReport, error) {
	groups, folk := province()
	asked := looks(groups, folk)
	rep := PolicyReport{Entities: folk + len(groups)*7 + 148*15 + 1, Questions: len(asked) * rounds}
	texts, kept := people.Forgetful(), people.Rights{}
	ways := []struct {
		name string
		may  func(look) bool
	}{
		{"policies, asked every time", func(q look) bool { return texts.May(q.who, q.verb, people.Thing{Kind: "Area", Group: q.g}) }},
		{"policies, as Keng asks them", func(q look) bool { return kept.May(q.who, q.verb, people.Thing{Kind: "Area", Group: q.g}) }},
		{"plain Go, a chain of ifs", ifs},
	}
	for _, q := range asked {
		if ways[0].may(q) != ifs(q) {
			rep.Different++
		}
	}
	for _, w := range ways {
		took := make([]time.Duration, 0, rep.Questions)
		began := time.Now()
		for range rounds {
			if err := ctx.Err(); err != nil {
				return rep, err
			}
			for _, q := range asked {
				at := time.Now()
				w.may(q)
				took = append(took, time.Since(at))
			}
		}
		all := time.Since(began)
		slices.Sort(took)
		rep.Rows = append(rep.Rows, PolicyRow{w.name, float64(len(took)) / all.Seconds(), took[len(took)/2], took[len(took)*99/100]})
	}
	return rep, nil
}

// Write prints the report as a table.
func (r PolicyReport) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d entities, %d questions each way, %d answers differ\n\n%-30s %14s %10s %10s\n", r.Entities, r.Questions, r.Different, "", "decisions/s", "p50", "p99")
	for _, x := range r.Rows {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-30s %14.0f %10s %10s\n", x.Name, x.Each, x.P50, x.P99)
		}
	}
	return err
}

// province is 148 communes of 14 neighbourhoods of 10 groups of 6 homes, and how
// many people live and serve there.
func province() (groups []place.Group, folk int) {
	for _, u := range place.Units() {
		if u.Parent == "" {
			continue
		}
		for n := range 14 {
			for k := range 10 {
				g := place.Group{ID: place.GroupID(fmt.Sprintf("%s-%d-%d", u.Code, n, k)), Commune: u.Code, Neighbourhood: fmt.Sprintf("Khu %d", n)}
				for h := range 6 {
					g.Homes = append(g.Homes, place.Home{ID: place.HomeID(fmt.Sprintf("%s-h%d", g.ID, h)), Group: g.ID})
					folk++
				}
				groups = append(groups, g)
			}
		}
		folk += 10
	}
	return groups, folk
}

var asks = []string{"place.see", "people.names", "people.phones", "alarm.acknowledge", "alarm.silence", "device.see"}

// looks are questions of all kinds of people about groups near and far, the same at
// every run.
func looks(groups []place.Group, _ int) []look {
	dice := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- no secret
	roles := []people.Role{people.Member, people.Leader, people.Desk, people.Chief, people.Head, people.Team, people.Auditor, people.Admin, people.Viewer}
	list := make([]look, 4096)
	for i := range list {
		of, on := groups[dice.IntN(len(groups))], groups[dice.IntN(len(groups))]
		if i%2 == 0 { // half of them ask about what is theirs
			on = of
		}
		a := people.Actor{Person: people.ID(fmt.Sprint("p", i))}
		post := people.Post{Role: roles[i%len(roles)], At: place.Scope{Unit: of.Commune}}
		switch post.Role {
		case people.Member, people.Leader:
			a.Home, a.Group, post.At = of.Homes[0].ID, of.ID, place.Scope{Group: of.ID}
		case people.Head:
			post.At.Neighbourhood = of.Neighbourhood
		}
		if post.Role != people.Member {
			a.Posts = people.PostsOf(post)
		}
		list[i] = look{a, asks[dice.IntN(len(asks))], on}
	}
	return list
}

// ifs is what one would write without policies.
func ifs(q look) bool {
	member := q.who.Home != "" && q.who.Group == q.g.ID
	leader, head, team, desk, chief, auditor, admin := false, false, false, false, false, false, false
	for p := range q.who.Posts.All() {
		if !p.At.Covers(q.g, place.ParentOf(q.g.Commune)) {
			continue
		}
		switch p.Role {
		case people.Leader, people.Deputy:
			leader = true
		case people.Head:
			head = true
		case people.Team:
			team = true
		case people.Desk:
			desk = true
		case people.Chief:
			chief = true
		case people.Auditor:
			auditor = true
		case people.Admin:
			admin = true
		}
	}
	switch q.verb {
	case "place.see":
		return member || leader || head || team || desk || chief || auditor || admin
	case "people.names":
		return member || leader || head || team || desk || chief || auditor
	case "people.phones":
		return member || leader || desk || chief
	case "alarm.acknowledge":
		return member || leader || head || team || desk || chief
	case "alarm.silence":
		return leader || desk || chief
	case "device.see":
		return leader || desk || chief || auditor
	}
	return false
}
