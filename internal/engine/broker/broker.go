package broker

import (
	"time"
)

// Space is one hub's own topic space, named by its MQTT user name. Topics of one
// space never meet those of another.
type Space string

// Account is who a client is after it signed in.
type Account struct {
	Space Space
	// Prefixes, when not nil, are the only topics a device may use: a topic equal
	// to a prefix, or below it ("stat/plug" allows "stat/plug/RESULT"). Nil: the
	// whole space, for a hub.
	Prefixes []string
	// Seal tells what it was signed in with, and changes when that does.
	Seal string
}

// Publish is a message that a client sent.
type Publish struct {
	Space    Space
	ClientID string
	Topic    string
	Payload  []byte // valid only until Handler.Publish returns; copy what you keep
	QoS      byte
	Retain   bool // the flag as the client set it; over a standing broker: a stored value
	Dup      bool
}

// Handler is the one who listens: package app puts the device slice here.
// Methods are called on the connection's own goroutine and must not block on
// disk or network. When the front itself closes, no Gone and no will are told:
// it is Keng that went, not the devices.
type Handler interface {
	// SignIn checks a user name and password. ok is false when they are wrong.
	SignIn(user, password string) (a Account, ok bool)
	// Publish takes a message. It either calls done itself, at once or later from
	// any goroutine, exactly once, when the message is safe (only then is a QoS 1
	// message acknowledged), or never: then the client gets no PUBACK and sends
	// again.
	Publish(p Publish, done func())
	// Connected and Gone tell of a client's coming and going; graceful is a
	// proper DISCONNECT.
	Connected(s Space, clientID string)
	Gone(s Space, clientID string, graceful bool)
	// Subscribed tells that a client now hears filter: the time to assert the
	// desired state of the sirens it matches. A standing broker is a client that
	// hears "#" of every space, again after every connect.
	Subscribed(s Space, clientID, filter string)
}

// Front is what the rest of Keng sees of MQTT: the listener in this process, or
// a standing broker that Keng joined as a client.
type Front interface {
	// Send publishes to every client of s that hears topic and reports how many
	// that were (over a standing broker: 1 when connected). It never blocks on a
	// slow client. acked, when not nil, is called at most once, when the first
	// client acknowledged (QoS 1). ttl bounds how long the message may wait
	// anywhere (MQTT 5 message expiry); zero means no bound.
	Send(s Space, topic string, payload []byte, ttl time.Duration, acked func()) int
	// Retain stores topic for s, so that later subscribers get it, and sends it.
	// An empty payload removes it.
	Retain(s Space, topic string, payload []byte)
}
