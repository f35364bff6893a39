package device

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/signal"
)

// call is a request to the webhook; change may break it.
type call struct {
	body   string
	key    string
	secret string
	at     time.Time
	change func(http.Header)
}

func (c call) do(t *testing.T, h http.Handler) (int, string) {
	t.Helper()
	stamp := strconv.FormatInt(c.at.Unix(), 10)
	m := hmac.New(sha256.New, WebhookKey(c.secret))
	m.Write([]byte(stamp + "." + c.body))
	r := httptest.NewRequest(http.MethodPost, "/v1/signal", strings.NewReader(c.body))
	r.Header.Set("Keng-Hub", "alley12")
	r.Header.Set("Keng-Timestamp", stamp)
	r.Header.Set("Keng-Signature", "sha256="+hex.EncodeToString(m.Sum(nil)))
	if c.key != "" {
		r.Header.Set("Idempotency-Key", c.key)
	}
	if c.change != nil {
		c.change(r.Header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p web.Problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return w.Code, p.Key
}

func kit(r *rig) http.Handler {
	k := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	r.Routes(k, people.Rights{})
	return k.Handler()
}

func TestWebhook(t *testing.T) {
	off := dev("w1", "h2", signal.Button, "")
	off.Dialect = "webhook"
	other := dev("b9", "h9", signal.Button, "")
	other.Hub = "alley9"
	r := bare(Config{}, append(complete(), off, other)...)
	h := kit(r)
	now := time.Now()
	good := call{body: `{"device":"b1","event":"press"}`, key: "k-1", secret: "secret-1", at: now}
	with := func(f func(*call)) call { c := good; f(&c); return c }
	for _, c := range []struct {
		name  string
		call  call
		code  int
		key   string
		rings int // alarms passed on
	}{
		{"a press", good, 202, "", 1},
		{"sent again", good, 202, "", 1}, // with the same key: the same press
		{"the same message replayed under another key", with(func(c *call) { c.key = "k-9" }), 202, "", 1},
		{"the key used for something else", with(func(c *call) { c.body = `{"device":"b1","event":"test"}` }), 409, "webhook.key_reused", 0},
		{"no key", with(func(c *call) { c.key, c.at = "", now.Add(time.Second) }), 400, "webhook.key_missing", 0},
		{"wrong secret", with(func(c *call) { c.secret = "secret-2" }), 401, "webhook.signature_wrong", 0},
		{"unknown hub", with(func(c *call) { c.change = func(h http.Header) { h.Set("Keng-Hub", "alley13") } }), 401, "webhook.signature_wrong", 0},
		{"no signature", with(func(c *call) { c.change = func(h http.Header) { h.Del("Keng-Signature") } }), 401, "webhook.signature_wrong", 0},
		{"signature without its kind", with(func(c *call) {
			c.change = func(h http.Header) { h.Set("Keng-Signature", strings.TrimPrefix(h.Get("Keng-Signature"), "sha256=")) }
		}), 401, "webhook.signature_wrong", 0},
		{"another time than the signed one", with(func(c *call) {
			c.change = func(h http.Header) { h.Set("Keng-Timestamp", strconv.FormatInt(now.Unix()+1, 10)) }
		}), 401, "webhook.signature_wrong", 0},
		{"an old signature", with(func(c *call) { c.at, c.key = now.Add(-6*time.Minute), "k-2" }), 401, "webhook.clock_wrong", 0},
		{"a clock four minutes fast", with(func(c *call) { c.at, c.key = now.Add(4*time.Minute), "k-3" }), 202, "", 1},
		{"no JSON", with(func(c *call) { c.body, c.key = `{`, "k-4" }), 400, "fault.bad_json", 0},
		{"no such device", with(func(c *call) { c.body, c.key = `{"device":"b7","event":"press"}`, "k-5" }), 404, "webhook.device_unknown", 0},
		{"a device of another hub", with(func(c *call) { c.body, c.key = `{"device":"b9","event":"press"}`, "k-5" }), 404, "webhook.device_unknown", 0},
		{"no such event", with(func(c *call) { c.body, c.key = `{"device":"b1","event":"explode"}`, "k-6" }), 422, "webhook.event_unknown", 0},
		{"no such danger", with(func(c *call) { c.body, c.key = `{"device":"b1","event":"press","category":"politics"}`, "k-6" }), 422, "webhook.event_unknown", 0},
		{"a siren raises no alarm", with(func(c *call) { c.body, c.key = `{"device":"s1","event":"press"}`, "k-6" }), 422, "webhook.event_unknown", 0},
		{"a device that speaks only here", with(func(c *call) { c.body, c.key = `{"device":"w1","event":"press","category":"holdup"}`, "k-7" }), 202, "", 1},
		{"a level", with(func(c *call) { c.body, c.key = `{"device":"d1","event":"alarm"}`, "k-8" }), 202, "", 1},
		{"the level again", with(func(c *call) { c.body, c.key = `{"device":"d1","event":"alarm"}`, "k-10"; c.at = now.Add(time.Second) }), 202, "", 0},
		{"a heartbeat", with(func(c *call) { c.body, c.key = `{"device":"d1","event":"heartbeat"}`, "k-11" }), 202, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, key := c.call.do(t, h)
			got := r.alarms.take()
			if code != c.code || key != c.key || len(got) != c.rings {
				t.Errorf("%d %s, %d signals; want %d %s, %d", code, key, len(got), c.code, c.key, c.rings)
			}
			for _, s := range got {
				if s.Device == "b1" && c.name != "a clock four minutes fast" && s.Key != "b1/k-1" {
					t.Errorf("key %s", s.Key)
				}
				if s.Device == "w1" && (s.Category != signal.HoldUp || s.Home != "h2") {
					t.Errorf("signal %+v", s)
				}
			}
		})
	}
	if s := r.status("w1"); s == Offline || s == Faulty {
		t.Errorf("a device that speaks over HTTP is %s", s)
	}
}

func TestWebhookSaysThatItRangButIsNotSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := bare(Config{}, complete()...)
		h := kit(r)
		r.alarms.slow = true
		c := call{body: `{"device":"b1","event":"press"}`, key: "k-1", secret: "secret-1", at: time.Now()}
		start := time.Now()
		code, key := c.do(t, h)
		if code != 503 || key != "webhook.rung_not_saved" || time.Since(start) != savedWithin {
			t.Errorf("%d %s after %s", code, key, time.Since(start))
		}
		if got := r.alarms.take(); len(got) != 1 {
			t.Errorf("%d signals", len(got))
		}
		r.alarms.slow = false
		if code, _ = c.do(t, h); code != 202 {
			t.Errorf("sent again: %d", code)
		}
		if got := r.alarms.take(); len(got) != 1 || got[0].Key != "b1/k-1" {
			t.Errorf("signals %+v", got)
		}
	})
}

