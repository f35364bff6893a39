package say

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// Lang is a language that Keng speaks, as in the HTML attribute lang.
type Lang string

// The languages.
const (
	Vietnamese Lang = "vi"
	English    Lang = "en"
)

// Langs lists the languages, the default first.
var Langs = [...]Lang{Vietnamese, English}

//go:embed vi.json en.json
var files embed.FS

// shelf reads both catalogues once.
var shelf = sync.OnceValue(func() map[Lang]map[string]string {
	all := map[Lang]map[string]string{}
	for _, l := range Langs {
		m, err := read(l)
		if err != nil {
			panic(err) // the files are part of the program: this is a broken build
		}
		all[l] = m
	}
	return all
})

func read(l Lang) (map[string]string, error) {
	b, err := files.ReadFile(string(l) + ".json")
	if err != nil {
		return nil, fmt.Errorf("read sentences: %w", err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("read sentences in %s: %w", l, err)
	}
	return m, nil
}

// Book is the sentences of one language.
type Book struct{ texts map[string]string }

// In opens the book of l; of a language that Keng does not speak, the Vietnamese one.
func In(l Lang) Book {
	if m, ok := shelf()[l]; ok {
		return Book{m}
	}
	return Book{shelf()[Vietnamese]}
}

// Has reports whether there is a sentence for key.
func (b Book) Has(key string) bool { return b.texts[key] != "" }

// Text is the sentence for key with args in their places, NFC. Without a sentence
// it is key; a value that is missing is "…".
func (b Book) Text(key string, args map[string]any) string {
	s, ok := b.texts[key]
	if !ok {
		return key
	}
	var out strings.Builder
	for s != "" {
		before, rest, found := strings.Cut(s, "{")
		out.WriteString(before)
		if !found {
			break
		}
		place, after, _ := strings.Cut(rest, "}")
		out.WriteString(fill(place, args))
		s = after
	}
	return norm.NFC.String(out.String())
}

// fill is what stands for place, "home" or "n|home|homes".
func fill(place string, args map[string]any) string {
	name, words, counted := strings.Cut(place, "|")
	v, ok := args[name]
	if !ok {
		return "…"
	}
	if !counted {
		return fmt.Sprint(v)
	}
	one, many, _ := strings.Cut(words, "|")
	if fmt.Sprint(v) == "1" {
		return one
	}
	return many
}
