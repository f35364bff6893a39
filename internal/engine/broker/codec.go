package broker

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// first is the first byte of a packet: its kind in the high nibble, its flags in
// the low one (MQTT 5.0 §2.1).
type first byte

func (f first) kind() byte   { return byte(f) >> 4 }
func (f first) qos() byte    { return byte(f) >> 1 & 3 }
func (f first) retain() bool { return f&1 != 0 }
func (f first) dup() bool    { return f&8 != 0 }

// flagged says whether the fixed flags of f are as the standard wants (§2.1.3).
func (f first) flagged() bool {
	switch f.kind() {
	case packets.Publish:
		return f.qos() < 3 && (f.qos() > 0 || !f.dup())
	case packets.Pubrel, packets.Subscribe, packets.Unsubscribe:
		return f&0x0f == 2
	}
	return f&0x0f == 0
}

// cursor reads the fields of one packet body in order. A field that is cut
// short or not well formed makes it bad, and it stays bad: check once, at the
// end. Text is copied, bytes are not.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) bytes() []byte { return c.take(int(c.uint16())) }

// text reads a UTF-8 string without NUL (§1.5.4).
func (c *cursor) text() string {
	b := c.bytes()
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		c.bad = true
		return ""
	}
	return string(b)
}

// props reads the properties of a packet of kind; nil when there are none. The
// library is shown exactly the section, so that it cannot read past its end, and
// a copy of it, because its strings point into what it was shown.
func (c *cursor) props(kind byte) *packets.Properties {
	n, size := uvarint(c.b)
	if size <= 0 {
		c.bad = true
		return nil
	}
	section := c.take(size + n)
	if n == 0 || section == nil {
		return nil
	}
	p := new(packets.Properties)
	if _, err := p.Decode(kind, bytes.NewBuffer(bytes.Clone(section))); err != nil {
		c.bad = true
		return nil
	}
	return p
}

// uvarint reads a variable byte integer (§1.5.5) and the number of bytes it
// took: 0 when b ends before it does, -1 when it is longer than four bytes.
func uvarint(b []byte) (n, size int) {
	for i := 0; i < len(b) && i < 4; i++ {
		n |= int(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return n, i + 1
		}
	}
	if len(b) >= 4 {
		return 0, -1
	}
	return 0, 0
}

func appendUvarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// hello is a CONNECT (§3.1).
type hello struct {
	version   byte // 4 is MQTT 3.1.1, 5 is 5.0
	clean     bool
	keepAlive uint16 // s; 0: the client promises nothing
	id        string
	user      string
	password  string
	will      *will
	props     packets.Properties
}

// will is what a client leaves behind when it goes without a DISCONNECT.
type will struct {
	topic   string
	payload []byte
	qos     byte
	retain  bool
	props   *packets.Properties
}

// decodeHello reads the body of a CONNECT. The hello is good enough to answer
// with (its version is set) also when it comes with a reason.
func decodeHello(body []byte) (h hello, err error) {
	c := cursor{b: body}
	name := string(c.bytes())
	h.version = c.byte()
	if c.bad || (name != "MQTT" && name != "MQIsdp") {
		return h, violation
	}
	if name != "MQTT" || h.version != 4 && h.version != 5 {
		return h, wrongVersion
	}
	flags := c.byte()
	h.clean = flags&0x02 != 0
	h.keepAlive = c.uint16()
	if h.version == 5 {
		if p := c.props(packets.Connect); p != nil {
			h.props = *p
		}
	}
	h.id = c.text()
	if flags&0x04 != 0 {
		h.will = decodeWill(&c, flags, h.version)
	}
	if flags&0x80 != 0 {
		h.user = c.text()
	}
	if flags&0x40 != 0 {
		h.password = string(c.bytes())
	}
	if c.bad || len(c.b) > 0 || !helloFlags(flags, h.version) {
		return h, malformed
	}
	return h, nil
}

// helloFlags checks the connect flags (§3.1.2.3 to 3.1.2.9).
func helloFlags(flags, version byte) bool {
	switch {
	case flags&0x01 != 0, flags&0x18 == 0x18:
		return false
	case flags&0x04 == 0 && flags&0x38 != 0: // will QoS or retain without a will
		return false
	case version == 4 && flags&0xc0 == 0x40: // a password without a user
		return false
	}
	return true
}

