package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keng-vn/keng/internal/engine/policy"
	"github.com/keng-vn/keng/internal/place"
)

// Thing is what somebody wants to do something to, as the schema of its slice
// describes it (internal/engine/policy/<slice>.cedarschema).
//
// Where it lies is said by Group, or by Unit for what belongs to a commune or a
// province; a Group without an id, with its commune and neighbourhood, is a
// neighbourhood. A thing of kind "Area" is that place itself and one of kind
// "Home" that home, which lies in Group only when Group lists it. Home and Owner
// become the attributes "home" and "owner", and Group's adjoining groups "near",
// of the kinds that have them.
//
// Attrs are further attributes: bool, string, int, int64, [ID], [place.HomeID], or
// a slice of strings or of either id. ID "" leaves the attribute out.
type Thing struct {
	Kind, ID string
	Group    place.Group
	Unit     place.UnitCode
	Home     place.HomeID
	Owner    ID
	Attrs    map[string]any
}

// May reports whether a may do verb ("chat.post") to on. The text of the policies
// decides; a question that does not fit their schema is answered no.
func (r Rights) May(a Actor, verb string, on Thing) bool { return r.law().may(ask(a, verb, on)) }

// level is where a role is held, as seen from a thing.
type level uint8

const (
	atGroup level = iota
	atNeighbourhood
	atCommune
	atProvince
	adjoining
	elsewhere
	levels
)

var levelNames = [levels]string{"its group", "its neighbourhood", "its commune", "its province", "next door", "elsewhere"}

// roles in the order of their bits in a question.
var roles = [...]Role{Member, Leader, Deputy, Head, Team, Mediator, Elder, Desk, Chief, Steering, Viewer, Auditor, Admin}

// question is everything that an answer depends on: in which relation who asks
// stands to what he asks about. Names and numbers of people and places are left
// out, which no policy may speak of, so that all neighbours of a group ask the
// same question.
type question struct {
	verb, kind string
	program    bool
	held       [len(roles)]uint8 // by role: a bit for each level
	home       string            // of who asks: "", "home" for that of the thing, "his" for another
	chain      uint8             // a bit for each level that the thing has
	inGroup    bool              // kind Home: it is one of the group's
	owned      string            // "", "he", "other"
	at         string            // "home" when the thing has a home that is not his, "his", ""
	attrs      string            // written out, names of others replaced by numbers
}

// ask makes the question. Nobody asks as a kind of principal that no policy knows.
func ask(a Actor, verb string, on Thing) question {
	q := question{verb: verb, kind: on.Kind, program: a.Person == ""}
	if a.Nobody() {
		q.kind = ""
		return q
	}
	q.chain = chainOf(on)
	for _, p := range a.Held() {
		if i := slices.Index(roles[:], p.Role); i >= 0 {
			q.held[i] |= 1 << levelOf(p.At, on)
		}
	}
	n := namer{he: a.Person, his: a.Home}
	q.home = n.home(a.Home)
	q.at = n.home(on.Home)
	if on.Kind == "Home" {
		q.inGroup = slices.ContainsFunc(on.Group.Homes, func(h place.Home) bool { return h.ID == on.Home })
	}
	q.owned = n.person(on.Owner)
	q.attrs = n.write(on.Attrs)
	return q
}

// chainOf says which places a thing lies in.
func chainOf(on Thing) (has uint8) {
	unit := on.Unit
	if on.Group.ID != "" {
		has |= 1 << atGroup
	}
	if on.Group.Neighbourhood != "" {
		has |= 1 << atNeighbourhood
	}
	if on.Group.Commune != "" {
		unit = on.Group.Commune
	}
	if unit == "" {
		return has
	}
	if place.ParentOf(unit) == "" {
		return has | 1<<atProvince
	}
	return has | 1<<atCommune | 1<<atProvince
}

// levelOf says where s is, as seen from a thing.
func levelOf(s place.Scope, on Thing) level {
	g, unit := on.Group, on.Unit
	if g.Commune != "" {
		unit = g.Commune
	}
	switch {
	case s.Group != "":
		switch {
		case s.Group == g.ID:
			return atGroup
		case slices.Contains(g.Adjoining, s.Group):
			return adjoining
		}
	case s.Unit == "" || unit == "":
	case s.Neighbourhood != "":
		if g.Neighbourhood != "" && s.Unit == unit && place.Fold(s.Neighbourhood) == place.Fold(g.Neighbourhood) {
			return atNeighbourhood
		}
	case s.Unit == unit && place.ParentOf(unit) != "":
		return atCommune
	case s.Unit == unit, s.Unit == place.ParentOf(unit):
		return atProvince
	}
	return elsewhere
}

