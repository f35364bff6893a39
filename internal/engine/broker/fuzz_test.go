package broker

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// FuzzConnection says arbitrary bytes, after a CONNECT when signedIn: it must
// never panic and never leave a goroutine behind.
func FuzzConnection(f *testing.F) {
	for _, seed := range [][]byte{
		publishPacket("a/b", []byte("x"), 1, true, 7),
		publishPacket("a/b", make([]byte, 300), 2, false, 7),
		{0x62, 2, 0, 7},
		{0x82, 6, 0, 1, 0, 1, '#', 1},
		{0x82, 7, 0, 1, 0, 0, 1, '#', 1, 0xa2, 6, 0, 1, 0, 0, 1, '#'},
		{0x82, 6, 0, 1, 0, 0, 1, 'a'},
		{0x30, 11, 0, 1, 'a', 7, 0x26, 0, 1, 'k', 0, 1, 'v'},
		{0x40, 3, 0, 1, 0x80, 0xc0, 0, 0xe0, 2, 4, 0},
		connectPacket(5, "x", "alley", func(p *packets.Packet) {
			p.Connect.WillFlag, p.Connect.WillTopic = true, "w"
			p.Connect.WillProperties.WillDelayInterval = 5
			p.Properties.ReceiveMaximum = 3
		}),
	} {
		f.Add(true, true, seed)
		f.Add(true, false, seed)
		f.Add(false, false, seed)
	}
	e := quiet{newEar()}
	f.Fuzz(func(t *testing.T, signedIn, v5 bool, b []byte) {
		l := Listen(e, Settings{WriteWithin: patience})
		server, client := net.Pipe()
		c := l.admit(server, closer(server))
		go c.greet()
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, client)
		}()
		if signedIn {
			version := byte(4)
			if v5 {
				version = 5
			}
			_, _ = client.Write(connectPacket(version, "f", "alley", nil))
		}
		_ = client.SetWriteDeadline(time.Now().Add(patience))
		_, _ = client.Write(b)
		_ = client.Close()
		select {
		case <-c.gone:
		case <-time.After(patience):
			t.Fatal("the connection's goroutine is still there")
		}
		<-drained
		if err := l.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if s := l.space("alley"); len(s.clients) != 0 || len(s.exact) != 0 || len(s.wild.kids) != 0 {
			t.Fatal("something of the client is left in its space")
		}
	})
}
