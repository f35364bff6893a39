package cap

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

// Media is the content type of a CAP message.
const Media = "application/cap+xml"

// Routes adds the slice's routes to k.
func (v *Service) Routes(k *web.Kit) {
	k.Raw(web.Op{ID: "cap-feed", Method: http.MethodGet, Path: "/api/v1/cap/feed", Tag: "cap", Summary: "the life of incidents as an Atom feed of CAP 1.2; ?hours=1..168, default 24"}, "application/atom+xml", v.serveFeed)
	k.Raw(web.Op{ID: "cap-message", Method: http.MethodGet, Path: "/api/v1/cap/alerts/{identifier}", Tag: "cap", Summary: "one message, CAP 1.2"}, Media, v.serveMessage)
	k.Raw(web.Op{ID: "cap-take", Method: http.MethodPost, Path: "/api/v1/cap/alerts", Tag: "cap", Summary: "a warning, CAP 1.2: it becomes a notice to the groups of its area", Body: Largest, Within: time.Minute}, "application/json", v.serveTake)
}

func (v *Service) serveTake(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "cap")
	if err != nil {
		return err
	}
	t, err := v.Take(r.Context(), a, r.Body)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, t)
}

func (v *Service) serveMessage(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "cap")
	if err != nil {
		return err
	}
	m, err := v.Message(r.Context(), a, r.PathValue("identifier"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", Media)
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(m.XML()) // the client has gone: nobody to tell
	return nil
}

// newestFirst sorts messages by time, later ones of an incident first.
func newestFirst(list []Alert) []Alert {
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b Alert) int { return b.Sent.Compare(a.Sent) })
	return list
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Entries []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID       string       `xml:"id"`
	Title    string       `xml:"title"`
	Updated  string       `xml:"updated"`
	Category atomCategory `xml:"category"`
	Link     atomLink     `xml:"link"`
	Summary  string       `xml:"summary"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

func (v *Service) serveFeed(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "cap")
	if err != nil {
		return err
	}
	hours := 24
	if s := r.URL.Query().Get("hours"); s != "" {
		if hours, err = strconv.Atoi(s); err != nil || hours < 1 || hours > 168 {
			return fault.New("cap.Feed", fault.Invalid, "fault.invalid")
		}
	}
	list, err := v.Feed(r.Context(), a, v.Now().Add(-time.Duration(hours)*time.Hour))
	if err != nil {
		return err
	}
	f := atomFeed{ID: "urn:keng:cap", Title: "Kẻng", Updated: time.Unix(0, 0).UTC().Format(time.RFC3339), Author: "Kẻng"}
	for k, m := range list {
		at := m.Sent.Format(time.RFC3339)
		if k == 0 {
			f.Updated = at
		}
		f.Entries = append(f.Entries, atomEntry{
			ID: "urn:keng:cap:" + m.Identifier, Title: m.Infos[0].Headline, Updated: at, Category: atomCategory{m.Status + "/" + m.MsgType},
			Link: atomLink{"alternate", Media, "/api/v1/cap/alerts/" + m.Identifier}, Summary: m.Infos[0].Description,
		})
	}
	text, err := xml.Marshal(f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/atom+xml")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, _ = w.Write(append([]byte(xml.Header), text...)) // the client has gone: nobody to tell
	return nil
}
