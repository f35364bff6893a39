package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
)

func newKit(t *testing.T, log io.Writer) *web.Kit {
	t.Helper()
	if log == nil {
		log = io.Discard
	}
	return web.New(web.Options{Log: slog.New(slog.NewTextHandler(log, nil)), Version: "1"})
}

// ask sends one request to the kit's handler. headers are pairs.
func ask(k *web.Kit, method, url, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	k.Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func problem(t *testing.T, res *http.Response) web.Problem {
	t.Helper()
	if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d, content type %q: %s", res.StatusCode, ct, text(t, res))
	}
	var p web.Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Status != res.StatusCode {
		t.Errorf("problem says %d, response %d", p.Status, res.StatusCode)
	}
	return p
}

func TestFaultsBecomeProblems(t *testing.T) {
	secret := errors.New("password of the database is hunter2")
	for name, c := range map[string]struct {
		err    error
		status int
		key    string
		says   string // key of the sentence
	}{
		"invalid":     {&fault.Error{Op: "t.Do", Kind: fault.Invalid, Key: "fault.too_large", Err: secret}, 400, "fault.too_large", "fault.too_large"},
		"unknown":     {fault.New("t.Do", fault.Unknown, "fault.sign_in"), 401, "fault.sign_in", "fault.sign_in"},
		"denied":      {fault.New("t.Do", fault.Denied, "fault.denied"), 403, "fault.denied", "fault.denied"},
		"not found":   {fault.New("t.Do", fault.NotFound, "fault.not_found"), 404, "fault.not_found", "fault.not_found"},
		"conflict":    {fault.New("t.Do", fault.Conflict, "fault.conflict"), 409, "fault.conflict", "fault.conflict"},
		"busy":        {fault.New("t.Do", fault.Busy, "fault.busy"), 503, "fault.busy", "fault.busy"},
		"internal":    {&fault.Error{Op: "t.Do", Kind: fault.Internal, Key: "fault.denied", Err: secret}, 500, "fault.internal", "fault.internal"},
		"no fault":    {secret, 500, "fault.internal", "fault.internal"},
		"no sentence": {fault.New("t.Do", fault.Denied, "missing.key"), 403, "missing.key", "fault.denied"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			k := newKit(t, &log)
			k.Handle("GET", "/api/page", "", func(http.ResponseWriter, *http.Request) error { return c.err })
			web.Register(k, web.Op{ID: "op", Method: "GET", Path: "/api/op"}, func(context.Context, *struct{}) (*struct{}, error) { return nil, c.err })
			for _, url := range []string{"/api/page", "/api/op"} {
				res := ask(k, "GET", url, "", "Accept-Language", "en-GB,en;q=0.9,vi;q=0.8")
				if (res.Header.Get("Retry-After") != "") != (c.status == 503) || (res.Header.Get("WWW-Authenticate") != "") != (c.status == 401) {
					t.Errorf("%s: headers %v", url, res.Header)
				}
				want := web.Problem{Status: c.status, Title: http.StatusText(c.status), Detail: say.In(say.English).Text(c.says, nil), Key: c.key}
				if diff := cmp.Diff(want, problem(t, res)); diff != "" {
					t.Errorf("%s: %s", url, diff)
				}
			}
			if logged := strings.Count(log.String(), "hunter2"); logged != map[bool]int{true: 2}[c.status == 500] {
				t.Errorf("the cause stands %d times in the log:\n%s", logged, &log)
			}
		})
	}
}

func TestAPersonGetsAPage(t *testing.T) {
	k := newKit(t, nil)
	res := ask(k, "GET", "/nowhere", "", "Accept", "text/html,*/*")
	if b := text(t, res); res.StatusCode != 404 || !strings.Contains(b, say.In(say.Vietnamese).Text("fault.not_found", nil)) || !strings.Contains(b, `href="tel:114"`) {
		t.Errorf("%d %s", res.StatusCode, b)
	}
	if p := problem(t, ask(k, "GET", "/api/nowhere", "", "Accept", "text/html,*/*")); p.Key != "fault.not_found" {
		t.Errorf("%+v", p)
	}
	res = ask(k, "DELETE", "/api/openapi.json", "")
	if p := problem(t, res); p.Status != 405 || p.Key != "fault.method" || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("%+v, allow %q", p, res.Header.Get("Allow"))
	}
}

