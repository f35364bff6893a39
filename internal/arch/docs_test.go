package arch

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

const promisesPage = "docs/promises.md"

var (
	code     = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^(Test|Fuzz|Example)[A-Z]\w*$`)
)

// A row of the page is | promise | tests | where |: each test is a function in a
// _test.go file of a folder that the row names, each script a file there.
func TestEveryPromiseHasItsTest(t *testing.T) {
	has := testFunctions(t)
	rows := tableRows(t, promisesPage)
	if len(rows) == 0 {
		t.Fatalf("%s promises nothing", promisesPage)
	}
	for _, r := range rows {
		if len(r.cells) != 3 {
			t.Errorf("%s:%d: want | promise | tests | where |", promisesPage, r.line)
			continue
		}
		checkPromise(t, r, has)
	}
}

func checkPromise(t *testing.T, r row, has map[string]bool) {
	t.Helper()
	tests, folders := codes(r.cells[1]), codes(r.cells[2])
	if len(tests) == 0 || len(folders) == 0 {
		t.Errorf("%s:%d: %q is kept by no test", promisesPage, r.line, r.cells[0])
	}
	for _, dir := range folders {
		if !exists(dir) {
			t.Errorf("%s:%d: %s does not exist", promisesPage, r.line, dir)
		}
	}
	for _, name := range tests {
		found := false
		for _, dir := range folders {
			found = found || kept(strings.TrimSuffix(dir, "/"), name, has)
		}
		if !found {
			t.Errorf("%s:%d: %s is not in %s", promisesPage, r.line, name, r.cells[2])
		}
	}
}

// kept reports whether dir holds the test: a function ("TestX"), or a file
// ("testdata/script/x.txtar", "gong.test.ts").
func kept(dir, name string, has map[string]bool) bool {
	if testName.MatchString(name) {
		return has[dir+"."+name]
	}
	return strings.Contains(name, ".") && exists(path.Join(dir, name))
}

func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	has := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && testName.MatchString(f.Name.Name) {
				has[s.pkg+"."+f.Name.Name] = true
			}
		}
	}
	return has
}

type row struct {
	line  int
	cells []string
}

// tableRows reads the rows of every table on a page, headings left out.
func tableRows(t *testing.T, page string) []row {
	t.Helper()
	var rows []row
	lines := strings.Split(text(t, page), "\n")
	for i, l := range lines {
		if !strings.HasPrefix(l, "|") || strings.HasPrefix(l, "|-") || strings.HasPrefix(l, "| -") {
			continue
		}
		if i+1 < len(lines) && strings.HasPrefix(strings.ReplaceAll(lines[i+1], " ", ""), "|-") {
			continue // heading
		}
		cells := strings.Split(strings.Trim(l, "| "), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		rows = append(rows, row{i + 1, cells})
	}
	return rows
}

func codes(cell string) []string {
	var found []string
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		found = append(found, m[1])
	}
	return found
}

func exists(p string) bool {
	_, err := os.Stat(filepath.Join(root, p))
	return err == nil
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	hidden  = regexp.MustCompile("(?s)<!--.*?-->|```.*?```|`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
)

// Only our own pages and places in them: the world's pages move without asking us.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(hidden.ReplaceAllString(text(t, page), ""), -1) {
			if to := m[1]; !strings.Contains(to, ":") && !leads(t, page, to) {
				t.Errorf("%s: %s leads nowhere", page, to)
			}
		}
	}
}

func leads(t *testing.T, page, to string) bool {
	t.Helper()
	file, anchor, _ := strings.Cut(to, "#")
	target := page
	if file != "" {
		target = path.Join(path.Dir(page), file)
	}
	if !exists(target) {
		return false
	}
	if anchor == "" {
		return true
	}
	for _, m := range heading.FindAllStringSubmatch(text(t, target), -1) {
		if slug(m[1]) == anchor {
			return true
		}
	}
	return false
}

// slug is the name under which a heading can be linked to.
func slug(h string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, h)
}

// A word of the code stands once on the page of words.
func TestWordsAreListedOnce(t *testing.T) {
	seen := map[string]int{}
	for _, r := range tableRows(t, "docs/words.md") {
		if len(r.cells) != 3 {
			t.Errorf("docs/words.md:%d: want | code | Vietnamese | meaning |", r.line)
			continue
		}
		for _, w := range codes(r.cells[0]) {
			if seen[w] != 0 {
				t.Errorf("docs/words.md:%d: %s was said on line %d", r.line, w, seen[w])
			}
			seen[w] = r.line
		}
	}
}

func TestEveryDecisionIsListed(t *testing.T) {
	index := text(t, "docs/adr/README.md")
	for _, p := range files(t, ".md") {
		if path.Dir(p) == "docs/adr" && path.Base(p) != "README.md" && !strings.Contains(index, "("+path.Base(p)+")") {
			t.Errorf("docs/adr/README.md does not list %s", path.Base(p))
		}
	}
}
