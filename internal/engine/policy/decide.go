package policy

import (
	"fmt"
	"slices"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Ref names an entity.
type Ref struct{ Kind, ID string }

// Entity is somebody or something, as the schema describes its kind. A value is a
// bool, a string, an int, an int64, a time.Time, a Ref, or a slice of strings or Refs.
type Entity struct {
	Ref
	In   []Ref // what it lies in, near ones only
	With map[string]any
}

// Request is one question: may Principal do Verb to Resource? Entities describe
// both and everything that they lie in.
type Request struct {
	Principal Ref
	Verb      string
	Resource  Ref
	Entities  []Entity
}

// Decision is the answer, and by which policies; nobody's for a denial by silence.
type Decision struct {
	Allowed bool
	By      []string
}

// Decide answers r. An error is a question that does not fit the schema, or a
// policy that could not be evaluated; the answer is then no.
func (s *Set) Decide(r Request) (Decision, error) {
	set, ok := s.by[r.Verb]
	if !ok {
		return Decision{}, fmt.Errorf("decide: the schema has no action %q", r.Verb)
	}
	world := types.EntityMap{}
	for _, e := range r.Entities {
		x, err := e.cedar()
		if err != nil {
			return Decision{}, fmt.Errorf("decide %s: %w", r.Verb, err)
		}
		if err := s.check.Entity(x); err != nil {
			return Decision{}, fmt.Errorf("decide %s: %s %s: %w", r.Verb, e.Kind, e.ID, err)
		}
		world[x.UID] = x
	}
	q := cedar.Request{Principal: r.Principal.cedar(), Action: action(r.Verb), Resource: r.Resource.cedar(), Context: types.NewRecord(nil)}
	if err := s.check.Request(q); err != nil {
		return Decision{}, fmt.Errorf("decide: %w", err)
	}
	yes, why := cedar.Authorize(set, world, q)
	d := Decision{Allowed: bool(yes)}
	for _, p := range why.Reasons {
		d.By = append(d.By, string(p.PolicyID))
	}
	slices.Sort(d.By)
	if len(why.Errors) > 0 { // a forbid that cannot be evaluated must not be passed over
		return Decision{By: d.By}, fmt.Errorf("decide %s: %s: %s", r.Verb, why.Errors[0].PolicyID, why.Errors[0].Message)
	}
	return d, nil
}

func (r Ref) cedar() types.EntityUID {
	return types.NewEntityUID(types.EntityType(r.Kind), types.String(r.ID))
}

func (e Entity) cedar() (types.Entity, error) {
	with := types.RecordMap{}
	for k, v := range e.With {
		x, err := value(v)
		if err != nil {
			return types.Entity{}, fmt.Errorf("%s %s: %s: %w", e.Kind, e.ID, k, err)
		}
		with[types.String(k)] = x
	}
	in := make([]types.EntityUID, len(e.In))
	for i, p := range e.In {
		in[i] = p.cedar()
	}
	return types.Entity{UID: e.Ref.cedar(), Parents: types.NewEntityUIDSet(in...), Attributes: types.NewRecord(with)}, nil
}

func value(v any) (types.Value, error) {
	switch x := v.(type) {
	case bool:
		return types.Boolean(x), nil
	case string:
		return types.String(x), nil
	case int:
		return types.Long(x), nil
	case int64:
		return types.Long(x), nil
	case time.Time:
		return types.NewDatetime(x), nil
	case Ref:
		return x.cedar(), nil
	case []string:
		all := make([]types.Value, len(x))
		for i, s := range x {
			all[i] = types.String(s)
		}
		return types.NewSet(all...), nil
	case []Ref:
		all := make([]types.Value, len(x))
		for i, r := range x {
			all[i] = r.cedar()
		}
		return types.NewSet(all...), nil
	}
	return nil, fmt.Errorf("no value of Cedar's: %T", v)
}
