package broker

import (
	"crypto/rand"
	"errors"
	"net"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// conn is one client of the listener. Its owner is the goroutine of greet and
// then, on a fresh and small stack, that of live.
type conn struct {
	wire
	l      *Listener
	number uint64 // order of arrival
	login
	space    *space // this and the next two are written under mu
	prefixes []string
	seal     string
	most     Bounds
	idle     time.Duration // longest silence: one and a half times the keep alive
	filters  []string      // guarded by space.mu
	will     *will
	released map[uint16]struct{} // QoS 2 messages that wait for their PUBREL
	gone     chan struct{}       // closed when nothing of it is left
}

// How a client may go by itself.
var (
	errBye      = errors.New("client said goodbye")
	errByeWill  = errors.New("client said goodbye and wants its will sent")
	errCutShort = errors.New("connection ended meanwhile")
)

func newConn(l *Listener, nc net.Conn, kill func()) *conn {
	c := &conn{l: l, gone: make(chan struct{})}
	c.wire = wire{nc: nc, kill: kill, set: l.set, n: &l.n, bound: l.set.Device.Queue, window: l.set.Window}
	return c
}

// greet reads the CONNECT and lets the client in or turns it away.
func (c *conn) greet() {
	err := c.signIn()
	if err == nil {
		go c.live()
		return
	}
	if why, ok := errors.AsType[reason](err); ok {
		c.n.refuse(why.name())
		c.deny(why)
	} else {
		c.n.refuse("no_connect")
	}
	c.end()
	c.l.forget(c)
}

// deny answers a CONNECT with a refusal where the standard has an answer.
func (c *conn) deny(why reason) {
	if c.v5 || why.connack3() != 0 {
		c.leave(func(v5 bool) []byte { return welcome(v5, why, nil) }, true)
	}
}

// signIn reads the CONNECT and lets the client in when all is well.
func (c *conn) signIn() error {
	f, body, err := c.read(c.set.PacketHello, c.set.ConnectWithin)
	if err != nil {
		return err
	}
	if f.kind() != packets.Connect || !f.flagged() {
		return violation
	}
	h, err := decodeHello(body)
	c.speaks(h.version)
	if err != nil {
		return err
	}
	if err := h.check(); err != nil {
		return err
	}
	rounds := c.l.rounds.Load()
	a, ok := c.l.h.SignIn(h.user, h.password)
	if !ok {
		return wrongPassword
	}
	c.enter(h, a)
	if c.l.rounds.Load() != rounds { // Revoke may have passed by before we were in
		if now, ok := c.l.h.SignIn(h.user, h.password); !ok || now.Seal != a.Seal {
			c.leave(notAuthorized.bye, true)
		}
	}
	return nil
}

// check looks for what the standard forbids in a well formed CONNECT.
func (h *hello) check() error {
	switch {
	case h.id == "" && h.version == 4 && !h.clean, len(h.id) > maxTopic:
		return wrongClientID
	case h.props.AuthenticationMethod != "":
		return wrongAuthMethod
	case h.will != nil && (checkFilter(h.will.topic) != success || wild(h.will.topic)):
		return wrongTopic
	}
	return nil
}

// enter makes c a client of its space and welcomes it.
func (c *conn) enter(h hello, a Account) {
	home := c.l.space(a.Space)
	c.mu.Lock()
	c.login, c.will, c.prefixes, c.seal, c.space = login{h.user, h.id}, h.will, a.Prefixes, a.Seal, home
	c.mu.Unlock()
	if c.id == "" {
		c.id = "keng-" + rand.Text()
	}
	c.most = c.set.Hub
	if a.Prefixes != nil {
		c.most = c.set.Device
	}
	c.bound = c.most.Queue
	if h.will != nil && !may(a.Prefixes, h.will.topic) {
		c.n.refuse("will")
		c.will = nil
	}
	c.maxOut = int(h.props.MaximumPacketSize)
	if m := int(h.props.ReceiveMaximum); m > 0 {
		c.window = min(c.window, m)
	}
	keep := c.keepAlive(h)
	c.idle = keep * 3 / 2
	c.space.enter(c)
	c.n.signedIn.Add(1)
	c.n.connections.Add(1)
	c.l.h.Connected(a.Space, c.id)
	ack := welcome(c.v5, success, c.promises(h, keep))
	c.say(func(b []byte) []byte { return append(b, ack...) })
}

// keepAlive is the interval that holds for a client: its own, or ours when it
// names none or, in 5.0 where it can be told, a longer one.
func (c *conn) keepAlive(h hello) time.Duration {
	own := time.Duration(h.keepAlive) * time.Second
	if own == 0 || c.v5 && own > c.set.KeepAlive {
		return c.set.KeepAlive
	}
	return own
}

// promises are the properties of a CONNACK.
func (c *conn) promises(h hello, keep time.Duration) *packets.Properties {
	p := &packets.Properties{
		ReceiveMaximum:         uint16(c.set.ReceiveMax),
		MaximumPacketSize:      uint32(c.most.Packet),
		SubIDAvailableFlag:     true,
		SharedSubAvailableFlag: true,
	}
	if h.id == "" {
		p.AssignedClientID = c.id
	}
	if s := uint16(keep / time.Second); s != h.keepAlive {
		p.ServerKeepAlive, p.ServerKeepAliveFlag = s, true
	}
	if h.props.SessionExpiryInterval > 0 {
		p.SessionExpiryIntervalFlag = true // 0: every session ends with its connection
	}
	return p
}

// live serves the client until it goes.
func (c *conn) live() {
	err := c.serve()
	why, fault := errors.AsType[reason](err)
	if fault {
		c.n.refuse(why.name())
		c.set.Log.Info("mqtt client turned out", "space", c.space.name, "why", why)
		c.leave(why.bye, true)
	}
	c.end()
	c.n.connections.Add(-1)
	c.part(errors.Is(err, errBye))
	c.l.forget(c)
}

// part takes the client out of its space: will first, so that whoever comes next
// under the same ID says the last word. When the listener closes nobody is told:
// it is Keng that went, not the devices.
func (c *conn) part(graceful bool) {
	c.space.deafen(c)
	if !c.l.closing() {
		if c.will != nil && !graceful {
			c.lastWill()
		}
		c.l.h.Gone(c.space.name, c.id, graceful)
	}
	c.space.forget(c)
}

func (c *conn) lastWill() {
	w := c.will
	p := Publish{Space: c.space.name, ClientID: c.id, Topic: w.topic, Payload: w.payload, QoS: w.qos, Retain: w.retain}
	c.l.h.Publish(p, func() {})
	c.route(w.topic, w.payload, w.qos, w.retain, w.props)
}

// serve takes packets until the connection ends.
func (c *conn) serve() error {
	for {
		f, body, err := c.read(c.most.Packet, c.idle)
		if err != nil {
			return err
		}
		if c.l.closing() {
			continue // only what was taken before is still answered
		}
		if err := c.take(f, body); err != nil {
			return err
		}
	}
}

// take handles one packet.
func (c *conn) take(f first, body []byte) error {
	if !f.flagged() {
		return malformed
	}
	switch f.kind() {
	case packets.Publish:
		return c.published(f, body)
	case packets.Puback:
		pid, code, err := decodeAck(f.kind(), body, c.v5)
		c.landed(pid, code)
		return err
	case packets.Pubrel:
		return c.release(body)
	case packets.Subscribe:
		return c.subscribe(body)
	case packets.Unsubscribe:
		pid, filters, err := decodeUnsubscribe(body, c.v5)
		if err == nil {
			c.space.unsubscribe(c, pid, filters)
		}
		return err
	case packets.Pingreq:
		c.say(func(b []byte) []byte { return append(b, packets.Pingresp<<4, 0) })
		return nil
	case packets.Disconnect:
		return c.goodbye(body)
	}
	return violation
}

func (c *conn) goodbye(body []byte) error {
	code, err := decodeBye(body, c.v5)
	if err != nil {
		return err
	}
	if code == withWill {
		return errByeWill
	}
	return errBye
}

// published takes a PUBLISH: to the handler first, then to those who hear it.
func (c *conn) published(f first, body []byte) error {
	m, err := decodePublish(f, body, c.v5)
	if err != nil {
		return err
	}
	c.n.published.Add(1)
	if !may(c.prefixes, m.topic) {
		return c.refused(f, m)
	}
	if f.qos() == 2 {
		if again, err := c.again(m.pid); again || err != nil {
			return err
		}
	}
	p := Publish{Space: c.space.name, ClientID: c.id, Topic: m.topic, Payload: m.payload, QoS: f.qos(), Retain: f.retain(), Dup: f.dup()}
	if f.qos() == 0 {
		c.l.h.Publish(p, func() {})
	} else if !c.receive(m.pid, ackOf(f.qos()), func(done func()) { c.l.h.Publish(p, done) }) {
		return errCutShort
	}
	c.route(m.topic, m.payload, f.qos(), f.retain(), m.props)
	return nil
}

// refused acknowledges a message that the client may not send, as 3.1.1 has no
// other answer, and lets it go no further.
func (c *conn) refused(f first, m published) error {
	c.n.refuse("publish")
	if f.qos() == 0 {
		return nil
	}
	number, ok := c.owe(m.pid, ackOf(f.qos()))
	if !ok {
		return errCutShort
	}
	c.settle(number, notAuthorized)
	return nil
}

// again notes a QoS 2 message and reports whether it was taken before; then it
// is only answered once more (MQTT 5.0 §4.3.3, method B).
func (c *conn) again(pid uint16) (bool, error) {
	if _, ok := c.released[pid]; ok {
		number, open := c.owe(pid, packets.Pubrec)
		if !open {
			return true, errCutShort
		}
		c.settle(number, success)
		return true, nil
	}
	if len(c.released) >= 4*c.set.ReceiveMax {
		return false, tooManyUnsettled
	}
	if c.released == nil {
		c.released = map[uint16]struct{}{}
	}
	c.released[pid] = struct{}{}
	return false, nil
}

func (c *conn) release(body []byte) error {
	pid, _, err := decodeAck(packets.Pubrel, body, c.v5)
	if err != nil {
		return err
	}
	code := success
	if _, ok := c.released[pid]; !ok {
		code = unknownPacketID
	}
	delete(c.released, pid)
	c.say(func(b []byte) []byte { return appendAck(b, packets.Pubcomp, pid, c.v5, code) })
	return nil
}

// route sends a message of c to those who hear it and keeps it when it is to be
// retained. A message that nobody hears is not even copied.
func (c *conn) route(topic string, payload []byte, qos byte, retain bool, p *packets.Properties) {
	if retain {
		c.space.keep(newMessage(topic, payload, p, time.Now()), qos, c, c.set, c.n)
		return
	}
	c.space.mu.RLock()
	defer c.space.mu.RUnlock()
	to := c.space.hearers(topic, c)
	if len(to) > 0 {
		c.space.deliver(to, newMessage(topic, payload, p, time.Now()), qos, false, normal, nil)
	}
}

func (c *conn) subscribe(body []byte) error {
	pid, wishes, err := decodeSubscribe(body, c.v5)
	if err != nil {
		return err
	}
	for _, filter := range c.space.subscribe(c, pid, wishes) {
		c.l.h.Subscribed(c.space.name, c.id, filter)
	}
	return nil
}

// allows says whether c may hear a filter. The caller holds space.mu.
func (c *conn) allows(filter string) reason {
	if why := checkFilter(filter); why != success {
		return why
	}
	if !may(c.prefixes, filter) {
		return notAuthorized
	}
	if len(c.filters) >= c.most.Filters {
		return overQuota
	}
	return success
}