func TestWebhookForgetsOldKeys(t *testing.T) {
	c := newRecent()
	for i := range keysKept + 10 {
		c.key("h", fmt.Sprint(i), fmt.Sprint("s", i), []byte("x"), time.Now())
	}
	if len(c.keys) != keysKept || len(c.signs) != keysKept || len(c.order) != keysKept {
		t.Errorf("%d keys, %d signatures, %d in order", len(c.keys), len(c.signs), len(c.order))
	}
}

// TestWebhookExampleOfTheDocs runs the script that docs/devices.md shows.
func TestWebhookExampleOfTheDocs(t *testing.T) {
	for _, tool := range []string{"openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	page, err := os.ReadFile("../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, ok := strings.Cut(string(page), "```sh\n: \"${KENG_URL")
	script, _, closed := strings.Cut(script, "```")
	if !ok || !closed {
		t.Fatal("docs/devices.md has no script")
	}
	b := dev("g1-h1-button", "h1", signal.Button, "")
	r := bare(Config{}, b)
	server := httptest.NewServer(kit(r))
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", ": \"${KENG_URL"+script)
	cmd.Env = append(os.Environ(), "KENG_URL="+server.URL)
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != `{"accepted":true}` {
		t.Fatalf("%s %v", out, err)
	}
	if got := r.alarms.take(); len(got) != 1 || got[0].Category != signal.Fire {
		t.Errorf("signals %+v", got)
	}
}

func TestRoutes(t *testing.T) {
	r := bare(Config{}, complete()...)
	h := kit(r)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/groups/g1/devices", nil))
	if w.Code != 401 {
		t.Errorf("nobody: %d", w.Code)
	}
	leader := people.Actor{Person: "p", Role: people.Leader, Home: "h1", Group: "g1"}
	leader.Scope.Group = "g1"
	req := httptest.NewRequest(http.MethodGet, "/api/v1/groups/g1/devices", nil)
	req = req.WithContext(people.WithAsker(req.Context(), leader))
	w = httptest.NewRecorder()
	h.ServeHTTP(w, req)
	body, _ := io.ReadAll(w.Body)
	var e map[string][]map[string]any
	if err := json.Unmarshal(body, &e); err != nil || w.Code != 200 || len(e["devices"]) != 3 {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, field := range []string{"id", "home", "kind", "dialect", "topic", "hub", "model", "state", "reason", "battery", "seen_at", "proven_at", "bypassed_until"} {
		if _, ok := e["devices"][0][field]; !ok {
			t.Errorf("no field %s in %s", field, body)
		}
	}
	if strings.Contains(string(body), "secret") || strings.Contains(string(body), "assword") {
		t.Error("a secret is told")
	}
}
