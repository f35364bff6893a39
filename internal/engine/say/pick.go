package say

import (
	"net/http"
	"slices"

	"golang.org/x/text/language"
)

// Cookie is the name of the cookie that holds a person's own choice of language.
// It is set by the screen's switch and says nothing else.
const Cookie = "keng_lang"

// matcher knows the languages in the order of [Langs].
var matcher = language.NewMatcher([]language.Tag{language.Vietnamese, language.English})

// Pick is the language to answer r in: the person's own choice, else what the
// browser prefers, else Vietnamese.
func Pick(r *http.Request) Lang {
	if c, err := r.Cookie(Cookie); err == nil && slices.Contains(Langs[:], Lang(c.Value)) {
		return Lang(c.Value)
	}
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 1024 { // nobody speaks that many
		return Vietnamese
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return Vietnamese
	}
	_, i, sure := matcher.Match(tags...)
	if sure == language.No {
		return Vietnamese
	}
	return Langs[i]
}
