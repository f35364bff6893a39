package people_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// gate is the kit with the service's routes.
type gate struct {
	t *testing.T
	k *web.Kit
	h http.Handler
}

func newGate(t *testing.T, h *hall, cast ...people.Persona) *gate {
	t.Helper()
	k := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	k.Use(h.Gate(k))
	d, err := place.Load(t.Context(), h.db)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Routes(k, func() *place.Directory { return d }, cast); err != nil {
		t.Fatal(err)
	}
	return &gate{t, k, k.Handler()}
}

// visit asks for /api/v1/me and returns the session cookie that comes back, "" for none.
func (g *gate) visit(secret string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/api/v1/me", nil)
	r.AddCookie(&http.Cookie{Name: people.Cookie, Value: secret})
	g.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == people.Cookie {
			return c.String()
		}
	}
	return ""
}

// browser is a person's browser without JavaScript.
type browser struct {
	t     *testing.T
	c     *http.Client
	base  string
	token string // a program's
}

// as is b as a program.
func (b *browser) as(token string) *browser { c := *b; c.token = token; return &c }

func (g *gate) browser() *browser {
	g.t.Helper()
	srv := httptest.NewServer(g.h)
	g.t.Cleanup(srv.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return &browser{t: g.t, base: srv.URL, c: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	status int
	to     string // where a redirect leads
	body   string
	header http.Header
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := b.c.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(text), res.Header}
}

func (b *browser) session() *http.Cookie {
	u, _ := url.Parse(b.base)
	for _, c := range b.c.Jar.Cookies(u) {
		if c.Name == people.Cookie {
			return c
		}
	}
	return nil
}

func vi(key string) string { return say.In(say.Vietnamese).Text(key, nil) }

func TestAnInviteIsOpenedAndAcceptedWithoutAScript(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	list, err := h.InviteHome(t.Context(), "h2", "")
	if err != nil {
		t.Fatal(err)
	}
	path := list[0].Path()
	if a := b.do("POST", "/welcome", url.Values{"code": {" " + strings.ToLower(people.ShowCode(list[0].Code))}}); a.status != 303 || a.to != path {
		t.Fatalf("typed code leads to %d %q", a.status, a.to)
	}
	for range 2 {
		a := b.do("GET", path, nil)
		if a.status != 200 || !strings.Contains(a.body, "Nguyễn Văn Bình") || !strings.Contains(a.body, "Nhà số 12") || !strings.Contains(a.body, "Tổ liên gia số 1") || !strings.Contains(a.body, vi("invite.accept")) {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if b.session() != nil {
			t.Fatal("opening an invite signs in")
		}
	}
	a := b.do("POST", path, nil)
	if a.status != 303 || a.to != "/" {
		t.Fatalf("%d %q", a.status, a.to)
	}
	set := a.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=15552000"} {
		if !strings.Contains(set, part) {
			t.Errorf("cookie %q lacks %s", set, part)
		}
	}
	if strings.Contains(set, "Secure") {
		t.Error("a cookie over http cannot be secure")
	}
	if a := b.do("GET", "/api/v1/me", nil); !strings.Contains(a.body, `"name":"Nguyễn Văn Bình"`) || !strings.Contains(a.body, `"home":"h2"`) || strings.Contains(a.body, "+84") {
		t.Errorf("%s", a.body)
	}
	if a := b.do("GET", path, nil); a.status != 404 || !strings.Contains(a.body, vi("people.invite_not_good")) || strings.Contains(a.body, "Bình</dd>") {
		t.Errorf("used invite: %d %s", a.status, a.body)
	}
	if a := b.do("POST", path, nil); a.status != 404 || strings.Contains(a.header.Get("Set-Cookie"), people.Cookie) {
		t.Errorf("used invite: %d %s", a.status, a.header)
	}
}

func TestEveryCodeThatIsNoGoodGetsTheSameAnswer(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	list, err := h.InviteHome(t.Context(), "h1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Redeem(t.Context(), list[0].Code); err != nil {
		t.Fatal(err)
	}
	h.pass(8 * 24 * time.Hour) // list[1] has expired
	never := b.do("GET", "/i/0123456789AB", nil)
	for _, code := range []string{list[0].Code, list[1].Code, "short", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		for _, method := range []string{"GET", "POST"} {
			if a := b.do(method, "/i/"+code, nil); a.status != 404 || a.body != never.body {
				t.Errorf("%s %s: %d, another page than for a code that never was", method, code, a.status)
			}
		}
	}
}

func TestANewInviteEndsTheSessionBefore(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	var first string
	for _, home := range []place.HomeID{"h1", "h2"} {
		list, err := h.InviteHome(t.Context(), home, "")
		if err != nil {
			t.Fatal(err)
		}
		if a := b.do("POST", list[0].Path(), nil); a.status != 303 {
			t.Fatal(a.status)
		}
		if first == "" {
			first = b.session().Value
		}
	}
	if !h.ask(t, first, "").Nobody() || h.ask(t, b.session().Value, "").Home != "h2" {
		t.Error("two sessions in one browser")
	}
}

func TestOfficersGoToTheirConsole(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	i, err := h.InviteOfficer(t.Context(), people.Desk, "04792", "Đại uý Tuấn")
	if err != nil {
		t.Fatal(err)
	}
	if a := b.do("GET", i.Path(), nil); !strings.Contains(a.body, "Phường Tân Hoà") || !strings.Contains(a.body, vi("role.desk")) {
		t.Errorf("%s", a.body)
	}
	if a := b.do("POST", i.Path(), nil); a.to != "/console" || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=43200") {
		t.Errorf("%q %v", a.to, a.header)
	}
}

