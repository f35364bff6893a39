package arch

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Nothing that serves starts another program: only measuring does.
func TestNothingRunsOtherPrograms(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || kit(s.pkg) || below("internal/village")(s.pkg) {
			continue
		}
		for _, q := range []string{"os/exec", "plugin", "unsafe", "net/rpc", "encoding/gob", "text/template", "net/http/pprof", "expvar"} {
			if slices.Contains(s.imports, q) {
				t.Errorf("%s imports %s: it runs, guesses or shows more than we want", s.path, q)
			}
		}
	}
}

// A regular expression is a constant: none is built of what comes from outside.
func TestExpressionsAreConstants(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		if s.test || kit(s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || !calls(c, "regexp", "MustCompile") && !calls(c, "regexp", "Compile") {
				return true
			}
			found++
			if lit, ok := c.Args[0].(*ast.BasicLit); !ok || lit.Kind != token.STRING {
				t.Errorf("%s: a regular expression that is no constant", s.at(c))
			}
			return true
		})
	}
	if found == 0 {
		t.Error("no regular expression was found: the test tested nothing")
	}
}

var hears = regexp.MustCompile(`addEventListener\(\s*['"]message|\bonmessage\b|BroadcastChannel`)

// A page hears no other window: a message that anybody may send is none of ours.
// The service worker hears its own pages; tabs of one phone may talk on a channel,
// which other sites do not reach.
func TestPagesHearNoOtherWindows(t *testing.T) {
	for _, p := range files(t, ".ts", ".tsx") {
		if !strings.HasPrefix(p, "web/src/") || p == "web/src/sw.ts" {
			continue
		}
		for i, line := range strings.Split(text(t, p), "\n") {
			if hears.MatchString(line) && !strings.Contains(line, "BroadcastChannel") && !strings.Contains(line, "serviceWorker.") {
				t.Errorf("%s:%d hears messages of other windows: %s", p, i+1, strings.TrimSpace(line))
			}
		}
	}
	if !hears.MatchString(text(t, "web/src/sw.ts")) {
		t.Error("not even the service worker hears: the test tested nothing")
	}
}
