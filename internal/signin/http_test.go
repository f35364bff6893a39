package signin_test

import (
	"io"
	"log/slog"
	"net/http"
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
	"github.com/keng-vn/keng/internal/signin"
)

// open serves the gate's routes.
func (g *gate) open(t *testing.T) http.Handler {
	t.Helper()
	k := web.New(web.Options{Log: slog.New(slog.DiscardHandler)})
	k.Use(g.people.Gate(k))
	d, err := place.Load(t.Context(), g.db)
	if err != nil {
		t.Fatal(err)
	}
	g.people.Ways = people.Ways{Keys: true, Province: g.Province != nil}
	if err := g.people.Routes(k, func() *place.Directory { return d }, nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Service.Routes(k); err != nil {
		t.Fatal(err)
	}
	return k.Handler()
}

type reply struct {
	status int
	to     string
	cookie string
	body   string
}

// ask sends a request from a page at localhost, with a session's secret.
func ask(t *testing.T, h http.Handler, secret, method, path, kind, body string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, here+path, strings.NewReader(body))
	r.Header.Set("Origin", here)
	r.Header.Set("Accept", "text/html")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if secret != "" {
		r.Header.Set("Cookie", people.Cookie+"="+secret)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{status: w.Code, to: w.Header().Get("Location"), body: string(b)}
	for _, c := range w.Result().Cookies() {
		if c.Name == people.Cookie {
			a.cookie = c.Value
		}
	}
	return a
}

const (
	asForm = "application/x-www-form-urlencoded"
	asJSON = "application/json"
)

func vi(key string) string { return say.In(say.Vietnamese).Text(key, nil) }

// TestFromInviteToKeyAndBack goes the whole way over HTTP.
func TestFromInviteToKeyAndBack(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	h := g.open(t)
	list, err := g.people.InviteHome(t.Context(), "h1", "")
	if err != nil {
		t.Fatal(err)
	}
	a := ask(t, h, "", "POST", list[0].Path(), asForm, "")
	if a.status != 303 || a.to != "/key" || a.cookie == "" {
		t.Fatalf("%+v", a)
	}
	mine := a.cookie
	if a := ask(t, h, mine, "GET", "/key", "", ""); a.status != 200 || !strings.Contains(a.body, vi("key.add")) || !strings.Contains(a.body, `href="/"`) {
		t.Errorf("%+v", a)
	}
	phone := newDevice(t, here)
	asked := ask(t, h, mine, "POST", "/api/v1/me/keys/options", asJSON, `{}`)
	if asked.status != 200 {
		t.Fatalf("%+v", asked)
	}
	kept := ask(t, h, mine, "POST", "/api/v1/me/keys", asJSON, `{"name":"Máy mới","credential":`+string(phone.create([]byte(asked.body)))+`}`)
	if kept.status != 204 {
		t.Fatalf("%+v", kept)
	}
	if a := ask(t, h, mine, "GET", "/api/v1/me/keys", "", ""); !strings.Contains(a.body, "Máy mới") || !strings.Contains(a.body, `"passkeys":true`) {
		t.Errorf("%+v", a)
	}
	asked = ask(t, h, mine, "POST", "/api/v1/sign-in/options", asJSON, `{}`)
	in := ask(t, h, mine, "POST", "/api/v1/sign-in", asJSON, `{"credential":`+string(phone.get([]byte(asked.body)))+`}`)
	if in.status != 200 || in.cookie == "" || in.cookie == mine || !strings.Contains(in.body, `"to":"/"`) {
		t.Fatalf("%+v", in)
	}
	if a := ask(t, h, mine, "GET", "/api/v1/me", "", ""); a.status != 401 {
		t.Error("the session before lives on: it must rotate")
	}
	mine = in.cookie
	// A telephone that lies unlocked gives no key away.
	g.pass(16 * time.Minute)
	if a := ask(t, h, mine, "POST", "/api/v1/me/keys/options", asJSON, `{}`); a.status != 403 || !strings.Contains(a.body, "signin.prove_first") {
		t.Errorf("%+v", a)
	}
	if a := ask(t, h, mine, "POST", "/key/phrase", asForm, ""); a.status != 403 || strings.Contains(a.body, `class="words"`) {
		t.Errorf("%+v", a)
	}
}

// TestPaperOverHTTPWorksWithoutAScript makes one, comes in by it, and waits.
func TestPaperOverHTTPWorksWithoutAScript(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	h := g.open(t)
	s, err := g.people.SignIn(t.Context(), g.lan.Person)
	if err != nil {
		t.Fatal(err)
	}
	made := ask(t, h, s.Secret, "POST", "/key/phrase", asForm, "")
	words := regexp.MustCompile(`<li>([^<]+)</li>`).FindAllStringSubmatch(made.body, -1)
	card := regexp.MustCompile(`<dd>(\d{4} \d{4})</dd>`).FindStringSubmatch(made.body)
	if len(words) != 6 || card == nil {
		t.Fatalf("%s", made.body)
	}
	var typed []string
	for _, w := range words {
		typed = append(typed, w[1])
	}
	form := url.Values{"card": {card[1]}, "words": {"mèo vàng " + strings.Join(typed[1:], " ")}}
	if typed[0] == "mèo vàng" {
		form.Set("words", "gà vàng "+strings.Join(typed[1:], " "))
	}
	if a := ask(t, h, "", "POST", "/sign-in", asForm, form.Encode()); a.status != 401 || a.cookie != "" || !strings.Contains(a.body, vi("signin.wrong")) || strings.Contains(a.body, typed[1]) {
		t.Errorf("wrong words: %+v", a)
	}
	form.Set("words", strings.Join(typed, " "))
	if a := ask(t, h, "", "POST", "/sign-in", asForm, form.Encode()); a.status != 429 || a.cookie != "" {
		t.Errorf("too soon: %+v", a)
	}
	g.pass(time.Second)
	if a := ask(t, h, "", "POST", "/sign-in", asForm, form.Encode()); a.status != 303 || a.to != "/" || a.cookie == "" {
		t.Errorf("right words: %+v", a)
	}
}

// TestProvincePagesChangeNothingByGET: what comes back from another site is a page
// with a form, and only the form goes on.
func TestProvincePagesChangeNothingByGET(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	g.Province = &signin.Province{Issuer: provider(t), ClientID: "keng", Secret: "secret-1"}
	h := g.open(t)
	a := ask(t, h, "", "POST", "/province", asForm, "")
	if a.status != 200 || !strings.Contains(a.body, "code_challenge=") {
		t.Fatalf("%+v", a)
	}
	b := ask(t, h, "", "GET", "/province/back?state=x&code=y%22%3E%3Cscript%3E", "", "")
	if b.status != 200 || b.cookie != "" || !strings.Contains(b.body, `method="post" action="/province/back"`) || strings.Contains(b.body, "<script>") {
		t.Errorf("%+v", b)
	}
	if c := ask(t, h, "", "POST", "/province/back", asForm, "state=x&code=y"); c.status != 400 || c.cookie != "" || !strings.Contains(c.body, vi("signin.too_late")) {
		t.Errorf("%+v", c)
	}
	s, err := g.people.SignIn(t.Context(), g.lan.Person)
	if err != nil {
		t.Fatal(err)
	}
	if d := ask(t, h, s.Secret, "POST", "/province/link", asForm, ""); d.status != 403 {
		t.Errorf("a resident links an account: %+v", d)
	}
}

// TestPagesKeepToThePolicy: nothing inline, nothing from elsewhere, no sentence
// without its text.
func TestPagesKeepToThePolicy(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	h := g.open(t)
	s, err := g.people.SignIn(t.Context(), g.desk.Person)
	if err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|https?://|<script(?:[^>]*)>[^<]`)
	key := regexp.MustCompile(`>\s*[a-z]+\.[a-z_0-9]+\s*<`)
	for _, p := range [][2]string{{"GET", "/key"}, {"GET", "/sign-in"}, {"GET", "/welcome"}, {"POST", "/key/phrase"}} {
		a := ask(t, h, s.Secret, p[0], p[1], asForm, "")
		if a.status != 200 {
			t.Errorf("%s: %d", p, a.status)
		}
		if m := inline.FindString(a.body); m != "" {
			t.Errorf("%s: %q is against the policy", p, m)
		}
		if m := key.FindString(a.body); m != "" {
			t.Errorf("%s: a sentence is missing: %q", p, m)
		}
		for _, m := range regexp.MustCompile(`(?:href|src)="(/[a-z.-]+(?:css|js))"`).FindAllStringSubmatch(a.body, -1) {
			if f := ask(t, h, "", "GET", m[1], "", ""); f.status != 200 || f.body == "" {
				t.Errorf("%s: %s answers %d", p, m[1], f.status)
			}
		}
	}
}
