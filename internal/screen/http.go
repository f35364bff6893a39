package screen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	bundles "github.com/keng-vn/keng/web"
)

type stateOutput struct{ Body StateView }

type groupsOutput struct{ Body []GroupView }

// Routes adds state, stream and the pages to k. files holds the built bundles:
// manifest.json names them; without it the pages say how to build them.
func (v *Service) Routes(k *web.Kit, files fs.FS) error {
	v.hub.epoch = strings.ToLower(ulid.Make().String())
	web.Register(k, web.Op{ID: "get-state", Method: http.MethodGet, Path: "/api/v1/state", Tag: "screen", Summary: "everything a screen needs at once"},
		func(ctx context.Context, _ *struct{}) (*stateOutput, error) {
			a, err := people.Known(ctx, "screen")
			if err != nil {
				return nil, err
			}
			s, err := v.State(ctx, a, string(web.LangOf(ctx)))
			return &stateOutput{s}, err
		})
	web.Register(k, web.Op{ID: "list-groups", Method: http.MethodGet, Path: "/api/v1/groups", Tag: "screen", Summary: "groups the asker may know of"},
		func(ctx context.Context, _ *struct{}) (*groupsOutput, error) {
			a, err := people.Known(ctx, "screen")
			if err != nil {
				return nil, err
			}
			out := &groupsOutput{Body: []GroupView{}}
			groups := v.Alarms.Around(a)
			v.looked(ctx, a, groups)
			for _, g := range groups {
				out.Body = append(out.Body, v.Group(a, g))
			}
			return out, nil
		})
	k.Raw(web.Op{ID: "stream", Method: http.MethodGet, Path: "/api/v1/stream", Tag: "screen", Summary: "what changes, as server-sent events"}, "text/event-stream", v.serveStream(k))
	k.Raw(web.Op{ID: "get-boundaries", Method: http.MethodGet, Path: "/api/v1/boundaries", Tag: "screen", Summary: "boundaries of the units, GeoJSON"}, "application/geo+json", v.serveBounds)
	return v.pages(k, files)
}

func (v *Service) serveStream(k *web.Kit) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := people.Known(r.Context(), "screen")
		if err != nil {
			return err
		}
		v.looked(r.Context(), a, v.Alarms.Around(a))
		st, err := k.Open(w, r)
		if err != nil {
			return err
		}
		l := &looker{actor: a, stream: st}
		v.hub.enter(l)
		defer v.hub.leave(l)
		v.greet(l)
		ctx, cancel := context.WithTimeout(r.Context(), lookAgain)
		defer cancel()
		var watch sync.WaitGroup
		watch.Go(func() { v.watch(ctx, cancel, r, l) })
		st.Run(ctx)
		cancel()
		watch.Wait()
		return nil
	}
}

// watch ends a stream whose session ended, or whose person is another now: one of
// his roles was given, taken back, or is over.
func (v *Service) watch(ctx context.Context, end func(), r *http.Request, l *looker) {
	if v.Still == nil {
		return
	}
	tick := time.NewTicker(web.Heartbeat)
	defer tick.Stop()
	var over <-chan time.Time
	if until := l.actor.Until(); !until.IsZero() && until.Sub(v.Now()) < lookAgain {
		end := time.NewTimer(until.Sub(v.Now()))
		defer end.Stop()
		over = end.C
	}
	for {
		var felt <-chan struct{}
		if v.Felt != nil {
			felt = v.Felt()
		}
		select {
		case <-felt:
		case <-tick.C:
		case <-over:
		case <-ctx.Done():
			return
		}
		if !v.Still(r, l.actor) {
			end()
			return
		}
	}
}

func (v *Service) serveBounds(w http.ResponseWriter, r *http.Request) error {
	if _, err := people.Known(r.Context(), "screen"); err != nil {
		return err
	}
	var b []byte
	if v.Bounds != nil {
		var err error
		if b, err = v.Bounds.GeoJSON(r.Context()); err != nil {
			return err
		}
	}
	if len(b) == 0 {
		return fault.New("screen.Bounds", fault.NotFound, "screen.no_boundaries")
	}
	w.Header().Set("Content-Type", "application/geo+json")
	w.Header().Set("Cache-Control", "private, max-age=3600")
	_, _ = w.Write(b) // the client has gone: nobody to tell
	return nil
}

var shell = template.Must(template.New("shell").Parse(`<!doctype html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">
<meta name="theme-color" content="#8f150e">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{.Page.CSS}}">
{{range .Page.Pre}}<link rel="modulepreload" href="{{.}}">
{{end}}<script type="module" src="{{.Page.JS}}"></script>
<link rel="manifest" href="/manifest.webmanifest">
<link rel="icon" href="/assets/icon-192.png" type="image/png">
<link rel="apple-touch-icon" href="/assets/icon-180.png">
</head>
<body>
<div id="app"></div>
<noscript><p>Kẻng cần JavaScript. Khẩn cấp hãy gọi <a href="tel:114">114</a>.</p></noscript>
<script type="application/json" id="boot">{{.Boot}}</script>
</body>
</html>
`))

// pages adds "/" and "/console", which carry the first state in themselves, and
// the files.
func (v *Service) pages(k *web.Kit, files fs.FS) error {
	built, err := bundles.Manifest(files)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // pages say how to build them
	}
	if err != nil {
		return fmt.Errorf("serve screens: %w", err)
	}
	page := func(path, title string, p *bundles.Page, console bool) {
		k.Handle(http.MethodGet, path, title, func(w http.ResponseWriter, r *http.Request) error {
			return v.servePage(w, r, p, console, title)
		})
	}
	page("/{$}", "Kẻng", built.Resident, false)
	page("/console", "Kẻng – Trực ban", built.Console, true)
	return k.Assets(files, func(name string) bool { return name == "manifest.json" })
}

func (v *Service) servePage(w http.ResponseWriter, r *http.Request, p *bundles.Page, console bool, title string) error {
	a := people.Asker(r.Context())
	switch {
	case a.Nobody():
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
		return nil
	case !console && !v.Rights.MayPhone(a):
		http.Redirect(w, r, "/console", http.StatusSeeOther)
		return nil
	case console && !v.Rights.MayConsole(a):
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if p == nil {
		_, _ = io.WriteString(w, bundles.Missing) // the client has gone: nobody to tell
		return nil
	}
	page, err := v.render(r.Context(), a, p, title)
	if err != nil {
		return err
	}
	_, _ = w.Write(page) // the client has gone: nobody to tell
	return nil
}

// render is the shell with the first state in it, so that a slow phone asks once.
func (v *Service) render(ctx context.Context, a people.Actor, p *bundles.Page, title string) ([]byte, error) {
	lang := string(web.LangOf(ctx))
	s, err := v.State(ctx, a, lang)
	if err != nil {
		return nil, err
	}
	boot, err := json.Marshal(s) // escapes <, > and &: safe inside <script>
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = shell.Execute(&page, map[string]any{"Lang": lang, "Title": title, "Page": p, "Boot": template.JS(boot)}) // #nosec G203 -- made by json.Marshal
	return page.Bytes(), err
}
