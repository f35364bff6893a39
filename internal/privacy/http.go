package privacy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// perPage is how many entries one answer has.
const perPage = 50

// ActView is one entry of the log as the person whom it is about reads it.
type ActView struct {
	N    int64     `json:"n" doc:"its place in the log"`
	At   time.Time `json:"at"`
	Act  string    `json:"act" example:"privacy.look"`
	Text string    `json:"text" doc:"what happened, in one sentence"`
	Mine bool      `json:"mine" doc:"the reader did it himself"`
}

// ProofView is everything that is needed to check an entry without believing us.
type ProofView struct {
	ActView
	Leaf  string       `json:"leaf" doc:"byte for byte what is in the log"`
	Proof string       `json:"proof" doc:"that the leaf is in the log, C2SP tlog-proof; empty where nothing is signed"`
	Key   string       `json:"key" doc:"public key of the log, C2SP signed-note"`
	Opens []UnsealView `json:"opens" doc:"what the leaf's commitments hold"`
}

// UnsealView opens one commitment: field = SHA-256(\"keng/commit/v1\" || opening || value).
type UnsealView struct {
	Field   string        `json:"field" enum:"of,by,on,body"`
	Opening audit.Opening `json:"opening"`
	Value   string        `json:"value"`
}

// RequestView is a request as screens see it. A time that has not come is null.
type RequestView struct {
	ID      string          `json:"id"`
	Kind    Kind            `json:"kind" enum:"see,correct,export,delete,withdraw"`
	Text    string          `json:"text"`
	Who     string          `json:"who" doc:"name of the person; empty once erased"`
	Home    string          `json:"home" doc:"name of his home"`
	Group   string          `json:"group"`
	Made    time.Time       `json:"made"`
	Reply   time.Time       `json:"reply" doc:"by when the person must hear that it is being dealt with"`
	Due     time.Time       `json:"due" doc:"by when it must be done"`
	Late    bool            `json:"late"`
	Taken   *time.Time      `json:"taken,omitempty"`
	Longer  *time.Time      `json:"longer,omitempty"`
	Ended   *time.Time      `json:"ended,omitempty"`
	Outcome Outcome         `json:"outcome" enum:",done,refused"`
	Answer  string          `json:"answer"`
	Can     map[string]bool `json:"can" doc:"what the reader may do: take, longer, answer"`
	Unit    place.UnitCode  `json:"unit"`
}

type actsInput struct {
	Before int64 `query:"before" minimum:"0" default:"0" doc:"entries below this place; 0: the newest"`
}

type actsOutput struct{ Body []ActView }

type placeInput struct {
	N string `path:"n" maxLength:"20" doc:"its place in the log"`
}

type proofOutput struct{ Body ProofView }

type demandInput struct {
	Body struct {
		Kind Kind   `json:"kind" enum:"see,correct,export,delete,withdraw"`
		Text string `json:"text,omitempty" maxLength:"8000"`
	}
}

type requestOutput struct{ Body RequestView }

type requestsOutput struct{ Body []RequestView }

type idInput struct {
	ID string `path:"id" maxLength:"64"`
}

type lengthenInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Text string `json:"text" maxLength:"8000"`
	}
}

type decideInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Outcome Outcome `json:"outcome" enum:"done,refused"`
		Text    string  `json:"text,omitempty" maxLength:"8000"`
	}
}

