package group

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// How much of each a group may have: the product's own choices, so that nobody
// fills the disk. A group's proper size is configuration and only advice.
const (
	mostHomes   = 60
	mostAdults  = 12 // of one home
	mostGear    = 200
	longName    = 120   // letters
	longAddress = 200   // letters
	longCharter = 20000 // letters
	longNote    = 500   // letters
	longLabel   = 160   // letters
)

// text tidies what somebody wrote and says what is wrong with its length.
func text(op, s, empty string, most int) (string, error) {
	s = place.Tidy(s)
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && empty != "":
		return "", fault.New(op, fault.Invalid, empty)
	case n > most:
		return "", &fault.Error{Op: op, Kind: fault.Invalid, Key: "group.too_long", Args: map[string]any{"most": most}}
	}
	return s, nil
}

// check tidies a new home.
func (h NewHome) check(op string) (NewHome, error) {
	var err error
	if h.Name, err = text(op, h.Name, "group.home_name_needed", longName); err != nil {
		return h, err
	}
	if h.Address, err = text(op, h.Address, "", longAddress); err != nil {
		return h, err
	}
	if !h.Placed {
		h.Lat, h.Lon = 0, 0
	} else if h.Lat < -90 || h.Lat > 90 || h.Lon < -180 || h.Lon > 180 {
		return h, fault.New(op, fault.Invalid, "group.place_wrong")
	}
	return h, nil
}

// size is what there is to say about n homes where least to most are usual; ""
// when that is usual. A number that is not set says nothing.
func size(n, least, most int) string {
	switch {
	case n < least:
		return "group.size_small"
	case most > 0 && n > most:
		return "group.size_large"
	}
	return ""
}

// signers counts the homes that signed, and lists those that did not, in street order.
func signers(homes []place.Home, signed []Signature) (yes int, missing []place.HomeID) {
	missing = []place.HomeID{}
	for _, h := range homes {
		if slices.ContainsFunc(signed, func(s Signature) bool { return s.Home == h.ID }) {
			yes++
		} else {
			missing = append(missing, h.ID)
		}
	}
	return yes, missing
}

// holds reports whether t is in force on a day.
func (t Term) holds(on day) bool {
	return !t.Ended && t.From <= on && (t.Until == "" || on < t.Until)
}

// roles says what each person with a term is on a day: leader before deputy,
// and a member once no term of his holds.
func roles(terms []Term, on day) map[people.ID]people.Role {
	now := map[people.ID]people.Role{}
	for _, t := range terms {
		switch r := now[t.Person]; {
		case t.holds(on) && r != people.Leader:
			now[t.Person] = t.Role
		case r == "":
			now[t.Person] = people.Member
		}
	}
	return now
}

// newTerm checks a term before it is written. until may be "".
func newTerm(op string, t Term, today day) (Term, error) {
	if t.Role != people.Leader && t.Role != people.Deputy {
		return t, fault.New(op, fault.Invalid, "group.role_unknown")
	}
	if t.From == "" {
		t.From = today
	}
	from, err := time.Parse(time.DateOnly, t.From)
	if err != nil {
		return t, fault.New(op, fault.Invalid, "group.day_wrong")
	}
	if t.Until == "" {
		return t, nil
	}
	until, err := time.Parse(time.DateOnly, t.Until)
	if err != nil {
		return t, fault.New(op, fault.Invalid, "group.day_wrong")
	}
	if !until.After(from) || t.Until <= today {
		return t, fault.New(op, fault.Invalid, "group.term_ends_before")
	}
	return t, nil
}

// State of a piece of gear.
const (
	GearGood    = "good"
	GearSoon    = "soon"
	GearExpired = "expired"
)

// left is how many days g has on a day; ok is false when it does not expire.
func (g Gear) left(today day) (n int, ok bool) {
	end, err := time.Parse(time.DateOnly, g.Expires)
	if err != nil {
		return 0, false
	}
	now, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return 0, false
	}
	return int(end.Sub(now).Hours() / 24), true
}

// state says whether g is good on a day, given how many days before its end
// people are reminded first.
func (g Gear) state(today day, first int) string {
	n, ok := g.left(today)
	switch {
	case !ok:
		return GearGood
	case n < 0:
		return GearExpired
	case n <= first:
		return GearSoon
	}
	return GearGood
}

// remind says which reminder of g is due today: the smallest of the stages (days
// before its end) that has begun and was not told yet; "" for none.
func (g Gear) remind(today day, stages []int) string {
	n, ok := g.left(today)
	if !ok {
		return ""
	}
	due := ""
	for _, s := range slices.SortedFunc(slices.Values(stages), func(a, b int) int { return cmp.Compare(b, a) }) {
		if n <= s {
			due = fmt.Sprint(s)
		}
	}
	if due == g.Reminded || due == "" {
		return ""
	}
	return due
}

// checkGear tidies a piece of gear.
func checkGear(op string, g Gear, homes []place.Home) (Gear, error) {
	if !slices.Contains(Kinds[:], g.Kind) {
		return g, fault.New(op, fault.Invalid, "group.gear_unknown")
	}
	if g.Home != "" && !has(homes, g.Home) {
		return g, fault.New(op, fault.NotFound, "group.home_unknown")
	}
	var err error
	if g.Label, err = text(op, g.Label, "", longLabel); err != nil {
		return g, err
	}
	if g.Expires != "" {
		if d, err := time.Parse(time.DateOnly, g.Expires); err != nil || d.Year() < 2000 || d.Year() > 2100 {
			return g, fault.New(op, fault.Invalid, "group.day_wrong")
		}
	}
	return g, nil
}

func has(homes []place.Home, h place.HomeID) bool {
	return slices.ContainsFunc(homes, func(x place.Home) bool { return x.ID == h })
}

// facts are what the policy of opening a note asks about an emergency and the
// one who wants to open.
func facts(e Emergency, a people.Actor) map[string]any {
	return map[string]any{
		"open": e.Open, "live": e.Live, "silent": e.Silent,
		"coming": a.Person != "" && slices.Contains(e.Coming, a.Person),
	}
}

// shown reports whether the home may see an opening by now: that of a silent
// alarm would betray it to whoever holds the phone.
func shown(e Emergency, known bool) bool { return !known || !e.Silent || !e.Open }

// stages reads "30 7 0": how many days before the end people are reminded.
func stages(s string) []int {
	var all []int
	for word := range strings.FieldsSeq(s) {
		var n int
		if _, err := fmt.Sscanf(word, "%d", &n); err == nil && n >= 0 {
			all = append(all, n)
		}
	}
	return all
}
