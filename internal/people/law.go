package people

import (
	"sync"
	"sync/atomic"

	"github.com/keng-vn/keng/internal/engine/policy"
)

// law is the policies with what they have answered before. An answer depends on
// nothing but the question, so it may be kept as long as the policies.
type law struct {
	text    *policy.Set
	answers sync.Map // question to bool
	count   atomic.Int64
	forgets bool
}

// mostAnswers is how many answers are kept: a few hundred kinds of questions are
// asked, unless a slice puts a number that grows into one.
const mostAnswers = 1 << 16

// CheckLaw reports what is wrong with the policies of this build: nothing may start
// with them then.
func CheckLaw() (hash string, err error) {
	s, err := policy.BuiltIn()
	if err != nil {
		return "", err
	}
	return s.Hash(), nil
}

// builtIn is the law of this build, a constant in all but syntax.
var builtIn = sync.OnceValue(func() *law {
	s, err := policy.BuiltIn()
	if err != nil {
		panic(err) // CheckLaw said so before
	}
	return &law{text: s}
})

func (l *law) may(q question) bool {
	if l.forgets {
		return l.decide(q)
	}
	if yes, ok := l.answers.Load(q); ok {
		return yes.(bool)
	}
	yes := l.decide(q)
	if l.count.Add(1) > mostAnswers {
		l.answers.Clear()
		l.count.Store(1)
	}
	l.answers.Store(q, yes)
	return yes
}

// decide asks the policies.
func (l *law) decide(q question) bool {
	if q.kind == "" {
		return false
	}
	d, err := l.text.Decide(l.request(q))
	return err == nil && d.Allowed
}

// request draws the small world that a question speaks of: who asks, what about,
// and the places around it.
func (l *law) request(q question) policy.Request {
	area := func(v level) policy.Ref { return policy.Ref{Kind: "Area", ID: levelNames[v]} }
	who := policy.Entity{Ref: policy.Ref{Kind: "Person", ID: "he"}, With: map[string]any{}}
	if q.program {
		who.Kind = "Program"
	}
	for i, r := range roles {
		at := []policy.Ref{}
		for v := range levels {
			if q.held[i]&(1<<v) != 0 {
				at = append(at, area(v))
			}
		}
		who.With[string(r)] = at
	}
	if q.home != "" {
		who.With["home"] = policy.Ref{Kind: "Home", ID: q.home}
	}
	var world []policy.Entity
	var near []policy.Ref // the narrowest place first found
	for v := atProvince + 1; v > 0; v-- {
		if x := v - 1; q.chain&(1<<x) != 0 {
			world = append(world, policy.Entity{Ref: area(x), In: near})
			near = []policy.Ref{area(x)}
		}
	}
	what := policy.Entity{Ref: policy.Ref{Kind: q.kind, ID: "it"}, In: near, With: attrsOf(q.attrs)}
	switch {
	case q.kind == "Area" && len(near) > 0:
		what = world[len(world)-1]
	case q.kind == "Area":
		what.Ref = policy.Ref{Kind: "Area", ID: "nowhere"}
	case q.kind == "Home":
		what.ID = q.at
		if !q.inGroup {
			what.In = nil
		}
	}
	if q.at != "" && l.text.Has(q.kind, "home") {
		what.With["home"] = policy.Ref{Kind: "Home", ID: q.at}
	}
	if q.owned != "" && l.text.Has(q.kind, "owner") {
		what.With["owner"] = policy.Ref{Kind: "Person", ID: q.owned}
	}
	if l.text.Has(q.kind, "near") {
		what.With["near"] = []policy.Ref{area(adjoining)}
	}
	return policy.Request{Principal: who.Ref, Verb: q.verb, Resource: what.Ref, Entities: append(world, who, what)}
}

// Forgetful returns rights that ask the policies every time, for measuring them.
func Forgetful() Rights { return Rights{of: &law{text: builtIn().text, forgets: true}} }
