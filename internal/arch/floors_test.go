package arch

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// floors lists the storeys of the house, top first.
var floors = []struct {
	name string
	of   func(pkg string) bool
}{
	{"command", below("cmd")},
	{"village", below("internal/village")},
	{"app", is("internal/app")},
	{"slice", slice},
	{"part", func(p string) bool { return slice(path.Dir(p)) && !kit(p) }}, // of one slice, and of no other
	{"dialect", below("internal/dialect")},
	{"ground", is("internal/place", "internal/people", "internal/signin", "internal/signal", "internal/fact")},
	{"engine", func(p string) bool { return below("internal/engine")(p) || p == "web" }},
}

// sameFloor names the neighbours that may lean on each other, with the why. "*" is
// any package of the floor.
var sameFloor = map[string]string{
	"internal/people -> internal/place":               "a household stands at a place",
	"internal/signin -> internal/people":              "who comes in is somebody whom people knows; his keys are a matter of their own",
	"internal/signin -> internal/place":               "words are read with or without marks",
	"internal/signal -> internal/place":               "a device stands at a home",
	"internal/fact -> internal/place":                 "a fact says where",
	"internal/fact -> internal/people":                "a fact says who did it",
	"internal/fact -> internal/signal":                "a fact says which danger",
	"* -> internal/dialect":                           "the face that every dialect has",
	"* -> internal/village":                           "the village file is what all of them play",
	"* -> internal/engine/fault":                      "one vocabulary of errors",
	"* -> internal/engine/clock":                      "one time",
	"internal/engine/notify -> internal/engine/store": "what is to be sent outlasts a crash",
	"internal/engine/web -> internal/engine/say":      "an answer is in the reader's language",
	"internal/engine/backup -> internal/engine/store": "a backup is what the store holds",
}

// banned packages, with the why, for everything outside tests.
var banned = map[string]string{
	"testing":               "no test helpers in the shipped binary",
	"net/http/httptest":     "no test helpers in the shipped binary",
	"testing/synctest":      "no test helpers in the shipped binary",
	"github.com/pkg/errors": "use errors and fmt",
	"log":                   "use log/slog",
	"math/rand":             "use math/rand/v2, or crypto/rand for a secret",
}

// bannedEverywhere holds for tests too.
var bannedEverywhere = map[string]string{
	"github.com/pkg/errors":        "use errors and fmt",
	"github.com/stretchr/testify/": "compare with go-cmp, fail with t.Errorf",
	"io/ioutil":                    "use os and io",
}

const maxDepth = 10 // longest import chain inside the module

func TestImportsGoDownOnly(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg == "internal/arch" {
			continue
		}
		if floorOf(s.pkg) < 0 {
			t.Errorf("%s is on no floor: see the doc of package arch", s.pkg)
			continue
		}
		for _, q := range s.imports {
			if dep, ours := ourPackage(q); ours && !mayImport(s, dep) {
				t.Errorf("%s (%s) may not import %s (%s)", s.path, floorName(s.pkg), dep, floorName(dep))
			}
		}
	}
}

// mayImport reports whether file s may import dep. A test may also import the
// package that it tests and test kits; one that stands outside (package x_test)
// also the ground and the engines, to show how others use x.
func mayImport(s source, dep string) bool {
	from, to := floorOf(s.pkg), floorOf(dep)
	if to < 0 {
		return false
	}
	if kit(dep) && !s.test && !kit(s.pkg) {
		return false
	}
	if s.test && s.pkg == "internal/app" && below("internal/village")(dep) {
		return true // tests of the whole program play the demo's village
	}
	if s.outside() && slices.Contains([]string{"ground", "engine"}, floors[to].name) {
		return true
	}
	if dep == s.pkg || kit(s.pkg) && dep == path.Dir(s.pkg) || s.test && kit(dep) && to >= from {
		return true
	}
	if floors[to].name == "part" {
		return path.Dir(dep) == s.pkg
	}
	if to != from {
		return to > from
	}
	return floors[from].name == "village" || sameFloor[s.pkg+" -> "+dep] != "" || sameFloor["* -> "+dep] != ""
}

func TestBannedPackagesStayOut(t *testing.T) {
	for _, s := range sources(t) {
		for _, q := range s.imports {
			for p, why := range bannedEverywhere {
				if q == p || strings.HasPrefix(q, p) && strings.HasSuffix(p, "/") {
					t.Errorf("%s imports %s: %s", s.path, q, why)
				}
			}
			if why := banned[q]; why != "" && !s.test && !kit(s.pkg) {
				t.Errorf("%s imports %s: %s", s.path, q, why)
			}
		}
	}
}

