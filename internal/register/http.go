package register

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

// ImportView is what an import did, or would do.
type ImportView struct {
	ID      string      `json:"id" doc:"of the import; empty for a check and when nothing changed"`
	Checked bool        `json:"checked"`
	Refused bool        `json:"refused" doc:"something is wrong; nothing was taken"`
	Wrong   []WrongView `json:"wrong"`
	Ignored []string    `json:"ignored" doc:"headings that are not known"`
	Groups  Tally       `json:"groups"`
	Homes   Tally       `json:"homes"`
	People  Tally       `json:"people"`
}

// WrongView is one thing in a list that is wrong, in the asker's language.
type WrongView struct {
	Row    int    `json:"row" doc:"as the spreadsheet counts; 0 for the whole file"`
	Column string `json:"column"`
	Text   string `json:"text"`
}

type importsOutput struct{ Body []Past }

type undoInput struct {
	ID string `path:"id" maxLength:"64"`
}

// UndoneView is what an undo left as it is.
type UndoneView struct {
	Kept []Kept `json:"kept" doc:"touched since; these stay"`
}

type undoneOutput struct{ Body UndoneView }

// XLSX is the media type of a spreadsheet.
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	k.Raw(web.Op{ID: "import-register", Method: http.MethodPost, Path: "/api/v1/register/imports", Tag: "register", Summary: "take a list of households (XLSX, the body) into the asker's unit; ?check=true only says what would change; ?file= is its name", Body: Largest, Within: time.Minute}, "application/json",
		func(w http.ResponseWriter, r *http.Request) error {
			a := people.Asker(r.Context())
			if a.Nobody() {
				return fault.New("register.Import", fault.Unknown, "fault.sign_in")
			}
			q := r.URL.Query()
			rep, err := v.Import(r.Context(), a, a.Scope.Unit, q.Get("file"), r.Body, q.Get("check") == "true")
			if err != nil && !rep.Bad() {
				return err
			}
			return web.JSON(w, http.StatusOK, rep.view(web.LangOf(r.Context())))
		})
	web.Register(k, web.Op{ID: "list-imports", Method: http.MethodGet, Path: "/api/v1/register/imports", Tag: "register", Summary: "imports of the asker's unit, newest first"},
		func(ctx context.Context, _ *struct{}) (*importsOutput, error) {
			a, err := people.Known(ctx, "register")
			if err != nil {
				return nil, err
			}
			all, err := v.Imports(ctx, a, a.Scope.Unit)
			return &importsOutput{all}, err
		})
	web.Register(k, web.Op{ID: "undo-import", Method: http.MethodPost, Path: "/api/v1/register/imports/{id}/undo", Tag: "register", Summary: "take an import back"},
		func(ctx context.Context, in *undoInput) (*undoneOutput, error) {
			a, err := people.Known(ctx, "register")
			if err != nil {
				return nil, err
			}
			kept, err := v.Undo(ctx, a, in.ID)
			return &undoneOutput{UndoneView{kept}}, err
		})
	k.Raw(web.Op{ID: "export-register", Method: http.MethodPost, Path: "/api/v1/register/exports", Tag: "register", Summary: "the list of households of the asker's unit, XLSX; the log says who took it"}, XLSX,
		func(w http.ResponseWriter, r *http.Request) error {
			a, err := people.Known(r.Context(), "register")
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := v.Export(r.Context(), a, a.Scope.Unit, &b); err != nil {
				return err
			}
			w.Header().Set("Content-Type", XLSX)
			w.Header().Set("Content-Disposition", `attachment; filename="danh-sach-ho.xlsx"`)
			_, _ = w.Write(b.Bytes()) // the client has gone: nobody to tell
			return nil
		})
}

// Text is w in a language.
func (w Wrong) Text(l say.Lang) string { return say.In(l).Text(w.Key, w.Args) }

func (r Report) view(l say.Lang) ImportView {
	w := ImportView{ID: r.ID, Checked: r.Checked, Refused: r.Bad(), Wrong: []WrongView{}, Ignored: r.Ignored, Groups: r.Groups, Homes: r.Homes, People: r.People}
	for _, x := range r.Wrong[:min(len(r.Wrong), 200)] {
		w.Wrong = append(w.Wrong, WrongView{x.Row, x.Column, x.Text(l)})
	}
	return w
}
