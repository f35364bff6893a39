package reach

import (
	"context"
	"strings"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
)

// Receive takes the receipt of a phone, by the token that only it was sent. It
// works for somebody who is signed out, and a second time it changes nothing.
func (v *Service) Receive(ctx context.Context, token string) error {
	const op = "reach.Receive"
	c, ok := v.read(token, toReceive)
	if !ok {
		return fault.New(op, fault.NotFound, "reach.token")
	}
	v.Post.Got(c.Message)
	if phone, probe := strings.CutPrefix(c.About, "probe/"); probe {
		return v.proven(ctx, c.Person, phone)
	}
	a, ok := v.Actor(c.Person)
	if !ok {
		return fault.New(op, fault.NotFound, "reach.token")
	}
	return v.Alarms.Receive(ctx, a, c.About)
}

// Answer answers the roll-call from a lock screen.
func (v *Service) Answer(ctx context.Context, token, answer, key string) error {
	const op = "reach.Answer"
	c, ok := v.read(token, toAnswer)
	if !ok {
		return fault.New(op, fault.NotFound, "reach.token")
	}
	a, ok := v.Actor(c.Person)
	if !ok {
		return fault.New(op, fault.NotFound, "reach.token")
	}
	if key == "" {
		key = "push-" + c.Message + "-" + answer
	}
	return v.Alarms.Answer(ctx, a, c.About, answer, key)
}

// Callback is what a gateway says of one of its orders.
type Callback struct {
	ID     string `json:"id" maxLength:"40" doc:"of the order"`
	Status string `json:"status,omitempty" maxLength:"20" doc:"delivered, answered or failed"`
	Digit  string `json:"digit,omitempty" maxLength:"4" doc:"the key that was pressed: 1 safe, 2 coming, 9 need help"`
}

// digits are what people press: the same on every call.
var digits = [...]struct{ key, answer string }{{"1", "safe"}, {"2", "coming"}, {"9", "need_help"}}

// Callback takes what a gateway reports; its signature was checked.
func (v *Service) Callback(ctx context.Context, c Callback) error {
	const op = "reach.Callback"
	m, ok, err := v.Post.Find(ctx, c.ID)
	if err != nil {
		return err
	}
	if !ok || !strings.HasPrefix(m.Key, "case/") {
		return fault.New(op, fault.NotFound, "reach.order_unknown")
	}
	a, ok := v.Actor(people.ID(m.Person))
	if !ok {
		return fault.New(op, fault.NotFound, "reach.order_unknown")
	}
	for _, d := range digits {
		if d.key == c.Digit {
			return v.Alarms.Answer(ctx, a, m.Topic, d.answer, "gateway-"+c.ID+"-"+c.Digit)
		}
	}
	if c.Digit != "" {
		return fault.New(op, fault.Invalid, "reach.digit_unknown")
	}
	switch c.Status {
	case "delivered", "answered":
		v.Post.Got(c.ID)
		return v.Alarms.Receive(ctx, a, m.Topic)
	case "failed":
		p, known := v.Folk.Person(people.ID(m.Person))
		if known && p.Home != "" {
			v.Alarms.Reached(p.Scope.Group, p.Home, m.Topic, string(m.Channel), NotTaken)
		}
		return nil
	}
	return fault.New(op, fault.Invalid, "reach.status_unknown")
}
