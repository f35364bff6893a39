package main

import (
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/app"
)

// TestGrantFirst: on a new machine two chiefs are made, a third is refused and told
// what to do.
func TestGrantFirst(t *testing.T) {
	dir := t.TempDir()
	db, err := app.Open(t.Context(), app.Options{Data: dir}) // as an import makes it
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	keng := func(args ...string) (int, string) {
		var out strings.Builder
		code := run(t.Context(), env{out: &out, err: &out, getenv: func(string) string { return "" }}, append([]string{"grant", "--data", dir}, args...))
		return code, out.String()
	}
	for _, name := range []string{"Thượng tá Thu", "Thiếu tá Minh"} {
		if code, out := keng("first", "--unit", "04792", "--name", name); code != 0 || !strings.Contains(out, "/i/") {
			t.Fatalf("%d: %s", code, out)
		}
	}
	if code, out := keng("first", "--unit", "04792", "--name", "Đại tá Ba"); code != 1 || !strings.Contains(out, "hai") {
		t.Errorf("a third: %d: %s", code, out)
	}
	code, out := keng("list")
	if code != 0 || strings.Count(out, "chief") != 2 || !strings.Contains(out, "Thiếu tá Minh") {
		t.Errorf("%d: %s", code, out)
	}
}
