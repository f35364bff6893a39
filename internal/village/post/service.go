package post

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Mood is how somebody who is asked behaves.
type Mood struct {
	Status int           // to answer with; 0: as it should be
	Times  int           // only so often; 0: always
	Slow   time.Duration // before the answer
	Wait   int           // s of Retry-After; 0: none
	Cut    bool          // takes the message and cuts the connection
	Huge   bool          // answers with a hundred megabytes
}

// Delivery is one message that reached a phone.
type Delivery struct {
	At      time.Time
	Topic   string
	TTL     int // s
	Urgency string
	Size    int // bytes as sent
	Text    []byte
	ID      string // the field "id" of the text
}

// Service is a push service. Its phones are made with [Service.Phone].
type Service struct {
	srv  *server
	key  string // the applicationServerKey that phones subscribed to
	mu   sync.Mutex
	all  map[string]*Phone
	sour []string
}

// Phone is one subscription.
type Phone struct {
	s       *Service
	id      string
	private *ecdh.PrivateKey
	auth    []byte
	mood    Mood
	calls   int
	got     []Delivery
	news    chan struct{} // one for each delivery, while somebody listens
}

// Open starts a push service whose phones subscribe to the server with that key.
func Open(key string) (*Service, error) {
	s := &Service{key: key, all: map[string]*Phone{}}
	var err error
	s.srv, err = serve(http.HandlerFunc(s.take))
	return s, err
}

// Expect sets the key of the server that phones subscribed to.
func (s *Service) Expect(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// Close ends it.
func (s *Service) Close() { s.srv.close() }

// URL is its origin.
func (s *Service) URL() string { return s.srv.url }

// Phone subscribes one more phone.
func (s *Service) Phone() (*Phone, error) {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	p := &Phone{s: s, id: strings.ToLower(rand.Text()), private: private, auth: make([]byte, 16), news: make(chan struct{}, 4096)}
	_, _ = rand.Read(p.auth) // never fails
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[p.id] = p
	return p, nil
}

// Complaints are what the service was asked that a standard forbids.
func (s *Service) Complaints() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.sour...)
}

// Endpoint is where messages for p go.
func (p *Phone) Endpoint() string { return p.s.URL() + "/push/" + p.id }

// Keys are p256dh and auth, as a browser gives them.
func (p *Phone) Keys() (p256dh, auth string) {
	return base64.RawURLEncoding.EncodeToString(p.private.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(p.auth)
}

// Be sets p's mood.
func (p *Phone) Be(m Mood) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.mood, p.calls = m, 0
}

// Got is what reached p, in order.
func (p *Phone) Got() []Delivery {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return append([]Delivery(nil), p.got...)
}

// Has reports whether p got anything.
func (p *Phone) Has() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return len(p.got) > 0
}

// Calls is how often somebody tried to reach p since its mood was set.
func (p *Phone) Calls() int {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.calls
}

// Await returns the n-th delivery, counted from 1, or what ended ctx.
func (p *Phone) Await(ctx context.Context, n int) (Delivery, error) {
	for {
		if got := p.Got(); len(got) >= n {
			return got[n-1], nil
		}
		select {
		case <-p.news:
		case <-ctx.Done():
			return Delivery{}, fmt.Errorf("delivery %d of a phone that got %d: %w", n, len(p.Got()), ctx.Err())
		}
	}
}

func (s *Service) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p := s.all[strings.TrimPrefix(r.URL.Path, "/push/")]
	var mood Mood
	if p != nil {
		p.calls++
		if mood = p.mood; mood.Times > 0 && p.calls > mood.Times {
			mood = Mood{}
		}
	}
	s.mu.Unlock()
	if p == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	d, err := s.read(p, r)
	if err != nil {
		s.mu.Lock()
		s.sour = append(s.sour, err.Error())
		s.mu.Unlock()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if mood.Status == 0 && mood.Slow == 0 {
		s.hand(p, d)
	}
	if mood.behave(w, r) {
		return
	}
	if mood.Slow > 0 {
		s.hand(p, d)
	}
	w.Header().Set("Location", p.Endpoint()+"/message")
	w.WriteHeader(http.StatusCreated)
}

func (s *Service) hand(p *Phone, d Delivery) {
	s.mu.Lock()
	p.got = append(p.got, d)
	s.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

func (s *Service) read(p *Phone, r *http.Request) (Delivery, error) {
	d := Delivery{At: time.Now(), Topic: r.Header.Get("Topic"), Urgency: r.Header.Get("Urgency")}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" {
		return d, fmt.Errorf("%s with Content-Encoding %q", r.Method, r.Header.Get("Content-Encoding"))
	}
	var err error
	if d.TTL, err = strconv.Atoi(r.Header.Get("TTL")); err != nil || d.TTL < 0 {
		return d, fmt.Errorf("TTL %q", r.Header.Get("TTL"))
	}
	if len(d.Topic) > 32 || strings.Trim(d.Topic, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return d, fmt.Errorf("topic %q", d.Topic)
	}
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	if err := vouched(r.Header.Get("Authorization"), s.URL(), key, d.At); err != nil {
		return d, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return d, err
	}
	d.Size = len(body)
	if d.Text, err = unseal(p.private, p.auth, body); err != nil {
		return d, err
	}
	var named struct{ ID string }
	_ = json.Unmarshal(d.Text, &named) // a text that is no JSON has no id
	d.ID = named.ID
	return d, nil
}

// behave does what the mood wants and reports whether it answered.
func (m Mood) behave(w http.ResponseWriter, r *http.Request) bool {
	if m.Slow > 0 {
		t := time.NewTimer(m.Slow)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
			return true
		}
	}
	switch {
	case m.Cut:
		panic(http.ErrAbortHandler)
	case m.Huge:
		w.WriteHeader(http.StatusCreated)
		block := make([]byte, 1<<20)
		for range 100 {
			if _, err := w.Write(block); err != nil {
				return true
			}
		}
		return true
	case m.Status == 0:
		return false
	}
	if m.Wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(m.Wait))
	}
	w.WriteHeader(m.Status)
	return true
}

// server is an HTTP server at a free port of this machine.
type server struct {
	url  string
	srv  *http.Server
	done chan struct{}
}

func serve(h http.Handler) (*server, error) {
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: "http://" + ln.Addr().String(), done: make(chan struct{})}
	s.srv = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { // close waits for it
		defer close(s.done)
		_ = s.srv.Serve(ln) // ends with close
	}()
	return s, nil
}

func (s *server) close() {
	_ = s.srv.Close()
	<-s.done
}
