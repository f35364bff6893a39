package audit_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/engine/audit"
)

// TestSavedProofIsCheckedWithoutTheLog checks what a phone saves, as it is and with
// one thing changed at a time.
func TestSavedProofIsCheckedWithoutTheLog(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	fill(t, db, l, 9)
	dir, wdir := t.TempDir(), t.TempDir()
	w, _ := witness(t, wdir, verifier(t, head(t, l, dir).Verifier()))
	h := head(t, l, dir, w)
	s, err := l.Show(t.Context(), "lan", 4)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := h.Proof(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	good := audit.Evidence{N: 4, Leaf: string(s.Leaf), Proof: string(proof), Key: h.Verifier(), Opens: []audit.Opened{
		{Field: "of", Opening: s.Me, Value: "person/lan"},
		{Field: "by", Opening: s.ByWho, Value: "person/officer-1"},
		{Field: "on", Opening: s.OnWhat, Value: "group/group-1"},
		{Field: "body", Opening: s.Contents, Value: `{"names":true}`},
	}}
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	e, err := audit.ParseEvidence(text)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, h.Verifier())
	if err := e.Check(v, w.Key); err != nil {
		t.Errorf("a good proof: %v", err)
	}
	stranger, _ := witness(t, t.TempDir(), v)
	if err := e.Check(v, stranger.Key); err == nil {
		t.Error("a witness that did not sign is not missed")
	}
	for name, change := range map[string]func(*audit.Evidence){
		"another who":       func(e *audit.Evidence) { e.Opens[1].Value = "person/officer-2" },
		"another whose":     func(e *audit.Evidence) { e.Opens[0].Value = "person/binh" },
		"other details":     func(e *audit.Evidence) { e.Opens[3].Value = `{"names":false}` },
		"an unknown field":  func(e *audit.Evidence) { e.Opens[2].Field = "where" },
		"no opening":        func(e *audit.Evidence) { e.Opens[0].Opening = audit.Opening{} },
		"another act":       func(e *audit.Evidence) { e.Leaf = strings.Replace(e.Leaf, "privacy.look", "privacy.lock", 1) },
		"another place":     func(e *audit.Evidence) { e.N = 5 },
		"a shorter proof":   func(e *audit.Evidence) { e.Proof = strings.Replace(e.Proof, "index 4", "index 3", 1) },
		"an unsigned proof": func(e *audit.Evidence) { e.Proof = e.Proof[:strings.Index(e.Proof, "—")] },
	} {
		bad, err := audit.ParseEvidence(text)
		if err != nil {
			t.Fatal(err)
		}
		change(&bad)
		if bad.Check(v) == nil {
			t.Errorf("%s is believed", name)
		}
	}
}
