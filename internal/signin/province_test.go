package signin_test

import (
	"context"
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

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/signin"
)

const backAddress = "http://localhost:9998/province/back"

// provider is a real OpenID Connect provider in this process, with its own login
// page and the user "test-user".
func provider(t *testing.T) (issuer string) {
	t.Helper()
	var h http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	issuer = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	storage.RegisterClients(storage.WebClient("keng", "secret-1", backAddress))
	h = exampleop.SetupServer(issuer, storage.NewStorage(storage.NewUserStore(issuer)), slog.New(slog.DiscardHandler), false)
	return issuer
}

// visit signs somebody in at the provider, as a browser does, and returns what it
// is sent back with.
func visit(t *testing.T, to, user, password string) (state, code string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	c := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), backAddress) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, at := fetch(t, c, http.MethodGet, to, nil)
	m := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form at %s: %.300s", at, page)
	}
	fetch(t, c, http.MethodPost, at.Scheme+"://"+at.Host+at.Path, url.Values{"id": {m[1]}, "username": {user}, "password": {password}})
	if back == nil {
		return "", ""
	}
	return back.Query().Get("state"), back.Query().Get("code")
}

func fetch(t *testing.T, c *http.Client, method, to string, form url.Values) (string, *url.URL) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp.Request.URL
}

// TestTheProvincesSignInLetsInWhomKengKnows goes through a real provider.
func TestTheProvincesSignInLetsInWhomKengKnows(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	issuer := provider(t)
	g.Province = &signin.Province{Issuer: issuer, ClientID: "keng", Secret: "secret-1"}
	travel := func(link people.ID) (carry, state, code string) {
		t.Helper()
		to, carry, err := g.Depart(t.Context(), backAddress, link)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("code_challenge_method") != "S256" || u.Query().Get("nonce") == "" || len(u.Query().Get("state")) < 20 || u.Query().Get("scope") != "openid" {
			t.Fatalf("%s, %v", to, err)
		}
		state, code = visit(t, to, "test-user@localhost", "verysecure")
		if code == "" {
			t.Fatal("the provider did not send back")
		}
		return carry, state, code
	}
	nobody := people.Actor{}
	carry, state, code := travel("")
	_, err := g.Return(t.Context(), nobody, backAddress, carry, state, code)
	wantKey(t, err, "signin.province_unknown")

	carry, state, code = travel(g.desk.Person)
	_, err = g.Return(t.Context(), g.lan, backAddress, carry, state, code)
	wantKey(t, err, "signin.too_late") // who comes back is another than who left
	if s, err := g.Return(t.Context(), g.desk, backAddress, carry, state, code); err != nil || s.Secret != "" {
		t.Fatalf("link: %+v, %v", s, err)
	}
	carry, state, code = travel("")
	_, err = g.Return(t.Context(), nobody, backAddress, carry, "another state", code)
	wantKey(t, err, "signin.too_late")
	_, err = g.Return(t.Context(), nobody, backAddress, "", state, code)
	wantKey(t, err, "signin.too_late")
	s, err := g.Return(t.Context(), nobody, backAddress, carry, state, code)
	if err != nil || g.who(t, s) != g.desk {
		t.Fatalf("%+v, %v", s, err)
	}
	_, err = g.Return(t.Context(), nobody, backAddress, carry, state, code)
	wantKey(t, err, "signin.province_refused") // a code works once

	// A code with somebody else's errand: PKCE and the nonce hold.
	first, _, _ := travel("")
	_, state, code = travel("")
	_, err = g.Return(t.Context(), nobody, backAddress, first, state, code)
	wantKey(t, err, "signin.too_late")

	carry, state, code = travel("")
	g.pass(11 * time.Minute)
	_, err = g.Return(t.Context(), nobody, backAddress, carry, state, code)
	wantKey(t, err, "signin.too_late")

	carry, state, code = travel(g.desk.Person)
	_, err = g.Return(t.Context(), g.desk, backAddress, carry, state, code)
	wantKey(t, err, "signin.key_known")
}

// TestAProviderThatIsAwayStopsNobodyElse: Keng starts without it and says so.
func TestAProviderThatIsAwayStopsNobodyElse(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	g.Province = &signin.Province{Issuer: "http://localhost:1", ClientID: "keng"}
	_, _, err := g.Depart(context.WithoutCancel(t.Context()), backAddress, "")
	wantKey(t, err, "signin.province_away")
	phone := newDevice(t, here)
	g.add(t, g.lan, phone, "")
	if _, err := g.in(t, phone); err != nil {
		t.Error(err)
	}
}
