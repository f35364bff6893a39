package app

import (
	"context"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// giveRoles wires the giving of roles: what somebody holds changes his sessions,
// his streams and the book within a second.
func (a *App) giveRoles() {
	a.Book.Now = a.Now
	a.Grants = &people.Grants{DB: a.DB, Places: a.Village.Directory, Record: a.Audit, Now: a.Now, Changed: a.People.Changed}
}

// watchRoles follows changes by this process and by others.
func (a *App) watchRoles(ctx context.Context) {
	a.Grants.Watch(ctx, func(ctx context.Context) error {
		if err := a.Book.ReloadPosts(ctx); err != nil {
			return err
		}
		a.People.Changed()
		return nil
	})
}

// groupsOf lists the groups that exist for who, each once.
func (a *App) groupsOf(who people.Actor) []place.Group {
	var may people.Rights
	var groups []place.Group
	known := map[place.GroupID]bool{}
	for _, at := range who.Places() {
		for _, g := range a.Village.Directory().In(at) {
			if !known[g.ID] && may.MaySee(who, g) {
				known[g.ID] = true
				groups = append(groups, g)
			}
		}
	}
	return groups
}

// unclaimed counts what a desk has not acknowledged.
type unclaimed struct{ a *App }

// Waiting implements duty.Alarms.
func (w unclaimed) Waiting(who people.Actor) int {
	n := 0
	for _, g := range w.a.groupsOf(who) {
		for _, i := range w.a.Alarm.Unacknowledged(g.ID) {
			if w.a.Alarm.MaySee(who, i) {
				n++
			}
		}
	}
	return n
}
