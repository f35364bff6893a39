package people

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/engine/policy"
	"github.com/keng-vn/keng/internal/place"
)

// A small whole world: g1 and g2 adjoin each other; g3 is of g1's neighbourhood and
// adjoins nobody; g4 lies in another commune.
var (
	g1 = place.Group{ID: "g1", Commune: "04792", Neighbourhood: "Khu 5", Adjoining: []place.GroupID{"g2"}, Homes: []place.Home{{ID: "h1"}, {ID: "h2"}}}
	g2 = place.Group{ID: "g2", Commune: "04792", Neighbourhood: "Khu 6", Adjoining: []place.GroupID{"g1"}, Homes: []place.Home{{ID: "h3"}}}
	g3 = place.Group{ID: "g3", Commune: "04792", Neighbourhood: "Khu 5", Homes: []place.Home{{ID: "h4"}}}
	g4 = place.Group{ID: "g4", Commune: "04795", Neighbourhood: "Khu 5", Homes: []place.Home{{ID: "h5"}}}
)

var places = []place.Scope{
	{Group: "g1"}, {Group: "g2"}, {Group: "g4"}, {Unit: "04792", Neighbourhood: "Khu 5"}, {Unit: "04792", Neighbourhood: "Khu 6"},
	{Unit: "04792"}, {Unit: "04795"}, {Unit: "25"}, {},
}

// everybody is all roles at all places, as a person and as a program; residents;
// and residents who hold something beside.
func everybody() []Actor {
	all := []Actor{{}, {Role: Desk, Scope: place.Scope{Unit: "25"}}, {Person: "p1", Role: "tomorrow", Scope: place.Scope{Unit: "25"}}, {Person: "p1"}}
	for _, at := range places {
		for _, r := range roles[1:] {
			all = append(all, Actor{Person: "p1", Posts: PostsOf(Post{Role: r, At: at})})
			if at.Neighbourhood == "" && at.Group != "g4" {
				all = append(all, Actor{Token: "t", Role: r, Scope: at})
			}
		}
	}
	for h, g := range map[place.HomeID]place.GroupID{"h1": "g1", "h2": "g1", "h3": "g2", "h4": "g3", "h5": "g4", "h6": ""} {
		all = append(all, Actor{Person: "p1", Role: Member, Home: h, Group: g, Scope: place.Scope{Group: g}})
	}
	for _, r := range roles[1:] {
		for _, at := range []place.Scope{{Group: "g1"}, {Group: "g2"}, {Unit: "04792"}} {
			all = append(all, Actor{Person: "p1", Home: "h1", Group: "g1", Posts: PostsOf(Post{Role: r, At: at})})
		}
	}
	return all
}

// things are all kinds at all places, in all states.
func things() map[string][]Thing {
	all := map[string][]Thing{}
	add := func(on Thing) { all[on.Kind] = append(all[on.Kind], on) }
	in := []Thing{{Group: g1}, {Group: g2}, {Group: g3}, {Group: g4}, {Unit: "04792"}, {Unit: "04795"}, {Unit: "25"}}
	flags := func(kind string, at Thing, names ...string) {
		for bits := range 1 << len(names) {
			on := at
			on.Kind, on.Attrs = kind, map[string]any{}
			for i, n := range names {
				on.Attrs[n] = bits&(1<<i) != 0
			}
			add(on)
		}
	}
	add(Thing{Kind: "Machine"})
	add(Thing{Kind: "Area"})
	for _, at := range in {
		at.Kind = "Area"
		add(at)
		flags("Thread", at, "open", "live")
		flags("Note", at, "open", "live", "silent", "coming")
		flags("Founding", at, "invited")
		for _, c := range []string{"mistaken_alarm", "nuisance", "real", "test", "drill", "unknown", "duplicate", "false_report", "because"} {
			add(Thing{Kind: "Closing", Group: at.Group, Unit: at.Unit, Attrs: map[string]any{"cause": c}})
		}
		for _, owner := range []ID{"p1", "p2", ""} {
			on := at
			on.Owner = owner
			flags("Message", on, "bulletin")
		}
	}
	for _, g := range []place.Group{g1, g2, g3, g4} {
		for _, h := range []place.HomeID{"h1", "h2", "h3", "h4", "h5"} { // also those that are another group's
			add(Thing{Kind: "Home", Group: g, Home: h})
		}
		for _, origins := range [][]place.HomeID{{}, {"h1"}, {"h2"}, {"h2", "h3"}} {
			for bits := range 4 {
				add(Thing{Kind: "Incident", Group: g, Attrs: map[string]any{"silent": bits&1 != 0, "called": bits&2 != 0, "origins": origins}})
			}
		}
	}
	add(Thing{Kind: "Phone", Owner: "p1"})
	add(Thing{Kind: "Phone", Owner: "p2"})
	grants(add)
	return all
}

