package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/device"
	"github.com/keng-vn/keng/internal/engine/clock"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/village"
	"github.com/keng-vn/keng/internal/village/radio"
)

// yaml is a small village with a button and a detector in every dialect, and a
// siren that each can command.
const yaml = `commune: "04792"
hubs:
  - {username: alley12, password: secret-1}
groups:
  - id: g1
    name: Tổ liên gia số 1
    neighbourhood: Tổ 5
    homes:
      - id: g1-h1
        name: Nhà số 10
        address: Số 10, ngõ 12
        members: [{name: Chủ hộ số 10, phone: "+84900000001", role: leader}]
        devices:
          - {id: z-smoke, kind: smoke, dialect: zigbee2mqtt, topic: zigbee2mqtt/smoke, hub: alley12}
          - {id: z-button, kind: button, dialect: zigbee2mqtt, topic: zigbee2mqtt/button, hub: alley12}
          - {id: z-siren, kind: siren, dialect: zigbee2mqtt, topic: zigbee2mqtt/siren, hub: alley12, model: HS2WD-E}
          - {id: j-button, kind: button, dialect: json, topic: keng/button, hub: alley12}
          - {id: j-hidden, kind: button, dialect: json, topic: keng/hidden, hub: alley12, category: holdup}
          - {id: j-siren, kind: siren, dialect: json, topic: keng/siren, hub: alley12}
      - id: g1-h2
        name: Nhà số 12
        address: Số 12, ngõ 12
        members: [{name: Chủ hộ số 12, role: member}]
        devices:
          - {id: t-button, kind: button, dialect: tasmota, topic: plug1, hub: alley12}
          - {id: t-siren, kind: siren, dialect: tasmota, topic: plug2, hub: alley12}
          - {id: e-button, kind: button, dialect: esphome, topic: esp1/binary_sensor/button, hub: alley12}
          - {id: e-siren, kind: siren, dialect: esphome, topic: esp1/switch/siren, hub: alley12}
          - {id: h-smoke, kind: smoke, dialect: homeassistant, topic: homeassistant/binary_sensor/kitchen, hub: alley12}
          - {id: w-button, kind: button, dialect: webhook, hub: alley12}
          - {id: p-smoke, kind: smoke, dialect: dc09, topic: "1234/05"}
`

