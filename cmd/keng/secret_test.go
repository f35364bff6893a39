package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// runHere runs a command in this process.
func runHere(t *testing.T, vars map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), env{out: &o, err: &e, getenv: func(n string) string { return vars[n] }}, args)
	return code, o.String(), e.String()
}

var (
	flagLine = regexp.MustCompile(`(?m)^  -([a-z0-9-]+)(?: (\S+))?$`)
	hush     = regexp.MustCompile(`pass|secret|key|token|credential|identity`)
)

// TestSecretsNeverComeByTheCommandLine looks at every flag of every command: one
// that is called after a secret takes a file, and no flag takes a password.
func TestSecretsNeverComeByTheCommandLine(t *testing.T) {
	flags := 0
	for _, c := range commands() {
		_, _, help := runHere(t, nil, c.name, "-h")
		for _, f := range flagLine.FindAllStringSubmatch(help, -1) {
			flags++
			name, kind := f[1], f[2]
			if hush.MatchString(name) && kind != "file" && kind != "" {
				t.Errorf("keng %s --%s takes a %s: take a secret from a file or the environment", c.name, name, kind)
			}
			if kind != "URL" {
				continue
			}
			for _, s := range []string{"postgres://keng:hunter2@127.0.0.1/x", "mqtts://u:hunter2@h", "postgres://127.0.0.1/x?password=hunter2", "host=h password=hunter2", "mqtt://u:p%zz@h"} {
				code, out, errs := runHere(t, nil, c.name, "--"+name, s)
				if code != 1 || !strings.Contains(errs, "--"+name) {
					t.Errorf("keng %s --%s %s: %d %s", c.name, name, s, code, errs)
				}
				if strings.Contains(out+errs, "hunter2") {
					t.Errorf("keng %s --%s repeats the password: %s%s", c.name, name, out, errs)
				}
			}
		}
	}
	if flags < 30 {
		t.Errorf("only %d flags were found: the test tested nothing", flags)
	}
}

// TestSecretsComeFromFiles as a service manager hands them over.
func TestSecretsComeFromFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "database")
	if err := os.WriteFile(file, []byte("postgres://keng:hunter2@127.0.0.1:1/x?connect_timeout=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runHere(t, map[string]string{"KENG_DATABASE_FILE": file}, "audit")
	if code != 1 || !strings.Contains(errs, "reach postgres") || strings.Contains(out+errs, "hunter2") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	data := t.TempDir()
	for name, vars := range map[string]map[string]string{
		"both":    {"KENG_DATABASE_FILE": file, "KENG_DATABASE": "postgres://127.0.0.1:1/y"},
		"missing": {"KENG_DATABASE_FILE": file + "x"},
		"empty":   {"KENG_DATABASE_FILE": os.DevNull},
	} {
		vars["KENG_DATA"] = data
		if code, _, errs := runHere(t, vars, "audit"); code != 1 || !strings.Contains(errs, "KENG_DATABASE_FILE") {
			t.Errorf("%s: %d %s", name, code, errs)
		}
	}
	if made, _ := os.ReadDir(data); len(made) > 0 {
		t.Errorf("went on without its secret and made %v", made)
	}
}
