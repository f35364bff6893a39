package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type whoKey struct{}

// bounded is a kit with a limit; the header Who says who asks.
func bounded(t *testing.T) (*Kit, *Limit) {
	t.Helper()
	k := New(Options{Log: slog.New(slog.DiscardHandler)})
	ok := func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 200, 1) }
	k.Handle("GET", "/api/list", "", ok)
	k.Handle("POST", "/api/raise", "", ok)
	k.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), whoKey{}, r.Header.Get("Who"))))
		})
	})
	l := &Limit{
		Vital: func(route string) bool { return route == "POST /api/raise" },
		Known: func(ctx context.Context) string { s, _ := ctx.Value(whoKey{}).(string); return s },
	}
	k.Use(k.Bound(l))
	return k, l
}

// asks sends n requests and counts those that were answered.
func asks(h http.Handler, n int, method, path, addr, who, forwarded string) (answered int) {
	for range n {
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = addr
		r.Header.Set("Who", who)
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case 200:
			answered++
		case 429:
			if w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "fault.too_many") {
				panic("a 429 that says nothing: " + w.Body.String())
			}
		default:
			panic(w.Code)
		}
	}
	return answered
}

func TestNetworkThatAsksTooMuchIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := bounded(t)
		h := k.Handler()
		if n := asks(h, StrangersBurst+50, "GET", "/api/list", "203.0.113.7:1", "", ""); n != StrangersBurst {
			t.Errorf("%d answered, want %d", n, StrangersBurst)
		}
		for name, c := range map[string]struct {
			addr, who, forwarded string
			want                 int
		}{
			"a neighbour of the same network":           {"203.0.113.99:5", "", "", 0},
			"the same as IPv6 writes it":                {"[::ffff:203.0.113.8]:5", "", "", 0},
			"another network":                           {"203.0.114.7:5", "", "", 10},
			"who names another network himself":         {"203.0.113.7:5", "", "198.51.100.1", 0},
			"who is known, in the same network":         {"203.0.113.7:5", "lan", "", 10},
			"this machine":                              {"127.0.0.1:5", "", "", 10},
			"a proxy here, for that network":            {"127.0.0.1:5", "", "198.51.100.1, 203.0.113.40", 0},
			"a proxy here, for another":                 {"127.0.0.1:5", "", "203.0.113.40, 198.51.100.1", 10},
			"a proxy here that says nonsense":           {"127.0.0.1:5", "", "unknown", 10},
			"an address that is none, in no way broken": {"@", "", "", 10},
		} {
			if n := asks(h, 10, "GET", "/api/list", c.addr, c.who, c.forwarded); n != c.want {
				t.Errorf("%s: %d answered, want %d", name, n, c.want)
			}
		}
		if n := asks(h, 5000, "POST", "/api/raise", "203.0.113.7:1", "", ""); n != 5000 {
			t.Errorf("%d of 5000 alarms went through", n)
		}
		time.Sleep(5 * time.Second)
		if n := asks(h, 100, "GET", "/api/list", "203.0.113.7:1", "", ""); n != 5*strangersRate {
			t.Errorf("%d answered after 5 s, want %d", n, 5*strangersRate)
		}
		if n := asks(h, StrangersBurst+9, "GET", "/api/list", "[2001:db8:1:2::1]:1", "", ""); n != StrangersBurst {
			t.Errorf("IPv6: %d answered", n)
		}
		if n := asks(h, 1, "GET", "/api/list", "[2001:db8:1:ffff::9]:1", "", ""); n != 0 {
			t.Error("a neighbour in the same /48 was answered")
		}
		if n := asks(h, KnownBurst+20, "GET", "/api/list", "192.0.2.1:1", "greedy", ""); n != KnownBurst {
			t.Errorf("one person: %d answered, want %d", n, KnownBurst)
		}
	})
}

// TestLimitRemembersNoAddress looks into the memory of the limit, and that key and
// counts are gone after ten minutes.
func TestLimitRemembersNoAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, l := bounded(t)
		h := k.Handler()
		asks(h, StrangersBurst+1, "GET", "/api/list", "203.0.113.7:1", "", "")
		for _, s := range []string{"203.0.113", "203 0 113", "cb0071", "[203"} {
			for id, a := range l.left {
				if strings.Contains(fmt.Sprintf("%v %x %s %v", id, id, id, *a), s) {
					t.Errorf("%s is in memory", s)
				}
			}
		}
		key, n := l.key, len(l.left)
		if n != 1 || key == [32]byte{} {
			t.Fatalf("%d counted under %x: the test tested nothing", n, key)
		}
		time.Sleep(networkKeyFor)
		asks(h, 1, "GET", "/api/list", "198.51.100.7:1", "", "")
		if l.key == key || len(l.left) != 1 {
			t.Errorf("the key lives on, or %d counts", len(l.left))
		}
		for i := range mostCounted + 10 {
			asks(h, 1, "GET", "/api/list", fmt.Sprintf("[2001:%x:%x::1]:1", i>>16+1, i&0xffff), "", "")
		}
		if len(l.left) > mostCounted {
			t.Errorf("%d networks in memory", len(l.left))
		}
	})
}

