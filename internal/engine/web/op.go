package web

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Op names a typed operation of the API.
type Op struct {
	ID      string // "raise-incident": the name of the function in made clients
	Method  string
	Path    string // "/api/v1/incidents/{id}"
	Tag     string // the slice
	Summary string
	Status  int           // of success, when the output has no Status of its own; 0: 200, or 204 without a body
	Open    bool          // nobody needs to have signed in
	Body    int64         // largest body of a raw route, in bytes; 0: [BodyLimit]
	Within  time.Duration // how long such a body may take to come; 0: as long as any
}

func (o Op) operation() huma.Operation {
	op := huma.Operation{
		OperationID: o.ID, Method: o.Method, Path: o.Path, Summary: o.Summary, DefaultStatus: o.Status,
		MaxBodyBytes: BodyLimit + 1, Responses: map[string]*huma.Response{},
	}
	if o.Tag != "" {
		op.Tags = []string{o.Tag}
	}
	if o.Open {
		op.Security = []map[string][]string{}
	}
	return op
}

// Register adds operation o. Fields of I are filled from `path`, `query` and
// `header` tags; its field Body holds the JSON body, and a pointer there makes
// the body optional. Field Body of O is the answer; field Status, an int, its
// status. Lists in an answer are never null: give [] instead.
//
// f finds the asker and the key of the act in ctx; its error is answered as
// [Kit.Fail] does.
func Register[I, O any](k *Kit, o Op, f func(context.Context, *I) (*O, error)) {
	k.routes = append(k.routes, Route{Method: o.Method, Pattern: o.Path, Summary: o.Summary})
	op := o.operation()
	k.noteNulls(reflect.TypeFor[O]())
	huma.Register(k.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			p := k.Problem(ctx, err)
			k.note(ctx, p, err)
			return nil, p
		}
		return out, nil
	})
	op.Responses["default"] = k.problemResponse()
}

// Raw adds a route that is part of the API but not of its types: a stream, a
// document. media is the content type of its answer.
func (k *Kit) Raw(o Op, media string, h Handler) {
	op := o.operation()
	status := "200"
	op.Responses[status] = &huma.Response{Description: o.Summary, Content: map[string]*huma.MediaType{media: {}}}
	op.Responses["default"] = k.problemResponse()
	k.api.OpenAPI().AddOperation(&op)
	if o.Body > 0 {
		k.large[o.Method+" "+o.Path] = room{o.Body, o.Within}
	}
	k.Handle(o.Method, o.Path, o.Summary, h)
}

func (k *Kit) problemResponse() *huma.Response {
	s := k.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	return &huma.Response{Description: "what went wrong", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: s}}}
}

// describe makes the OpenAPI document once all operations are there.
func (k *Kit) describe() ([]byte, error) {
	schemas := k.api.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for name, s := range schemas {
		neverNull(s)
		for _, property := range k.nulls[name] {
			s.Properties[property] = &huma.Schema{OneOf: []*huma.Schema{s.Properties[property], {Type: "null"}}}
		}
	}
	for _, item := range k.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			neverNullIn(op)
		}
	}
	return json.Marshal(k.api.OpenAPI())
}

func neverNullIn(op *huma.Operation) {
	if op == nil {
		return
	}
	for _, r := range op.Responses {
		for _, m := range r.Content {
			neverNull(m.Schema)
		}
	}
}

// noteNulls remembers, for every struct in t, which of its properties are
// pointers to structs: they may be null, which the toolkit does not say.
func (k *Kit) noteNulls(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" || k.noted[t] {
		return
	}
	k.noted[t] = true
	for _, f := range reflect.VisibleFields(t) {
		inner := f.Type
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if inner.Kind() == reflect.Pointer && inner.Elem().Kind() == reflect.Struct && inner.Elem().PkgPath() != "time" && name != "" {
			k.nulls[t.Name()] = append(k.nulls[t.Name()], name)
		}
		k.noteNulls(inner)
	}
}

// neverNull takes back the toolkit's guess that every list may be null.
func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(s.Items)
	for _, p := range s.Properties {
		neverNull(p)
	}
	for _, list := range [][]*huma.Schema{s.OneOf, s.AnyOf, s.AllOf} {
		for _, p := range list {
			neverNull(p)
		}
	}
}

func (k *Kit) serveSpec(w http.ResponseWriter, _ *http.Request) error {
	text, err := k.spec()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(text) // the client has gone: nobody to tell
	return nil
}

// Spec is the OpenAPI 3.1 document that GET /api/openapi.json answers. Call it
// after the last operation was added.
func (k *Kit) Spec() ([]byte, error) { return k.spec() }
