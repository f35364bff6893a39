package device

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

const (
	// Bounce is how soon the same press from the same button is still the same
	// press: contacts chatter, and radios repeat.
	Bounce = 400 * time.Millisecond
	// SamePress is how long a message that its sender marks as sent before, or
	// that carries the same number, is the same press. Not longer: a button that
	// loses its counter with its power numbers every press 1.
	SamePress = 10 * time.Minute
	// resentWithin is the same for a press without a number: its payload alone
	// says little.
	resentWithin = 2 * time.Minute
	// settling is how long after a hub came back its words may be old ones.
	settling = 10 * time.Second
	// oldWord is how old such a word must be, by the sender's own clock.
	oldWord = 30 * time.Second
	// testLasts is how long a detector under test is not believed to see smoke.
	testLasts = 2 * time.Minute
	// remembered is how many presses of a device are kept to recognise repetitions.
	remembered = 16
)

// State is everything known of one device between two messages. It is a value:
// whoever changes it makes new slices.
type State struct {
	Levels  []Level
	Presses []Press // newest last, at most [remembered]
	LastKey int64   // ms in the newest key, so that no two presses share one

	Seen       time.Time     // last sign of life, Keng's clock
	Gap        time.Duration // longest usual silence, see [State.Alive]
	Steady     int           // how many silences fitted Gap in a row
	Learning   time.Time     // since when they did
	Busy       bool          // the last message was an event, so the next silence teaches nothing
	SenderSeen time.Time     // newest time of a reading by the sender's clock, never after Keng's
	Doubt      time.Time     // time of a reading that seemed stale; a later one shows that the clock was set back

	Away       time.Time // since when the device is said to be offline; zero when it is not
	Fault      string    // what it says is broken, "" when nothing
	Tamper     bool
	LowBattery bool
	Battery    int // percent, when HasBattery
	HasBattery bool
	Testing    time.Time // since when it says that it is under test; zero when not
	Proven     time.Time // last test or real use
	Confirmed  bool      // siren: has told at least once that it sounded
	Missed     time.Time // a stored value showed an alarm that Keng was not there to hear; zero when none
}

// Level is the last known value of one property that holds until restored.
type Level struct {
	Property string `json:"p"`
	Alarm    bool   `json:"a"`
	Key      string `json:"k,omitempty"` // of the signal that rang for it, "" when none did
	Kept     bool   `json:"r,omitempty"` // first seen as a retained value: the first live word rings
	At       int64  `json:"t"`           // Unix ms
}

// Press is one press, kept so that its repetition is known.
type Press struct {
	Property string `json:"p"`
	Seq      string `json:"s,omitempty"` // the sender's number
	Hash     uint64 `json:"h"`           // FNV-1a of the payload
	Key      string `json:"k"`
	At       int64  `json:"t"` // Unix ms
}

// Facts are what a rule must know of a message beside its readings.
type Facts struct {
	Device   signal.DeviceID
	Kind     signal.DeviceKind
	Armed    bool            // contact, motion: rings as intrusion
	Means    signal.Category // what a button's press means; "" for what it says
	Panel    bool            // speaks through an alarm panel, which arms by itself
	Bypassed bool            // out of service: never rings, proves nothing
	Retain   bool            // published as retained
	Stored   bool            // handed out by a standing broker: an old value, not a live one
	Dup      bool            // the sender may have sent it before
	Firm     bool            // the sender promises that a number is never used twice (webhook)
	Hash     uint64          // of the payload
	HubBack  time.Time       // since when its hub is there
}

// Deed is what a verdict asks for.
type Deed uint8

// The deeds.
const (
	Nothing Deed = iota
	Ring         // an alarm: pass it on, acknowledge when it is on disk
	Again        // an alarm that rang before, still on its way to the disk perhaps
	Pass         // a restore or test: pass it on
	Tell         // a fact for the leader, nothing rings
	Echo         // a siren's own word: for the siren driver
)

// Why an alarm reading did not ring.
const (
	WhyRetained   = "retained"     // a retained press, or the first value ever and retained
	WhyStale      = "stale"        // an old word
	WhyAway       = "while_away"   // a stored value changed while Keng was away
	WhyTest       = "test"         // the detector is under test
	WhyBypassed   = "bypassed"     // out of service
	WhyNotArmed   = "not_armed"    // a door or movement sensor that guards nothing
	WhyNotAnAlarm = "not_an_alarm" // this kind of device raises no alarm
	WhyUnchanged  = "unchanged"    // said before
)

