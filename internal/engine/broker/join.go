package broker

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// How Keng stays with a standing broker.
const (
	joinKeepAlive = 20 * time.Second       // a dead path is known after 30 s
	joinSession   = 24 * time.Hour         // how long the broker keeps what comes while we are away
	joinAgain     = 250 * time.Millisecond // first pause before the next try; it doubles
	joinAgainMost = 10 * time.Second
)

// Joined is the front over a standing broker (Mosquitto, EMQX and the like) that
// Keng joined as an MQTT 5.0 client. Make it with [Join].
//
// It is no use of a ready client library: one would send what was in flight once
// more after a reconnect, and a command of a minute ago must never ring. Here
// the same wire as the listener's keeps the same promises.
type Joined struct {
	h   Handler
	to  Standing
	url *url.URL
	set *Settings
	n   counters

	mu     sync.Mutex
	spaces []Space
	kept   map[string]*message // retained messages by full topic, told at every connect
	link   *link               // nil when down
	closed bool

	stop context.CancelFunc
	done chan struct{} // closed when run has returned
}

// Standing is a broker to join.
type Standing struct {
	// URL is mqtt://, mqtts://, ws:// or wss:// with user and password in it.
	URL string
	// ClientID must stay the same over restarts: under it the broker keeps what
	// devices say while Keng is away.
	ClientID string
	// Spaces that Keng hears. The space "" is the whole broker; it stands alone.
	// Any other has its topics below "<space>/".
	Spaces   []Space
	TLS      *tls.Config // for mqtts and wss; nil: the system's roots
	Settings Settings
}

// Join begins to connect and keeps connected until Close, with pauses of up to
// 10 s between tries. It fails only when URL makes no sense.
func Join(h Handler, to Standing) (*Joined, error) {
	u, err := url.Parse(to.URL)
	if err != nil {
		return nil, errors.New("read broker URL: not a URL") // the cause would tell the password
	}
	if !slices.Contains([]string{"mqtt", "mqtts", "ws", "wss"}, u.Scheme) || u.Host == "" {
		return nil, fmt.Errorf("read broker URL: want mqtt, mqtts, ws or wss and a host, not %q", u.Scheme)
	}
	ctx, stop := context.WithCancel(context.Background())
	j := &Joined{
		h: h, to: to, url: u, set: to.Settings.filled(), spaces: slices.Clone(to.Spaces),
		kept: map[string]*message{}, stop: stop, done: make(chan struct{}),
	}
	go j.run(ctx)
	return j, nil
}

var _ Front = (*Joined)(nil)

// run connects again and again until ctx is done.
func (j *Joined) run(ctx context.Context) {
	defer close(j.done)
	for wait := joinAgain; ; wait = min(2*wait, joinAgainMost) {
		began := time.Now()
		err := j.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > joinAgainMost {
			wait = joinAgain
		}
		j.set.Log.Warn("standing broker", "host", j.url.Host, "err", err, "again_in", wait)
		select {
		case <-time.After(wait/2 + rand.N(wait)): //nolint:gosec // spreads clients, hides nothing
		case <-ctx.Done():
			return
		}
	}
}

// link is one connection to the standing broker.
type link struct {
	wire
	j    *Joined
	idle time.Duration
}

// session lives through one connection.
func (j *Joined) session(ctx context.Context) error {
	k, err := j.connect(ctx)
	if err != nil {
		return err
	}
	spaces := j.up(k)
	j.n.connections.Add(1)
	for _, s := range spaces {
		j.h.Connected(s, j.to.ClientID)
		k.hear(s)
	}
	ping := make(chan struct{})
	pinged := make(chan struct{})
	go func() {
		defer close(pinged)
		k.pingUntil(ping)
	}()
	err = k.serve()
	close(ping)
	<-pinged
	k.end()
	j.n.connections.Add(-1)
	j.down()
	return err
}