// alley starts a Keng on o with the village above; o.Data or o.Database is set.
func alley(t *testing.T, o Options) *App {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if rep, err := village.Import(t.Context(), db, strings.NewReader(yaml), village.Options{}); err != nil {
		t.Fatalf("%v %+v", err, rep.Rows)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return again(t, o)
}

// again starts a Keng on data that is there; stop it with a.Stop.
func again(t *testing.T, o Options) *App {
	t.Helper()
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func stop(t *testing.T, a *App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// hub is a hub's connection: it publishes and remembers what it heard last.
type hub struct {
	t    *testing.T
	c    *radio.Client
	acks chan uint16

	mu   sync.Mutex
	said map[string]string
}

func connect(t *testing.T, addr string, o radio.Options) *hub {
	t.Helper()
	h := &hub{t: t, acks: make(chan uint16, 64), said: map[string]string{}}
	o.Addr, o.ClientID, o.KeepAlive = addr, "hub-"+t.Name(), 30*time.Second
	o.Acked = func(id uint16) { h.acks <- id }
	o.Heard = func(topic string, payload []byte, _ bool) {
		h.mu.Lock()
		h.said[topic] = string(payload)
		h.mu.Unlock()
	}
	var err error
	if h.c, err = radio.Dial(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.c.Cut)
	if err := h.c.Subscribe(t.Context(), "#"); err != nil {
		t.Fatal(err)
	}
	return h
}

var asHub = radio.Options{User: "alley12", Password: "secret-1"}

func (h *hub) heard(topic string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said[topic]
}

// tell publishes at QoS 1 and waits for the PUBACK.
func (h *hub) tell(topic, payload string, retain bool) {
	h.t.Helper()
	if _, err := h.c.Publish(radio.Message{Topic: topic, Payload: []byte(payload), QoS: 1, Retain: retain}); err != nil {
		h.t.Fatal(err)
	}
	select {
	case <-h.acks:
	case <-time.After(20 * time.Second):
		h.t.Fatalf("no PUBACK for %s %s", topic, payload)
	}
}

// until polls with a deadline what another goroutine or process does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

var desk = people.Actor{Token: "test", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}

// open lists the open incidents as the desk sees them.
func open(t *testing.T, a *App) []alarm.IncidentView {
	t.Helper()
	list, err := a.Alarm.List(t.Context(), desk, a.Village.Directory().Groups(), alarm.Which{State: "open"})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// hush closes what is open and waits until the sirens were told.
func hush(t *testing.T, a *App, h *hub) {
	t.Helper()
	for _, i := range open(t, a) {
		if _, err := a.Alarm.Close(t.Context(), alarm.Act{By: desk}, i.ID, alarm.UnknownCause, ""); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the sirens are told to stop", func() bool { return strings.Contains(h.heard("zigbee2mqtt/siren/set"), `"stop"`) })
}

// TestDevicesEndToEnd speaks every dialect over the wire: what must ring rings
// every siren in its own language, what must not does not.
func TestDevicesEndToEnd(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"})
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("homeassistant/binary_sensor/kitchen/config", `{"name":"Bếp","device_class":"smoke","state_topic":"ha/kitchen","availability_topic":"ha/up","unique_id":"k"}`, true)
	for _, loud := range []struct{ name, topic, payload, category string }{
		{"zigbee smoke", "zigbee2mqtt/smoke", `{"smoke":true,"battery":97}`, "fire"},
		{"zigbee button", "zigbee2mqtt/button", `{"action":"single","battery":97}`, "panic"},
		{"json button", "keng/button", `{"event":"press","id":"17"}`, "panic"},
		{"tasmota button", "stat/plug1/RESULT", `{"Button1":{"Action":"SINGLE"}}`, "panic"},
		{"esphome button", "esp1/binary_sensor/button/state", `ON`, "panic"},
		{"home assistant smoke", "ha/kitchen", `ON`, "fire"},
	} {
		h.tell(loud.topic, loud.payload, false)
		list := open(t, a)
		if len(list) != 1 || string(list[0].Category) != loud.category {
			t.Fatalf("%s: %d incidents %+v", loud.name, len(list), list)
		}
		until(t, loud.name+" rings every siren", func() bool {
			return strings.Contains(h.heard("zigbee2mqtt/siren/set"), `"emergency"`) && strings.Contains(h.heard("keng/siren/set"), `ON`) &&
				strings.Contains(h.heard("cmnd/plug2/POWER1")+h.heard("cmnd/plug2/POWER"), "ON") && h.heard("esp1/switch/siren/command") == "ON"
		})
		hush(t, a, h)
	}
	for _, silent := range []struct {
		name, topic, payload string
		retain               bool
	}{
		{"the same smoke again", "zigbee2mqtt/smoke", `{"smoke":true,"battery":97}`, false},
		{"unavailable", "zigbee2mqtt/smoke/availability", `{"state":"offline"}`, true},
		{"available", "zigbee2mqtt/smoke/availability", `{"state":"online"}`, true},
		{"the value of before", "zigbee2mqtt/smoke", `{"smoke":true,"battery":97}`, false},
		{"a bridge that restarts", "zigbee2mqtt/bridge/state", `{"state":"online"}`, true},
		{"and says it once more", "zigbee2mqtt/smoke", `{"smoke":true}`, false},
		{"a retained press", "keng/button", `{"event":"press","id":"99"}`, true},
		{"a siren's echo", "zigbee2mqtt/siren", `{"alarm":true,"warning":{"mode":"emergency"}}`, false},
		{"a relay's echo", "stat/plug2/RESULT", `{"POWER":"ON"}`, false},
		{"nonsense", "zigbee2mqtt/smoke", `{"smoke":tr`, false},
		{"a stranger", "zigbee2mqtt/nobody", `{"smoke":true}`, false},
	} {
		h.tell(silent.topic, silent.payload, silent.retain)
		if list := open(t, a); len(list) != 0 {
			t.Fatalf("%s rang: %+v", silent.name, list[0].Origins)
		}
	}
	_, unknown := a.Devices.Strangers("g1")
	var reasons []string
	for _, u := range unknown {
		reasons = append(reasons, u.Topic+" "+u.Payload)
	}
	if all := strings.Join(reasons, "\n"); !strings.Contains(all, "zigbee2mqtt/nobody") || !strings.Contains(all, `{"smoke":tr`) {
		t.Errorf("the leader is not shown what was not understood: %s", all)
	}
	h.tell("zigbee2mqtt/smoke", `{"smoke":false}`, false)
	h.tell("zigbee2mqtt/smoke", `{"smoke":true}`, false)
	if len(open(t, a)) != 1 {
		t.Error("smoke that came back does not ring")
	}
}

func TestHiddenButtonReachesTheDeskOnly(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"})
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("keng/hidden", `{"event":"press","id":"1"}`, false)
	list := open(t, a)
	if len(list) != 1 || !list[0].Silent || !list[0].DeskSound {
		t.Fatalf("incidents %+v", list)
	}
	if s := h.heard("zigbee2mqtt/siren/set"); strings.Contains(s, "emergency") {
		t.Errorf("a siren was told %s", s)
	}
	if p := a.Book.Home("g1-h1")[0]; len(a.Alarm.Open(people.Actor{Person: p.ID, Role: p.Role, Home: p.Home, Group: "g1", Scope: p.Scope})) != 0 {
		t.Error("the leader sees a hold-up")
	}
}

// TestRestartAssertsSirensAtOnce restarts a Keng in the middle of an alarm, and
// once with a siren that sounds for nothing.
func TestRestartAssertsSirensAtOnce(t *testing.T) {
	for _, dsn := range dsns(t) {
		t.Run(dsn.name, func(t *testing.T) {
			o := Options{Data: dsn.data, Database: dsn.url, MQTT: "127.0.0.1:0"}
			a := alley(t, o)
			h := connect(t, a.MQTTAddr(), asHub)
			h.tell("keng/button", `{"event":"press","id":"1"}`, false)
			first := open(t, a)[0]
			stop(t, a)
			o.MQTT = a.MQTTAddr()
			a = again(t, o)
			h = connect(t, a.MQTTAddr(), asHub)
			until(t, "the sirens are asserted", func() bool { return strings.Contains(h.heard("zigbee2mqtt/siren/set"), "emergency") })
			h.tell("keng/button", `{"event":"press","id":"1"}`, false) // the hub is not sure that it was heard
			if list := open(t, a); len(list) != 1 || list[0].ID != first.ID {
				t.Errorf("after the restart: %+v", list)
			}
			hush(t, a, h)
			stop(t, a)
			a = again(t, o)
			h = connect(t, a.MQTTAddr(), asHub)
			until(t, "a siren that may still sound is told to stop", func() bool { return strings.Contains(h.heard("zigbee2mqtt/siren/set"), `"stop"`) })
		})
	}
}

type dsn struct{ name, data, url string }

// dsns are the databases at hand: SQLite, and PostgreSQL when KENG_TEST_PG names one.
func dsns(t *testing.T) []dsn {
	all := []dsn{{name: "sqlite", data: t.TempDir()}}
	if url := os.Getenv("KENG_TEST_PG"); url != "" {
		all = append(all, dsn{name: "postgres", url: storetest.Schema(t, url)})
	}
	return all
}

// TestClockJumpRingsAllTheSame sets the machine's clock an hour forward, then two
// back, in the middle of an alarm.
func TestClockJumpRingsAllTheSame(t *testing.T) {
	var off atomic.Int64 // ns
	start := time.Now()
	c := clock.Of(func() time.Time { return time.Now().Add(time.Duration(off.Load())).Round(0) }, func() time.Duration { return time.Since(start) })
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", Clock: c})
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("keng/button", `{"event":"press","id":"1"}`, false)
	for k, by := range []time.Duration{time.Hour, -time.Hour} {
		wait := open(t, a)[0].Next.At.Sub(a.Now())
		off.Store(int64(by))
		until(t, "the jump is seen", func() bool { return !a.Health(nil).Clock.OK && a.Now().Sub(time.Now().Add(by)).Abs() < time.Second })
		if now := open(t, a)[0].Next.At.Sub(a.Now()); (wait - now).Abs() > 5*time.Second {
			t.Errorf("clock moved by %v: the next step was %v away and is %v away", by, wait, now)
		}
		if list := open(t, a); len(list) != 1 || list[0].DeskSound {
			t.Errorf("clock moved by %v: %+v", by, list)
		}
		hush(t, a, h)
		h.tell("keng/button", fmt.Sprintf(`{"event":"press","id":"%d"}`, k+2), false)
		until(t, "a press after the jump rings", func() bool {
			return len(open(t, a)) == 1 && strings.Contains(h.heard("zigbee2mqtt/siren/set"), "emergency")
		})
	}
	view, err := a.Screens.State(t.Context(), desk, "vi")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(view); !strings.Contains(string(b), `"clock":{"ok":false`) {
		t.Error("the desk is not told that the clock was set")
	}
}

// TestWebhookAndPanelsEndToEnd raises alarms that do not come over MQTT.
func TestWebhookAndPanelsEndToEnd(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", DC09: "127.0.0.1:0"})
	h := connect(t, a.MQTTAddr(), asHub)
	body := `{"device":"w-button","event":"press"}`
	post := func(key string, body string) int {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, device.WebhookKey("secret-1"))
		mac.Write([]byte(stamp + "." + body))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/v1/signal", strings.NewReader(body))
		r.Header.Set("Keng-Hub", "alley12")
		r.Header.Set("Keng-Timestamp", stamp)
		r.Header.Set("Keng-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		r.Header.Set("Idempotency-Key", key)
		w := httptest.NewRecorder()
		a.Kit.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for range 2 {
		if code := post("k1", body); code != http.StatusAccepted {
			t.Fatalf("webhook answered %d", code)
		}
	}
	if list := open(t, a); len(list) != 1 || len(list[0].Timeline) != 1 {
		t.Fatalf("one press sent twice: %+v", list)
	}
	hush(t, a, h)
	if code := post("k2", `{"device":"nobody","event":"press"}`); code != http.StatusNotFound {
		t.Errorf("an unknown device: %d", code)
	}

	for _, network := range []string{"tcp", "udp"} {
		ack := panel1234(t, network, a.DC09Addr(), "1234")
		if !strings.Contains(ack, `"ACK"`) {
			t.Fatalf("%s answered %q", network, ack)
		}
		if list := open(t, a); len(list) != 1 || list[0].Category != "fire" {
			t.Errorf("%s: incidents %+v", network, list)
		}
		hush(t, a, h)
	}
	if bad := panel1234(t, "tcp", a.DC09Addr(), "9999"); !strings.Contains(bad, `"DUH"`) {
		t.Errorf("an account that nobody knows: %q", bad)
	}
}

// panel1234 reports a fire alarm of zone 05 as an alarm panel does and returns
// the receiver's answer.
func panel1234(t *testing.T, network, addr, account string) string {
	t.Helper()
	body := fmt.Sprintf(`"SIA-DCS"%04dL0#%s[#%s|Nri0/FA05]`, time.Now().UnixMilli()%9999+1, account, account)
	frame := fmt.Sprintf("\n%04X%04X%s\r", crc(body), len(body), body)
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(frame)); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 512)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatalf("%s: %v", network, err)
	}
	return string(buf[:n])
}

// crc is CRC-16/ARC, written anew: the receiver's own must not vouch for itself.
func crc(s string) (sum uint16) {
	for _, b := range []byte(s) {
		sum ^= uint16(b)
		for range 8 {
			if sum&1 != 0 {
				sum = sum>>1 ^ 0xA001
			} else {
				sum >>= 1
			}
		}
	}
	return sum
}

// TestHomeAssistantSeesTheGroup follows an alarm as Home Assistant shows it.
func TestHomeAssistantSeesTheGroup(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"})
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("homeassistant/status", "online", true)
	state := "keng/out/g1/state"
	until(t, "the group is announced", func() bool {
		return strings.Contains(h.heard("homeassistant/alarm_control_panel/keng_g1/config"), state) && h.heard(state) == "disarmed"
	})
	h.tell("keng/button", `{"event":"press","id":"1"}`, false)
	until(t, "the alarm is shown", func() bool { return h.heard(state) == "triggered" })
	hush(t, a, h)
	until(t, "the end is shown", func() bool { return h.heard(state) == "disarmed" })
}

// TestStandingBroker joins a real Mosquitto: presses come through it, also one
// that was made while Keng was away, and a stored value is no alarm.
func TestStandingBroker(t *testing.T) {
	if _, err := exec.LookPath("mosquitto"); err != nil {
		if _, err := os.Stat("/usr/sbin/mosquitto"); err != nil {
			t.Skip("mosquitto is not installed: apt-get install mosquitto")
		}
	}
	addr := mosquitto(t)
	h := connect(t, addr, radio.Options{})
	h.tell("alley12/zigbee2mqtt/smoke", `{"smoke":true}`, true)
	o := Options{Data: t.TempDir(), Broker: "mqtt://" + addr}
	a := alley(t, o)
	until(t, "Keng has joined", func() bool { return a.joined.Stats().Connections > 0 || a.joined.Stats().Published > 0 })
	if list := open(t, a); len(list) != 0 {
		t.Fatalf("a stored value rang: %+v", list)
	}
	press := func(id string) {
		h.tell("alley12/keng/button", fmt.Sprintf(`{"event":"press","id":%q}`, id), false)
	}
	press("1")
	until(t, "a press rings through the broker", func() bool {
		return len(open(t, a)) == 1 && strings.Contains(h.heard("alley12/zigbee2mqtt/siren/set"), "emergency")
	})
	for _, i := range open(t, a) {
		if _, err := a.Alarm.Close(t.Context(), alarm.Act{By: desk}, i.ID, alarm.Real, ""); err != nil {
			t.Fatal(err)
		}
	}
	stop(t, a)
	press("2")
	a = again(t, o)
	until(t, "a press made while Keng was away is taken", func() bool { return len(open(t, a)) == 1 })
	if n := len(open(t, a)[0].Timeline); n != 1 {
		t.Errorf("taken %d times", n)
	}
}

// mosquitto runs a real broker and returns its address.
func mosquitto(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\npersistence false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := "/usr/sbin/mosquitto"
	if found, err := exec.LookPath("mosquitto"); err == nil {
		bin = found
	}
	cmd := exec.Command(bin, "-c", conf) // #nosec G204 -- the test's own words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	until(t, "mosquitto listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return addr
}

// TestImportWhileRunning adds a home from another process's side: its devices
// may sign in and ring without a restart.
func TestImportWhileRunning(t *testing.T) {
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0"}
	a := alley(t, o)
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	more := strings.Replace(yaml, "hubs:\n", "hubs:\n  - {username: alley14, password: secret-2}\n", 1) + `      - id: g1-h3
        name: Nhà số 14
        members: [{name: Chủ hộ số 14, role: member}]
        devices:
          - {id: n-button, kind: button, dialect: json, topic: keng/new, hub: alley14}
`
	if rep, err := village.Import(t.Context(), db, strings.NewReader(more), village.Options{}); err != nil {
		t.Fatalf("%v %+v", err, rep.Rows)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the new home is known", func() bool { _, ok := a.Village.Directory().Home("g1-h3"); return ok })
	old := connect(t, a.MQTTAddr(), asHub)
	h := connect(t, a.MQTTAddr(), radio.Options{User: "alley14", Password: "secret-2"})
	h.tell("keng/new", `{"event":"press","id":"1"}`, false)
	until(t, "the new button rings the old sirens", func() bool { return strings.Contains(old.heard("zigbee2mqtt/siren/set"), "emergency") })
}
