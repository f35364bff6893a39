package sim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/radio"
)

// Options is how the village lives. A zero interval means never.
type Options struct {
	Addr      string        // of the MQTT front
	Heartbeat time.Duration // each device shows that it lives; 0 for every 45 s
	PressIn   time.Duration // mean time between presses in the whole village
	StormIn   time.Duration // time between storms
	DropIn    time.Duration // mean time between drop-outs of a hub
	DropFor   time.Duration // how long a hub is away; 0 for 10 s
	Mute      float64       // share of the sirens that never confirm, 0 to 1
	Seed      uint64
	Out       io.Writer // what happens, a line each; nil for silence
}

// Village is the simulated devices of a village file.
type Village struct {
	o      Options
	alleys []*alley
	rng    *rand.Rand // of the director's goroutine only

	mu      sync.Mutex
	presses int
}

// alley is one hub: its connection and its devices.
type alley struct {
	v        *Village
	user     string
	password string
	things   []*thing

	mu   sync.Mutex // of the things and the connection
	c    *radio.Client
	here bool      // it has said that everything is there
	away time.Time // the hub is switched off until then
}

// New makes the devices of f.
func New(f village.File, o Options) *Village {
	if o.Heartbeat == 0 {
		o.Heartbeat = 45 * time.Second
	}
	if o.DropFor == 0 {
		o.DropFor = 10 * time.Second
	}
	v := &Village{o: o, rng: rand.New(rand.NewPCG(o.Seed, 1))} // #nosec G404 -- a simulation that can be repeated
	byHub := map[string]*alley{}
	for _, h := range f.Hubs {
		byHub[h.Username] = &alley{v: v, user: h.Username, password: h.Password}
		v.alleys = append(v.alleys, byHub[h.Username])
	}
	for _, g := range f.Groups {
		for _, h := range g.Homes {
			for _, d := range h.Devices {
				a := byHub[d.Hub]
				if d.Username != "" {
					a = &alley{v: v, user: d.Username, password: d.Password}
					v.alleys = append(v.alleys, a)
				}
				if a != nil {
					a.things = append(a.things, &thing{NewDevice: d.NewDevice, mute: d.Kind == signal.Siren && v.rng.Float64() < o.Mute})
				}
			}
		}
	}
	return v
}

// Run lives until ctx ends and all connections are closed.
func (v *Village) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, a := range v.alleys {
		wg.Go(func() { a.run(ctx) })
	}
	wg.Go(func() { v.direct(ctx) })
	wg.Wait()
}

func (v *Village) say(format string, args ...any) {
	if v.o.Out == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _ = fmt.Fprintf(v.o.Out, time.Now().Format("15:04:05.000 ")+format+"\n", args...)
}

// run keeps the hub connected.
func (a *alley) run(ctx context.Context) {
	for ctx.Err() == nil {
		a.mu.Lock()
		away := time.Until(a.away)
		a.mu.Unlock()
		if away > 0 {
			pause(ctx, away)
			continue
		}
		if err := a.live(ctx); err != nil && ctx.Err() == nil {
			a.v.say("hub %s: %v", a.user, err)
			pause(ctx, time.Second)
		}
	}
}

// live is one connection from sign-in to its end.
func (a *alley) live(ctx context.Context) error {
	c, err := radio.Dial(ctx, radio.Options{
		Addr: a.v.o.Addr, ClientID: "sim-" + a.user, User: a.user, Password: a.password, KeepAlive: 30 * time.Second,
		Will:  &radio.Message{Topic: "zigbee2mqtt/bridge/state", Payload: []byte(`{"state":"offline"}`), QoS: 1, Retain: true},
		Heard: a.heard,
	})
	if err != nil {
		return err
	}
	defer c.Cut()
	a.mu.Lock()
	a.c = c
	a.mu.Unlock()
	defer a.present(false)
	if err := a.arrive(ctx, c); err != nil {
		return err
	}
	a.present(true)
	return a.beat(ctx, c)
}

func (a *alley) present(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.here = yes
}

// arrive says that hub and devices are there and listens for commands.
func (a *alley) arrive(ctx context.Context, c *radio.Client) error {
	if err := a.send(radio.Message{Topic: "zigbee2mqtt/bridge/state", Payload: []byte(`{"state":"online"}`), QoS: 1, Retain: true}); err != nil {
		return err
	}
	for _, d := range a.things {
		if err := a.send(append(d.presence(true), d.alive()...)...); err != nil {
			return err
		}
		if filter := d.hears(); filter != "" {
			if err := c.Subscribe(ctx, filter); err != nil {
				return err
			}
		}
	}
	return nil
}

