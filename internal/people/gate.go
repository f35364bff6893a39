package people

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/web"
)

// Gate finds out who asks and puts him into the request's context; see [Asker].
// Who brings nothing, or something that is no good, is nobody: each route
// decides what nobody may. When it cannot be found out, the answer is "busy", so
// that no screen signs itself out because of a broken disk. Use it with
// [web.Kit.Use].
func (v *Service) Gate(k *web.Kit) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := v.authenticate(r)
			if err != nil && fault.KindOf(err) != fault.Unknown {
				k.Fail(w, r, err)
				return
			}
			if s.reads && r.Method != http.MethodGet && r.Method != http.MethodHead {
				k.Fail(w, r, fault.New("people.Gate", fault.Denied, "people.token_reads"))
				return
			}
			if secret, token := v.credentials(r); !token && !s.actor.Nobody() {
				if until, ok := v.extend(secret); ok {
					http.SetCookie(w, v.cookie(secret, until))
				}
			}
			ctx := context.WithValue(r.Context(), whereKey{}, where{deviceOf(r.UserAgent()), r.Host})
			next.ServeHTTP(w, r.WithContext(WithAsker(ctx, s.actor)))
		})
	}
}

// CookieName is the name of the cookie that holds a session's secret.
func (v *Service) CookieName() string {
	if v.Secure {
		return SecureCookie
	}
	return Cookie
}

// cookie holds a session until its end. Lax: a link from a chat opens Keng signed
// in, while no other site can post in somebody's name.
func (v *Service) cookie(secret string, until time.Time) *http.Cookie {
	c := &http.Cookie{Name: v.CookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode}
	c.MaxAge = int(until.Sub(v.Now()).Seconds())
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// Enter writes the cookie of a new session and ends the one that the browser
// had: nobody keeps a secret that somebody else may have put there.
func (v *Service) Enter(w http.ResponseWriter, r *http.Request, s Session) {
	http.SetCookie(w, v.Enters(r.Context(), r.Header.Get("Cookie"), s))
}

// Enters is [Service.Enter] for a typed operation: cookies is the request's
// Cookie header, the answer's cookie is returned.
func (v *Service) Enters(ctx context.Context, cookies string, s Session) *http.Cookie {
	if old := v.secretOf(cookies); old != "" {
		if err := v.SignOut(ctx, old); err != nil {
			v.Log.Error("the session before was not ended", "err", err)
		}
	}
	return v.cookie(s.Secret, s.keep())
}

// First is where somebody belongs: residents at their gong, officers at their
// console.
func First(r Role) string {
	if r.Officer() {
		return "/console"
	}
	return "/"
}

// secretOf is the secret of the session in a Cookie header, "" when there is none.
func (v *Service) secretOf(header string) string {
	want := v.CookieName()
	for part := range strings.SplitSeq(header, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name == want {
			return value
		}
	}
	return ""
}
