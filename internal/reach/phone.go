package reach

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/people"
)

// How phones are looked at. They are the product's own choices; no law sets them.
const (
	probeWithin = 30 * time.Second    // a probe that did not arrive by then shows a phone that would not ring
	probeEvery  = 30 * 24 * time.Hour // and it is repeated this often
	probePause  = 5 * time.Second     // at least between two probes of one phone
	mostPhones  = 10                  // of one person; the oldest goes
)

// Phone is one browser of one person that takes push messages.
type Phone struct {
	ID       string // made of the endpoint
	Person   people.ID
	Endpoint string
	P256dh   string
	Auth     string
	Lang     say.Lang
	Label    string
	Made     time.Time
	Asked    time.Time     // last probe; zero for none
	Proven   time.Time     // last probe that arrived; zero for none
	Took     time.Duration // how long that took
}

// phoneID names a subscription without telling where it is.
func phoneID(endpoint string) string {
	sum := sha256.Sum256([]byte("keng phone v1\n" + endpoint))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// State is whether a phone would ring.
type State string

// The states of a phone.
const (
	New     State = "new"     // never probed
	Asking  State = "asking"  // a probe is on its way
	Proven  State = "proven"  // the last probe arrived
	Deaf    State = "deaf"    // the last probe did not arrive
	Overdue State = "overdue" // proven long ago
)

// State is whether p would ring, as far as is known at now.
func (p Phone) State(now time.Time) State {
	switch {
	case p.Asked.IsZero():
		return New
	case p.Proven.Before(p.Asked) && now.Sub(p.Asked) <= probeWithin:
		return Asking
	case p.Proven.Before(p.Asked):
		return Deaf
	case now.Sub(p.Proven) > probeEvery+7*24*time.Hour:
		return Overdue
	}
	return Proven
}

// Wish is what a person chose for what is no alarm. The zero Wish is not what
// somebody has who chose nothing: see [usual].
type Wish struct {
	Chat      bool   `json:"chat" doc:"push for messages of the group"`
	Notices   bool   `json:"notices" doc:"push for announcements and notices"`
	QuietFrom int    `json:"quiet_from" minimum:"-1" maximum:"1439" doc:"minutes after midnight, local time; -1: no quiet hours. An alarm rings all the same"`
	QuietTo   int    `json:"quiet_to" minimum:"-1" maximum:"1439"`
	trouble   string // why a phone of his cannot take push
}

// usual is what somebody has who chose nothing.
func usual() Wish { return Wish{Chat: true, Notices: true, QuietFrom: -1, QuietTo: -1} }

// local is the time of the whole country (UTC+7, no summer time).
func local(t time.Time) time.Time { return t.In(time.FixedZone("ICT", 7*3600)) }

// quietUntil is when w's quiet hours end, if t lies in them; else the zero time.
func (w Wish) quietUntil(t time.Time) time.Time {
	if w.QuietFrom < 0 || w.QuietTo < 0 || w.QuietFrom == w.QuietTo {
		return time.Time{}
	}
	l := local(t)
	minute := l.Hour()*60 + l.Minute()
	in := minute >= w.QuietFrom && minute < w.QuietTo
	if w.QuietFrom > w.QuietTo { // over midnight
		in = minute >= w.QuietFrom || minute < w.QuietTo
	}
	if !in {
		return time.Time{}
	}
	end := time.Date(l.Year(), l.Month(), l.Day(), w.QuietTo/60, w.QuietTo%60, 0, 0, l.Location())
	if !end.After(l) {
		end = end.AddDate(0, 0, 1)
	}
	return end.UTC()
}

// Trouble is why a phone cannot take push messages, as it found out itself.
// Values are stored; append only.
type Trouble string

// The troubles.
const (
	Refused     Trouble = "denied"      // its owner, or somebody before him, said no to notifications
	NotThere    Trouble = "unsupported" // this browser cannot
	NotOnHome   Trouble = "ios_browser" // iOS: only from the home screen
	NoPush      Trouble = "no_service"  // it could not reach its push service
	NotReceived Trouble = "not_received"
)

func (t Trouble) known() bool {
	switch t {
	case "", Refused, NotThere, NotOnHome, NoPush, NotReceived:
		return true
	}
	return false
}
