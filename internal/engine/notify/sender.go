package notify

import (
	"context"
	"time"
)

// Sender is the bare way to send one push message, without journal, lanes or a
// second try, within a time: what a simple program would use. Measurements hold
// Keng against it.
func Sender(key *Key, trusted bool, within time.Duration) func(context.Context, Message) (Outcome, error) {
	p := &pusher{key, Client(trusted), time.Now}
	return func(ctx context.Context, m Message) (Outcome, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		return p.send(ctx, m)
	}
}
