package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/cap"
)

var (
	chats   = all(signIn, unknown, yes, yes, denied, unknown, denied, denied)   // g1's own channel
	notices = all(signIn, denied, denied, denied, yes, unknown, denied, denied) // the other ward has no group
	noSuch  = all(signIn, unknown, unknown, unknown, unknown, unknown, unknown, unknown)
)

// chatRules are those of the groups' channel.
var chatRules = map[string]rule{
	"GET /api/v1/chat/{group}":                          {chats, "", false},
	"POST /api/v1/chat/{group}":                         {chats, `{"text":"x"}`, false},
	"POST /api/v1/chat/{group}/files":                   {chats, tinyPicture, false},
	"GET /api/v1/chat/{group}/files/{message}":          {chats, "", false},
	"POST /api/v1/chat/{group}/messages/{message}/take": {chats, "", false},
	"POST /api/v1/chat/{group}/seen":                    {chats, `{"messages":["x"]}`, false},
	"GET /api/v1/notices":                               {all(signIn, denied, denied, denied, yes, yes, yes, denied), "", false},
	"POST /api/v1/notices":                              {notices, `{"title":"x"}`, false},
	"GET /api/v1/cap/feed":                              {all(signIn, denied, denied, denied, yes, yes, yes, denied), "", false},
	"GET /api/v1/cap/alerts/{identifier}":               {all(signIn, unknown, denied, denied, yes, unknown, yes, denied), "", false},
	"POST /api/v1/cap/alerts":                           {all(signIn, denied, denied, denied, yes, denied, denied, denied), flashFlood(time.Now()), false},
	"POST /api/v1/notices/{id}/withdraw":                {noSuch, "", false},
}

// flashFlood is a warning for the ward 04792, in CAP 1.2.
func flashFlood(sent time.Time) string {
	return `<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>LU-1</identifier><sender>pctt</sender><sent>` +
		sent.UTC().Format("2006-01-02T15:04:05-07:00") + `</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>vi-VN</language><category>Met</category><event>Lũ quét</event>` +
		`<urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty><headline>Lũ quét ở ven suối</headline><area><areaDesc>Tân Hoà</areaDesc><geocode><valueName>DVHC</valueName><value>04792</value></geocode></area></info></alert>`
}

// tinyPicture is a PNG of one pixel.
const tinyPicture = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\fIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"

// sayPicture sends a picture to g1's channel as a resident.
func sayPicture(t *testing.T, a *App, secret string) string {
	t.Helper()
	status, body, _ := ask(t, a.Kit.Handler(), secret, http.MethodPost, "/api/v1/chat/{group}/files", "", tinyPicture)
	var m struct{ ID string }
	if err := json.Unmarshal([]byte(body), &m); err != nil || status != http.StatusCreated {
		t.Fatalf("say: %d %s", status, body)
	}
	return m.ID
}

// A ward's alarm goes out as CAP to a program of its desk, and a hold-up does not;
// a warning comes in and stands in every group's channel.
func TestCAPInAndOut(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	id := raise(t, a, who["resident"])
	status, body, _ := ask(t, h, who["resident"], http.MethodPost, "/api/v1/incidents", "", `{"category":"holdup"}`)
	var quiet struct{ ID string }
	if err := json.Unmarshal([]byte(body), &quiet); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	_, feed, _ := ask(t, h, who["desk"], http.MethodGet, "/api/v1/cap/feed", "", "")
	if !strings.Contains(feed, "/api/v1/cap/alerts/"+id+".1") || strings.Contains(feed, quiet.ID) {
		t.Errorf("feed %s", feed)
	}
	if _, body, _ := ask(t, h, who["desk"], http.MethodGet, "/api/v1/cap/alerts/"+quiet.ID+".1", "", ""); strings.Contains(body, "<alert") {
		t.Errorf("a hold-up goes out: %s", body)
	}
	calm(t, a)
	_, text, _ := ask(t, h, who["desk"], http.MethodGet, "/api/v1/cap/alerts/"+id+".2", "", "")
	m, err := cap.Read(strings.NewReader(text))
	if err != nil || m.MsgType != "Cancel" || m.Status != "Actual" || m.Infos[0].Event != "Cháy" || len(m.References) != 1 {
		t.Errorf("%v: %s", err, text)
	}
	keepsQuiet(t, "other resident", text)

	for range 2 {
		if status, body, _ := ask(t, h, who["desk"], http.MethodPost, "/api/v1/cap/alerts", "", flashFlood(time.Now())); status != http.StatusOK || !strings.Contains(body, `"shown":true`) {
			t.Fatalf("%d %s", status, body)
		}
	}
	_, chat, _ := ask(t, h, who["resident"], http.MethodGet, "/api/v1/chat/g1", "", "")
	if strings.Count(chat, "Lũ quét ở ven suối") < 1 || !strings.Contains(chat, `"kind":"warning"`) || !strings.Contains(chat, `"level":"severe"`) {
		t.Errorf("the group reads %s", chat)
	}
	_, list, _ := ask(t, h, who["desk"], http.MethodGet, "/api/v1/notices", "", "")
	if !strings.Contains(list, `"kind":"warning"`) {
		t.Errorf("the desk reads %s", list)
	}
}

// The desk reads along while the alarm rings, once for each of the group's people
// in the log of who saw what, and no more when it is closed.
func TestDeskThatReadsAlongIsInTheLog(t *testing.T) {
	a, who := street(t)
	h := a.Kit.Handler()
	id := raise(t, a, who["resident"])
	if status, body, _ := ask(t, h, who["resident"], http.MethodPost, "/api/v1/chat/{group}", "", `{"text":"Cổng sau khoá"}`); status != http.StatusCreated || !strings.Contains(body, id) {
		t.Fatalf("%d %s", status, body)
	}
	read := func() (int, string) {
		status, body, _ := ask(t, h, who["desk"], http.MethodGet, "/api/v1/chat/g1?incident="+id, "", "")
		return status, body
	}
	for range 2 {
		if status, body := read(); status != http.StatusOK || !strings.Contains(body, "Cổng sau khoá") {
			t.Fatalf("%d %s", status, body)
		}
	}
	for _, p := range a.Book.Group("g1") {
		list, err := a.Audit.Of(t.Context(), string(p.ID), 0, 50)
		n := 0
		for _, e := range list {
			if e.Name == "chat.watched" && e.By == "token/desk" && e.On == "incident/"+id {
				n++
			}
		}
		if err != nil || n != 1 {
			t.Errorf("%d entries, %v: %+v", n, err, list)
		}
	}
	calm(t, a)
	if status, body := read(); status != http.StatusForbidden {
		t.Errorf("after the end: %d %s", status, body)
	}
}
