package people

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// First makes one of the first two chiefs of a unit, without a second person: on a
// new machine there is none. Once two hold the role there, everything else is
// theirs to give.
func (v *Grants) First(ctx context.Context, unit place.UnitCode, name string) (Person, error) {
	const op = "people.First"
	now := v.Now()
	var p Person
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		all, err := readGrants(ctx, tx, false, now)
		if err != nil {
			return err
		}
		chiefs := map[ID]bool{}
		for _, g := range all {
			if g.Role == Chief && g.State == Held && (g.At.Unit == unit || g.At.Unit == place.ParentOf(unit)) {
				chiefs[g.Person] = true
			}
		}
		if len(chiefs) >= 2 {
			return fault.New(op, fault.Conflict, "people.two_chiefs")
		}
		if p, err = officer(ctx, tx, Chief, unit, name, now); err != nil {
			return err
		}
		if p.Role == Chief && chiefs[p.ID] { // he is one already: another letter for him
			return nil
		}
		g := Grant{ID: newGrant(), Person: p.ID, Role: Chief, At: place.Scope{Unit: unit}, From: now, State: Held, ProposedBy: ByCommand, Proposed: now}
		if p.Posts.None() { // found without a post: his was ended
			if err := g.add(ctx, tx); err != nil {
				return err
			}
		}
		return v.record(ctx, tx, audit.Act{Name: "people.grant", By: audit.Machine}, g)
	})
	return p, err
}

// watchEvery is how often a change by another process is looked for.
const watchEvery = time.Second

// Watch tells told after every change of a grant, by this process or another,
// until ctx is done; when told fails it is told again.
func (v *Grants) Watch(ctx context.Context, told func(context.Context) error) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := v.version(ctx)
		if err != nil || now == last {
			continue
		}
		if last == 0 || told(ctx) == nil {
			last = now
		}
	}
}

func (v *Grants) version(ctx context.Context) (n int64, err error) {
	if err = v.DB.Read().QueryRowContext(ctx, `SELECT version FROM people_version WHERE one = 1`).Scan(&n); err != nil {
		err = fmt.Errorf("read version of grants: %w", err)
	}
	return n, err
}
