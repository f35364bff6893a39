package alarm

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// longestNote is the most letters a note or reason may have.
const longestNote = 1000

// Rights says who may do what. Package people fills it; every verb asks.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
	MaySee(a people.Actor, g place.Group) bool
	MaySeeSilent(a people.Actor, g place.Group) bool
	MaySeeNames(a people.Actor, g place.Group) bool
	MayRaise(a people.Actor, g place.Group, h place.HomeID) bool
	MayAnswer(a people.Actor, g place.Group, h place.HomeID) bool
	MayAnswerFor(a people.Actor, g place.Group, h place.HomeID) bool
	MayAcknowledge(a people.Actor, g place.Group) bool
	MaySilenceHome(a people.Actor, g place.Group, h place.HomeID) bool
	MaySilenceGroup(a people.Actor, g place.Group) bool
	MayRespond(a people.Actor, g place.Group) bool
	MayNote(a people.Actor, g place.Group) bool
	MayClose(a people.Actor, g place.Group, cause string) bool
	MayDrill(a people.Actor, g place.Group) bool
}

// Act is one thing a person does to an incident: who, with which outbox key.
type Act struct {
	By  people.Actor
	Key string // Idempotency-Key; the same key of the same person is the same act
}

func (a Act) event(k Kind, g place.Group, i ID) Event {
	e := Event{Kind: k, Group: g.ID, Incident: i, By: Who{Person: a.By.Person, Token: a.By.Token, Role: a.By.As(g), Home: a.By.Home}}
	if a.Key != "" {
		e.Key = string(a.By.Person) + a.By.Token + "/" + a.Key
	}
	return e
}

// Raise rings the group of home h: the actor's own when h is "". silent is for a
// hold-up: only the duty desk knows.
func (v *Service) Raise(ctx context.Context, a Act, g place.GroupID, h place.HomeID, c signal.Category, silent bool) (*Incident, error) {
	const op = "alarm.Raise"
	group, err := v.mine(op, a, g)
	if err != nil {
		return nil, err
	}
	if h == "" {
		h = a.By.Home
	}
	if !slices.ContainsFunc(group.Homes, func(x place.Home) bool { return x.ID == h }) {
		return nil, fault.New(op, fault.NotFound, "alarm.home_unknown")
	}
	if !v.Rights.MayRaise(a.By, group, h) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	if c != "" && !slices.Contains(signal.Categories[:], c) {
		return nil, fault.New(op, fault.Invalid, "alarm.category_unknown")
	}
	if silent && c != "" && c != signal.HoldUp {
		return nil, fault.New(op, fault.Invalid, "alarm.only_holdup_silent")
	}
	if silent {
		c = signal.HoldUp
	}
	e := a.event(Pressed, group, "")
	e.Home, e.Category, e.Silent = h, c, silent
	return v.wait(ctx, op, e)
}

// Practise begins a drill, or a bell test, of group g.
func (v *Service) Practise(ctx context.Context, a Act, g place.GroupID, m Mode, c signal.Category) (*Incident, error) {
	const op = "alarm.Practise"
	group, err := v.mine(op, a, g)
	if err != nil {
		return nil, err
	}
	if !v.Rights.MayDrill(a.By, group) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	if m != Drill && m != Test || c != "" && !slices.Contains(signal.Categories[:], c) {
		return nil, fault.New(op, fault.Invalid, "alarm.category_unknown")
	}
	if len(v.Live(group.ID)) > 0 { // a hold-up is nobody's business here
		return nil, fault.New(op, fault.Conflict, "alarm.real_one_first")
	}
	e := a.event(Pressed, group, "")
	e.Home, e.Mode, e.Category = a.By.Home, m, c
	return v.wait(ctx, op, e)
}

// Answer writes the actor's answer in the roll-call: for his own home when h is
// "", else on behalf of h. reason is needed to end another's "need help".
func (v *Service) Answer(ctx context.Context, a Act, id ID, h place.HomeID, answer Answer, minutes int, reason string) (*Incident, error) {
	const op = "alarm.Answer"
	group, _, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if h == "" {
		h = a.By.Home
	}
	own := h == a.By.Home && h != ""
	if own && !v.Rights.MayAnswer(a.By, group, h) || !own && !v.Rights.MayAnswerFor(a.By, group, h) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	if !slices.Contains(Answers[:], answer) || minutes < 0 || minutes > 240 {
		return nil, fault.New(op, fault.Invalid, "alarm.answer_unknown")
	}
	e := a.event(AnsweredKind, group, id)
	e.Home, e.Answer, e.Minutes = h, answer, minutes
	if e.Text, err = tidy(op, reason); err != nil {
		return nil, err
	}
	return v.checked(ctx, op, e)
}

// Receive notes that the actor's phone shows the incident.
func (v *Service) Receive(ctx context.Context, a Act, id ID) (*Incident, error) {
	const op = "alarm.Receive"
	group, i, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if a.By.Home == "" || !i.Open() {
		return i, nil // a desk's screen is no home's phone
	}
	e := a.event(ReceivedKind, group, id)
	e.Home = a.By.Home
	return v.wait(ctx, op, e)
}

// Name says which danger it is.
func (v *Service) Name(ctx context.Context, a Act, id ID, c signal.Category) (*Incident, error) {
	const op = "alarm.Name"
	group, i, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if !v.Rights.May(a.By, "alarm.name", v.thing(group, i)) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	if !slices.Contains(signal.Categories[:], c) || c == signal.HoldUp {
		return nil, fault.New(op, fault.Invalid, "alarm.category_unknown")
	}
	e := a.event(Recategorised, group, id)
	e.Category = c
	return v.checked(ctx, op, e)
}

