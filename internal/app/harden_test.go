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
			o := Options{
				Data: d.data, Database: d.url, MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", DC09: "127.0.0.1:0", Cert: cert, Key: key,
				Log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug})),
			}
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

// answersOf asks every GET route as asker and hands what was answered to see.
func answersOf(t *testing.T, asker string, headers []string, see func(route string, res *http.Response)) {
	t.Helper()
	a, who := street(t)
	h := a.Kit.Handler()
	for _, route := range a.Kit.Routes() {
		if route.Method != http.MethodGet || route.Pattern == "/api/v1/stream" {
			continue
		}
		path := strings.NewReplacer("{id}", "g1", "{secret}", "X", "{$}", "", "{n}", "0", "{old}", "0").Replace(route.Pattern)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, nil)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		if s := who[asker]; strings.HasPrefix(s, "keng_") {
			r.Header.Set("Authorization", "Bearer "+s)
		} else if s != "" {
			r.AddCookie(&http.Cookie{Name: people.Cookie, Value: s})
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		see("GET "+route.Pattern, w.Result())
	}
}

func TestNoOtherSiteMayRead(t *testing.T) {
	for _, asker := range []string{"nobody", "resident", "desk"} {
		answersOf(t, asker, []string{"Origin", "https://evil.example"}, func(route string, res *http.Response) {
			for name := range res.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %s: %s", route, name, res.Header.Get(name))
				}
			}
			if res.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("%s may be embedded anywhere", route)
			}
		})
	}
}

// TestRedirectsStayHere whatever the address and the headers say.
func TestRedirectsStayHere(t *testing.T) {
	seen := 0
	for _, asker := range []string{"nobody", "resident", "desk"} {
		answersOf(t, asker, []string{"Host", "evil.example", "X-Forwarded-Host", "evil.example", "Accept", "text/html"}, func(route string, res *http.Response) {
			to := res.Header.Get("Location")
			if to == "" {
				return
			}
			seen++
			if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) || strings.Contains(to, "evil") {
				t.Errorf("%s redirects to %s", route, to)
			}
		})
	}
	if seen == 0 {
		t.Error("nothing redirects: the test tested nothing")
	}
	a, _ := street(t)
	for _, path := range []string{"//evil.example", "/\\evil.example", "//evil.example/%2e%2e", "/%2f%2fevil.example", "///evil.example/..", "/welcome//evil.example"} {
		for _, query := range []string{"", "?lang=en", "?next=//evil.example"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
			r.RequestURI = path + query
			if u, err := r.URL.Parse("http://127.0.0.1" + path + query); err == nil {
				r.URL = u
			}
			w := httptest.NewRecorder()
			a.Kit.Handler().ServeHTTP(w, r)
			if to := w.Header().Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) || strings.HasPrefix(to, "http") {
				t.Errorf("%s%s redirects to %s", path, query, to)
			}
		}
	}
}

// TestEveryAnswerSaysWhatItIs and in which alphabet.
func TestEveryAnswerSaysWhatItIs(t *testing.T) {
	for _, asker := range []string{"nobody", "resident", "desk"} {
		answersOf(t, asker, nil, func(route string, res *http.Response) {
			b, err := io.ReadAll(res.Body)
			if err != nil || len(b) == 0 || res.StatusCode >= 300 && res.StatusCode < 400 {
				return
			}
			kind := res.Header.Get("Content-Type")
			if kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(strings.ToLower(kind), "charset=utf-8") {
				t.Errorf("%s by %s: Content-Type %q of %.60q", route, asker, kind, b)
			}
			if strings.HasPrefix(kind, "text/html") != bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(b)), []byte("<!doctype html")) {
				t.Errorf("%s by %s: %s is %.60q", route, asker, kind, b)
			}
		})
	}
}

