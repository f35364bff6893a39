package people

import (
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
			a, err := v.Authenticate(r)
			if err != nil && fault.KindOf(err) != fault.Unknown {
				k.Fail(w, r, err)
				return
			}
			if secret, token := credentials(r); !token && !a.Nobody() {
				if until, ok := v.extend(secret); ok {
					http.SetCookie(w, v.cookie(secret, until))
				}
			}
			next.ServeHTTP(w, r.WithContext(WithAsker(r.Context(), a)))
		})
	}
}

// cookie holds a session until its end. Lax: a link from a chat opens Keng signed
// in, while no other site can post in somebody's name.
func (v *Service) cookie(secret string, until time.Time) *http.Cookie {
	c := &http.Cookie{Name: Cookie, Value: secret, Path: "/", HttpOnly: true, Secure: v.Secure, SameSite: http.SameSiteLaxMode}
	c.MaxAge = int(until.Sub(v.Now()).Seconds())
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// enter writes the cookie of a new session, ends the one that the browser had,
// and shows the way: residents to their gong, officers to their console.
func (v *Service) enter(w http.ResponseWriter, r *http.Request, s Session) error {
	if old, err := r.Cookie(Cookie); err == nil && old.Value != "" {
		if err := v.SignOut(r.Context(), old.Value); err != nil {
			v.Log.Error("the session before was not ended", "err", err)
		}
	}
	http.SetCookie(w, v.cookie(s.Secret, s.Expires))
	to := "/"
	if s.Person.Role.Officer() {
		to = "/console"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// secretOf is the secret of the session in a Cookie header, "" when there is none.
func secretOf(header string) string {
	for part := range strings.SplitSeq(header, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name == Cookie {
			return value
		}
	}
	return ""
}
