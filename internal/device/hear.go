package device

import (
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/signal"
)

// panelDialect is spoken by alarm panels, which arm by themselves, over [Panels].
const panelDialect = "dc09"

// debt is what a message still waits for before its sender may forget it.
type debt struct {
	left atomic.Int32
	done func()
}

func owe(done func()) *debt {
	d := &debt{done: done}
	d.left.Store(1)
	return d
}

func (d *debt) more() { d.left.Add(1) }

func (d *debt) pay() {
	if d.left.Add(-1) == 0 {
		d.done()
	}
}

// Publish implements [broker.Handler]. An alarm is acknowledged when it is on
// disk, a restore when the level it restored is, all else at once.
func (v *Service) Publish(p broker.Publish, done func()) {
	reg := v.now.Load()
	s := reg.spaces[p.Space]
	v.counts.messages.Add(1)
	if s == nil {
		done() // an account that was removed a moment ago
		return
	}
	now := time.Now()
	s.hub.heard(now)
	m := dialect.Message{Topic: p.Topic, Payload: p.Payload, Retain: p.Retain, Dup: p.Dup}
	owed := owe(done)
	known := s.exact[p.Topic]
	for _, d := range known {
		v.decode(d, m, now, owed)
	}
	if !v.hearHub(s, m, now) && len(known) == 0 && len(p.Payload) > 0 && !s.mine(p.Topic) {
		v.unknown(string(p.Space), p.Topic, p.Payload, "device.topic_unknown", now)
	}
	owed.pay()
}

// decode asks the dialect what m says of d, and follows.
func (v *Service) decode(d *wired, m dialect.Message, now time.Time, owed *debt) {
	rs, err := read(d, m)
	if err != nil {
		v.counts.undecodable.Add(1)
		v.unknown(string(d.space), m.Topic, m.Payload, err.Error(), now)
		return
	}
	if len(rs) > 0 {
		f := d.facts(m, now)
		f.Stored = v.Standing && m.Retain
		v.take(d, rs, f, now, owed)
	}
}

// contacted brings a siren that gave a sign of life today's desire, if this is
// the first one or it says that it came back.
func (v *Service) contacted(d *wired, rs []dialect.Reading) {
	for _, r := range rs {
		if r.Kind != signal.Offline {
			v.sirens.hear(d.ID, r.Kind, true)
		}
	}
}

// read calls the dialect and survives it: a message that makes it panic is one
// that cannot be understood.
func read(d *wired, m dialect.Message) (rs []dialect.Reading, err error) {
	defer func() {
		if r := recover(); r != nil {
			rs, err = nil, fmt.Errorf("dialect %s broke on this message", d.Dialect)
		}
	}()
	return d.lang.Decode(d.as, m)
}

// facts gathers what the rules must know of a message for d.
func (d *wired) facts(m dialect.Message, now time.Time) Facts {
	h := fnv.New64a()
	_, _ = h.Write(m.Payload)
	return Facts{Device: d.ID, Kind: d.Kind, Armed: d.Armed, Means: d.Category, Panel: d.Dialect == panelDialect, Retain: m.Retain, Dup: m.Dup, Hash: h.Sum64()}
}

// take applies the rules to readings of d and does what they say.
func (v *Service) take(d *wired, rs []dialect.Reading, f Facts, now time.Time, owed *debt) {
	if s := v.now.Load().spaces[d.space]; s != nil {
		f.HubBack = s.hub.backAt()
	}
	var few [4]Verdict
	l := d.live
	l.mu.Lock()
	f.Bypassed = l.bypassed(now)
	next, verdicts := Hear(few[:0], l.state, rs, f, now)
	l.guard(d, rs)
	keep := slices.ContainsFunc(verdicts, func(w Verdict) bool { return w.Keep })
	news := l.note(next)
	rev := l.rev
	for i := range verdicts {
		if w := &verdicts[i]; w.Do == Again && !slices.Contains(l.pending, w.Key) {
			w.Do = Nothing
		} else if w.Do == Ring && !w.Press {
			l.pending = append(l.pending, w.Key)
		}
	}
	if keep {
		l.saved, l.dirty = now, false
	}
	l.mu.Unlock()
	v.obey(d, verdicts, next, rev, keep, now, owed)
	if d.sounds() {
		v.contacted(d, rs)
	}
	if news && d.group != "" {
		v.changed(d.group)
	}
}

