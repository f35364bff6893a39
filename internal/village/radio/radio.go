// Package radio is the small MQTT client that simulated devices speak with:
// 3.1.1, one goroutine and a few hundred bytes per connection, so that ten
// thousand devices fit into one process beside the Keng they test.
//
// # Promises
//
//   - A press is sent again until it is acknowledged, with the DUP flag, as a
//     real hub does.
//   - Nothing is hidden: what arrives, what is acknowledged and when the
//     connection ends are told as they happen.
package radio

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Options is how to connect.
type Options struct {
	Addr      string // host:port
	Local     string // local address to connect from, "" for any; loopback has many
	ClientID  string
	User      string
	Password  string
	KeepAlive time.Duration // whole seconds; 0 for none
	Will      *Message
	Timeout   time.Duration // of dialling and of CONNACK; 0 for 30 s

	// Heard is called for every message, from the client's own goroutine. The
	// payload is valid only until it returns.
	Heard func(topic string, payload []byte, retain bool)
	// Acked is called when a QoS 1 publish was acknowledged.
	Acked func(id uint16)
	// Closed is called once, when the connection has ended.
	Closed func(err error)
}

// Message is something to publish.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
	Dup     bool
}

// Client is one connection. Publish, Subscribe and Ping may be called from any
// goroutine.
type Client struct {
	o    Options
	conn net.Conn

	mu   sync.Mutex // of writing
	buf  []byte
	id   uint16
	subs map[uint16]chan error
	done chan struct{}
}

// Dial connects and signs in.
func Dial(ctx context.Context, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	d := net.Dialer{Timeout: o.Timeout, KeepAlive: -1}
	if o.Local != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(o.Local)}
	}
	conn, err := d.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &Client{o: o, conn: conn, done: make(chan struct{})}
	r := bufio.NewReaderSize(conn, 256)
	if err := c.signIn(r); err != nil {
		_ = conn.Close()
		return nil, err
	}
	go c.listen(r)
	return c, nil
}