// beat shows that the devices live until the connection or ctx ends.
func (a *alley) beat(ctx context.Context, c *radio.Client) error {
	tick := time.NewTicker(a.v.o.Heartbeat)
	defer tick.Stop()
	ping := time.NewTicker(20 * time.Second)
	defer ping.Stop()
	for {
		select {
		case <-tick.C:
			a.mu.Lock()
			var all []radio.Message
			for _, d := range a.things {
				all = append(all, d.alive()...)
			}
			a.mu.Unlock()
			if err := a.send(all...); err != nil {
				return err
			}
		case <-ping.C:
			if err := c.Ping(); err != nil {
				return err
			}
		case <-c.Done():
			return fmt.Errorf("connection ended")
		case <-ctx.Done():
			return nil
		}
	}
}

// heard obeys a command.
func (a *alley) heard(topic string, payload []byte, _ bool) {
	var echo []radio.Message
	a.mu.Lock()
	for _, d := range a.things {
		if !radio.Match(d.hears(), topic) {
			continue
		}
		was := d.sounding
		echo = append(echo, d.told(topic, string(payload))...)
		if was != d.sounding {
			a.v.say("siren %s: %s", d.ID, onOff(d.sounding))
		}
	}
	a.mu.Unlock()
	_ = a.send(echo...) // a broken connection is noticed by beat
}

func (a *alley) send(ms ...radio.Message) error {
	a.mu.Lock()
	c := a.c
	a.mu.Unlock()
	if c == nil {
		return fmt.Errorf("not connected")
	}
	for _, m := range ms {
		if _, err := c.Publish(m); err != nil {
			return err
		}
	}
	return nil
}

// direct lets things happen: presses, storms, drop-outs.
func (v *Village) direct(ctx context.Context) {
	press, storm, drop := v.timer(v.o.PressIn), v.timer(0), v.timer(v.o.DropIn)
	if v.o.StormIn > 0 {
		storm = time.NewTimer(v.o.StormIn)
	}
	for {
		select {
		case <-press.C:
			v.pressSomewhere()
			press = v.timer(v.o.PressIn)
		case <-storm.C:
			v.say("storm: every group is pressed")
			v.Storm()
			storm = time.NewTimer(v.o.StormIn)
		case <-drop.C:
			v.dropSomewhere()
			drop = v.timer(v.o.DropIn)
		case <-ctx.Done():
			return
		}
	}
}

// timer fires after a random time with that mean; never for 0.
func (v *Village) timer(mean time.Duration) *time.Timer {
	if mean <= 0 {
		t := time.NewTimer(time.Hour)
		t.Stop()
		return t
	}
	return time.NewTimer(time.Duration(v.rng.ExpFloat64() * float64(mean)))
}

func (v *Village) pressSomewhere() {
	a := v.alleys[v.rng.IntN(len(v.alleys))]
	raisers := slices.DeleteFunc(slices.Clone(a.things), func(d *thing) bool { return d.hears() != "" || d.Kind == signal.Hub })
	if len(raisers) > 0 {
		v.press(a, raisers[v.rng.IntN(len(raisers))])
	}
}

// press lets d raise an alarm.
func (v *Village) press(a *alley, d *thing) {
	v.mu.Lock()
	v.presses++
	n := v.presses
	v.mu.Unlock()
	alarm, calm := d.danger(n)
	v.say("%s %s", d.Kind, d.ID)
	if err := a.send(append(alarm, calm...)...); err != nil {
		v.say("%s %s: %v", d.Kind, d.ID, err)
	}
}

// Press lets the first device of kind k in home h raise an alarm. It reports
// whether there is one.
func (v *Village) Press(h place.HomeID, k signal.DeviceKind) bool {
	for _, a := range v.alleys {
		for _, d := range a.things {
			if d.Home == h && d.Kind == k {
				v.press(a, d)
				return true
			}
		}
	}
	return false
}

// Storm presses one button of every hub at once.
func (v *Village) Storm() {
	var wg sync.WaitGroup
	for _, a := range v.alleys {
		i := slices.IndexFunc(a.things, func(d *thing) bool { return d.Kind == signal.Button })
		if i >= 0 {
			wg.Go(func() { v.press(a, a.things[i]) })
		}
	}
	wg.Wait()
}

// Connected is how many hubs and devices with a connection of their own are there,
// listening for commands.
func (v *Village) Connected() (n int) {
	for _, a := range v.alleys {
		a.mu.Lock()
		if a.here {
			n++
		}
		a.mu.Unlock()
	}
	return n
}

// Sounding lists the sirens that sound now.
func (v *Village) Sounding() (ids []signal.DeviceID) {
	for _, a := range v.alleys {
		a.mu.Lock()
		for _, d := range a.things {
			if d.sounding {
				ids = append(ids, d.ID)
			}
		}
		a.mu.Unlock()
	}
	slices.Sort(ids)
	return ids
}

func (v *Village) dropSomewhere() {
	a := v.alleys[v.rng.IntN(len(v.alleys))]
	a.mu.Lock()
	a.away = time.Now().Add(v.o.DropFor)
	c := a.c
	a.mu.Unlock()
	v.say("hub %s: power cut for %v", a.user, v.o.DropFor)
	if c != nil {
		c.Cut()
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