// asked finds out who asks before f.
func asked[I, O any](f func(context.Context, people.Actor, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		a, err := people.Known(ctx, "privacy")
		if err != nil {
			return nil, err
		}
		return f(ctx, a, in)
	}
}

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	op := func(id, method, path, what string) web.Op {
		return web.Op{ID: id, Method: method, Path: path, Tag: "privacy", Summary: what}
	}
	web.Register(k, op("list-acts", http.MethodGet, "/api/v1/me/acts", "who saw or changed what of the asker, newest first"), asked(v.listActs))
	web.Register(k, op("prove-act", http.MethodGet, "/api/v1/me/acts/{n}", "one entry with everything needed to check it"), asked(v.proveAct))
	web.Register(k, op("list-requests", http.MethodGet, "/api/v1/me/requests", "the asker's own requests about his data"), asked(v.listMine))
	ask := op("ask-request", http.MethodPost, "/api/v1/me/requests", "ask for one's rights over one's data")
	ask.Status = http.StatusCreated
	web.Register(k, ask, asked(func(ctx context.Context, a people.Actor, in *demandInput) (*requestOutput, error) {
		r, err := v.Ask(ctx, a, web.OutboxKey(ctx), in.Body.Kind, in.Body.Text)
		return v.shown(a, r, err)
	}))
	k.Raw(op("export-mine", http.MethodPost, "/api/v1/me/export", "everything that is held about the asker: {\"form\": \"json\"} or {\"form\": \"html\"}"), "application/json", v.serveExport)
	web.Register(k, op("list-privacy-queue", http.MethodGet, "/api/v1/privacy/requests", "requests that the asker's unit has to answer, the most urgent first"), asked(v.listQueue))
	web.Register(k, op("take-request", http.MethodPost, "/api/v1/privacy/requests/{id}/take", "tell the person that it is being dealt with"),
		asked(func(ctx context.Context, a people.Actor, in *idInput) (*requestOutput, error) {
			r, err := v.Take(ctx, a, in.ID)
			return v.shown(a, r, err)
		}))
	web.Register(k, op("lengthen-request", http.MethodPost, "/api/v1/privacy/requests/{id}/lengthen", "as much time again, once, with the reason"),
		asked(func(ctx context.Context, a people.Actor, in *lengthenInput) (*requestOutput, error) {
			r, err := v.Lengthen(ctx, a, in.ID, in.Body.Text)
			return v.shown(a, r, err)
		}))
	web.Register(k, op("answer-request", http.MethodPost, "/api/v1/privacy/requests/{id}/answer", "end it; a granted deletion erases the person"),
		asked(func(ctx context.Context, a people.Actor, in *decideInput) (*requestOutput, error) {
			r, err := v.Answer(ctx, a, in.ID, in.Body.Outcome, in.Body.Text)
			return v.shown(a, r, err)
		}))
}

func (v *Service) listActs(ctx context.Context, a people.Actor, in *actsInput) (*actsOutput, error) {
	out := &actsOutput{Body: []ActView{}}
	if a.Person == "" {
		return out, nil // nobody's data is a program's
	}
	list, err := v.Entries.Of(ctx, string(a.Person), in.Before, perPage)
	if err != nil {
		return nil, fault.Wrap("privacy.Acts", err)
	}
	for _, e := range list {
		out.Body = append(out.Body, v.act(ctx, a, e))
	}
	return out, nil
}

// act puts an entry into one sentence.
func (v *Service) act(ctx context.Context, a people.Actor, e audit.Entry) ActView {
	book := say.In(web.LangOf(ctx))
	key := "act." + e.Name
	if e.Name == "privacy.look" && string(e.Body) == `{"names":true,"phones":true}` {
		key = "act.privacy.look_phones"
	}
	if !book.Has(key) {
		key = "act.other"
	}
	args := map[string]any{"by": v.who(book, a, e.By), "act": e.Name}
	return ActView{N: e.N, At: e.At, Act: e.Name, Text: book.Text(key, args), Mine: e.By == string(a.Person)}
}

// who calls somebody by role, name and unit.
func (v *Service) who(book say.Book, a people.Actor, by string) string {
	switch {
	case by == "":
		return book.Text("act.by_gone", nil)
	case by == string(a.Person):
		return book.Text("act.by_you", nil)
	case by == audit.Machine:
		return book.Text("act.by_machine", nil)
	}
	if p, ok := v.Folk.Person(people.ID(by)); ok {
		args := map[string]any{"name": p.Name, "role": book.Text("role."+string(p.Role), nil), "unit": ""}
		if u, ok := place.UnitOf(p.Scope.Unit); ok {
			args["unit"] = u.FullName
			return book.Text("act.by_officer", args)
		}
		return book.Text("act.by_person", args)
	}
	if name, ok := cutToken(by); ok {
		return book.Text("act.by_program", map[string]any{"name": name})
	}
	return book.Text("act.by_gone", nil)
}

func cutToken(by string) (string, bool) {
	const head = "token/"
	if len(by) > len(head) && by[:len(head)] == head {
		return by[len(head):], true
	}
	return "", false
}

