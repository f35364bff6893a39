package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// what is how a route answers somebody.
type what string

const (
	yes      what = "yes"       // 2xx
	signIn   what = "sign in"   // 401, or a page that sends to /welcome
	denied   what = "denied"    // 403
	unknown  what = "unknown"   // 404: it does not exist for him
	elsewher what = "elsewhere" // another page is his
	conflict what = "conflict"  // 409: not now
)

// askers are all who may stand before a route. g1 and g2 are groups of one ward;
// the other desk is of another ward.
var askers = []string{"nobody", "other resident", "resident", "leader", "desk", "other desk", "auditor", "admin"}

// all is one answer for each of askers, in that order.
func all(w ...what) map[string]what {
	m := map[string]what{}
	for k, a := range askers {
		m[a] = w[k]
	}
	return m
}

var (
	anybody  = all(yes, yes, yes, yes, yes, yes, yes, yes)
	signedIn = all(signIn, yes, yes, yes, yes, yes, yes, yes)
	// An incident of g1.
	seesIncident = all(signIn, unknown, yes, yes, yes, unknown, yes, yes)
	acts         = all(signIn, unknown, yes, yes, yes, unknown, denied, denied)
	leads        = all(signIn, unknown, denied, yes, yes, unknown, denied, denied)
	drills       = all(signIn, unknown, denied, yes, denied, unknown, denied, denied)
	devices      = all(signIn, unknown, denied, yes, yes, unknown, yes, denied)
	ownOnly      = all(signIn, yes, yes, denied, denied, denied, denied, denied) // persons; the others are programs here
	enrols       = all(signIn, yes, yes, denied, denied, denied, denied, denied) // leader and officers are programs here
	handsOver    = all(signIn, denied, denied, denied, yes, yes, denied, denied)
	readsNotes   = all(signIn, denied, denied, denied, yes, yes, yes, denied)
)

// rule says how a route answers, and with what body it is asked. Written from the
// stance, not from the code.
type rule struct {
	answers map[string]what
	body    string
	calm    bool // asked while nothing rings
}

