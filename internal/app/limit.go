package app

import (
	"context"
	"strings"

	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/people"
)

// asksAtMost bounds what one network's strangers, or one person or program, may ask.
func asksAtMost() *web.Limit {
	return &web.Limit{Vital: vital, Known: func(ctx context.Context) string {
		if a := people.Asker(ctx); !a.Nobody() {
			return string(a.Person) + " " + a.Token
		}
		return ""
	}}
}

// vital reports whether a route belongs to an alarm: raising, answering, hearing
// of it, and the page with the gong; or to checking on us. These are never limited.
func vital(route string) bool {
	switch route {
	case "POST /v1/signal", "POST /v1/receipts", "POST /v1/answers", "POST /v1/gateway", "GET /api/v1/stream", "GET /api/v1/state", "GET /{$}", "GET /healthz", "GET /readyz":
		return true
	}
	if strings.HasPrefix(route, "GET /log/") {
		return true // whoever checks the log of acts reads all of it
	}
	return route == "POST /api/v1/incidents" || strings.HasPrefix(route, "POST /api/v1/incidents/")
}
