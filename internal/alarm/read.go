package alarm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Find returns an incident, open or past, or nil.
func (v *Service) Find(ctx context.Context, id ID) (*Incident, error) {
	v.mu.RLock()
	gid, ok := v.where[id]
	v.mu.RUnlock()
	if ok {
		g := v.group(gid)
		g.mu.Lock()
		i := g.find(id)
		g.mu.Unlock()
		if i != nil {
			return i, nil
		}
	}
	i, err := v.Past.one(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find incident: %w", err)
	}
	return i, nil
}

// located remembers which group incident id belongs to.
func (v *Service) located(id ID, g place.GroupID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.where == nil {
		v.where = map[ID]place.GroupID{}
	}
	v.where[id] = g
}

// lost forgets which group incidents belong to that memory no longer has.
func (v *Service) lost(gone []*Incident) {
	if len(gone) == 0 {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, i := range gone {
		delete(v.where, i.ID)
	}
}

// ringing lists the open incidents of a group that have mode m.
func (v *Service) ringing(id place.GroupID, m Mode) (open []*Incident) {
	g := v.group(id)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range g.state.Open {
		if i.Mode == m {
			open = append(open, i)
		}
	}
	return open
}

// Which is which incidents somebody asks for.
type Which struct {
	State string // open, closed or all
	Mode  Mode   // "" for every mode
	Since time.Time
	Limit int
}

// List returns the incidents that a may see among groups, newest first.
func (v *Service) List(ctx context.Context, a people.Actor, groups []place.Group, w Which) ([]IncidentView, error) {
	byID := map[place.GroupID]place.Group{}
	ids := make([]place.GroupID, 0, len(groups))
	for _, g := range groups {
		byID[g.ID] = g
		ids = append(ids, g.ID)
	}
	found := map[ID]*Incident{}
	if w.State != "open" {
		past, err := v.Past.closed(ctx, Past{Groups: ids, Since: w.Since, Limit: w.Limit})
		if err != nil {
			return nil, fmt.Errorf("list incidents: %w", err)
		}
		for _, i := range past {
			found[i.ID] = i
		}
	}
	for _, g := range ids {
		v.lately(g, w, found)
	}
	views := []IncidentView{}
	for _, i := range found {
		if g := byID[i.Group]; (w.Mode == "" || i.Mode == w.Mode) && v.maySee(a, g, i) {
			views = append(views, v.ViewFor(a, g, i))
		}
	}
	slices.SortFunc(views, func(x, y IncidentView) int { return -cmp.Compare(x.ID, y.ID) })
	return views, nil
}

// lately adds what memory knows of a group, which is newer than the disk.
func (v *Service) lately(id place.GroupID, w Which, found map[ID]*Incident) {
	v.mu.RLock()
	g := v.groups[id]
	v.mu.RUnlock()
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.State != "closed" {
		for _, i := range g.state.Open {
			found[i.ID] = i
		}
	}
	if w.State != "open" {
		for _, i := range g.past {
			if !i.Closed.By.At.Before(w.Since) {
				found[i.ID] = i
			}
		}
	}
}

// ViewFor shows i to a, who may see it: with names, or as the machine sees it.
func (v *Service) ViewFor(a people.Actor, g place.Group, i *Incident) IncidentView {
	w := viewer{unit: v.unitName}
	if v.Rights.MaySeeNames(a, g) {
		w.names = v.Names
	}
	return w.see(i)
}

// MaySee reports whether a may know of i.
func (v *Service) MaySee(a people.Actor, i *Incident) bool {
	g, ok := v.Village().Group(i.Group)
	return ok && v.maySee(a, g, i)
}

func (v *Service) unitName(id place.GroupID) string {
	g, _ := v.Village().Group(id)
	u, _ := place.UnitOf(g.Commune)
	return u.Name
}

// Adjoining lists the groups around g whose open incidents called their
// neighbours' leaders, for such a leader.
func (v *Service) Adjoining(a people.Actor, g place.Group) (groups []place.Group) {
	for _, id := range g.Adjoining {
		n, ok := v.Village().Group(id)
		if !ok {
			continue
		}
		if slices.ContainsFunc(v.ringing(id, Live), func(i *Incident) bool { return v.maySee(a, n, i) }) {
			groups = append(groups, n)
		}
	}
	return groups
}

// CountOpen is how many incidents are open, drills and bell tests included. It is
// read by who must not learn of a hold-up, which therefore is none of them.
func (v *Service) CountOpen() int {
	n := 0
	for _, g := range v.all() {
		for _, i := range v.peek(g.id) {
			if !i.Silent {
				n++
			}
		}
	}
	return n
}

// Unacknowledged lists the open live incidents of group id that no desk took.
func (v *Service) Unacknowledged(id place.GroupID) (open []*Incident) {
	for _, i := range v.ringing(id, Live) {
		if i.DeskAck == nil {
			open = append(open, i)
		}
	}
	return open
}

// Live lists the open live incidents of group id that its people may know of.
func (v *Service) Live(id place.GroupID) (live []*Incident) {
	for _, i := range v.ringing(id, Live) {
		if !i.Silent {
			live = append(live, i)
		}
	}
	return live
}
