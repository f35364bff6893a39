package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// BodyLimit is the largest body that is read, in bytes, where an [Op] does not say
// another.
const BodyLimit = 64 << 10

// Options is what a kit needs.
type Options struct {
	Log     *slog.Logger
	Version string      // of the program, for the OpenAPI
	Secure  bool        // everybody comes by https: say so (HSTS)
	Connect []string    // other origins that pages may fetch from: "https://tiles.example.vn"
	Seen    func(Visit) // called after every request, for metrics; may be nil
}

// Visit is one finished request.
type Visit struct {
	Route  string        // "GET /api/v1/state"; "" when no route matched
	Status int           // as sent
	Took   time.Duration // until the handler returned; a stream's is its length
}

// Route is one thing that can be asked for.
type Route struct {
	Method  string
	Pattern string // as [http.ServeMux] understands it: "/api/v1/incidents/{id}"
	Summary string
	Static  bool // a file that is the same for everybody
}

// Kit collects the routes of the slices. Fill it, then serve [Kit.Handler].
type Kit struct {
	o      Options
	mux    *http.ServeMux
	api    huma.API
	routes []Route
	large  map[string]room // by "METHOD /pattern"
	wraps  []func(http.Handler) http.Handler
	spec   func() ([]byte, error)
	noted  map[reflect.Type]bool
	nulls  map[string][]string // properties that may be null, by schema
	end    chan struct{}       // closed by Drain: streams end
	drain  func()
}

// room is what a route takes beyond the usual.
type room struct {
	body   int64
	within time.Duration
}

// New makes an empty kit; it already answers GET /api/openapi.json.
func New(o Options) *Kit {
	k := &Kit{o: o, mux: http.NewServeMux(), large: map[string]room{}, noted: map[reflect.Type]bool{}, nulls: map[string][]string{}, end: make(chan struct{})}
	k.drain = sync.OnceFunc(func() { close(k.end) })
	c := huma.Config{OpenAPI: &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Keng", Version: o.Version, Description: "One press rings every home. Times are RFC 3339, UTC."},
		Components: &huma.Components{SecuritySchemes: map[string]*huma.SecurityScheme{
			"session": {Type: "apiKey", In: "cookie", Name: "keng_session"},
			"bearer":  {Type: "http", Scheme: "bearer"},
		}},
		Security: []map[string][]string{{"session": {}}, {"bearer": {}}},
	}, Formats: huma.DefaultFormats, DefaultFormat: "application/json", Transformers: []huma.Transformer{k.ownProblems}}
	c.AllowAdditionalPropertiesByDefault = true
	k.api = humago.New(k.mux, c)
	k.spec = sync.OnceValues(k.describe)
	k.Handle(http.MethodGet, "/api/openapi.json", "what this API can do, OpenAPI 3.1", k.serveSpec)
	return k
}

// Handler answers one request or says why not; see [Kit.Fail].
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle adds a page or another route that is not part of the typed API.
func (k *Kit) Handle(method, pattern, summary string, h Handler) {
	k.routes = append(k.routes, Route{Method: method, Pattern: pattern, Summary: summary})
	k.mux.HandleFunc(method+" "+pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			k.Fail(w, r, err)
		}
	})
}

// Use wraps every route but files, for example to find out who is asking. The
// first one used is the outermost. Call it before [Kit.Handler].
func (k *Kit) Use(wrap func(http.Handler) http.Handler) { k.wraps = append(k.wraps, wrap) }

// Routes lists everything that was added, in that order.
func (k *Kit) Routes() []Route { return k.routes }

// Drain ends all streams, now and later: a server that shuts down does not wait
// for them. It may be called more than once.
func (k *Kit) Drain() { k.drain() }

// Server serves the kit with timeouts. Whoever starts it also calls
// [Kit.Drain] and then [http.Server.Shutdown].
func (k *Kit) Server() *http.Server {
	return &http.Server{
		Handler:           k.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second, // streams set their own
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnState:         newCrowd(mostConns()).note,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // its lines hold addresses of clients
	}
}

// Decode reads a JSON body of at most [BodyLimit] bytes into v. An empty body
// leaves v as it is.
func Decode(r *http.Request, v any) error {
	const op = "web.Decode"
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, BodyLimit))
	if err := d.Decode(v); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return &fault.Error{Op: op, Kind: fault.Invalid, Key: "fault.too_large", Err: err}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "fault.bad_json", Err: err}
	}
	if d.More() {
		return fault.New(op, fault.Invalid, "fault.bad_json")
	}
	return nil
}

// JSON answers with v.
func JSON(w http.ResponseWriter, status int, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client has gone: nobody to tell
	return nil
}

type keyKey struct{}

// OutboxKey is the Idempotency-Key of the request that ctx belongs to: the same
// key from the same person is the same act. "" when none was sent.
func OutboxKey(ctx context.Context) string {
	s, _ := ctx.Value(keyKey{}).(string)
	return s
}
