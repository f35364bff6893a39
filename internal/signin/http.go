package signin

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

//go:embed page
var pageFiles embed.FS

//go:embed static
var static embed.FS

type keysOutput struct {
	Body struct {
		Keys   []Key  `json:"keys"`
		Works  bool   `json:"passkeys" doc:"passkeys can be used at this address, as far as the server knows"`
		Origin string `json:"origin" doc:"the one address at which they can; empty for localhost"`
	}
}

// browserInput is a request with what the browser says of itself.
type browserInput struct {
	Origin  string `header:"Origin" hidden:"true"`
	Cookies string `header:"Cookie" hidden:"true"`
}

// anyOutput is an answer whose shape W3C Web Authentication defines.
type anyOutput struct{ Body json.RawMessage }

type addInput struct {
	Origin  string `header:"Origin" hidden:"true"`
	Cookies string `header:"Cookie" hidden:"true"`
	Body    struct {
		Name       string          `json:"name,omitempty" maxLength:"200" doc:"how its owner calls the device; made up when left out"`
		Credential json.RawMessage `json:"credential" doc:"RegistrationResponseJSON of W3C Web Authentication"`
	}
}

type askInInput struct {
	Origin  string `header:"Origin" hidden:"true"`
	Cookies string `header:"Cookie" hidden:"true"`
	Body    struct {
		Verify bool `json:"verify,omitempty" doc:"the device must verify its owner, as for an officer"`
	}
}

type inInput struct {
	Origin  string `header:"Origin" hidden:"true"`
	Cookies string `header:"Cookie" hidden:"true"`
	Body    struct {
		Credential json.RawMessage `json:"credential" doc:"AuthenticationResponseJSON of W3C Web Authentication"`
	}
}

type inOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		To string `json:"to" doc:"the first screen of who came in"`
	}
}

type removeInput struct {
	Kind Kind   `path:"kind" maxLength:"20"`
	ID   string `path:"id" maxLength:"2000"`
}

// Routes adds the ways in to k.
func (v *Service) Routes(k *web.Kit) error {
	op := func(id, method, path, summary string, open bool) web.Op {
		return web.Op{ID: id, Method: method, Path: path, Tag: "signin", Summary: summary, Open: open}
	}
	web.Register(k, op("list-keys", http.MethodGet, "/api/v1/me/keys", "how the asker comes in", false), v.listKeys)
	web.Register(k, op("ask-key", http.MethodPost, "/api/v1/me/keys/options", "what a browser needs to make a passkey", false), v.askKey)
	web.Register(k, op("add-key", http.MethodPost, "/api/v1/me/keys", "keep a passkey that a browser made", false), v.addKey)
	web.Register(k, op("remove-key", http.MethodPost, "/api/v1/me/keys/{kind}/{id}/remove", "take one of the asker's keys away", false), v.removeKey)
	web.Register(k, op("ask-sign-in", http.MethodPost, "/api/v1/sign-in/options", "what a browser needs to come in by passkey", true), v.askIn)
	web.Register(k, op("sign-in", http.MethodPost, "/api/v1/sign-in", "come in by passkey", true), v.signIn)
	face, err := v.People.Face(pageFiles)
	if err != nil {
		return err
	}
	p := &pages{v, k, face}
	k.Handle(http.MethodGet, "/key", "how to come in next time", p.key)
	k.Handle(http.MethodPost, "/key/phrase", "make a paper; it is shown once", p.makePhrase)
	k.Handle(http.MethodGet, "/sign-in", "come in by paper", p.form)
	k.Handle(http.MethodPost, "/sign-in", "come in by paper", p.byPhrase)
	if v.Province != nil {
		k.Handle(http.MethodPost, "/province", "come in by the province's sign-in", p.depart)
		k.Handle(http.MethodPost, "/province/link", "link the province's sign-in", p.link)
		k.Handle(http.MethodGet, "/province/back", "back from the province's sign-in; a form goes on", p.back)
		k.Handle(http.MethodPost, "/province/back", "back from the province's sign-in", p.arrive)
	}
	files, err := fs.Sub(static, "static")
	if err != nil {
		return err
	}
	return k.Assets(files, nil)
}

func (v *Service) listKeys(ctx context.Context, _ *struct{}) (*keysOutput, error) {
	a, err := people.SignedIn(ctx, "signin.Keys")
	if err != nil {
		return nil, err
	}
	out := &keysOutput{}
	out.Body.Works, out.Body.Origin = v.Works(people.HostIn(ctx), v.People.Secure)
	out.Body.Keys, err = v.Keys(ctx, a.Person)
	return out, err
}