// grants are every role that may be given, with who shall hold it, who proposed it
// and how far it came; p1 is who asks.
func grants(add func(Thing)) {
	for _, at := range []Thing{{Group: g1}, {Group: place.Group{Commune: "04792", Neighbourhood: "Khu 5"}}, {Unit: "04792"}} {
		for _, r := range roles {
			if at.Unit == "" && !slices.Contains([]Role{Leader, Deputy, Head, Team}, r) {
				continue
			}
			for _, state := range []State{Proposed, Held, Ended} {
				for _, c := range []struct {
					owner, proposer ID
					chief           bool
				}{{"p2", "p3", true}, {"p2", "p3", false}, {"p1", "p3", true}, {"p2", "p1", true}, {"p2", "p1", false}, {"p2", "", false}} {
					if state == Ended && r != Team || state == Held && c.proposer != "p3" {
						continue // who proposed does not matter any more
					}
					on := at
					on.Kind, on.Owner = "Grant", c.owner
					on.Attrs = map[string]any{"role": string(r), "state": string(state), "proposer": c.proposer, "as_chief": c.chief}
					add(on)
				}
			}
		}
	}
}

// closeBy leaves of everybody those whom a grant in 04792 may concern, and one of
// every kind who is far.
func closeBy(who []Actor) []Actor {
	return slices.DeleteFunc(slices.Clone(who), func(a Actor) bool {
		return slices.ContainsFunc(a.Held(), func(p Post) bool {
			return p.At == place.Scope{} || p.At.Group == "g2" || p.At.Neighbourhood == "Khu 6" || a.Token != "" && p.At.Unit != "04792"
		})
	})
}

// wanted are all questions of the world, by verb, with the oracle's answer.
func wanted(t *testing.T, s *policy.Set) map[string]map[question]bool {
	t.Helper()
	all := things()
	who := everybody()
	want := map[string]map[question]bool{}
	asked := 0
	for _, verb := range s.Actions() {
		answer := answers[verb]
		if answer == nil {
			t.Errorf("%s: say in oracle_test.go who may", verb)
			continue
		}
		want[verb] = map[question]bool{}
		for _, kind := range s.Kinds(verb) {
			if len(all[kind]) == 0 {
				t.Errorf("%s: say in things what a %s is like", verb, kind)
			}
			askers := who
			if kind == "Grant" {
				askers = closeBy(who)
			}
			for _, on := range all[kind] {
				for _, a := range askers {
					yes := !a.Nobody() && answer(oracle{a: a, on: on})
					q := ask(a, verb, on)
					if was, seen := want[verb][q]; seen && was != yes {
						t.Fatalf("%s: two who ask the same have different answers: %+v of %+v", verb, a, on)
					}
					want[verb][q] = yes
					asked++
				}
			}
		}
	}
	t.Logf("%d questions of %d people", asked, len(who))
	return want
}

// TestMatrixAgreesWithTheOracle: every verb, every role, every place, every state.
// What the oracle does not name is a failure too, so a new verb needs its answer here.
func TestMatrixAgreesWithTheOracle(t *testing.T) {
	l := builtIn()
	want := wanted(t, l.text)
	decisions, allowed, wrong := 0, 0, 0
	for verb, questions := range want {
		yes := 0
		for q, w := range questions {
			var d policy.Decision
			var err error
			if q.kind != "" { // nobody is not even asked about
				d, err = l.text.Decide(l.request(q))
			}
			misfit := err != nil && !q.program // a verb may be for persons only
			if decisions++; d.Allowed != w || misfit {
				if wrong++; wrong < 20 {
					t.Errorf("%s: %v by %v (%v), the oracle says %v: %+v", verb, d.Allowed, d.By, err, w, q)
				}
			}
			if w {
				yes++
			}
		}
		if allowed += yes; yes == 0 || yes == len(questions) {
			t.Errorf("%s is answered %d of %d times with yes: the world is too small for it", verb, yes, len(questions))
		}
	}
	t.Logf("%d different decisions, %d allowed, %d wrong", decisions, allowed, wrong)
}

