package people

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// limit is how long a session lasts.
type limit struct {
	idle time.Duration // without use
	most time.Duration // however much it is used; 0 for no end
}

// end is when a session that begins at now ends for good; zero for never.
func (l limit) end(now time.Time) time.Time {
	if l.most == 0 {
		return time.Time{}
	}
	return now.Add(l.most)
}

// until is when a session that is used at now and ends at ends expires.
func (l limit) until(now, ends time.Time) time.Time {
	t := now.Add(l.idle)
	if !ends.IsZero() && t.After(ends) {
		return ends
	}
	return t
}

// step is by how much a session must have grown before that is written.
func (l limit) step() time.Duration { return min(slideEvery, l.idle/15) }

// limits are those of p at now: the rule of his role, else that of residents or
// officers, else our own.
func (v *Service) limits(p Person, now time.Time) limit {
	kind, l := "resident", limit{idle: ResidentSession}
	if p.Role.Officer() {
		kind, l = "officer", limit{OfficerIdle, OfficerSession}
	}
	for _, who := range []string{kind, string(p.Role)} {
		l.idle = rule(v.Rules, "session.idle."+who, p.Scope.Unit, now, l.idle)
		l.most = rule(v.Rules, "session.most."+who, p.Scope.Unit, now, l.most)
	}
	return l
}

func rule(rs place.Rules, key string, unit place.UnitCode, now time.Time, def time.Duration) time.Duration {
	if r, ok := rs.At(key, unit, now); ok {
		if d, err := time.ParseDuration(r.Value); err == nil {
			return d
		}
	}
	return def
}

// CheckRules names every rule of sessions that cannot be read. A session of no
// time at all would let nobody in.
func CheckRules(rs place.Rules) error {
	var wrong []error
	for _, r := range rs {
		idle := strings.HasPrefix(r.Key, "session.idle.")
		if !idle && !strings.HasPrefix(r.Key, "session.most.") {
			continue
		}
		if d, err := time.ParseDuration(r.Value); err != nil || d < 0 || idle && d < time.Minute {
			wrong = append(wrong, fmt.Errorf("rule %s: %q is not a length of time like 15m or 12h", r.Key, r.Value))
		}
	}
	return errors.Join(wrong...)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
