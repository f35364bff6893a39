package app

import (
	"encoding/json"
	"net/http"
	"testing"
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
	"POST /api/v1/notices/{id}/withdraw":                {noSuch, "", false},
}

// tinyPicture is a PNG of one pixel.
const tinyPicture = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\fIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"

// say sends a picture to g1's channel as a resident.
func say(t *testing.T, a *App, secret string) string {
	t.Helper()
	status, body, _ := ask(t, a.Kit.Handler(), secret, http.MethodPost, "/api/v1/chat/{group}/files", "", tinyPicture)
	var m struct{ ID string }
	if err := json.Unmarshal([]byte(body), &m); err != nil || status != http.StatusCreated {
		t.Fatalf("say: %d %s", status, body)
	}
	return m.ID
}
