package alarm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/signal"
)

// Seconds is a length of time in whole seconds, as plans write it.
type Seconds int

// D is s as a duration.
func (s Seconds) D() time.Duration { return time.Duration(s) * time.Second }

// Need is when a step is carried out.
type Need string

// The needs.
const (
	Always         Need = "always"
	FewComing      Need = "fewer_than_two_coming"
	NoContactHomes Need = "homes_without_contact"
	DeskMute       Need = "desk_mute"             // the duty desk has not acknowledged
	NoReceiptHomes Need = "homes_without_receipt" // no phone of theirs shows it and nobody answered
)

// Target is who is called by a step.
type Target string

// The targets. The first three are ways to the homes of the group; the others are
// people, who are called by push and SMS.
const (
	CallPush     Target = "push"     // every person of every home, by push
	CallSMS      Target = "sms"      // the homes without a receipt, by SMS
	CallVoice    Target = "voice"    // the homes without a receipt, by voice
	CallLeader   Target = "leader"   // the group's leader
	CallAdjacent Target = "adjacent" // leaders of adjoining groups
	SoundDesk    Target = "desk_sound"
	CallProvince Target = "province" // a second desk, the province's watch
	Knock        Target = "knock"    // shown to those coming: knock at this door
)

// Step is one rung of the escalation: after so many seconds, if it is needed,
// call these.
type Step struct {
	Name  string   `json:"name"`
	After Seconds  `json:"after"`
	If    Need     `json:"if"`
	Call  []Target `json:"call"`
}

// Plan is how one kind of incident is escalated, as data: times in seconds.
type Plan struct {
	Verify        Seconds `json:"verify"`         // pre-alarm of automatic detectors; 0 for none, at most 15 (NFPA 72 PAS)
	MistakeWithin Seconds `json:"mistake_within"` // how long the presser alone may call it off
	SilenceMax    Seconds `json:"silence_max"`    // longest silence of a siren
	SirenMax      Seconds `json:"siren_max"`      // first run of the sirens
	RepeatEvery   Seconds `json:"repeat_every"`   // then they sound again this often
	RepeatFor     Seconds `json:"repeat_for"`     // for this long, while the incident is open
	UnackAfter    Seconds `json:"unack_after"`    // a desk that took it and stays mute loses it
	Steps         []Step  `json:"steps"`
}

// DefaultPlan is the plan of category c. Source: study of GoAlert, EN 54 and the
// pilot groups' guidance; the seconds are to be confirmed with the groups.
func DefaultPlan(c signal.Category) Plan {
	p := Plan{
		MistakeWithin: 15, SilenceMax: 180, SirenMax: 900, RepeatEvery: 300, RepeatFor: 60, UnackAfter: 180,
		Steps: append(phoneSteps(), []Step{
			{Name: "few_coming", After: 30, If: FewComing, Call: []Target{CallLeader, CallAdjacent}},
			{Name: "desk_sound", After: 60, If: DeskMute, Call: []Target{SoundDesk}},
			{Name: "knock", After: 90, If: NoContactHomes, Call: []Target{Knock}},
			{Name: "desk_mute", After: 180, If: DeskMute, Call: []Target{CallProvince}},
		}...),
	}
	switch c {
	case signal.Intrusion:
		p.Steps[slices.IndexFunc(p.Steps, func(s Step) bool { return s.Name == "desk_sound" })].After = 0
	case signal.HoldUp:
		p.Steps = []Step{
			{Name: "desk_sound", After: 0, If: DeskMute, Call: []Target{SoundDesk}},
			{Name: "desk_mute", After: 60, If: DeskMute, Call: []Target{CallProvince}},
		}
	}
	return p
}

// phoneSteps calls every home: by push at once, and by SMS, then voice, where no
// phone said that it has it. So every home is known to be reached or not within a
// minute. Source: study of GoAlert and the pilot groups; to be confirmed with them.
func phoneSteps() []Step {
	return []Step{
		{Name: "push", After: 0, If: Always, Call: []Target{CallPush}},
		{Name: "sms", After: 20, If: NoReceiptHomes, Call: []Target{CallSMS}},
		{Name: "voice", After: 40, If: NoReceiptHomes, Call: []Target{CallVoice}},
	}
}

// phones reports whether a step calls homes by telephone.
func (s Step) phones() bool {
	return slices.ContainsFunc(s.Call, func(t Target) bool { return t == CallPush || t == CallSMS || t == CallVoice })
}

// deskOnly reports whether a step calls nobody but duty desks.
func (s Step) deskOnly() bool {
	return !slices.ContainsFunc(s.Call, func(t Target) bool { return t != SoundDesk && t != CallProvince })
}

