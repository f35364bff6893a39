package people

import (
	"html/template"
	"io/fs"
	"net/http"
)

// Face draws pages that work without a script in the look of the page of welcome,
// for packages that add some. A page's template begins with {{template "head" .}},
// ends with {{template "foot" .}}, says {{.T "key"}}, and finds what it was given
// in .Body.
type Face struct {
	v    *Service
	look *template.Template
}

// Face takes the templates page/*.html of files.
func (v *Service) Face(files fs.FS) (*Face, error) {
	look, err := template.ParseFS(pageFiles, "page/head.html")
	if err != nil {
		return nil, err
	}
	look, err = look.ParseFS(files, "page/*.html")
	return &Face{v, look}, err
}

// Show answers with page name. wrong is a key about what was typed in, "" when
// all is well.
func (f *Face) Show(w http.ResponseWriter, r *http.Request, status int, name, title, wrong string, args map[string]any, body any) error {
	v := (&pages{v: f.v}).view(r, title)
	if wrong != "" {
		v.Wrong = v.Say(wrong, args)
	}
	v.Body = body
	return show(w, status, f.look, name, v)
}

// Switched follows a page's language link; see [Face.Show].
func (f *Face) Switched(w http.ResponseWriter, r *http.Request) bool { return switched(w, r) }