func (v *Service) askKey(ctx context.Context, in *browserInput) (*anyOutput, error) {
	const op = "signin.BeginAdd"
	a, err := people.SignedIn(ctx, op)
	if err != nil {
		return nil, err
	}
	if err := v.mayAdd(ctx, op, in.Cookies, a.Person); err != nil {
		return nil, err
	}
	made, err := v.BeginAdd(ctx, a, in.Origin)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(made)
	return &anyOutput{text}, err
}

func (v *Service) addKey(ctx context.Context, in *addInput) (*struct{}, error) {
	const op = "signin.FinishAdd"
	a, err := people.SignedIn(ctx, op)
	if err != nil {
		return nil, err
	}
	if err := v.mayAdd(ctx, op, in.Cookies, a.Person); err != nil {
		return nil, err
	}
	return nil, v.FinishAdd(ctx, a, in.Origin, in.Body.Name, in.Body.Credential)
}

func (v *Service) removeKey(ctx context.Context, in *removeInput) (*struct{}, error) {
	a, err := people.SignedIn(ctx, "signin.RemoveKey")
	if err != nil {
		return nil, err
	}
	return nil, v.RemoveKey(ctx, a, in.Kind, in.ID)
}

func (v *Service) askIn(_ context.Context, in *askInInput) (*anyOutput, error) {
	asked, err := v.BeginIn(in.Origin, in.Body.Verify)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(asked)
	return &anyOutput{text}, err
}

func (v *Service) signIn(ctx context.Context, in *inInput) (*inOutput, error) {
	s, err := v.In(ctx, in.Origin, in.Body.Credential)
	if err != nil {
		return nil, err
	}
	out := &inOutput{SetCookie: []string{v.People.Enters(ctx, in.Cookies, s).String()}}
	out.Body.To = people.First(s.Person.Role)
	return out, nil
}

// pages are what works without a script, and begins what needs one.
type pages struct {
	v    *Service
	k    *web.Kit
	face *people.Face
}

// body is what the pages show.
type body struct {
	Card, Words string // as typed
	Paper       Paper
	To          string // where to go on
	Origin      string // where passkeys work, when it is not here
	Province    bool
	Officer     bool
	State, Code string
}

func (p *pages) body(r *http.Request) body {
	a := people.Asker(r.Context())
	b := body{To: people.First(a.Role), Province: p.v.Province != nil && a.Role.Officer(), Officer: a.Role.Officer()}
	if ok, at := p.v.Works(r.Host, p.v.People.Secure); !ok {
		b.Origin = at
	}
	return b
}

// key shows how to come in next time.
func (p *pages) key(w http.ResponseWriter, r *http.Request) error {
	if p.face.Switched(w, r) {
		return nil
	}
	if _, err := people.SignedIn(r.Context(), "signin.Page"); err != nil {
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
		return nil
	}
	return p.face.Show(w, r, http.StatusOK, "key.html", "key.title", "", nil, p.body(r))
}

// makePhrase shows a new paper, this once.
func (p *pages) makePhrase(w http.ResponseWriter, r *http.Request) error {
	const op = "signin.MakePhrase"
	a, err := people.SignedIn(r.Context(), op)
	if fault.KindOf(err) == fault.Unknown && err != nil {
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	b := p.body(r)
	if err := p.v.mayAdd(r.Context(), op, r.Header.Get("Cookie"), a.Person); err != nil {
		return p.wrong(w, r, "key.html", "key.title", err, b)
	}
	if b.Paper, err = p.v.MakePhrase(r.Context(), a); err != nil {
		return err
	}
	return p.face.Show(w, r, http.StatusOK, "paper.html", "paper.title", "", nil, b)
}

// wrong shows page name again with what was wrong; other faults are answered as
// usual.
func (p *pages) wrong(w http.ResponseWriter, r *http.Request, name, title string, err error, b body) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !strings.HasPrefix(f.Key, "signin.") {
		return err
	}
	status := map[fault.Kind]int{fault.Invalid: http.StatusBadRequest, fault.Unknown: http.StatusUnauthorized, fault.Busy: http.StatusTooManyRequests, fault.Conflict: http.StatusConflict}[f.Kind]
	if status == 0 {
		status = http.StatusForbidden
	}
	return p.face.Show(w, r, status, name, title, f.Key, f.Args, b)
}

