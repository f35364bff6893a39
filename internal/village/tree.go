package village

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mostBytes bounds a village file; one of 1,000 groups is 4 MB.
const mostBytes = 64 << 20

// mostDepth bounds how deep lists and tables nest; a village file needs 7.
const mostDepth = 32

// kind is what a node is.
type kind int

const (
	empty kind = iota
	text       // also numbers and booleans, as they were written
	list
	table
)

// node is one value of the file with the line where it begins, from 1.
type node struct {
	line   int
	kind   kind
	text   string
	quoted bool // it was written as text: "22" and not 22
	list   []*node
	table  []field
}

// field is one entry of a table.
type field struct {
	name  string
	line  int
	value *node
}

// broken is a file that cannot be read as YAML or JSON at all.
type broken struct {
	line int // 0 when it is not known
	err  error
}

// Error implements error.
func (b *broken) Error() string { return fmt.Sprintf("line %d: %v", b.line, b.err) }

// Unwrap returns the parser's own words.
func (b *broken) Unwrap() error { return b.err }

// readTree reads one document.
func readTree(r io.Reader) (*node, error) {
	b, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read village file: %w", err)
	}
	if len(b) > mostBytes {
		return nil, &broken{0, fmt.Errorf("more than %d MB", mostBytes>>20)}
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if head := bytes.TrimLeft(b, " \t\r\n"); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		n, jsonErr := readJSON(b)
		if jsonErr == nil {
			return n, nil
		}
		if n, err := readYAML(b); err == nil { // {a: 1} is YAML
			return n, nil
		}
		return nil, jsonErr
	}
	return readYAML(b)
}

// readJSON reads exactly what encoding/json reads, with lines.
func readJSON(b []byte) (*node, error) {
	j := &jsonReader{text: b, line: 1, d: json.NewDecoder(bytes.NewReader(b))}
	j.d.UseNumber()
	n, err := j.value(0)
	if err == nil {
		if _, more := j.d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the end")
		}
	}
	if err != nil {
		j.move(j.d.InputOffset())
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			j.move(s.Offset)
		}
		return nil, &broken{j.line, err}
	}
	return n, nil
}

// jsonReader counts lines while it reads tokens.
type jsonReader struct {
	text []byte
	d    *json.Decoder
	at   int64 // offset that line belongs to
	line int
}

// move counts lines up to offset to; it never goes back.
func (j *jsonReader) move(to int64) {
	if to > j.at {
		j.line += bytes.Count(j.text[j.at:to], []byte("\n"))
		j.at = to
	}
}

func (j *jsonReader) token() (json.Token, error) {
	t, err := j.d.Token()
	if err == nil {
		j.move(j.d.InputOffset())
	}
	return t, err
}

func (j *jsonReader) value(depth int) (*node, error) {
	t, err := j.token()
	if err != nil {
		return nil, err
	}
	return j.rest(t, depth)
}

// rest reads the value that begins with t.
func (j *jsonReader) rest(t json.Token, depth int) (*node, error) {
	if depth > mostDepth {
		return nil, errors.New("nested too deep")
	}
	n := &node{line: j.line}
	switch t := t.(type) {
	case nil:
		return n, nil
	case json.Delim:
		if t == '[' {
			return n, j.items(n, depth)
		}
		return n, j.fields(n, depth)
	case string:
		n.kind, n.text, n.quoted = text, t, true
	default:
		n.kind, n.text = text, fmt.Sprint(t)
	}
	return n, nil
}

func (j *jsonReader) items(n *node, depth int) error {
	n.kind = list
	for j.d.More() {
		v, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		n.list = append(n.list, v)
	}
	_, err := j.token() // ]
	return err
}

func (j *jsonReader) fields(n *node, depth int) error {
	n.kind = table
	for j.d.More() {
		name, err := j.token()
		if err != nil {
			return err
		}
		f := field{name: fmt.Sprint(name), line: j.line}
		if f.value, err = j.value(depth + 1); err != nil {
			return err
		}
		n.table = append(n.table, f)
	}
	_, err := j.token() // }
	return err
}

// yamlLine finds the line in what the parser says: "yaml: line 12: ...".
var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func readYAML(b []byte) (*node, error) {
	d := yaml.NewDecoder(bytes.NewReader(b))
	var doc yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &node{line: 1}, nil
	}
	if err != nil {
		return nil, brokenYAML(err)
	}
	n, err := fromYAML(&doc, 0)
	if err != nil {
		return nil, err
	}
	var second yaml.Node
	if err := d.Decode(&second); err == nil {
		return nil, &broken{second.Line, errors.New("a second document")}
	} else if !errors.Is(err, io.EOF) {
		return nil, brokenYAML(err)
	}
	return n, nil
}

func brokenYAML(err error) error {
	says := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(says); m != nil {
		line, _ := strconv.Atoi(m[1]) // digits
		return &broken{line, errors.New(says[len(m[0]):])}
	}
	return &broken{0, errors.New(says)}
}

// fromYAML copies y. Anchors are names for later and harmless; an alias would
// make two homes of one, so it is refused.
func fromYAML(y *yaml.Node, depth int) (*node, error) {
	if depth > mostDepth {
		return nil, &broken{y.Line, errors.New("nested too deep")}
	}
	n := &node{line: max(y.Line, 1)}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return n, nil
		}
		return fromYAML(y.Content[0], depth)
	case yaml.AliasNode:
		return nil, &broken{y.Line, fmt.Errorf("an alias (*%s): write the value out", y.Value)}
	case yaml.ScalarNode:
		if y.Tag != "!!null" {
			n.kind, n.text, n.quoted = text, y.Value, y.Tag == "!!str"
		}
	case yaml.SequenceNode:
		n.kind = list
		for _, c := range y.Content {
			v, err := fromYAML(c, depth+1)
			if err != nil {
				return nil, err
			}
			n.list = append(n.list, v)
		}
	case yaml.MappingNode:
		n.kind = table
		for i := 0; i+1 < len(y.Content); i += 2 {
			v, err := fromYAML(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			n.table = append(n.table, field{name: y.Content[i].Value, line: y.Content[i].Line, value: v})
		}
	}
	return n, nil
}