func decodeWill(c *cursor, flags, version byte) *will {
	w := &will{qos: flags >> 3 & 3, retain: flags&0x20 != 0}
	if version == 5 {
		w.props = c.props(packets.WillProperties)
	}
	w.topic = c.text()
	w.payload = bytes.Clone(c.bytes())
	return w
}

// welcome is a CONNACK (§3.2) without a session.
func welcome(v5 bool, code reason, p *packets.Properties) []byte {
	if !v5 {
		return []byte{packets.Connack << 4, 2, 0, code.connack3()}
	}
	props := encodeProps(packets.Connack, p)
	b := appendUvarint([]byte{packets.Connack << 4}, 2+len(props))
	return append(append(b, 0, byte(code)), props...)
}

// encodeProps encodes p with its length before it.
func encodeProps(kind byte, p *packets.Properties) []byte {
	if p == nil {
		return []byte{0}
	}
	var b bytes.Buffer
	p.Encode(kind, packets.Mods{AllowResponseInfo: true}, &b, 0)
	return b.Bytes()
}

// published is a PUBLISH (§3.3) as it came in.
type published struct {
	topic   string
	pid     uint16 // 0 with QoS 0
	payload []byte // part of the read buffer
	props   *packets.Properties
}

// decodePublish reads the body of a PUBLISH and checks its topic.
func decodePublish(f first, body []byte, v5 bool) (p published, err error) {
	c := cursor{b: body}
	p.topic = c.text()
	if f.qos() > 0 {
		p.pid = c.uint16()
	}
	if v5 {
		p.props = c.props(packets.Publish)
	}
	p.payload = c.b
	switch {
	case c.bad:
		return p, malformed
	case f.qos() > 0 && p.pid == 0:
		return p, violation
	case p.props != nil && p.props.TopicAliasFlag:
		return p, wrongAlias // no aliases were offered (§3.2.2.3.8)
	case p.props != nil && len(p.props.SubscriptionIdentifier) > 0:
		return p, violation
	case strings.ContainsAny(p.topic, "+#"):
		return p, wrongTopic
	case p.topic == "" || len(p.topic) > maxTopic:
		return p, wrongTopic
	}
	return p, nil
}

// wish is one filter of a SUBSCRIBE with its options (§3.8.3.1).
type wish struct {
	filter string
	opts   byte
}

// The subscription options of MQTT 5.0; the low two bits are the QoS.
const (
	optNoLocal     = 0x04
	optAsPublished = 0x08
)

// decodeSubscribe reads the body of a SUBSCRIBE.
func decodeSubscribe(body []byte, v5 bool) (pid uint16, wishes []wish, err error) {
	c := cursor{b: body}
	pid = c.uint16()
	var p *packets.Properties
	if v5 {
		p = c.props(packets.Subscribe)
	}
	for len(c.b) > 0 && !c.bad {
		wishes = append(wishes, wish{c.text(), c.byte()})
	}
	if c.bad {
		return pid, nil, malformed
	}
	if pid == 0 || len(wishes) == 0 {
		return pid, nil, violation
	}
	if p != nil && len(p.SubscriptionIdentifier) > 0 {
		return pid, nil, noSubscriptionID
	}
	for _, w := range wishes {
		if w.opts&3 == 3 || w.opts&0x30 == 0x30 || w.opts&0xc0 != 0 || !v5 && w.opts > 2 {
			return pid, nil, malformed
		}
	}
	return pid, wishes, nil
}

// decodeUnsubscribe reads the body of an UNSUBSCRIBE.
func decodeUnsubscribe(body []byte, v5 bool) (pid uint16, filters []string, err error) {
	c := cursor{b: body}
	pid = c.uint16()
	if v5 {
		c.props(packets.Unsubscribe)
	}
	for len(c.b) > 0 && !c.bad {
		filters = append(filters, c.text())
	}
	if c.bad {
		return pid, nil, malformed
	}
	if pid == 0 || len(filters) == 0 {
		return pid, nil, violation
	}
	return pid, filters, nil
}