func TestPanicsAreCaughtAndHalfAnswersCut(t *testing.T) {
	var log bytes.Buffer
	k := newKit(t, &log)
	k.Handle("GET", "/api/boom", "", func(http.ResponseWriter, *http.Request) error { panic("boom") })
	k.Handle("GET", "/api/half", "", func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<16))
		panic("boom")
	})
	if p := problem(t, ask(k, "GET", "/api/boom", "")); p.Key != "fault.internal" || !strings.Contains(log.String(), "route=\"GET /api/boom\"") {
		t.Errorf("%+v, log %s", p, &log)
	}
	s := httptest.NewServer(k.Handler())
	defer s.Close()
	res, err := http.Get(s.URL + "/api/half")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("half an answer looks whole")
	}
}

func TestOtherSitesCannotChangeAnything(t *testing.T) {
	k := newKit(t, nil)
	done := 0
	k.Handle("POST", "/api/do", "", func(http.ResponseWriter, *http.Request) error { done++; return nil })
	for _, h := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
	} {
		if p := problem(t, ask(k, "POST", "http://keng.example/api/do", "{}", h...)); p.Status != 403 || p.Key != "fault.cross_site" {
			t.Errorf("%v: %+v", h, p)
		}
	}
	if done != 0 {
		t.Fatalf("done %d times", done)
	}
	for _, h := range [][]string{{}, {"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://keng.example"}, {"Sec-Fetch-Site", "none"}} {
		if res := ask(k, "POST", "http://keng.example/api/do", "{}", h...); res.StatusCode != 200 {
			t.Errorf("%v: %d", h, res.StatusCode)
		}
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	k := newKit(t, nil)
	for _, url := range []string{"/api/openapi.json", "/nowhere"} {
		h := ask(k, "GET", url, "").Header
		for _, part := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(h.Get("Content-Security-Policy"), part) {
				t.Errorf("%s: policy %q lacks %s", url, h.Get("Content-Security-Policy"), part)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("policy %q", h.Get("Content-Security-Policy"))
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s = %q", url, name, h.Get(name))
			}
		}
	}
}

func TestTheLogSaysNothingOfAnybody(t *testing.T) {
	var log bytes.Buffer
	var seen []web.Visit
	k := web.New(web.Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Seen: func(v web.Visit) { v.Took = 0; seen = append(seen, v) }})
	k.Handle("GET", "/i/{secret}", "", func(w http.ResponseWriter, _ *http.Request) error { return web.JSON(w, 201, 1) })
	ask(k, "GET", "/i/SECRETCODE?phone=0900000001", "", "Cookie", "keng_session=SESSIONSECRET", "Authorization", "Bearer TOKENSECRET")
	ask(k, "GET", "/PATHSECRET", "")
	for _, s := range []string{"SECRET", "0900000001", "192.0.2.1"} {
		if strings.Contains(log.String(), s) {
			t.Errorf("%s is in the log:\n%s", s, &log)
		}
	}
	if want := []web.Visit{{Route: "GET /i/{secret}", Status: 201}, {Status: 404}}; !cmp.Equal(want, seen) {
		t.Error(cmp.Diff(want, seen))
	}
	if !strings.Contains(log.String(), `route="GET /i/{secret}" status=201`) {
		t.Errorf("log: %s", &log)
	}
}

