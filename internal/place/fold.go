package place

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold brings s to the form in which names are compared and searched: lower
// case, without tone and vowel marks, đ as d, runs of spaces as one. Where the
// tone mark stood does not matter: Fold("Hoà") == Fold("Hòa") == "hoa".
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case r == 'đ' || r == 'Đ':
			r = 'd'
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Tidy brings s to the form in which text is stored: NFC, without spaces around.
func Tidy(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }
