package app

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/engine/clock"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/radio"
)

// crowd is many connections, one for each home's siren.
type crowd struct {
	addr string
	file village.File

	mu   sync.Mutex
	told map[string]string // newest command, by topic
	live []*radio.Client
}

// gather connects everybody at once and waits until all are there.
func (c *crowd) gather(t *testing.T) {
	t.Helper()
	var wg sync.WaitGroup
	for g, group := range c.file.Groups {
		for _, home := range group.Homes {
			wg.Go(func() {
				hub := c.file.Hubs[g]
				topic := "zigbee2mqtt/" + string(home.ID) + "-siren/set"
				x, err := radio.Dial(t.Context(), radio.Options{Addr: c.addr, ClientID: "storm-" + string(home.ID), User: hub.Username, Password: hub.Password, KeepAlive: 30 * time.Second, Heard: func(topic string, payload []byte, _ bool) {
					c.mu.Lock()
					c.told[topic] = string(payload)
					c.mu.Unlock()
				}})
				if err == nil {
					err = x.Subscribe(t.Context(), topic)
				}
				if err != nil {
					t.Errorf("%s: %v", home.ID, err)
					return
				}
				c.mu.Lock()
				c.live = append(c.live, x)
				c.mu.Unlock()
			})
		}
	}
	wg.Wait()
}

func (c *crowd) cut() {
	c.mu.Lock()
	live := c.live
	c.live, c.told = nil, map[string]string{}
	c.mu.Unlock()
	for _, x := range live {
		x.Cut()
	}
}

// sounding lists the homes whose siren was told to sound, of those in group.
func (c *crowd) sounding(group string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, cmd := range c.told {
		if strings.HasPrefix(topic, "zigbee2mqtt/"+group+"-") && strings.Contains(cmd, "emergency") {
			n++
		}
	}
	return n
}

// TestReconnectStormWithAnAlarmInside cuts 504 connections and lets them all come
// back at once; somebody presses in the middle of it. Every siren of that group
// is told, the first time or when it is back, and no other one.
func TestReconnectStormWithAnAlarmInside(t *testing.T) {
	const groups, homes = 72, 7
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"}
	file := village.Sample(groups, homes)
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := file.Write(&text); err != nil {
		t.Fatal(err)
	}
	if rep, err := village.Import(t.Context(), db, &text, village.Options{}); err != nil {
		t.Fatal(err, rep.Rows)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	a := again(t, o)
	c := &crowd{addr: a.MQTTAddr(), file: file, told: map[string]string{}}
	c.gather(t)
	t.Cleanup(c.cut)
	until(t, "all are connected", func() bool { return a.listener.Stats().Connections == groups*homes })
	c.cut()
	var back sync.WaitGroup
	back.Go(func() { c.gather(t) })
	pressed := []string{"g3", "g40", "g72"}
	for k, g := range pressed {
		hub := file.Hubs[map[string]int{"g3": 2, "g40": 39, "g72": 71}[g]]
		h := connect(t, a.MQTTAddr(), radio.Options{User: hub.Username, Password: hub.Password})
		h.tell("zigbee2mqtt/"+g+"-h1-button", fmt.Sprintf(`{"action":"single","linkquality":%d}`, k), false)
	}
	back.Wait()
	for _, g := range pressed {
		until(t, "every siren of "+g+" is told", func() bool { return c.sounding(g) == homes })
	}
	for k := range groups {
		g := fmt.Sprintf("g%d", k+1)
		if n := c.sounding(g); n > 0 && !strings.Contains(strings.Join(pressed, " ")+" ", g+" ") {
			t.Errorf("%d sirens of %s were told to sound, where nobody pressed", n, g)
		}
	}
	if list := open(t, a); len(list) != len(pressed) {
		t.Errorf("%d incidents, want %d", len(list), len(pressed))
	}
	if n := a.listener.Stats().Connections; n != groups*homes+int64(len(pressed)) {
		t.Errorf("%d connections", n)
	}
}

// TestNoSirenWithoutIncidentTenSecondsAfterRestart restarts Keng while a siren
// sounds for an incident that was closed when the siren could not be reached.
func TestNoSirenWithoutIncidentTenSecondsAfterRestart(t *testing.T) {
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"}
	a := alley(t, o)
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("keng/button", `{"event":"press","id":"1"}`, false)
	until(t, "the sirens are told", func() bool { return strings.Contains(h.heard("keng/siren/set"), `"ON"`) })
	h.c.Cut()
	for _, i := range open(t, a) {
		if _, err := a.Alarm.Close(t.Context(), alarm.Act{By: desk}, i.ID, "real", ""); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, a)
	a = again(t, o)
	back := time.Now()
	h = connect(t, a.MQTTAddr(), asHub)
	h.tell("keng/siren", `{"state":"ON"}`, false) // it still does
	h.tell("stat/plug2/RESULT", `{"POWER":"ON"}`, false)
	for _, quiet := range []struct{ topic, word string }{{"keng/siren/set", `"OFF"`}, {"cmnd/plug2/POWER", "OFF"}, {"esp1/switch/siren/command", "OFF"}, {"zigbee2mqtt/siren/set", `"stop"`}} {
		until(t, quiet.topic+" is told to be quiet", func() bool {
			return strings.Contains(h.heard(quiet.topic)+h.heard(quiet.topic+"1"), quiet.word)
		})
	}
	if took := time.Since(back); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if list := open(t, a); len(list) != 0 {
		t.Errorf("a siren's own word opened %+v", list)
	}
}

// TestEscalationKeepsItsSecondsThroughAClockJump sets the machine's clock while
// steps are due within seconds: they come when the plan says.
func TestEscalationKeepsItsSecondsThroughAClockJump(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			var off atomic.Int64 // ns
			start := time.Now()
			c := clock.Of(func() time.Time { return time.Now().Add(time.Duration(off.Load())).Round(0) }, func() time.Duration { return time.Since(start) })
			o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", Clock: c}
			a := planned(t, o, `{"panic": {"steps": [{"name": "desk", "after": 4, "if": "desk_mute", "call": ["desk_sound"]}]}}`)
			h := connect(t, a.MQTTAddr(), asHub)
			pressed := time.Now()
			h.tell("keng/button", `{"event":"press","id":"1"}`, false)
			off.Store(int64(by))
			until(t, "the jump is seen", func() bool { return !a.Health(nil).Clock.OK })
			if open(t, a)[0].DeskSound && time.Since(pressed) < 3500*time.Millisecond {
				t.Error("the desk sounds too early")
			}
			until(t, "the desk sounds", func() bool { return open(t, a)[0].DeskSound })
			if took := time.Since(pressed); took > 5500*time.Millisecond {
				t.Errorf("the desk sounded %v after the press, the plan says 4 s", took)
			}
			if j := a.Health(nil).Clock.Jumped; j < int(by.Seconds())-2 || j > int(by.Seconds())+2 {
				t.Errorf("the desk is told of %d s", j)
			}
		})
	}
}

// planned is [alley] with a plan of the group's own.
func planned(t *testing.T, o Options, plan string) *App {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(yaml, "    neighbourhood: Tổ 5\n", "    neighbourhood: Tổ 5\n    plan: "+plan+"\n", 1)
	if rep, err := village.Import(t.Context(), db, strings.NewReader(text), village.Options{}); err != nil {
		t.Fatalf("%v %+v", err, rep.Rows)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return again(t, o)
}