// decodeAck reads the body of a PUBACK, PUBREC, PUBREL or PUBCOMP.
func decodeAck(kind byte, body []byte, v5 bool) (pid uint16, code reason, err error) {
	c := cursor{b: body}
	pid = c.uint16()
	if v5 && len(c.b) > 0 {
		code = reason(c.byte())
	}
	if v5 && len(c.b) > 0 {
		c.props(kind)
	}
	if c.bad || len(c.b) > 0 {
		return pid, code, malformed
	}
	return pid, code, nil
}

// decodeBye reads the body of a DISCONNECT.
func decodeBye(body []byte, v5 bool) (reason, error) {
	c := cursor{b: body}
	var code reason
	if v5 && len(c.b) > 0 {
		code = reason(c.byte())
	}
	if v5 && len(c.b) > 0 {
		c.props(packets.Disconnect)
	}
	if c.bad || len(c.b) > 0 {
		return 0, malformed
	}
	return code, nil
}

// appendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP; a code only when there
// is one to tell and the client can read it.
func appendAck(b []byte, kind byte, pid uint16, v5 bool, code reason) []byte {
	f := kind << 4
	if kind == packets.Pubrel {
		f |= 2
	}
	if v5 && code != success {
		return append(b, f, 3, byte(pid>>8), byte(pid), byte(code))
	}
	return append(b, f, 2, byte(pid>>8), byte(pid))
}

// appendCodes appends a SUBACK or UNSUBACK.
func appendCodes(b []byte, kind byte, pid uint16, v5 bool, codes []byte) []byte {
	if !v5 && kind == packets.Unsuback {
		codes = nil
	}
	n := 2 + len(codes)
	if v5 {
		n++
	}
	b = appendUvarint(append(b, kind<<4), n)
	b = binary.BigEndian.AppendUint16(b, pid)
	if v5 {
		b = append(b, 0)
	}
	return append(b, codes...)
}

// bye is a DISCONNECT from the server: only 5.0 has one.
func (r reason) bye(v5 bool) []byte {
	if !v5 {
		return nil
	}
	return []byte{packets.Disconnect << 4, 2, byte(r), 0}
}

// message is one application message, shared by all who get it and never
// changed once it is made.
type message struct {
	topic   string
	payload []byte
	props   []byte    // MQTT 5.0 properties to pass on, encoded, without expiry
	until   time.Time // of no use afterwards; zero: no bound
}

// newMessage copies payload. The expiry in p counts from now.
func newMessage(topic string, payload []byte, p *packets.Properties, now time.Time) *message {
	m := &message{topic: topic, payload: bytes.Clone(payload)}
	if p == nil {
		return m
	}
	kept := *p
	if kept.MessageExpiryInterval > 0 {
		m.until = now.Add(time.Duration(kept.MessageExpiryInterval) * time.Second)
	}
	kept.MessageExpiryInterval, kept.WillDelayInterval = 0, 0
	if b := encodeProps(packets.Publish, &kept); len(b) > 1 {
		_, size := uvarint(b)
		m.props = b[size:]
	}
	return m
}

func (m *message) over(now time.Time) bool { return !m.until.IsZero() && !now.Before(m.until) }

// size is about how many bytes m takes while it waits.
func (m *message) size() int { return len(m.topic) + len(m.payload) + len(m.props) + 48 }

// appendHead appends the PUBLISH of m up to its payload. pid is 0 with QoS 0.
// The expiry is the time left in seconds, rounded up, as §3.3.2.3.3 wants.
func (m *message) appendHead(b []byte, v5 bool, qos byte, retain bool, pid uint16, now time.Time) []byte {
	n := 2 + len(m.topic) + len(m.payload)
	if pid > 0 {
		n += 2
	}
	props := len(m.props)
	if !m.until.IsZero() {
		props += 5
	}
	if v5 {
		n += len(appendUvarint(make([]byte, 0, 4), props)) + props
	}
	f := packets.Publish<<4 | qos<<1
	if retain {
		f |= 1
	}
	b = appendUvarint(append(b, f), n)
	b = appendText(b, m.topic)
	if pid > 0 {
		b = binary.BigEndian.AppendUint16(b, pid)
	}
	if !v5 {
		return b
	}
	b = append(appendUvarint(b, props), m.props...)
	if !m.until.IsZero() {
		left := (m.until.Sub(now) + time.Second - 1) / time.Second
		b = binary.BigEndian.AppendUint32(append(b, packets.PropMessageExpiryInterval), uint32(left))
	}
	return b
}
