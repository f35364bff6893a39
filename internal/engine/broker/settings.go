package broker

import (
	"cmp"
	"log/slog"
	"time"
)

// Settings bound what one client may take from the others. A zero field means
// the default that [Settings.filled] names.
type Settings struct {
	ConnectWithin time.Duration // from the socket to a whole CONNECT, TLS included
	WriteWithin   time.Duration // for each 16 KiB that a client is sent
	InOrder       time.Duration // how long a message that is not safe holds up the acknowledgements behind it
	SafeWithin    time.Duration // from a message to its done, else the connection ends
	KeepAlive     time.Duration // for clients that name none, or (5.0) a longer one

	MaxConns    int // sockets at a time
	ReceiveMax  int // messages of one client that wait for done; then reading waits
	Window      int // messages to one client that wait for its PUBACK
	PacketHello int // bytes of a packet before sign-in
	KeptCount   int // retained messages of a space
	KeptBytes   int // bytes of them

	// Hub is for an Account without Prefixes: Home Assistant subscribes to
	// thousands of topics, and Zigbee2MQTT describes all its devices, some 10 KB
	// each, in one message. Device is for all others.
	Hub, Device Bounds

	Log *slog.Logger
}

// Bounds of one client.
type Bounds struct {
	Packet  int // bytes of one packet
	Queue   int // bytes that may wait to be sent
	Filters int // subscriptions
}

// filled returns s with the defaults in. A hub's queue is longer than all that
// can be retained, so that it can be sent that when it subscribes to everything.
func (s Settings) filled() *Settings {
	or := func(p *int, d int) { *p = cmp.Or(*p, d) }
	s.ConnectWithin = cmp.Or(s.ConnectWithin, 10*time.Second)
	s.WriteWithin = cmp.Or(s.WriteWithin, 10*time.Second)
	s.InOrder = cmp.Or(s.InOrder, 2*time.Second)
	s.SafeWithin = cmp.Or(s.SafeWithin, 30*time.Second)
	s.KeepAlive = cmp.Or(s.KeepAlive, 5*time.Minute)
	or(&s.MaxConns, 50_000)
	or(&s.ReceiveMax, 256)
	or(&s.Window, 128)
	or(&s.PacketHello, 64<<10)
	or(&s.KeptCount, 10_000)
	or(&s.KeptBytes, 16<<20)
	or(&s.Hub.Packet, 4<<20)
	or(&s.Hub.Queue, 24<<20)
	or(&s.Hub.Filters, 20_000)
	or(&s.Device.Packet, 64<<10)
	or(&s.Device.Queue, 256<<10)
	or(&s.Device.Filters, 64)
	s.Log = cmp.Or(s.Log, slog.New(slog.DiscardHandler))
	return &s
}