// Verdict is what follows from one reading.
type Verdict struct {
	Do       Deed
	Kind     signal.Kind
	Category signal.Category
	Key      string
	Value    string
	Press    bool   // of Ring: a pulse, not a level
	Resent   bool   // of Again: certainly the same event, however long ago
	Keep     bool   // the new state must be on disk before the sender may forget the message
	Stored   bool   // of Echo: an old word
	Why      string // why an alarm reading does not ring
}

// Hear is the whole rule for one message: what is known of a device after it,
// and one verdict per reading, appended to dst. It is pure.
//
// An alarm is a change to danger against the last known value, or a new press;
// never a retained press, a stale word, a value that was only stored, or what
// was known before. A first word is believed unless it was retained.
func Hear(dst []Verdict, s State, rs []dialect.Reading, f Facts, now time.Time) (State, []Verdict) {
	h := hearing{State: s, Facts: f, now: now, stale: s.stale(rs, f, now)}
	h.noteTest(rs)
	event := false
	for _, r := range rs {
		v := h.judge(r)
		event = event || v.Do != Nothing && v.Do != Tell || r.Kind == signal.Alarm && !r.Level
		dst = append(dst, v)
	}
	h.noteTimes(rs, event)
	return h.State, dst
}

// hearing is one message being judged.
type hearing struct {
	State
	Facts
	now   time.Time
	stale bool
}

func (h *hearing) judge(r dialect.Reading) Verdict {
	switch r.Kind {
	case signal.Alarm:
		return h.alarm(r)
	case signal.Restore:
		return h.restore(r)
	case signal.Test:
		return h.test(r)
	case signal.Sounding, signal.Quiet:
		return h.echo(r)
	}
	if h.stale {
		return Verdict{}
	}
	return h.condition(r)
}

// alarm judges a reading that speaks of danger.
func (h *hearing) alarm(r dialect.Reading) Verdict {
	why := h.mayAlarm(r)
	switch {
	case h.Kind == signal.Tamper:
		r.Kind = signal.TamperOpen
		return h.condition(r)
	case why == WhyNotAnAlarm:
		return Verdict{Why: why}
	case h.stale:
		return Verdict{Why: WhyStale}
	case h.underTest():
		return Verdict{Why: WhyTest} // not recorded: when the test ends and smoke is there, it rings
	case r.Level:
		return h.danger(r, why)
	}
	return h.press(r, why)
}

// mayAlarm says why a device of this kind does not ring, or "". Doors and
// movements are no alarm unless the village file arms them or an alarm panel
// speaks, which does its own arming: everybody walks through doors all day. A
// siren or hub raises only a danger that it names and can measure; its own
// sound is none.
func (h *hearing) mayAlarm(r dialect.Reading) string {
	switch {
	case h.Bypassed:
		return WhyBypassed
	case h.Kind == signal.Siren || h.Kind == signal.Lamp:
		if !measured(r.Category) {
			return WhyNotAnAlarm
		}
	case h.Kind == signal.Hub && r.Category == "":
		return WhyNotAnAlarm
	case h.Kind == signal.Contact || h.Kind == signal.Motion:
		if h.category(r) == signal.Intrusion && !h.Armed && !h.Panel {
			return WhyNotArmed
		}
	}
	return ""
}

// measured reports whether a sensor measures danger c.
func measured(c signal.Category) bool {
	return c == signal.Fire || c == signal.GasLeak || c == signal.Monoxide || c == signal.Flood
}

