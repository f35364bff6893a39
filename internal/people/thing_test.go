package people_test

import (
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func TestPostsAreAValue(t *testing.T) {
	desk := people.Post{Role: people.Desk, At: place.Scope{Unit: "04792"}, From: at(1), By: "p-9"}
	head := people.Post{Role: people.Head, At: place.Scope{Unit: "04792", Neighbourhood: "Tổ 5"}, From: at(1), Until: at(100), By: "village"}
	a, b := people.PostsOf(desk, head), people.PostsOf(head, desk, head)
	if a != b {
		t.Errorf("the same posts differ: %q, %q", a, b)
	}
	if got := people.PostsOf(desk); a.At(at(100)) != got || a.At(at(99)) != a || a.At(at(0)) != "" {
		t.Errorf("held at 100 ms: %q, want %q; at 0: %q", a.At(at(100)), got, a.At(at(0)))
	}
	var list []people.Post
	for p := range a.All() {
		list = append(list, p)
	}
	if len(list) != 2 || list[0] != desk || list[1] != head {
		t.Errorf("read back %+v", list)
	}
	if !people.Posts("").None() || a.None() || !a.Holds(people.Head) || a.Holds(people.Chief) {
		t.Error("None or Holds is wrong")
	}
}

// TestNeighbourhoodIsHeldAsAWhole: a head of a neighbourhood sees its groups, also
// when its name is spelt another way, and no others of the commune.
func TestNeighbourhoodIsHeldAsAWhole(t *testing.T) {
	var may people.Rights
	head := people.Actor{Person: "p", Posts: people.PostsOf(people.Post{Role: people.Head, At: place.Scope{Unit: "04792", Neighbourhood: "Khu Hoà"}})}
	for _, c := range []struct {
		g    place.Group
		want bool
	}{
		{place.Group{ID: "g1", Commune: "04792", Neighbourhood: "Khu Hòa"}, true},
		{place.Group{ID: "g2", Commune: "04792", Neighbourhood: "Khu Bình"}, false},
		{place.Group{ID: "g3", Commune: "04795", Neighbourhood: "Khu Hoà"}, false},
		{place.Group{ID: "g4", Commune: "04792"}, false},
	} {
		if got := may.MaySee(head, c.g); got != c.want {
			t.Errorf("sees %s: %v", c.g.ID, got)
		}
	}
}

// TestQuestionsThatDoNotFitAreAnsweredNo: a verb, a kind or an attribute that the
// schema does not know is a mistake, and a mistake opens nothing.
func TestQuestionsThatDoNotFitAreAnsweredNo(t *testing.T) {
	var may people.Rights
	desk := people.Actor{Person: "p", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}
	g := place.Group{ID: "g1", Commune: "04792"}
	incident := func(extra string, v any) people.Thing {
		with := map[string]any{"silent": false, "called": false, "origins": []place.HomeID{"h1"}}
		if extra != "" {
			with[extra] = v
		}
		return people.Thing{Kind: "Incident", Group: g, Attrs: with}
	}
	if !may.May(desk, "alarm.see", incident("", nil)) {
		t.Fatal("the desk may not see an incident of its commune")
	}
	for name, on := range map[string]people.Thing{
		"another kind":      {Kind: "Area", Group: g},
		"no kind":           {Group: g},
		"unknown kind":      {Kind: "Ghost", Group: g},
		"unknown attribute": incident("colour", "red"),
		"wrong type":        incident("silent", "no"),
		"no value":          incident("silent", 1.5),
		"missing":           {Kind: "Incident", Group: g},
	} {
		if may.May(desk, "alarm.see", on) {
			t.Errorf("%s was answered yes", name)
		}
	}
	if may.May(desk, "alarm.eat", incident("", nil)) {
		t.Error("an unknown verb was answered yes")
	}
}
