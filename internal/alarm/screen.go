package alarm

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Around lists the groups that a may know of.
func (v *Service) Around(a people.Actor) []place.Group {
	if all, ok := v.Village().(Groups); ok {
		return v.around(a, all)
	}
	return nil
}

// Recent lists what a screen shows: open incidents, and those closed within a day.
func (v *Service) Recent(ctx context.Context, a people.Actor, groups []place.Group) (any, error) {
	return v.List(ctx, a, groups, Which{State: "all", Since: v.Now().Add(-24 * time.Hour)})
}

// Open lists the open incidents that a may see, by id.
func (v *Service) Open(a people.Actor) []string {
	var ids []string
	for _, g := range v.Around(a) {
		w := v.peek(g.ID)
		for _, id := range slices.Sorted(maps.Keys(w)) {
			if v.maySee(a, g, w[id]) {
				ids = append(ids, string(id))
			}
		}
	}
	return ids
}

// peek is the open incidents of group id. The map must not be changed.
func (v *Service) peek(id place.GroupID) map[ID]*Incident {
	v.mu.RLock()
	g := v.groups[id]
	v.mu.RUnlock()
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state.Open
}

// Show is incident id for a, or false when a may not know of it.
func (v *Service) Show(a people.Actor, id string) (any, bool) {
	v.mu.RLock()
	gid, ok := v.where[ID(id)]
	v.mu.RUnlock()
	if !ok {
		return nil, false
	}
	g := v.group(gid)
	g.mu.Lock()
	i := g.find(ID(id))
	g.mu.Unlock()
	home, known := v.Village().Group(gid)
	if i == nil || !known || !v.maySee(a, home, i) {
		return nil, false
	}
	return v.ViewFor(a, home, i), true
}
