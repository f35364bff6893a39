package device

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// TestEverybodyAtOnce lets devices, hubs, alarms, people and an import do what
// they do at the same time. The race detector watches; and in the end all
// messages are acknowledged and every siren was told the last desire.
func TestEverybodyAtOnce(t *testing.T) {
	devices := append(complete(), dev("s2", "h2", signal.Siren, "mute"), dev("s9", "h9", signal.Siren, ""))
	r := bare(Config{}, devices...)
	r.alarms.ring = func(s signal.Signal) {
		r.Desire(s.Group, Desire{Sounding: true, Incident: "i1", Origins: []place.HomeID{s.Home}})
	}
	r.Start()
	var acked, said atomic.Int64
	var crowd sync.WaitGroup
	for g := range 8 {
		crowd.Go(func() {
			for i := range 300 {
				id := []string{"b1", "d1", "s1", "s2", "s9", "stranger"}[(g+i)%6]
				word := []string{"press", "alarm", "restore", "sounding", "quiet", "beat", "online", "offline", "nonsense"}[(g*7+i)%9]
				said.Add(1)
				r.Publish(broker.Publish{Space: "alley12", Topic: "plain/" + id, Payload: []byte(word), Retain: i%11 == 0, Dup: i%7 == 0}, func() { acked.Add(1) })
			}
		})
	}
	for _, job := range []func(i int){
		func(i int) { r.Desire("g1", Desire{Sounding: i%2 == 0, Incident: "i2"}) },
		func(i int) { r.Subscribed("alley12", "hub", []string{"#", "plain/s1/set"}[i%2]) },
		func(i int) {
			r.Connected("alley12", fmt.Sprintf("s%d", i%3))
			r.Gone("alley12", fmt.Sprintf("s%d", i%3), false)
		},
		func(int) { r.wire(devices...) },
		func(i int) { hubSays(r, "x", []string{"found plain/d1", "found plain/n", "online", "offline"}[i%4]) },
		func(int) {
			r.Homes("g1")
			r.Devices("g1")
			r.Health(nil)
			r.Hubs(nil)
			r.Strangers("g1")
			r.Sirens()
			r.Stats()
		},
		func(int) { r.Disagreeing("g1", fire); r.SignIn("alley12", "secret-1") },
	} {
		crowd.Go(func() {
			for i := range 100 {
				job(i)
			}
		})
	}
	crowd.Wait()
	if acked.Load() != said.Load() {
		t.Errorf("%d of %d messages acknowledged", acked.Load(), said.Load())
	}
	r.Desire("g1", Desire{})
	r.Desire("g2", Desire{})
	if d := append(r.Disagreeing("g1", Desire{}), r.Disagreeing("g2", Desire{})...); len(d) > 0 {
		t.Errorf("%v were not told to stop", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Error(err)
	}
	last := map[string]string{}
	for _, s := range r.front.take() {
		last[s.topic] = s.payload
	}
	for topic, payload := range last {
		if payload != "off" {
			t.Errorf("%s was last told %s", topic, payload)
		}
	}
}
