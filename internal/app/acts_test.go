package app

import (
	"testing"

	"github.com/keng-vn/keng/internal/people"
)

// Each start is on record, with the rules of "may they?" that hold from then on.
func TestEachStartIsOnRecordWithItsRules(t *testing.T) {
	a := whole(t, func(o *Options) { o.Version = "v1.2.3" })
	rules, err := people.CheckLaw()
	if err != nil {
		t.Fatal(err)
	}
	var on, body string
	until(t, "the start on record", func() bool {
		return a.DB.Read().QueryRowContext(t.Context(), `SELECT on_id, body FROM audit_act WHERE name = 'keng.start'`).Scan(&on, &body) == nil
	})
	if on != "policy/"+rules || body != `{"version":"v1.2.3"}` {
		t.Errorf("on record: %s %s", on, body)
	}
	if got, err := a.Audit.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 {
		t.Errorf("the log: %v, %v", got, err)
	}
}
