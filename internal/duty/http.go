package duty

import (
	"context"
	"net/http"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

type leaveInput struct {
	Body struct {
		Text string `json:"text"`
	}
}

type noteOutput struct{ Body Handover }

type notesOutput struct{ Body []Handover }

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	web.Register(k, web.Op{ID: "list-handovers", Method: http.MethodGet, Path: "/api/v1/handovers", Tag: "duty", Summary: "handover notes of the asker's unit, newest first"},
		func(ctx context.Context, _ *struct{}) (*notesOutput, error) {
			a, err := asker(ctx)
			if err != nil {
				return nil, err
			}
			notes, err := v.Read(ctx, a)
			return &notesOutput{notes}, err
		})
	web.Register(k, web.Op{ID: "leave-handover", Method: http.MethodPost, Path: "/api/v1/handovers", Tag: "duty", Summary: "leave a note for the next shift", Status: http.StatusCreated},
		func(ctx context.Context, in *leaveInput) (*noteOutput, error) {
			a, err := asker(ctx)
			if err != nil {
				return nil, err
			}
			h, err := v.Leave(ctx, a, web.OutboxKey(ctx), in.Body.Text)
			return &noteOutput{h}, err
		})
}

func asker(ctx context.Context) (people.Actor, error) {
	a := people.Asker(ctx)
	if a.Nobody() {
		return a, fault.New("duty", fault.Unknown, "fault.sign_in")
	}
	return a, nil
}