var rules = map[string]rule{
	"GET /api/openapi.json": {anybody, "", false}, "GET /healthz": {anybody, "", false}, "GET /readyz": {anybody, "", false}, "GET /metrics": {anybody, "", false},
	"GET /welcome": {anybody, "", false}, "POST /api/v1/sign-out": {anybody, "", false}, "POST /api/v1/lang": {anybody, `{"lang":"vi"}`, false},
	"GET /api/v1/me": {signedIn, "", false}, "GET /api/v1/state": {signedIn, "", false}, "GET /api/v1/groups": {signedIn, "", false}, "GET /api/v1/incidents": {signedIn, "", false},
	"GET /api/v1/incidents/{id}": {seesIncident, "", false}, "POST /api/v1/incidents": {acts, `{"group":"g1","home":"g1-h1"}`, false},
	"POST /api/v1/incidents/{id}/answers":     {acts, `{"answer":"safe","home":"g1-h2"}`, false},
	"POST /api/v1/incidents/{id}/receipts":    {all(signIn, unknown, yes, yes, yes, unknown, yes, yes), `{}`, false},
	"POST /api/v1/incidents/{id}/acknowledge": {acts, `{}`, false},
	"POST /api/v1/incidents/{id}/attend":      {acts, `{}`, false},
	"POST /api/v1/incidents/{id}/control":     {acts, `{}`, false},
	"POST /api/v1/incidents/{id}/notes":       {acts, `{"text":"x"}`, false},
	"POST /api/v1/incidents/{id}/category":    {leads, `{"category":"fire"}`, false},
	"POST /api/v1/incidents/{id}/silence":     {leads, `{"seconds":10}`, false},
	"POST /api/v1/incidents/{id}/close":       {leads, `{"cause":"real"}`, false},
	"POST /api/v1/groups/{id}/drills":         {drills, `{}`, true},
	"POST /api/v1/groups/{id}/tests":          {drills, `{}`, true},
	"GET /api/v1/groups/{id}/devices":         {devices, "", false},
	"POST /api/v1/devices/{id}/bypass":        {drills, `{"hours":1}`, false},
	"GET /api/v1/handovers":                   {readsNotes, "", false},
	"POST /api/v1/handovers":                  {handsOver, `{"text":"x"}`, false},
	"GET /api/v1/boundaries":                  {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false}, // none were imported
	"GET /{$}":                                {all(signIn, yes, yes, yes, elsewher, elsewher, elsewher, elsewher), "", false},         // tokens of officers
	"GET /console":                            {all(signIn, elsewher, elsewher, elsewher, yes, yes, yes, yes), "", false},
	"POST /v1/signal":                         {all(signIn, signIn, signIn, signIn, signIn, signIn, signIn, signIn), `{}`, false}, // a hub's signature, not a person's session
	"GET /i/{secret}":                         {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false},
	"POST /i/{secret}":                        {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false},
	"GET /api/v1/me/sessions":                 {ownOnly, "", false},
	"POST /api/v1/me/sessions/end-others":     {ownOnly, `{}`, false},
	"POST /api/v1/me/sessions/{id}/end":       {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{}`, false}, // g1 is nobody's session
	"GET /api/v1/me/keys":                     {ownOnly, "", false},
	"POST /api/v1/me/keys/options":            {all(signIn, conflict, conflict, denied, denied, denied, denied, denied), `{}`, false}, // 409: not at this address
	"POST /api/v1/me/keys":                    {all(signIn, conflict, conflict, denied, denied, denied, denied, denied), `{"credential":{}}`, false},
	"POST /api/v1/me/keys/{kind}/{id}/remove": {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{}`, false},
	"POST /api/v1/sign-in/options":            {all(conflict, conflict, conflict, conflict, conflict, conflict, conflict, conflict), `{}`, false},
	"POST /api/v1/sign-in":                    {all(conflict, conflict, conflict, conflict, conflict, conflict, conflict, conflict), `{"credential":{}}`, false},
	"GET /sign-in":                            {anybody, "", false},
	"POST /sign-in":                           {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false}, // a paper that is none
	"GET /key":                                {all(signIn, yes, yes, signIn, signIn, signIn, signIn, signIn), "", false},               // for persons
	"POST /key/phrase":                        {all(signIn, yes, yes, denied, denied, denied, denied, denied), "", false},
	"GET /api/v1/groups/{id}/phones":          {all(signIn, unknown, yes, yes, yes, unknown, yes, denied), "", false},
	"POST /api/v1/people/{id}/invite":         {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{}`, false}, // nobody is called g1; see TestOnlyALeaderInvitesAgain
	"GET /api/v1/me/colleagues":               {all(signIn, denied, denied, denied, denied, denied, denied, denied), "", false},          // for officers, and none of these is a person
	"POST /api/v1/me/colleagues/{id}/renewal": {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{}`, false},
	"POST /api/v1/renewals/{id}/agree":        {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{}`, false},
	"POST /api/v1/renewals/{id}/refuse":       {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{}`, false},
	// Whoever has a phone decides for himself; a program has none.
	"GET /api/v1/reach":                    {enrols, "", false},
	"POST /api/v1/reach/phones":            {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), `{"endpoint":"https://127.0.0.1/x","p256dh":"x","auth":"x"}`, false}, // an address that is none
	"POST /api/v1/reach/phones/{id}/probe": {all(signIn, unknown, unknown, denied, denied, denied, denied, denied), "", false},                                                           // not his phone
	"POST /api/v1/reach/phones/{id}/drop":  {enrols, "", false},
	"POST /api/v1/reach/trouble":           {enrols, `{"trouble":"denied"}`, false},
	"POST /api/v1/reach/wishes":            {enrols, `{"chat":true,"notices":true,"quiet_from":-1,"quiet_to":-1}`, false},
	"POST /v1/receipts":                    {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{"token":"x"}`, false},                                                                                                         // a token of nobody's
	"POST /v1/answers":                     {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{"token":"x","answer":"safe"}`, false},                                                                                         // likewise
	"POST /v1/gateway":                     {all(signIn, signIn, signIn, signIn, signIn, signIn, signIn, signIn), `{"id":"x"}`, false},                                                                                                                    // a gateway's signature, not a person's session
	"POST /welcome":                        {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false},                                                                                                                      // a code that is none
	"GET /api/v1/shifts":                   {readsNotes, "", false}, "POST /api/v1/shifts": {all(signIn, denied, denied, denied, unknown, unknown, denied, denied), `{"person":"x","from":"2030-01-01T00:00:00Z","until":"2029-01-01T00:00:00Z"}`, false}, // a time that cannot be
	"POST /api/v1/shifts/{id}/drop":    {all(signIn, denied, denied, denied, unknown, unknown, denied, denied), `{}`, false}, // there is no shift g1
	"POST /api/v1/shifts/take":         {all(signIn, denied, denied, denied, denied, denied, denied, denied), `{}`, false},   // a program stands no shift
	"POST /api/v1/shifts/hand-over":    {all(signIn, denied, denied, denied, conflict, conflict, denied, denied), `{"text":"x"}`, false},
	"POST /api/v1/handovers/{id}/read": {all(signIn, denied, denied, denied, denied, denied, denied, denied), `{}`, false},
	// Roles; asked by those who may give them in TestEveryRoleAsksEveryRoute.
	"GET /api/v1/grants": {signedIn, "", false}, "POST /api/v1/people/find": {signedIn, `{"name":"Bùi"}`, false},
	"POST /api/v1/grants":                         {all(signIn, denied, denied, denied, denied, denied, denied, denied), `{"person":"x","role":"team","unit":"04792"}`, false},
	"POST /api/v1/grants/{id}/confirm":            {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{}`, false}, // there is no g1
	"POST /api/v1/grants/{id}/refuse":             {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{}`, false},
	"POST /api/v1/grants/{id}/end":                {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{}`, false},
	"GET /api/v1/me/acts":                         {signedIn, "", false},
	"GET /api/v1/me/acts/{n}":                     {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false}, // of none
	"GET /api/v1/me/requests":                     {all(signIn, yes, yes, denied, denied, denied, denied, denied), "", false},              // of persons, not of programs
	"POST /api/v1/me/requests":                    {all(signIn, yes, yes, denied, denied, denied, denied, denied), `{"kind":"see"}`, false},
	"POST /api/v1/me/export":                      {all(signIn, yes, yes, denied, denied, denied, denied, denied), `{}`, false},
	"GET /api/v1/privacy/requests":                {all(signIn, denied, denied, denied, yes, yes, yes, denied), "", false},
	"POST /api/v1/privacy/requests/{id}/take":     {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{}`, false}, // of none
	"POST /api/v1/privacy/requests/{id}/lengthen": {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{"text":"x"}`, false},
	"POST /api/v1/privacy/requests/{id}/answer":   {all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown), `{"outcome":"done"}`, false},
	// The log of acts is everybody's: it holds commitments only.
	"GET /log/checkpoint": {anybody, "", false}, "GET /log/key": {anybody, "", false}, "GET /log/consistency/{old}": {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false},
	"GET /log/tile/{path...}": {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false}, // of none
	"GET /log/proof/{n}":      {all(unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown), "", false},
}

// TestEveryRouteIsSilentToStrangers asks every route as everybody. A route that
// is not in rules fails: whoever adds one says who may use it.
func TestEveryRouteIsSilentToStrangers(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	message := sayPicture(t, a, who["resident"])
	for _, r := range a.Kit.Routes() {
		if r.Static {
			continue
		}
		name := r.Method + " " + r.Pattern
		want, known := rules[name]
		if !known {
			want, known = chatRules[name]
		}
		if !known {
			want, known = groupRules[name]
		}
		if !known {
			if name != "GET /api/v1/stream" { // asked in a test of its own: it does not end
				t.Errorf("%s has no rule: say who may use it", name)
			}
			continue
		}
		signInAgain(t, a, who) // one of the routes signs out
		for _, asker := range askers {
			t.Run(name+" by "+asker, func(t *testing.T) {
				id := "none"
				if !want.calm {
					id = raise(t, a, who["leader"])
				}
				defer calm(t, a)
				status, body, location := ask(t, h, who[asker], r.Method, strings.ReplaceAll(r.Pattern, "{message}", message), id, want.body)
				if got := answerOf(status, location); got != want.answers[asker] {
					t.Errorf("answered %d %s (%s), want %s: %.200s", status, location, got, want.answers[asker], body)
				}
				keepsQuiet(t, asker, body)
			})
		}
	}
}

// secrets are g1's: nobody else may read them anywhere.
var secrets = []string{"Bùi Thị Lan", "Nguyễn Văn Bình", "+84900000001", "Số 6, ngõ 12", "g1-h1-button"}

func keepsQuiet(t *testing.T, asker, body string) {
	t.Helper()
	if !slices.Contains([]string{"nobody", "other resident", "other desk", "admin"}, asker) {
		return
	}
	for _, s := range secrets {
		if strings.Contains(body, s) {
			t.Errorf("%s reads %q", asker, s)
		}
	}
}

func answerOf(status int, location string) what {
	switch {
	case status == http.StatusSeeOther && location == "/welcome", status == http.StatusUnauthorized:
		return signIn
	case status == http.StatusSeeOther:
		return elsewher
	case status == http.StatusForbidden:
		return denied
	case status == http.StatusNotFound, status == http.StatusBadRequest:
		return unknown
	case status == http.StatusConflict:
		return conflict
	case status >= 200 && status < 300:
		return yes
	}
	return what(fmt.Sprint(status))
}

// ask sends one request and returns its answer.
func ask(t *testing.T, h http.Handler, secret, method, pattern, incident, body string) (int, string, string) {
	t.Helper()
	path := strings.ReplaceAll(pattern, "{$}", "")
	switch {
	case strings.Contains(path, "/incidents/"):
		path = strings.NewReplacer("{id}", incident, "{home}", "g1-h1").Replace(path)
	case strings.Contains(path, "/{kind}/"):
		path = strings.NewReplacer("{kind}", "passkey", "{id}", "none").Replace(path)
	case strings.Contains(path, "/devices/{id}"):
		path = strings.ReplaceAll(path, "{id}", "g1-h1-button")
	default:
		path = strings.NewReplacer("{id}", "g1", "{group}", "g1", "{secret}", "NOSUCHINVITE", "{home}", "g1-h1", "{other}", "g2", "{gear}", "none", "{version}", "9", "{term}", "none").Replace(path)
	}
	path = strings.ReplaceAll(path, "{identifier}", incident+".1")
	if strings.HasSuffix(path, "/files") {
		path += "?kind=photo"
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, bytes.NewReader([]byte(body)))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
		if !strings.HasPrefix(secret, "keng_") {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: people.Cookie, Value: secret})
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header().Get("Location")
}

// raise opens a live incident in g1 as a resident.
func raise(t *testing.T, a *App, secret string) string {
	t.Helper()
	status, body, _ := ask(t, a.Kit.Handler(), secret, http.MethodPost, "/api/v1/incidents", "", `{"group":"g1","home":"g1-h1","category":"fire"}`)
	var i struct{ ID string }
	if err := json.Unmarshal([]byte(body), &i); err != nil || status != http.StatusCreated {
		t.Fatalf("raise: %d %s", status, body)
	}
	return i.ID
}

// calm closes whatever is open.
func calm(t *testing.T, a *App) {
	t.Helper()
	by := alarm.Act{By: people.Actor{Token: "test", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}}
	for _, id := range a.Alarm.Open(by.By) {
		if _, err := a.Alarm.Close(t.Context(), by, alarm.ID(id), alarm.UnknownCause, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// TestHoldUpExistsAtTheDeskOnly raises a silent hold-up and looks who hears of it.
func TestHoldUpExistsAtTheDeskOnly(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	status, body, _ := ask(t, h, who["resident"], http.MethodPost, "/api/v1/incidents", "", `{"category":"holdup"}`)
	var i struct{ ID string }
	if err := json.Unmarshal([]byte(body), &i); err != nil || status != http.StatusCreated {
		t.Fatalf("raise: %d %s", status, body)
	}
	for asker, want := range all(signIn, unknown, unknown, unknown, yes, unknown, yes, unknown) {
		status, _, location := ask(t, h, who[asker], http.MethodGet, "/api/v1/incidents/{id}", i.ID, "")
		if got := answerOf(status, location); got != want {
			t.Errorf("%s: %s, want %s", asker, got, want)
		}
		_, list, _ := ask(t, h, who[asker], http.MethodGet, "/api/v1/incidents", "", "")
		if shown := strings.Contains(list, i.ID); shown != (want == yes) {
			t.Errorf("%s sees it in the list: %v", asker, shown)
		}
		_, state, _ := ask(t, h, who[asker], http.MethodGet, "/api/v1/state", "", "")
		if shown := strings.Contains(state, i.ID); shown != (want == yes) {
			t.Errorf("%s sees it in the state: %v", asker, shown)
		}
	}
	if d := a.Alarm.Desired("g1"); d.Sounding {
		t.Error("a hold-up rings")
	}
}

// TestStreamIsSilentToStrangers opens the stream of everybody and raises an
// alarm: only those of the group hear of it.
func TestStreamIsSilentToStrangers(t *testing.T) {
	a, who := street(t)
	srv := httptest.NewServer(a.Kit.Handler())
	defer srv.Close()
	defer a.Kit.Drain()
	heard := map[string]chan string{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, asker := range askers[1:] {
		heard[asker] = listen(t, ctx, srv.URL, who[asker])
	}
	id := raise(t, a, who["resident"])
	for asker, want := range map[string]bool{"other resident": false, "resident": true, "leader": true, "desk": true, "other desk": false, "auditor": true, "admin": true} {
		got := saw(heard[asker], id, want)
		if (got != "") != want {
			t.Errorf("%s heard of the incident: %v, want %v", asker, got != "", want)
		}
		keepsQuiet(t, asker, got)
	}
}

// listen returns what a stream says, event by event.
func listen(t *testing.T, ctx context.Context, url, secret string) chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	if !strings.HasPrefix(secret, "keng_") {
		r.Header.Del("Authorization")
		r.AddCookie(&http.Cookie{Name: people.Cookie, Value: secret})
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // closed when ctx ends
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("stream: %d", resp.StatusCode)
	}
	lines := make(chan string, 256)
	hello := make(chan bool, 1)
	go func() {
		defer close(lines)
		defer func() { _ = resp.Body.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := resp.Body.Read(buf)
			if n > 0 {
				text := string(buf[:n])
				if strings.Contains(text, "event: hello") {
					select {
					case hello <- true:
					default:
					}
				}
				select {
				case lines <- text:
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
	<-hello
	return lines
}

// saw returns what the stream said of incident id. Who should not hear of it is
// given until the second ping.
func saw(lines chan string, id string, want bool) string {
	pings := 0
	var all strings.Builder
	limit := time.After(10 * time.Second)
	for {
		select {
		case text, ok := <-lines:
			if !ok {
				return ""
			}
			all.WriteString(text)
			if strings.Contains(all.String(), id) {
				return all.String()
			}
			if pings += strings.Count(text, "event: ping"); pings >= 2 && !want {
				return ""
			}
		case <-limit:
			return ""
		}
	}
}