func TestLanguage(t *testing.T) {
	k := newKit(t, nil)
	k.Handle("GET", "/api/l", "", func(_ http.ResponseWriter, r *http.Request) error {
		return fault.New("t", fault.Denied, "fault.denied")
	})
	for want, headers := range map[say.Lang][][]string{
		say.Vietnamese: {{}, {"Accept-Language", "fr"}, {"Accept-Language", "vi-VN,vi;q=0.9,en;q=0.8"}, {"Accept-Language", "en", "Cookie", "keng_lang=vi"}, {"Accept-Language", ";;;q=x"}, {"Cookie", "keng_lang=xx"}},
		say.English:    {{"Accept-Language", "en-US"}, {"Accept-Language", "fr,en;q=0.5"}, {"Cookie", "keng_lang=en"}},
	} {
		for _, h := range headers {
			if p := problem(t, ask(k, "GET", "/api/l", "", h...)); p.Detail != say.In(want).Text("fault.denied", nil) {
				t.Errorf("%v: %q, want %q", h, p.Detail, want)
			}
		}
	}
	w := httptest.NewRecorder()
	web.SetLang(w, say.English)
	if c := w.Result().Cookies()[0]; c.Name != say.Cookie || c.Value != "en" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v", c)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	k := newKit(t, nil)
	var got struct {
		A int `json:"a"`
	}
	k.Handle("POST", "/api/raw", "", func(_ http.ResponseWriter, r *http.Request) error { return web.Decode(r, &got) })
	web.Register(k, web.Op{ID: "op", Method: "POST", Path: "/api/op"}, func(_ context.Context, in *struct {
		Body *struct {
			A int `json:"a,omitempty"`
		}
	},
	) (*struct{}, error) {
		if in.Body != nil {
			got.A = in.Body.A
		}
		return nil, nil
	})
	pad := func(n int) string { return `{"a":1,"b":"` + strings.Repeat("x", n-len(`{"a":1,"b":""}`)) + `"}` }
	for _, url := range []string{"/api/raw", "/api/op"} {
		for name, c := range map[string]struct {
			body   string
			status int
			key    string
			a      int
		}{
			"empty":         {"", 0, "", 0},
			"unknown field": {`{"a":3,"from_the_future":true}`, 0, "", 3},
			"largest":       {pad(web.BodyLimit), 0, "", 1},
			"too large":     {pad(web.BodyLimit + 1), 400, "fault.too_large", 0},
			"far too large": {pad(web.BodyLimit * 4), 400, "fault.too_large", 0},
			"broken":        {`{"a":`, 400, "fault.bad_json", 0},
			"wrong type":    {`{"a":"x"}`, 400, "", 0},
		} {
			got.A = 0
			res := ask(k, "POST", url, c.body, "Content-Type", "application/json")
			if c.status == 0 {
				if res.StatusCode >= 300 || got.A != c.a {
					t.Errorf("%s %s: %d, a = %d", url, name, res.StatusCode, got.A)
				}
				continue
			}
			p := problem(t, res)
			if c.key != "" && p.Key != c.key || p.Status < 400 || p.Status >= 500 {
				t.Errorf("%s %s: %+v", url, name, p)
			}
		}
	}
	if p := problem(t, ask(k, "POST", "/api/raw", `{"a":1} {"a":2}`)); p.Key != "fault.bad_json" {
		t.Errorf("two values: %+v", p)
	}
}

// TestWrongBodiesAreNotEchoed: what somebody typed may be anything.
func TestWrongBodiesAreNotEchoed(t *testing.T) {
	k := newKit(t, nil)
	web.Register(k, web.Op{ID: "op", Method: "POST", Path: "/api/op"}, func(context.Context, *struct {
		Body struct {
			Seconds int `json:"seconds" maximum:"180"`
		}
	},
	) (*struct{}, error) {
		return nil, errors.New("not reached")
	})
	res := ask(k, "POST", "/api/op", `{"seconds":987654}`)
	b := text(t, res)
	if strings.Contains(b, "987654") || !strings.Contains(b, `"location":"body.seconds"`) || !strings.Contains(b, `"key":"fault.invalid"`) || strings.Contains(b, "$schema") {
		t.Errorf("%d %s", res.StatusCode, b)
	}
}

func TestOutboxKey(t *testing.T) {
	k := newKit(t, nil)
	k.Handle("POST", "/api/k", "", func(w http.ResponseWriter, r *http.Request) error {
		return web.JSON(w, 200, web.OutboxKey(r.Context()))
	})
	for sent, want := range map[string]string{"": `""`, "01JABC-x_y.z:1": `"01JABC-x_y.z:1"`, `"quoted"`: `"quoted"`} {
		if got := text(t, ask(k, "POST", "/api/k", "{}", "Idempotency-Key", sent)); got != want {
			t.Errorf("%q: %s, want %s", sent, got, want)
		}
	}
	for _, sent := range []string{"a b", "a\tb", "ạ", strings.Repeat("x", 65), `"`} {
		if p := problem(t, ask(k, "POST", "/api/k", "{}", "Idempotency-Key", sent)); p.Status != 400 || p.Key != "fault.outbox_key" {
			t.Errorf("%q: %+v", sent, p)
		}
	}
}

