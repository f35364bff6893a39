package alarm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/place"
)

// Verified is what an offline audit of the journal found.
type Verified struct {
	Groups    int
	Events    int
	Incidents int
	Wrong     []string // what is broken, for an operator
}

// Verify reads the whole journal: the chain of every group, and whether the
// incidents that the events make are those that are shown.
func (b *Book) Verify(ctx context.Context) (Verified, error) {
	tails, err := b.lastEvents(ctx)
	if err != nil {
		return Verified{}, err
	}
	var v Verified
	groups := make([]place.GroupID, 0, len(tails))
	for g := range tails {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	for _, g := range groups {
		if err := b.verifyGroup(ctx, g, &v); err != nil {
			return v, err
		}
	}
	v.Groups = len(groups)
	return v, nil
}

func (b *Book) verifyGroup(ctx context.Context, id place.GroupID, v *Verified) error {
	records, bodies, err := b.events(ctx, id, 1)
	if err != nil {
		return err
	}
	s, chain := State{Group: id}, Chain{}
	made := map[ID]*Incident{}
	for k, r := range records {
		if r.N != int64(k+1) {
			v.Wrong = append(v.Wrong, fmt.Sprintf("%s: event %d is missing", id, k+1))
			return nil
		}
		if chain = chain.next(bodies[k]); chain != r.Chain {
			v.Wrong = append(v.Wrong, fmt.Sprintf("%s: event %d was changed", id, r.N))
			return nil
		}
		var effects []Effect
		s, effects = Decide(s, r.Event)
		for _, f := range effects {
			if i := s.Open[f.Incident]; i != nil {
				made[f.Incident] = i
			} else if i := s.closing[f.Incident]; i != nil {
				made[f.Incident] = i
			}
		}
		v.Events++
	}
	return b.compare(ctx, id, made, v)
}

// compare holds the incidents made by the events against those shown. A shown
// one may be missing or older for a moment after a crash; it is written at the
// next start.
func (b *Book) compare(ctx context.Context, g place.GroupID, made map[ID]*Incident, v *Verified) error {
	for id, i := range made {
		v.Incidents++
		shown, err := b.one(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case shown == nil || shown.Version < i.Version:
			continue
		case shown.Version > i.Version || shown.Open() != i.Open() || shown.Category != i.Category || len(shown.Timeline) != len(i.Timeline):
			v.Wrong = append(v.Wrong, fmt.Sprintf("%s: incident %s is shown other than its events say", g, id))
		}
	}
	return nil
}

// String is v for an operator: "ok" when nothing is wrong.
func (v Verified) String() string {
	head := fmt.Sprintf("%d groups, %d events, %d incidents", v.Groups, v.Events, v.Incidents)
	if len(v.Wrong) == 0 {
		return "ok: " + head
	}
	return "BROKEN: " + head + "\n" + strings.Join(v.Wrong, "\n")
}
