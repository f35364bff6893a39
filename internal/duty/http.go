package duty

import (
	"context"
	"net/http"
	"time"

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
	v.shiftRoutes(k)
	web.Register(k, web.Op{ID: "list-handovers", Method: http.MethodGet, Path: "/api/v1/handovers", Tag: "duty", Summary: "handover notes of the asker's unit, newest first"},
		func(ctx context.Context, _ *struct{}) (*notesOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			notes, err := v.Read(ctx, a)
			return &notesOutput{notes}, err
		})
	web.Register(k, web.Op{ID: "leave-handover", Method: http.MethodPost, Path: "/api/v1/handovers", Tag: "duty", Summary: "leave a note for the next shift", Status: http.StatusCreated},
		func(ctx context.Context, in *leaveInput) (*noteOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			h, err := v.Leave(ctx, a, web.OutboxKey(ctx), in.Body.Text)
			return &noteOutput{h}, err
		})
}

// ShiftView is one shift of the rota.
type ShiftView struct {
	ID     string     `json:"id"`
	Person people.ID  `json:"person"`
	Name   string     `json:"name"`
	From   time.Time  `json:"from"`
	Until  time.Time  `json:"until"`
	Taken  *time.Time `json:"taken" doc:"none until he is on"`
}

// RotaView is the rota of a desk, and what its reader owes before he may hand over.
type RotaView struct {
	Shifts    []ShiftView `json:"shifts"`
	Incidents int         `json:"incidents" doc:"open and not acknowledged by the desk"`
	Unread    []string    `json:"unread" doc:"handover notes that the asker has not read"`
}

type rotaOutput struct{ Body RotaView }

type shiftOutput struct{ Body ShiftView }

type planInput struct {
	Body struct {
		Person string    `json:"person" maxLength:"40"`
		From   time.Time `json:"from"`
		Until  time.Time `json:"until"`
	}
}

type shiftInput struct {
	ID   string    `path:"id" maxLength:"40"`
	Body *struct{} `required:"false"`
}

type emptyInput struct {
	Body *struct{} `required:"false"`
}

type doneOutput struct{}

// shiftRoutes adds the rota: who is on when, taking and handing over a shift.
func (v *Service) shiftRoutes(k *web.Kit) {
	web.Register(k, web.Op{ID: "get-rota", Method: http.MethodGet, Path: "/api/v1/shifts", Tag: "duty", Summary: "the desk's shifts, and what the asker owes before he may hand over"},
		func(ctx context.Context, _ *struct{}) (*rotaOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			all, err := v.Rota(ctx, a)
			if err != nil {
				return nil, err
			}
			owed, err := v.Owed(ctx, a)
			out := &rotaOutput{RotaView{Shifts: []ShiftView{}, Incidents: owed.Incidents, Unread: owed.Notes}}
			for _, s := range all {
				out.Body.Shifts = append(out.Body.Shifts, v.shown(s))
			}
			return out, err
		})
	web.Register(k, web.Op{ID: "plan-shift", Method: http.MethodPost, Path: "/api/v1/shifts", Tag: "duty", Summary: "put an officer into the rota", Status: http.StatusCreated},
		func(ctx context.Context, in *planInput) (*shiftOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			s, err := v.Plan(ctx, a, people.ID(in.Body.Person), in.Body.From, in.Body.Until)
			return &shiftOutput{v.shown(s)}, err
		})
	web.Register(k, web.Op{ID: "drop-shift", Method: http.MethodPost, Path: "/api/v1/shifts/{id}/drop", Tag: "duty", Summary: "take a planned shift out of the rota"},
		func(ctx context.Context, in *shiftInput) (*doneOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			return &doneOutput{}, v.Drop(ctx, a, in.ID)
		})
	web.Register(k, web.Op{ID: "take-shift", Method: http.MethodPost, Path: "/api/v1/shifts/take", Tag: "duty", Summary: "I am on"},
		func(ctx context.Context, _ *emptyInput) (*shiftOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			s, err := v.Take(ctx, a)
			return &shiftOutput{v.shown(s)}, err
		})
	web.Register(k, web.Op{ID: "hand-over-shift", Method: http.MethodPost, Path: "/api/v1/shifts/hand-over", Tag: "duty", Summary: "end my shift with a note; refused while something is unread or not acknowledged", Status: http.StatusCreated},
		func(ctx context.Context, in *leaveInput) (*noteOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			h, err := v.HandOver(ctx, a, web.OutboxKey(ctx), in.Body.Text)
			return &noteOutput{h}, err
		})
	web.Register(k, web.Op{ID: "read-handover", Method: http.MethodPost, Path: "/api/v1/handovers/{id}/read", Tag: "duty", Summary: "I have read this note"},
		func(ctx context.Context, in *shiftInput) (*doneOutput, error) {
			a, err := people.Known(ctx, "duty")
			if err != nil {
				return nil, err
			}
			return &doneOutput{}, v.Seen(ctx, a, in.ID)
		})
}

func (v *Service) shown(s Shift) ShiftView {
	p, _ := v.Folk.Person(s.Person)
	x := ShiftView{ID: s.ID, Person: s.Person, Name: p.Name, From: s.From, Until: s.Until}
	if !s.Taken.IsZero() {
		x.Taken = &s.Taken
	}
	return x
}
