package broker

import (
	"bufio"
	"context"
	"net"
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// pipe is a client of a listener without a network, for tests in a synctest
// bubble where time is ours.
type pipe struct {
	*raw
	l *Listener
}

// newPipe signs the alley's hub in over MQTT 5.0.
func newPipe(t testing.TB, e *ear, set Settings) *pipe {
	t.Helper()
	l := Listen(e, set)
	p := &pipe{l.pipe(t), l}
	p.write(connectPacket(5, "hub", "alley", nil)...)
	if ack := p.next(); ack[3] != 0 {
		t.Fatalf("connack % x", ack)
	}
	return p
}

// pipe connects a client that has said nothing yet.
func (l *Listener) pipe(t testing.TB) *raw {
	server, client := net.Pipe()
	if c := l.admit(server, closer(server)); c != nil {
		go c.greet()
	}
	return &raw{t, endless{client}, bufio.NewReader(client)}
}

// endless is a connection whose reads have no deadline: in a bubble time would
// jump to it.
type endless struct{ net.Conn }

func (p *pipe) close() {
	p.t.Helper()
	p.nc.Close()
	if err := p.l.Close(context.Background()); err != nil {
		p.t.Error(err)
	}
}

// publish5 is a MQTT 5.0 PUBLISH of QoS 0 without properties.
func publish5(topic, payload string) []byte {
	b := append(appendText(nil, topic), 0)
	b = append(b, payload...)
	return append(appendUvarint([]byte{packets.Publish << 4}, len(b)), b...)
}
