package notify

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Channel is a way to a person.
type Channel string

// The channels. Values are stored; append only.
const (
	Push    Channel = "push"
	SMS     Channel = "sms"
	Voice   Channel = "voice"
	Mail    Channel = "email"
	Webhook Channel = "webhook"
)

// Message is one thing for one person through one channel.
type Message struct {
	Key     string // the same key is the same message: sent once
	Channel Channel
	Topic   string // what it is about; a newer message of a topic replaces one that still waits at the push service
	Person  string
	To      string // endpoint of a subscription, telephone number (E.164), e-mail address, URL
	Secret  string // of a subscription: its keys, "p256dh auth" in base64url; else ""
	Title   string // of an e-mail
	Body    string // what the phone gets: JSON for push and webhook, text else
	Rank    int    // lower goes first: 0 live alarm, 1 drill, 2 what can wait
	After   time.Time
	Until   time.Time // of no use any more
}

// ID names the message to the outside: it says nothing, and is the same after a restart.
func (m Message) ID() string {
	sum := sha256.Sum256([]byte("keng message v1\n" + m.Key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// State is how far a message got. Values are stored; append only.
type State string

// The states. Only Queued and Sent go on.
const (
	Queued    State = "queued"
	Sent      State = "sent"      // left Keng, nobody took it yet
	Accepted  State = "accepted"  // the push service, gateway or mail server took it
	Failed    State = "failed"    // nobody took it before it was of no use
	Gone      State = "gone"      // the subscription is no more
	Withdrawn State = "withdrawn" // no longer wanted
)

// Done reports whether nothing more will happen.
func (s State) Done() bool { return s != Queued && s != Sent }

// Outcome is how one attempt ended.
type Outcome struct {
	State  State         // Accepted, Gone, Failed (for good), or Sent: try again
	Status int           // of HTTP or SMTP; 0 when there was no answer
	Wait   time.Duration // before the next attempt, if the receiver said so
	Down   bool          // it is the host that fails, not this message
}
