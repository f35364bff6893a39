package policy

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const small = `
entity Area in [Area];
entity Person = { "leader": Set<Area>, "home"?: Area };
entity Letter in [Area] = { "owner"?: Person, "pages": Long };
action "letter.read", "letter.burn" appliesTo { principal: [Person], resource: [Letter] };
`

const readers = `
@id("read") permit (principal, action == Action::"letter.read", resource) when { resource in principal.leader };
@id("F-long") forbid (principal, action, resource is Letter) when { resource.pages > 100 };
`

func read(t *testing.T, policies string) (*Set, error) {
	t.Helper()
	return Read(fstest.MapFS{"base.cedarschema": {Data: []byte(small)}, "letter.cedar": {Data: []byte(policies)}})
}

// world is one letter in area a, and a leader of lead.
func world(pages any, lead ...Ref) []Entity {
	return []Entity{
		{Ref: Ref{"Area", "p"}},
		{Ref: Ref{"Area", "a"}, In: []Ref{{"Area", "p"}}},
		{Ref: Ref{"Person", "he"}, With: map[string]any{"leader": lead}},
		{Ref: Ref{"Letter", "l"}, In: []Ref{{"Area", "a"}}, With: map[string]any{"pages": pages}},
	}
}

func TestBuiltInPoliciesAreSound(t *testing.T) {
	s, err := BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Policies()) == 0 || len(s.Hash()) != 64 {
		t.Errorf("%d policies, hash %q", len(s.Policies()), s.Hash())
	}
	for _, verb := range s.Actions() {
		if len(s.Kinds(verb)) == 0 {
			t.Errorf("%s fits nothing", verb)
		}
	}
}

func TestUnsoundPoliciesRefuseTheStart(t *testing.T) {
	for name, c := range map[string]struct{ policy, say string }{
		"no id":             {`permit (principal, action == Action::"letter.read", resource);`, "needs an @id"},
		"id twice":          {`@id("read") permit (principal, action == Action::"letter.read", resource);`, "stands in letter.cedar too"},
		"unknown verb":      {`@id("x") permit (principal, action == Action::"letter.eat", resource);`, "letter.eat"},
		"unknown kind":      {`@id("x") permit (principal is Ghost, action == Action::"letter.read", resource);`, "Ghost"},
		"unknown attribute": {`@id("x") permit (principal, action == Action::"letter.read", resource) when { resource.colour == "red" };`, "colour"},
		"wrong type":        {`@id("x") permit (principal, action == Action::"letter.read", resource) when { resource.pages == "two" };`, "types"},
		"optional unasked":  {`@id("x") permit (principal, action == Action::"letter.read", resource) when { principal.home == principal.home };`, "home"},
		"can never apply":   {`@id("x") permit (principal is Letter, action == Action::"letter.read", resource);`, "applicable"},
		"names somebody":    {`@id("x") permit (principal == Person::"an", action == Action::"letter.read", resource);`, "it names Person an"},
		"names a place":     {`@id("x") permit (principal, action == Action::"letter.read", resource) when { resource in Area::"a" };`, "it names Area a"},
		"no Cedar":          {`let everybody in`, "letter"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(t, readers+c.policy); err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("read: %v, want it to say %q", err, c.say)
			}
		})
	}
	if _, err := Read(fstest.MapFS{"base.cedarschema": {Data: []byte(`entity Area in [Nothing];`)}}); err == nil {
		t.Error("a schema that speaks of nothing was taken")
	}
}

func TestDecide(t *testing.T) {
	s, err := read(t, readers)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(verb string, e []Entity) (Decision, error) {
		return s.Decide(Request{Principal: Ref{"Person", "he"}, Verb: verb, Resource: Ref{"Letter", "l"}, Entities: e})
	}
	for name, c := range map[string]struct {
		verb  string
		world []Entity
		want  Decision
		fails bool
	}{
		"permitted":             {"letter.read", world(1, Ref{"Area", "a"}), Decision{true, []string{"read"}}, false},
		"by the place around":   {"letter.read", world(1, Ref{"Area", "p"}), Decision{true, []string{"read"}}, false},
		"elsewhere":             {"letter.read", world(1, Ref{"Area", "b"}), Decision{}, false},
		"a forbid overrides":    {"letter.read", world(101, Ref{"Area", "a"}), Decision{false, []string{"F-long"}}, false},
		"what nobody permits":   {"letter.burn", world(1, Ref{"Area", "a"}), Decision{}, false},
		"unknown verb":          {"letter.eat", world(1, Ref{"Area", "a"}), Decision{}, true},
		"wrong type of value":   {"letter.read", world("many", Ref{"Area", "a"}), Decision{}, true},
		"no value of Cedar's":   {"letter.read", world(struct{}{}, Ref{"Area", "a"}), Decision{}, true},
		"a thing not described": {"letter.read", world(1, Ref{"Area", "a"})[:3], Decision{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(c.verb, c.world)
			if (err != nil) != c.fails {
				t.Errorf("error %v, want one: %v", err, c.fails)
			}
			if got.Allowed != c.want.Allowed || !c.fails && !slices.Equal(got.By, c.want.By) {
				t.Error(cmp.Diff(c.want, got))
			}
		})
	}
}

// TestEveryPolicyIsIndexed: a decision looks at the policies of its verb only, so
// none may be missing there.
func TestEveryPolicyIsIndexed(t *testing.T) {
	s, err := read(t, readers)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for verb, set := range s.by {
		for id := range maps.Keys(set.Map()) {
			got[verb] = append(got[verb], string(id))
		}
		slices.Sort(got[verb])
	}
	want := map[string][]string{"letter.read": {"F-long", "read"}, "letter.burn": {"F-long"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