// namer calls people and homes by what they are to the one who asks: others are
// numbered, so that the same one has the same name throughout a question.
type namer struct {
	he     ID
	his    place.HomeID
	people []ID
	homes  []place.HomeID
}

func (n *namer) person(id ID) string {
	switch {
	case id == "":
		return ""
	case id == n.he:
		return "he"
	}
	i := slices.Index(n.people, id)
	if i < 0 {
		i = len(n.people)
		n.people = append(n.people, id)
	}
	return "other " + strconv.Itoa(i)
}

func (n *namer) home(id place.HomeID) string {
	switch {
	case id == "":
		return ""
	case id == n.his:
		return "his"
	}
	i := slices.Index(n.homes, id)
	if i < 0 {
		i = len(n.homes)
		n.homes = append(n.homes, id)
	}
	return "home " + strconv.Itoa(i)
}

// write puts attributes into a text that [attrsOf] reads. A value of a type that
// is not known makes a text that no attribute fits.
func (n *namer) write(attrs map[string]any) string {
	if len(attrs) == 0 {
		return ""
	}
	keys := make([]string, 0, len(attrs))
	for k := range attrs {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		v := attrs[k]
		if id, ok := v.(ID); ok && id == "" {
			continue
		}
		b.WriteString(k)
		b.WriteByte(0)
		n.value(&b, v)
		b.WriteByte(1)
	}
	return b.String()
}

func (n *namer) value(b *strings.Builder, v any) {
	list := func(kind byte, count int, at func(int) string) {
		b.WriteByte(kind)
		for i := range count {
			b.WriteString(at(i))
			b.WriteByte(2)
		}
	}
	switch x := v.(type) {
	case bool:
		b.WriteByte('b')
		b.WriteString(strconv.FormatBool(x))
	case string:
		b.WriteByte('s')
		b.WriteString(clean(x))
	case int:
		b.WriteByte('i')
		b.WriteString(strconv.Itoa(x))
	case int64:
		b.WriteByte('i')
		b.WriteString(strconv.FormatInt(x, 10))
	case ID:
		b.WriteByte('p')
		b.WriteString(n.person(x))
	case place.HomeID:
		b.WriteByte('h')
		b.WriteString(n.home(x))
	case []string:
		list('S', len(x), func(i int) string { return clean(x[i]) })
	case []ID:
		list('P', len(x), func(i int) string { return n.person(x[i]) })
	case []place.HomeID:
		list('H', len(x), func(i int) string { return n.home(x[i]) })
	default:
		b.WriteByte('?')
		fmt.Fprintf(b, "%T", v)
	}
}

// clean keeps what parts a text out of its values.
func clean(s string) string {
	return strings.NewReplacer("\x00", "", "\x01", "", "\x02", "").Replace(s)
}

// attrsOf reads what [namer.write] wrote.
func attrsOf(text string) map[string]any {
	all := map[string]any{}
	for row := range strings.SplitSeq(strings.TrimSuffix(text, "\x01"), "\x01") {
		k, v, ok := strings.Cut(row, "\x00")
		if !ok || v == "" {
			continue
		}
		kind, v := v[0], v[1:]
		var list []string
		if strings.IndexByte("SPH", kind) >= 0 {
			list = strings.Split(v, "\x02")
			list = list[:len(list)-1]
		}
		refs := func(kind string) []policy.Ref {
			all := make([]policy.Ref, len(list))
			for i, id := range list {
				all[i] = policy.Ref{Kind: kind, ID: id}
			}
			return all
		}
		switch kind {
		case 'b':
			all[k] = v == "true"
		case 's':
			all[k] = v
		case 'i':
			n, _ := strconv.ParseInt(v, 10, 64) // written by value
			all[k] = n
		case 'p':
			all[k] = policy.Ref{Kind: "Person", ID: v}
		case 'h':
			all[k] = policy.Ref{Kind: "Home", ID: v}
		case 'S':
			all[k] = list
		case 'P':
			all[k] = refs("Person")
		case 'H':
			all[k] = refs("Home")
		default:
			all[k] = nil // no value of Cedar's: the question is answered no
		}
	}
	return all
}
