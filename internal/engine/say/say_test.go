package say

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
)

// book is one with a few sentences of its own.
var book = Book{texts: map[string]string{
	"t.plain":  "Không có gì",
	"t.home":   "{home} cần cứu, {home}!",
	"t.count":  "{n} {n|home|homes}",
	"t.broken": "mở {home",
}}

func TestTextPutsValuesInTheirPlaces(t *testing.T) {
	for _, c := range []struct {
		key  string
		args map[string]any
		want string
	}{
		{"t.plain", nil, "Không có gì"},
		{"t.home", map[string]any{"home": "Nhà số 10"}, "Nhà số 10 cần cứu, Nhà số 10!"},
		{"t.home", map[string]any{"home": "{n}"}, "{n} cần cứu, {n}!"},
		{"t.home", map[string]any{"home": "Nha\u0300"}, "Nhà cần cứu, Nhà!"}, // NFC
		{"t.count", map[string]any{"n": 1}, "1 home"},
		{"t.count", map[string]any{"n": 2}, "2 homes"},
		{"t.count", map[string]any{"n": 0}, "0 homes"},
		{"t.home", nil, "… cần cứu, …!"},
		{"t.count", nil, "… …"},
		{"t.broken", map[string]any{"home": "x"}, "mở x"},
		{"t.missing", nil, "t.missing"},
	} {
		if got := book.Text(c.key, c.args); got != c.want {
			t.Errorf("Text(%q, %v) = %q, want %q", c.key, c.args, got, c.want)
		}
	}
}

func TestInFallsBackToVietnamese(t *testing.T) {
	vi, en := In(Vietnamese).Text("fault.denied", nil), In(English).Text("fault.denied", nil)
	if vi == en || !strings.Contains(en, "may not") {
		t.Errorf("vi %q and en %q are not two languages", vi, en)
	}
	if got := In("fr").Text("fault.denied", nil); got != vi {
		t.Errorf("In(fr) says %q, want the Vietnamese", got)
	}
	if In(Vietnamese).Has("t.missing") || !In(Vietnamese).Has("fault.denied") {
		t.Error("Has does not know which sentences there are")
	}
}

func TestPickPrefersThePersonsOwnChoice(t *testing.T) {
	for _, c := range []struct {
		cookie, accept string
		want           Lang
	}{
		{"", "", Vietnamese},
		{"", "vi-VN,vi;q=0.9,en;q=0.8", Vietnamese},
		{"", "en-GB,en;q=0.9", English},
		{"", "en;q=0.3,vi;q=0.9", Vietnamese},
		{"", "fr-FR,fr;q=0.9", Vietnamese},
		{"", "fr-FR,fr;q=0.9,en;q=0.5", English},
		{"", ";;;", Vietnamese},
		{"", "en," + strings.Repeat("x-a,", 1000), Vietnamese},
		{"en", "vi", English},
		{"vi", "en", Vietnamese},
		{"fr", "en", English},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: Cookie, Value: c.cookie})
		}
		if got := Pick(r); got != c.want {
			t.Errorf("cookie %q, accept %.40q: Pick = %q, want %q", c.cookie, c.accept, got, c.want)
		}
	}
}

func FuzzPickNeverLeavesItsLanguages(f *testing.F) {
	f.Add("en", "vi-VN,vi;q=0.9")
	f.Add("", "*;q=0.1,\x00")
	f.Fuzz(func(t *testing.T, cookie, accept string) {
		r := &http.Request{Header: http.Header{"Cookie": {Cookie + "=" + cookie}, "Accept-Language": {accept}}}
		if got := Pick(r); !slices.Contains(Langs[:], got) {
			t.Errorf("Pick = %q", got)
		}
	})
}

func TestLanguagesHaveTheSameKeysAndValues(t *testing.T) {
	all := shelf()
	for _, l := range Langs[1:] {
		want := slices.Sorted(maps.Keys(all[Vietnamese]))
		got := slices.Sorted(maps.Keys(all[l]))
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("keys of %s differ from vi (-vi +%s):\n%s", l, l, d)
		}
		for key, vi := range all[Vietnamese] {
			if d := cmp.Diff(values(vi), values(all[l][key])); d != "" {
				t.Errorf("%s: values of %s differ from vi (-vi +%s):\n%s", key, l, l, d)
			}
		}
	}
}

// values lists the names in the braces of s, each once: a language without a
// plural may use a number once where another uses it twice.
func values(s string) []string {
	var names []string
	for _, m := range braces.FindAllStringSubmatch(s, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	braces  = regexp.MustCompile(`\{([a-z_]+)(?:\|[^|{}]+\|[^|{}]+)?\}`)
	keyForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$`)
)

func TestSentencesAreWellFormed(t *testing.T) {
	for l, texts := range shelf() {
		for key, s := range texts {
			if !keyForm.MatchString(key) {
				t.Errorf("%s: %q is not a key", l, key)
			}
			if s == "" || s != strings.TrimSpace(s) {
				t.Errorf("%s: %s: %q is empty or has space around it", l, key, s)
			}
			if !norm.NFC.IsNormalString(s) {
				t.Errorf("%s: %s is not NFC", l, key)
			}
			if strings.ContainsAny(braces.ReplaceAllString(s, ""), "{}") {
				t.Errorf("%s: %s: %q has a broken brace", l, key, s)
			}
		}
	}
}

// Sorted files keep two people's additions apart; a key written twice would hide
// one of its sentences.
func TestFilesAreSortedAndNameEachKeyOnce(t *testing.T) {
	for _, l := range Langs {
		b, err := files.ReadFile(string(l) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		keys := keysInOrder(t, b)
		for i := 1; i < len(keys); i++ {
			if keys[i-1] >= keys[i] {
				t.Errorf("%s.json: %s stands after %s", l, keys[i], keys[i-1])
			}
		}
	}
}

func keysInOrder(t *testing.T, b []byte) []string {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil { // {
		t.Fatal(err)
	}
	var keys []string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
	}
	return keys
}
