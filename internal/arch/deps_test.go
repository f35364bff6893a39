package arch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const depsPage = "docs/deps.md"

// entry is one line of the page: "- `module`: reason".
var entry = regexp.MustCompile("^- `([^`]+)`: *(.*)$")

func TestEveryDependencyHasItsReason(t *testing.T) {
	listed := section(t, "Go")
	used := modulesInUse(t)
	for m, where := range used {
		if listed[m] == "" {
			t.Errorf("%s imports %s: give the reason in one line of %s", where, m, depsPage)
		}
	}
	for m := range listed {
		if used[m] == "" {
			t.Errorf("%s: nothing imports %s", depsPage, m)
		}
	}
}

func TestEveryToolHasItsReason(t *testing.T) {
	same(t, "Tools", toolModules(t))
}

func TestEveryNpmPackageHasItsReason(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "web/package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pack struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := json.Unmarshal(b, &pack); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, set := range []map[string]string{pack.Dependencies, pack.DevDependencies} {
		for name, version := range set {
			names = append(names, name)
			if strings.ContainsAny(version, "^~*><| ") || version == "latest" {
				t.Errorf("web/package.json: %s %q is not one version", name, version)
			}
		}
	}
	same(t, "npm", names)
}

// same fails unless the section lists exactly names.
func same(t *testing.T, heading string, names []string) {
	t.Helper()
	listed := section(t, heading)
	for _, n := range names {
		if listed[n] == "" {
			t.Errorf("%s: no line with a reason for %s under %q", depsPage, n, heading)
		}
		delete(listed, n)
	}
	for n := range listed {
		t.Errorf("%s: %s is listed under %q but not used", depsPage, n, heading)
	}
}

// section reads the entries below a heading: name to reason.
func section(t *testing.T, heading string) map[string]string {
	t.Helper()
	_, after, ok := strings.Cut(text(t, depsPage), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %q", depsPage, heading)
	}
	after, _, _ = strings.Cut(after, "\n## ")
	listed := map[string]string{}
	for line := range strings.SplitSeq(after, "\n") {
		if m := entry.FindStringSubmatch(line); m != nil {
			if listed[m[1]] != "" {
				t.Errorf("%s: %s is listed twice", depsPage, m[1])
			}
			listed[m[1]] = m[2]
		} else if strings.HasPrefix(line, "-") || strings.HasPrefix(line, "|") {
			t.Errorf("%s: %q is not \"- `name`: reason\"", depsPage, line)
		}
	}
	return listed
}

// modulesInUse maps each module that a file imports to one such file.
func modulesInUse(t *testing.T) map[string]string {
	t.Helper()
	required := requirements(t, "go.mod")
	used := map[string]string{}
	for _, s := range sources(t) {
		for _, q := range s.imports {
			if _, ours := ourPackage(q); ours || !strings.Contains(strings.Split(q, "/")[0], ".") {
				continue
			}
			m := moduleOf(q, required)
			if m == "" {
				t.Errorf("%s imports %s, which no module in go.mod holds", s.path, q)
				continue
			}
			used[m] = s.path
		}
	}
	return used
}

// moduleOf is the longest of the modules whose path begins q.
func moduleOf(q string, modules []string) string {
	best := ""
	for _, m := range modules {
		if (q == m || strings.HasPrefix(q, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9.-]+\.[a-z]+/\S+) v\S+`)

func requirements(t *testing.T, mod string) []string {
	t.Helper()
	var modules []string
	for _, m := range requirement.FindAllStringSubmatch(text(t, mod), -1) {
		modules = append(modules, m[1])
	}
	if len(modules) == 0 {
		t.Fatalf("%s requires nothing", mod)
	}
	return modules
}

var toolLine = regexp.MustCompile(`(?m)^(?:tool )?\t?([a-z0-9.-]+\.[a-z]+/\S+)$`)

// toolModules lists the modules of the tool directives in tools/go.mod.
func toolModules(t *testing.T) []string {
	t.Helper()
	required := requirements(t, "tools/go.mod")
	var modules []string
	for _, m := range toolLine.FindAllStringSubmatch(text(t, "tools/go.mod"), -1) {
		modules = append(modules, moduleOf(m[1], required))
	}
	return modules
}
