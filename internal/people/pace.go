package people

import (
	"context"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// pace makes every answer about an invite code take the same time, right or
// wrong, and that time longer while many codes are wrong. It knows no addresses:
// a guesser slows everybody who opens an invite by at most 2 s, and nobody else.
type pace struct {
	floor time.Duration
	room  chan struct{} // a token for each answer under way

	mu    sync.Mutex
	wrong float64 // lately; halves every 10 s
	at    time.Time
}

const (
	paceRoom = 32 // answers at once; more are asked to come again
	paceHalf = 10 * time.Second
	paceStep = 8 // wrong codes lately that double the time, at most three times
)

func newPace(floor time.Duration) *pace {
	return &pace{floor: floor, room: make(chan struct{}, paceRoom)}
}

// answer runs f, which reports whether the code was right, and returns when the
// time is over.
func (p *pace) answer(ctx context.Context, op string, f func() (right bool, err error)) error {
	select {
	case p.room <- struct{}{}:
		defer func() { <-p.room }()
	default:
		return fault.New(op, fault.Busy, "fault.busy")
	}
	over := time.NewTimer(p.due())
	defer over.Stop()
	right, err := f()
	if !right {
		p.note()
	}
	select {
	case <-over.C:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// due is how long an answer takes now.
func (p *pace) due() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fade()
	return p.floor << min(int(p.wrong)/paceStep, 3)
}

func (p *pace) note() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fade()
	p.wrong++
}

// fade halves the count for every paceHalf that has passed.
func (p *pace) fade() {
	now := time.Now()
	for ; p.wrong >= 1 && now.Sub(p.at) >= paceHalf; p.at = p.at.Add(paceHalf) {
		p.wrong /= 2
	}
	if p.wrong < 1 {
		p.wrong, p.at = 0, now
	}
}
