package stage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Fate is what becomes of one request at the door.
type Fate int

// The fates. To a browser all but Pass look like a network that broke.
const (
	Pass      Fate = iota
	LoseAsk        // cut before Keng hears of it
	LoseReply      // Keng does it; the answer is cut off whole
	TearReply      // Keng does it; the answer is cut off in the middle
)

// Door is the way from browsers to Keng. It is safe for use by many goroutines.
type Door struct {
	addr string

	mu     sync.Mutex
	to     *url.URL
	srv    *http.Server // nil while it is shut
	served chan struct{}
	held   chan struct{} // closed when what is held may go on; nil while nothing is
	fate   func(*http.Request) Fate
}

// NewDoor opens a door at a free port of this machine to Keng at addr, host:port.
func NewDoor(addr string) (*Door, error) {
	d := &Door{addr: "127.0.0.1:0"}
	d.Lead(addr)
	return d, d.Open()
}

// URL is the address of the door: "http://127.0.0.1:40123".
func (d *Door) URL() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return "http://" + d.addr
}

// Lead leads to Keng at addr from now on.
func (d *Door) Lead(addr string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = &url.URL{Scheme: "http", Host: addr}
}

// Open lets browsers in, at the same address as before.
func (d *Door) Open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.srv != nil {
		return nil
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", d.addr)
	if err != nil {
		return fmt.Errorf("open the door: %w", err)
	}
	d.addr = ln.Addr().String()
	srv := &http.Server{Handler: http.HandlerFunc(d.pass), ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	served := make(chan struct{})
	d.srv, d.served = srv, served
	go func() { // Shut waits for it
		defer close(served)
		_ = srv.Serve(ln) // ends when the door is shut
	}()
	return nil
}

// Shut cuts every connection and refuses new ones: Keng is gone.
func (d *Door) Shut() {
	d.mu.Lock()
	srv, served := d.srv, d.served
	d.srv = nil
	d.mu.Unlock()
	if srv == nil {
		return
	}
	_ = srv.Close() // cuts the connections; that is what it is for
	<-served
}

// Hold keeps every connection open and lets nothing through, as a network does
// that swallows packets.
func (d *Door) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held == nil {
		d.held = make(chan struct{})
	}
}

// Release lets what was held go on.
func (d *Door) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held != nil {
		close(d.held)
		d.held = nil
	}
}

// Decide lets f decide the fate of every request from now on; nil lets all pass.
func (d *Door) Decide(f func(*http.Request) Fate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fate = f
}

// wait returns when nothing is held; its error is that ctx ended before.
func (d *Door) wait(ctx context.Context) error {
	for {
		d.mu.Lock()
		held := d.held
		d.mu.Unlock()
		if held == nil {
			return nil
		}
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pass takes one request through, or cuts it off.
func (d *Door) pass(w http.ResponseWriter, r *http.Request) {
	if d.wait(r.Context()) != nil {
		panic(http.ErrAbortHandler)
	}
	d.mu.Lock()
	to, fate := d.to, Pass
	if d.fate != nil {
		fate = d.fate(r)
	}
	d.mu.Unlock()
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(to); p.Out.Host = p.In.Host },
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	switch fate {
	case LoseAsk:
		panic(http.ErrAbortHandler)
	case LoseReply:
		proxy.ServeHTTP(&sink{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case TearReply:
		proxy.ServeHTTP(&torn{w}, r)
		panic(http.ErrAbortHandler)
	default:
		proxy.ServeHTTP(&held{w, d, r.Context()}, r)
	}
}

// sink takes an answer that nobody gets.
type sink struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (s *sink) Header() http.Header { return s.header }

// WriteHeader implements [http.ResponseWriter].
func (s *sink) WriteHeader(int) {}

// Write implements [http.ResponseWriter].
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// torn lets the head and half of the first piece of an answer through.
type torn struct{ http.ResponseWriter }

// errTorn ends an answer in the middle.
var errTorn = errors.New("the door tore the answer")

// Write implements [http.ResponseWriter].
func (t *torn) Write(b []byte) (int, error) {
	n, err := t.ResponseWriter.Write(b[:len(b)/2])
	if err == nil {
		err = http.NewResponseController(t.ResponseWriter).Flush()
	}
	return n, errors.Join(err, errTorn)
}

// held writes while nothing is held.
type held struct {
	http.ResponseWriter
	d   *Door
	ctx context.Context
}

// Write implements [http.ResponseWriter].
func (h *held) Write(b []byte) (int, error) {
	if err := h.d.wait(h.ctx); err != nil {
		return 0, err
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] through.
func (h *held) Unwrap() http.ResponseWriter { return h.ResponseWriter }
