package cap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// Bounds of a message that is read.
const (
	Largest   = 256 << 10 // bytes
	mostNodes = 20_000
	deepest   = 12
	mostSpots = 10_000 // points of all polygons
)

// node is an element with its text and children.
type node struct {
	name string
	text string
	kids []*node
}

// bad is a fault that says what is wrong, and where.
func bad(key, where string) *fault.Error {
	return &fault.Error{Op: "cap.Read", Kind: fault.Invalid, Key: key, Args: map[string]any{"where": where}}
}

// Read reads a message and holds it against the schema of CAP 1.2.
func Read(from io.Reader) (Alert, error) {
	text, err := io.ReadAll(io.LimitReader(from, Largest+1))
	if err != nil {
		return Alert{}, &fault.Error{Op: "cap.Read", Kind: fault.Invalid, Key: "cap.torn", Err: err}
	}
	if len(text) > Largest {
		return Alert{}, bad("cap.too_large", "")
	}
	root, err := parse(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if err != nil {
		return Alert{}, err
	}
	if where, key := check(root, schema); key != "" {
		return Alert{}, bad(key, where)
	}
	return build(root)
}

// parse makes a tree of text. It refuses what a message does not need and what has
// hurt others: document types, entities, other encodings, endless depth.
func parse(text []byte) (*node, error) {
	if !utf8.Valid(text) {
		return nil, bad("cap.encoding", "")
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errEncoding }
	p := &parser{left: mostNodes}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, errEncoding) {
			return nil, bad("cap.encoding", "")
		}
		if err != nil {
			line, _ := d.InputPos()
			return nil, &fault.Error{Op: "cap.Read", Kind: fault.Invalid, Key: "cap.bad_xml", Args: map[string]any{"line": line}, Err: err}
		}
		if err := p.take(t); err != nil {
			return nil, err
		}
	}
	if p.root == nil {
		return nil, bad("cap.not_cap", "")
	}
	return p.root, nil
}

var errEncoding = errors.New("another encoding than UTF-8")

// parser grows a tree.
type parser struct {
	root  *node
	stack []*node
	skip  int // depth inside a signature, which is not looked at
	left  int
}

func (p *parser) take(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return bad("cap.doctype", "")
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if p.skip > 0 {
			p.skip--
			return nil
		}
		p.stack = p.stack[:len(p.stack)-1]
	case xml.CharData:
		if p.skip == 0 && len(p.stack) > 0 {
			p.stack[len(p.stack)-1].text += string(t)
		}
	}
	return nil
}

const signatures = "http://www.w3.org/2000/09/xmldsig#"

func (p *parser) start(t xml.StartElement) error {
	if p.left--; p.left < 0 || len(p.stack)+p.skip > deepest {
		return bad("cap.too_large", "")
	}
	if p.skip > 0 || len(p.stack) == 1 && t.Name.Space == signatures {
		p.skip++
		return nil
	}
	if len(p.stack) == 0 {
		if err := version(t.Name); err != nil || p.root != nil {
			return err
		}
	}
	if t.Name.Space != Namespace {
		return bad("cap.unknown_element", t.Name.Local)
	}
	n := &node{name: t.Name.Local}
	if len(p.stack) == 0 {
		p.root = n
	} else {
		up := p.stack[len(p.stack)-1]
		up.kids = append(up.kids, n)
	}
	p.stack = append(p.stack, n)
	return nil
}

// version says which CAP a root element belongs to.
func version(name xml.Name) error {
	switch {
	case name.Local == "alert" && name.Space == Namespace:
		return nil
	case name.Space == "urn:oasis:names:tc:emergency:cap:1.1":
		return bad("cap.old_version", "1.1")
	case name.Space == "http://www.incident.com/cap/1.0", name.Space == "urn:oasis:names:tc:emergency:cap:1.0":
		return bad("cap.old_version", "1.0")
	}
	return bad("cap.not_cap", "")
}

// zone is where a time without one would be; CAP times always have one.
func parseTime(s string) (time.Time, bool) {
	if !forms[dateTime].MatchString(s) {
		return time.Time{}, false
	}
	at, err := time.Parse("2006-01-02T15:04:05-07:00", s)
	return at.UTC(), err == nil
}

