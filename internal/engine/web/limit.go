package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// How much may be asked for. A commune behind one carrier's address is one
// network: what a person needs must fit many times over.
const (
	StrangersBurst = 600              // requests of one network by nobody in particular, at once
	strangersRate  = 10               // and then so many a second
	KnownBurst     = 1200             // requests of one person or program, at once
	knownRate      = 20               // and then so many a second
	networkKeyFor  = 10 * time.Minute // after it nothing leads back to a network, not even here
	mostCounted    = 1 << 16          // networks and people that are counted at once
)

// Limit bounds how much one network's strangers, or one person, may ask for. It
// stores no address: it counts under a keyed hash of the network (/24, /48), in
// memory, and forgets key and counts every ten minutes. What Vital names is never
// limited: nobody shall wait to raise an alarm because a neighbour, or somebody
// else behind the same carrier's address, asks too much.
type Limit struct {
	Vital func(route string) bool      // "POST /api/v1/incidents"
	Known func(context.Context) string // who asks; "" for a stranger

	now func() time.Time

	mu    sync.Mutex
	key   [32]byte
	since time.Time // of the key
	left  map[[16]byte]*allowance
}

// allowance is what is left for somebody at a time.
type allowance struct {
	n  float64
	at time.Time
}

// Bound is l as a wrap for [Kit.Use]. It needs to know who asks: use it after the
// one that finds out.
func (k *Kit) Bound(l *Limit) func(http.Handler) http.Handler {
	if l.now == nil {
		l.now = time.Now
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if l.Vital(routeOf(r.Context())) || l.allows(r) {
				next.ServeHTTP(w, r)
				return
			}
			k.write(w, r, k.status(r.Context(), http.StatusTooManyRequests))
		})
	}
}

// allows takes one from whoever asks r, and reports whether there was one.
func (l *Limit) allows(r *http.Request) bool {
	who, burst, rate := l.Known(r.Context()), float64(KnownBurst), float64(knownRate)
	if who == "" {
		network, ok := networkOf(r)
		if !ok {
			return true // on this machine itself: health checks, a proxy that says nothing
		}
		who, burst, rate = "network "+network.String(), StrangersBurst, strangersRate
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == nil || now.Sub(l.since) >= networkKeyFor || len(l.left) >= mostCounted {
		l.key, l.since, l.left = [32]byte{}, now, map[[16]byte]*allowance{}
		_, _ = rand.Read(l.key[:]) // it never fails
	}
	h := hmac.New(sha256.New, l.key[:])
	h.Write([]byte(who))
	id := [16]byte(h.Sum(nil))
	a := l.left[id]
	if a == nil {
		a = &allowance{n: burst, at: now}
		l.left[id] = a
	}
	a.n = min(burst, a.n+rate*now.Sub(a.at).Seconds())
	a.at = now
	if a.n < 1 {
		return false
	}
	a.n--
	return true
}

// networkOf is the network that r comes from: /24, or /48. A proxy on this machine
// says who it asks for in the last X-Forwarded-For; from anywhere else that header
// is anybody's word and not read.
func networkOf(r *http.Request) (netip.Prefix, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}, false
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a.IsLoopback() {
		said := r.Header.Values("X-Forwarded-For")
		if len(said) == 0 {
			return netip.Prefix{}, false
		}
		last := said[len(said)-1]
		if a, err = netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err != nil {
			return netip.Prefix{}, false
		}
	}
	bits := 48
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}
