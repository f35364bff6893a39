package alarm

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// AuditEvery is how often the live state is checked against the invariants.
const AuditEvery = 10 * time.Second

// Violation is a broken promise, found by the auditor on the live state.
type Violation struct {
	Rule     string        `json:"rule"` // I1 to I12
	Group    place.GroupID `json:"group"`
	Incident ID            `json:"incident,omitempty"`
	Key      string        `json:"text_key"` // sentence for the desk
}

// Report is what the last audit found.
type Report struct {
	At         time.Time   `json:"at"`
	OK         bool        `json:"ok"`
	Violations []Violation `json:"violations"`
}

// Witness tells the auditor what the sirens were really told. Slice device is one.
type Witness interface {
	// Disagreeing lists the enabled sirens of the group whose commanded state is not d.
	Disagreeing(d Desire) []signal.DeviceID
}

type auditor struct {
	mu     sync.Mutex
	last   Report
	broken []Violation // chains found broken when loading; they do not heal
}

func (a *auditor) broke(g place.GroupID, _ int64) {
	a.mu.Lock()
	a.broken = append(a.broken, Violation{Rule: "I9", Group: g, Key: "audit.chain_broken"})
	a.mu.Unlock()
}

// Audited is what the last audit found.
func (v *Service) Audited() Report {
	v.audit.mu.Lock()
	defer v.audit.mu.Unlock()
	return v.audit.last
}

// Audit checks every group that has an open incident, now.
func (v *Service) Audit() Report {
	r := Report{At: v.Now(), Violations: []Violation{}}
	for _, g := range v.all() {
		g.mu.Lock()
		found := check(g.state, v.Now())
		d := Desired(g.state)
		for id := range g.state.Open {
			if !g.known(id) {
				found = append(found, Violation{Rule: "I1", Group: g.id, Incident: id, Key: "audit.press_lost"})
			}
		}
		if len(g.owing) > 0 {
			found = append(found, Violation{Rule: "I1", Group: g.id, Key: "audit.not_journaled"})
			if g.retold == 0 {
				v.restate(g)
			}
		}
		calm := !d.Sounding && v.Now().Sub(g.calmed).Abs() < calmLasts
		g.mu.Unlock()
		if !calm && v.disagrees(d) {
			found = append(found, disagreement(d))
		}
		r.Violations = append(r.Violations, found...)
	}
	v.audit.mu.Lock()
	defer v.audit.mu.Unlock()
	r.Violations = append(r.Violations, v.audit.broken...)
	r.OK = len(r.Violations) == 0
	v.audit.last = r
	return r
}

// disagrees reports whether the sirens were told something else than d, and d
// still holds: a group that changes while it is looked at is no violation.
func (v *Service) disagrees(d Desire) bool {
	return v.Witness != nil && len(v.Witness.Disagreeing(d)) > 0 && v.Desired(d.Group).equal(d) && len(v.Witness.Disagreeing(d)) > 0
}

func disagreement(d Desire) Violation {
	if d.Sounding {
		return Violation{Rule: "I2", Group: d.Group, Incident: d.Incident, Key: "audit.siren_not_commanded"}
	}
	return Violation{Rule: "I3", Group: d.Group, Key: "audit.siren_without_incident"}
}

// known reports whether the press that opened incident id is remembered.
func (g *group) known(id ID) bool {
	i := g.state.Open[id]
	return i != nil && len(i.Origins) > 0 && i.Number > 0
}

// check looks for broken invariants in s at time now. It is pure; the property
// tests run it after every event.
func check(s State, now time.Time) []Violation {
	var found []Violation
	say := func(rule string, i *Incident, key string) {
		found = append(found, Violation{Rule: rule, Group: s.Group, Incident: i.ID, Key: key})
	}
	type danger struct {
		c      signal.Category
		m      Mode
		silent bool
	}
	seen := map[danger]bool{}
	for _, i := range s.Open {
		if i.Closed != nil {
			say("I3", i, "audit.closed_but_open")
		}
		for _, t := range i.dues() {
			if !t.IsZero() && now.Sub(t) > time.Second {
				say("I4", i, "audit.step_late")
				break
			}
		}
		if i.forgotten() {
			say("I4", i, "audit.no_next_step")
		}
		for k, r := range i.Homes {
			if slices.ContainsFunc(i.Homes[k+1:], func(o Roll) bool { return o.Home == r.Home }) {
				say("I5", i, "audit.home_twice")
			}
		}
		if i.Mode != Live && (i.DeskSound || i.Province || i.Adjacent) {
			say("I7", i, "audit.drill_at_desk")
		}
		d := danger{i.Category, i.Mode, i.Silent}
		if seen[d] {
			say("I10", i, "audit.second_incident")
		}
		seen[d] = true
	}
	return found
}

// forgotten reports whether an open live incident has nothing ahead of it and
// nobody who took it.
func (i *Incident) forgotten() bool {
	if i.Mode != Live || i.DeskSound || i.Ack != nil {
		return false
	}
	for _, t := range i.dues() {
		if !t.IsZero() {
			return false
		}
	}
	return true
}

func (v *Service) keepAudit(ctx context.Context) {
	tick := time.NewTicker(AuditEvery)
	defer tick.Stop()
	for {
		if r := v.Audit(); !r.OK {
			v.Log.Error("audit found a broken promise", violations(r))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// violations names the rules that r found broken, for the log: no person.
func violations(r Report) slog.Attr {
	rules := make([]string, 0, len(r.Violations))
	for _, f := range r.Violations {
		rules = append(rules, f.Rule+" "+string(f.Group))
	}
	return slog.Any("rules", rules)
}