// build reads a tree that fits the schema.
func build(root *node) (a Alert, err error) {
	for _, n := range root.kids {
		text := strings.TrimSpace(n.text)
		switch n.name {
		case "identifier":
			a.Identifier = text
		case "sender":
			a.Sender = text
		case "sent":
			a.Sent, _ = parseTime(text)
		case "status":
			a.Status = text
		case "msgType":
			a.MsgType = text
		case "source":
			a.Source = text
		case "scope":
			a.Scope = text
		case "restriction":
			a.Restriction = text
		case "addresses":
			a.Addresses = quoted(text)
		case "code":
			a.Codes = append(a.Codes, text)
		case "note":
			a.Note = text
		case "references":
			if a.References, err = references(text); err != nil {
				return a, err
			}
		case "incidents":
			a.Incidents = quoted(text)
		case "info":
			i, err := info(n)
			if err != nil {
				return a, err
			}
			a.Infos = append(a.Infos, i)
		}
	}
	for where, s := range map[string]string{"identifier": a.Identifier, "sender": a.Sender} {
		if s == "" || strings.ContainsAny(s, " ,<&") || len(s) > 200 { // CAP 1.2, 3.2.1
			return a, bad("cap.bad_word", where)
		}
	}
	return a, nil
}

// quoted reads words parted by spaces; one with spaces stands in quotes.
func quoted(s string) (words []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if rest, ok := strings.CutPrefix(s, `"`); ok {
			w, after, _ := strings.Cut(rest, `"`)
			words, s = append(words, w), after
			continue
		}
		k := strings.IndexAny(s, " \t\r\n")
		if k < 0 {
			k = len(s)
		}
		words, s = append(words, s[:k]), s[k:]
	}
	return words
}

func references(s string) (list []Reference, err error) {
	for _, w := range strings.Fields(s) {
		part := strings.Split(w, ",")
		if len(part) != 3 {
			return nil, bad("cap.bad_reference", "references")
		}
		at, ok := parseTime(part[2])
		if !ok {
			return nil, bad("cap.bad_date", "references")
		}
		list = append(list, Reference{part[0], part[1], at})
	}
	return list, nil
}

func info(root *node) (i Info, err error) {
	i.Language = "en-US"
	spots := 0
	for _, n := range root.kids {
		text := strings.TrimSpace(n.text)
		switch n.name {
		case "language":
			i.Language = text
		case "category":
			i.Categories = append(i.Categories, text)
		case "event":
			i.Event = text
		case "responseType":
			i.ResponseTypes = append(i.ResponseTypes, text)
		case "urgency":
			i.Urgency = text
		case "severity":
			i.Severity = text
		case "certainty":
			i.Certainty = text
		case "effective":
			i.Effective, _ = parseTime(text)
		case "onset":
			i.Onset, _ = parseTime(text)
		case "expires":
			i.Expires, _ = parseTime(text)
		case "senderName":
			i.SenderName = text
		case "headline":
			i.Headline = text
		case "description":
			i.Description = text
		case "instruction":
			i.Instruction = text
		case "parameter":
			i.Parameters = append(i.Parameters, value(n))
		case "area":
			a, err := area(n, &spots)
			if err != nil {
				return i, err
			}
			i.Areas = append(i.Areas, a)
		}
	}
	return i, nil
}

func value(n *node) Value {
	return Value{strings.TrimSpace(n.kids[0].text), strings.TrimSpace(n.kids[1].text)}
}

func area(root *node, spots *int) (a Area, err error) {
	for _, n := range root.kids {
		text := strings.TrimSpace(n.text)
		switch n.name {
		case "areaDesc":
			a.Desc = text
		case "polygon":
			ring, ok := ring(text)
			if *spots += len(ring); !ok || *spots > mostSpots {
				return a, bad("cap.bad_polygon", a.Desc)
			}
			a.Polygons = append(a.Polygons, ring)
		case "circle":
			c, ok := circle(text)
			if !ok {
				return a, bad("cap.bad_circle", a.Desc)
			}
			a.Circles = append(a.Circles, c)
		case "geocode":
			a.Geocodes = append(a.Geocodes, value(n))
		}
	}
	return a, nil
}

// ring reads "lat,lon lat,lon ...": at least four points, the last one the first.
func ring(s string) ([]Point, bool) {
	words := strings.Fields(s)
	if len(words) < 4 || len(words) > mostSpots {
		return nil, false
	}
	list := make([]Point, 0, len(words))
	for _, w := range words {
		p, ok := point(w)
		if !ok {
			return nil, false
		}
		list = append(list, p)
	}
	return list, list[0] == list[len(list)-1]
}

func circle(s string) (Circle, bool) {
	words := strings.Fields(s)
	if len(words) != 2 {
		return Circle{}, false
	}
	p, ok := point(words[0])
	km, err := strconv.ParseFloat(words[1], 64)
	return Circle{p, km}, ok && err == nil && km >= 0 && km <= 20_100
}

func point(s string) (Point, bool) {
	lat, lon, found := strings.Cut(s, ",")
	y, err1 := strconv.ParseFloat(lat, 64)
	x, err2 := strconv.ParseFloat(lon, 64)
	return Point{y, x}, found && err1 == nil && err2 == nil && math.Abs(y) <= 90 && math.Abs(x) <= 180
}
