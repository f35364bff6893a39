package bench

import (
	"strings"
	"testing"
)

// TestPolicyBenchAsksRealQuestions: both ways give the same answers, some yes and
// some no; otherwise the numbers would compare nothing.
func TestPolicyBenchAsksRealQuestions(t *testing.T) {
	rep, err := MeasurePolicy(t.Context(), 1)
	if err != nil || rep.Different != 0 || rep.Entities < 270_000 || len(rep.Rows) != 3 {
		t.Fatalf("%+v, %v", rep, err)
	}
	groups, folk := province()
	yes := 0
	for _, q := range looks(groups, folk) {
		if ifs(q) {
			yes++
		}
	}
	if yes < 500 || yes > 3500 {
		t.Errorf("%d of 4096 are yes", yes)
	}
	var b strings.Builder
	if err := rep.Write(&b); err != nil || !strings.Contains(b.String(), "plain Go") {
		t.Errorf("%v: %s", err, b.String())
	}
}
