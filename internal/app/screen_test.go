package app

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// heardEvent is one event of a stream.
type heardEvent struct{ id, name, data string }

// watching is a screen that is open.
type watching struct {
	events chan heardEvent
	close  context.CancelFunc
}

// watch opens the stream of whoever has token, as a screen that saw last.
func watch(t *testing.T, a *App, token, last string) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.HTTPAddr()+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream: %s", resp.Status)
	}
	s := &watching{events: make(chan heardEvent, 1024), close: cancel}
	gone := make(chan struct{})
	t.Cleanup(func() { cancel(); <-gone })
	go func() {
		defer close(gone)
		defer close(s.events)
		defer func() { _ = resp.Body.Close() }()
		var e heardEvent
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					s.events <- e
				}
				e = heardEvent{}
			}
		}
	}()
	return s
}

// next returns the next event whose name is one of names.
func (s *watching) next(t *testing.T, names ...string) heardEvent {
	t.Helper()
	limit := time.After(15 * time.Second)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				t.Fatalf("the stream ended before %v", names)
			}
			for _, n := range names {
				if e.name == n {
					return e
				}
			}
		case <-limit:
			t.Fatalf("no event %v", names)
		}
	}
}

// version is which version of which incident an event shows.
func version(t *testing.T, e heardEvent) (id string, v int) {
	t.Helper()
	var i struct {
		ID      string
		Version int
	}
	if err := json.Unmarshal([]byte(e.data), &i); err != nil {
		t.Fatalf("%v: %s", err, e.data)
	}
	return i.ID, i.Version
}

// TestAtMostOneRepeatedNoticeAfterRestart follows an alarm on a screen over a
// restart: what it had seen is told again once at the most.
func TestAtMostOneRepeatedNoticeAfterRestart(t *testing.T) {
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
	a := alley(t, o)
	token := officerToken(t, a)
	s := watch(t, a, token, "")
	last := s.next(t, "hello").id
	connect(t, a.MQTTAddr(), asHub).tell("keng/button", `{"event":"press","id":"1"}`, false)
	seen := 0
	for _, i := range open(t, a) {
		until(t, "the screen has seen all of it", func() bool {
			select {
			case e := <-s.events:
				if e.name == "incident" {
					_, seen = version(t, e)
					last = e.id
				}
			default:
			}
			return seen > 0 && seen == open(t, a)[0].Version && seen >= i.Version
		})
	}
	stop(t, a)
	a = again(t, o)
	s = watch(t, a, token, last)
	repeated, pings := 0, 0
	for pings < 2 { // 4 s: whatever is to be said after a start has been said
		switch e := s.next(t, "incident", "reload", "ping"); e.name {
		case "ping":
			pings++
		case "reload":
			repeated++
		case "incident":
			if _, v := version(t, e); v <= seen {
				repeated++
			}
		}
	}
	if repeated != 1 {
		t.Errorf("the alarm that goes on was told %d times again, want once", repeated)
	}
	if list := open(t, a); len(list) != 1 {
		t.Errorf("%d incidents are open", len(list))
	}
}

func officerToken(t *testing.T, a *App) string {
	t.Helper()
	token, err := a.People.CreateToken(t.Context(), people.Desk, place.Scope{Unit: "04792"}, "desk of "+t.Name())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// fetch asks a for path and returns status and body.
func fetch(t *testing.T, client *http.Client, base, token, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b strings.Builder
	if _, err := bufio.NewReader(resp.Body).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// gauge reads one number from /metrics.
func gauge(t *testing.T, a *App, name string) string {
	t.Helper()
	status, body := fetch(t, http.DefaultClient, "http://"+a.HTTPAddr(), "", "/metrics")
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d", status)
	}
	for line := range strings.Lines(body) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return ""
}

// TestMetricsAndAuditor tampers with the journal: the auditor says so to whoever
// runs the machine and to the desk whose group it is, and to nobody else.
func TestMetricsAndAuditor(t *testing.T) {
	o := Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"}
	a := alley(t, o)
	h := connect(t, a.MQTTAddr(), asHub)
	h.tell("keng/button", `{"event":"press","id":"1"}`, false)
	h.tell("zigbee2mqtt/smoke", `{"smoke":true}`, false)
	if ok, clients, opened := gauge(t, a, "keng_audit_ok"), gauge(t, a, "keng_mqtt_clients"), gauge(t, a, "keng_incidents_open"); ok != "1" || clients != "1" || opened != "1" {
		t.Fatalf("audit ok %s, clients %s, open %s", ok, clients, opened)
	}
	token := officerToken(t, a)
	other, err := a.People.CreateToken(t.Context(), people.Desk, place.Scope{Unit: "04795"}, "the next ward's")
	if err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	tamper(t, o)
	a = again(t, o)
	until(t, "the auditor has looked", func() bool { return gauge(t, a, "keng_audit_ok") == "0" })
	if n := gauge(t, a, "keng_audit_violations"); n != "1" {
		t.Errorf("%s violations, want 1", n)
	}
	_, state := fetch(t, http.DefaultClient, "http://"+a.HTTPAddr(), token, "/api/v1/state")
	if !strings.Contains(state, `"rule":"I9"`) || !strings.Contains(state, `"text_key":"audit.chain_broken"`) {
		t.Errorf("the desk is not told: %s", state[max(0, len(state)-600):])
	}
	if _, state := fetch(t, http.DefaultClient, "http://"+a.HTTPAddr(), other, "/api/v1/state"); strings.Contains(state, "I9") {
		t.Error("another ward's desk is told of a group that is not its own")
	}
	if list := open(t, a); len(list) != 1 {
		t.Errorf("%d incidents are open after the restart", len(list))
	}
}

// tamper lets the second event of g1 have come from another home.
func tamper(t *testing.T, o Options) {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Exec(t.Context(), `UPDATE alarm_event SET body = replace(body, 'g1-h1', 'g1-h2') WHERE group_id = 'g1' AND n = (SELECT max(n) FROM alarm_event WHERE kind = 'signaled')`); err != nil {
		t.Fatal(err)
	}
}
