package web

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
)

// Handler is everything around the routes, outermost first: note the visit and
// catch panics, set headers, read language and key, refuse other sites, find the
// route, bound the body, then what [Kit.Use] added.
func (k *Kit) Handler() http.Handler {
	h := http.Handler(k.mux)
	for _, wrap := range slices.Backward(k.wraps) {
		h = wrap(h)
	}
	return k.visit(k.headers(k.context(k.sameSite(k.route(h)))))
}

// seen carries the matched pattern outwards, past copies of the request.
type seen struct{ route string }

type seenKey struct{}

func routeOf(ctx context.Context) string {
	if s, ok := ctx.Value(seenKey{}).(*seen); ok {
		return s.route
	}
	return ""
}

// tap remembers the status and whether an answer has begun.
type tap struct {
	http.ResponseWriter
	status int
	secure bool // everybody comes by https: so do cookies
}

// WriteHeader implements [http.ResponseWriter].
func (t *tap) WriteHeader(code int) {
	if t.status == 0 && code >= http.StatusOK {
		t.status = code
		t.guardCookies()
	}
	t.ResponseWriter.WriteHeader(code)
}

// Write implements [http.ResponseWriter].
func (t *tap) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
		t.guardCookies()
	}
	return t.ResponseWriter.Write(b)
}

// guardCookies lets no cookie of a secure Keng go out in the clear.
func (t *tap) guardCookies() {
	if !t.secure {
		return
	}
	for i, c := range t.Header()["Set-Cookie"] {
		if !strings.Contains(strings.ToLower(c), "; secure") {
			t.Header()["Set-Cookie"][i] = c + "; Secure"
		}
	}
}

// Unwrap lets [http.ResponseController] through.
func (t *tap) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (k *Kit) visit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, s, t := time.Now(), &seen{}, &tap{ResponseWriter: w, secure: k.o.Secure}
		r = r.WithContext(context.WithValue(r.Context(), seenKey{}, s))
		defer func() {
			v := recover()
			cut := v != nil && k.caught(t, r, s.route, v)
			k.done(Visit{Route: s.route, Status: t.status, Took: time.Since(start)})
			if cut {
				panic(http.ErrAbortHandler) // half an answer must not look whole
			}
		}()
		next.ServeHTTP(t, r)
	})
}

// caught tells of panic v and answers it, if no answer has begun; else it
// reports that the connection must be cut.
func (k *Kit) caught(t *tap, r *http.Request, route string, v any) (cut bool) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	k.o.Log.Error("handler panicked", "route", route, "panic", v, "stack", string(debug.Stack()))
	if t.status != 0 {
		return true
	}
	k.write(t, r.WithContext(WithLang(r.Context(), say.Pick(r))), k.status(r.Context(), http.StatusInternalServerError))
	return false
}

func (k *Kit) done(v Visit) {
	if v.Status == 0 {
		v.Status = http.StatusOK
	}
	k.o.Log.Info("request", "route", v.Route, "status", v.Status, "ms", float64(v.Took.Microseconds())/1e3)
	if k.o.Seen != nil {
		k.o.Seen(v)
	}
}

// policy is the Content Security Policy: everything from here, nothing inline.
// blob: is for pictures and sounds, data: for small pictures in styles. The one
// trusted type's policy is that of web/src/lib/trust.ts.
func (k *Kit) policy() string {
	away := strings.Join(append([]string{""}, k.o.Connect...), " ")
	return "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; manifest-src 'self'; media-src 'self' blob:" +
		"; img-src 'self' data: blob:" + away + "; connect-src 'self'" + away + "; worker-src 'self'" +
		"; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'" +
		"; require-trusted-types-for 'script'; trusted-types default"
}

func (k *Kit) headers(next http.Handler) http.Handler {
	policy, embed := k.policy(), "require-corp"
	if len(k.o.Connect) > 0 {
		embed = "credentialless" // the base map's pictures come without their owner's leave, and without cookies
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer") // an invite stands in its address
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", embed)
		h.Set("Permissions-Policy", "camera=(), microphone=(self), geolocation=(self), payment=(), usb=(), serial=(), hid=(), bluetooth=(), midi=(), display-capture=(), browsing-topics=(), accelerometer=(), gyroscope=(), magnetometer=()")
		h.Set("Cache-Control", "no-store")
		if k.o.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

func (k *Kit) context(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(WithLang(r.Context(), say.Pick(r)))
		key, ok := outboxKey(r.Header.Get("Idempotency-Key"))
		if !ok {
			k.Fail(w, r, fault.New("web.Handler", fault.Invalid, "fault.outbox_key"))
			return
		}
		if key != "" {
			r = r.WithContext(context.WithValue(r.Context(), keyKey{}, key))
		}
		next.ServeHTTP(w, r)
	})
}

// outboxKey accepts 1 to 64 letters, digits and -_.: , also in the quotes that
// draft-ietf-httpapi-idempotency-key-header wants.
func outboxKey(s string) (string, bool) {
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if len(s) > 64 {
		return "", false
	}
	for _, c := range s {
		if !strings.ContainsRune("-_.:", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", false
		}
	}
	return s, true
}

// sameSite refuses state changes that another site's page asks for. Programs,
// which send neither Sec-Fetch-Site nor Origin, pass.
func (k *Kit) sameSite(next http.Handler) http.Handler {
	c := http.NewCrossOriginProtection()
	c.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.write(w, r, k.status(r.Context(), http.StatusForbidden))
	}))
	return c.Handler(next)
}

// route finds the matching route and hands it to next; a file, which is the same
// for everybody, is served at once. It says in our words when there is none.
func (k *Kit) route(next http.Handler) http.Handler {
	files := map[string]bool{}
	for _, r := range k.routes {
		if r.Static {
			files[r.Method+" "+r.Pattern] = true
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := k.mux.Handler(r)
		if s, ok := r.Context().Value(seenKey{}).(*seen); ok {
			s.route = pattern
		}
		switch {
		case files[pattern]:
			h.ServeHTTP(w, r)
		case pattern != "":
			k.bound(w, r, pattern)
			next.ServeHTTP(w, r)
		default:
			k.lost(w, r, h)
		}
	})
}

// bound bounds the body of r: as its route says, or as usual.
func (k *Kit) bound(w http.ResponseWriter, r *http.Request, pattern string) {
	most := int64(BodyLimit)
	if l, ok := k.large[pattern]; ok {
		most = l.body
		if l.within > 0 { // also for the answer; a server without deadlines has none to move
			c, until := http.NewResponseController(w), time.Now().Add(l.within)
			_, _ = c.SetReadDeadline(until), c.SetWriteDeadline(until)
		}
	}
	r.Body = http.MaxBytesReader(w, r.Body, most+1) // one more, so that who reads as much sees that there was more
}

// lost says that no route matches, with the status that the router means.
func (k *Kit) lost(w http.ResponseWriter, r *http.Request, h http.Handler) {
	d := &deaf{header: http.Header{}, status: http.StatusNotFound}
	h.ServeHTTP(d, r)
	if allow := d.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	k.write(w, r, k.status(r.Context(), d.status))
}

// deaf hears the status of an answer and drops its text.
type deaf struct {
	header http.Header
	status int
}

// Header implements [http.ResponseWriter].
func (d *deaf) Header() http.Header { return d.header }

// WriteHeader implements [http.ResponseWriter].
func (d *deaf) WriteHeader(code int) { d.status = code }

// Write implements [http.ResponseWriter].
func (d *deaf) Write(b []byte) (int, error) { return len(b), nil }
