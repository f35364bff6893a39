package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// ran is a run whose press to 7th siren took ms at p50.
func ran(n int, ms float64) Run {
	return Run{Run: n, Faults: []string{}, Steady: Steady{Ring: Spread{N: 1, P50: ms}, tally: tally{last: []time.Duration{time.Duration(ms * 1e6)}}}}
}

func made(keng, raw, red []float64) *Report {
	rep := &Report{Systems: []Result{{Name: "raw-mosquitto"}, {Name: "keng"}, {Name: "node-red"}}}
	for name, list := range map[string][]float64{"keng": keng, "raw-mosquitto": raw, "node-red": red} {
		for i, v := range list {
			rep.take(name, ran(i+1, v))
		}
	}
	return rep
}

func (rep *Report) goal(t *testing.T, part string) Goal {
	t.Helper()
	for _, g := range rep.Goals {
		if strings.Contains(g.Text, part) {
			return g
		}
	}
	t.Fatalf("no goal speaks of %q", part)
	return Goal{}
}

func TestGoalsAreComputedFromMedians(t *testing.T) {
	rep := made([]float64{1, 9, 1.5}, []float64{0.5, 1, 0.75}, []float64{4, 3, 2})
	rep.conclude()
	if g := rep.goal(t, "Mosquitto"); !g.Known || !g.Reached || g.Value != 2 {
		t.Errorf("goal %+v", g)
	}
	if g := rep.goal(t, "Node-RED"); !g.Reached || g.Value != 2 {
		t.Errorf("goal %+v", g)
	}
	rep = made([]float64{1.6}, []float64{0.75}, []float64{3})
	rep.conclude()
	if g := rep.goal(t, "Mosquitto"); !g.Known || g.Reached {
		t.Errorf("goal %+v", g)
	}
	if g := rep.goal(t, "Node-RED"); !g.Known || g.Reached {
		t.Errorf("goal %+v", g)
	}
}

func TestInvalidRunCountsForNothing(t *testing.T) {
	rep := made([]float64{1}, []float64{1}, nil)
	bad := ran(2, 0.001)
	bad.fault("steady: 3 rings are missing")
	rep.take("keng", bad)
	rep.conclude()
	if g := rep.goal(t, "Mosquitto"); g.Value != 1 {
		t.Errorf("goal %+v", g)
	}
	if rep.Valid() {
		t.Error("a report with an invalid run is valid")
	}
	var b bytes.Buffer
	if err := rep.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "INVALID: run 2 of keng: steady: 3 rings are missing") || strings.Contains(b.String(), "every press rang") {
		t.Errorf("table:\n%s", &b)
	}
}

func TestMissingSystemIsNamed(t *testing.T) {
	rep := made([]float64{1}, []float64{1}, nil)
	rep.result("node-red").Missing = "node-red is not installed"
	rep.conclude()
	if g := rep.goal(t, "Node-RED"); g.Known || g.Reached {
		t.Errorf("goal %+v", g)
	}
	if !rep.Valid() {
		t.Error("a missing peer makes the others invalid")
	}
	var table, data bytes.Buffer
	if err := rep.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MISSING, NOT MEASURED: node-red is not installed", "unknown  p50 at least twice as fast as Node-RED"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
	if err := rep.WriteJSON(&data); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(data.Bytes()) {
		t.Error("not JSON")
	}
}

func TestCellShowsMedianAndRange(t *testing.T) {
	for want, values := range map[string][]float64{"-": nil, "0.250": {0.25}, "2 (1 to 12.5)": {1, 12.5, 2}, "150 (0.001 to 300)": {0.001, 300, 150.4}} {
		if got := cell(values); got != want {
			t.Errorf("%v is %q, want %q", values, got, want)
		}
	}
}

func TestOptionsNeedAFreeGroupForEachPress(t *testing.T) {
	o := Defaults()
	o.Keng = "keng"
	if err := o.Check(); err != nil {
		t.Error(err)
	}
	quick := o.Hasten()
	if err := quick.Check(); err != nil {
		t.Error(err)
	}
	for what, edit := range map[string]func(*Options){
		"too many presses": func(o *Options) { o.Rate = 100 },
		"no such system":   func(o *Options) { o.Only = []string{"kafka"} },
		"too many groups":  func(o *Options) { o.Groups = most + 1 },
		"no run":           func(o *Options) { o.Runs = 0 },
		"no program":       func(o *Options) { o.Keng = "" },
	} {
		bad := o
		if edit(&bad); bad.Check() == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}