func TestAssets(t *testing.T) {
	k := newKit(t, nil)
	files := fstest.MapFS{
		"assets/map-1.mjs":     {Data: []byte("plain")},
		"assets/map-1.mjs.br":  {Data: []byte("brotli")},
		"assets/f-2.woff2":     {Data: []byte("font")},
		"sw.js":                {Data: []byte("worker")},
		"manifest.webmanifest": {Data: []byte("{}")},
		"manifest.json":        {Data: []byte("{}")},
		".gitkeep":             {},
	}
	if err := k.Assets(files, func(name string) bool { return name == "manifest.json" }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, accept, body, media, encoding, cache string }{
		{"/assets/map-1.mjs", "gzip, br", "brotli", "text/javascript; charset=utf-8", "br", "public, max-age=31536000, immutable"},
		{"/assets/map-1.mjs", "gzip", "plain", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"/assets/map-1.mjs", "br;q=0", "plain", "text/javascript; charset=utf-8", "", "public, max-age=31536000, immutable"},
		{"/assets/f-2.woff2", "br", "font", "font/woff2", "", "public, max-age=31536000, immutable"},
		{"/sw.js", "br", "worker", "text/javascript; charset=utf-8", "", "no-cache"},
		{"/manifest.webmanifest", "", "{}", "application/manifest+json", "", "no-cache"},
	} {
		res := ask(k, "GET", c.url, "", "Accept-Encoding", c.accept)
		h := res.Header
		if got := text(t, res); got != c.body || h.Get("Content-Type") != c.media || h.Get("Content-Encoding") != c.encoding || h.Get("Cache-Control") != c.cache {
			t.Errorf("%s (%s): %q %v", c.url, c.accept, got, h)
		}
		if again := ask(k, "GET", c.url, "", "Accept-Encoding", c.accept, "If-None-Match", h.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s: %d with its own tag", c.url, again.StatusCode)
		}
	}
	if res := ask(k, "GET", "/assets/map-1.mjs", "", "Accept-Encoding", "br", "Range", "bytes=0-1"); res.StatusCode != 206 || text(t, res) != "pl" {
		t.Errorf("range: %d", res.StatusCode)
	}
	k.Use(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	if a, b := ask(k, "GET", "/sw.js", "").StatusCode, ask(k, "GET", "/api/openapi.json", "").StatusCode; a != 200 || b != http.StatusTeapot {
		t.Errorf("a file answers %d, a route %d, want only the route wrapped", a, b)
	}
	for _, url := range []string{"/assets/", "/assets/map-1.mjs.br", "/.gitkeep", "/manifest.json", "/assets/../sw.js.br"} {
		if res := ask(k, "GET", url, ""); res.StatusCode == 200 {
			t.Errorf("%s: %d", url, res.StatusCode)
		}
	}
	if err := k.Assets(fstest.MapFS{"x.exe": {}}, nil); err == nil {
		t.Error("a file of an unknown kind is served")
	}
}

func TestRoutesAreListed(t *testing.T) {
	k := newKit(t, nil)
	web.Register(k, web.Op{ID: "op", Method: "POST", Path: "/api/v1/x/{id}", Summary: "do x"}, func(context.Context, *struct {
		ID string `path:"id"`
	},
	) (*struct{}, error) {
		return nil, nil
	})
	k.Raw(web.Op{ID: "stream", Method: "GET", Path: "/api/v1/stream", Summary: "live"}, "text/event-stream", func(http.ResponseWriter, *http.Request) error { return nil })
	want := []web.Route{{Method: "GET", Pattern: "/api/openapi.json", Summary: "what this API can do, OpenAPI 3.1"}, {Method: "POST", Pattern: "/api/v1/x/{id}", Summary: "do x"}, {Method: "GET", Pattern: "/api/v1/stream", Summary: "live"}}
	if diff := cmp.Diff(want, k.Routes()); diff != "" {
		t.Error(diff)
	}
}

func TestOpenAPI(t *testing.T) {
	k := newKit(t, nil)
	type inner struct {
		Tags []string `json:"tags"`
	}
	web.Register(k, web.Op{ID: "list", Method: "GET", Path: "/api/v1/x", Tag: "t", Open: true}, func(context.Context, *struct{}) (*struct{ Body []inner }, error) {
		return &struct{ Body []inner }{[]inner{}}, nil
	})
	k.Raw(web.Op{ID: "stream", Method: "GET", Path: "/api/v1/stream"}, "text/event-stream", func(http.ResponseWriter, *http.Request) error { return nil })
	res := ask(k, "GET", "/api/openapi.json", "")
	body := text(t, res)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct{ Content map[string]any }
		}
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || doc.Paths["/api/v1/x"]["get"].OperationID != "list" {
		t.Errorf("%s", body)
	}
	if _, ok := doc.Paths["/api/v1/stream"]["get"].Responses["200"].Content["text/event-stream"]; !ok {
		t.Errorf("no stream: %s", body)
	}
	if _, ok := doc.Paths["/api/v1/x"]["get"].Responses["default"].Content["application/problem+json"]; !ok {
		t.Errorf("no problem: %s", body)
	}
	if _, ok := doc.Components.Schemas["Problem"]; !ok || doc.Components.Schemas["ErrorModel"] != nil {
		t.Errorf("schemas: %v", doc.Components.Schemas)
	}
	if strings.Contains(body, `"null"`) {
		t.Errorf("a list may be null: %s", body)
	}
}

func TestServerHasTimeouts(t *testing.T) {
	s := newKit(t, nil).Server()
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes > 32<<10 {
		t.Errorf("%+v", s)
	}
	if s.ReadHeaderTimeout > 10*time.Second {
		t.Error("a slow head holds a connection for too long")
	}
}