func (v *Service) proveAct(ctx context.Context, a people.Actor, in *placeInput) (*proofOutput, error) {
	const op = "privacy.Prove"
	n, err := strconv.ParseInt(in.N, 10, 64)
	if err != nil {
		return nil, fault.New(op, fault.NotFound, "mydata.no_entry")
	}
	s, err := v.Entries.Show(ctx, string(a.Person), n)
	if a.Person == "" || errors.Is(err, audit.ErrNone) {
		return nil, fault.New(op, fault.NotFound, "mydata.no_entry")
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	p := ProofView{ActView: v.act(ctx, a, s.Entry), Leaf: string(s.Leaf), Opens: []UnsealView{{"of", s.Me, "person/" + string(a.Person)}}}
	open := func(field string, o audit.Opening, value string) {
		if o != (audit.Opening{}) {
			p.Opens = append(p.Opens, UnsealView{field, o, value})
		}
	}
	open("by", s.ByWho, audit.Subject(s.By))
	open("on", s.OnWhat, s.On)
	open("body", s.Contents, string(s.Body))
	if v.Proofs != nil {
		text, err := v.Proofs.Proof(ctx, n)
		if err != nil {
			return nil, err
		}
		p.Proof, p.Key = string(text), v.Proofs.Verifier()
	}
	return &proofOutput{p}, nil
}

func (v *Service) listMine(ctx context.Context, a people.Actor, _ *struct{}) (*requestsOutput, error) {
	list, err := v.Mine(ctx, a)
	return v.views(a, list, err)
}

func (v *Service) listQueue(ctx context.Context, a people.Actor, _ *struct{}) (*requestsOutput, error) {
	list, err := v.Queue(ctx, a)
	return v.views(a, list, err)
}

func (v *Service) views(a people.Actor, list []Request, err error) (*requestsOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &requestsOutput{Body: []RequestView{}}
	for _, r := range list {
		out.Body = append(out.Body, v.view(a, r))
	}
	return out, nil
}

func (v *Service) shown(a people.Actor, r Request, err error) (*requestOutput, error) {
	if err != nil {
		return nil, err
	}
	return &requestOutput{v.view(a, r)}, nil
}

func (v *Service) view(a people.Actor, r Request) RequestView {
	w := RequestView{ID: r.ID, Kind: r.Kind, Text: r.Text, Made: r.Made, Reply: r.Reply, Due: r.Due, Late: r.Late(v.Now()), Outcome: r.Outcome, Answer: r.Answer, Unit: r.Unit, Can: map[string]bool{}}
	if p, ok := v.Folk.Person(r.Person); ok {
		w.Who = p.Name
		d := v.Directory()
		if h, ok := d.Home(p.Home); ok {
			w.Home = h.Name
		}
		if g, ok := d.Group(p.Scope.Group); ok {
			w.Group = g.Name
		}
	}
	for into, t := range map[**time.Time]time.Time{&w.Taken: r.Taken, &w.Longer: r.Longer, &w.Ended: r.Ended} {
		if !t.IsZero() {
			*into = &t
		}
	}
	if may := r.Ended.IsZero() && r.Person != a.Person && v.may(a, "privacy.answer", r.Unit); may {
		w.Can["answer"], w.Can["take"], w.Can["longer"] = true, r.Taken.IsZero(), r.Longer.IsZero()
	}
	return w
}

func (v *Service) serveExport(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "privacy")
	if err != nil {
		return err
	}
	var in struct {
		Form string `json:"form"`
	}
	if err := web.Decode(r, &in); err != nil {
		return err
	}
	e, err := v.Export(r.Context(), a)
	if err != nil {
		return err
	}
	var text []byte
	media, name := "application/json", "keng.json"
	switch in.Form {
	case "", "json":
		text, err = e.JSON()
	case "html":
		media, name = "text/html; charset=utf-8", "keng.html"
		text, err = e.HTML(say.In(web.LangOf(r.Context())), web.LangOf(r.Context()))
	default:
		return fault.New("privacy.Export", fault.Invalid, "fault.invalid")
	}
	if err != nil {
		return fault.Wrap("privacy.Export", err)
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%s", strconv.Quote(name)))
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(text) // the client has gone: nobody to tell
	return nil
}
