package people

import (
	"context"
	"database/sql"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// Changed makes a change of these people's roles, grants or sessions felt at
// once: what is remembered of them is forgotten, and whoever waits on
// [Service.Felt] looks again. Without ids it is everybody.
func (v *Service) Changed(ids ...ID) {
	of := map[ID]bool{}
	for _, id := range ids {
		of[id] = true
	}
	v.drop(func(_ string, s seen) bool { return len(ids) == 0 || of[s.actor.Person] })
	v.mu.Lock()
	defer v.mu.Unlock()
	close(v.felt)
	v.felt = make(chan struct{})
}

// Felt is closed at the next [Service.Changed].
func (v *Service) Felt() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.felt
}

// endAll ends every session of a person inside tx.
func endAll(ctx context.Context, tx *sql.Tx, id ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person = $1`, id)
	return err
}

// signedIn is the person who asks, with his session; a program has neither.
func signedIn(ctx context.Context, op string) (Actor, error) {
	a, err := Known(ctx, op)
	if err == nil && a.Person == "" {
		err = fault.New(op, fault.Denied, "people.persons_only")
	}
	return a, err
}

// SignedIn is the person who asks; it refuses nobody and programs.
func SignedIn(ctx context.Context, op string) (Actor, error) { return signedIn(ctx, op) }