// Plans holds a group's own plans by category.
type Plans map[signal.Category]Plan

// For is the plan of category c: the group's own, or the default.
func (p Plans) For(c signal.Category) Plan {
	if own, ok := p[c]; ok {
		return own
	}
	return DefaultPlan(c)
}

// ParsePlans reads a group's plans from the JSON of a village file:
// {"default": {...}, "fire": {...}}. Fields left out keep their default. What
// "default" says holds for every category that has no plan of its own, on top of
// that category's default; only a hold-up keeps its own steps, since it must
// reach nobody but the duty desk. Own steps that say nothing of telephones leave
// them as they are by default: {"call": ["push"]} alone is how to go without SMS
// and voice. The empty text is no plans of its own.
func ParsePlans(text string) (Plans, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("plan is not a JSON object of categories: %w", err)
	}
	plans := Plans{}
	for name, body := range raw {
		c := signal.Category(name)
		if name == "default" {
			continue
		}
		if !slices.Contains(signal.Categories[:], c) {
			return nil, fmt.Errorf("plan for unknown category %q; use default or one of %v", name, signal.Categories)
		}
		p, err := DefaultPlan(c).with(body)
		if err == nil && c == signal.HoldUp {
			err = p.checkSilent()
		}
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", name, err)
		}
		plans[c] = p
	}
	body, ok := raw["default"]
	if !ok {
		return plans, nil
	}
	for _, c := range signal.Categories {
		if _, own := plans[c]; own {
			continue
		}
		p, err := DefaultPlan(c).with(body)
		if err != nil {
			return nil, fmt.Errorf("plan default: %w", err)
		}
		if c == signal.HoldUp {
			p.Steps = DefaultPlan(c).Steps
		}
		plans[c] = p
	}
	return plans, nil
}

// with is p with the fields that body names in the place of its own.
func (p Plan) with(body json.RawMessage) (Plan, error) {
	own := p
	own.Steps = nil // else the steps of body would inherit fields of p's
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&own); err != nil {
		return p, err
	}
	switch {
	case own.Steps == nil:
		own.Steps = p.Steps
	case slices.ContainsFunc(p.Steps, Step.phones) && !slices.ContainsFunc(own.Steps, Step.phones):
		own.Steps = append(phoneSteps(), own.Steps...)
	}
	return own, own.check()
}

// checkSilent refuses steps by which somebody else than a duty desk would learn of
// a hold-up.
func (p Plan) checkSilent() error {
	for _, s := range p.Steps {
		if !s.deskOnly() {
			return fmt.Errorf("step %q calls %v: a hold-up must reach nobody but the duty desk", s.Name, s.Call)
		}
	}
	return nil
}

func (p Plan) check() error {
	switch {
	case p.Verify < 0 || p.Verify > 15:
		return fmt.Errorf("verify is %d s, must be 0 to 15", p.Verify)
	case p.SilenceMax < 1 || p.SilenceMax > 180:
		return fmt.Errorf("silence_max is %d s, must be 1 to 180", p.SilenceMax)
	case p.MistakeWithin < 0 || p.MistakeWithin > 60:
		return fmt.Errorf("mistake_within is %d s, must be 0 to 60", p.MistakeWithin)
	case p.SirenMax < 60:
		return fmt.Errorf("siren_max is %d s, must be at least 60", p.SirenMax)
	case p.RepeatFor < 1 || p.RepeatEvery <= p.RepeatFor:
		return fmt.Errorf("repeat_for %d s must be above 0 and below repeat_every %d s", p.RepeatFor, p.RepeatEvery)
	case p.UnackAfter < 30:
		return fmt.Errorf("unack_after is %d s, must be at least 30", p.UnackAfter)
	}
	desk := false
	for _, s := range p.Steps {
		if s.After < 0 {
			return fmt.Errorf("step %q is due before the alarm", s.Name)
		}
		if !slices.Contains([]Need{Always, FewComing, NoContactHomes, DeskMute, NoReceiptHomes}, s.If) {
			return fmt.Errorf("step %q has an unknown condition %q", s.Name, s.If)
		}
		for _, c := range s.Call {
			if !slices.Contains([]Target{CallPush, CallSMS, CallVoice, CallLeader, CallAdjacent, SoundDesk, CallProvince, Knock}, c) {
				return fmt.Errorf("step %q calls unknown %q", s.Name, c)
			}
			desk = desk || c == SoundDesk && (s.If == DeskMute || s.If == Always)
		}
	}
	if !desk {
		return fmt.Errorf("no step makes the duty desk sound: an alarm nobody takes would be forgotten")
	}
	return nil
}
