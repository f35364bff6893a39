package web

import (
	"context"
	"net/http"
	"time"

	"github.com/keng-vn/keng/internal/engine/say"
)

type langKey struct{}

// LangOf is the language of the request that ctx belongs to.
func LangOf(ctx context.Context) say.Lang {
	if l, ok := ctx.Value(langKey{}).(say.Lang); ok {
		return l
	}
	return say.Vietnamese
}

// WithLang returns ctx with a language.
func WithLang(ctx context.Context, l say.Lang) context.Context {
	return context.WithValue(ctx, langKey{}, l)
}

// LangCookie remembers the language in the browser for a year. It says nothing
// about who somebody is, so scripts may read it.
func LangCookie(l say.Lang) *http.Cookie {
	year := int((365 * 24 * time.Hour).Seconds())
	return &http.Cookie{Name: say.Cookie, Value: string(l), Path: "/", MaxAge: year, SameSite: http.SameSiteLaxMode} // #nosec G124 -- not a secret
}

// SetLang sends [LangCookie].
func SetLang(w http.ResponseWriter, l say.Lang) { http.SetCookie(w, LangCookie(l)) }
