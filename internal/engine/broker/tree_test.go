package broker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// matches is the rule of MQTT 5.0 §4.7 written down as simply as it goes.
func matches(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(topic, "$") && (f[0] == "+" || f[0] == "#") {
		return false
	}
	for i, level := range f {
		if level == "#" {
			return true
		}
		if i == len(t) || level != "+" && level != t[i] {
			return false
		}
	}
	return len(f) == len(t)
}

func TestMatchesAsTheStandardSays(t *testing.T) {
	for _, tt := range []struct {
		filter, topic string
		want          bool
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/#", "sport", true},
		{"#", "a/b", true},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"#", "$SYS/x", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"$SYS", "$SYS", true},
		{"a//b", "a//b", true},
		{"a/+/b", "a//b", true},
		{"A", "a", false},
	} {
		if got := matches(tt.filter, tt.topic); got != tt.want {
			t.Errorf("the naive rule on %s and %s: %v", tt.filter, tt.topic, got)
		}
		compareTrees(t, []string{tt.filter}, []string{tt.topic})
	}
}

// compareTrees holds both walks of the tree against the naive rule, and the tree
// without some of its filters too.
func compareTrees(t *testing.T, filters, topics []string) {
	t.Helper()
	slices.Sort(filters)
	filters = slices.Compact(filters)
	var byFilter, byTopic tree[string]
	for _, f := range filters {
		byFilter.put(f, f)
	}
	for _, x := range topics {
		byTopic.put(x, x)
	}
	same := func(what string, got, all []string, ok func(string) bool) {
		var want []string
		for _, x := range all {
			if ok(x) && !slices.Contains(want, x) {
				want = append(want, x)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", what, d)
		}
	}
	for _, x := range topics {
		same("filters that match "+x, byFilter.hearing(x, nil), filters, func(f string) bool { return matches(f, x) })
	}
	for _, f := range filters {
		same("topics that "+f+" matches", byTopic.matching(f, nil), topics, func(x string) bool { return matches(f, x) })
	}
	half := filters[len(filters)/2:]
	for _, f := range filters[:len(filters)/2] {
		byFilter.drop(f)
		byFilter.drop(f) // nothing there any more
	}
	for _, x := range topics {
		same("filters left that match "+x, byFilter.hearing(x, nil), half, func(f string) bool { return matches(f, x) })
	}
	for _, f := range half {
		byFilter.drop(f)
	}
	if len(byFilter.kids) != 0 {
		t.Errorf("branches left: %v", byFilter.kids)
	}
}

func TestTreeAgreesWithTheNaiveRule(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	levels := []string{"a", "b", "", "$x", "abc"}
	path := func(more ...string) string {
		all := append(slices.Clone(levels), more...)
		p := []string{}
		for range 1 + r.IntN(4) {
			p = append(p, all[r.IntN(len(all))])
		}
		return strings.Join(p, "/")
	}
	for range 2000 {
		var filters, topics []string
		for range 8 {
			if f := path("+", "+", "#"); checkFilter(f) == success {
				filters = append(filters, f)
			}
			if x := path(); x != "" {
				topics = append(topics, x)
			}
		}
		compareTrees(t, filters, topics)
	}
}

// FuzzTree reads filters and topics from lines: a topic is a line without
// wildcards.
func FuzzTree(f *testing.F) {
	f.Add("#\na/#\na/+\na\n$SYS/x\n/\n//\n+/+")
	f.Add("a/b\na/+/#\n+\n$a\n$a/#")
	f.Fuzz(func(t *testing.T, lines string) {
		var filters, topics []string
		for line := range strings.SplitSeq(lines, "\n") {
			if checkFilter(line) != success {
				continue
			}
			filters = append(filters, line)
			if !wild(line) {
				topics = append(topics, line)
			}
		}
		compareTrees(t, filters, topics)
	})
}

func TestFilterSyntax(t *testing.T) {
	for filter, want := range map[string]reason{
		"#": success, "+": success, "a/#": success, "a/+/b": success, "/": success, "//": success, "$SYS/#": success,
		"": wrongFilter, "a#": wrongFilter, "a/#/b": wrongFilter, "#/a": wrongFilter, "a+": wrongFilter, "+a/b": wrongFilter, "##": wrongFilter,
		"$share/g/t": noShared, "$share": success, strings.Repeat("x", maxTopic+1): wrongFilter,
	} {
		if got := checkFilter(filter); got != want {
			t.Errorf("%.20q: %v", filter, got)
		}
	}
}
