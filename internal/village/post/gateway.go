package post

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Order is what a gateway was asked for: docs/gateway.md.
type Order struct {
	ID    string            `json:"id"`
	Kind  string            `json:"kind"` // sms or voice
	To    string            `json:"to"`
	Text  string            `json:"text"`
	Plain string            `json:"plain"`
	Lang  string            `json:"lang"`
	Keys  map[string]string `json:"keys"`
	Until time.Time         `json:"until"`
	At    time.Time         `json:"-"` // when it came
}

// Gateway is the reference gateway: it takes each order once and calls back.
type Gateway struct {
	srv    *server
	secret []byte

	mu     sync.Mutex
	mood   Mood
	asked  int
	orders []Order
	known  map[string]bool
	again  int
	sour   []string
	news   chan struct{}
}

// OpenGateway starts a gateway that shares secret with Keng.
func OpenGateway(secret string) (*Gateway, error) {
	g := &Gateway{secret: []byte(secret), known: map[string]bool{}, news: make(chan struct{}, 4096)}
	var err error
	g.srv, err = serve(http.HandlerFunc(g.take))
	return g, err
}

// Close ends it.
func (g *Gateway) Close() { g.srv.close() }

// URL is where orders go.
func (g *Gateway) URL() string { return g.srv.url + "/orders" }

// Be sets the mood of the gateway.
func (g *Gateway) Be(m Mood) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mood, g.asked = m, 0
}

// Orders are what it took, each once, in order.
func (g *Gateway) Orders() []Order {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Order(nil), g.orders...)
}

// Again is how often an order came that it had already.
func (g *Gateway) Again() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.again
}

// Complaints are the requests that broke the contract.
func (g *Gateway) Complaints() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.sour...)
}

// Await returns the first order of that kind to that number.
func (g *Gateway) Await(ctx context.Context, kind, to string) (Order, error) {
	for {
		for _, o := range g.Orders() {
			if o.Kind == kind && o.To == to {
				return o, nil
			}
		}
		select {
		case <-g.news:
		case <-ctx.Done():
			return Order{}, fmt.Errorf("no %s to %s: %w", kind, to, ctx.Err())
		}
	}
}

func (g *Gateway) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	var o Order
	if err == nil {
		err = json.Unmarshal(body, &o)
	}
	switch {
	case err != nil:
	case !g.signed(r.Header.Get("Keng-Signature"), body):
		err = fmt.Errorf("order %s is not signed", o.ID)
	case r.Header.Get("Idempotency-Key") != o.ID || o.ID == "" || !strings.HasPrefix(o.To, "+") || o.Text == "" || o.Kind != "sms" && o.Kind != "voice":
		err = fmt.Errorf("order %+v breaks the contract", o)
	}
	g.mu.Lock()
	g.asked++
	mood := g.mood
	if mood.Times > 0 && g.asked > mood.Times {
		mood = Mood{}
	}
	if err != nil {
		g.sour = append(g.sour, err.Error())
	}
	g.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if mood.Status == 0 {
		g.keep(o)
	}
	if !mood.behave(w, r) {
		w.WriteHeader(http.StatusAccepted)
	}
}

func (g *Gateway) keep(o Order) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[o.ID] {
		g.again++
		return
	}
	g.known[o.ID] = true
	o.At = time.Now()
	g.orders = append(g.orders, o)
	select {
	case g.news <- struct{}{}:
	default:
	}
}

func (g *Gateway) signed(header string, body []byte) bool {
	t, sig, ok := strings.Cut(header, ",v1=")
	t, timed := strings.CutPrefix(t, "t=")
	at, err := strconv.ParseInt(t, 10, 64)
	return ok && timed && err == nil && time.Since(time.Unix(at, 0)).Abs() < 5*time.Minute && sig == g.sign(t, body)
}

func (g *Gateway) sign(t string, body []byte) string {
	h := hmac.New(sha256.New, g.secret)
	_, _ = fmt.Fprintf(h, "%s.%s", t, body)
	return hex.EncodeToString(h.Sum(nil))
}

// Report calls Keng back at its address: what became of an order (delivered,
// failed, answered), and which key was pressed, "" for none. It returns the status
// of the answer.
func (g *Gateway) Report(ctx context.Context, keng, id, status, digit string) (int, error) {
	body, err := json.Marshal(map[string]string{"id": id, "status": status, "digit": digit})
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, keng+"/v1/gateway", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	t := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Keng-Signature", "t="+t+",v1="+g.sign(t, body))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}