func (p *pages) form(w http.ResponseWriter, r *http.Request) error {
	if p.face.Switched(w, r) {
		return nil
	}
	return p.face.Show(w, r, http.StatusOK, "sign-in.html", "signin.title", "", nil, p.body(r))
}

func (p *pages) byPhrase(w http.ResponseWriter, r *http.Request) error {
	t := Tried{r.PostFormValue("card"), r.PostFormValue("words"), strings.TrimSpace(r.PostFormValue("code"))}
	s, err := p.v.InByPhrase(r.Context(), t)
	if err != nil {
		b := p.body(r)
		if len(t.Card) <= 40 {
			b.Card = t.Card
		}
		return p.wrong(w, r, "sign-in.html", "signin.title", err, b)
	}
	p.v.People.Enter(w, r, s)
	http.Redirect(w, r, people.First(s.Person.Role), http.StatusSeeOther)
	return nil
}

// errandCookie carries what must come back from the provider. Lax: it comes back
// from another site.
func (p *pages) errandCookie(value string) *http.Cookie {
	c := &http.Cookie{Name: "keng_province", Value: value, Path: "/", HttpOnly: true, Secure: p.v.People.Secure, SameSite: http.SameSiteLaxMode, MaxAge: int(errandFor.Seconds())}
	if c.Secure {
		c.Name = "__Host-keng_province"
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// backTo is where the provider sends a browser back to.
func (p *pages) backTo(r *http.Request) string {
	base := p.v.Origin
	if base == "" {
		base = "http://" + r.Host
	}
	return base + "/province/back"
}

func (p *pages) depart(w http.ResponseWriter, r *http.Request) error { return p.leave(w, r, "") }

func (p *pages) link(w http.ResponseWriter, r *http.Request) error {
	const op = "signin.Link"
	a, err := people.SignedIn(r.Context(), op)
	if err != nil {
		return err
	}
	if !a.Role.Officer() {
		return fault.New(op, fault.Denied, "fault.denied")
	}
	if err := p.v.mayAdd(r.Context(), op, r.Header.Get("Cookie"), a.Person); err != nil {
		return p.wrong(w, r, "key.html", "key.title", err, p.body(r))
	}
	return p.leave(w, r, a.Person)
}

// leave sends a browser to the provider by a page: a form may not lead to another
// site, a page may.
func (p *pages) leave(w http.ResponseWriter, r *http.Request, link people.ID) error {
	to, carry, err := p.v.Depart(r.Context(), p.backTo(r), link)
	if err != nil {
		return err
	}
	u, err := url.Parse(to)
	if err != nil {
		return err
	}
	http.SetCookie(w, p.errandCookie(carry))
	w.Header().Set("Refresh", "0;url="+u.String())
	return p.face.Show(w, r, http.StatusOK, "leave.html", "province.title", "", nil, body{To: u.String()})
}

// back is a GET from another site: it changes nothing, its form does.
func (p *pages) back(w http.ResponseWriter, r *http.Request) error {
	b := body{State: r.URL.Query().Get("state"), Code: r.URL.Query().Get("code")}
	if b.State == "" || b.Code == "" || len(b.State)+len(b.Code) > 8000 {
		return p.wrong(w, r, "sign-in.html", "signin.title", fault.New("signin.Return", fault.Unknown, "signin.province_refused"), p.body(r))
	}
	return p.face.Show(w, r, http.StatusOK, "back.html", "province.title", "", nil, b)
}

func (p *pages) arrive(w http.ResponseWriter, r *http.Request) error {
	a := people.Asker(r.Context())
	carry := ""
	if c, err := r.Cookie(p.errandCookie("").Name); err == nil {
		carry = c.Value
	}
	http.SetCookie(w, p.errandCookie(""))
	s, err := p.v.Return(r.Context(), a, p.backTo(r), carry, r.PostFormValue("state"), r.PostFormValue("code"))
	if err != nil {
		return p.wrong(w, r, "sign-in.html", "signin.title", err, p.body(r))
	}
	if s.Secret == "" { // linked
		http.Redirect(w, r, people.First(a.Role), http.StatusSeeOther)
		return nil
	}
	p.v.People.Enter(w, r, s)
	http.Redirect(w, r, people.First(s.Person.Role), http.StatusSeeOther)
	return nil
}
