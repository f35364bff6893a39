package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Evidence is one entry with its proof and the openings that its reader was given:
// the file that a phone saves. It can be checked without the log.
type Evidence struct {
	N     int64    `json:"n"`
	Text  string   `json:"text"`
	Leaf  string   `json:"leaf"`
	Proof string   `json:"proof"`
	Key   string   `json:"key"`
	Opens []Opened `json:"opens"`
}

// Opened says what one commitment of the leaf holds.
type Opened struct {
	Field   string  `json:"field"` // of, by, on, body
	Opening Opening `json:"opening"`
	Value   string  `json:"value"`
}

// ParseEvidence reads such a file.
func ParseEvidence(text []byte) (Evidence, error) {
	var e Evidence
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("read evidence: %w", err)
	}
	if e.Leaf == "" || e.Proof == "" {
		return e, errors.New("read evidence: no leaf or no proof in it")
	}
	return e, nil
}

// Check reports what is wrong with e, nil when all of it holds: the openings, the
// leaf's place in the tree, the signature of the log and those of the witnesses.
func (e Evidence) Check(log note.Verifier, witnesses ...note.Verifier) error {
	leaf, err := ParseLeaf([]byte(e.Leaf))
	if err != nil {
		return err
	}
	for _, o := range e.Opens {
		if o.Opening == (Opening{}) || !leaf.holds(o.Field, o.Opening.Commit(o.Value)) {
			return fmt.Errorf("%s is not what the leaf commits to", o.Field)
		}
	}
	n, proof, signed, err := ParseProof([]byte(e.Proof))
	if err != nil {
		return err
	}
	c, names, err := OpenCheckpoint(signed, log, witnesses...)
	if err != nil {
		return err
	}
	for _, w := range witnesses {
		if !slices.Contains(names, w.Name()) {
			return fmt.Errorf("%s did not sign it", w.Name())
		}
	}
	if n != e.N {
		return errors.New("the proof is of another entry")
	}
	if err := tlog.CheckRecord(proof, c.Size, c.Root, n, tlog.RecordHash([]byte(e.Leaf))); err != nil {
		return fmt.Errorf("the leaf is not in the tree that was signed: %w", err)
	}
	return nil
}

// holds reports whether c stands in that field of l.
func (l Leaf) holds(field string, c Commitment) bool {
	switch field {
	case "of":
		return slices.Contains(l.Of, c)
	case "by":
		return l.By == c
	case "on":
		return l.On == c
	case "body":
		return l.Body == c
	}
	return false
}
