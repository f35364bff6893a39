package device

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/device/drive"
	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Ladder is how far a command to a siren got.
type Ladder = drive.Ladder

// Desire is what the sirens of a group shall do now. Whatever they were told
// before is void.
type Desire struct {
	Sounding bool
	Pattern  dialect.Pattern // "" is [dialect.AlarmPattern]
	Origins  []place.HomeID  // where it began: these sound [dialect.OriginPattern]
	Quiet    []place.HomeID  // homes whose sirens rest
	Until    time.Time       // then they fall silent by themselves; zero: until told otherwise
	Incident string          // named in the reports
}

// order is what a siren of home h shall do.
func (d Desire) order(h place.HomeID, now time.Time) drive.Order {
	if !d.Sounding || !d.Until.IsZero() && !now.Before(d.Until) || slices.Contains(d.Quiet, h) {
		return drive.Order{}
	}
	p := d.Pattern
	if p == "" {
		p = dialect.AlarmPattern
	}
	if p == dialect.AlarmPattern && slices.Contains(d.Origins, h) {
		p = dialect.OriginPattern
	}
	return drive.Order{Sounding: true, Pattern: p}
}

// Reports hears how far the command to each siren got. It is called from one
// goroutine of its own and may take its time.
type Reports interface {
	Siren(g place.GroupID, h place.HomeID, d signal.DeviceID, incident string, l Ladder, at time.Time)
}

// ringer is the sirens of one group. Whoever holds mu may command them.
type ringer struct {
	mu     sync.Mutex
	desire Desire
	sirens []*siren
}

// siren is one siren or lamp.
type siren struct {
	ringer   *ringer
	dev      *wired                        // guarded by ringer.mu, as all but the last
	drive    drive.Drive                   //
	commands map[command][]dialect.Message // made once
	longest  time.Duration                 // its model sounds at most so long in one go
	broken   bool                          // its dialect cannot command it
	told     Ladder                        // last reported
	toldOf   string                        // incident of that report
	gone     bool                          // no longer in the village
	ack      atomic.Uint64                 // newest command that was acknowledged

	due   time.Time // guarded by agenda.mu
	place int       // in its heap, from 1; 0 when not in it
}

// command is what a message to a siren depends on.
type command struct {
	drive.Order
	lasts time.Duration
}

// sirens drives every siren of every group.
type sirens struct {
	front   broker.Front
	agenda  *agenda
	reports func(siren *siren, l Ladder, incident string, at time.Time)
	alarms  atomic.Int64 // on their way to their first command: repeats give way to them
	rang    atomic.Int64 // when the last one began, Unix ns

	mu     sync.RWMutex
	groups map[place.GroupID]*ringer
	all    map[signal.DeviceID]*siren
	heard  map[broker.Space]map[string][]*siren // by topic on which they are commanded
	models map[model]time.Duration
}

func newSirens() *sirens {
	return &sirens{
		agenda: newAgenda(), groups: map[place.GroupID]*ringer{}, all: map[signal.DeviceID]*siren{},
		models: map[model]time.Duration{},
	}
}

