package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	marks "github.com/keng-vn/keng/internal/village/bench"
)

// TestBenchMeasuresWhatItSays runs a small bench over real processes and holds
// its report against itself. No number in it is held against a clock.
func TestBenchMeasuresWhatItSays(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Skip("mosquitto is not installed (apt install mosquitto): nothing to measure Keng beside")
	}
	data := filepath.Join(t.TempDir(), "report.json")
	table := keng(t, "bench", "alarm", "--quick", "--only", "raw-mosquitto,keng,node-red", "--node-red", "no-such-node-red", "--json", data)
	text, err := os.ReadFile(data)
	if err != nil {
		t.Fatal(err)
	}
	var rep marks.Report
	if err := json.Unmarshal(text, &rep); err != nil {
		t.Fatal(err)
	}
	if !rep.Valid() || !rep.Quick || len(rep.Systems) != 3 || len(rep.Floors) != 1 {
		t.Fatalf("report:\n%s", table)
	}
	for _, s := range rep.Systems[:2] {
		if s.Missing != "" || len(s.Runs) != 1 {
			t.Fatalf("%s: missing %q, %d runs", s.Name, s.Missing, len(s.Runs))
		}
		checkRun(t, s.Name, s.Runs[0], rep.Groups)
	}
	if s := rep.Systems[2]; !strings.Contains(s.Missing, "no-such-node-red") || len(s.Runs) != 0 {
		t.Errorf("a peer that is missing: %+v", s)
	}
	for _, want := range []string{"THESE NUMBERS MEAN NOTHING", "MISSING, NOT MEASURED: no-such-node-red", "every press rang each of its 7 sirens"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

func checkRun(t *testing.T, name string, r marks.Run, groups int) {
	t.Helper()
	if s := r.Steady; s.Presses != 12 || s.Ring.N != 12 || s.Ack.N != 12 || s.Missing+s.Unacked != 0 {
		t.Errorf("%s: steady %+v", name, s)
	}
	if s := r.Steady.Ring; s.P50 <= 0 || s.P50 > s.P99 || s.P99 > s.P999 || s.P999 > s.Max || r.Steady.First.P50 > s.P50 {
		t.Errorf("%s: times out of order: %+v, first siren %+v", name, s, r.Steady.First)
	}
	if s := r.Storm; s.Presses != groups || s.Ring.N != groups || s.Missing+s.Unacked+s.Early != 0 || s.LastFirst <= 0 || s.LastFirst > s.LastRing {
		t.Errorf("%s: storm %+v", name, s)
	}
	if s := r.Reconnect; s.Presses < 1 || s.Ring.N != s.Presses || s.Missing != 0 || s.Seconds <= 0 {
		t.Errorf("%s: reconnect %+v", name, s)
	}
	if m := r.Memory; m.Before <= 0 || m.After <= 0 || (name == "keng") != (m.Empty > 0) {
		t.Errorf("%s: memory %+v", name, m)
	}
	if (name == "keng") != (r.Steady.Desk != nil) {
		t.Errorf("%s: desk %+v", name, r.Steady.Desk)
	}
}

// TestBenchPushIsWhole runs the small push bench: every healthy phone is reached
// once, although others are dead or dawdle.
func TestBenchPushIsWhole(t *testing.T) {
	var out, errs strings.Builder
	if code := run(t.Context(), env{out: &out, err: &errs, getenv: os.Getenv}, []string{"bench", "push", "--quick"}); code != 0 {
		t.Fatalf("code %d: %s", code, errs.String())
	}
	if !strings.Contains(out.String(), "| keng |") || !strings.Contains(out.String(), "196 of 196 | 0 |") {
		t.Error(out.String())
	}
}
