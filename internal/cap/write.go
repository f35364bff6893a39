package cap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// stamp is how CAP writes a time: with a zone, never "Z".
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-07:00") }

// writer writes elements that have something in them, in the order of the schema.
type writer struct{ bytes.Buffer }

func (w *writer) text(name, s string) {
	if s == "" {
		return
	}
	w.WriteString("<" + name + ">")
	_ = xml.EscapeText(w, []byte(s)) // a buffer takes everything
	w.WriteString("</" + name + ">\n")
}

func (w *writer) time(name string, t time.Time) {
	if !t.IsZero() {
		w.text(name, stamp(t))
	}
}

func (w *writer) pair(name string, v Value) {
	w.WriteString("<" + name + ">\n")
	w.text("valueName", v.Name)
	w.text("value", v.Value)
	w.WriteString("</" + name + ">\n")
}

// spaced writes words parted by spaces, those with spaces in quotes.
func spaced(words []string) string {
	out := make([]string, 0, len(words))
	for _, s := range words {
		if s = strings.ReplaceAll(s, `"`, ""); strings.ContainsAny(s, " \t\n") {
			s = `"` + s + `"`
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// XML is a as a document of CAP 1.2. The same alert is always the same bytes.
func (a Alert) XML() []byte {
	var w writer
	w.WriteString(xml.Header + `<alert xmlns="` + Namespace + `">` + "\n")
	w.text("identifier", a.Identifier)
	w.text("sender", a.Sender)
	w.time("sent", a.Sent)
	w.text("status", a.Status)
	w.text("msgType", a.MsgType)
	w.text("source", a.Source)
	w.text("scope", a.Scope)
	w.text("restriction", a.Restriction)
	w.text("addresses", spaced(a.Addresses))
	for _, c := range a.Codes {
		w.text("code", c)
	}
	w.text("note", a.Note)
	refs := make([]string, 0, len(a.References))
	for _, r := range a.References {
		refs = append(refs, r.Sender+","+r.Identifier+","+stamp(r.Sent))
	}
	w.text("references", strings.Join(refs, " "))
	w.text("incidents", spaced(a.Incidents))
	for _, i := range a.Infos {
		w.info(i)
	}
	w.WriteString("</alert>\n")
	return w.Bytes()
}

func (w *writer) info(i Info) {
	w.WriteString("<info>\n")
	w.text("language", i.Language)
	for _, c := range i.Categories {
		w.text("category", c)
	}
	w.text("event", i.Event)
	for _, r := range i.ResponseTypes {
		w.text("responseType", r)
	}
	w.text("urgency", i.Urgency)
	w.text("severity", i.Severity)
	w.text("certainty", i.Certainty)
	w.time("effective", i.Effective)
	w.time("onset", i.Onset)
	w.time("expires", i.Expires)
	w.text("senderName", i.SenderName)
	w.text("headline", i.Headline)
	w.text("description", i.Description)
	w.text("instruction", i.Instruction)
	for _, p := range i.Parameters {
		w.pair("parameter", p)
	}
	for _, a := range i.Areas {
		w.area(a)
	}
	w.WriteString("</info>\n")
}

func (w *writer) area(a Area) {
	w.WriteString("<area>\n")
	w.text("areaDesc", a.Desc)
	for _, ring := range a.Polygons {
		spots := make([]string, 0, len(ring))
		for _, p := range ring {
			spots = append(spots, fmt.Sprintf("%.5f,%.5f", p.Lat, p.Lon))
		}
		w.text("polygon", strings.Join(spots, " "))
	}
	for _, c := range a.Circles {
		w.text("circle", fmt.Sprintf("%.4f,%.4f %.1f", c.Lat, c.Lon, c.Km))
	}
	for _, g := range a.Geocodes {
		w.pair("geocode", g)
	}
	w.WriteString("</area>\n")
}
