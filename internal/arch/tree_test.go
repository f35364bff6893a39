package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/keng-vn/keng"
	root   = "../.." // of the module, from this folder
)

// source is one Go file of the module.
type source struct {
	path    string // "internal/alarm/decide.go"
	pkg     string // "internal/alarm"
	test    bool
	imports []string
	file    *ast.File
	fset    *token.FileSet
}

// outside reports whether s is a test that sees its package as others do.
func (s source) outside() bool {
	return s.test && s.file != nil && strings.HasSuffix(s.file.Name.Name, "_test")
}

// at is where n stands, for people.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// sources parses every Go file of the module, comments included.
func sources(t *testing.T) []source {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	for _, p := range files(t, ".go") {
		f, err := parser.ParseFile(fset, filepath.Join(root, p), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		s := source{path: p, pkg: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), file: f, fset: fset}
		for _, im := range f.Imports {
			name, err := strconv.Unquote(im.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			s.imports = append(s.imports, name)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		t.Fatal("no Go file was found")
	}
	return all
}

// files lists the module's files whose names end in one of the endings, as slash
// paths from its root. What is built, fetched or hidden is left out, and so are
// other modules.
func files(t *testing.T, endings ...string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != root && left(p, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(p, e) }) {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		found = append(found, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// left reports whether folder p is left out.
func left(p, name string) bool {
	switch name {
	case "testdata", "node_modules", "dist", "bin", "data":
		return true
	}
	if strings.HasPrefix(name, ".") {
		return true
	}
	_, err := os.Stat(filepath.Join(p, "go.mod"))
	return err == nil
}

// text is the content of a file of the module.
func text(t *testing.T, p string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, p))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