// guard notes what a device with a will says of its presence.
func (l *live) guard(d *wired, rs []dialect.Reading) {
	for _, r := range rs {
		if guarded[d.Dialect] && (r.Kind == signal.Online || r.Kind == signal.Offline) {
			l.present = r.Kind == signal.Online
		}
	}
}

// note puts s in the place of the state and reports whether people may see a
// difference.
func (l *live) note(s State) bool {
	old := l.state
	l.state = s
	l.rev++
	if s.Fault != old.Fault || s.Tamper != old.Tamper || s.LowBattery != old.LowBattery || s.Battery != old.Battery ||
		s.Away != old.Away || s.Confirmed != old.Confirmed || s.Missed != old.Missed || s.Proven != old.Proven {
		l.dirty = true
		return true
	}
	return l.status == "" || l.status == Offline || l.status == Late
}

// obey does what the verdicts on one message of d say.
//
// The memory of a press goes to the journal before the alarm does: once the
// alarm is on disk, a repetition of the press is known as one. A level goes
// after the alarm: if only one of them gets there, the level must not be the one
// that says "rang already". Handing over to the journal takes no time; the disk
// follows later.
func (v *Service) obey(d *wired, verdicts []Verdict, s State, rev int64, keep bool, now time.Time, owed *debt) {
	press, level := false, false
	for _, w := range verdicts {
		press = press || w.Keep && w.Press
		level = level || w.Keep && !w.Press
	}
	if slices.ContainsFunc(verdicts, rings) {
		v.Journal.Hold() // the sirens first; and one sync for all of it
		defer v.Journal.Release()
	}
	if press && !level {
		v.keep(d.ID, s, rev, owed, false)
	}
	for _, w := range verdicts {
		v.do(d, w, now, owed)
	}
	if keep && !(press && !level) {
		v.keep(d.ID, s, rev, owed, !slices.ContainsFunc(verdicts, rings))
	}
}

func rings(w Verdict) bool { return w.Do == Ring }

// keep gives a state to the journal. strict: the sender's message hangs on it
// alone, so an error is no excuse.
func (v *Service) keep(id signal.DeviceID, s State, rev int64, owed *debt, strict bool) {
	owed.more()
	v.Journal.Do(save(id, s, rev), func(err error) {
		if err != nil {
			v.Log.Error("device state was not written", "device", string(id), "err", err)
			if strict {
				return
			}
		}
		owed.pay()
	})
}

// do does what one verdict says.
func (v *Service) do(d *wired, w Verdict, now time.Time, owed *debt) {
	if w.Why != "" && w.Why != WhyUnchanged {
		v.counts.ignored.Add(1)
	}
	if w.Press && w.Why == WhyRetained {
		v.unknown(string(d.space), d.Topic, []byte(w.Value), "device.press_retained", now)
	}
	switch w.Do {
	case Ring, Again:
		v.ring(d, w, now, owed)
	case Pass:
		v.links.Alarms.Take(d.signal(w, now), func() {})
	case Tell:
		v.notice(d, w, now)
	case Echo:
		v.sirens.hear(d.ID, w.Kind, w.Stored)
	}
}

// ring passes an alarm on.
func (v *Service) ring(d *wired, w Verdict, now time.Time, owed *debt) {
	if w.Category != signal.HoldUp { // who reads the counts must not learn of one
		v.counts.alarms.Add(1)
	}
	owed.more()
	done := owed.pay
	if !w.Press {
		done = func() {
			d.live.settle(w.Key)
			owed.pay()
		}
	}
	v.sirens.alarms.Add(1)
	v.sirens.rang.Store(now.UnixNano())
	defer v.sirens.alarms.Add(-1)
	v.links.Alarms.Take(d.signal(w, now), done)
}

// settle notes that an alarm is on disk.
func (l *live) settle(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = slices.DeleteFunc(l.pending, func(k string) bool { return k == key })
}

func (d *wired) signal(w Verdict, now time.Time) signal.Signal {
	return signal.Signal{
		Key: w.Key, Device: d.ID, DevKind: d.Kind, Home: d.Home, Group: d.group, Kind: w.Kind, Category: w.Category,
		Resent: w.Resent, At: now.UTC().Round(0).Truncate(time.Millisecond),
	}
}

// notice queues a fact for Told.
func (v *Service) notice(d *wired, w Verdict, now time.Time) {
	if v.links.Told == nil {
		return
	}
	n := Notice{Signal: d.signal(w, now), Value: w.Value, Why: w.Why}
	v.out.put(func() { v.links.Told.Noticed(n) })
}
