package app

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/village"
)

// ether is a hub and its sirens as they really are: what they are told may be lost
// on the air although the hub acknowledged it, and the hub may be away.
type ether struct {
	mu    sync.Mutex
	until map[string]time.Time // a siren sounds until then
	lose  map[string]int       // commands that are still to be lost
	away  bool
}

// Send implements [broker.Front].
func (e *ether) Send(_ broker.Space, topic string, payload []byte, _ time.Duration, acked func()) int {
	home, ok := strings.CutSuffix(strings.TrimPrefix(topic, "keng/"), "-siren/set")
	if !ok {
		return 1
	}
	var want struct {
		State    string
		Duration int
	}
	if err := json.Unmarshal(payload, &want); err != nil {
		panic(err)
	}
	e.mu.Lock()
	if e.away {
		e.mu.Unlock()
		return 0
	}
	switch {
	case e.lose[home] > 0 && time.Now().Before(e.until[home]) != (want.State == "ON"): // it would change something
		e.lose[home]--
	case want.State == "ON":
		e.until[home] = time.Now().Add(time.Duration(want.Duration) * time.Second)
	default:
		delete(e.until, home)
	}
	e.mu.Unlock()
	acked()
	return 1
}

// Retain implements [broker.Front].
func (e *ether) Retain(broker.Space, string, []byte) {}

func (e *ether) sounds(home place.HomeID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Before(e.until[string(home)])
}

// days is devices and alarms at work together, and what really sounds.
type days struct {
	t      *testing.T
	rng    *rand.Rand
	data   string
	a      *App
	air    *ether
	n      int
	unsafe int // messages without their acknowledgement
	presses, restarts, closed,
	silenced int
}

const streets, houses = 3, 4

func (d *days) village() string {
	var b strings.Builder
	b.WriteString("commune: \"04792\"\nhubs:\n  - {username: alley12, password: secret-1}\ngroups:\n")
	for g := range streets {
		fmt.Fprintf(&b, "  - id: g%d\n    name: Tổ %d\n    neighbourhood: Tổ 5\n    homes:\n", g+1, g+1)
		for h := range houses {
			id := fmt.Sprintf("g%d-h%d", g+1, h+1)
			fmt.Fprintf(&b, "      - id: %s\n        name: Nhà %s\n        address: Ngõ 12\n        devices:\n", id, id)
			for _, kind := range []string{"button", "smoke", "siren"} {
				fmt.Fprintf(&b, "          - {id: %s-%s, kind: %s, dialect: json, topic: keng/%s-%s, hub: alley12}\n", id, kind, kind, id, kind)
			}
		}
	}
	return b.String()
}

// begin starts the parts that ring, on the data that is there.
func (d *days) begin() {
	a, err := New(d.t.Context(), Options{Data: d.data})
	if err != nil {
		d.t.Fatal(err)
	}
	d.a = a
	if err := a.Alarm.Load(d.t.Context(), a.journal); err != nil {
		d.t.Fatal(err)
	}
	a.Devices.Join(device.Links{Front: d.air, Alarms: a.Alarm, Reports: reports{a.Alarm}})
	a.Alarm.Resume()
	a.Devices.Start()
	a.later("devices", a.Devices.Stop)
	a.run("alarm", func(ctx context.Context) { a.Alarm.Run(ctx) })
	a.Devices.Connected("alley12", "hub")
	a.Devices.Subscribed("alley12", "hub", "#")
}

// end stops what runs; once more is nothing.
func (d *days) end() {
	if err := d.a.Stop(context.WithoutCancel(d.t.Context())); err != nil {
		d.t.Error(err)
	}
}

// say publishes as the hub does; what is not acknowledged is a fault here, where the
// disk is well.
func (d *days) say(topic, payload string) {
	d.unsafe++
	done := make(chan struct{})
	d.a.Devices.Publish(broker.Publish{Space: "alley12", ClientID: "hub", Topic: topic, Payload: []byte(payload), QoS: 1}, func() { close(done) })
	<-done
	d.unsafe--
}

