package device

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// plain is a dialect for tests: a word and options. "press", "press seq=7",
// "alarm", "restore", "test", "beat", "low", "ok 80", "sounding", "quiet",
// "online", "offline", "at=<unix ms>" for the sender's time; "boom" panics, any
// other word is not understood. A siren of model "mute" never confirms.
type plain struct{}

func (plain) Name() string                     { return "plain" }
func (plain) Topics(d dialect.Device) []string { return []string{d.Topic, d.Topic + "/status"} }
func (plain) Confirms(d dialect.Device) bool   { return d.Model != "mute" }

var plainWords = map[string]dialect.Reading{
	"press": {Kind: signal.Alarm}, "alarm": {Kind: signal.Alarm, Level: true}, "restore": {Kind: signal.Restore, Level: true},
	"test": {Kind: signal.Test}, "beat": {Kind: signal.Heartbeat}, "low": {Kind: signal.LowBattery, Level: true, Number: 5},
	"sounding": {Kind: signal.Sounding, Level: true}, "quiet": {Kind: signal.Quiet, Level: true},
	"online": {Kind: signal.Online, Level: true}, "offline": {Kind: signal.Offline, Level: true},
	"fault": {Kind: signal.Fault, Level: true}, "tamper": {Kind: signal.TamperOpen, Level: true},
}

func (plain) Decode(_ dialect.Device, m dialect.Message) ([]dialect.Reading, error) {
	words := strings.Fields(string(m.Payload))
	if len(words) == 0 {
		return nil, nil
	}
	if words[0] == "boom" {
		panic("boom")
	}
	r, ok := plainWords[words[0]]
	if !ok {
		return nil, fmt.Errorf("word %q is not known", words[0])
	}
	r.Property = "p"
	for _, w := range words[1:] {
		if s, ok := strings.CutPrefix(w, "seq="); ok {
			r.Seq = s
		}
		var ms int64
		if n, _ := fmt.Sscanf(w, "at=%d", &ms); n == 1 {
			r.SeenAt = time.UnixMilli(ms)
		}
	}
	return []dialect.Reading{r}, nil
}

func (plain) Command(d dialect.Device, w dialect.Want) ([]dialect.Message, error) {
	switch {
	case d.Model == "broken":
		return nil, errors.New("cannot")
	case !w.Sounding:
		return []dialect.Message{{Topic: d.Topic + "/set", Payload: []byte("off")}}, nil
	}
	long := w.Duration
	if d.Model == "short" {
		long = min(long, 60*time.Second)
	}
	return []dialect.Message{{Topic: d.Topic + "/set", Payload: fmt.Appendf(nil, "%s %d", w.Pattern, int(long.Seconds()))}}, nil
}

func (plain) HubTopics() []string { return []string{"plain/bridge/+"} }

func (plain) DecodeHub(m dialect.Message) (dialect.HubReport, error) {
	word, rest, _ := strings.Cut(string(m.Payload), " ")
	switch word {
	case "online":
		return dialect.HubReport{Presence: signal.Online}, nil
	case "offline":
		return dialect.HubReport{Presence: signal.Offline}, nil
	case "found":
		return dialect.HubReport{Found: []dialect.Found{{Topic: rest, Name: rest, Model: "m", Kind: signal.Smoke, Capabilities: []byte(`{"of":"` + rest + `"}`)}}}, nil
	case "gone":
		return dialect.HubReport{Found: []dialect.Found{{Topic: rest, Gone: true}}}, nil
	case "boom":
		panic("boom")
	}
	return dialect.HubReport{}, errors.New("not understood")
}

// sent is one command that left.
type sent struct {
	at      time.Duration // since the front was made
	topic   string
	payload string
	ttl     time.Duration
}

func (s sent) String() string { return fmt.Sprintf("%s %s %s", s.at, s.topic, s.payload) }

// front records what is sent.
type front struct {
	mu       sync.Mutex
	start    time.Time
	sent     []sent
	retained map[string]string
	deaf     bool // nobody subscribed
	noAck    bool
	onSend   func(topic, payload string)
}

func newFront() *front { return &front{start: time.Now(), retained: map[string]string{}} }

func (f *front) Send(_ broker.Space, topic string, payload []byte, ttl time.Duration, acked func()) int {
	f.mu.Lock()
	f.sent = append(f.sent, sent{time.Since(f.start), topic, string(payload), ttl})
	deaf, ack, hook := f.deaf, !f.noAck, f.onSend
	f.mu.Unlock()
	if hook != nil {
		hook(topic, string(payload))
	}
	if deaf {
		return 0
	}
	if ack && acked != nil {
		acked()
	}
	return 1
}

func (f *front) Retain(s broker.Space, topic string, payload []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retained[string(s)+" "+topic] = string(payload)
}

// take returns what was sent since the last call.
func (f *front) take() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sent
	f.sent = nil
	return s
}

func (f *front) set(change func(*front)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// lines is list as text, without times to live.
func lines(list []sent) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.String())
	}
	return out
}

// village is groups of homes for tests.
type village map[place.GroupID][]place.HomeID

func (v village) Group(id place.GroupID) (place.Group, bool) {
	homes, ok := v[id]
	g := place.Group{ID: id, Commune: "04792"}
	for _, h := range homes {
		g.Homes = append(g.Homes, place.Home{ID: h, Group: id})
	}
	return g, ok
}

func (v village) GroupOf(h place.HomeID) (place.Group, bool) {
	for id, homes := range v {
		if slices.Contains(homes, h) {
			return v.Group(id)
		}
	}
	return place.Group{}, false
}

var alley = village{"g1": {"h1", "h2", "h3"}, "g2": {"h9"}}