// TestEveryClauseMatters takes every policy away, then every verb, value and clause of
// every policy, and turns every clause round: the matrix must notice each.
func TestEveryClauseMatters(t *testing.T) {
	l := builtIn()
	want := wanted(t, l.text)
	killed, refused, total := 0, 0, 0
	for _, p := range l.text.Policies() {
		text, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		verbs := verbsOf(tree, l.text.Actions())
		for name, m := range mutants(tree) {
			var changed []byte
			if m != nil {
				if changed, err = json.Marshal(m); err != nil {
					t.Fatal(err)
				}
			}
			total++
			s, err := l.text.With(p.ID, changed)
			if err != nil { // the schema refuses the start with it
				killed++
				refused++
				continue
			}
			if notices(&law{text: s}, want, verbs) {
				killed++
			} else {
				t.Errorf("%s survives: %s", p.ID, name)
			}
		}
	}
	t.Logf("%d of %d killed, %d of them by the schema", killed, total, refused)
	if total < 200 || refused > total/4 {
		t.Errorf("%d mutants, %d refused: the world proves too little", total, refused)
	}
}

func notices(l *law, want map[string]map[question]bool, verbs []string) bool {
	for _, verb := range verbs {
		for q, w := range want[verb] {
			if l.decide(q) != w {
				return true
			}
		}
	}
	return false
}

// verbsOf are the verbs that a policy speaks of.
func verbsOf(tree map[string]any, all []string) []string {
	a := tree["action"].(map[string]any)
	if e, ok := a["entity"].(map[string]any); ok {
		return []string{e["id"].(string)}
	}
	list, ok := a["entities"].([]any)
	if !ok {
		return all
	}
	var verbs []string
	for _, e := range list {
		verbs = append(verbs, e.(map[string]any)["id"].(string))
	}
	return verbs
}

// mutants are a policy with one thing changed, by what was done; nil is no policy.
func mutants(tree map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{"policy taken away": nil}
	add := func(name string, change func(map[string]any)) {
		m := copyOf(tree).(map[string]any)
		change(m)
		all[name] = m
	}
	add("effect turned round", func(m map[string]any) {
		m["effect"] = map[string]string{"permit": "forbid", "forbid": "permit"}[m["effect"].(string)]
	})
	if list, ok := tree["action"].(map[string]any)["entities"].([]any); ok && len(list) > 1 {
		for i, e := range list {
			add(fmt.Sprint("without verb ", e.(map[string]any)["id"]), func(m map[string]any) {
				a := m["action"].(map[string]any)
				a["entities"] = slices.Delete(slices.Clone(a["entities"].([]any)), i, i+1)
			})
		}
	}
	conditions, _ := tree["conditions"].([]any)
	for i, c := range conditions {
		body := c.(map[string]any)["body"]
		at := func(m map[string]any) map[string]any { return m["conditions"].([]any)[i].(map[string]any) }
		n := 0
		walk(body, func(path []any, node any, what string, instead any) {
			n++
			add(fmt.Sprintf("%d: %s %.120s", n, what, asText(node)), func(m map[string]any) { put(at(m), append([]any{"body"}, path...), instead) })
		})
	}
	return all
}

