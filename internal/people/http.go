package people

import (
	"bytes"
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/place"
)

//go:embed static
var static embed.FS

//go:embed page
var pageFiles embed.FS

// Persona is somebody to play in the demo.
type Persona struct {
	Key    string // part of the address: "member", "desk"
	Person ID
}

// SelfView is who somebody is, as he is told.
type SelfView struct {
	Person   ID             `json:"person"`
	Name     string         `json:"name"`
	Role     Role           `json:"role"`
	Home     place.HomeID   `json:"home"`
	Group    place.GroupID  `json:"group"`
	Unit     place.UnitCode `json:"unit"`
	UnitName string         `json:"unit_name"`
}

type selfOutput struct{ Body SelfView }

type cookieOutput struct {
	SetCookie []string `header:"Set-Cookie"`
}

type langInput struct {
	Body struct {
		Lang string `json:"lang" enum:"vi,en"`
	}
}

type signOutInput struct {
	Cookies string `header:"Cookie" hidden:"true"`
}

// Routes adds signing in and out to k. homes tells what a home and its group are
// called; cast is empty everywhere but in the demo: only there do its routes exist.
func (v *Service) Routes(k *web.Kit, homes func() *place.Directory, cast []Persona) error {
	web.Register(k, web.Op{ID: "get-me", Method: http.MethodGet, Path: "/api/v1/me", Tag: "people", Summary: "who the asker is"}, v.self)
	web.Register(k, web.Op{ID: "sign-out", Method: http.MethodPost, Path: "/api/v1/sign-out", Tag: "people", Summary: "end this session", Open: true}, v.signOut)
	web.Register(k, web.Op{ID: "set-lang", Method: http.MethodPost, Path: "/api/v1/lang", Tag: "people", Summary: "remember the language in this browser", Open: true}, setLang)
	v.demo = len(cast) > 0
	p := &pages{v: v, k: k, homes: homes, cast: cast, look: template.Must(template.ParseFS(pageFiles, "page/*.html"))}
	web.Register(k, web.Op{ID: "list-sessions", Method: http.MethodGet, Path: "/api/v1/me/sessions", Tag: "people", Summary: "where the asker is signed in"}, v.listSessions)
	web.Register(k, web.Op{ID: "end-session", Method: http.MethodPost, Path: "/api/v1/me/sessions/{id}/end", Tag: "people", Summary: "sign one device out"}, v.endSession)
	web.Register(k, web.Op{ID: "end-other-sessions", Method: http.MethodPost, Path: "/api/v1/me/sessions/end-others", Tag: "people", Summary: "sign all other devices out"}, v.endOthers)
	v.renewRoutes(k, homes)
	k.Handle(http.MethodGet, "/welcome", "what Keng is, and where an invite's code is typed in", p.welcome)
	k.Handle(http.MethodPost, "/welcome", "a code that was typed in", p.typed)
	k.Handle(http.MethodGet, "/i/{secret}", "an invite; opening it uses nothing up", p.invite)
	k.Handle(http.MethodPost, "/i/{secret}", "accept an invite and sign in", p.accept)
	if len(cast) > 0 {
		k.Handle(http.MethodGet, "/demo/as/{role}", "demo: be somebody", p.demo)
		k.Handle(http.MethodPost, "/demo/as/{role}", "demo: be somebody, now", p.play)
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return err
	}
	return k.Assets(files, nil)
}

func (v *Service) self(ctx context.Context, _ *struct{}) (*selfOutput, error) {
	a := Asker(ctx)
	if a.Nobody() {
		return nil, fault.New("people.Self", fault.Unknown, "fault.sign_in")
	}
	u, _ := place.UnitOf(a.Scope.Unit)
	return &selfOutput{SelfView{a.Person, a.Name, a.Role, a.Home, a.Group, a.Scope.Unit, u.FullName}}, nil
}

func (v *Service) signOut(ctx context.Context, in *signOutInput) (*cookieOutput, error) {
	if secret := v.secretOf(in.Cookies); secret != "" {
		if err := v.SignOut(ctx, secret); err != nil {
			return nil, err
		}
	}
	return &cookieOutput{[]string{v.cookie("", time.Time{}).String()}}, nil
}

func setLang(_ context.Context, in *langInput) (*cookieOutput, error) {
	return &cookieOutput{[]string{web.LangCookie(say.Lang(in.Body.Lang)).String()}}, nil
}

// pages are what works without a script.
type pages struct {
	v     *Service
	k     *web.Kit
	homes func() *place.Directory
	cast  []Persona
	look  *template.Template
}

// view is what a page shows.
type view struct {
	Lang  say.Lang
	Other say.Lang // the language to switch to
	Path  string
	Title string
	Alert string // a sentence about the page, "" when all is well
	Wrong string // a sentence about what was typed in, "" when all is well
	Code  string
	Who   who
	Cast  []role
	Demo  bool
	In    Actor // who is signed in already
	Ways  Ways
	Body  any // of a page that another package adds
}

// who is somebody as a page calls him.
type who struct{ Name, Home, Group, Role string }

// role is a card of the demo.
type role struct {
	Key string
	who
}

// T is a sentence of the page's language.
func (p view) T(key string) string { return say.In(p.Lang).Text(key, nil) }

