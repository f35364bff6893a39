package web_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// bell is a slice as small as can be: one verb, may? - decide - do - tell. It
// shows how a slice uses the kit.
type bell struct {
	mu    sync.Mutex
	group place.Group
	rung  map[string]strokes // by who did it and the key of the act
}

type strokes struct {
	Number int    `json:"number"`
	By     string `json:"by"`
}

type ringInput struct {
	ID   string `path:"id"`
	Body struct {
		Times int `json:"times" minimum:"1" maximum:"100"`
	}
}

type ringOutput struct {
	Status int
	Body   strokes
}

func (b *bell) routes(k *web.Kit) {
	web.Register(k, web.Op{ID: "ring", Method: http.MethodPost, Path: "/api/v1/bells/{id}", Tag: "bell", Summary: "ring", Status: http.StatusCreated}, b.ring)
}

func (b *bell) ring(ctx context.Context, in *ringInput) (*ringOutput, error) {
	const op = "bell.Ring"
	a := people.Asker(ctx)
	var may people.Rights
	switch {
	case a.Nobody():
		return nil, fault.New(op, fault.Unknown, "fault.sign_in")
	case in.ID != string(b.group.ID) || !may.MaySee(a, b.group):
		return nil, fault.New(op, fault.NotFound, "fault.not_found")
	case !may.MayDrill(a, b.group):
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	act := string(a.Person) + a.Token + "/" + web.OutboxKey(ctx)
	if s, done := b.rung[act]; done && web.OutboxKey(ctx) != "" {
		return &ringOutput{http.StatusOK, s}, nil
	}
	s := strokes{Number: len(b.rung) + in.Body.Times, By: a.Name}
	b.rung[act] = s
	return &ringOutput{http.StatusCreated, s}, nil
}

// as makes a the asker of every request.
func as(a people.Actor) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(people.WithAsker(r.Context(), a)))
		})
	}
}

func TestASliceAsksWhoMayAndDoesAnActOnce(t *testing.T) {
	b := &bell{group: place.Group{ID: "g1", Commune: "04792"}, rung: map[string]strokes{}}
	at := func(a people.Actor) *web.Kit {
		k := newKit(t, nil)
		k.Use(as(a))
		b.routes(k)
		return k
	}
	in := place.Scope{Group: "g1"}
	leader := people.Actor{Person: "p-1", Name: "Bà Lan", Role: people.Leader, Home: "h1", Group: "g1", Scope: in}
	member := people.Actor{Person: "p-2", Role: people.Member, Home: "h2", Group: "g1", Scope: in}
	desk := people.Actor{Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04795"}}
	const url, body = "/api/v1/bells/g1", `{"times":3}`
	for _, c := range []struct {
		who    people.Actor
		url    string
		body   string
		status int
		key    string
	}{
		{people.Actor{}, url, body, 401, "fault.sign_in"},
		{desk, url, body, 404, "fault.not_found"},
		{leader, "/api/v1/bells/g2", body, 404, "fault.not_found"},
		{member, url, body, 403, "fault.denied"},
		{leader, url, `{"times":101}`, 422, "fault.invalid"},
	} {
		if p := problem(t, ask(at(c.who), "POST", c.url, c.body)); p.Status != c.status || p.Key != c.key {
			t.Errorf("%+v: %+v, want %d %s", c.who, p, c.status, c.key)
		}
	}
	if len(b.rung) != 0 {
		t.Fatalf("rung %v", b.rung)
	}
	first := ask(at(leader), "POST", url, body, "Idempotency-Key", "k1")
	if got := text(t, first); first.StatusCode != 201 || got != `{"number":3,"by":"Bà Lan"}`+"\n" {
		t.Errorf("%d %s", first.StatusCode, got)
	}
	again := ask(at(leader), "POST", url, body, "Idempotency-Key", "k1")
	if got := text(t, again); again.StatusCode != 200 || got != `{"number":3,"by":"Bà Lan"}`+"\n" {
		t.Errorf("again: %d %s", again.StatusCode, got)
	}
	if other := ask(at(leader), "POST", url, body, "Idempotency-Key", "k2"); other.StatusCode != 201 {
		t.Errorf("another key: %d", other.StatusCode)
	}
	if diff := cmp.Diff(2, len(b.rung)); diff != "" {
		t.Error(diff)
	}
}
