package policy

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// Text is the policies and schemas of this build.
//
//go:embed *.cedar *.cedarschema
var Text embed.FS

// Set is policies and their schema, checked and compiled. It never changes and
// is safe for use by many goroutines.
type Set struct {
	hash   string
	list   map[string]Policy
	by     map[string]*cedar.PolicySet // by action: those that may apply
	schema *resolved.Schema
	check  *validate.Validator
}

// Policy is one policy as it was read.
type Policy struct {
	ID     string
	File   string
	Forbid bool
	text   *cedar.Policy
}

// Text is the policy in Cedar.
func (p Policy) Text() string { return string(p.text.MarshalCedar()) }

// JSON is the policy in Cedar's JSON format.
func (p Policy) JSON() ([]byte, error) { return p.text.MarshalJSON() }

// BuiltIn is the set of this build, compiled at the first call.
func BuiltIn() (*Set, error) { return builtIn() }

var builtIn = sync.OnceValues(func() (*Set, error) { return Read(Text) })

// Read compiles the *.cedar and *.cedarschema files of files.
func Read(files fs.FS) (*Set, error) {
	s := &Set{list: map[string]Policy{}}
	sum := sha256.New()
	if err := s.readSchema(files, sum.Write); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.cedar")
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		_, _ = sum.Write(text) // never fails
		if err := s.add(name, text); err != nil {
			return nil, fmt.Errorf("read policies: %s: %w", name, err)
		}
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))
	return s, s.index()
}

// readSchema joins the schema files: Cedar lets them stand one after the other.
func (s *Set) readSchema(files fs.FS, sum func([]byte) (int, error)) error {
	names, err := fs.Glob(files, "*.cedarschema")
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	var all strings.Builder
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("read schema: %w", err)
		}
		_, _ = sum(text) // never fails
		all.Write(text)
		all.WriteString("\n")
	}
	var written schema.Schema
	written.SetFilename(strings.Join(names, " + "))
	if err := written.UnmarshalCedar([]byte(all.String())); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	if s.schema, err = written.Resolve(); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	s.check = validate.New(s.schema)
	return nil
}

func (s *Set) add(file string, text []byte) error {
	read, err := cedar.NewPolicySetFromBytes(file, text)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range read.All() {
		id := string(p.Annotations()["id"])
		if id == "" {
			errs = append(errs, fmt.Errorf("line %d: a policy needs an @id", p.Position().Line))
			continue
		}
		if other, taken := s.list[id]; taken {
			errs = append(errs, fmt.Errorf("line %d: @id %q stands in %s too", p.Position().Line, id, other.File))
			continue
		}
		if err := s.fits(id, p); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %s: %w", p.Position().Line, id, err))
			continue
		}
		s.list[id] = Policy{ID: id, File: file, Forbid: p.Effect() == cedar.Forbid, text: p}
	}
	return errors.Join(errs...)
}

// fits reports what the schema says against p.
func (s *Set) fits(id string, p *cedar.Policy) error {
	if err := s.check.Policy(id, (*ast.Policy)(p.AST())); err != nil {
		return err
	}
	f, err := facesOf(p)
	if err != nil {
		return err
	}
	if f.names != "" {
		return fmt.Errorf("it names %s: say a kind or a relation", f.names)
	}
	for _, a := range f.actions {
		if _, ok := s.schema.Actions[action(a)]; !ok {
			return fmt.Errorf("the schema has no action %q", a)
		}
	}
	return nil
}

// index sorts the policies by the actions that they speak of, so that a decision
// looks at those few only.
func (s *Set) index() error {
	s.by = map[string]*cedar.PolicySet{}
	for uid := range s.schema.Actions {
		s.by[string(uid.ID)] = cedar.NewPolicySet()
	}
	for id, p := range s.list {
		f, err := facesOf(p.text)
		if err != nil {
			return err
		}
		if f.actions == nil {
			f.actions = s.Actions()
		}
		for _, a := range f.actions {
			s.by[a].Add(cedar.PolicyID(id), p.text)
		}
	}
	return nil
}

// Hash is the SHA-256 of all texts, in the order of their names.
func (s *Set) Hash() string { return s.hash }

// Actions lists the verbs that the schema knows, sorted.
func (s *Set) Actions() []string {
	var all []string
	for uid := range s.schema.Actions {
		all = append(all, string(uid.ID))
	}
	slices.Sort(all)
	return all
}

// Kinds lists the kinds of things that a verb fits, sorted; none for a verb that
// is not known.
func (s *Set) Kinds(verb string) []string {
	a, ok := s.schema.Actions[action(verb)]
	if !ok || a.AppliesTo == nil {
		return nil
	}
	var kinds []string
	for _, t := range a.AppliesTo.Resources {
		kinds = append(kinds, string(t))
	}
	slices.Sort(kinds)
	return kinds
}

// Has reports whether things of that kind have that attribute.
func (s *Set) Has(kind, attr string) bool {
	e, ok := s.schema.Entities[types.EntityType(kind)]
	if !ok {
		return false
	}
	_, ok = e.Shape[types.String(attr)]
	return ok
}

// Policies lists all policies, by id.
func (s *Set) Policies() []Policy {
	all := make([]Policy, 0, len(s.list))
	for _, p := range s.list {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Policy) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// With is s with policy id replaced by one in Cedar's JSON, or without it when json
// is nil; what the schema refuses is an error. Proofs use it: what is changed must
// be noticed.
func (s *Set) With(id string, json []byte) (*Set, error) {
	m := &Set{hash: "changed", list: map[string]Policy{}, schema: s.schema, check: s.check}
	for k, p := range s.list {
		m.list[k] = p
	}
	p := m.list[id]
	delete(m.list, id)
	if json != nil {
		p.text = new(cedar.Policy)
		if err := p.text.UnmarshalJSON(json); err != nil {
			return nil, err
		}
		if err := s.fits(id, p.text); err != nil {
			return nil, err
		}
		m.list[id] = p
	}
	return m, m.index()
}

func action(verb string) types.EntityUID { return types.NewEntityUID("Action", types.String(verb)) }

// Slice is the part of a policy file's name that says whose it is.
func (p Policy) Slice() string { return strings.TrimSuffix(path.Base(p.File), ".cedar") }