// walk calls found with every change of one clause: the path to it, what is put there.
func walk(node any, found func(path []any, node any, what string, instead any)) {
	var visit func(path []any, node any)
	visit = func(path []any, node any) {
		at := slices.Clone(path)
		if list, ok := node.(map[string]any)["Set"].([]any); ok {
			for i := range list {
				found(append(at, "Set"), list[i], "value left out", slices.Delete(slices.Clone(list), i, i+1))
			}
			return
		}
		for op, arg := range node.(map[string]any) {
			a, ok := arg.(map[string]any)
			if !ok {
				continue
			}
			if op == "&&" || op == "||" {
				for _, side := range []string{"left", "right"} {
					other := map[string]string{"left": "right", "right": "left"}[side]
					found(at, a[side], op+" "+side+" left out", a[other])
				}
			}
			for _, side := range []string{"left", "right", "arg"} {
				if sub, ok := a[side].(map[string]any); ok {
					visit(append(at, op, side), sub)
				}
			}
		}
		if truth(node) {
			found(at, node, "turned round", map[string]any{"!": map[string]any{"arg": node}})
		}
	}
	visit(nil, node)
}

// truth reports whether node is a yes or no.
func truth(node any) bool {
	for op := range node.(map[string]any) {
		return slices.Contains([]string{"&&", "||", "!", "==", "!=", "in", "has", "contains", "containsAny", "containsAll", "isEmpty", "is"}, op)
	}
	return false
}

func put(in any, path []any, what any) {
	for _, k := range path[:len(path)-1] {
		in = in.(map[string]any)[k.(string)]
	}
	in.(map[string]any)[path[len(path)-1].(string)] = what
}

func copyOf(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := maps.Clone(x)
		for k := range m {
			m[k] = copyOf(m[k])
		}
		return m
	case []any:
		l := slices.Clone(x)
		for i := range l {
			l[i] = copyOf(l[i])
		}
		return l
	}
	return v
}

func asText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// TestInvariantsOfRights states, over random people and places, what must hold
// whatever the policies say.
func TestInvariantsOfRights(t *testing.T) {
	var may Rights
	who := everybody()
	all := things()
	s := builtIn().text
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SampledFrom(who).Draw(t, "who")
		verb := rapid.SampledFrom(s.Actions()).Draw(t, "verb")
		on := rapid.SampledFrom(all[rapid.SampledFrom(s.Kinds(verb)).Draw(t, "kind")]).Draw(t, "what")
		yes := may.May(a, verb, on)
		if yes && a.Nobody() {
			t.Fatal("nobody may")
		}
		// A role that is taken away opens nothing.
		for p := range a.Posts.All() {
			less := a
			var rest []Post
			for x := range a.Posts.All() {
				if x != p {
					rest = append(rest, x)
				}
			}
			less.Posts = PostsOf(rest...)
			if verb != "screen.phone" && may.May(less, verb, on) && !yes {
				t.Fatalf("%s opens %s by losing %+v", a.Person, verb, p)
			}
		}
		// An administrator reads no names, telephones or hold-ups.
		onlyAdmin := !a.Posts.None() && a.Home == ""
		for p := range a.Posts.All() {
			onlyAdmin = onlyAdmin && p.Role == Admin
		}
		if onlyAdmin && yes && slices.Contains([]string{"people.names", "people.phones", "alarm.hold_up", "device.see", "chat.read", "group.note_open"}, verb) {
			t.Fatalf("an administrator may %s", verb)
		}
		// An auditor acts in nothing.
		if a.Token != "" && a.Role == Auditor && yes && !slices.Contains([]string{
			"place.see", "people.names", "people.see_grant", "alarm.see", "alarm.hold_up", "device.see", "duty.read", "screen.health", "screen.console", "cap.read", "chat.notices", "privacy.queue",
		}, verb) {
			t.Fatalf("an auditor may %s", verb)
		}
		// Nobody makes, or helps to make, himself anything.
		if yes && slices.Contains([]string{"people.propose", "people.confirm"}, verb) && on.Owner == a.Person {
			t.Fatalf("grants himself: %+v", on)
		}
		// Nothing of another commune.
		elsewhere := on.Group.Commune == "04795" || on.Unit == "04795"
		here := func(p Post) bool { return p.At.Unit == "04795" || p.At.Unit == "25" || p.At.Group == "g4" }
		if yes && elsewhere && on.Owner != a.Person && verb != "group.found" && a.Group != "g4" && !slices.ContainsFunc(a.Held(), here) {
			t.Fatalf("%+v may %s of another commune", a, verb)
		}
	})
}
