package reach

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

// ReachView is how somebody can be reached.
type ReachView struct {
	Key    string      `json:"key" doc:"public key for the browser's subscription, base64url; empty: this Keng sends no push"`
	SMS    bool        `json:"sms" doc:"homes without a receipt get an SMS"`
	Voice  bool        `json:"voice" doc:"homes without a receipt are called"`
	Phones []PhoneView `json:"phones"`
	Wish   Wish        `json:"wish"`
}

// PhoneView is one of the asker's phones.
type PhoneView struct {
	ID       string     `json:"id"`
	Label    string     `json:"label"`
	State    State      `json:"state" enum:"new,asking,proven,deaf,overdue"`
	Seconds  *float64   `json:"seconds" doc:"how long the last test took to arrive"`
	AskedAt  *time.Time `json:"asked_at"`
	ProvenAt *time.Time `json:"proven_at"`
}

func (v *Service) view(p Phone) PhoneView {
	w := PhoneView{ID: p.ID, Label: p.Label, State: p.State(v.Now())}
	if !p.Asked.IsZero() {
		w.AskedAt = &p.Asked
	}
	if !p.Proven.IsZero() {
		w.ProvenAt = &p.Proven
		s := p.Took.Seconds()
		w.Seconds = &s
	}
	return w
}

type reachOutput struct{ Body ReachView }

type phoneOutput struct{ Body PhoneView }

type enrolInput struct {
	Body struct {
		Endpoint string `json:"endpoint" maxLength:"2000"`
		P256dh   string `json:"p256dh" maxLength:"200"`
		Auth     string `json:"auth" maxLength:"100"`
		Label    string `json:"label,omitempty" maxLength:"200" doc:"what its owner calls it: Samsung, Chrome"`
		Lang     string `json:"lang,omitempty" maxLength:"10"`
		Old      string `json:"old,omitempty" maxLength:"2000" doc:"endpoint that the same browser had before"`
	}
}

type phoneInput struct {
	ID   string    `path:"id" maxLength:"40"`
	Body *struct{} `required:"false"`
}

type troubleInput struct {
	Body struct {
		Trouble string `json:"trouble" maxLength:"20" doc:"denied, unsupported, ios_browser, no_service, not_received; empty: none any more"`
	}
}

type wishInput struct{ Body Wish }

type tokenInput struct {
	Body struct {
		Token  string `json:"token" maxLength:"600"`
		Answer string `json:"answer,omitempty" maxLength:"20" doc:"coming, safe or need_help"`
	}
}

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	const at = "/api/v1/reach"
	web.Register(k, web.Op{ID: "get-reach", Method: http.MethodGet, Path: at, Tag: "reach", Summary: "how the asker can be reached"},
		func(ctx context.Context, _ *struct{}) (*reachOutput, error) {
			a := people.Asker(ctx)
			if err := v.own("reach.Get", a, "reach.enrol"); err != nil {
				return nil, err
			}
			out := ReachView{Key: v.Key, SMS: v.Post.Has(notify.SMS), Voice: v.Post.Has(notify.Voice), Phones: []PhoneView{}, Wish: v.wishOf(a.Person)}
			for _, p := range v.PhonesOf(a.Person) {
				out.Phones = append(out.Phones, v.view(p))
			}
			return &reachOutput{out}, nil
		})
	web.Register(k, web.Op{ID: "enrol-phone", Method: http.MethodPost, Path: at + "/phones", Tag: "reach", Summary: "let this browser ring", Status: http.StatusCreated},
		func(ctx context.Context, in *enrolInput) (*phoneOutput, error) {
			b := in.Body
			p, err := v.Enrol(ctx, people.Asker(ctx), Phone{Endpoint: b.Endpoint, P256dh: b.P256dh, Auth: b.Auth, Label: b.Label, Lang: say.Lang(b.Lang)}, b.Old)
			return v.phoneAnswer(p, err)
		})
	web.Register(k, web.Op{ID: "probe-phone", Method: http.MethodPost, Path: at + "/phones/{id}/probe", Tag: "reach", Summary: "send a test message and measure it"},
		func(ctx context.Context, in *phoneInput) (*phoneOutput, error) {
			p, err := v.Probe(ctx, people.Asker(ctx), in.ID)
			return v.phoneAnswer(p, err)
		})
	web.Register(k, web.Op{ID: "drop-phone", Method: http.MethodPost, Path: at + "/phones/{id}/drop", Tag: "reach", Summary: "this browser rings no more"},
		func(ctx context.Context, in *phoneInput) (*struct{}, error) {
			return nil, v.Drop(ctx, people.Asker(ctx), in.ID)
		})
	web.Register(k, web.Op{ID: "admit-trouble", Method: http.MethodPost, Path: at + "/trouble", Tag: "reach", Summary: "this phone cannot take push, and why"},
		func(ctx context.Context, in *troubleInput) (*struct{}, error) {
			return nil, v.Admit(ctx, people.Asker(ctx), Trouble(in.Body.Trouble))
		})
	web.Register(k, web.Op{ID: "set-wishes", Method: http.MethodPost, Path: at + "/wishes", Tag: "reach", Summary: "channels and quiet hours for what is no alarm"},
		func(ctx context.Context, in *wishInput) (*struct{}, error) {
			return nil, v.Wishes(ctx, people.Asker(ctx), in.Body)
		})
	web.Register(k, web.Op{ID: "receive-push", Method: http.MethodPost, Path: "/v1/receipts", Tag: "reach", Summary: "a phone has a message; by its token, also signed out", Open: true},
		func(ctx context.Context, in *tokenInput) (*struct{}, error) {
			return nil, v.Receive(ctx, in.Body.Token)
		})
	web.Register(k, web.Op{ID: "answer-push", Method: http.MethodPost, Path: "/v1/answers", Tag: "reach", Summary: "answer the roll-call from a lock screen, by its token", Open: true},
		func(ctx context.Context, in *tokenInput) (*struct{}, error) {
			return nil, v.Answer(ctx, in.Body.Token, in.Body.Answer, web.OutboxKey(ctx))
		})
	k.Raw(web.Op{ID: "gateway-callback", Method: http.MethodPost, Path: "/v1/gateway", Tag: "reach", Summary: "what an SMS or voice gateway reports, signed: docs/gateway.md", Open: true},
		"application/json", v.serveCallback)
}

func (v *Service) phoneAnswer(p Phone, err error) (*phoneOutput, error) {
	if err != nil {
		return nil, err
	}
	return &phoneOutput{v.view(p)}, nil
}

func (v *Service) serveCallback(w http.ResponseWriter, r *http.Request) error {
	const op = "reach.Callback"
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "fault.too_large", Err: err}
	}
	if err := notify.Verify(v.Gateway, body, r.Header.Get(notify.SignatureHeader), time.Now()); err != nil { // by the world's clock, as the gateway's
		return &fault.Error{Op: op, Kind: fault.Unknown, Key: "reach.signature", Err: err}
	}
	var c Callback
	if err := json.Unmarshal(body, &c); err != nil {
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "fault.bad_json", Err: err}
	}
	if err := v.Callback(r.Context(), c); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
