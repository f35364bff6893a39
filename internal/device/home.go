package device

import (
	"math"
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// Status is how a device is, in one word.
type Status string

// The states, most severe first.
const (
	Bypassed   Status = "bypassed" // out of service, by a person, until a time
	Offline    Status = "offline"
	Faulty     Status = "faulty"
	Tampered   Status = "tamper"
	LowBattery Status = "low_battery"
	Late       Status = "late"
	Unproven   Status = "unproven"
	OK         Status = "ok"
)

const (
	// AwayGrace is how long a connection may be lost before the device counts as
	// offline: a phone-sized roam of the Wi-Fi is none. With the 45 s in which MQTT
	// notices (keep alive 30 s), a dead device is shown within a minute.
	AwayGrace = 15 * time.Second
	// startGrace is the same for hubs after Keng itself started.
	startGrace = time.Minute
	// silenceMost is how long a device may be silent whose interval is not known:
	// what Zigbee2MQTT grants battery devices.
	silenceMost = 25 * time.Hour
	// silenceLeast is the shortest silence that means anything.
	silenceLeast = 45 * time.Second
	// ProvenFor is how long a test or real use proves a siren or button. Source:
	// goal V1; EN 54-2 asks for regular tests without a number, to be confirmed.
	ProvenFor = 30 * 24 * time.Hour
	// standing is how long a detector may stand at alarm before that itself is a
	// fault: it cannot ring again until it restores.
	standing = time.Hour
)

// Reason is one sentence of what is wrong: a key of package say and its values.
type Reason struct {
	Key  string         `json:"key"`
	Args map[string]any `json:"args"`
}

// Watched is everything that decides how a device is.
type Watched struct {
	ID     signal.DeviceID
	Kind   signal.DeviceKind
	Armed  bool
	State  State
	Bypass time.Time // out of service until then
	Client bool      // its connection is there and supervised by MQTT: silence says nothing
	Hub    string
	HubOff time.Time // from when on its hub counts as away; zero when it is there
	Start  time.Time // of the process: nobody was late while Keng was away
	Broken bool      // siren: cannot be commanded
}

// Check says how a device is and why, and when that may change although nothing
// happens; zero for never. It is pure.
func Check(w Watched, now time.Time) (Status, Reason, time.Time) {
	if now.Before(w.Bypass) {
		return Bypassed, w.because("device.bypassed", "until", w.Bypass.UTC()), w.Bypass
	}
	offline, next := w.offline(now)
	if offline.Key != "" {
		return Offline, offline, next
	}
	if s, r := w.ill(now); s != "" {
		return s, r, next
	}
	proof := w.State.Proven.Add(ProvenFor)
	if !w.provable() || now.Before(proof) {
		late, at := w.late(now)
		if w.provable() {
			at = earlier(at, proof)
		}
		if late {
			return Late, w.because("device.late", "hours", hours(w.State.Seen, now)), next
		}
		return OK, w.because("device.ok"), earlier(next, at)
	}
	if w.State.Proven.IsZero() {
		return Unproven, w.because("device.never_proven"), next
	}
	return Unproven, w.because("device.unproven", "days", int(now.Sub(w.State.Proven).Hours()/24)), next
}

// offline says why a device is not there, or until when it seems to be.
func (w Watched) offline(now time.Time) (Reason, time.Time) {
	switch {
	case !w.HubOff.IsZero() && !now.Before(w.HubOff):
		if w.Hub == "" {
			return w.because("device.offline", "hours", hours(w.State.Seen, now)), time.Time{}
		}
		return w.because("device.hub_offline", "hub", w.Hub, "hours", hours(w.HubOff, now)), time.Time{}
	case w.State.Seen.IsZero():
		return w.because("device.never_seen"), time.Time{}
	}
	next := w.HubOff // in the future: the end of its grace
	if !w.State.Away.IsZero() {
		gone := w.State.Away.Add(AwayGrace)
		if !now.Before(gone) {
			return w.because("device.offline", "hours", hours(w.State.Away, now)), time.Time{}
		}
		next = earlier(next, gone)
	}
	if w.Client {
		return Reason{}, next
	}
	silent := w.since().Add(w.State.silence(now))
	if !now.Before(silent) {
		return w.because("device.offline", "hours", hours(w.State.Seen, now)), time.Time{}
	}
	return Reason{}, earlier(next, silent)
}

// since is from when on silence counts.
func (w Watched) since() time.Time {
	if w.State.Seen.Before(w.Start) {
		return w.Start
	}
	return w.State.Seen
}

// silence is how long the device may be silent before it counts as offline: three
// of its usual silences, or four when they are long. Of the radio's messages one in
// twenty is lost (goal S4); a slow detector must not be called offline for that.
func (s State) silence(now time.Time) time.Duration {
	if !s.learned(now) {
		return silenceMost
	}
	n := time.Duration(3)
	if s.Gap > heartbeat {
		n = 4
	}
	return min(max(n*s.Gap+AwayGrace, silenceLeast), silenceMost)
}

// late reports whether the device is overdue, or when it will be.
func (w Watched) late(now time.Time) (bool, time.Time) {
	if w.Client {
		return false, time.Time{}
	}
	at := w.since().Add(w.State.silence(now) * 2 / 3)
	return !now.Before(at), at
}

// ill says what a device that is there says is wrong with it.
func (w Watched) ill(now time.Time) (Status, Reason) {
	s := w.State
	switch {
	case w.Broken:
		return Faulty, w.because("device.cannot_command")
	case !s.Missed.IsZero():
		return Faulty, w.because("device.alarm_missed", "at", s.Missed.UTC())
	case s.Fault != "":
		return Faulty, w.because("device.fault", "text", s.Fault)
	case w.stuck(now):
		return Faulty, w.because("device.alarm_standing")
	case s.Tamper:
		return Tampered, w.because("device.tamper")
	case s.LowBattery && s.HasBattery:
		return LowBattery, w.because("device.low_battery", "percent", s.Battery)
	case s.LowBattery:
		return LowBattery, w.because("device.battery_empty")
	}
	return "", Reason{}
}

// stuck reports whether a device that rang still stands at alarm long after.
func (w Watched) stuck(now time.Time) bool {
	for _, l := range w.State.Levels {
		if l.Alarm && l.Key != "" && now.UnixMilli()-l.At > standing.Milliseconds() {
			return true
		}
	}
	return false
}

// provable reports whether the device is of a kind that must be tried out: what
// makes a home heard, and what makes it hear.
func (w Watched) provable() bool { return w.Kind == signal.Siren || w.Kind == signal.Button }

func (w Watched) because(key string, args ...any) Reason {
	r := Reason{Key: key, Args: map[string]any{"device": string(w.ID), "kind": string(w.Kind)}}
	for i := 0; i+1 < len(args); i += 2 {
		r.Args[args[i].(string)] = args[i+1]
	}
	return r
}

// hours is how many hours ago t was, rounded to the nearest.
func hours(t, now time.Time) int {
	if t.IsZero() {
		return 0
	}
	return int(math.Round(now.Sub(t).Hours()))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Colour is how well a home is protected.
type Colour string

// The colours.
const (
	Green Colour = "green" // a siren and a button that work and are proven
	Amber Colour = "amber" // something is weaker than it should be
	Red   Colour = "red"   // it cannot hear its neighbours, or cannot call them
)

// Checked is one device after [Check].
type Checked struct {
	ID     signal.DeviceID
	Kind   signal.DeviceKind
	Status Status
	Reason Reason
}

// works reports whether the device can do its job, however weakly.
func (c Checked) works() bool {
	return c.Status != Bypassed && c.Status != Offline && c.Status != Faulty
}

// Home is how one home is, with exactly one reason: the most severe.
type Home struct {
	State  Colour `json:"state"`
	Reason Reason `json:"reason"`
	Siren  bool   `json:"siren"`  // has one that works
	Button bool   `json:"button"` // has one that works
}

// homeKey is the sentence for a home whose device has a sentence of its own:
// "device.offline" of a siren is "home.siren_offline".
func homeKey(c Checked) string {
	what := "device"
	if c.Kind == signal.Siren || c.Kind == signal.Button {
		what = string(c.Kind)
	}
	switch c.Reason.Key {
	case "device.hub_offline":
		return "home.hub_offline"
	case "device.alarm_missed":
		return "home.alarm_missed"
	case "device.alarm_standing":
		return "home.alarm_standing"
	case "device.never_seen":
		return "home." + what + "_never_seen"
	case "device.never_proven":
		return "home." + what + "_never_proven"
	case "device.battery_empty":
		return "home.battery_empty"
	}
	switch c.Status {
	case Bypassed, Offline, Faulty, Unproven:
		return "home." + what + "_" + string(c.Status)
	}
	return "home." + string(c.Status)
}

// HomeState says how a home with these devices is. It is pure.
func HomeState(id place.HomeID, devices []Checked) Home {
	h := Home{Siren: has(devices, signal.Siren), Button: has(devices, signal.Button)}
	for _, c := range devices {
		if c.Reason.Key == "device.alarm_missed" {
			h.State, h.Reason = Red, withKey(c)
			return h
		}
	}
	switch {
	case !h.Siren:
		h.State, h.Reason = Red, lacking(id, devices, signal.Siren, "home.no_siren")
		return h
	case !h.Button:
		h.State, h.Reason = Red, lacking(id, devices, signal.Button, "home.no_button")
		return h
	}
	h.State, h.Reason = Green, Reason{Key: "home.ready", Args: map[string]any{"home": string(id)}}
	worst := len(severity)
	for _, c := range devices {
		if n := grade(c, devices); n < worst {
			worst, h.State, h.Reason = n, Amber, withKey(c)
		}
	}
	return h
}

// severity orders what degrades a home that can still call and hear. A late
// device is not yet one, and a detector need not be tried out.
var severity = [...]Status{Faulty, Tampered, Offline, LowBattery, Bypassed, Unproven}

func grade(c Checked, all []Checked) int {
	if c.Status == Unproven && proven(all, c.Kind) {
		return len(severity) // another one of its kind is proven
	}
	for n, s := range severity {
		if c.Status == s {
			return n
		}
	}
	return len(severity)
}

func has(devices []Checked, k signal.DeviceKind) bool {
	for _, c := range devices {
		if c.Kind == k && c.works() {
			return true
		}
	}
	return false
}

func proven(devices []Checked, k signal.DeviceKind) bool {
	for _, c := range devices {
		if c.Kind == k && c.works() && c.Status != Unproven {
			return true
		}
	}
	return false
}

// lacking is why no device of kind k works: there is none, or what ails the first.
func lacking(id place.HomeID, devices []Checked, k signal.DeviceKind, none string) Reason {
	for _, c := range devices {
		if c.Kind == k {
			return withKey(c)
		}
	}
	if none == "home.no_siren" && len(devices) == 0 {
		none = "home.no_equipment"
	}
	return Reason{Key: none, Args: map[string]any{"home": string(id)}}
}

func withKey(c Checked) Reason { return Reason{Key: homeKey(c), Args: c.Reason.Args} }
