package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// keepAlive is how often a device of the street shows that it lives, at least.
const keepAlive = 2 * time.Minute

// street is every group's button and sirens, each with a connection of its own.
type street struct {
	front   *front
	groups  []*corner
	round   atomic.Pointer[round]
	stray   atomic.Int64 // rings that no press of the round asked for
	lost    atomic.Int64 // connections that ended by themselves
	leaving atomic.Bool
	pinging sync.WaitGroup
	end     context.CancelFunc
}

// corner is one group's devices.
type corner struct {
	button *radio.Client
	sirens [Homes]atomic.Pointer[radio.Client]
	sound  [Homes]atomic.Bool // told to sound, and not yet to stop
}

// dialers is how many connect at a time.
const dialers = 64

// settle connects every button and siren of so many groups.
func settle(ctx context.Context, f *front, groups int) (*street, error) {
	st := &street{front: f, groups: make([]*corner, groups)}
	for g := range st.groups {
		st.groups[g] = &corner{}
	}
	err := each(groups*(Homes+1), dialers, func(i int) error { return st.connect(ctx, i/(Homes+1), i%(Homes+1)) })
	if err != nil {
		st.leave()
		return nil, fmt.Errorf("connect the groups: %w", err)
	}
	ctx, st.end = context.WithCancel(ctx)
	st.pinging.Go(func() { st.ping(ctx) })
	return st, nil
}

// connect connects siren k of group g, or its button when k is past the sirens.
func (st *street) connect(ctx context.Context, g, k int) error {
	o := radio.Options{Addr: st.front.addr, Local: local(40, g), KeepAlive: keepAlive, Closed: st.closed}
	if k == Homes {
		o.ClientID = buttonName(g)
		o.Acked = func(uint16) { st.acked(g, time.Now()) }
	} else {
		o.ClientID = sirenName(g, k)
		o.Heard = func(_ string, payload []byte, _ bool) { st.heard(g, k, payload, time.Now()) }
	}
	if st.front.ways.signsIn {
		o.User, o.Password = o.ClientID, password(o.ClientID)
	}
	c, err := radio.Dial(ctx, o)
	if err != nil {
		return err
	}
	if k == Homes {
		st.groups[g].button = c
		return nil
	}
	st.groups[g].sirens[k].Store(c)
	return c.Subscribe(ctx, st.front.ways.hears(g, k))
}

// local spreads connections over addresses of loopback: each has 28,000 ports.
func local(from, i int) string { return fmt.Sprintf("127.0.%d.%d", from, 1+i%20) }

func (st *street) closed(error) {
	if !st.leaving.Load() {
		st.lost.Add(1)
	}
}

// acked notes the PUBACK of group g's press.
func (st *street) acked(g int, now time.Time) {
	if r := st.round.Load(); r != nil {
		r.acked(g, now)
	}
}

// heard notes a command to siren k of group g; a little later the siren says what
// it does, as real ones do.
func (st *street) heard(g, k int, payload []byte, now time.Time) {
	on := sounds(payload)
	st.groups[g].sound[k].Store(on)
	r := st.round.Load()
	switch {
	case !on:
	case r == nil || !r.rang(g, k, now):
		st.stray.Add(1)
	}
	time.AfterFunc(confirmsAfter, func() { st.confirm(g, k, on) })
}

// confirmsAfter is how long a siren takes until it says that it sounds: a relay,
// or a hop over Zigbee.
const confirmsAfter = 20 * time.Millisecond

// confirm has siren k of group g say what it does.
func (st *street) confirm(g, k int, on bool) {
	c := st.groups[g].sirens[k].Load()
	if c == nil || st.leaving.Load() {
		return
	}
	state := `{"state":"OFF"}`
	if on {
		state = `{"state":"ON"}`
	}
	_, _ = c.Publish(radio.Message{Topic: topicOf(sirenName(g, k)) + "/state", Payload: []byte(state)}) // a lost connection is counted by closed
}

// press has the button of group g pressed: the time before its bytes go out.
func (st *street) press(r *round, g, n int) error {
	m := st.front.ways.press(g, n)
	r.press(g, time.Now())
	_, err := st.groups[g].button.Publish(m)
	return err
}

// sounding counts the sirens that were told to sound and not to stop.
func (st *street) sounding() int {
	n := 0
	for _, c := range st.groups {
		for k := range c.sound {
			if c.sound[k].Load() {
				n++
			}
		}
	}
	return n
}

// ping shows that the devices live, spread evenly over time.
func (st *street) ping(ctx context.Context) {
	var all []*radio.Client
	for _, c := range st.groups {
		all = append(all, c.all()...)
	}
	rounds(ctx, keepAlive/2, len(all), func(i int) { _ = all[i].Ping() }) // a lost connection is counted by closed
}

// rounds calls f for 0..n-1 again and again, each round in about period, until
// ctx ends.
func rounds(ctx context.Context, period time.Duration, n int, f func(i int)) {
	const step = 50 * time.Millisecond
	for done, start := 0, time.Now(); pause(ctx, step); {
		for due := int(float64(n) * float64(time.Since(start)) / float64(period)); done < due; done++ {
			f(done % n)
		}
	}
}

// leave ends all connections.
func (st *street) leave() {
	st.leaving.Store(true)
	if st.end != nil {
		st.end()
	}
	st.pinging.Wait()
	_ = each(len(st.groups), dialers, func(g int) error {
		for _, c := range st.groups[g].all() {
			c.Cut()
		}
		return nil
	})
}

// all lists the connections that there are.
func (c *corner) all() (list []*radio.Client) {
	if c.button != nil {
		list = append(list, c.button)
	}
	for k := range c.sirens {
		if s := c.sirens[k].Load(); s != nil {
			list = append(list, s)
		}
	}
	return list
}

// whole is an error when a device of the street was disconnected.
func (st *street) whole() error {
	if n := st.lost.Load(); n > 0 {
		return errors.New(count(int(n), "connection of a button or siren was lost", "connections of buttons and sirens were lost"))
	}
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
