package people

import (
	"context"

	"github.com/keng-vn/keng/internal/engine/fault"
)

type askerKey struct{}

// WithAsker returns ctx with the actor behind a request. The kit's chain calls
// it once, after the session or token was checked.
func WithAsker(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, askerKey{}, a)
}

// Asker is the actor behind the request that ctx belongs to; the zero Actor is
// nobody.
func Asker(ctx context.Context) Actor {
	a, _ := ctx.Value(askerKey{}).(Actor)
	return a
}

// Known is the actor behind the request that ctx belongs to; it refuses nobody.
func Known(ctx context.Context, op string) (Actor, error) {
	a := Asker(ctx)
	if a.Nobody() {
		return a, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	return a, nil
}
