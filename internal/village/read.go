package village

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/place"
)

// Rules are what an operator may set about village files.
type Rules struct {
	Least, Most int                     // homes of a group without a warning; 0: what [place.BuiltInRules] say today
	Plan        func(json string) error // says what is wrong with a group's own alarm plan; nil accepts any
}

// Sizes sets how many homes a group has without a warning, in unit at time now.
// Provinces differ, so another size is never an error.
func (r *Rules) Sizes(rules place.Rules, unit place.UnitCode, now time.Time) {
	if n, ok := rules.Number("group.least", unit, now); ok {
		r.Least = n
	}
	if n, ok := rules.Number("group.most", unit, now); ok {
		r.Most = n
	}
}

// Parse reads a village file and everything that is wrong with it. When the rows
// are bad, the file is not whole and must not be used. The error is only about
// reading r.
func Parse(r io.Reader, rules Rules) (File, Rows, error) {
	usual := Rules{}
	usual.Sizes(place.BuiltInRules(), "", time.Now())
	rules.Least, rules.Most = cmp.Or(rules.Least, usual.Least), cmp.Or(rules.Most, usual.Most)
	c := newReader(rules)
	n, err := readTree(r)
	if b, ok := errors.AsType[*broken](err); ok {
		c.bad(b.line, "village.unreadable", "says", b.err.Error())
		return c.file, c.rows, nil
	}
	if err != nil {
		return c.file, nil, err
	}
	if n.kind == empty {
		c.bad(0, "village.empty")
		return c.file, c.rows, nil
	}
	c.readFile(n)
	c.rows.sort()
	return c.file, c.rows, nil
}

// reader turns nodes into a File and collects rows on the way.
type reader struct {
	rules  Rules
	rows   Rows
	file   File
	groups map[place.GroupID]*node // the first one of that id
	homes  map[string]int
	device map[string]int
	users  map[string]int // user names of hubs and devices
	hubs   map[string]bool
	wires  map[string]int // hub, topic and kind
}

func newReader(rules Rules) *reader {
	return &reader{
		rules: rules, groups: map[place.GroupID]*node{}, homes: map[string]int{}, device: map[string]int{},
		users: map[string]int{}, hubs: map[string]bool{}, wires: map[string]int{},
	}
}

func (c *reader) bad(line int, key string, pairs ...any) {
	c.rows = append(c.rows, Row{Line: line, Key: key, Args: args(pairs...)})
}

func (c *reader) warn(line int, key string, pairs ...any) {
	c.rows = append(c.rows, Row{Line: line, Warning: true, Key: key, Args: args(pairs...)})
}

// fields returns the fields of table n, which is called what; names are those
// that it may have. A null is a field that is not there.
func (c *reader) fields(n *node, what string, names ...string) map[string]*node {
	got := map[string]*node{}
	if n.kind != table {
		c.bad(n.line, "village.want_table", "field", what)
		return got
	}
	first := map[string]int{}
	for _, f := range n.table {
		if line, twice := first[f.name]; twice {
			c.bad(f.line, "village.field_twice", "field", f.name, "first", line)
			continue
		}
		first[f.name] = f.line
		switch hint := nearest(f.name, names); {
		case hint == f.name:
			if f.value.kind != empty {
				got[f.name] = f.value
			}
		case hint != "":
			c.bad(f.line, "village.field_hint", "field", f.name, "what", what, "hint", hint)
		default:
			c.bad(f.line, "village.field_unknown", "field", f.name, "what", what, "names", strings.Join(names, ", "))
		}
	}
	return got
}

// items returns the entries of list n, which is field what of its table.
func (c *reader) items(n *node, what string) []*node {
	switch {
	case n == nil || n.kind == empty:
		return nil
	case n.kind != list:
		c.bad(n.line, "village.want_list", "field", what)
		return nil
	}
	return n.list
}

// mostText bounds a name or address, in letters; secrets and topics too.
const mostText = 200

// text reads a line of text in NFC, "" when n is nil.
func (c *reader) text(n *node, what string) string {
	if n == nil {
		return ""
	}
	if n.kind != text {
		c.bad(n.line, "village.want_text", "field", what)
		return ""
	}
	s := place.Tidy(n.text)
	switch {
	case utf8.RuneCountInString(s) > mostText:
		c.bad(n.line, "village.text_too_long", "field", what, "most", mostText)
		return ""
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unwritten):
		c.bad(n.line, "village.text_control", "field", what)
		return ""
	}
	return s
}

// unwritten reports letters that cannot be seen and can mislead: control codes,
// and marks that turn the direction of writing round.
func unwritten(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// needed is text that must be there.
func (c *reader) needed(f map[string]*node, what string, line int) string {
	n := f[what]
	if n == nil {
		c.bad(line, "village.field_needed", "field", what)
		return ""
	}
	before := len(c.rows)
	s := c.text(n, what)
	if s == "" && len(c.rows) == before {
		c.bad(n.line, "village.field_needed", "field", what)
	}
	return s
}

// id is a name that programs use: letters without marks, digits, dot, dash,
// underscore; at most 64, beginning with a letter or digit.
func (c *reader) id(f map[string]*node, what string, line int) string {
	s := c.needed(f, what, line)
	if s != "" && !isID(s) {
		c.bad(f[what].line, "village.id_bad", "id", s, "field", what)
		return ""
	}
	return s
}

func isID(s string) bool {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case i > 0 && strings.ContainsRune("._-", r):
		default:
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// number reads a decimal number.
func (c *reader) number(n *node, what string) (float64, bool) {
	s := c.text(n, what)
	if n == nil || s == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v || v > 1e9 || v < -1e9 {
		c.bad(n.line, "village.number_bad", "field", what, "value", s)
		return 0, false
	}
	return v, true
}

// flag reads true or false.
func (c *reader) flag(n *node, what string) bool {
	switch s := strings.ToLower(c.text(n, what)); s {
	case "", "false", "no", "off":
		return false
	case "true", "yes", "on":
		return true
	default:
		c.bad(n.line, "village.flag_bad", "field", what, "value", s)
		return false
	}
}

// writeJSON writes n as JSON, for a part of the file that belongs to somebody else.
func (n *node) writeJSON(b *strings.Builder) {
	switch n.kind {
	case empty:
		b.WriteString("null")
	case text:
		if !n.quoted && json.Valid([]byte(n.text)) {
			b.WriteString(n.text) // a number, true, false
		} else {
			b.WriteString(quoteJSON(n.text))
		}
	case list:
		b.WriteByte('[')
		for i, v := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			v.writeJSON(b)
		}
		b.WriteByte(']')
	case table:
		b.WriteByte('{')
		for i, f := range n.table {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoteJSON(f.name) + ":")
			f.value.writeJSON(b)
		}
		b.WriteByte('}')
	}
}
