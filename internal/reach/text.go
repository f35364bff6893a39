package reach

import (
	"encoding/json"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/place"
)

// stage is a reason to call somebody in a case. It is part of a message's key, and
// chooses its words.
type stage string

const (
	atHome     stage = "home"     // every home of the group, by push, SMS or voice
	spread     stage = "spread"   // a second home reports it
	few        stage = "leader"   // too few are coming
	nextDoor   stage = "adjacent" // leaders of adjoining groups
	atDesk     stage = "desk"     // nobody at the desk took it
	aboveDesk  stage = "province"
	over       stage = "over" // it was closed
	probing    stage = "probe"
	noticeText stage = "notice"
)

// words are what a lock screen shows.
type words struct{ Title, Body string }

// said is what a case says at a stage: the kind of danger, and where. A hold-up
// says nothing at all.
func (v *Service) said(c Case, s stage, l say.Lang) words {
	book := say.In(l)
	if c.Silent {
		return words{book.Text("reach.open", nil), book.Text("reach.open_desk", nil)}
	}
	args := v.where(c)
	args["what"] = book.Text("danger."+string(c.Category), nil)
	switch {
	case s == over && c.Mode == Drill:
		return words{book.Text("reach.drill_over", args), book.Text("reach.drill_over_body", args)}
	case s == over:
		return words{book.Text("reach.over", args), book.Text("reach.over_body", args)}
	case c.Mode == Test:
		return words{book.Text("reach.test", args), book.Text("reach.test_body", args)}
	case c.Mode == Drill:
		return words{book.Text("reach.drill", args), book.Text("reach.drill_body", args)}
	case s == nextDoor:
		return words{book.Text("reach.adjacent", args), book.Text("reach.adjacent_body", args)}
	case s == few:
		return words{book.Text("reach.alarm", args), book.Text("reach.few_body", args)}
	case s == atDesk || s == aboveDesk:
		return words{book.Text("reach.alarm", args), book.Text("reach.desk_body", args)}
	case s == spread:
		return words{book.Text("reach.alarm", args), book.Text("reach.spread_body", args)}
	}
	return words{book.Text("reach.alarm", args), book.Text("reach.alarm_body", args)}
}

// where are the values of a sentence about the place of a case.
func (v *Service) where(c Case) map[string]any {
	args := map[string]any{"home": "", "address": "", "group": ""}
	d := v.Village()
	if g, ok := d.Group(c.Group); ok {
		args["group"] = g.Name
	}
	if len(c.Origins) == 0 {
		return args
	}
	if h, ok := d.Home(c.Origins[0].Home); ok {
		args["home"], args["address"] = h.Name, h.Address
	}
	if len(c.Origins) > 1 {
		if h, ok := d.Home(c.Origins[len(c.Origins)-1].Home); ok {
			args["second"] = h.Name
		}
	}
	if args["home"] == "" {
		args["home"] = args["group"]
	}
	if args["address"] == "" {
		args["address"] = args["group"]
	}
	return args
}

// spoken is the text of an SMS or a call: the words, and which keys to press.
func (v *Service) spoken(c Case, s stage, l say.Lang, ask bool) string {
	w := v.said(c, s, l)
	text := "KENG: " + w.Title + ". " + w.Body
	if ask && !c.Silent {
		text += " " + say.In(l).Text("reach.keys", nil)
	}
	return text
}

// Plain is s without its marks, for phones that know seven bits: "Cháy" is "Chay".
func Plain(s string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		case r == 'Đ':
			b.WriteByte('D')
		case r == '–' || r == '—':
			b.WriteByte('-')
		case r == '…':
			b.WriteString("...")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// letter is what a phone gets by push. The service worker reads it: web/src/sw.ts.
type letter struct {
	V        int      `json:"v"`
	ID       string   `json:"id"`   // the same message again has the same
	Kind     string   `json:"kind"` // alarm, drill, test, over, desk, probe, notice, chat
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Lang     say.Lang `json:"lang"`
	Tag      string   `json:"tag"` // a newer one of a tag takes the place of the older
	Path     string   `json:"path"`
	Incident string   `json:"incident,omitempty"`
	Person   string   `json:"person,omitempty"`
	Receipt  string   `json:"receipt,omitempty"` // token
	Answer   string   `json:"answer,omitempty"`  // token
	Actions  []action `json:"actions,omitempty"`
}

// action is a button of the notification.
type action struct {
	Answer string `json:"answer"`
	Label  string `json:"label"`
}

func actions(l say.Lang) []action {
	book := say.In(l)
	return []action{{"coming", book.Text("reach.coming", nil)}, {"safe", book.Text("reach.safe", nil)}, {"need_help", book.Text("reach.need_help", nil)}}
}

func (l letter) text() string {
	b, err := json.Marshal(l)
	if err != nil { // strings always can be
		return ""
	}
	return string(b)
}

// kindOf is the kind of a letter about c.
func kindOf(c Case, s stage) string {
	switch {
	case s == over:
		return "over"
	case c.Silent, s == atDesk, s == aboveDesk:
		return "desk"
	case c.Mode != Live:
		return string(c.Mode)
	}
	return "alarm"
}

// pathOf is where a tap on the notification leads.
func pathOf(officer bool) string {
	if officer {
		return "/console"
	}
	return "/"
}

// unitAbove is the province of a group.
func unitAbove(g place.Group) place.UnitCode { return place.ParentOf(g.Commune) }