// serveKit serves k on a real socket; wrap may change the server.
func serveKit(t *testing.T, k *Kit, wrap func(*http.Server)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := k.Server()
	if wrap != nil {
		wrap(srv)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// TestHalfRequestsHoldNobodyUp opens sockets that dribble headers, dribble a body,
// or say nothing, while others ask; each is cut in time.
func TestHalfRequestsHoldNobodyUp(t *testing.T) {
	k := New(Options{Log: slog.New(slog.DiscardHandler)})
	k.Handle("POST", "/api/do", "", func(w http.ResponseWriter, r *http.Request) error {
		var v any
		if err := Decode(r, &v); err != nil {
			return err
		}
		return JSON(w, 200, 1)
	})
	addr := serveKit(t, k, func(s *http.Server) { // as it is, only sooner
		for _, d := range []*time.Duration{&s.ReadHeaderTimeout, &s.ReadTimeout, &s.WriteTimeout, &s.IdleTimeout} {
			if *d == 0 || *d > 90*time.Second {
				t.Errorf("a timeout of %v", *d)
			}
			*d /= 5
		}
	})
	type half struct {
		begin, more string
		within      time.Duration
	}
	halves := []half{
		{"GET / HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", 4 * time.Second},
		{"POST /api/do HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{\"a\":\"", "x", 7 * time.Second},
		{"", "", 7 * time.Second},
	}
	ended := make(chan error, 3*50)
	for range 50 {
		for _, h := range halves {
			go func() { ended <- dribble(addr, h.begin, h.more, h.within) }()
		}
	}
	for range 20 {
		began := time.Now()
		res, err := http.Post("http://"+addr+"/api/do", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if took := time.Since(began); res.StatusCode != 200 || took > 2*time.Second {
			t.Errorf("%s after %v", res.Status, took)
		}
	}
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// dribble sends begin and then more every half second, until it is cut.
func dribble(addr, begin, more string, within time.Duration) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	start := time.Now()
	if _, err := io.WriteString(c, begin); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	for time.Since(start) < within {
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, err := io.Copy(io.Discard, r)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // cut
		}
		if _, err := io.WriteString(c, more); err != nil {
			return nil // cut
		}
	}
	return fmt.Errorf("%.20q was not cut within %v", begin, within)
}

// TestSilentConnectionsMakeRoom fills a small crowd with silent sockets: whoever
// asks is answered, and who is being answered stays.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	k := New(Options{Log: slog.New(slog.DiscardHandler)})
	inside, leave := make(chan struct{}), make(chan struct{})
	k.Handle("GET", "/api/slow", "", func(w http.ResponseWriter, r *http.Request) error {
		close(inside)
		<-leave
		return JSON(w, 200, "stayed")
	})
	k.Handle("GET", "/api/quick", "", func(w http.ResponseWriter, r *http.Request) error { return JSON(w, 200, 1) })
	addr := serveKit(t, k, func(s *http.Server) { s.ConnState = newCrowd(8).note })
	slow := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + addr + "/api/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		slow <- string(b)
	}()
	<-inside
	for range 100 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 20 {
		res, err := http.Get("http://" + addr + "/api/quick")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	close(leave)
	if s := <-slow; s != `"stayed"` {
		t.Errorf("who was being answered: %s", s)
	}
}

// TestHugeHeadersAreRefused before anybody reads them.
func TestHugeHeadersAreRefused(t *testing.T) {
	k := New(Options{Log: slog.New(slog.DiscardHandler)})
	addr := serveKit(t, k, nil)
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+"/api/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 64<<10))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(res.Status)
	}
}

// heard is what was logged, by many.
type heard struct {
	mu sync.Mutex
	b  strings.Builder
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(b)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// TestNetHTTPSaysNothingOfAnybody provokes what net/http itself would log, with
// the address of the client: a panic after half an answer, nonsense instead of a
// request.
func TestNetHTTPSaysNothingOfAnybody(t *testing.T) {
	var said heard
	log.SetOutput(&said)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	k := New(Options{Log: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	k.Handle("GET", "/api/panic", "", func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(200)
		panic("half an answer")
	})
	addr := serveKit(t, k, nil)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 3, 9)}}
	for _, text := range []string{"GET /api/panic HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01 nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /api/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"} {
		c, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, text)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	}
	if !strings.Contains(said.String(), "half an answer") {
		t.Error("nothing was said of the panic: the test tested nothing")
	}
	if strings.Contains(said.String(), "127.77.") {
		t.Errorf("the address is in the log:\n%s", said.String())
	}
}
