package arch

import (
	"encoding/csv"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const asvsTable = "docs/security/asvs.csv"

// ASVS 5.0.0 has so many requirements of level 1 and 2.
var asvsOfLevel = map[string]int{"1": 70, "2": 183}

var asvsID = regexp.MustCompile(`^([1-9]|1[0-7])\.([1-9]\d?)\.([1-9]\d?)$`)

// Every requirement has an answer; one that is met, or met in part, names the tests
// or documents that show it, and they exist.
func TestEveryRequirementOfASVSIsAnswered(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(text(t, asvsTable))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(rows[0], []string{"id", "level", "what", "status", "shown by", "note"}) {
		t.Fatalf("%s: columns %q", asvsTable, rows[0])
	}
	has, of, last := testFunctions(t), map[string]int{}, []int{0, 0, 0}
	for k, r := range rows[1:] {
		where := fmt.Sprintf("%s:%d: %s", asvsTable, k+2, r[0])
		of[r[1]]++
		id := parts(r[0])
		if id == nil || slices.Compare(id, last) <= 0 {
			t.Errorf("%s is no id, or not in its order", where)
		}
		last = id
		for _, wrong := range answers(r, has) {
			t.Errorf("%s: %s", where, wrong)
		}
	}
	for level, want := range asvsOfLevel {
		if of[level] != want {
			t.Errorf("%s: %d requirements of level %s, want %d", asvsTable, of[level], level, want)
		}
	}
	if len(of) != len(asvsOfLevel) {
		t.Errorf("%s: levels %v", asvsTable, of)
	}
}

func parts(id string) []int {
	m := asvsID.FindStringSubmatch(id)
	if m == nil {
		return nil
	}
	var n []int
	for _, s := range m[1:] {
		k, _ := strconv.Atoi(s)
		n = append(n, k)
	}
	return n
}

// answers says what is wrong with a row.
func answers(r []string, has map[string]bool) (wrong []string) {
	what, status, shown, note := r[2], r[3], strings.Fields(r[4]), r[5]
	if what == "" || strings.HasPrefix(what, "Verify that") {
		wrong = append(wrong, "say what it is about, in our own words")
	}
	switch status {
	case "met", "part":
		if len(shown) == 0 {
			wrong = append(wrong, "nothing shows it")
		}
		if status == "part" && note == "" && !slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, ".md") }) {
			wrong = append(wrong, "say what is missing")
		}
	case "not applicable", "open":
		if note == "" {
			wrong = append(wrong, "say why")
		}
	default:
		wrong = append(wrong, fmt.Sprintf("status %q", status))
	}
	for _, s := range shown {
		if !shows(s, has) {
			wrong = append(wrong, s+" does not exist")
		}
	}
	return wrong
}

// shows reports whether a proof exists: "internal/app.TestX", or a file of ours,
// with a heading of it after "#".
func shows(s string, has map[string]bool) bool {
	if dir, name, ok := cutLast(s, "."); ok && testName.MatchString(name) {
		return has[dir+"."+name]
	}
	file, anchor, _ := strings.Cut(s, "#")
	if path.IsAbs(file) || !exists(file) {
		return false
	}
	if anchor == "" {
		return true
	}
	page, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return false
	}
	for _, m := range heading.FindAllStringSubmatch(string(page), -1) {
		if slug(m[1]) == anchor {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// A check that accepts everything would keep the table green for ever.
func TestAnswersToASVSAreChecked(t *testing.T) {
	has := map[string]bool{"internal/app.TestX": true}
	for _, c := range []struct {
		row  []string
		good bool
	}{
		{[]string{"1.1.1", "1", "a", "met", "internal/app.TestX", ""}, true},
		{[]string{"1.1.1", "1", "a", "met", "docs/operate.md#tls", ""}, true},
		{[]string{"1.1.1", "1", "a", "met", "", "because"}, false},
		{[]string{"1.1.1", "1", "a", "met", "internal/app.TestY", ""}, false},
		{[]string{"1.1.1", "1", "a", "met", "internal/alarm.TestX", ""}, false},
		{[]string{"1.1.1", "1", "a", "met", "docs/operate.md#nowhere", ""}, false},
		{[]string{"1.1.1", "1", "a", "met", "docs/nowhere.md", ""}, false},
		{[]string{"1.1.1", "1", "a", "part", "internal/app.TestX", ""}, false},
		{[]string{"1.1.1", "1", "a", "open", "", ""}, false},
		{[]string{"1.1.1", "1", "a", "not applicable", "", ""}, false},
		{[]string{"1.1.1", "1", "a", "open", "", "later"}, true},
		{[]string{"1.1.1", "1", "a", "", "internal/app.TestX", "x"}, false},
		{[]string{"1.1.1", "1", "Verify that all is well", "met", "internal/app.TestX", ""}, false},
		{[]string{"1.1.1", "1", "", "met", "internal/app.TestX", ""}, false},
	} {
		if wrong := answers(c.row, has); (len(wrong) == 0) != c.good {
			t.Errorf("%q: %v", c.row, wrong)
		}
	}
	for id, good := range map[string]bool{"1.1.1": true, "17.3.2": true, "18.1.1": false, "1.1": false, "1.01.1": false, "V1.1.1": false} {
		if (parts(id) != nil) != good {
			t.Errorf("%s: %v", id, parts(id))
		}
	}
}
