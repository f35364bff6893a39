package app

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

// TestNobodyIsKeptFromRaising floods Keng from one carrier's network: strangers are
// told to wait, and every resident behind the same address raises, answers and
// reads his group.
func TestNobodyIsKeptFromRaising(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	from := func(secret, method, path, body string) int {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, strings.NewReader(body))
		r.RemoteAddr = "203.0.113.9:4711"
		r.Header.Set("Content-Type", "application/json")
		switch {
		case strings.HasPrefix(secret, "keng_"):
			r.Header.Set("Authorization", "Bearer "+secret)
		case secret != "":
			r.AddCookie(&http.Cookie{Name: people.Cookie, Value: secret})
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	told := 0
	for range 2 * web.StrangersBurst {
		if from("", "GET", "/api/v1/groups", "") == http.StatusTooManyRequests {
			told++
		}
	}
	if told == 0 {
		t.Fatal("nobody was told to wait: the test tested nothing")
	}
	for range 2 * web.KnownBurst { // his own greed does not keep him from it either
		if status := from(who["resident"], "GET", "/api/v1/groups", ""); status == http.StatusTooManyRequests {
			break
		}
	}
	for path, body := range map[string]string{"/api/v1/incidents": `{"group":"g1","home":"g1-h3"}`, "/v1/signal": `{}`} {
		for range 50 {
			if status := from(who["resident"], "POST", path, body); status == http.StatusTooManyRequests {
				t.Fatalf("%s was limited", path)
			}
		}
	}
	id := open(t, a)[0].ID
	for range 50 {
		if status := from(who["resident"], "POST", "/api/v1/incidents/"+string(id)+"/answers", `{"answer":"coming"}`); status != http.StatusOK {
			t.Fatalf("answer: %d", status)
		}
	}
}

// TestEveryChangeIsAskedForByOurOwnPages asks for every change as another site's
// page would, and as a page under a sister's name.
func TestEveryChangeIsAskedForByOurOwnPages(t *testing.T) {
	a, who := street(t)
	h, changes := a.Kit.Handler(), 0
	for _, route := range a.Kit.Routes() {
		if route.Method == http.MethodGet || route.Static {
			continue
		}
		changes++
		path := strings.NewReplacer("{id}", "g1", "{secret}", "NOSUCHINVITE", "{$}", "").Replace(route.Pattern)
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			r := httptest.NewRequestWithContext(t.Context(), route.Method, "http://127.0.0.1"+path, strings.NewReader("{}"))
			r.Header.Set(header[0], header[1])
			r.Header.Set("Content-Type", "application/json")
			r.AddCookie(&http.Cookie{Name: people.Cookie, Value: who["resident"]})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "fault.cross_site") {
				t.Errorf("%s %s with %s: %s answered %d %.100s", route.Method, route.Pattern, header[0], header[1], w.Code, w.Body)
			}
		}
	}
	if changes < 10 {
		t.Errorf("only %d routes change something: the test tested nothing", changes)
	}
}

// TestNoAnswerAboutPeopleIsKept by a browser or a proxy.
func TestNoAnswerAboutPeopleIsKept(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	for _, route := range a.Kit.Routes() {
		if route.Static || route.Method != http.MethodGet || route.Pattern == "/api/openapi.json" || route.Pattern == "/api/v1/stream" || strings.HasPrefix(route.Pattern, "/log/") {
			continue
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+strings.NewReplacer("{id}", "g1", "{secret}", "X", "{$}", "").Replace(route.Pattern), nil)
		r.AddCookie(&http.Cookie{Name: people.Cookie, Value: who["resident"]})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if cache := w.Header().Get("Cache-Control"); !strings.Contains(cache, "no-store") {
			t.Errorf("GET %s: Cache-Control %q", route.Pattern, cache)
		}
	}
}

// diary is what was logged, by many.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements [io.Writer].
func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(b)
}

// String is all of it.
func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}