// open lists the open incidents, oldest first.
func (d *days) open() []alarm.IncidentView {
	list, err := d.a.Alarm.List(d.t.Context(), desk, d.a.Village.Directory().In(desk.Scope), alarm.Which{State: "open"})
	if err != nil {
		d.t.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

// something happens.
func (d *days) something() {
	d.n++
	home := fmt.Sprintf("g%d-h%d", d.rng.IntN(streets)+1, d.rng.IntN(houses)+1)
	d.air.mu.Lock()
	for h := range houses { // radio is bad around that home for a moment
		d.air.lose[fmt.Sprintf("%s-h%d", home[:2], h+1)] = d.rng.IntN(3)
	}
	d.air.mu.Unlock()
	act := alarm.Act{By: desk}
	switch d.rng.IntN(8) {
	case 0, 1:
		d.presses++
		d.say("keng/"+home+"-button", fmt.Sprintf(`{"event":"press","id":"p-%d"}`, d.n))
	case 2:
		d.presses++
		d.say("keng/"+home+"-smoke", `{"smoke":true}`)
		d.say("keng/"+home+"-smoke", `{"smoke":false}`)
	case 3, 4:
		for _, i := range d.open() {
			if _, err := d.a.Alarm.Close(d.t.Context(), act, i.ID, alarm.Real, ""); err != nil {
				d.t.Fatal(err)
			}
			d.closed++
		}
	case 5:
		for _, i := range d.open() {
			if _, err := d.a.Alarm.Silence(d.t.Context(), act, i.ID, "", 0); err == nil {
				d.silenced++
			}
		}
	case 6:
		d.air.mu.Lock()
		d.air.away = true
		d.air.mu.Unlock()
		d.a.Devices.Gone("alley12", "hub", false)
		time.Sleep(time.Duration(d.rng.IntN(600)) * time.Second)
		d.air.mu.Lock()
		d.air.away = false
		d.air.mu.Unlock()
		d.a.Devices.Connected("alley12", "hub")
		d.a.Devices.Subscribed("alley12", "hub", "#")
	case 7:
		d.restarts++
		d.end()
		d.begin()
	}
}

// agree waits until the radio is over its fit and holds what sounds against what
// the incidents say. A run of the sirens may have begun or ended a moment before;
// then it waits once more.
func (d *days) agree() {
	wrong := d.disagreement()
	if wrong != "" {
		wrong = d.disagreement()
	}
	if wrong != "" {
		d.t.Fatalf("after %d events: %s", d.n, wrong)
	}
	if r := d.a.Alarm.Audit(); !r.OK {
		d.t.Fatalf("after %d events: %+v", d.n, r.Violations)
	}
}

func (d *days) disagreement() string {
	time.Sleep(32 * time.Second)
	synctest.Wait()
	for _, g := range d.a.Village.Directory().Groups() {
		want := d.a.Alarm.Desired(g.ID)
		for _, h := range g.Homes {
			if should, does := want.Sounding && !slices.Contains(want.Quiet, h.ID), d.air.sounds(h.ID); should != does {
				return fmt.Sprintf("siren of %s sounds: %v, it should: %v", h.ID, does, should)
			}
		}
	}
	return ""
}

// TestDaysOfDevicesAndAlarms plays days of a village, devices and alarms together on
// a real database: presses, smoke, silences, closings, a hub that is away, radio
// that loses commands, restarts. Half a minute after anything, exactly those sirens
// sound that the incidents say. Three days; thirty in a soak.
func TestDaysOfDevicesAndAlarms(t *testing.T) {
	long := 3
	if os.Getenv("KENG_SOAK") != "" {
		long = 30
	}
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			data := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				d := &days{t: t, rng: rand.New(rand.NewPCG(seed, 11)), data: data, air: &ether{until: map[string]time.Time{}, lose: map[string]int{}}} // #nosec G404 -- days that can be repeated
				db, err := Open(t.Context(), Options{Data: data})
				if err != nil {
					t.Fatal(err)
				}
				if rep, err := village.Import(t.Context(), db, strings.NewReader(d.village()), village.Options{}); err != nil {
					t.Fatalf("%v %+v", err, rep.Rows)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				d.begin()
				t.Cleanup(d.end)
				for end := time.Now().Add(time.Duration(long) * 24 * time.Hour); time.Now().Before(end); {
					d.something()
					d.agree()
					if d.rng.IntN(3) > 0 {
						time.Sleep(time.Duration(d.rng.IntN(4*3600)) * time.Second)
					}
				}
				got, err := d.a.journal.Verify(t.Context())
				if err != nil || len(got.Wrong) > 0 {
					t.Errorf("%v, %v", got, err)
				}
				t.Logf("%d events: %d alarms, %d restarts, %d closings, %d silences; %s", d.n, d.presses, d.restarts, d.closed, d.silenced, got)
				if d.presses == 0 || d.restarts == 0 || d.closed == 0 || d.silenced == 0 {
					t.Error("too little happened: the test tested nothing")
				}
			})
		})
	}
}
