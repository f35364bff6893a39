package alarm

import (
	"context"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// Vietnam is the country's time: UTC+7 all year.
var Vietnam = time.FixedZone("ICT", 7*60*60)

// calmLook is how often the clock is looked at for the evening stroke.
const calmLook = 20 * time.Second

// Calmer strikes "all calm" (báo yên): one long soft stroke in the evening that
// reminds people to lock up. Only groups that opted in have it.
type Calmer interface {
	// Groups lists the groups, with the time each wants the stroke.
	Groups() []place.Group
	// Calm strikes once, on the sirens and screens of group g. It must not block.
	Calm(g place.GroupID)
}

// KeepCalm strikes for every group at its time, once an evening, unless
// something rings there, until ctx ends.
func (v *Service) KeepCalm(ctx context.Context, c Calmer) {
	struck := map[place.GroupID]string{}
	tick := time.NewTicker(calmLook)
	defer tick.Stop()
	for {
		v.calm(c, struck)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// calm strikes where it is time; struck remembers the evening of each group.
func (v *Service) calm(c Calmer, struck map[place.GroupID]string) {
	now := v.Now().In(Vietnam)
	day, minute := now.Format(time.DateOnly), now.Format("15:04")
	for _, g := range c.Groups() {
		if g.AllCalm != minute || struck[g.ID] == day {
			continue
		}
		struck[g.ID] = day
		v.strike(c, g.ID)
	}
}

// calmLasts is for how long after a stroke the auditor grants sirens that they
// sound for no incident.
const calmLasts = 10 * time.Second

// strike strikes once, unless something that people may know of is open there. The
// group's writer is held meanwhile: an alarm comes before the stroke, which then
// is left out, or after it, and takes the sirens over. A hold-up is no reason to
// leave it out: the evening must be like any other.
func (v *Service) strike(c Calmer, id place.GroupID) {
	g := v.group(id)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range g.state.Open {
		if !i.Silent {
			return
		}
	}
	g.calmed = v.Now()
	c.Calm(id)
}
