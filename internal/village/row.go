package village

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/engine/say"
)

// Row is one thing in a village file that is wrong, or doubtful.
type Row struct {
	Line    int  // from 1; 0 when it is about the whole file
	Warning bool // the import goes on
	Key     string
	Args    map[string]any
}

// Text is r for people: "dòng 12: lỗi: …".
func (r Row) Text(l say.Lang) string {
	b := say.In(l)
	grade := "village.error"
	if r.Warning {
		grade = "village.warning"
	}
	where := b.Text("village.line", map[string]any{"line": r.Line})
	if r.Line == 0 {
		where = b.Text("village.whole_file", nil)
	}
	return fmt.Sprintf("%s: %s: %s", where, b.Text(grade, nil), b.Text(r.Key, r.Args))
}

// Rows are all that was found, by line.
type Rows []Row

// Bad reports whether one of them is more than a warning.
func (rs Rows) Bad() bool {
	return slices.ContainsFunc(rs, func(r Row) bool { return !r.Warning })
}

// Write writes one row a line.
func (rs Rows) Write(w io.Writer, l say.Lang) error {
	for _, r := range rs {
		if _, err := fmt.Fprintln(w, r.Text(l)); err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
	}
	return nil
}

func (rs Rows) sort() {
	slices.SortStableFunc(rs, func(a, b Row) int { return a.Line - b.Line })
}

// args makes the values of a sentence from pairs.
func args(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// nearest is the word of words that somebody most likely meant by s: at most two
// letters away and at most half of them wrong. "" when there is none.
func nearest(s string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(s), strings.ToLower(w)); d < least && 2*d <= len(w) {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters to add, drop or change to make b of a (Levenshtein).
// Long words are far from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			step := last
			if a[i] != b[j] {
				step++
			}
			last = row[j+1]
			row[j+1] = min(step, last+1, row[j]+1)
		}
	}
	return row[len(b)]
}
