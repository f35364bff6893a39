package privacy

import (
	"fmt"
	"strconv"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Kind is what a person asks for. Values are stored; append only.
type Kind string

// The kinds of requests: Law 91/2025/QH15, article 4.
const (
	See      Kind = "see"      // xem: what is held, in the officer's words
	Correct  Kind = "correct"  // sửa
	Export   Kind = "export"   // cấp bản sao
	Delete   Kind = "delete"   // xoá
	Withdraw Kind = "withdraw" // rút lại sự đồng ý
)

// Outcome is how a request ended. Values are stored; append only.
type Outcome string

// The outcomes.
const (
	Open    Outcome = ""
	Done    Outcome = "done"
	Refused Outcome = "refused" // with the reason in the answer
)

// Request is what a person asked for and what came of it. A zero time has not come.
type Request struct {
	ID      string
	Person  people.ID // "" once erased
	Unit    place.UnitCode
	Kind    Kind
	Text    string
	Made    time.Time
	Reply   time.Time // by when the person must hear that it is being dealt with
	Due     time.Time // by when it must be done
	Taken   time.Time
	Longer  time.Time // when it was made longer, which may be done once
	Ended   time.Time
	Outcome Outcome
	Answer  string
	By      string
}

// clocks says by when a request of that kind must be replied to and done. Saturdays
// and Sundays are no working days; public holidays count as working days here, so
// that no clock runs longer than the law lets it.
func clocks(rules place.Rules, unit place.UnitCode, k Kind, made time.Time) (reply, due time.Time, err error) {
	days := func(key string) (int, error) {
		r, ok := rules.At(key, unit, made)
		if !ok {
			return 0, fmt.Errorf("no rule %s holds in %s: add it to the rules", key, unit)
		}
		n, err := strconv.Atoi(r.Value)
		if err != nil || n < 1 || n > 365 {
			return 0, fmt.Errorf("rule %s: %q is no number of days", key, r.Value)
		}
		return n, nil
	}
	n, err := days("privacy.reply")
	if err != nil {
		return reply, due, err
	}
	reply = made
	for n > 0 {
		reply = reply.AddDate(0, 0, 1)
		if d := reply.In(hanoi()).Weekday(); d != time.Saturday && d != time.Sunday {
			n--
		}
	}
	n, err = days("privacy." + string(k))
	return reply, made.AddDate(0, 0, n), err
}

// hanoi is the country's time: no summer time since 1975.
func hanoi() *time.Location { return time.FixedZone("ICT", 7*60*60) }

// Late reports whether a clock of r ran out before it was kept.
func (r Request) Late(now time.Time) bool {
	return r.Ended.IsZero() && now.After(r.Due) || r.Taken.IsZero() && r.Ended.IsZero() && now.After(r.Reply)
}