// Acknowledge takes the incident. It silences nothing and closes nothing.
func (v *Service) Acknowledge(ctx context.Context, a Act, id ID) (*Incident, error) {
	return v.may(ctx, "alarm.Acknowledge", a, id, AckedKind, v.Rights.MayAcknowledge)
}

// Attend says that somebody is on the spot.
func (v *Service) Attend(ctx context.Context, a Act, id ID) (*Incident, error) {
	return v.may(ctx, "alarm.Attend", a, id, AttendedKind, v.Rights.MayRespond)
}

// Control says that it is under control.
func (v *Service) Control(ctx context.Context, a Act, id ID) (*Incident, error) {
	return v.may(ctx, "alarm.Control", a, id, Controlled, v.Rights.MayRespond)
}

func (v *Service) may(ctx context.Context, op string, a Act, id ID, k Kind, may func(people.Actor, place.Group) bool) (*Incident, error) {
	group, _, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if !may(a.By, group) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	return v.checked(ctx, op, a.event(k, group, id))
}

// Silence rests the siren of home h, or of the whole group when h is "", for at
// most the plan's SilenceMax. It answers nobody and closes nothing.
func (v *Service) Silence(ctx context.Context, a Act, id ID, h place.HomeID, d time.Duration) (*Incident, error) {
	const op = "alarm.Silence"
	group, _, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if h == "" && !v.Rights.MaySilenceGroup(a.By, group) || h != "" && !v.Rights.MaySilenceHome(a.By, group, h) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	e := a.event(SilencedKind, group, id)
	e.Home = h
	if d > 0 {
		e.Until = v.Now().Add(d)
	}
	return v.checked(ctx, op, e)
}

// Note writes a line into the timeline.
func (v *Service) Note(ctx context.Context, a Act, id ID, text string) (*Incident, error) {
	const op = "alarm.Note"
	group, _, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if !v.Rights.MayNote(a.By, group) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	e := a.event(Noted, group, id)
	if e.Text, err = tidy(op, text); err != nil {
		return nil, err
	}
	if e.Text == "" {
		return nil, fault.New(op, fault.Invalid, "alarm.note_empty")
	}
	return v.checked(ctx, op, e)
}

// Close ends the incident with a cause. A member of the home where it began may
// say "mistaken": at once alone, later with a second home.
func (v *Service) Close(ctx context.Context, a Act, id ID, c Cause, note string) (*Incident, error) {
	const op = "alarm.Close"
	group, i, err := v.seen(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(Causes[:], c) || c == Duplicate {
		return nil, fault.New(op, fault.Invalid, "alarm.cause_unknown")
	}
	if !v.Rights.MayClose(a.By, group, string(c)) || i.Silent && !v.Rights.MaySeeSilent(a.By, group) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	e := a.event(ClosedKind, group, id)
	e.Cause = c
	if e.Text, err = tidy(op, note); err != nil {
		return nil, err
	}
	return v.checked(ctx, op, e)
}

// mine returns the group that the actor speaks of, which he must be able to see.
func (v *Service) mine(op string, a Act, g place.GroupID) (place.Group, error) {
	if g == "" {
		g = a.By.Group
	}
	group, ok := v.Village().Group(g)
	if !ok || !v.Rights.MaySee(a.By, group) {
		return place.Group{}, fault.New(op, fault.NotFound, "alarm.group_unknown")
	}
	return group, nil
}

// seen returns an incident and its group, or NotFound when the actor may not
// know that it exists.
func (v *Service) seen(ctx context.Context, op string, a Act, id ID) (place.Group, *Incident, error) {
	i, err := v.Find(ctx, id)
	if err != nil {
		return place.Group{}, nil, err
	}
	if i != nil {
		if group, ok := v.Village().Group(i.Group); ok && v.maySee(a.By, group, i) {
			return group, i, nil
		}
	}
	return place.Group{}, nil, fault.New(op, fault.NotFound, "alarm.not_found")
}

// maySee reports whether a may know of incident i: his own group's; an adjoining
// group's once its leaders were called; a hold-up only at the desk.
func (v *Service) maySee(a people.Actor, g place.Group, i *Incident) bool {
	return v.Rights.May(a, "alarm.see", v.thing(g, i))
}

// thing is incident i of g as the policies know it.
func (v *Service) thing(g place.Group, i *Incident) people.Thing {
	lately := i.Open() || v.Now().Sub(i.Closed.By.At) < time.Hour // they also hear how it ended
	homes := make([]place.HomeID, 0, len(i.Origins))
	for _, o := range i.Origins {
		if o.Home != "" {
			homes = append(homes, o.Home)
		}
	}
	return people.Thing{Kind: "Incident", ID: string(i.ID), Group: g, Attrs: map[string]any{
		"silent": i.Silent, "called": i.Adjacent && lately, "origins": homes,
	}}
}

// tidy brings what somebody wrote to NFC without spaces around, or says that it
// is too long.
func tidy(op, s string) (string, error) {
	s = norm.NFC.String(strings.TrimSpace(s))
	if utf8.RuneCountInString(s) > longestNote {
		return "", fault.New(op, fault.Invalid, "alarm.note_too_long")
	}
	return s, nil
}