func (v *sirens) ringer(g place.GroupID) *ringer {
	v.mu.RLock()
	r := v.groups[g]
	v.mu.RUnlock()
	if r != nil {
		return r
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r = v.groups[g]; r == nil {
		r = &ringer{}
		v.groups[g] = r
	}
	return r
}

// desire commands every siren of group g whose order changes, before it returns.
// Nothing here waits: no disk, no network, no lock that is held over either.
func (v *sirens) desire(g place.GroupID, d Desire) {
	r := v.ringer(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.desire = d
	for _, s := range r.sirens {
		if s.follow(now) {
			v.command(s, now)
		}
	}
	for _, s := range r.sirens {
		v.after(s, now)
	}
}

// follow takes the group's desire; it reports whether that is news for s. The
// caller holds ringer.mu, as for all that follow.
func (s *siren) follow(now time.Time) bool {
	want := s.ringer.desire.order(s.dev.Home, now)
	if s.gone || s.dev.live.outOfService(now) {
		want = drive.Order{}
	}
	return s.drive.Follow(want, s.ringer.desire.Until, s.ringer.desire.Incident, now)
}

// outOfService is bypassed for those who do not hold mu.
func (l *live) outOfService(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bypassed(now)
}

// command sends what s shall do.
func (v *sirens) command(s *siren, now time.Time) {
	want, _ := s.drive.Want()
	c := command{Order: want}
	if c.Sounding {
		c.lasts = s.lasts(now)
	}
	ms, ok := s.messages(c)
	if !ok {
		return
	}
	number := s.drive.Number() + 1
	reached := false
	for i, m := range ms {
		var acked func()
		if i == len(ms)-1 {
			acked = func() { v.acknowledged(s, number) }
		}
		reached = v.front.Send(s.dev.space, m.Topic, m.Payload, staleAfter, acked) > 0
	}
	s.drive.Commanded(reached, c.lasts, now)
	if len(ms) == 0 { // nothing that could stop it
		s.drive.Voiceless()
	}
}

// staleAfter bounds how long a command may wait anywhere. After that it is void;
// a newer one is on its way.
const staleAfter = 10 * time.Second

// lasts is for how long s is told to sound: whole seconds, so that the commands
// can be made in advance.
func (s *siren) lasts(now time.Time) time.Duration {
	want, until := s.drive.Want()
	d := min(drive.Commanded, s.longest)
	switch { // a siren that knows one sound only tells the others apart by their length
	case want.Once():
		d = min(d, drive.OnceLasts)
	case want.Interrupted():
		d = min(d, drive.DrillLasts)
	}
	if left := until.Sub(now); !until.IsZero() && left < d {
		d = max((left + time.Second - 1).Truncate(time.Second), time.Second)
	}
	return d
}

// messages returns the messages of c; false when the dialect cannot make them.
func (s *siren) messages(c command) ([]dialect.Message, bool) {
	if ms, ok := s.commands[c]; ok {
		return ms, true
	}
	ms, err := s.dev.lang.Command(s.dev.as, dialect.Want{Sounding: c.Sounding, Duration: c.lasts, Pattern: c.Pattern})
	if s.broken = err != nil; s.broken {
		return nil, false
	}
	if len(s.commands) >= 16 { // odd durations of tests
		clear(s.commands)
	}
	s.commands[c] = ms
	return ms, true
}

// acknowledged is called by the front from anywhere, also while s is commanded.
func (v *sirens) acknowledged(s *siren, number uint64) {
	for {
		had := s.ack.Load()
		if had >= number || s.ack.CompareAndSwap(had, number) {
			break
		}
	}
	v.agenda.sooner(s, time.Now())
}

// after takes in acknowledgements, puts s down for its next turn and reports.
func (v *sirens) after(s *siren, now time.Time) {
	d := &s.drive
	d.Acked(s.ack.Load())
	next := d.Next()
	want, _ := d.Want()
	if s.broken || s.gone && !want.Sounding && d.Settled() {
		next = time.Time{}
	}
	v.agenda.set(s, next)
	if i := d.Incident(); want.Sounding && i != "" {
		if l := d.Ladder(); l != s.told || i != s.toldOf {
			s.told, s.toldOf = l, i
			v.reports(s, l, i, now)
		}
	}
}

// turn does what is due for s.
func (v *sirens) turn(s *siren) {
	s.ringer.mu.Lock()
	defer s.ringer.mu.Unlock()
	now := time.Now()
	news := s.follow(now)
	s.drive.Acked(s.ack.Load())
	if next := s.drive.Next(); news || !next.IsZero() && !next.After(now) {
		s.drive.Renew()
		v.command(s, now)
	}
	v.after(s, now)
}

// contact asserts what s shall do, because it or its hub is there again.
func (v *sirens) contact(s *siren) {
	s.ringer.mu.Lock()
	defer s.ringer.mu.Unlock()
	now := time.Now()
	s.follow(now)
	if s.drive.Contact(now) {
		v.command(s, now)
	}
	v.after(s, now)
}

// hear notes what a siren or lamp says of itself: Sounding or Quiet, or any
// other sign of life. The first one since the process started brings it today's
// desire. A stored word is a contact, not a confirmation.
func (v *sirens) hear(id signal.DeviceID, k signal.Kind, stored bool) {
	v.mu.RLock()
	s := v.all[id]
	v.mu.RUnlock()
	if s == nil {
		return
	}
	s.ringer.mu.Lock()
	defer s.ringer.mu.Unlock()
	now := time.Now()
	if (k == signal.Sounding || k == signal.Quiet) && !stored {
		s.drive.Hear(k, now)
	}
	if !s.drive.Met() || k == signal.Online {
		if s.drive.Contact(now) {
			s.follow(now)
			v.command(s, now)
		}
	}
	v.after(s, now)
}

// subscribed asserts the desire of every siren that a client of space n now hears.
func (v *sirens) subscribed(n broker.Space, filter string) {
	v.mu.RLock()
	heard := v.heard[n]
	v.mu.RUnlock()
	if !strings.ContainsAny(filter, "+#$") {
		for _, s := range heard[filter] {
			v.contact(s)
		}
		return
	}
	for topic, list := range heard {
		if covers(filter, topic) {
			for _, s := range list {
				v.contact(s)
			}
		}
	}
}

// run carries out what is due until ctx ends. First commands of an alarm do not
// pass here: they leave in desire, and what is due here gives way to them.
func (v *sirens) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s, wait := v.agenda.take(time.Now())
		if s != nil {
			if !v.giveWay(ctx) {
				return
			}
			v.turn(s)
			continue
		}
		if wait < 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-v.agenda.wake:
		case <-ctx.Done():
			return
		}
	}
}

// giveWay waits while alarms are on their way to their first command, but not for
// ever: a repeat may save somebody too. It is false when ctx ended.
func (v *sirens) giveWay(ctx context.Context) bool {
	for n := 0; v.alarms.Load() > 0 && n < 100; n++ {
		select {
		case <-time.After(200 * time.Microsecond):
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

const (
	// breath is how long after an alarm what is told of it may wait: screens and the
	// journal of reports take the processor that the next group's sirens need. By
	// then most sirens have acknowledged, and that is told at once.
	breath = 10 * time.Millisecond
	// longestBreath is how long it waits in a storm.
	longestBreath = 200 * time.Millisecond
)

// breathe waits until no alarm has come for a breath. It is false when ctx ended.
func (v *sirens) breathe(ctx context.Context) bool {
	for end := time.Now().Add(longestBreath); ; {
		now := time.Now()
		rest := time.Unix(0, v.rang.Load()).Add(breath).Sub(now)
		if rest <= 0 || !now.Before(end) {
			return ctx.Err() == nil
		}
		select {
		case <-time.After(min(rest, breath)):
		case <-ctx.Done():
			return false
		}
	}
}
