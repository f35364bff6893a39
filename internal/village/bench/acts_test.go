package bench

import (
	"strings"
	"testing"
	"time"
)

// TestActsMeasuresEachWriterAndChecksTheLog runs the bench of the log of acts in
// small.
func TestActsMeasuresEachWriterAndChecksTheLog(t *testing.T) {
	var out strings.Builder
	if err := Acts(t.Context(), ActsOptions{Runs: 1, Span: 30 * time.Millisecond, Entries: 600, Proofs: 3}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bare insert", "plain hash chain", "about 30 persons", "and by a witness: p50", "verify 6"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
}
