package web

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/text/language"
)

// Lang is a language of the screens.
type Lang string

// The languages; the first is the default.
const (
	Vietnamese Lang = "vi"
	English    Lang = "en"
)

// LangCookie holds the language that somebody chose.
const LangCookie = "keng_lang"

// ParseLang returns the language s names.
func ParseLang(s string) (Lang, bool) {
	l := Lang(s)
	return l, l == Vietnamese || l == English
}

type langKey struct{}

// LangOf is the language of the request that ctx belongs to.
func LangOf(ctx context.Context) Lang {
	if l, ok := ctx.Value(langKey{}).(Lang); ok {
		return l
	}
	return Vietnamese
}

// WithLang returns ctx with a language.
func WithLang(ctx context.Context, l Lang) context.Context {
	return context.WithValue(ctx, langKey{}, l)
}

// SetLang remembers the language in the browser for a year. It says nothing
// about who somebody is, so scripts may read it.
func SetLang(w http.ResponseWriter, l Lang) {
	http.SetCookie(w, &http.Cookie{Name: LangCookie, Value: string(l), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), SameSite: http.SameSiteLaxMode}) // #nosec G124 -- not a secret
}

// langOf reads the cookie, else Accept-Language: English only for who prefers it
// and does not read Vietnamese at least as gladly.
func langOf(r *http.Request) Lang {
	if c, err := r.Cookie(LangCookie); err == nil {
		if l, ok := ParseLang(c.Value); ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return Vietnamese
	}
	for _, t := range tags {
		base, _ := t.Base()
		if l, ok := ParseLang(base.String()); ok {
			return l
		}
	}
	return Vietnamese
}
