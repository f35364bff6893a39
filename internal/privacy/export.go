package privacy

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"html/template"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
)

// mostExported bounds the entries of the log in an export.
const mostExported = 10_000

// Exported is everything that is held about a person.
type Exported struct {
	Person   people.ID        `json:"person"`
	Name     string           `json:"name"`
	Made     time.Time        `json:"made"`
	Sections []people.Section `json:"sections"`
}

// Export gathers what every slice holds about the asker, and logs that it did.
func (v *Service) Export(ctx context.Context, a people.Actor) (Exported, error) {
	const op = "privacy.Export"
	if a.Person == "" {
		return Exported{}, fault.New(op, fault.Denied, "mydata.persons_only")
	}
	e := Exported{Person: a.Person, Name: a.Name, Made: v.Now(), Sections: []people.Section{}}
	for _, h := range v.Holders {
		list, err := h.Holds(ctx, a.Person)
		if err != nil {
			return e, fault.Wrap(op, err)
		}
		e.Sections = append(e.Sections, list...)
	}
	own, err := v.Holds(ctx, a.Person)
	if err != nil {
		return e, fault.Wrap(op, err)
	}
	e.Sections = append(e.Sections, own...)
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := v.Record.Append(ctx, tx, audit.Act{Name: "privacy.export", Area: string(v.unitOf(a)), By: string(a.Person), On: "person/" + string(a.Person), Of: []string{string(a.Person)}})
		return err
	})
	if err != nil {
		return e, fault.Wrap(op, err)
	}
	return e, nil
}

// Holds says what this slice holds about a person: requests, and the entries of
// the log about him.
func (v *Service) Holds(ctx context.Context, person people.ID) ([]people.Section, error) {
	list, err := readRequests(ctx, v.DB.Read(), `person = $1 ORDER BY made_ms`, person)
	if err != nil {
		return nil, err
	}
	requests := people.Section{Title: "held.requests", Rows: [][]people.Detail{}}
	for _, r := range list {
		requests.Rows = append(requests.Rows, []people.Detail{
			people.At("held.at", store.Millis(r.Made)),
			{Label: "held.kind", Value: string(r.Kind)},
			{Label: "held.text", Value: r.Text},
			{Label: "held.outcome", Value: string(r.Outcome)},
			{Label: "held.answer", Value: r.Answer},
		})
	}
	entries, err := v.Entries.Of(ctx, string(person), 0, mostExported)
	if err != nil {
		return nil, err
	}
	acts := people.Section{Title: "held.acts", Rows: [][]people.Detail{}}
	for _, e := range entries {
		acts.Rows = append(acts.Rows, []people.Detail{
			people.At("held.at", e.At.UnixMilli()),
			{Label: "held.act", Value: e.Name},
			{Label: "held.by", Value: v.Name(e.By)},
			{Label: "held.on", Value: e.On},
			{Label: "held.n", Value: fmt.Sprint(e.N)},
		})
	}
	return []people.Section{requests, acts}, nil
}

// Name is what somebody who acted is called; his id when that is all that is known.
func (v *Service) Name(by string) string {
	if p, ok := v.Folk.Person(people.ID(by)); ok {
		return p.Name
	}
	return by
}

// JSON is e for programs.
func (e Exported) JSON() ([]byte, error) { return json.MarshalIndent(e, "", "  ") }

var page = template.Must(template.New("export").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{{.Title}}</title>
<style>body{font:18px/1.5 sans-serif;max-width:46rem;margin:1rem auto;padding:0 1rem;color:#1d1b16;background:#fff}h1{font-size:1.5rem}h2{font-size:1.2rem;border-bottom:2px solid #8f150e;margin-top:2rem}dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.2rem 1rem;border-top:1px solid #ccc;padding:.5rem 0;margin:0}dt{color:#555}dd{margin:0;overflow-wrap:anywhere}</style></head>
<body><h1>{{.Title}}</h1><p>{{.Name}}, {{.Made}}</p>
{{range .Sections}}<h2>{{.Title}}</h2>
{{range .Rows}}<dl>{{range .}}<dt>{{.Label}}</dt><dd>{{.Value}}</dd>{{end}}</dl>
{{else}}<p>{{$.Nothing}}</p>
{{end}}{{end}}</body></html>
`))

// HTML is e for people, in their language: one file that opens anywhere.
func (e Exported) HTML(book say.Book, lang say.Lang) ([]byte, error) {
	text := func(key string) string {
		if book.Has(key) {
			return book.Text(key, nil)
		}
		return key
	}
	sections := make([]people.Section, len(e.Sections))
	for i, s := range e.Sections {
		sections[i].Title = text(s.Title)
		for _, row := range s.Rows {
			var shown []people.Detail
			for _, d := range row {
				if d.Value != "" {
					shown = append(shown, people.Detail{Label: text(d.Label), Value: local(d.Value)})
				}
			}
			sections[i].Rows = append(sections[i].Rows, shown)
		}
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{
		"Lang": lang, "Title": text("held.title"), "Nothing": text("held.nothing"), "Name": e.Name,
		"Made": local(e.Made.Format(time.RFC3339)), "Sections": sections,
	})
	return b.Bytes(), err
}

// local shows a time as people in the country read it; other values as they are.
func local(value string) string {
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	return t.In(hanoi()).Format("15:04 02/01/2006")
}
