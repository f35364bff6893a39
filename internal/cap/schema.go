package cap

import (
	"regexp"
	"strings"
)

// element is one line of the schema: which element, how often, and what may be in
// it. Source: CAP-v1.2.xsd, OASIS, 1 July 2010.
type element struct {
	name string
	many bool // more than one
	must bool // at least one
	of   []element
	one  []string // one of these words
	as   form
}

// form is what a text must look like.
type form int

const (
	free form = iota
	dateTime
	decimal
	integer
)

var pair = []element{{name: "valueName", must: true}, {name: "value", must: true}}

// schema is the content of an alert, in order.
var schema = []element{
	{name: "identifier", must: true},
	{name: "sender", must: true},
	{name: "sent", must: true, as: dateTime},
	{name: "status", must: true, one: []string{"Actual", "Exercise", "System", "Test", "Draft"}},
	{name: "msgType", must: true, one: []string{"Alert", "Update", "Cancel", "Ack", "Error"}},
	{name: "source"},
	{name: "scope", must: true, one: []string{"Public", "Restricted", "Private"}},
	{name: "restriction"},
	{name: "addresses"},
	{name: "code", many: true},
	{name: "note"},
	{name: "references"},
	{name: "incidents"},
	{name: "info", many: true, of: []element{
		{name: "language"},
		{name: "category", many: true, must: true, one: []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}},
		{name: "event", must: true},
		{name: "responseType", many: true, one: []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}},
		{name: "urgency", must: true, one: []string{"Immediate", "Expected", "Future", "Past", "Unknown"}},
		{name: "severity", must: true, one: []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}},
		{name: "certainty", must: true, one: []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}},
		{name: "audience"},
		{name: "eventCode", many: true, of: pair},
		{name: "effective", as: dateTime},
		{name: "onset", as: dateTime},
		{name: "expires", as: dateTime},
		{name: "senderName"},
		{name: "headline"},
		{name: "description"},
		{name: "instruction"},
		{name: "web"},
		{name: "contact"},
		{name: "parameter", many: true, of: pair},
		{name: "resource", many: true, of: []element{
			{name: "resourceDesc", must: true}, {name: "mimeType", must: true}, {name: "size", as: integer}, {name: "uri"}, {name: "derefUri"}, {name: "digest"},
		}},
		{name: "area", many: true, of: []element{
			{name: "areaDesc", must: true}, {name: "polygon", many: true}, {name: "circle", many: true}, {name: "geocode", many: true, of: pair},
			{name: "altitude", as: decimal}, {name: "ceiling", as: decimal},
		}},
	}},
}

// forms is what a text of each form looks like; dates as the schema's pattern says,
// which knows no "Z".
var forms = map[form]*regexp.Regexp{
	dateTime: regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d$`),
	decimal:  regexp.MustCompile(`^[-+]?(\d+(\.\d*)?|\.\d+)$`),
	integer:  regexp.MustCompile(`^[-+]?\d+$`),
}

// check holds the children of n against what the schema says, and returns the
// first thing that is wrong: where, and why as a key.
func check(n *node, say []element) (where, key string) {
	k := 0
	for _, e := range say {
		count := 0
		for k < len(n.kids) && n.kids[k].name == e.name {
			kid := n.kids[k]
			k++
			if count++; count > 1 && !e.many {
				return e.name, "cap.twice"
			}
			if where, key := checkOne(kid, e); key != "" {
				return where, key
			}
		}
		if count == 0 && e.must {
			return e.name, missing(n, k, e.name)
		}
	}
	if k < len(n.kids) {
		for _, e := range say {
			if e.name == n.kids[k].name {
				return e.name, "cap.out_of_order"
			}
		}
		return n.kids[k].name, "cap.unknown_element"
	}
	return "", ""
}

// missing says whether what is missing stands further down.
func missing(n *node, from int, name string) string {
	for _, kid := range n.kids[from:] {
		if kid.name == name {
			return "cap.out_of_order"
		}
	}
	return "cap.missing"
}

func checkOne(n *node, e element) (where, key string) {
	if e.of != nil {
		if strings.TrimSpace(n.text) != "" {
			return n.name, "cap.unknown_element"
		}
		return check(n, e.of)
	}
	if len(n.kids) > 0 {
		return n.kids[0].name, "cap.unknown_element"
	}
	text := strings.TrimSpace(n.text)
	if e.one != nil {
		for _, w := range e.one {
			if w == text {
				return "", ""
			}
		}
		return n.name, "cap.bad_word"
	}
	if e.as == dateTime {
		if _, ok := parseTime(text); !ok {
			return n.name, "cap.bad_date"
		}
	} else if e.as != free && !forms[e.as].MatchString(text) {
		return n.name, "cap.bad_number"
	}
	return "", ""
}