// TestNothingForDebuggingIsServed and nothing lists a folder.
func TestNothingForDebuggingIsServed(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	for _, ask := range []struct{ method, path string }{
		{"GET", "/debug/pprof/"},
		{"GET", "/debug/vars"},
		{"GET", "/.git/config"},
		{"GET", "/assets/"},
		{"GET", "/assets"},
		{"GET", "/assets/map/"},
		{"GET", "/.env"},
		{"GET", "/keng.db"},
		{"GET", "/docs"},
		{"GET", "/schemas"},
		{"TRACE", "/"},
		{"TRACE", "/api/v1/state"},
		{"CONNECT", "/"},
		{"GET", "/assets/../keng.db"},
		{"GET", "/assets/%2e%2e/%2e%2e/etc/passwd"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), ask.method, "http://127.0.0.1/", nil)
		r.URL.Path, r.URL.RawPath = ask.path, ""
		r.Header.Set("X-Echo", "echo-me")
		r.Header.Set("Authorization", "Bearer "+who["admin"])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 300 || strings.Contains(w.Body.String(), "echo-me") {
			t.Errorf("%s %s: %d %.200s", ask.method, ask.path, w.Code, w.Body)
		}
	}
}

// TestOtherSitesOpenNoWebSocket: the door for devices is none for pages.
func TestOtherSitesOpenNoWebSocket(t *testing.T) {
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0"})
	for origin, want := range map[string]int{"": 101, "http://" + a.HTTPAddr(): 101, "https://evil.example": 403, "null": 403, "http://" + a.HTTPAddr() + ".evil.example": 403} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.HTTPAddr()+"/mqtt", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "mqtt"} {
			r.Header.Set(name, v)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Errorf("from %q: %v", origin, err)
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("from %q: %s, want %d", origin, res.Status, want)
		}
	}
}

// TestOnlyStrongCiphers offers each weak suite alone, on both doors.
func TestOnlyStrongCiphers(t *testing.T) {
	cert, key, trust := certificate(t)
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cert: cert, Key: key})
	weak := tls.InsecureCipherSuites()
	for _, s := range tls.CipherSuites() {
		if !strings.Contains(s.Name, "_ECDHE_") && !strings.HasPrefix(s.Name, "TLS_AES") && !strings.HasPrefix(s.Name, "TLS_CHACHA") || strings.Contains(s.Name, "_CBC_") {
			weak = append(weak, s) // no forward secrecy, or CBC
		}
	}
	if len(weak) < 5 {
		t.Fatalf("%d weak suites: the test tested nothing", len(weak))
	}
	for _, addr := range []string{a.HTTPAddr(), a.MQTTAddr()} {
		for _, s := range weak {
			if c, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: trust.RootCAs, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{s.ID}}); err == nil { // #nosec G402 -- it must be refused
				_ = c.Close()
				t.Errorf("%s takes %s", addr, s.Name)
			}
		}
		c, err := tls.Dial("tcp", addr, trust)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.ConnectionState().Version; v != tls.VersionTLS13 {
			t.Errorf("%s prefers %s", addr, tls.VersionName(v))
		}
		_ = c.Close()
	}
}

// TestCookiesOfASecureKeng: each is sent over https only; a session's is for this
// host alone and for no script.
func TestCookiesOfASecureKeng(t *testing.T) {
	cert, key, trust := certificate(t)
	a := alley(t, Options{Data: t.TempDir(), MQTT: "127.0.0.1:0", HTTP: "127.0.0.1:0", Cert: cert, Key: key})
	list, err := a.People.InviteHome(t.Context(), "g1-h1", "")
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: trust}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer browser.CloseIdleConnections()
	sessions := 0
	for _, ask := range []struct{ method, path, kind, body string }{
		{"POST", list[0].Path(), "application/x-www-form-urlencoded", ""},
		{"POST", "/api/v1/lang", "application/json", `{"lang":"en"}`},
		{"GET", "/welcome?lang=vi", "", ""},
		{"POST", "/api/v1/sign-out", "application/json", "{}"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), ask.method, "https://"+a.HTTPAddr()+ask.path, strings.NewReader(ask.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", ask.kind)
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if len(res.Cookies()) == 0 {
			t.Errorf("%s sets no cookie: the test tested nothing", ask.path)
		}
		for _, c := range res.Cookies() {
			if !c.Secure || c.SameSite == http.SameSiteNoneMode || c.SameSite == http.SameSiteDefaultMode {
				t.Errorf("%s: %s", ask.path, c)
			}
			if strings.Contains(c.Name, "lang") {
				continue
			}
			sessions++
			if !strings.HasPrefix(c.Name, "__Host-") || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: a session's cookie %s", ask.path, c)
			}
		}
	}
	if sessions == 0 {
		t.Error("no session began: the test tested nothing")
	}
}
