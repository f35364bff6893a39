package audit

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Machine is the By of what an operator does at the machine itself.
const Machine = "machine/operator"

// mostOf is how many persons one act may be about: a group, not a province.
const mostOf = 1000

// Act is something done with somebody's data.
type Act struct {
	Name string   // "slice.verb", public: "people.invite"
	Area string   // code of the unit where, public: "04792"; "" for none
	By   string   // id of the person who did it; with a slash for who is none: "token/roll", [Machine]
	On   string   // kind and id of what it was done to: "group/g1", "person/01J..."; "" for nothing
	Of   []string // ids of the persons whose data it is; each of them can read the act
	Body any      // details, as JSON; the same for all of Of, and naming nobody
}

// Leaf is what of an act stays in the log for ever.
type Leaf struct {
	V    int          `json:"v"`
	T    string       `json:"t"` // the minute, UTC: "2026-11-24T12:01Z"
	Act  string       `json:"act"`
	Area string       `json:"area,omitempty"`
	Salt string       `json:"salt"`
	By   Commitment   `json:"by,omitzero"`
	On   Commitment   `json:"on,omitzero"`
	Of   []Commitment `json:"of,omitempty"` // sorted, which tells nothing of who is who
	Body Commitment   `json:"body,omitzero"`
}

const minute = "2006-01-02T15:04Z"

var (
	actName  = regexp.MustCompile(`^[a-z]{2,20}\.[a-z][a-z_]{1,30}$`)
	areaCode = regexp.MustCompile(`^([0-9]{2}|[0-9]{5})?$`)
	thing    = regexp.MustCompile(`^[a-z]{2,20}/[^\s]{1,200}$`)
)

// tidy checks a and puts it into its one form.
func (a Act) tidy() (Act, string, error) {
	a.Of = slices.Clone(a.Of)
	slices.Sort(a.Of)
	a.Of = slices.Compact(a.Of)
	switch {
	case !actName.MatchString(a.Name):
		return a, "", fmt.Errorf("act %q is not slice.verb", a.Name)
	case !areaCode.MatchString(a.Area):
		return a, "", fmt.Errorf("%s: area %q is no code of a unit", a.Name, a.Area)
	case a.On != "" && !thing.MatchString(a.On):
		return a, "", fmt.Errorf("%s: on is not kind/id", a.Name)
	case len(a.Of) > mostOf:
		return a, "", fmt.Errorf("%s: one act about %d persons", a.Name, len(a.Of))
	case slices.Contains(a.Of, ""):
		return a, "", fmt.Errorf("%s: of nobody", a.Name)
	}
	if a.Body == nil {
		return a, "", nil
	}
	body, err := json.Marshal(a.Body)
	if err != nil {
		return a, "", fmt.Errorf("%s: details: %w", a.Name, err)
	}
	for _, id := range append(slices.Clip(a.Of), a.By) {
		if id != "" && strings.Contains(string(body), strconv.Quote(id)) {
			return a, "", fmt.Errorf("%s: the details name a person, who stands in By, On or Of", a.Name)
		}
	}
	return a, string(body), nil
}

// Subject is what a leaf commits to for who did it: "person/<id>", or "token/<name>".
func Subject(by string) string {
	if by == "" || strings.Contains(by, "/") {
		return by
	}
	return person(by)
}

// person is under which name a person's key is kept.
func person(id string) string { return "person/" + id }

// subjects lists whose keys a's leaf needs.
func (a Act) subjects() []string {
	var s []string
	for _, id := range a.Of {
		s = append(s, person(id))
	}
	for _, x := range []string{Subject(a.By), a.On} {
		if x != "" && !slices.Contains(s, x) {
			s = append(s, x)
		}
	}
	return s
}

// leaf seals a. keys holds one for each of its subjects.
func (a Act) leaf(at time.Time, body string, keys map[string]Key, entry Key) Leaf {
	l := Leaf{V: 1, T: at.UTC().Format(minute), Act: a.Name, Area: a.Area, Salt: newSalt()}
	commit := func(subject string) Commitment { return keys[subject].For(l.Salt).Commit(subject) }
	if s := Subject(a.By); s != "" {
		l.By = commit(s)
	}
	if a.On != "" {
		l.On = commit(a.On)
	}
	for _, id := range a.Of {
		l.Of = append(l.Of, commit(person(id)))
	}
	slices.SortFunc(l.Of, func(x, y Commitment) int { return slices.Compare(x.b[:], y.b[:]) })
	if body != "" {
		l.Body = entry.For(l.Salt).Commit(body)
	}
	return l
}

// ParseLeaf reads a leaf.
func ParseLeaf(text []byte) (Leaf, error) {
	var l Leaf
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("read leaf: %w", err)
	}
	if l.V != 1 {
		return l, fmt.Errorf("read leaf: form %d is not known", l.V)
	}
	return l, nil
}
