package broker

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// patience bounds every wait in these tests; it is reached only by a failure.
const patience = 10 * time.Second

// ear is a Handler that remembers. Unless told otherwise it is done at once.
type ear struct {
	accounts map[string]Account // by user; the password is "pw-" and the user
	onPub    func(p Publish, done func())

	mu     sync.Mutex
	events []string
	heard  []Publish
	more   chan struct{}
}

func newEar() *ear {
	return &ear{
		accounts: map[string]Account{
			"alley": {Space: "alley"},
			"lane":  {Space: "lane"},
			"plug":  {Space: "alley", Prefixes: []string{"stat/plug", "cmnd/plug"}},
		},
		more: make(chan struct{}),
	}
}

func (e *ear) SignIn(user, password string) (Account, bool) {
	a, ok := e.accounts[user]
	return a, ok && password == "pw-"+user
}

func (e *ear) note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, fmt.Sprintf(format, args...))
	close(e.more)
	e.more = make(chan struct{})
}

func (e *ear) Publish(p Publish, done func()) {
	p.Payload = bytes.Clone(p.Payload)
	e.mu.Lock()
	e.heard = append(e.heard, p)
	e.mu.Unlock()
	e.note("publish %s %s %s=%s", p.Space, p.ClientID, p.Topic, p.Payload)
	if e.onPub != nil {
		e.onPub(p, done)
		return
	}
	done()
}

func (e *ear) Connected(s Space, id string) { e.note("connected %s %s", s, id) }

func (e *ear) Gone(s Space, id string, graceful bool) {
	e.note("gone %s %s %v", s, id, graceful)
}

func (e *ear) Subscribed(s Space, id, filter string) { e.note("subscribed %s %s %s", s, id, filter) }

// until waits for a state of what was heard.
func (e *ear) until(t testing.TB, what string, ok func(events []string) bool) {
	t.Helper()
	limit := time.After(patience)
	for {
		e.mu.Lock()
		good, more := ok(e.events), e.more
		e.mu.Unlock()
		if good {
			return
		}
		select {
		case <-more:
		case <-limit:
			e.mu.Lock()
			defer e.mu.Unlock()
			t.Fatalf("waited for %s; heard %q", what, e.events)
		}
	}
}

func (e *ear) untilEvent(t testing.TB, event string) {
	t.Helper()
	e.until(t, event, func(events []string) bool { return slices.Contains(events, event) })
}

func (e *ear) messages() []Publish {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

// eventually polls for something that another process or goroutine does.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit, tick := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited for %s", what)
		}
	}
}

// rig is a listener on a loopback port.
type rig struct {
	*Listener
	ear  *ear
	addr string
}

func newRig(t testing.TB, e *ear, set Settings) *rig {
	t.Helper()
	return serveOn(t, Listen(e, set), e)
}

// serveOn gives l a port and closes it with the test.
func serveOn(t testing.TB, l *Listener, e *ear) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{l, e, ln.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- r.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nothing is waited for but the goroutines
		_ = r.Close(ctx)
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r
}

// raw is a client that says exactly what a test wants.
type raw struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader
}

func (r *rig) dial(t testing.TB) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &raw{t, nc, bufio.NewReader(nc)}
}

func (c *raw) write(b ...byte) {
	c.t.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next packet whole; nil at the end of the stream.
func (c *raw) next() []byte {
	c.t.Helper()
	if _, fake := c.nc.(endless); !fake {
		_ = c.nc.SetReadDeadline(time.Now().Add(patience))
	}
	b, err := readWhole(c.r)
	if err == io.EOF || isReset(err) {
		return nil
	}
	if err != nil {
		c.t.Fatalf("read packet: %v", err)
	}
	return b
}

func isReset(err error) bool {
	op, ok := err.(*net.OpError)
	return ok && !op.Timeout()
}

func readWhole(r *bufio.Reader) ([]byte, error) {
	f, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	n, _, err := packets.DecodeLength(r)
	if err != nil {
		return nil, err
	}
	b := appendUvarint([]byte{f}, n)
	head := len(b)
	b = append(b, make([]byte, n)...)
	_, err = io.ReadFull(r, b[head:])
	return b, err
}

func (c *raw) want(b ...byte) {
	c.t.Helper()
	if got := c.next(); !bytes.Equal(got, b) {
		c.t.Fatalf("got packet % x, want % x", got, b)
	}
}

// wantEnd waits for the end of the stream and returns the last packet before it.
func (c *raw) wantEnd() (last []byte) {
	c.t.Helper()
	for {
		b := c.next()
		if b == nil {
			return last
		}
		last = b
	}
}

// connectPacket is a CONNECT of the alley's hub, changed by edit.
func connectPacket(version byte, id, user string, edit func(*packets.Packet)) []byte {
	pk := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Connect},
		ProtocolVersion: version,
		Connect: packets.ConnectParams{
			ProtocolName: []byte("MQTT"), Clean: true, Keepalive: 60, ClientIdentifier: id,
			UsernameFlag: true, Username: []byte(user), PasswordFlag: true, Password: []byte("pw-" + user),
		},
	}
	if edit != nil {
		edit(&pk)
	}
	var b bytes.Buffer
	if err := pk.ConnectEncode(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// enter dials and signs in.
func (r *rig) enter(t testing.TB, version byte, id, user string, edit func(*packets.Packet)) *raw {
	t.Helper()
	c := r.dial(t)
	c.write(connectPacket(version, id, user, edit)...)
	ack := c.next()
	if len(ack) < 4 || ack[0] != packets.Connack<<4 || ack[3] != 0 {
		t.Fatalf("connack % x", ack)
	}
	return c
}

// subscribe subscribes with options and waits for the grant.
func (c *raw) subscribe(v5 bool, filter string, opts byte) []byte {
	c.t.Helper()
	b := []byte{0, 9}
	if v5 {
		b = append(b, 0)
	}
	b = append(appendText(b, filter), opts)
	c.write(append(appendUvarint([]byte{packets.Subscribe<<4 | 2}, len(b)), b...)...)
	return c.next()
}

// publishPacket is a 3.1.1 PUBLISH.
func publishPacket(topic string, payload []byte, qos byte, retain bool, pid uint16) []byte {
	m := newMessage(topic, payload, nil, time.Time{})
	return append(m.appendHead(nil, false, qos, retain, pid, time.Time{}), payload...)
}