func TestHouseIsNotTooHigh(t *testing.T) {
	below := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, q := range s.imports {
			if dep, ours := ourPackage(q); ours && !slices.Contains(below[s.pkg], dep) {
				below[s.pkg] = append(below[s.pkg], dep)
			}
		}
	}
	for p := range below {
		if chain := longest(below, p); len(chain) > maxDepth {
			t.Errorf("%d packages stand on each other, want at most %d: %s", len(chain), maxDepth, strings.Join(chain, " > "))
		}
	}
}

// longest is the longest chain of imports that begins with p.
func longest(below map[string][]string, p string) []string {
	var rest []string
	for _, q := range below[p] {
		if c := longest(below, q); len(c) > len(rest) {
			rest = c
		}
	}
	return append([]string{p}, rest...)
}

// A rule that lets everything through would keep the tests above green for ever.
func TestMayImportSaysNo(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test     bool
		want     bool
	}{
		{"cmd/keng", "internal/app", false, true},
		{"cmd/keng", "internal/village/sim", false, true},
		{"internal/village/sim", "internal/village", false, true},
		{"internal/village/stage", "internal/app", false, true},
		{"internal/app", "internal/village", false, false},
		{"internal/app", "internal/alarm", false, true},
		{"internal/alarm", "internal/device", false, false},
		{"internal/alarm", "internal/device", true, false},
		{"internal/alarm", "internal/app", true, false},
		{"internal/alarm", "internal/alarm", true, true},
		{"internal/device", "internal/dialect/tasmota", false, true},
		{"internal/dialect/tasmota", "internal/dialect", false, true},
		{"internal/dialect/tasmota", "internal/dialect/esphome", false, false},
		{"internal/dialect/tasmota", "internal/device", false, false},
		{"internal/signal", "internal/place", false, true},
		{"internal/place", "internal/signal", false, false},
		{"internal/place", "internal/engine/store", false, true},
		{"internal/engine/store", "internal/engine/fault", false, true},
		{"internal/engine/broker", "internal/engine/store", false, false},
		{"internal/engine/store", "internal/place", false, false},
		{"internal/engine/web", "web", false, false},
		{"internal/app", "web", false, true},
		{"web", "internal/engine/fault", false, true},
		{"internal/alarm", "internal/engine/store/storetest", false, false},
		{"internal/alarm", "internal/engine/store/storetest", true, true},
		{"internal/engine/store/storetest", "internal/engine/store", false, true},
		{"internal/alarm", "internal/nowhere/else", false, false},
		{"internal/engine/web", "internal/people", true, false},
	} {
		s := source{path: c.from + "/x.go", pkg: c.from, test: c.test}
		if got := mayImport(s, c.to); got != c.want {
			t.Errorf("%s -> %s (test %v): may %v, want %v", c.from, c.to, c.test, got, c.want)
		}
	}
	outside := source{pkg: "internal/engine/web", test: true, file: &ast.File{Name: ast.NewIdent("web_test")}}
	for dep, want := range map[string]bool{"internal/people": true, "internal/engine/store": true, "internal/alarm": false, "internal/app": false} {
		if got := mayImport(outside, dep); got != want {
			t.Errorf("a test outside %s -> %s: may %v, want %v", outside.pkg, dep, got, want)
		}
	}
}

func ourPackage(q string) (string, bool) { return strings.CutPrefix(q, module+"/") }

func floorOf(pkg string) int {
	if kit(pkg) {
		pkg = path.Dir(pkg)
	}
	for i, f := range floors {
		if f.of(pkg) {
			return i
		}
	}
	return -1
}

func floorName(pkg string) string {
	if i := floorOf(pkg); i >= 0 {
		return floors[i].name
	}
	return "no floor"
}

func below(top string) func(string) bool {
	return func(p string) bool { return p == top || strings.HasPrefix(p, top+"/") }
}

func is(names ...string) func(string) bool {
	return func(p string) bool { return slices.Contains(names, p) }
}

// slice reports whether pkg is a domain slice: a direct child of internal that no
// other floor claims.
func slice(pkg string) bool {
	name, ok := strings.CutPrefix(pkg, "internal/")
	if !ok || strings.Contains(name, "/") {
		return false
	}
	return !slices.Contains([]string{"arch", "app", "dialect", "engine", "fact", "people", "place", "signal", "village"}, name)
}

// kit reports whether pkg is a test kit: store/storetest.
func kit(pkg string) bool {
	return path.Base(pkg) == path.Base(path.Dir(pkg))+"test"
}