// connect dials and signs in.
func (j *Joined) connect(ctx context.Context) (*link, error) {
	within, cancel := context.WithTimeout(ctx, j.set.ConnectWithin)
	defer cancel()
	nc, kill, err := dial(within, j.url, j.to.TLS)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	k := &link{j: j}
	k.wire = wire{nc: nc, kill: kill, set: j.set, n: &j.n, v5: true, ordered: true, bound: j.set.Hub.Queue, window: j.set.Window}
	release := context.AfterFunc(within, k.cut)
	k.say(func([]byte) []byte { return j.hello() })
	err = k.welcomed()
	if !release() && err == nil {
		err = within.Err()
	}
	if err != nil {
		j.n.refuse("sign_in")
		k.cut()
		k.end()
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return k, nil
}

// hello is our CONNECT.
func (j *Joined) hello() []byte {
	password, ok := j.url.User.Password()
	pk := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Connect},
		ProtocolVersion: 5,
		Connect: packets.ConnectParams{
			ProtocolName:     []byte("MQTT"),
			Keepalive:        uint16(joinKeepAlive / time.Second),
			ClientIdentifier: j.to.ClientID,
			UsernameFlag:     j.url.User != nil,
			Username:         []byte(j.url.User.Username()),
			PasswordFlag:     ok,
			Password:         []byte(password),
		},
		Properties: packets.Properties{
			SessionExpiryInterval:     uint32(joinSession / time.Second),
			SessionExpiryIntervalFlag: true,
			ReceiveMaximum:            uint16(j.set.ReceiveMax),
			MaximumPacketSize:         uint32(j.set.Hub.Packet),
		},
	}
	var b bytes.Buffer
	_ = pk.ConnectEncode(&b) // writes to memory
	return b.Bytes()
}

// welcomed reads the CONNACK and heeds what the broker asks.
func (k *link) welcomed() error {
	f, body, err := k.read(k.set.Hub.Packet, k.set.ConnectWithin)
	if err != nil {
		return err
	}
	c := cursor{b: body}
	c.byte() // session present: either way we subscribe again
	code := reason(c.byte())
	p := c.props(packets.Connack)
	if f.kind() != packets.Connack || c.bad {
		return malformed
	}
	if code != success {
		return fmt.Errorf("broker refused: %w", code)
	}
	if p == nil {
		p = &packets.Properties{}
	}
	keep := joinKeepAlive
	if p.ServerKeepAlive > 0 {
		keep = min(keep, time.Duration(p.ServerKeepAlive)*time.Second)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.idle = keep * 3 / 2
	k.maxOut = int(p.MaximumPacketSize)
	k.window = min(k.window, int(cmp.Or(p.ReceiveMaximum, 65535)))
	return nil
}

// up makes k the link that Send uses, says what is retained and returns the
// spaces.
func (j *Joined) up(k *link) []Space {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		k.leave(success.bye, true)
		return nil
	}
	j.link = k
	for _, m := range j.kept {
		j.tell(k, m)
	}
	return slices.Clone(j.spaces)
}

func (j *Joined) down() {
	j.mu.Lock()
	j.link = nil
	spaces, closed := slices.Clone(j.spaces), j.closed
	j.mu.Unlock()
	for _, s := range spaces {
		if !closed {
			j.h.Gone(s, j.to.ClientID, false)
		}
	}
}

// prefix of the topics of a space at the broker.
func prefix(s Space) string {
	if s == "" {
		return ""
	}
	return string(s) + "/"
}

// hear subscribes to all of a space, at QoS 1 and without our own messages. The
// handler hears of it when the broker has granted it.
func (k *link) hear(s Space) {
	granted := func() { k.j.h.Subscribed(s, k.j.to.ClientID, "#") }
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state != open {
		return
	}
	pid := k.nextID()
	k.flights = append(k.flights, flight{pid, granted})
	body := append(appendText([]byte{byte(pid >> 8), byte(pid), 0}, prefix(s)+"#"), 1|optNoLocal)
	k.ctl = append(appendUvarint(append(k.ctl, packets.Subscribe<<4|2), len(body)), body...)
	k.wake()
}

// pingUntil keeps the connection alive.
func (k *link) pingUntil(stop <-chan struct{}) {
	tick := time.NewTicker(k.idle / 3) // half the keep alive
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			k.say(func(b []byte) []byte { return append(b, packets.Pingreq<<4, 0) })
		case <-stop:
			return
		}
	}
}

// serve takes packets until the connection ends.
func (k *link) serve() error {
	for {
		f, body, err := k.read(k.set.Hub.Packet, k.idle)
		if err == nil {
			err = k.take(f, body)
		}
		if why, ok := errors.AsType[reason](err); ok {
			k.leave(why.bye, true)
		}
		if err != nil {
			return err
		}
	}
}

func (k *link) take(f first, body []byte) error {
	switch f.kind() {
	case packets.Publish:
		return k.published(f, body)
	case packets.Puback:
		pid, code, err := decodeAck(f.kind(), body, true)
		k.landed(pid, code)
		return err
	case packets.Suback:
		return k.granted(body)
	case packets.Pingresp:
		return nil
	case packets.Disconnect:
		code, _ := decodeBye(body, true)
		return fmt.Errorf("broker said goodbye: %s", code.Error())
	}
	return violation
}