// danger judges a level that stands at danger.
func (h *hearing) danger(r dialect.Reading, why string) Verdict {
	old, known := h.level(r.Property)
	switch {
	case known && old.Alarm && old.Kept && !h.Retain && !h.Stored && why == "":
		// It was a retained value when it was first seen, and rang nobody. Now the
		// device says it live.
	case known && old.Alarm:
		if old.Key != "" && why == "" {
			return Verdict{Do: Again, Kind: r.Kind, Category: h.category(r), Key: old.Key, Value: r.Value, Resent: true, Why: WhyUnchanged}
		}
		return Verdict{Why: WhyUnchanged}
	case !known && h.Retain:
		h.setLevel(r.Property, true, "")
		h.Levels[len(h.Levels)-1].Kept = true
		return Verdict{Keep: true, Why: WhyRetained}
	case why != "":
		h.setLevel(r.Property, true, "")
		return Verdict{Do: tellIf(why), Kind: r.Kind, Category: h.category(r), Value: r.Value, Keep: true, Why: why}
	case h.Stored:
		// Not recorded as the level: if it still burns, the next live word rings.
		if !h.Missed.IsZero() {
			return Verdict{Why: WhyAway}
		}
		h.Missed = h.now
		return Verdict{Do: Tell, Kind: r.Kind, Category: h.category(r), Value: r.Value, Why: WhyAway}
	}
	key := h.newKey("")
	h.setLevel(r.Property, true, key)
	h.Missed = time.Time{}
	h.proven()
	return Verdict{Do: Ring, Kind: r.Kind, Category: h.category(r), Key: key, Value: r.Value, Keep: true}
}

// tellIf says whether the leader hears of an alarm that did not ring.
func tellIf(why string) Deed {
	if why == WhyBypassed {
		return Tell
	}
	return Nothing
}

// press judges a pulse.
func (h *hearing) press(r dialect.Reading, why string) Verdict {
	if h.Retain {
		return Verdict{Why: WhyRetained, Press: true, Value: r.Value}
	}
	if why == WhyStale && !h.Dup && h.now.Sub(h.HubBack) > settling {
		why = "" // a live press: its clock was set back, it is not an old one
	}
	v := Verdict{Do: Ring, Kind: r.Kind, Category: h.category(r), Value: r.Value, Press: true}
	if why != "" {
		return Verdict{Do: tellIf(why), Kind: r.Kind, Category: v.Category, Value: r.Value, Why: why}
	}
	if p, same := h.samePress(r); same {
		v.Key, v.Why, v.Resent = p.Key, WhyUnchanged, h.Dup || h.Firm
		return v
	}
	v.Key, v.Keep = h.newKey(r.Seq), true
	p := Press{Property: r.Property, Seq: r.Seq, Hash: h.Hash, Key: v.Key, At: h.now.UnixMilli()}
	kept := h.Presses[max(0, len(h.Presses)-remembered+1):]
	h.Presses = append(slices.Clip(slices.Clone(kept)), p)
	h.proven()
	return v
}

// samePress finds the press that r repeats.
func (h *hearing) samePress(r dialect.Reading) (Press, bool) {
	for _, p := range slices.Backward(h.Presses) {
		if p.Property != r.Property {
			continue
		}
		age := (time.Duration(h.now.UnixMilli()-p.At) * time.Millisecond).Abs() // the clock may have been set back
		numbered := r.Seq != "" && p.Seq == r.Seq && (h.Firm || age < SamePress)
		resent := p.Hash == h.Hash && age < resentWithin && (h.Dup || !r.SeenAt.IsZero() && r.SeenAt.Equal(h.SenderSeen))
		if numbered || resent || p.Hash == h.Hash && age < Bounce {
			return p, true
		}
	}
	return Press{}, false
}

// newKey makes the key of a new alarm: device/ms, device/seq/ms, or device/seq
// when the sender's numbers are firm.
func (h *hearing) newKey(seq string) string {
	seq = printable(seq)
	if seq != "" && h.Firm {
		return string(h.Device) + "/" + seq
	}
	h.LastKey = max(h.now.UnixMilli(), h.LastKey+1)
	key := string(h.Device) + "/"
	if seq != "" {
		key += seq + "/"
	}
	return key + strconv.FormatInt(h.LastKey, 10)
}

// printable is seq as a key can hold it: a sender may number its presses with
// anything, and a database refuses some of it.
func printable(seq string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if len(seq) <= 64 && !strings.ContainsFunc(seq, odd) {
		return seq
	}
	sum := sha256.Sum256([]byte(seq))
	return hex.EncodeToString(sum[:12])
}

