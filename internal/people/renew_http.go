package people

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/place"
)

// InviteView is an invite as whoever made it sees it, once.
type InviteView struct {
	Name    string    `json:"name" doc:"whose it is"`
	Code    string    `json:"code" doc:"7K2M-Q9XT-4BWZ"`
	Link    string    `json:"link"`
	QR      string    `json:"qr" doc:"the link as a picture, data:image/svg+xml"`
	Expires time.Time `json:"expires"`
}

type inviteOutput struct{ Body InviteView }

type groupInput struct {
	ID place.GroupID `path:"id"`
}

type phonesOutput struct{ Body []Phone }

type reinviteInput struct {
	ID   ID `path:"id"`
	Body struct {
		Lost bool `json:"lost,omitempty" doc:"the old phone may be in other hands: lock it out at once"`
	}
}

type personInput struct {
	ID ID `path:"id"`
}

type renewalInput struct {
	ID string `path:"id"`
}

type renewalOutput struct{ Body Renewal }

type colleaguesOutput struct{ Body []Colleague }

// renewRoutes adds what is done about phones and keys that are lost.
func (v *Service) renewRoutes(k *web.Kit, homes func() *place.Directory) {
	op := func(id, method, path, summary string) web.Op {
		return web.Op{ID: id, Method: method, Path: path, Tag: "people", Summary: summary}
	}
	web.Register(k, op("list-phones", http.MethodGet, "/api/v1/groups/{id}/phones", "people of a group, and who has a new phone"), func(ctx context.Context, in *groupInput) (*phonesOutput, error) {
		a, g, err := v.seesNames(ctx, homes(), in.ID)
		if err != nil {
			return nil, err
		}
		list, err := v.Phones(ctx, g, v.rights().MayInvite(a, g))
		return &phonesOutput{list}, err
	})
	web.Register(k, op("reinvite", http.MethodPost, "/api/v1/people/{id}/invite", "let a resident with a new phone in again"), func(ctx context.Context, in *reinviteInput) (*inviteOutput, error) {
		return v.reinvite(ctx, homes(), in)
	})
	web.Register(k, op("list-colleagues", http.MethodGet, "/api/v1/me/colleagues", "officers for whom the asker may vouch"), func(ctx context.Context, _ *struct{}) (*colleaguesOutput, error) {
		a, err := signedIn(ctx, "people.Colleagues")
		if err != nil {
			return nil, err
		}
		list, err := v.Colleagues(ctx, a)
		return &colleaguesOutput{list}, err
	})
	web.Register(k, op("ask-renewal", http.MethodPost, "/api/v1/me/colleagues/{id}/renewal", "say that an officer has lost his keys; a second colleague must agree"), func(ctx context.Context, in *personInput) (*renewalOutput, error) {
		a, err := signedIn(ctx, "people.AskRenewal")
		if err != nil {
			return nil, err
		}
		r, err := v.AskRenewal(ctx, a, in.ID)
		return &renewalOutput{r}, err
	})
	web.Register(k, op("agree-renewal", http.MethodPost, "/api/v1/renewals/{id}/agree", "the second colleague's word"), func(ctx context.Context, in *renewalInput) (*inviteOutput, error) {
		a, err := signedIn(ctx, "people.AgreeRenewal")
		if err != nil {
			return nil, err
		}
		i, err := v.AgreeRenewal(ctx, a, in.ID)
		if err != nil {
			return nil, err
		}
		return v.showInvite(ctx, i)
	})
	web.Register(k, op("refuse-renewal", http.MethodPost, "/api/v1/renewals/{id}/refuse", "nobody has lost anything"), func(ctx context.Context, in *renewalInput) (*struct{}, error) {
		a, err := signedIn(ctx, "people.RefuseRenewal")
		if err != nil {
			return nil, err
		}
		return nil, v.RefuseRenewal(ctx, a, in.ID)
	})
}

// rightsOf is who may invite and see names.
type rightsOf interface {
	MaySee(a Actor, g place.Group) bool
	MaySeeNames(a Actor, g place.Group) bool
	MayInvite(a Actor, g place.Group) bool
}

func (v *Service) rights() rightsOf {
	if v.Rights != nil {
		return v.Rights
	}
	return Rights{}
}

// seesNames is group id for an asker who may read the names of its people.
func (v *Service) seesNames(ctx context.Context, d *place.Directory, id place.GroupID) (Actor, place.Group, error) {
	const op = "people.Phones"
	a := Asker(ctx)
	g, ok := d.Group(id)
	switch {
	case a.Nobody():
		return a, g, fault.New(op, fault.Unknown, "fault.sign_in")
	case !ok || !v.rights().MaySee(a, g):
		return a, g, fault.New(op, fault.NotFound, "fault.not_found")
	case !v.rights().MaySeeNames(a, g):
		return a, g, fault.New(op, fault.Denied, "fault.denied")
	}
	return a, g, nil
}

func (v *Service) reinvite(ctx context.Context, d *place.Directory, in *reinviteInput) (*inviteOutput, error) {
	const op = "people.Reinvite"
	a, err := Known(ctx, op)
	if err != nil {
		return nil, err
	}
	p, err := findPerson(ctx, v.DB.Read(), op, in.ID, v.Now())
	if err != nil {
		return nil, err
	}
	g, ok := d.Group(p.Scope.Group)
	if !ok || !v.rights().MaySeeNames(a, g) {
		return nil, fault.New(op, fault.NotFound, "people.unknown")
	}
	if !v.rights().MayInvite(a, g) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	i, err := v.Reinvite(ctx, a, g, p.ID, in.Body.Lost)
	if err != nil {
		return nil, err
	}
	return v.showInvite(ctx, i)
}

func (v *Service) showInvite(ctx context.Context, i Invite) (*inviteOutput, error) {
	w, err := v.Show(ctx, i)
	return &inviteOutput{w}, err
}

// Show is i as whoever made it sees it, once.
func (v *Service) Show(ctx context.Context, i Invite) (InviteView, error) {
	base := v.Ways.Origin
	if base == "" {
		base = map[bool]string{true: "https://", false: "http://"}[v.Secure] + fromWhere(ctx).host
	}
	link := strings.TrimSuffix(base, "/") + i.Path()
	pic, err := QR(link)
	if err != nil {
		return InviteView{}, err
	}
	return InviteView{i.Person.Name, ShowCode(i.Code), link, pic, i.Expires.UTC()}, nil
}

// QR draws text as a picture that a page may show: data:image/svg+xml.
func QR(text string) (string, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("draw QR: %w", err)
	}
	const border = 4 // quiet modules, as ISO/IEC 18004 wants
	size := c.Size + 2*border
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, size, size, size, size)
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for c.Black(x+n, y) { // outside of the code nothing is
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+border, y+border, n, n)
				x += n
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(b.String())), nil
}