func TestSigningOut(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	h.Secure = true
	g := newGate(t, h)
	s := h.signIn(t, "h1")
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/api/v1/sign-out", strings.NewReader("{}"))
	r.Header.Set("Cookie", "other=1; "+people.Cookie+"=another; "+people.SecureCookie+"="+s.Secret)
	g.h.ServeHTTP(w, r)
	set := w.Header().Get("Set-Cookie")
	if w.Code != 204 || !strings.Contains(set, people.SecureCookie+"=;") || !strings.Contains(set, "Max-Age=0") || !strings.Contains(set, "Secure") {
		t.Errorf("%d %q", w.Code, set)
	}
	if !h.ask(t, s.Secret, "").Nobody() {
		t.Error("the session lives on")
	}
	w = httptest.NewRecorder()
	g.h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/me", nil))
	if w.Code != 401 || !strings.Contains(w.Body.String(), `"key":"fault.sign_in"`) {
		t.Errorf("nobody: %d %s", w.Code, w.Body)
	}
}

func TestLanguageIsChosenWithOrWithoutAScript(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	if a := b.do("GET", "/welcome", nil); !strings.Contains(a.body, `<html lang="vi">`) || !strings.Contains(a.body, vi("welcome.heading")) || !strings.Contains(a.body, `href="/welcome?lang=en"`) {
		t.Errorf("%s", a.body)
	}
	if a := b.do("GET", "/welcome?lang=en", nil); a.status != 303 || a.to != "/welcome" {
		t.Errorf("%d %q", a.status, a.to)
	}
	if a := b.do("GET", "/welcome", nil); !strings.Contains(a.body, `<html lang="en">`) || !strings.Contains(a.body, "One home presses") {
		t.Errorf("%s", a.body)
	}
	res, err := b.c.Post(b.base+"/api/v1/lang", "application/json", strings.NewReader(`{"lang":"vi"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if a := b.do("GET", "/welcome", nil); res.StatusCode != 204 || !strings.Contains(a.body, `<html lang="vi">`) {
		t.Errorf("%d %s", res.StatusCode, a.body)
	}
	if res, err = b.c.Post(b.base+"/api/v1/lang", "application/json", strings.NewReader(`{"lang":"xx"}`)); err != nil || res.StatusCode != 422 {
		t.Errorf("%v %v", res, err)
	}
	_ = res.Body.Close()
}

// TestPagesKeepToThePolicy: nothing inline, nothing from elsewhere, no sentence
// without its text, the emergency number on each.
func TestPagesKeepToThePolicy(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	cast := []people.Persona{{Key: "leader", Person: h.book(t).Home("h1")[0].ID}}
	b := newGate(t, h, cast...).browser()
	list, err := h.InviteHome(t.Context(), "h1", "")
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|https?://|<script(?:[^>]*)>[^<]`)
	key := regexp.MustCompile(`>\s*[a-z]+\.[a-z_0-9]+\s*<`)
	for _, lang := range []string{"vi", "en"} {
		b.do("GET", "/welcome?lang="+lang, nil)
		for _, path := range []string{"/welcome", list[0].Path(), "/demo/as/leader", "/i/0123456789AB"} {
			a := b.do("GET", path, nil)
			if m := inline.FindString(a.body); m != "" {
				t.Errorf("%s: %q is against the policy", path, m)
			}
			if m := key.FindString(a.body); m != "" || strings.Contains(a.body, "…") {
				t.Errorf("%s in %s: a sentence is missing: %q", path, lang, m)
			}
			if !strings.Contains(a.body, `lang="`+lang+`"`) || path != "/demo/as/leader" && !strings.Contains(a.body, `href="tel:114"`) {
				t.Errorf("%s in %s: %s", path, lang, a.body)
			}
			for _, m := range regexp.MustCompile(`(?:href|src)="(/[a-z.]+(?:css|js))"`).FindAllStringSubmatch(a.body, -1) {
				if f := b.do("GET", m[1], nil); f.status != 200 || len(f.body) == 0 {
					t.Errorf("%s: %s answers %d", path, m[1], f.status)
				}
			}
		}
	}
}

func TestWhatIsTypedIsShownSafely(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	b := newGate(t, h).browser()
	a := b.do("POST", "/welcome", url.Values{"code": {`"><script>alert(1)</script>`}})
	if a.status != 400 || strings.Contains(a.body, "<script>alert") || !strings.Contains(a.body, vi("welcome.code_wrong")) || !strings.Contains(a.body, `aria-invalid="true"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestTheDemoExistsOnlyInTheDemo(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	leader := h.book(t).Home("h1")[0]
	serve := newGate(t, h)
	for _, r := range serve.k.Routes() {
		if strings.Contains(r.Pattern, "demo/as") {
			t.Errorf("serve has %s %s", r.Method, r.Pattern)
		}
	}
	b := serve.browser()
	for _, method := range []string{"GET", "POST"} {
		if a := b.do(method, "/demo/as/leader", nil); a.status != 404 || b.session() != nil {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	if a := b.do("GET", "/welcome", nil); strings.Contains(a.body, "demo") || strings.Contains(a.body, leader.Name) {
		t.Errorf("serve shows the demo: %s", a.body)
	}
	officer, err := h.Officer(t.Context(), people.Desk, "04792", "Đại uý Tuấn")
	if err != nil {
		t.Fatal(err)
	}
	d := newGate(t, h, people.Persona{Key: "leader", Person: leader.ID}, people.Persona{Key: "desk", Person: officer.ID}).browser()
	a := d.do("GET", "/welcome", nil)
	if !strings.Contains(a.body, vi("demo.notice")) || strings.Count(a.body, `action="/demo/as/`) != 2 || !strings.Contains(a.body, leader.Name) {
		t.Errorf("%s", a.body)
	}
	if a := d.do("GET", "/demo/as/leader", nil); a.status != 200 || d.session() != nil || !strings.Contains(a.body, `action="/demo/as/leader"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := d.do("POST", "/demo/as/leader", nil); a.to != "/" || h.ask(t, d.session().Value, "").Role != people.Leader {
		t.Errorf("%q", a.to)
	}
	if a := d.do("POST", "/demo/as/desk", nil); a.to != "/console" || h.ask(t, d.session().Value, "").Role != people.Desk {
		t.Errorf("%q", a.to)
	}
	if a := d.do("POST", "/demo/as/king", nil); a.status != 404 {
		t.Errorf("%d", a.status)
	}
}

func TestABrokenDatabaseIsBusyAndNotASignOut(t *testing.T) {
	h := build(t, t.TempDir()+"/keng.db")
	g := newGate(t, h)
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := request("some-session", "")
	r.URL.Path = "/api/v1/me"
	g.h.ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
