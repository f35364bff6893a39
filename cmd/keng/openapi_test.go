package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestScreensKnowTheAPI holds web/openapi.json, from which the types of the
// screens are checked, against the API as the code has it.
func TestScreensKnowTheAPI(t *testing.T) {
	var out, errs strings.Builder
	if code := run(t.Context(), env{out: &out, err: &errs, getenv: func(string) string { return "" }}, []string{"openapi"}); code != 0 {
		t.Fatalf("keng openapi: %d %s", code, errs.String())
	}
	want, err := os.ReadFile("../../web/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("web/openapi.json is stale, run: make api\n%.4000s", diff)
	}
}
