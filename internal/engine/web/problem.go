package web

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
)

// Problem is an error as clients see it (RFC 9457, application/problem+json).
type Problem struct {
	Status int     `json:"status" doc:"HTTP status code"`
	Title  string  `json:"title" doc:"what kind of problem, in English"`
	Detail string  `json:"detail" doc:"a sentence for people, in the request's language"`
	Key    string  `json:"key" doc:"the same for programs; stable" example:"fault.denied"`
	Errors []Wrong `json:"errors,omitempty" doc:"what is wrong with the request, for programmers, in English"`
}

// Wrong is one thing that is wrong with a request.
type Wrong struct {
	Location string `json:"location,omitempty" doc:"where" example:"body.seconds"`
	Message  string `json:"message" doc:"what"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Key }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	switch p.Status {
	case http.StatusTooManyRequests:
		return http.Header{"Retry-After": {"5"}} // s
	case http.StatusServiceUnavailable:
		return http.Header{"Retry-After": {"2"}} // s
	case http.StatusUnauthorized:
		return http.Header{"Www-Authenticate": {`Bearer realm="keng"`}}
	}
	return nil
}

// kinds is what each kind of fault means in HTTP, and the key of its own
// sentence, used when the fault's has none.
var kinds = map[fault.Kind]struct {
	status int
	key    string
}{
	fault.Internal: {http.StatusInternalServerError, "fault.internal"},
	fault.Invalid:  {http.StatusBadRequest, "fault.invalid"},
	fault.NotFound: {http.StatusNotFound, "fault.not_found"},
	fault.Denied:   {http.StatusForbidden, "fault.denied"},
	fault.Conflict: {http.StatusConflict, "fault.conflict"},
	fault.Busy:     {http.StatusServiceUnavailable, "fault.busy"},
	fault.Unknown:  {http.StatusUnauthorized, "fault.sign_in"},
}

// Problem says err in the language of ctx. Its cause stays here.
func (k *Kit) Problem(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	kind := kinds[fault.KindOf(err)]
	key, args := kind.key, map[string]any(nil)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Key != "" && kind.status != http.StatusInternalServerError {
		key, args = f.Key, f.Args
	}
	book := say.In(LangOf(ctx))
	p := &Problem{Status: kind.status, Title: http.StatusText(kind.status), Detail: book.Text(kind.key, nil), Key: key}
	if book.Has(key) {
		p.Detail = book.Text(key, args)
	}
	return p
}

// status makes a problem that has no fault: a wrong route, a body too large.
func (k *Kit) status(ctx context.Context, code int, wrong ...Wrong) *Problem {
	key := "fault.invalid"
	switch {
	case code == http.StatusBadRequest:
		key = "fault.bad_json"
	case code == http.StatusNotFound:
		key = "fault.not_found"
	case code == http.StatusForbidden:
		key = "fault.cross_site"
	case code == http.StatusMethodNotAllowed:
		key = "fault.method"
	case code == http.StatusRequestEntityTooLarge:
		key = "fault.too_large"
	case code == http.StatusTooManyRequests:
		key = "fault.too_many"
	case code >= http.StatusInternalServerError:
		key = "fault.internal"
	}
	return &Problem{Status: code, Title: http.StatusText(code), Detail: say.In(LangOf(ctx)).Text(key, nil), Key: key, Errors: wrong}
}

// Fail answers a request with err: problem+json, or a plain page when a person
// opened an address in a browser. What is internal goes to the log.
func (k *Kit) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := k.Problem(r.Context(), err)
	k.note(r.Context(), p, err)
	k.write(w, r, p)
}

// note logs the chain of an internal error. A client that has gone is no error.
func (k *Kit) note(ctx context.Context, p *Problem, err error) {
	if p.Status >= http.StatusInternalServerError && p.Status != http.StatusServiceUnavailable && ctx.Err() == nil {
		k.o.Log.ErrorContext(ctx, "request failed", "route", routeOf(ctx), "err", err)
	}
}

func (k *Kit) write(w http.ResponseWriter, r *http.Request, p *Problem) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	maps.Copy(h, p.GetHeaders())
	if wantsPage(r) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(p.Status)
		_ = failPage.Execute(w, struct {
			*Problem
			Lang say.Lang
		}{p, LangOf(r.Context())}) // the client has gone: nobody to tell
		return
	}
	h.Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone: nobody to tell
}

// wantsPage reports whether a person opened r's address in a browser.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// failPage works without a script or a style, and puts the emergency number first.
var failPage = template.Must(template.New("fail").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Kẻng</title></head>
<body><h1>Kẻng</h1><p>{{.Detail}}</p><p><a href="tel:114">114</a> · <a href="/">Kẻng</a></p></body></html>
`))

// ownProblems turns the toolkit's errors (a body that does not fit its schema)
// into ours. Values are left out: they may be somebody's.
func (k *Kit) ownProblems(c huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	wrong := make([]Wrong, 0, len(m.Errors)+1)
	for _, e := range m.Errors {
		if e != nil {
			wrong = append(wrong, Wrong{Location: e.Location, Message: e.Message})
		}
	}
	if len(wrong) == 0 && m.Status < http.StatusInternalServerError {
		wrong = append(wrong, Wrong{Message: m.Detail})
	}
	if m.Status >= http.StatusInternalServerError {
		wrong = nil
	}
	return k.status(c.Context(), m.Status, wrong...), nil
}