func (k *link) granted(body []byte) error {
	c := cursor{b: body}
	pid := c.uint16()
	c.props(packets.Suback)
	code := reason(c.byte())
	if c.bad {
		return malformed
	}
	if code >= 0x80 {
		k.n.refuse("subscribe")
		k.set.Log.Error("standing broker lets us not hear", "err", code)
	}
	k.landed(pid, code)
	return nil
}

// published hands a message to the handler; its PUBACK waits for done. The
// broker's retain flag means a stored value, because the subscription does not
// ask for the flag as published.
func (k *link) published(f first, body []byte) error {
	m, err := decodePublish(f, body, true)
	if err != nil || f.qos() > 1 {
		return cmp.Or(err, error(violation))
	}
	k.n.published.Add(1)
	s, topic, known, closed := k.j.place(m.topic, f.retain())
	if closed {
		return nil // unacknowledged, so that it comes again
	}
	p := Publish{
		Space: s, ClientID: k.j.to.ClientID, Topic: topic, Payload: m.payload,
		QoS: f.qos(), Retain: f.retain(), Dup: f.dup(),
	}
	take := func(done func()) { k.j.h.Publish(p, done) }
	if !known {
		k.n.ignored.Add(1)
		take = func(done func()) { done() }
	}
	if f.qos() == 0 {
		take(func() {})
	} else if !k.receive(m.pid, packets.Puback, take) {
		return errCutShort
	}
	return nil
}

// place finds the space of a topic at the broker and its topic in there. A
// stored value that we stored ourselves is not known: it is no news.
func (j *Joined) place(full string, stored bool) (s Space, topic string, known, closed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if stored && j.kept[full] != nil {
		return "", "", false, j.closed
	}
	if slices.Contains(j.spaces, "") {
		return "", full, true, j.closed
	}
	name, topic, _ := strings.Cut(full, "/")
	return Space(name), topic, topic != "" && slices.Contains(j.spaces, Space(name)), j.closed
}

// Hear adds a space, for a hub that was enrolled after the start.
func (j *Joined) Hear(s Space) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if slices.Contains(j.spaces, s) {
		return
	}
	j.spaces = append(j.spaces, s)
	if j.link != nil {
		j.link.hear(s)
	}
}

// Send implements [Front]. A command that finds the broker away is dropped, and
// one that was on its way when the connection broke is not sent again: after
// every connect Subscribed asks for the desired state of the sirens.
func (j *Joined) Send(s Space, topic string, payload []byte, ttl time.Duration, acked func()) int {
	now := time.Now()
	m := newMessage(prefix(s)+topic, payload, nil, now)
	if ttl > 0 {
		m.until = now.Add(ttl)
	}
	j.mu.Lock()
	k := j.link
	j.mu.Unlock()
	if k != nil && k.push(parcel{msg: m, qos: 1, acked: acked}, urgent) {
		return 1
	}
	return 0
}

// Retain implements [Front]. What it stored is told again at every connect, as
// the broker may have lost it.
func (j *Joined) Retain(s Space, topic string, payload []byte) {
	m := newMessage(prefix(s)+topic, payload, nil, time.Now())
	j.mu.Lock()
	defer j.mu.Unlock()
	j.kept[m.topic] = m
	if j.link != nil {
		j.tell(j.link, m)
	}
}

// tell sends a retained message.
func (j *Joined) tell(k *link, m *message) {
	k.push(parcel{msg: m, qos: 1, retain: true, acked: func() { j.removed(m) }}, normal)
}

// removed forgets a retained message that the broker removed.
func (j *Joined) removed(m *message) {
	j.mu.Lock()
	defer j.mu.Unlock()
	maps.DeleteFunc(j.kept, func(_ string, x *message) bool { return x == m && len(m.payload) == 0 })
}

// Stats returns the counts so far.
func (j *Joined) Stats() Stats { return j.n.stats() }

// Close waits until what came is safe and acknowledged or ctx is done, says
// goodbye and waits for all goroutines. The broker keeps the session.
func (j *Joined) Close(ctx context.Context) error {
	j.mu.Lock()
	j.closed = true
	k := j.link
	j.mu.Unlock()
	j.stop()
	if k != nil {
		k.settled(ctx)
		k.leave(success.bye, true)
	}
	<-j.done
	return ctx.Err()
}
