package say

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	verbs := verbsOfPolicies(t)
	for _, l := range Langs {
		screens := sentencesOfScreens(t, l)
		for key, u := range used {
			switch {
			case u.screen && verbs[key]:
				// no key: what somebody asks to do
			case u.screen && (!families(screens)[family(key)] || isFile(key)):
				// no key: a file name, a field of a table
			case In(l).Has(key), u.screen && screens[key]:
			case u.screen:
				t.Errorf("%s: %s has no sentence in %s.json and none in a %s.ts of the screens", u.where, key, l, l)
			default:
				t.Errorf("%s: %s has no sentence in %s.json", u.where, key, l)
			}
		}
	}
}

// verbsOfPolicies lists the verbs of the policies, which look like keys: "alarm.raise".
func verbsOfPolicies(t *testing.T) map[string]bool {
	t.Helper()
	verbs := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root, "internal/engine/policy/*.cedarschema"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema was found: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range verb.FindAllSubmatch(b, -1) {
			verbs[string(m[1])] = true
		}
	}
	return verbs
}

var verb = regexp.MustCompile(`"([a-z_]+\.[a-z_]+)"`)

// isFile reports whether what looks like a key is the name of a file.
func isFile(key string) bool {
	return slices.Contains([]string{".html", ".yaml", ".txt", ".json", ".db", ".key", ".checkpoint"}, filepath.Ext(key))
}

// use is where a key stands. A key of a fault, or one that is put into words
// here, needs its sentence in this package; any other goes out as a key, and the
// screens may put it into words.
type use struct {
	where  string
	screen bool
}

// families are the first words of all keys that have a sentence.
func families(screens map[string]bool) map[string]bool {
	all := map[string]bool{}
	for key := range screens {
		all[family(key)] = true
	}
	for key := range shelf()[Vietnamese] {
		all[family(key)] = true
	}
	return all
}

func family(key string) string {
	first, _, _ := strings.Cut(key, ".")
	return first
}

// sentencesOfScreens lists the keys for which a screen has words in l.
func sentencesOfScreens(t *testing.T, l Lang) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(root, "web/src"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != string(l)+".ts" && !strings.HasSuffix(d.Name(), "."+string(l)+".ts") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range screenKey.FindAllSubmatch(b, -1) {
			keys[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

var screenKey = regexp.MustCompile(`['"]([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)['"]:`)

// A finder that finds nothing would make the test above green for ever.
func TestKeysAreFoundInEveryForm(t *testing.T) {
	const src = `package p

const gone = "p.in_const"

func f(b Book) {
	_ = fault.New("p.Verb", fault.Invalid, "p.in_call")
	_ = fault.Wrap("p.Verb", fault.Invalid, gone, nil)
	_ = &fault.Error{Op: "p.Verb", Key: "p.in_literal"}
	_ = Reason{Key: "p.on_screen"}
	_ = b.Text("p.in_text", nil)
	_ = other.New("p.returned", "p.Verb", "/p.x")
	_ = audit.Act{Name: "p.act", By: b}
}`
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	findKeys([]*ast.File{f}, func(key string, _ token.Pos, screen bool) {
		was, seen := got[key]
		got[key] = screen && (was || !seen)
	})
	want := map[string]bool{"p.in_call": false, "p.in_const": false, "p.in_literal": false, "p.in_text": false, "p.on_screen": true, "p.returned": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
}

// keysInTree maps each key that the module's code uses to a place where it does.
func keysInTree(t *testing.T) map[string]use {
	t.Helper()
	used := map[string]use{}
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
		findKeys(files, func(key string, at token.Pos, screen bool) {
			if u, seen := used[key]; !seen || u.screen {
				used[key] = use{fset.Position(at).String(), screen}
			}
		})
	}
	return used
}

// findKeys calls found for everything in the files of one package that looks like a
// key. screen is false where it is given to package fault or to Text.
func findKeys(files []*ast.File, found func(key string, at token.Pos, screen bool)) {
	consts := map[string]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			noteConsts(d, consts)
		}
	}
	take := func(e ast.Expr, screen bool) {
		if key := text(e, consts); faultKey.MatchString(key) {
			found(key, e.Pos(), screen)
		}
	}
	deeds := map[token.Pos]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				noteDeeds(n, deeds)
				takeFromCall(n, func(e ast.Expr) { take(e, false) })
			case *ast.CompositeLit:
				takeFromError(n, take)
				passActs(n, deeds)
			case *ast.BasicLit:
				if !deeds[n.Pos()] {
					take(n, true)
				}
			}
			return true
		})
	}
}

// askers are the functions that take the name of a deed, "alarm.raise": whether
// somebody may do it, or that it was done; or of a rule. Nobody is shown that name.
var askers = []string{"May", "may", "mayRead", "over", "at", "unit", "machine", "Groups", "record", "Append", "Number"}

// noteDeeds notes where c is given the name of a deed.
func noteDeeds(c *ast.CallExpr, deeds map[token.Pos]bool) {
	name := ""
	switch f := c.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel.Name
	case *ast.Ident:
		name = f.Name
	}
	if !slices.Contains(askers, name) {
		return
	}
	for _, a := range c.Args {
		deeds[a.Pos()] = true
	}
}

func takeFromError(l *ast.CompositeLit, take func(e ast.Expr, screen bool)) {
	sel, ok := l.Type.(*ast.SelectorExpr)
	if !ok || fmt.Sprint(sel.X) != "fault" {
		return
	}
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(kv.Key) == "Key" {
			take(kv.Value, false)
		}
	}
}

func passActs(l *ast.CompositeLit, acts map[token.Pos]bool) {
	sel, ok := l.Type.(*ast.SelectorExpr)
	if !ok || fmt.Sprint(sel.X) != "audit" || sel.Sel.Name != "Act" {
		return
	}
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(kv.Key) == "Name" {
			acts[kv.Value.Pos()] = true
		}
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
