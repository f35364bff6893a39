package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoCoreDumps: a running Keng leaves no picture of its memory on disk.
func TestNoCoreDumps(t *testing.T) {
	p := startKeng(t, nil, nil, "--data", t.TempDir())
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err) // not Linux
	}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "Max core file size") {
			if f := strings.Fields(line); f[4] != "0" || f[5] != "0" {
				t.Error(line)
			}
			return
		}
	}
	t.Errorf("no limit of core files:\n%s", b)
}

var named = regexp.MustCompile(`KENG_[A-Z0-9_]+`)

// TestUnitsSayWhatTheProgramKnows: commands, flags and variables of the units that
// we ship are those of this program, and what protects the machine is in them.
func TestUnitsSayWhatTheProgramKnows(t *testing.T) {
	files, err := filepath.Glob("../../packaging/*.service")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		unit := string(b)
		_, line, ok := strings.Cut(unit, "\nExecStart=/usr/local/bin/keng ")
		if !ok {
			t.Errorf("%s starts nothing", file)
			continue
		}
		line, _, _ = strings.Cut(line, "\n")
		words := strings.Fields(line)
		_, _, help := runHere(t, nil, words[0], "-h")
		if !slices.ContainsFunc(commands(), func(c command) bool { return c.name == words[0] }) {
			t.Errorf("%s: there is no command %s", file, words[0])
		}
		for _, w := range words[1:] {
			if flag, ok := strings.CutPrefix(w, "--"); ok && !strings.Contains(help, "  -"+flag) {
				t.Errorf("%s: keng %s has no --%s", file, words[0], flag)
			}
		}
		for _, v := range named.FindAllString(unit, -1) {
			if !strings.Contains(help, strings.TrimSuffix(v, "_FILE")) || strings.HasSuffix(v, "_FILE") && !slices.Contains(secrets(), strings.TrimSuffix(v, "_FILE")) {
				t.Errorf("%s: keng %s knows no %s", file, words[0], v)
			}
		}
		for _, want := range []string{"User=keng", "UMask=0077", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateDevices=yes", "CapabilityBoundingSet=\n", "LimitCORE=0", "SystemCallFilter=@system-service", "LoadCredential=database:"} {
			if !strings.Contains(unit, want) {
				t.Errorf("%s: no %s", file, want)
			}
		}
	}
}
