package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/web"
)

// screen is a browser that listens to a real server.
type screen struct {
	res  *http.Response
	scan *bufio.Scanner
}

// next returns the fields of the next event: "event", "id", "data".
func (s screen) next(t *testing.T) map[string]string {
	t.Helper()
	e := map[string]string{}
	for s.scan.Scan() {
		name, value, _ := strings.Cut(s.scan.Text(), ": ")
		if name == "" && e["event"] != "" {
			return e
		}
		if name != "" && name != "retry" {
			e[name] += value
		}
	}
	return nil
}

// live serves one kit whose only stream is handed to f; f returns to run it.
func live(t *testing.T, set func(*http.Server), f func(s *web.Stream, r *http.Request)) (*web.Kit, string) {
	t.Helper()
	k := newKit(t, nil)
	k.Handle("GET", "/api/v1/stream", "", func(w http.ResponseWriter, r *http.Request) error {
		s, err := k.Open(w, r)
		if err != nil {
			return err
		}
		f(s, r)
		s.Run(r.Context())
		return nil
	})
	srv := k.Server()
	if set != nil {
		set(srv)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		k.Drain()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("serve: %v", err)
		}
	})
	return k, "http://" + l.Addr().String() + "/api/v1/stream"
}

func listen(t *testing.T, url string, headers ...string) screen {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if ct := res.Header.Get("Content-Type"); res.StatusCode != 200 || ct != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	return screen{res, bufio.NewScanner(res.Body)}
}

func TestStreamDeliversInOrderAtOnce(t *testing.T) {
	got := make(chan *web.Stream, 1)
	_, url := live(t, nil, func(s *web.Stream, _ *http.Request) {
		s.Send(web.Event{Name: "hello", Data: []byte(`{"seq":1}`)})
		got <- s
	})
	b := listen(t, url, "Last-Event-ID", "7-41")
	if e := b.next(t); e["event"] != "hello" || e["data"] != `{"seq":1}` || e["id"] != "" {
		t.Fatalf("first event %v", e)
	}
	s := <-got
	if s.LastID() != "7-41" {
		t.Errorf("last id %q", s.LastID())
	}
	for i := range 100 {
		s.Send(web.Event{ID: fmt.Sprintf("7-%d", i), Name: "incident", Data: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
	for i := range 100 {
		if e := b.next(t); e["id"] != fmt.Sprintf("7-%d", i) || e["data"] != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("event %d: %v", i, e)
		}
	}
}

func TestStreamOutlivesTheTimeoutsOfAnswersAndBeats(t *testing.T) {
	_, url := live(t, func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = time.Second, time.Second }, func(*web.Stream, *http.Request) {})
	b := listen(t, url)
	start := time.Now()
	for range 2 { // 4 s, four times the timeouts
		if e := b.next(t); e["event"] != "ping" || !strings.HasPrefix(e["data"], `{"now":"20`) || !strings.HasSuffix(e["data"], `Z"}`) {
			t.Fatalf("event %v after %v", e, time.Since(start))
		}
	}
	if d := time.Since(start); d < 2*web.Heartbeat-time.Second || d > 2*web.Heartbeat+3*time.Second {
		t.Errorf("two beats took %v", d)
	}
}

func TestASlowScreenIsToldToReloadAndHoldsUpNobody(t *testing.T) {
	flooded := make(chan *web.Stream, 1)
	_, url := live(t, nil, func(s *web.Stream, _ *http.Request) {
		for i := range web.StreamQueue + 10 { // before Run: nothing is taken yet
			s.Send(web.Event{ID: fmt.Sprint(i), Name: "incident", Data: []byte(`{}`)})
		}
		flooded <- s
	})
	b := listen(t, url)
	if e := b.next(t); e["event"] != "reload" || e["id"] != "" {
		t.Fatalf("first event %v, want reload", e)
	}
	for i := web.StreamQueue + 1; i < web.StreamQueue+10; i++ { // what came after the drop is still told
		if e := b.next(t); e["id"] != fmt.Sprint(i) {
			t.Fatalf("event %v, want id %d", e, i)
		}
	}
	s := <-flooded
	s.Send(web.Event{Name: "big", Data: make([]byte, 2<<20)})
	if e := b.next(t); e["event"] != "reload" {
		t.Fatalf("after an event that is too large: %v, want reload", e["event"])
	}
}

func TestDrainEndsStreams(t *testing.T) {
	k, url := live(t, nil, func(s *web.Stream, _ *http.Request) { s.Send(web.Event{Name: "hello"}) })
	b := listen(t, url)
	if e := b.next(t); e["event"] != "hello" {
		t.Fatal(e)
	}
	k.Drain()
	if e := b.next(t); e != nil {
		t.Errorf("event %v after drain", e)
	}
	for late := listen(t, url); late.next(t) != nil; { // it may still say hello, then it ends too
	}
}

func TestAScreenThatLeavesEndsItsStream(t *testing.T) {
	gone := make(chan struct{})
	k := newKit(t, nil)
	k.Handle("GET", "/s", "", func(w http.ResponseWriter, r *http.Request) error {
		s, err := k.Open(w, r)
		if err != nil {
			return err
		}
		s.Run(context.Background())
		close(gone)
		return nil
	})
	srv := httptest.NewServer(k.Handler())
	defer srv.Close()
	res, err := http.Get(srv.URL + "/s")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Fatal("the stream of a closed screen still runs")
	}
}

func TestEventsCannotBeForged(t *testing.T) {
	_, url := live(t, nil, func(s *web.Stream, _ *http.Request) {
		s.Send(web.Event{ID: "1\nevent: x", Name: "note\r\ndata: x", Data: []byte("{\"a\":\n1}\n\nevent: closed\ndata: {}\n\n")})
		s.Send(web.Event{Name: "end"})
	})
	b := listen(t, url)
	if e := b.next(t); e["id"] != "1event: x" || e["event"] != "notedata: x" || e["data"] != `{"a":1}event: closeddata: {}` {
		t.Errorf("%v", e)
	}
	if e := b.next(t); e["event"] != "end" {
		t.Errorf("%v", e)
	}
}