// Say is a sentence of the page's language with values.
func (p view) Say(key string, args map[string]any) string { return say.In(p.Lang).Text(key, args) }

func (p *pages) view(r *http.Request, title string) view {
	l := web.LangOf(r.Context())
	other := say.English
	if l == say.English {
		other = say.Vietnamese
	}
	return view{Lang: l, Other: other, Path: r.URL.Path, Title: say.In(l).Text(title, nil), Demo: p.v.demo, In: Asker(r.Context()), Ways: p.v.Ways}
}

func (p *pages) show(w http.ResponseWriter, status int, name string, v view) error {
	return show(w, status, p.look, name, v)
}

func show(w http.ResponseWriter, status int, look *template.Template, name string, v view) error {
	var b bytes.Buffer
	if err := look.ExecuteTemplate(&b, name, v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Robots-Tag", "noindex")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone: nobody to tell
	return nil
}

// switched follows the page's language link: it remembers the choice and comes
// back to the same page.
func switched(w http.ResponseWriter, r *http.Request) bool {
	l := say.Lang(r.URL.Query().Get("lang"))
	if l != say.Vietnamese && l != say.English {
		return false
	}
	web.SetLang(w, l)
	http.Redirect(w, r, (&url.URL{Path: r.URL.Path}).String(), http.StatusSeeOther)
	return true
}

func (p *pages) welcome(w http.ResponseWriter, r *http.Request) error {
	if switched(w, r) {
		return nil
	}
	v := p.view(r, "welcome.title")
	for _, c := range p.cast {
		known, err := findPerson(r.Context(), p.v.DB.Read(), "people.Welcome", c.Person, p.v.Now())
		if err != nil {
			return err
		}
		v.Cast = append(v.Cast, role{c.Key, p.who(known, v.Lang)})
	}
	return p.show(w, http.StatusOK, "welcome.html", v)
}

// typed sends a code that was typed in to its own page, where it says whose it is.
func (p *pages) typed(w http.ResponseWriter, r *http.Request) error {
	code, ok := readCode(r.PostFormValue("code"))
	if !ok {
		v := p.view(r, "welcome.title")
		v.Wrong, v.Code = v.T("welcome.code_wrong"), r.PostFormValue("code")
		if len(v.Code) > 64 {
			v.Code = ""
		}
		return p.show(w, http.StatusBadRequest, "welcome.html", v)
	}
	http.Redirect(w, r, "/i/"+code, http.StatusSeeOther)
	return nil
}

func (p *pages) invite(w http.ResponseWriter, r *http.Request) error {
	if switched(w, r) {
		return nil
	}
	known, err := p.v.OpenInvite(r.Context(), r.PathValue("secret"))
	if err != nil {
		return p.notGood(w, r, err)
	}
	v := p.view(r, "invite.title")
	v.Who = p.who(known, v.Lang)
	return p.show(w, http.StatusOK, "invite.html", v)
}

func (p *pages) accept(w http.ResponseWriter, r *http.Request) error {
	s, err := p.v.Redeem(r.Context(), r.PathValue("secret"))
	if err != nil {
		return p.notGood(w, r, err)
	}
	p.v.Enter(w, r, s)
	to := First(s.Person.Role)
	if p.v.Ways.Keys {
		to = "/key" // so that he can come back
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// notGood shows where to get another invite; other faults are answered as usual.
func (p *pages) notGood(w http.ResponseWriter, r *http.Request, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	v := p.view(r, "welcome.title")
	v.Path, v.Alert = "/welcome", v.T("people.invite_not_good")
	return p.show(w, http.StatusNotFound, "welcome.html", v)
}

// who calls somebody by name, home and group, or by name, role and unit.
func (p *pages) who(x Person, l say.Lang) who {
	is := who{Name: x.Name, Role: say.In(l).Text("role."+string(x.Role), nil)}
	if h, ok := p.homes().Home(x.Home); ok {
		is.Home = h.Name
	}
	if g, ok := p.homes().Group(x.Scope.Group); ok {
		is.Group = g.Name
	}
	if u, ok := place.UnitOf(x.Scope.Unit); ok {
		is.Group = u.FullName
	}
	return is
}

func (p *pages) persona(r *http.Request) (Person, error) {
	for _, c := range p.cast {
		if c.Key == strings.ToLower(r.PathValue("role")) {
			return findPerson(r.Context(), p.v.DB.Read(), "people.Demo", c.Person, p.v.Now())
		}
	}
	return Person{}, fault.New("people.Demo", fault.NotFound, "fault.not_found")
}

func (p *pages) demo(w http.ResponseWriter, r *http.Request) error {
	known, err := p.persona(r)
	if err != nil {
		return err
	}
	v := p.view(r, "demo.title")
	v.Who = p.who(known, v.Lang)
	return p.show(w, http.StatusOK, "demo.html", v)
}

func (p *pages) play(w http.ResponseWriter, r *http.Request) error {
	known, err := p.persona(r)
	if err != nil {
		return err
	}
	s, err := p.v.SignIn(r.Context(), known.ID)
	if err != nil {
		return err
	}
	p.v.Enter(w, r, s)
	http.Redirect(w, r, First(s.Person.Role), http.StatusSeeOther)
	return nil
}
