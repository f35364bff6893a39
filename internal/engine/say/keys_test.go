package say

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const root = "../../.." // of the module, from this folder

// faultKey is how a key looks beside an operation ("alarm.Raise") in the arguments
// of a fault.
var faultKey = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)

func TestEveryKeyInTheCodeHasItsSentence(t *testing.T) {
	used := keysInTree(t)
	if len(used) == 0 {
		t.Fatal("no key was found in the code")
	}
	for key, where := range used {
		for _, l := range Langs {
			if !In(l).Has(key) {
				t.Errorf("%s: %s has no sentence in %s.json", where, key, l)
			}
		}
	}
}

// A finder that finds nothing would make the test above green for ever.
func TestKeysAreFoundInEveryForm(t *testing.T) {
	const src = `package p

const gone = "p.in_const"

func f(b Book) {
	_ = fault.New("p.Verb", fault.Invalid, "p.in_call")
	_ = fault.Wrap("p.Verb", fault.Invalid, gone, nil)
	_ = &fault.Error{Op: "p.Verb", Key: "p.in_literal"}
	_ = []*fault.Error{{Op: "p.verb", Key: "p.in_list"}}
	_ = b.Text("p.in_text", nil)
	_ = other.New("p.not_ours")
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	findKeys([]*ast.File{f}, func(key string, _ token.Pos) { got[key] = true })
	for _, want := range []string{"p.in_call", "p.in_const", "p.in_literal", "p.in_list", "p.in_text"} {
		if !got[want] {
			t.Errorf("%s was not found", want)
		}
	}
	if got["p.not_ours"] || got["p.Verb"] || len(got) != 5 {
		t.Errorf("found more than keys: %v", got)
	}
}

// keysInTree maps each key that the module's code uses to a place where it does.
func keysInTree(t *testing.T) map[string]string {
	t.Helper()
	used := map[string]string{}
	fset := token.NewFileSet()
	dirs := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dirs[filepath.Dir(path)] = append(dirs[filepath.Dir(path)], f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range dirs {
		findKeys(files, func(key string, at token.Pos) { used[key] = fset.Position(at).String() })
	}
	return used
}

// findKeys calls found for every key in the files of one package: in a call of
// package fault, in a field Key, and in a call of Text.
func findKeys(files []*ast.File, found func(key string, at token.Pos)) {
	consts := map[string]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			noteConsts(d, consts)
		}
	}
	take := func(e ast.Expr) {
		if key := text(e, consts); faultKey.MatchString(key) {
			found(key, e.Pos())
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				takeFromCall(n, take)
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "Key" {
					take(n.Value)
				}
			}
			return true
		})
	}
}

func takeFromCall(c *ast.CallExpr, take func(ast.Expr)) {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || len(c.Args) == 0 {
		return
	}
	if x, ok := sel.X.(*ast.Ident); ok && x.Name == "fault" {
		for _, a := range c.Args {
			take(a)
		}
	}
	if sel.Sel.Name == "Text" {
		take(c.Args[0])
	}
}

func noteConsts(d ast.Decl, consts map[string]string) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return
	}
	for _, s := range g.Specs {
		v := s.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i < len(v.Values) {
				consts[name.Name] = text(v.Values[i], nil)
			}
		}
	}
}

// text is the string that e stands for: a literal or a constant of the package.
func text(e ast.Expr, consts map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.Ident:
		return consts[e.Name]
	}
	return ""
}