// TestNoAddressIsStoredAnywhere provokes every error we know from an address of
// its own, over every door, and looks for it in all that was logged or stored.
func TestNoAddressIsStoredAnywhere(t *testing.T) {
	for _, d := range dsns(t) {
		t.Run(d.name, func(t *testing.T) {
			cert, key, trust := certificate(t)
			var said diary
			log.SetOutput(&said)
			t.Cleanup(func() { log.SetOutput(os.Stderr) })
			o := Options{Data: d.data, Database: d.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", DC09: "127.0.0.1:0", Cert: cert, Key: key,
				Log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			if d.data == "" {
				o.Data = t.TempDir()
			}
			a := alley(t, o)
			provoke(t, a, trust)
			for _, needle := range []string{"127.77.", "127\\.77"} {
				if strings.Contains(said.String(), needle) {
					t.Errorf("%s is in the log:\n%s", needle, said.String())
				}
				found(t, a, needle)
			}
			if !strings.Contains(said.String(), "status=404") || !strings.Contains(said.String(), "status=429") || !strings.Contains(said.String(), "status=401") {
				t.Errorf("nothing was provoked: the test tested nothing:\n%.2000s", said.String())
			}
		})
	}
}

// provoke asks for what goes wrong, from 127.77.3.9.
func provoke(t *testing.T, a *App, trust *tls.Config) {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 3, 9)}, Timeout: 5 * time.Second}
	browser := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, TLSClientConfig: trust}, Timeout: 20 * time.Second}
	defer browser.CloseIdleConnections()
	ask := func(method, path, body string, headers ...string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "https://"+a.HTTPAddr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := browser.Do(r)
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	ask("GET", "/nowhere", "")
	ask("DELETE", "/welcome", "")
	ask("GET", "/api/v1/state", "")
	ask("GET", "/api/v1/state", "", "Authorization", "Bearer keng_wrong")
	ask("POST", "/api/v1/incidents", "{", "Content-Type", "application/json")
	ask("POST", "/api/v1/lang", `{"lang":"xx"}`, "Content-Type", "application/json")
	ask("POST", "/v1/signal", `{}`)
	ask("POST", "/i/NOSUCHINVITE", "")
	ask("POST", "/api/v1/incidents", "{}", "Origin", "https://evil.example")
	ask("GET", "/mqtt", "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol", "mqtt", "Origin", "https://evil.example")
	h := a.Kit.Handler()
	for range web.StrangersBurst + 20 {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1/welcome", nil)
		r.RemoteAddr, r.Header = "127.0.0.1:1", http.Header{"X-Forwarded-For": {"127.77.3.9"}}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	for _, addr := range []string{a.HTTPAddr(), a.MQTTAddr(), a.dc09Ln.Addr().String()} {
		for _, text := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x00\x05nonsense", "\x10\x0c\x00\x04MQTT\x04\x02\x00\x00\x00\x00", "\n1234000F\"SIA-DCS\"0001L0#1234[nonsense]\r", "\x00"} {
			c, err := d.DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, text)
			_ = c.(*net.TCPConn).CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}
	}
	for _, name := range []string{"alley12", "nobody"} { // MQTT with a wrong password, then with nonsense after the right one
		c, err := tls.DialWithDialer(d, "tcp", a.MQTTAddr(), trust)
		if err != nil {
			t.Fatal(err)
		}
		rest := fmt.Sprintf("\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01x\x00%c%s\x00\x05wrong", len(name), name)
		_, _ = fmt.Fprintf(c, "\x10%c%s\xff\xff\xff\xff\xff", len(rest), rest)
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}
	bare := &tls.Config{RootCAs: trust.RootCAs, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} // #nosec G402 -- it must be refused
	for _, addr := range []string{a.HTTPAddr(), a.MQTTAddr()} {
		if c, err := tls.DialWithDialer(d, "tcp", addr, bare); err == nil {
			_ = c.Close()
			t.Errorf("%s speaks TLS 1.1", addr)
		}
	}
}

// found fails when needle is in a file of the data folder, or in a row.
func found(t *testing.T, a *App, needle string) {
	t.Helper()
	if err := fs.WalkDir(os.DirFS(a.Data), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(a.Data, p))
		if bytes.Contains(b, []byte(needle)) {
			t.Errorf("%s is in %s", needle, p)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, _, err := Backup(context.WithoutCancel(t.Context()), a.Options, &b); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		rows += bytes.Count(text, []byte("\n"))
		if bytes.Contains(text, []byte(needle)) {
			t.Errorf("%s is in %s", needle, h.Name)
		}
	}
	if rows < 20 {
		t.Errorf("%d rows were looked at: the test tested nothing", rows)
	}
}