// alarms remembers what was passed on, rings, and holds done back when asked to.
type alarms struct {
	mu    sync.Mutex
	taken []signal.Signal
	waits []func()
	slow  bool // the disk is not there yet
	ring  func(signal.Signal)
}

func (a *alarms) Take(s signal.Signal, done func()) {
	a.mu.Lock()
	a.taken = append(a.taken, s)
	slow := a.slow
	if slow {
		a.waits = append(a.waits, done)
	}
	a.mu.Unlock()
	if a.ring != nil {
		a.ring(s)
	}
	if !slow {
		done()
	}
}

func (a *alarms) take() []signal.Signal {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.taken
	a.taken = nil
	return t
}

// release lets everybody go who waits for the disk.
func (a *alarms) release() {
	a.mu.Lock()
	w := a.waits
	a.waits = nil
	a.mu.Unlock()
	for _, f := range w {
		f()
	}
}

// journal writes nothing and says it did, or holds it back.
type journal struct {
	mu    sync.Mutex
	ops   int
	waits []func(error)
	slow  bool
	fails error
	held  atomic.Int32 // between Hold and Release
}

func (j *journal) Hold() { j.held.Add(1) }

func (j *journal) Release() { j.held.Add(-1) }

func (j *journal) Do(_ store.Op, done func(error)) {
	j.mu.Lock()
	j.ops++
	slow := j.slow
	if slow {
		j.waits = append(j.waits, done)
	}
	j.mu.Unlock()
	if !slow && done != nil {
		done(j.fails)
	}
}

// written is how many ops came since the last call.
func (j *journal) written() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := j.ops
	j.ops = 0
	return n
}

func (j *journal) release() {
	j.mu.Lock()
	w := j.waits
	j.waits = nil
	j.mu.Unlock()
	for _, f := range w {
		if f != nil {
			f(nil)
		}
	}
}

// told remembers what it was told.
type told struct {
	mu      sync.Mutex
	notices []Notice
	changed []place.GroupID
}

func (x *told) Noticed(n Notice) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.notices = append(x.notices, n)
}

func (x *told) Changed(g place.GroupID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changed = append(x.changed, g)
}

func (x *told) take() ([]Notice, []place.GroupID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n, c := x.notices, x.changed
	x.notices, x.changed = nil, nil
	return n, c
}

// rig is a service without a database.
type rig struct {
	*Service
	front   *front
	alarms  *alarms
	journal *journal
	told    *told
	reports *reports
}

type reports struct {
	mu   sync.Mutex
	list []string
}

func (r *reports) Siren(_ place.GroupID, h place.HomeID, d signal.DeviceID, incident string, l Ladder, _ time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, fmt.Sprintf("%s %s %s L%d", incident, h, d, l))
}

func (r *reports) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.list
	r.list = nil
	slices.Sort(l)
	return l
}

func dev(id string, home place.HomeID, kind signal.DeviceKind, model string) NewDevice {
	return NewDevice{ID: signal.DeviceID(id), Home: home, Kind: kind, Dialect: "plain", Topic: "plain/" + id, Hub: "alley12", Model: model}
}

// sirensOf are three homes with a siren each and a button in the first.
func sirensOf(models ...string) []NewDevice {
	list := []NewDevice{dev("b1", "h1", signal.Button, "")}
	for i, m := range models {
		list = append(list, dev(fmt.Sprintf("s%d", i+1), place.HomeID(fmt.Sprintf("h%d", i+1)), signal.Siren, m))
	}
	return list
}

// bare makes a service of devices, without a database, not started.
func bare(c Config, devices ...NewDevice) *rig {
	r := &rig{front: newFront(), alarms: &alarms{}, journal: &journal{}, told: &told{}, reports: &reports{}}
	c.Journal, c.Places, c.Log = r.journal, alley, slog.New(slog.DiscardHandler)
	if c.Dialects == nil {
		c.Dialects = map[string]dialect.Dialect{"plain": plain{}, "webhook": OffMQTT("webhook")}
	}
	r.Service = newService(c)
	r.wire(devices...)
	r.Join(Links{Front: r.front, Alarms: r.alarms, Reports: r.reports, Told: r.told})
	return r
}

// wire puts devices in the place of those that were there.
func (r *rig) wire(devices ...NewDevice) {
	rows := map[signal.DeviceID]deviceRow{}
	for _, d := range devices {
		rows[d.ID] = deviceRow{NewDevice: d}
	}
	hubs := map[string]hubRow{"alley12": {name: "alley12", secretHash: hashSecret("secret-1"), webhookKey: WebhookKey("secret-1")}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keepLives(hubs, rows, nil, nil)
	r.src.hubs, r.src.devices = hubs, rows
	r.rebuild()
}

// start starts the service and stops it when the test ends.
func (r *rig) start(t *testing.T) {
	t.Helper()
	r.Start()
	t.Cleanup(func() {
		r.journal.mu.Lock()
		r.journal.slow = false
		r.journal.mu.Unlock()
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// say publishes a message of device id and reports whether it was acknowledged
// before Publish returned.
func (r *rig) say(id, payload string, flags ...func(*broker.Publish)) (acked bool) {
	p := broker.Publish{Space: "alley12", Topic: "plain/" + id, Payload: []byte(payload), QoS: 1}
	for _, f := range flags {
		f(&p)
	}
	n := 0
	r.Publish(p, func() { n++ })
	return n == 1
}

func retained(p *broker.Publish) { p.Retain = true }
func dup(p *broker.Publish)      { p.Dup = true }

// panelFunc shows a group to Home Assistant.
type panelFunc func(string) []dialect.Message

func (f panelFunc) Show(g place.GroupID) []dialect.Message { return f(string(g)) }
