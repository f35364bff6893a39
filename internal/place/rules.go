package place

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed rules.csv
var builtInRules string

// Rule is one row of what a law or an authority fixes and may change: dated and
// sourced, for the whole country, a province or a commune. Such things are never
// constants in code.
type Rule struct {
	Key    string    // "number.fire_rescue", "group.least"
	Unit   UnitCode  // where it holds; "" everywhere
	From   time.Time // first day, UTC midnight
	Until  time.Time // first day on which it no longer holds; zero: open
	Value  string
	Source string // law, decision, guidance
}

// Rules are rows in the order of their file. The zero Rules are no rules.
type Rules []Rule

// BuiltInRules are the rows that come with Keng; an operator's own file
// ([ReadRules]) replaces them.
func BuiltInRules() Rules { return parsedRules() }

var parsedRules = sync.OnceValue(func() Rules {
	rs, err := ReadRules(strings.NewReader(builtInRules))
	if err != nil {
		panic(err) // the file is part of the program: this is a broken build
	}
	return rs
})

// ReadRules reads a CSV file with the columns key, unit, from, until, value,
// source. Dates are 2006-01-02. Every row that is wrong is named.
func ReadRules(r io.Reader) (Rules, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], []string{"key", "unit", "from", "until", "value", "source"}) {
		return nil, errors.New("read rules: the first line must be key,unit,from,until,value,source")
	}
	var rs Rules
	var wrong []error
	for i, row := range rows[1:] {
		rule, err := readRule(row)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("rules, line %d: %w", i+2, err))
		}
		rs = append(rs, rule)
	}
	return rs, errors.Join(wrong...)
}

func readRule(row []string) (Rule, error) {
	r := Rule{Key: row[0], Unit: UnitCode(row[1]), Value: Tidy(row[4]), Source: Tidy(row[5])}
	if _, ok := UnitOf(r.Unit); r.Unit != "" && !ok {
		return r, fmt.Errorf("there is no unit %q", r.Unit)
	}
	if r.Key == "" || r.Value == "" || r.Source == "" {
		return r, errors.New("key, value and source must not be empty")
	}
	var err error
	if r.From, err = time.Parse(time.DateOnly, row[2]); err != nil {
		return r, fmt.Errorf("from %q is not a date like 2026-01-31", row[2])
	}
	if row[3] == "" {
		return r, nil
	}
	if r.Until, err = time.Parse(time.DateOnly, row[3]); err != nil || !r.Until.After(r.From) {
		return r, fmt.Errorf("until %q is not a date after from", row[3])
	}
	return r, nil
}

// At is the rule of key that holds in unit at time t: the unit's own before its
// province's before the country's, and among these the one that began last.
func (rs Rules) At(key string, unit UnitCode, t time.Time) (Rule, bool) {
	var best Rule
	rank := func(r Rule) int {
		switch r.Unit {
		case unit:
			return 2
		case ParentOf(unit):
			return 1
		}
		return 0
	}
	found := false
	for _, r := range rs {
		holds := !t.Before(r.From) && (r.Until.IsZero() || t.Before(r.Until))
		here := r.Unit == "" || r.Unit == unit || r.Unit == ParentOf(unit)
		if r.Key != key || !holds || !here {
			continue
		}
		if !found || rank(r) > rank(best) || rank(r) == rank(best) && !r.From.Before(best.From) {
			best, found = r, true
		}
	}
	return best, found
}

// Number is the value of [Rules.At] as a whole number; false when there is none.
func (rs Rules) Number(key string, unit UnitCode, t time.Time) (int, bool) {
	r, ok := rs.At(key, unit, t)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(r.Value)
	return n, err == nil
}

// Keys lists the keys that begin with prefix, each once, in the order of the file.
func (rs Rules) Keys(prefix string) []string {
	var keys []string
	for _, r := range rs {
		if strings.HasPrefix(r.Key, prefix) && !slices.Contains(keys, r.Key) {
			keys = append(keys, r.Key)
		}
	}
	return keys
}
