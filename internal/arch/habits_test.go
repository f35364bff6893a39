package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// shapeless names say nothing about what a package does.
var shapeless = []string{
	"base", "common", "consts", "core", "errors", "helper", "helpers", "interfaces", "lib", "misc", "model", "models",
	"shared", "tools", "types", "util", "utils",
}

// sleepers are test files that may wait by the wall clock, with the why. Inside a
// synctest bubble time.Sleep is free, so files that use one may always.
var sleepers = map[string]string{}

func TestPackagesAreNamedAfterWhatTheyDo(t *testing.T) {
	for _, s := range sources(t) {
		name := path.Base(s.pkg)
		if slices.Contains(shapeless, name) {
			t.Errorf("%s: name the package after what it does", s.pkg)
		}
		if strings.ToLower(name) != name || strings.ContainsAny(name, "_-") {
			t.Errorf("%s: one short word in lower case", s.pkg)
		}
	}
}

// Every package says what it is for; a slice, a dialect, the ground and an engine
// also say what they promise, in doc.go.
func TestPackagesSayWhatTheyPromise(t *testing.T) {
	docs := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		docs[s.pkg] += ""
		if s.file.Doc == nil {
			continue
		}
		if docs[s.pkg] != "" {
			t.Errorf("%s: the package has a second comment; one place is enough", s.path)
		}
		docs[s.pkg] = s.file.Doc.Text()
		if promises(s.pkg) && path.Base(s.path) != "doc.go" {
			t.Errorf("%s: the package comment belongs into doc.go", s.path)
		}
	}
	for pkg, doc := range docs {
		switch {
		case doc == "":
			t.Errorf("%s has no package comment", pkg)
		case promises(pkg) && !keepsList(doc):
			t.Errorf("%s/doc.go has no list under \"# Promises\"", pkg)
		}
	}
}

func promises(pkg string) bool {
	return !kit(pkg) && pkg != "web" && slices.Contains([]string{"slice", "dialect", "ground", "engine"}, floorName(pkg))
}

// keepsList reports whether doc has a heading Promises with a bullet below it.
func keepsList(doc string) bool {
	_, after, ok := strings.Cut(doc, "# Promises\n")
	after, _, _ = strings.Cut(after, "\n# ")
	return ok && strings.Contains(after, "- ")
}

func TestNothingHappensBeforeMain(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: no init: wire it by hand", s.at(f))
			}
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && !kit(s.pkg) || sleepers[s.path] != "" || slices.Contains(s.imports, "testing/synctest") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && calls(c, "time", "Sleep") {
				t.Errorf("%s: a test that sleeps is slow or flaky: wait for what you expect", s.at(c))
			}
			return true
		})
	}
}

func calls(c *ast.CallExpr, pkg, name string) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// Text that is not NFC looks right and is never found by a search. Official tables
// (.csv) are kept as they were fetched and tidied when they are read.
func TestTextIsNFC(t *testing.T) {
	for _, p := range files(t, ".go", ".md", ".json", ".sql", ".ts", ".tsx", ".css", ".html", ".yaml", ".yml") {
		for i, line := range strings.Split(text(t, p), "\n") {
			if !norm.NFC.IsNormalString(line) {
				t.Errorf("%s:%d is not NFC: in a test, write the mark as an escape", p, i+1)
			}
		}
	}
}
