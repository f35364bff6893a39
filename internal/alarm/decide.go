package alarm

import (
	"maps"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// ReopenWithin is how long a closed incident is named as the one before a new
// one of the same danger. A new press always opens a new incident: the closing
// of the old one stays what its named person said.
const ReopenWithin = 30 * time.Minute

// TestLasts is how long a bell test rings before it ends by itself.
const TestLasts = 20 * time.Second

// State is everything that Decide must know of one group: its open incidents.
type State struct {
	Group place.GroupID
	Open  map[ID]*Incident
	Last  map[signal.Category]Closed // newest closed live incident per category

	closing map[ID]*Incident // closed by the last event; the writer takes them
}

// Closed is what is remembered of a closed incident.
type Closed struct {
	ID ID
	At time.Time
}

// Desire is what the sirens of a group shall do now.
type Desire struct {
	Group    place.GroupID
	Incident ID // the one that rings, "" for silence
	Sounding bool
	Mode     Mode
	Origins  []place.HomeID // they sound so that neighbours find them
	Quiet    []place.HomeID // homes whose sirens rest
}

// Deed is what an [Effect] asks for.
type Deed uint8

// The deeds, in the order in which they are done.
const (
	Assert Deed = iota + 1 // bring the sirens to Desire, at once
	Tell                   // the incident changed: screens shall know
	Call                   // call Target
)

// Effect is something the world must do because of a decision.
type Effect struct {
	Do       Deed
	Incident ID
	Target   Target // of Call
	Desire   Desire // of Assert
}

// Resolve says which incident e belongs to: an open one, or the one that it
// opens. A press whose danger is not known joins whatever rings loudly.
func Resolve(s State, e Event) Event {
	if !e.raises() || e.Incident != "" {
		if e.Kind == Signaled && e.Incident == "" {
			e.Incident = restored(s, e)
		}
		e.Opens = nil
		return e
	}
	if i := match(s, e); i != nil {
		e.Incident, e.Opens = i.ID, nil
		return e
	}
	if e.Opens != nil {
		o := *e.Opens
		if last, ok := s.Last[e.danger()]; ok && e.mode() == Live && e.At.Sub(last.At) < ReopenWithin {
			o.Previous = last.ID
		}
		e.Incident, e.Opens = o.ID, &o
	}
	return e
}

// match finds the open incident that an alarm joins: one of the same danger
// before one whose danger, or whose press's, is not known; the oldest first.
func match(s State, e Event) *Incident {
	var found *Incident
	rank := func(i *Incident) int {
		switch {
		case i.Mode != e.mode() || i.Silent != e.quiet():
			return 0
		case i.Mode != Live, i.Category == e.danger(): // one drill and one bell test at a time
			return 2
		case i.Category == signal.Panic || e.danger() == signal.Panic:
			return 1
		}
		return 0
	}
	for _, i := range s.Open {
		r := rank(i)
		if r > 0 && (found == nil || r > rank(found) || r == rank(found) && i.ID < found.ID) {
			found = i
		}
	}
	return found
}

// restored finds the open incident that device e speaks of began or joined.
func restored(s State, e Event) ID {
	for id, i := range s.Open {
		for _, o := range i.Origins {
			if e.Signal != nil && o.Device == e.Signal.Device {
				return id
			}
		}
	}
	return ""
}

// Decide is the whole rule of the alarm, without side effects: what group s
// becomes when e happens, and what the world must do. e must be resolved. An
// event that changes nothing returns s and no effect.
func Decide(s State, e Event) (State, []Effect) {
	before := Desired(s)
	next, touched, calls := step(s, e)
	next, touched = overtake(next, e, touched)
	var effects []Effect
	if after := Desired(next); e.raises() && len(touched) > 0 || !before.equal(after) {
		effects = append(effects, Effect{Do: Assert, Incident: after.Incident, Desire: after})
	}
	for _, id := range touched {
		effects = append(effects, Effect{Do: Tell, Incident: id})
	}
	return next, append(effects, calls...)
}

// overtake ends the drills and bell tests of a group in which a live alarm sounds:
// nobody shall take one for the other, nor hear the drill go on afterwards. They
// end in the name of who began them.
func overtake(s State, e Event, touched []ID) (State, []ID) {
	if d := Desired(s); !d.Sounding || d.Mode != Live {
		return s, touched
	}
	for _, id := range slices.Sorted(maps.Keys(s.Open)) {
		if s.Open[id].Mode == Live {
			continue
		}
		i := s.Open[id].clone()
		cause := DrillCause
		if i.Mode == Test {
			cause = TestCause
		}
		i.shut(Event{At: e.At, By: i.Timeline[0].By}, cause)
		i.Version++
		s = s.with(i)
		if !slices.Contains(touched, id) {
			touched = append(touched, id)
		}
	}
	return s, touched
}

// step applies e and names the incidents that it touched.
func step(s State, e Event) (State, []ID, []Effect) {
	switch e.Kind {
	case Ticked:
		return tick(s, e)
	case ClockShifted:
		return shift(s, e)
	case Restated:
		return restate(s, e)
	}
	if e.Opens != nil {
		return open(s, e)
	}
	old := s.Open[e.Incident]
	if old == nil {
		return s, nil, nil
	}
	i := old.clone()
	var changed bool
	switch e.Kind {
	case Signaled, Pressed:
		changed = i.signal(e)
	case Recategorised:
		return recategorise(s, i, e)
	case AnsweredKind:
		changed = i.answer(e)
	case ReceivedKind:
		changed = i.received(e)
	case SirenReported:
		changed = i.siren(e)
	case PhoneReported:
		changed = i.phone(e)
	case AckedKind:
		changed = i.acknowledge(e)
	case SilencedKind:
		changed = i.silence(e)
	case AttendedKind, Controlled:
		changed = i.respond(e)
	case Noted:
		changed = e.Text != ""
		i.note(e, "event.noted", e.By.Home, "info", map[string]any{"text": e.Text})
	case ClosedKind:
		changed = i.close(e)
	}
	if !changed {
		return s, nil, nil
	}
	i.deskSeen(e)
	i.Version++
	return s.with(i), []ID{i.ID}, nil
}

// restate puts an incident in its place as it was when an event of it could not be
// written: the journal and what really happened are one again.
func restate(s State, e Event) (State, []ID, []Effect) {
	if e.State == nil {
		return s, nil, nil
	}
	return s.with(e.State.clone()), []ID{e.Incident}, nil
}

// with returns s holding i, which leaves the open ones when it was closed.
func (s State) with(i *Incident) State {
	s.Open = maps.Clone(s.Open)
	if s.Open == nil {
		s.Open = map[ID]*Incident{}
	}
	if i.Open() {
		s.Open[i.ID] = i
		return s
	}
	delete(s.Open, i.ID)
	s.closing = maps.Clone(s.closing)
	if s.closing == nil {
		s.closing = map[ID]*Incident{}
	}
	s.closing[i.ID] = i
	if i.counts() {
		s.Last = maps.Clone(s.Last)
		if s.Last == nil {
			s.Last = map[signal.Category]Closed{}
		}
		s.Last[i.Category] = Closed{i.ID, i.Closed.By.At}
	}
	return s
}

// counts reports whether a new incident soon after i is that danger again: not
// after a drill or what turned out to be a test.
func (i *Incident) counts() bool {
	return i.Mode == Live && i.Closed.Cause != TestCause && i.Closed.Cause != DrillCause
}

// open makes the incident that e opens.
func open(s State, e Event) (State, []ID, []Effect) {
	i := &Incident{
		ID: e.Opens.ID, Number: e.Opens.Number, Group: s.Group, Category: e.danger(), Mode: e.mode(), Silent: e.quiet(),
		Previous: e.Opens.Previous, Opened: e.At, Condition: Active, Annunciation: Sounding, Response: Unacknowledged,
		Plan: e.Opens.Plan, SoundUntil: e.At.Add(e.Opens.Plan.SirenMax.D()),
	}
	for _, h := range e.Opens.Homes {
		i.Homes = append(i.Homes, Roll{Home: h})
	}
	if i.Silent {
		i.Annunciation = Off
	}
	if i.Mode == Test {
		i.EndsBy = e.At.Add(TestLasts)
	}
	for _, st := range i.Plan.Steps {
		if i.Silent && !st.deskOnly() {
			continue // whatever plan it came with
		}
		if i.Mode != Test || st.After == 0 && slices.Equal(st.Call, []Target{CallPush}) { // a bell test asks the phones too, and nobody else
			i.Steps = append(i.Steps, Due{Step: st, At: e.At.Add(st.After.D())})
		}
	}
	if e.automatic() && i.Plan.Verify > 0 {
		i.Condition, i.VerifyBy = PreAlarm, e.At.Add(i.Plan.Verify.D())
	}
	i.join(e)
	i.Version = 1
	next, _, calls := tick(s.with(i), Event{Kind: Ticked, At: e.At}) // steps due at once
	return next, []ID{i.ID}, calls
}

// join notes the origin of an alarm and reports whether its home is new.
func (i *Incident) join(e Event) (newHome bool) {
	o := e.origin()
	newHome = len(i.Origins) > 0 && !i.OriginHome(o.Home)
	key := "event.raised"
	switch {
	case i.Mode != Live:
		key = "event." + string(i.Mode)
	case newHome:
		key = "event.spread"
	case len(i.Origins) > 0:
		key = "event.pressed_again"
	}
	at := slices.IndexFunc(i.Origins, func(p Origin) bool {
		return p.Home == o.Home && p.Device == o.Device && p.Person == o.Person
	})
	if at >= 0 {
		i.Origins[at].Returned = false
	} else {
		i.Origins = append(i.Origins, o)
	}
	i.note(e, key, o.Home, "alarm", map[string]any{"device_kind": string(o.Kind), "category": string(e.danger())})
	return newHome
}

// signal takes an alarm or a restore for an incident that is open already.
func (i *Incident) signal(e Event) bool {
	if !e.raises() {
		return i.restore(e)
	}
	named := i.Category == signal.Panic && e.danger() != signal.Panic
	if named {
		i.Category = e.danger() // the danger got a name
	}
	i.Condition, i.VerifyBy = Active, time.Time{} // a second voice ends any doubt
	switch newHome := i.join(e); {
	case newHome:
		i.spread(e)
	case named, !e.automatic(), i.Annunciation == Ended:
		i.ring(e) // another danger than was silenced, or somebody presses again: they must be heard
	}
	return true
}

// spread is a second home: more severe, and every siren sounds again (I11).
func (i *Incident) spread(e Event) {
	i.Spreading = i.Mode == Live
	if i.Silent {
		i.DeskSound = true
		return
	}
	i.ring(e)
	if i.Mode == Live && i.DeskAck != nil {
		i.DeskSound = true
	}
}

// ring ends every silence and begins a new run of the sirens.
func (i *Incident) ring(e Event) {
	if i.Silent {
		return
	}
	i.Silences = nil
	i.Annunciation, i.SoundUntil, i.SoundAgain = Sounding, e.At.Add(i.Plan.SirenMax.D()), time.Time{}
}

// restore notes that a detector no longer sees its danger. A button that is let go
// says nothing about the danger: it never returns.
func (i *Incident) restore(e Event) bool {
	if e.Signal == nil || e.Signal.Kind != signal.Restore {
		return false
	}
	changed, all := false, true
	for k := range i.Origins {
		o := &i.Origins[k]
		if o.Device == e.Signal.Device && o.Kind != signal.Button && !o.Returned {
			o.Returned, changed = true, true
		}
		all = all && o.Returned
	}
	if changed && all && i.Condition == Active {
		i.Condition = Returned
		i.note(e, "event.returned", e.Signal.Home, "info", nil)
	}
	return changed
}

// recategorise names the danger. When the group already has an open incident of
// that danger, this one joins it as a duplicate.
func recategorise(s State, i *Incident, e Event) (State, []ID, []Effect) {
	if e.Category == "" || e.Category == i.Category {
		return s, nil, nil
	}
	for _, other := range s.Open {
		if other.ID == i.ID || other.Mode != i.Mode || other.Silent != i.Silent || other.Category != e.Category {
			continue
		}
		o := other.clone()
		for _, from := range i.Origins {
			if !o.OriginHome(from.Home) {
				o.Origins = append(o.Origins, from)
				o.spread(e)
			}
		}
		o.adopt(i)
		o.note(e, "event.joined", i.Origins[0].Home, "alarm", map[string]any{"number": i.Number})
		o.Version++
		i.shut(e, Duplicate)
		i.Version++
		return s.with(o).with(i), []ID{o.ID, i.ID}, nil
	}
	i.Category = e.Category
	i.note(e, "event.recategorised", e.By.Home, "alarm", map[string]any{"category": string(e.Category)})
	i.deskSeen(e)
	i.Version++
	return s.with(i), []ID{i.ID}, nil
}

// adopt takes over the roll-call of an incident that joins i: nobody who needs
// help is lost on the way.
func (i *Incident) adopt(from *Incident) {
	for _, old := range from.Homes {
		r := i.edit(old.Home)
		if r == nil {
			continue
		}
		for _, p := range old.People {
			if !slices.ContainsFunc(r.People, func(q PersonAnswer) bool { return q.Person == p.Person && q.OnBehalf == p.OnBehalf }) {
				r.People = append(r.People, p)
			}
		}
	}
}

// answer writes one line of the roll-call. One home's answer never touches
// another's, nor any siren (I6).
func (i *Incident) answer(e Event) bool {
	r := i.edit(e.Home)
	if r == nil || !slices.Contains(Answers[:], e.Answer) {
		return false
	}
	behalf := e.By.Home != e.Home
	if e.Answer != NeedHelp && e.Text != "" && i.mayClear(e) {
		for k := range r.People {
			if r.People[k].Answer == NeedHelp {
				r.People[k].Answer = e.Answer
			}
		}
	}
	line := PersonAnswer{Person: e.By.Person, Answer: e.Answer, At: e.At, Minutes: e.Minutes, OnBehalf: behalf}
	if at := slices.IndexFunc(r.People, func(p PersonAnswer) bool { return p.Person == e.By.Person && p.OnBehalf == behalf }); at >= 0 {
		r.People[at] = line
	} else {
		r.People = append(r.People, line)
	}
	r.alive(e.At)
	args := map[string]any{"answer": string(e.Answer), "on_behalf": behalf}
	if e.Text != "" {
		args["text"] = e.Text
	}
	tone := "safe"
	switch e.Answer {
	case NeedHelp:
		tone = "help"
	case Coming:
		tone = "coming"
	case Away, CannotHelp:
		tone = "info"
	}
	i.note(e, "event.answer."+string(e.Answer), e.Home, tone, args)
	return true
}

// mayClear says who may end somebody's "need help", with a reason: that home, or
// a responder on the spot (I12).
func (i *Incident) mayClear(e Event) bool {
	if e.By.Home != "" && e.By.Home == e.Home {
		return true
	}
	return i.OnSpot != nil && (e.By.Role != people.Member || i.OnSpot.Person == e.By.Person)
}

func (i *Incident) received(e Event) bool {
	r := i.edit(e.Home)
	if r == nil || e.By.Person == "" {
		return false
	}
	if _, ok := r.Phones[e.By.Person]; ok {
		return false
	}
	if r.Phones == nil {
		r.Phones = map[people.ID]time.Time{}
	}
	r.Phones[e.By.Person] = e.At
	r.alive(e.At)
	return true
}

func (i *Incident) siren(e Event) bool {
	r := i.edit(e.Home)
	if r == nil {
		return false
	}
	if had, ok := r.Sirens[e.Device]; ok && had >= e.Ladder {
		return false
	}
	if r.Sirens == nil {
		r.Sirens = map[signal.DeviceID]Ladder{}
	}
	r.Sirens[e.Device] = e.Ladder
	if e.Ladder >= Heard {
		r.alive(e.At)
	}
	return true
}

// phone notes how far the calls to a home got. It never goes back from what was
// taken on or received.
func (i *Incident) phone(e Event) bool {
	r := i.edit(e.Home)
	if r == nil {
		return false
	}
	had := r.Calls[e.Via].State
	if had == e.Delivery || had.rank() > e.Delivery.rank() {
		return false
	}
	if r.Calls == nil {
		r.Calls = map[Via]PhoneCall{}
	}
	r.Calls[e.Via] = PhoneCall{e.Delivery, e.At}
	return true
}

func (r *Roll) alive(at time.Time) {
	if r.First.IsZero() {
		r.First = at
	}
	r.Knock = false
}

// acknowledge takes the incident. It stops the desk's own sound and nothing else.
func (i *Incident) acknowledge(e Event) bool {
	by := e.By
	by.At = e.At
	desk := e.By.desk()
	deskNews := desk && (i.DeskAck == nil || i.DeskSound)
	if i.Response != Unacknowledged && !deskNews {
		return false
	}
	i.Ack = &by
	if i.Response == Unacknowledged {
		i.Response = Acknowledged
	}
	if desk {
		i.DeskAck, i.DeskSound = &by, false
	}
	i.note(e, "event.acknowledged", e.By.Home, "info", map[string]any{"role": string(e.By.Role)})
	return true
}

// deskSeen notes a sign of life of the duty desk.
func (i *Incident) deskSeen(e Event) {
	if e.By.desk() && !e.By.Nobody() {
		i.DeskSeen = e.At
	}
}

// silence rests one home's siren, or the whole group's when e.Home is "". It
// never closes anything and never lasts longer than the plan's SilenceMax.
func (i *Incident) silence(e Event) bool {
	if i.Silent || i.Annunciation == Off || e.Home != "" && i.roll(e.Home) == nil {
		return false
	}
	until := e.Until
	if most := e.At.Add(i.Plan.SilenceMax.D()); until.IsZero() || until.After(most) {
		until = most
	}
	if !until.After(e.At) {
		return false
	}
	i.Silences = maps.Clone(i.Silences)
	if i.Silences == nil {
		i.Silences = map[place.HomeID]time.Time{}
	}
	i.Silences[e.Home] = until
	if e.Home == "" {
		i.Annunciation = Silenced
	}
	i.note(e, "event.silenced", e.Home, "info", map[string]any{"seconds": int(until.Sub(e.At).Seconds())})
	return true
}

func (i *Incident) respond(e Event) bool {
	by := e.By
	by.At = e.At
	want, key := Attended, "event.attended"
	if e.Kind == Controlled {
		want, key = UnderControl, "event.under_control"
	}
	if i.Response == want || i.Response == UnderControl {
		return false
	}
	i.Response = want
	if i.OnSpot == nil {
		i.OnSpot = &by
	}
	if i.Ack == nil {
		i.Ack = &by
	}
	if e.By.desk() {
		i.DeskAck, i.DeskSound = &by, false
	}
	i.note(e, key, e.By.Home, "info", nil)
	return true
}

// Refusal says why e may not happen now, as the key of a sentence; "" when it may.
// Whether that person may do such a thing at all is decided before.
func Refusal(s State, e Event) string {
	i := s.Open[e.Incident]
	if i == nil {
		return "alarm.already_closed"
	}
	switch e.Kind {
	case ClosedKind:
		return i.refuseClose(e)
	case AnsweredKind:
		if i.roll(e.Home) == nil {
			return "alarm.home_not_in_incident"
		}
	}
	return ""
}

func (i *Incident) refuseClose(e Event) string {
	if e.Cause == DrillCause && i.Mode != Drill || e.Cause == TestCause && i.Mode != Test && i.Mode != Live {
		return "alarm.cause_does_not_fit"
	}
	if i.Mode != Live {
		return ""
	}
	if i.NeedsHelp() > 0 {
		return "alarm.somebody_needs_help"
	}
	if e.By.Role != people.Member {
		return ""
	}
	if e.Cause != MistakenAlarm && e.Cause != Nuisance {
		return "alarm.ask_leader_to_close"
	}
	if !i.OriginHome(e.By.Home) && i.Mistake == nil {
		return "alarm.origin_home_first"
	}
	return ""
}

// close ends the incident, or, when its presser alone says "by mistake" too late,
// notes that claim and waits for a second home.
func (i *Incident) close(e Event) bool {
	if i.refuseClose(e) != "" {
		return false
	}
	by := e.By
	by.At = e.At
	if e.By.Role == people.Member && i.Mode == Live {
		alone := len(i.Origins) == 1 && !i.Spreading && e.At.Sub(i.Opened) <= i.Plan.MistakeWithin.D()
		second := i.Mistake != nil && i.Mistake.Home != e.By.Home
		if !second && !(alone && i.OriginHome(e.By.Home)) {
			if i.Mistake != nil {
				return false
			}
			i.Mistake = &by
			i.note(e, "event.mistake_claimed", e.By.Home, "info", nil)
			return true
		}
	}
	i.shut(e, e.Cause)
	return true
}

func (i *Incident) shut(e Event, c Cause) {
	by := e.By
	by.At = e.At
	i.Closed = &Closing{By: by, Cause: c, Note: e.Text}
	i.Annunciation, i.DeskSound, i.Silences = Off, false, nil
	i.note(e, "event.closed", e.By.Home, "info", map[string]any{"cause": string(c)})
}

func (i *Incident) note(e Event, key string, home place.HomeID, tone string, args map[string]any) {
	by := e.By
	by.At = e.At
	if last := len(i.Timeline) - 1; key == "event.pressed_again" && i.Timeline[last].Key == key && i.Timeline[last].Home == home {
		args["count"] = max(whole(i.Timeline[last].Args["count"]), 1) + 1
		i.Timeline = append(slices.Clone(i.Timeline[:last]), Entry{At: e.At, Key: key, Home: home, By: by, Args: args, Tone: tone})
		return
	}
	i.Timeline = append(i.Timeline, Entry{At: e.At, Key: key, Home: home, By: by, Args: args, Tone: tone})
}

// whole is a number of a timeline's line, as it was put there or as JSON brings it back.
func whole(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case float64:
		return int(n)
	}
	return 0
}

// clone copies i so far that edit, note and the other deeds cannot reach the old one.
func (i *Incident) clone() *Incident {
	c := *i
	c.Origins = slices.Clone(i.Origins)
	c.Homes = slices.Clone(i.Homes)
	c.Steps = slices.Clone(i.Steps)
	c.Timeline = slices.Clip(i.Timeline)
	return &c
}

// edit returns the line of home h with its own copies of what it holds, or nil.
func (i *Incident) edit(h place.HomeID) *Roll {
	r := i.roll(h)
	if r == nil {
		return nil
	}
	r.People, r.Phones, r.Calls, r.Sirens = slices.Clone(r.People), maps.Clone(r.Phones), maps.Clone(r.Calls), maps.Clone(r.Sirens)
	return r
}