// restore judges a reading that says the danger is over.
func (h *hearing) restore(r dialect.Reading) Verdict {
	if h.stale || !r.Level && h.Retain {
		return Verdict{Why: WhyStale}
	}
	if h.Kind == signal.Tamper {
		r.Kind = signal.TamperClosed
		return h.condition(r)
	}
	h.Missed = time.Time{}
	old, known := h.level(r.Property)
	pressed := slices.ContainsFunc(h.Presses, func(p Press) bool { return p.Property == r.Property })
	var v Verdict
	if !known || old.Alarm {
		h.setLevel(r.Property, false, "")
		v.Keep = true
	}
	if old.Key != "" || pressed || !r.Level {
		v.Do, v.Kind, v.Category, v.Key, v.Value = Pass, r.Kind, h.category(r), h.newKey(""), r.Value
	}
	return v
}

// noteTest notes whether the device says that it is under test. A word of danger
// without it ends the test.
func (h *hearing) noteTest(rs []dialect.Reading) {
	if h.stale || h.Retain {
		return
	}
	test, pulse, danger := false, false, false
	for _, r := range rs {
		test = test || r.Kind == signal.Test
		pulse = pulse || r.Kind == signal.Test && !r.Level
		danger = danger || r.Kind == signal.Alarm || r.Kind == signal.Restore
	}
	switch {
	case test && (h.Testing.IsZero() || pulse && !h.underTest()):
		h.Testing = h.now
	case !test && danger:
		h.Testing = time.Time{}
	}
}

func (h *hearing) underTest() bool {
	return !h.Testing.IsZero() && h.now.Sub(h.Testing) < testLasts
}

func (h *hearing) test(r dialect.Reading) Verdict {
	if h.stale || h.Retain || !h.Testing.Equal(h.now) {
		return Verdict{} // an old word, or the same test still
	}
	h.proven()
	return Verdict{Do: Pass, Kind: r.Kind, Category: h.category(r), Key: h.newKey(r.Seq), Value: r.Value}
}

// echo judges what a siren says of itself.
func (h *hearing) echo(r dialect.Reading) Verdict {
	if h.Kind != signal.Siren && h.Kind != signal.Lamp || h.stale {
		return Verdict{}
	}
	if r.Kind == signal.Sounding && !h.Stored {
		h.Confirmed = true
		h.proven()
	}
	return Verdict{Do: Echo, Kind: r.Kind, Value: r.Value, Stored: h.Stored}
}

// condition judges what a device says of its own health. Only a change is told.
func (h *hearing) condition(r dialect.Reading) Verdict {
	before := h.State
	switch r.Kind {
	case signal.Fault:
		h.Fault = or(r.Value, "fault")
	case signal.FaultRestore:
		h.Fault = ""
	case signal.TamperOpen:
		h.Tamper = true
	case signal.TamperClosed:
		h.Tamper = false
	case signal.LowBattery, signal.BatteryOK:
		h.LowBattery = r.Kind == signal.LowBattery
		if r.Number > 0 {
			h.Battery, h.HasBattery = int(min(r.Number, 100)), true
		}
	case signal.Offline:
		if h.Away.IsZero() {
			h.Away = h.now
		}
	case signal.Online:
		h.Away = time.Time{}
	}
	changed := (before.Fault == "") != (h.Fault == "") || before.Tamper != h.Tamper ||
		before.LowBattery != h.LowBattery || before.Away.IsZero() != h.Away.IsZero()
	if !changed {
		return Verdict{}
	}
	return Verdict{Do: Tell, Kind: r.Kind, Value: r.Value}
}

func (h *hearing) category(r dialect.Reading) signal.Category {
	switch {
	case h.Means != "" && !measured(r.Category):
		return h.Means
	case r.Category != "":
		return r.Category
	}
	return signal.DefaultCategory(h.Kind)
}

// proven notes a test or real use, unless the device is out of service.
func (h *hearing) proven() {
	if !h.Bypassed {
		h.Proven = h.now
	}
}

func (s State) level(property string) (Level, bool) {
	for _, l := range s.Levels {
		if l.Property == property {
			return l, true
		}
	}
	return Level{}, false
}

func (h *hearing) setLevel(property string, alarm bool, key string) {
	l := Level{Property: property, Alarm: alarm, Key: key, At: h.now.UnixMilli()}
	h.Levels = slices.Clone(h.Levels)
	for i := range h.Levels {
		if h.Levels[i].Property == property {
			h.Levels[i] = l
			return
		}
	}
	h.Levels = append(h.Levels, l)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