func (c *Client) signIn(r *bufio.Reader) error {
	_ = c.conn.SetDeadline(time.Now().Add(c.o.Timeout))
	if _, err := c.conn.Write(hello(c.o)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	head, body, err := read(r)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if head>>4 != 2 || len(body) < 2 || body[1] != 0 {
		return fmt.Errorf("connect: refused with %x", body)
	}
	return c.conn.SetDeadline(time.Time{})
}

// hello is the CONNECT packet of o.
func hello(o Options) []byte {
	flags := byte(2) // clean session
	body := text(nil, "MQTT")
	if o.Will != nil {
		flags |= 4 | o.Will.QoS<<3
		if o.Will.Retain {
			flags |= 0x20
		}
	}
	if o.User != "" {
		flags |= 0xc0
	}
	body = append(body, 4, flags)
	body = binary.BigEndian.AppendUint16(body, uint16(o.KeepAlive.Seconds()))
	body = text(body, o.ClientID)
	if o.Will != nil {
		body = text(text(body, o.Will.Topic), string(o.Will.Payload))
	}
	if o.User != "" {
		body = text(text(body, o.User), o.Password)
	}
	return append(length([]byte{0x10}, len(body)), body...)
}

// Publish sends m and returns its packet id, 0 at QoS 0.
func (c *Client) Publish(m Message) (uint16, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var id uint16
	if m.QoS > 0 {
		id = c.next()
	}
	head, n := byte(0x30)|m.QoS<<1, 2+len(m.Topic)+len(m.Payload)
	if m.Retain {
		head |= 1
	}
	if m.Dup {
		head |= 8
	}
	if m.QoS > 0 {
		n += 2
	}
	b := text(length(append(c.buf[:0], head), n), m.Topic)
	if m.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	b = append(b, m.Payload...)
	if c.buf = b; cap(b) > 1024 {
		c.buf = nil
	}
	_, err := c.conn.Write(b)
	return id, err
}

func (c *Client) next() uint16 {
	if c.id++; c.id == 0 {
		c.id = 1
	}
	return c.id
}

// Subscribe hears filter at QoS 1 and returns when that is granted.
func (c *Client) Subscribe(ctx context.Context, filter string) error {
	res := make(chan error, 1)
	c.mu.Lock()
	id := c.next()
	if c.subs == nil {
		c.subs = map[uint16]chan error{}
	}
	c.subs[id] = res
	b := length([]byte{0x82}, 2+2+len(filter)+1)
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(text(b, filter), 1)
	_, err := c.conn.Write(b)
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	select {
	case err := <-res:
		return err
	case <-c.done:
		return errors.New("subscribe: connection ended")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ping shows that the device lives.
func (c *Client) Ping() error { return c.write([]byte{0xc0, 0}) }

// Disconnect says goodbye: no will is published. It waits for the end.
func (c *Client) Disconnect() {
	_ = c.write([]byte{0xe0, 0})
	_ = c.conn.Close()
	<-c.done
}

// Cut ends the connection as a power cut does. It waits for the end.
func (c *Client) Cut() {
	if t, ok := c.conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.conn.Close()
	<-c.done
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

func (c *Client) write(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Write(b)
	return err
}

func (c *Client) listen(r *bufio.Reader) {
	err := c.hear(r)
	_ = c.conn.Close()
	close(c.done)
	if c.o.Closed != nil {
		c.o.Closed(err)
	}
}

func (c *Client) hear(r *bufio.Reader) error {
	for {
		head, body, err := read(r)
		if err != nil {
			return err
		}
		switch head >> 4 {
		case 3:
			err = c.message(head, body)
		case 4:
			if c.o.Acked != nil && len(body) >= 2 {
				c.o.Acked(binary.BigEndian.Uint16(body))
			}
		case 9:
			err = c.granted(body)
		}
		if err != nil {
			return err
		}
	}
}

func (c *Client) message(head byte, body []byte) error {
	if len(body) < 2 || len(body) < 2+int(binary.BigEndian.Uint16(body)) {
		return errors.New("short PUBLISH")
	}
	n := int(binary.BigEndian.Uint16(body))
	topic, rest := string(body[2:2+n]), body[2+n:]
	if head>>1&3 > 0 {
		if len(rest) < 2 {
			return errors.New("short PUBLISH")
		}
		if c.o.Heard != nil {
			c.o.Heard(topic, rest[2:], head&1 != 0)
		}
		return c.write([]byte{0x40, 2, rest[0], rest[1]})
	}
	if c.o.Heard != nil {
		c.o.Heard(topic, rest, head&1 != 0)
	}
	return nil
}

func (c *Client) granted(body []byte) error {
	if len(body) < 3 {
		return errors.New("short SUBACK")
	}
	c.mu.Lock()
	id := binary.BigEndian.Uint16(body)
	res := c.subs[id]
	delete(c.subs, id)
	c.mu.Unlock()
	if res == nil {
		return nil
	}
	var err error
	if body[2] >= 0x80 {
		err = fmt.Errorf("subscribe: refused with %x", body[2])
	}
	res <- err
	return nil
}

// read reads one packet.
func read(r *bufio.Reader) (head byte, body []byte, err error) {
	if head, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, shift := 0, 0
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		n |= int(b&0x7f) << shift
		if shift += 7; b&0x80 == 0 {
			break
		}
		if shift > 21 {
			return 0, nil, errors.New("malformed length")
		}
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return head, body, err
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func length(b []byte, n int) []byte {
	for {
		d := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			d |= 0x80
		}
		if b = append(b, d); n == 0 {
			return b
		}
	}
}

// Match reports whether topic lies under filter, with MQTT's wildcards.
func Match(filter, topic string) bool {
	for {
		f, fs, more := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, ts, deeper := strings.Cut(topic, "/")
		if f != "+" && f != t || filter == "" {
			return false
		}
		if !more || !deeper {
			return more == deeper
		}
		filter, topic = fs, ts
	}
}
