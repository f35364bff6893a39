package chat

import (
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// MessageView is a message as screens and programs see it.
type MessageView struct {
	ID       ID           `json:"id"`
	Rev      int64        `json:"rev" doc:"of its newest change; a larger one replaces a smaller one"`
	Kind     Kind         `json:"kind" enum:"text,photo,voice,announce,notice,warning"`
	At       time.Time    `json:"at"`
	By       string       `json:"by"`
	Person   people.ID    `json:"person"`
	Role     people.Role  `json:"role"`
	Home     place.HomeID `json:"home"`
	Incident string       `json:"incident" doc:"the incident it belongs to, or empty"`
	Title    string       `json:"title"`
	Text     string       `json:"text"`
	Level    string       `json:"level" doc:"of a warning: extreme, severe, moderate, minor or unknown"`
	Expires  *time.Time   `json:"expires_at"`
	File     *FileView    `json:"file"`
	Removed  Removed      `json:"removed" enum:",author,leader,desk" doc:"who took it away; then nothing is left of it"`
	Seen     int          `json:"seen" doc:"how many have seen it; for the leader, 0 for others"`
	Of       int          `json:"of" doc:"how many live in the group"`
	Mine     bool         `json:"seen_by_me"`
}

// FileView is the picture or voice note of a message.
type FileView struct {
	URL     string `json:"url"`
	Media   string `json:"media"`
	Size    int64  `json:"size"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Seconds int    `json:"seconds"`
}

// PageView is a part of a thread.
type PageView struct {
	Rev      int64         `json:"rev" doc:"ask for what came after it next time"`
	More     bool          `json:"more" doc:"there is more to ask for at once"`
	From     time.Time     `json:"from" doc:"messages before this time are gone"`
	Messages []MessageView `json:"messages"`
}

// NoticeView is a notice or a warning and how far it reached.
type NoticeView struct {
	ID        NoticeID   `json:"id"`
	Kind      Kind       `json:"kind" enum:"notice,warning"`
	At        time.Time  `json:"at"`
	By        string     `json:"by"`
	Title     string     `json:"title"`
	Text      string     `json:"text"`
	Level     string     `json:"level"`
	Expires   time.Time  `json:"expires_at"`
	Withdrawn *time.Time `json:"withdrawn_at"`
	Groups    int        `json:"groups"`
	People    int        `json:"people"`
	Seen      int        `json:"seen"`
}

type readInput struct {
	Group    string `path:"group" maxLength:"64"`
	Incident string `query:"incident" maxLength:"40" doc:"only the thread of this incident"`
	After    int64  `query:"after" default:"-1" doc:"changes after this rev; below 0: the newest messages"`
	Before   string `query:"before" maxLength:"40" doc:"older messages than this one"`
	Limit    int    `query:"limit" minimum:"1" maximum:"200" default:"100"`
}

type pageOutput struct{ Body PageView }

type messageOutput struct {
	Status int
	Body   MessageView
}

type postInput struct {
	Group string `path:"group" maxLength:"64"`
	Body  struct {
		Text     string `json:"text"`
		Incident string `json:"incident,omitempty" maxLength:"40"`
		Announce bool   `json:"announce,omitempty" doc:"the leader's announcement to the group"`
	}
}

type takeInput struct {
	Group   string `path:"group" maxLength:"64"`
	Message string `path:"message" maxLength:"40"`
}

type sawInput struct {
	Group string `path:"group" maxLength:"64"`
	Body  struct {
		Messages []string `json:"messages" maxItems:"200"`
	}
}

type noticesOutput struct{ Body []NoticeView }

type noticeOutput struct {
	Status int
	Body   NoticeView
}

type notifyInput struct {
	Body struct {
		Groups  []string  `json:"groups,omitempty" maxItems:"5000" doc:"empty: all of the unit"`
		Title   string    `json:"title"`
		Text    string    `json:"text,omitempty"`
		Expires time.Time `json:"expires_at,omitempty" doc:"default and at most 90 days"`
	}
}

type withdrawInput struct {
	ID string `path:"id" maxLength:"64"`
}

type nothing struct{}

// Routes adds the slice's operations to k.
func (v *Service) Routes(k *web.Kit) {
	web.Register(k, web.Op{ID: "read-chat", Method: http.MethodGet, Path: "/api/v1/chat/{group}", Tag: "chat", Summary: "the group's thread, or that of an incident"},
		func(ctx context.Context, in *readInput) (*pageOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			p, err := v.Read(ctx, a, Ask{Group: place.GroupID(in.Group), Incident: in.Incident, After: in.After, Before: ID(in.Before), Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			return &pageOutput{v.pageView(p)}, nil
		})
	web.Register(k, web.Op{ID: "post-chat", Method: http.MethodPost, Path: "/api/v1/chat/{group}", Tag: "chat", Summary: "say something in the group, or announce it", Status: http.StatusCreated},
		func(ctx context.Context, in *postInput) (*messageOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			m, err := v.Post(ctx, a, web.OutboxKey(ctx), place.GroupID(in.Group), Draft{Incident: in.Body.Incident, Text: in.Body.Text, Announce: in.Body.Announce})
			return v.answer(m, err)
		})
	k.Raw(web.Op{ID: "post-chat-file", Method: http.MethodPost, Path: "/api/v1/chat/{group}/files", Tag: "chat", Summary: "say a picture (JPEG, PNG) or a voice note (WebM, MP4): the body is the file; ?kind=photo|voice&incident=", Body: photoBytes, Within: fileWithin}, "application/json", v.serveUpload)
	k.Raw(web.Op{ID: "get-chat-file", Method: http.MethodGet, Path: "/api/v1/chat/{group}/files/{message}", Tag: "chat", Summary: "the picture or voice note of a message"}, "application/octet-stream", v.serveFile)
	web.Register(k, web.Op{ID: "take-chat", Method: http.MethodPost, Path: "/api/v1/chat/{group}/messages/{message}/take", Tag: "chat", Summary: "take a message away for good: its author, or the leader"},
		func(ctx context.Context, in *takeInput) (*messageOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			m, err := v.Take(ctx, a, place.GroupID(in.Group), ID(in.Message))
			out, err := v.answer(m, err)
			if err == nil {
				out.Status = http.StatusOK
			}
			return out, err
		})
	web.Register(k, web.Op{ID: "see-chat", Method: http.MethodPost, Path: "/api/v1/chat/{group}/seen", Tag: "chat", Summary: "I have seen these announcements"},
		func(ctx context.Context, in *sawInput) (*nothing, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			ids := make([]ID, 0, len(in.Body.Messages))
			for _, m := range in.Body.Messages {
				ids = append(ids, ID(m))
			}
			return nil, v.Saw(ctx, a, place.GroupID(in.Group), ids)
		})
	v.noticeRoutes(k)
}

func (v *Service) noticeRoutes(k *web.Kit) {
	web.Register(k, web.Op{ID: "list-notices", Method: http.MethodGet, Path: "/api/v1/notices", Tag: "chat", Summary: "notices of the asker's unit and warnings for it, with counts of reach"},
		func(ctx context.Context, _ *struct{}) (*noticesOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			list, err := v.Notices(ctx, a)
			if err != nil {
				return nil, err
			}
			out := &noticesOutput{Body: []NoticeView{}}
			for _, p := range list {
				out.Body = append(out.Body, noticeView(p))
			}
			return out, nil
		})
	web.Register(k, web.Op{ID: "post-notice", Method: http.MethodPost, Path: "/api/v1/notices", Tag: "chat", Summary: "a notice of the duty desk to groups that it chooses", Status: http.StatusCreated},
		func(ctx context.Context, in *notifyInput) (*noticeOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			groups := make([]place.GroupID, 0, len(in.Body.Groups))
			for _, g := range in.Body.Groups {
				groups = append(groups, place.GroupID(g))
			}
			p, err := v.Notify(ctx, a, web.OutboxKey(ctx), groups, in.Body.Title, in.Body.Text, in.Body.Expires)
			return &noticeOutput{http.StatusCreated, noticeView(p)}, err
		})
	web.Register(k, web.Op{ID: "withdraw-notice", Method: http.MethodPost, Path: "/api/v1/notices/{id}/withdraw", Tag: "chat", Summary: "take a notice away from every group"},
		func(ctx context.Context, in *withdrawInput) (*noticeOutput, error) {
			a, err := people.Known(ctx, "chat")
			if err != nil {
				return nil, err
			}
			p, err := v.Withdraw(ctx, a, NoticeID(in.ID))
			return &noticeOutput{http.StatusOK, noticeView(p)}, err
		})
}

func (v *Service) answer(m Message, err error) (*messageOutput, error) {
	if err != nil {
		return nil, err
	}
	g, _ := v.Village().Group(m.Group)
	return &messageOutput{http.StatusCreated, v.view(m, Page{Group: g})}, nil
}

func (v *Service) pageView(p Page) PageView {
	out := PageView{Rev: p.Rev, More: p.More, From: p.From, Messages: []MessageView{}}
	for _, m := range p.Messages {
		out.Messages = append(out.Messages, v.view(m, p))
	}
	return out
}

func (v *Service) view(m Message, p Page) MessageView {
	w := MessageView{
		ID: m.ID, Rev: m.Rev, Kind: m.Kind, At: m.At, By: m.Token, Person: m.Person, Role: m.Role, Home: m.Home, Incident: m.Incident,
		Title: m.Title, Text: m.Body, Level: m.Level, Removed: m.Removed, Mine: m.Mine,
	}
	if m.Person != "" {
		w.By = v.Folk.Name(m.Person)
	}
	if !m.Expires.IsZero() {
		w.Expires = &m.Expires
	}
	if p.Leads && m.Kind.counted() {
		w.Seen, w.Of = m.Seen, len(v.Folk.Group(m.Group))
	}
	if f := m.File; f.Blob != "" {
		w.File = &FileView{"/api/v1/chat/" + string(m.Group) + "/files/" + string(m.ID), f.Media, f.Size, f.Width, f.Height, f.Seconds}
	}
	return w
}

func noticeView(p Published) NoticeView {
	w := NoticeView{ID: p.ID, Kind: p.Kind, At: p.At, By: p.By, Title: p.Title, Text: p.Text, Level: p.Level, Expires: p.Expires, Groups: p.Groups, People: p.People, Seen: p.Seen}
	if !p.Withdrawn.IsZero() {
		w.Withdrawn = &p.Withdrawn
	}
	return w
}

// fileWithin is how long a slow telephone may take to send a file.
const fileWithin = 2 * time.Minute

func (v *Service) serveUpload(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "chat")
	if err != nil {
		return err
	}
	kind := Kind(r.URL.Query().Get("kind"))
	if kind != Photo && kind != Voice {
		return fault.New("chat.PostFile", fault.Invalid, "fault.invalid")
	}
	m, err := v.PostFile(r.Context(), a, web.OutboxKey(r.Context()), place.GroupID(r.PathValue("group")), kind, r.URL.Query().Get("incident"), r.Body)
	if err != nil {
		return err
	}
	out, err := v.answer(m, nil)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusCreated, out.Body)
}

// serveFile sends what was cleaned before, so that nothing in it can act: it is no
// page, and it is kept nowhere.
func (v *Service) serveFile(w http.ResponseWriter, r *http.Request) error {
	a, err := people.Known(r.Context(), "chat")
	if err != nil {
		return err
	}
	m, f, err := v.Open(r.Context(), a, place.GroupID(r.PathValue("group")), ID(r.PathValue("message")))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only
	h := w.Header()
	h.Set("Content-Type", m.File.Media)
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, f)
	return nil
}
