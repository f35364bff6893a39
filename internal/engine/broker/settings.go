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
	SafeWithin    time.Duration // from a message to its done, else the connection ends
	KeepAlive     time.Duration // for clients that name none, or (5.0) a longer one

	MaxConns     int // sockets at a time
	MaxFilters   int // subscriptions of one client
	ReceiveMax   int // messages of one client that wait for done; then reading waits
	Window       int // messages to one client that wait for its PUBACK
	PacketHello  int // bytes of a packet before sign-in
	PacketHub    int // bytes of a packet of a hub (an Account without Prefixes)
	PacketDevice int // the same of a device
	QueueHub     int // bytes that may wait for a hub
	QueueDevice  int // the same for a device
	KeptCount    int // retained messages of a space
	KeptBytes    int // bytes of them

	Log *slog.Logger
}

// filled returns s with the defaults in. QueueHub is above KeptBytes, so that a
// hub that subscribes to everything can be sent all that is retained.
func (s Settings) filled() *Settings {
	or := func(p *int, d int) { *p = cmp.Or(*p, d) }
	s.ConnectWithin = cmp.Or(s.ConnectWithin, 10*time.Second)
	s.WriteWithin = cmp.Or(s.WriteWithin, 10*time.Second)
	s.SafeWithin = cmp.Or(s.SafeWithin, 30*time.Second)
	s.KeepAlive = cmp.Or(s.KeepAlive, 5*time.Minute)
	or(&s.MaxConns, 50_000)
	or(&s.MaxFilters, 1024)
	or(&s.ReceiveMax, 256)
	or(&s.Window, 128)
	or(&s.PacketHello, 64<<10)
	or(&s.PacketHub, 1<<20)
	or(&s.PacketDevice, 64<<10)
	or(&s.QueueHub, 8<<20)
	or(&s.QueueDevice, 256<<10)
	or(&s.KeptCount, 10_000)
	or(&s.KeptBytes, 4<<20)
	s.Log = cmp.Or(s.Log, slog.New(slog.DiscardHandler))
	return &s
}
