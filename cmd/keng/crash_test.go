package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to look into the journal from outside

	"github.com/keng-vn/keng/internal/village/radio"
)

const hubPassword = "secret-1"

// importVillage imports n groups of m homes, each with a button and a siren
// behind the one hub alley12.
func importVillage(t *testing.T, data string, n, m int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("commune: \"04792\"\nhubs:\n  - {username: alley12, password: " + hubPassword + "}\ngroups:\n")
	for g := range n {
		fmt.Fprintf(&b, "  - id: g%d\n    name: Tổ liên gia số %d\n    neighbourhood: Tổ 5\n    homes:\n", g+1, g+1)
		for h := range m {
			id := fmt.Sprintf("g%d-h%d", g+1, h+1)
			fmt.Fprintf(&b, "      - id: %s\n        name: Nhà %s\n        address: Ngõ 12\n        members: [{name: Chủ hộ %s, role: member}]\n        devices:\n", id, id, id)
			fmt.Fprintf(&b, "          - {id: %s-button, kind: button, dialect: json, topic: keng/%s-button, hub: alley12}\n", id, id)
			fmt.Fprintf(&b, "          - {id: %s-siren, kind: siren, dialect: zigbee2mqtt, topic: zigbee2mqtt/%s-siren, hub: alley12, model: HS2WD-E}\n", id, id)
		}
	}
	file := filepath.Join(t.TempDir(), "village.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	keng(t, "import", "village", file, "--data", data)
}

// dialHub connects as alley12.
func dialHub(t *testing.T, addr string, heard func(topic string, payload []byte, retain bool)) *radio.Client {
	t.Helper()
	c, err := radio.Dial(t.Context(), radio.Options{Addr: addr, ClientID: fmt.Sprintf("hub-%d", rand.Uint32()), User: "alley12", Password: hubPassword, KeepAlive: 30 * time.Second, Heard: heard})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// alley is the homes of a crash test: buttons that are pressed and never give
// up until they are acknowledged, and sirens that do what they are told.
type alley struct {
	t     *testing.T
	addr  string
	acked sync.Map // press id -> true, once its PUBACK came
	sent  atomic.Int64

	mu       sync.Mutex
	sounding map[string]bool // by home
	stop     context.CancelFunc
	wg       sync.WaitGroup
}

func newAlley(t *testing.T, addr string, groups, homes, presses int) *alley {
	ctx, stop := context.WithCancel(t.Context())
	a := &alley{t: t, addr: addr, sounding: map[string]bool{}, stop: stop}
	for g := range groups {
		a.wg.Go(func() { a.listen(ctx, fmt.Sprintf("zigbee2mqtt/g%d-", g+1)) })
		for p := range presses {
			a.wg.Go(func() { a.press(ctx, fmt.Sprintf("g%d-h%d", g+1, p%homes+1)) })
		}
	}
	return a
}

func (a *alley) end() { a.stop(); a.wg.Wait() }

// listen is the sirens of a group behind one connection that always comes back.
func (a *alley) listen(ctx context.Context, prefix string) {
	for ctx.Err() == nil {
		c, err := radio.Dial(ctx, radio.Options{Addr: a.addr, ClientID: "sirens-" + prefix, User: "alley12", Password: hubPassword, KeepAlive: 30 * time.Second, Heard: func(topic string, payload []byte, _ bool) {
			home, ok := strings.CutSuffix(strings.TrimPrefix(topic, "zigbee2mqtt/"), "-siren/set")
			if ok && strings.HasPrefix(topic, prefix) {
				a.mu.Lock()
				a.sounding[home] = !strings.Contains(string(payload), `"stop"`)
				a.mu.Unlock()
			}
		}})
		if err != nil {
			pause(ctx, 20*time.Millisecond)
			continue
		}
		if err := c.Subscribe(ctx, "zigbee2mqtt/+/set"); err == nil {
			select {
			case <-c.Done():
			case <-ctx.Done():
			}
		}
		c.Cut()
	}
}

// press presses the button of a home again and again, each press with a number
// of its own, and sends a press that was not acknowledged once more.
func (a *alley) press(ctx context.Context, home string) {
	var id string
	var tries int
	for ctx.Err() == nil {
		acks := make(chan uint16, 8)
		c, err := radio.Dial(ctx, radio.Options{Addr: a.addr, ClientID: fmt.Sprintf("button-%s-%d", home, rand.Uint32()), User: "alley12", Password: hubPassword, KeepAlive: 30 * time.Second, Acked: func(n uint16) { acks <- n }})
		if err != nil {
			pause(ctx, 20*time.Millisecond)
			continue
		}
		for ctx.Err() == nil {
			if id == "" {
				id, tries = fmt.Sprintf("%s-%d-%d", home, a.sent.Add(1), rand.Uint32()), 0
			}
			payload := fmt.Sprintf(`{"event":"press","id":%q}`, id)
			if _, err := c.Publish(radio.Message{Topic: "keng/" + home + "-button", Payload: []byte(payload), QoS: 1, Dup: tries > 0}); err != nil {
				break
			}
			tries++
			select {
			case <-acks:
				a.acked.Store(id, true)
				id = ""
				pause(ctx, time.Duration(rand.IntN(4))*time.Millisecond)
				continue
			case <-c.Done():
			case <-ctx.Done():
			}
			break
		}
		c.Cut()
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// silentExcept waits until every siren that sounds belongs to a group with an
// open incident, and every siren of such a group sounds.
func (a *alley) agree(p *process, token string, within time.Duration) {
	a.t.Helper()
	deadline := time.Now().Add(within)
	for {
		wrong := a.disagreement(p, token)
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("%v after the restart: %s\n%s", within, wrong, p.errors())
		}
		pause(a.t.Context(), 30*time.Millisecond)
	}
}

func (a *alley) disagreement(p *process, token string) string {
	_, body := p.get(token, "/api/v1/incidents?state=open")
	var open []struct{ Group string }
	if err := json.Unmarshal([]byte(body), &open); err != nil {
		a.t.Fatalf("%v: %s", err, body)
	}
	rings := map[string]bool{}
	for _, i := range open {
		rings[i.Group] = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for home, sounds := range a.sounding {
		group, _, _ := strings.Cut(home, "-")
		if sounds != rings[group] {
			return fmt.Sprintf("siren of %s sounds: %v, its group has an open incident: %v", home, sounds, rings[group])
		}
	}
	return ""
}

// rounds is how often the crash test kills Keng: enough to meet every place on
// the way of a press, many more in a soak.
func rounds() int {
	if os.Getenv("KENG_SOAK") != "" {
		return 10_000
	}
	if testing.Short() {
		return 10
	}
	return 200
}

// TestKilledAtRandomLosesNothing kills Keng with SIGKILL in the middle of a storm
// of presses, again and again, and looks into the journal after each time.
func TestKilledAtRandomLosesNothing(t *testing.T) {
	const groups, homes = 6, 3
	data := t.TempDir()
	importVillage(t, data, groups, homes)
	token := keng(t, "token", "create", "--role", "desk", "--unit", "04792", "--data", data)
	p := startKeng(t, nil, nil, "--data", data)
	a := newAlley(t, p.mqtt, groups, homes, homes)
	defer a.end()
	for n := range rounds() {
		pause(t.Context(), time.Duration(rand.IntN(60))*time.Millisecond)
		if n%3 == 0 {
			closeSome(t, p, token)
		}
		p.kill()
		p = startKeng(t, p, nil, "--data", data)
		if n%20 == 19 {
			a.agree(p, token, 10*time.Second)
		}
	}
	a.agree(p, token, 10*time.Second)
	a.end()
	p.kill()
	checkJournal(t, data, a)
	checkAudit(t, data)
}

// closeSome closes what is open, so that a press that is sent again could open a
// second incident.
func closeSome(t *testing.T, p *process, token string) {
	_, body := p.get(token, "/api/v1/incidents?state=open")
	var open []struct{ ID string }
	if err := json.Unmarshal([]byte(body), &open); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, i := range open {
		if status, body := p.post(token, "/api/v1/incidents/"+i.ID+"/close", `{"cause":"real"}`); status != 200 && status != 409 {
			t.Fatalf("close: %d %s", status, body)
		}
	}
}

// checkJournal holds the acknowledged presses against the journal.
func checkJournal(t *testing.T, data string, a *alley) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "keng.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT press_key, incident_id FROM alarm_event WHERE kind = 'signaled'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	incidents := map[string]map[string]bool{} // by press
	events := map[string]int{}
	for rows.Next() {
		var key, incident string
		if err := rows.Scan(&key, &incident); err != nil {
			t.Fatal(err)
		}
		_, id, _ := strings.Cut(key, "/") // device/number/time
		id, _, _ = strings.Cut(id, "/")
		if incidents[id] == nil {
			incidents[id] = map[string]bool{}
		}
		incidents[id][incident] = true
		events[id]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	acked, lost, double := 0, 0, 0
	a.acked.Range(func(id, _ any) bool {
		acked++
		switch len(incidents[id.(string)]) {
		case 0:
			lost++
			t.Errorf("press %v was acknowledged and is in no incident", id)
		case 1:
		default:
			double++
			t.Errorf("press %v is in %d incidents", id, len(incidents[id.(string)]))
		}
		return true
	})
	for id, n := range events {
		if n > 1 {
			t.Errorf("press %s is in the journal %d times", id, n)
		}
	}
	if acked < rounds() {
		t.Errorf("only %d presses were acknowledged: the test tested nothing", acked)
	}
	t.Logf("%d rounds, %d presses sent, %d acknowledged, %d lost, %d doubled", rounds(), a.sent.Load(), acked, lost, double)
}

// checkAudit runs the offline audit on what is left.
func checkAudit(t *testing.T, data string) {
	t.Helper()
	if out := keng(t, "audit", "--data", data); !strings.Contains(out, "ok") {
		t.Errorf("audit: %s", out)
	}
}
