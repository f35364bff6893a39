package broker

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// wire is one MQTT connection seen as packets, on either side of it. One
// goroutine, the owner, reads. A writer goroutine lives only while there is
// something to write. The owner calls end and thereby waits for the writer.
type wire struct {
	nc   net.Conn
	kill func() // closes the socket at once, without a goodbye
	set  *Settings
	n    *counters

	// Owner only.
	in   [256]byte // read but not taken yet: in[r:w]
	r, w int

	mu      sync.Mutex
	v5      bool // changed by the owner, under mu
	state   state
	bye     []byte      // last packet to write when leaving
	linger  bool        // after bye, the owner waits for the other side's close
	ctl     []byte      // encoded acknowledgements and answers, in order
	lanes   [2][]parcel // messages that wait, urgent ones first
	queued  int         // bytes in lanes
	bound   int         // most of them
	maxOut  int         // largest packet the other side takes, bytes; 0: any
	window  int         // most messages in flight
	pid     uint16      // last packet ID given
	flights []flight
	owed    owed
	ordered bool // acknowledgements keep their order whatever happens
	writing bool
	writers sync.WaitGroup
}

// state of a wire; it only goes up.
type state byte

const (
	open state = iota
	leaving
	shut
)

// parcel is a message on its way to one client.
type parcel struct {
	msg    *message
	acked  func() // may be nil
	qos    byte
	retain bool
}

// flight is a QoS 1 message that was written and not acknowledged yet.
type flight struct {
	pid   uint16
	acked func()
}

// The lanes.
const (
	urgent = 0
	normal = 1
)

// gatherUpTo bounds one write, in bytes, so that an urgent message is never
// behind more than this.
const gatherUpTo = 16 << 10

// smallMessage bounds what is written by the goroutine that brings it, in bytes.
const smallMessage = 1 << 10

// byeWithin is how long a goodbye may take.
const byeWithin = time.Second

// speaks sets the version of the protocol.
func (w *wire) speaks(version byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.v5 = version >= 5
}

// read returns the next packet. It waits at most idle for all of it; limit is
// the largest packet in bytes. The body is valid until the next read.
func (w *wire) read(limit int, idle time.Duration) (first, []byte, error) {
	if err := w.await(idle); err != nil {
		return 0, nil, err
	}
	head, size := 0, 0
	for size == 0 {
		if w.w-w.r >= 2 {
			head, size = uvarint(w.in[w.r+1 : w.w])
		}
		if size < 0 {
			return 0, nil, malformed
		}
		if size == 0 {
			if err := w.fill(); err != nil {
				return 0, nil, err
			}
		}
	}
	f, n := first(w.in[w.r]), head
	w.r += 1 + size
	w.n.bytesIn.Add(uint64(1 + size + n))
	if 1+size+n > limit {
		return f, nil, tooLarge
	}
	body, err := w.body(n)
	return f, body, err
}

// await gives the next packet its time; none comes after a goodbye.
func (w *wire) await(idle time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != open {
		return errCutShort
	}
	return w.nc.SetReadDeadline(time.Now().Add(idle))
}

// fill reads more into in, at least one byte.
func (w *wire) fill() error {
	if w.r > 0 {
		w.w = copy(w.in[:], w.in[w.r:w.w])
		w.r = 0
	}
	n, err := w.nc.Read(w.in[w.w:])
	w.w += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return silentTooLong
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// body takes n bytes: out of in when they fit there, else out of a buffer that
// grows with what really comes, so that a claim of a megabyte costs nothing.
func (w *wire) body(n int) ([]byte, error) {
	if n <= len(w.in) {
		for w.w-w.r < n {
			if err := w.fill(); err != nil {
				return nil, err
			}
		}
		b := w.in[w.r : w.r+n]
		w.r += n
		return b, nil
	}
	b := make([]byte, min(n, 4<<10))
	have := copy(b, w.in[w.r:w.w])
	w.r, w.w = 0, 0
	for {
		k, err := io.ReadFull(w.nc, b[have:])
		have += k
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = silentTooLong
		}
		if err != nil || have == n {
			return b, err
		}
		b = append(b, make([]byte, min(n, 2*have)-have)...)
	}
}

// push queues p and reports whether the connection takes it. It never waits: a
// client whose queue is full is cut.
func (w *wire) push(p parcel, lane int) bool {
	w.mu.Lock()
	if w.state != open {
		w.mu.Unlock()
		return false
	}
	if w.queued+p.msg.size() > w.bound {
		w.mu.Unlock()
		w.n.slow.Add(1)
		w.cut()
		return false
	}
	w.queued += p.msg.size()
	w.lanes[lane] = append(w.lanes[lane], p)
	if lane == urgent {
		w.atOnce()
	}
	w.wake()
	w.mu.Unlock()
	return true
}

// atOnce writes the urgent message that was just queued, when nobody writes now
// and it is a small one, as far as the socket takes it without waiting. A writer
// of its own would get its turn only after the goroutine that brought the alarm
// has done everything else: the journal, the reports. What is left goes that way.
// The caller holds mu.
func (w *wire) atOnce() {
	if w.writing || w.ready() != urgent || w.lanes[urgent][0].msg.size() > smallMessage {
		return
	}
	now := time.Now()
	head, _ := w.encode(make([]byte, 0, 256), w.pop(urgent), now)
	_ = w.nc.SetWriteDeadline(now.Add(w.set.WriteWithin)) // the last one is over
	n := tryWrite(w.nc, head)
	w.n.bytesOut.Add(uint64(n))
	w.ctl = append(w.ctl, head[n:]...)
}

// say queues encoded packets that are not messages.
func (w *wire) say(add func([]byte) []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == open {
		w.ctl = add(w.ctl)
		w.wake()
	}
}

// wake starts the writer when it has something to do. The caller holds mu.
func (w *wire) wake() {
	if w.writing || w.state == shut {
		return
	}
	if w.state == open && len(w.ctl) == 0 && w.ready() < 0 {
		return
	}
	w.writing = true
	w.writers.Add(1)
	go w.flush()
}

// ready is the lane whose first message may go now, or -1. A quarter of the
// window is kept for urgent messages. The caller holds mu.
func (w *wire) ready() int {
	room := w.window - len(w.flights)
	for lane, q := range w.lanes {
		if len(q) > 0 && (q[0].qos == 0 || room > lane*w.window/4) {
			return lane
		}
	}
	return -1
}

// flush writes until nothing is left.
func (w *wire) flush() {
	defer w.writers.Done()
	buf := make([]byte, 0, 512)
	for {
		head, tail, last := w.gather(buf)
		if len(head) > 0 && (!w.write(head) || !w.write(tail)) {
			return
		}
		if last {
			w.close()
			return
		}
		if len(head) == 0 {
			return
		}
	}
}

// gather encodes what goes next: head into buf, and a large payload as it is.
// last is true when nothing follows. An empty head ends the writer.
func (w *wire) gather(buf []byte) (head, tail []byte, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	head = append(buf, w.ctl...)
	w.ctl = nil
	if w.state == leaving {
		return append(head, w.bye...), nil, true
	}
	now := time.Now()
	for w.state == open && len(head) < gatherUpTo && tail == nil {
		lane := w.ready()
		if lane < 0 {
			break
		}
		head, tail = w.encode(head, w.pop(lane), now)
	}
	w.writing = len(head) > 0
	return head, tail, false
}

func (w *wire) pop(lane int) parcel {
	q := w.lanes[lane]
	p := q[0]
	q[0] = parcel{}
	if w.lanes[lane] = q[1:]; len(q) == 1 {
		w.lanes[lane] = nil
	}
	w.queued -= p.msg.size()
	return p
}

// encode appends p to head, or drops it when it is too old or too large for the
// other side. The caller holds mu.
func (w *wire) encode(head []byte, p parcel, now time.Time) (_, tail []byte) {
	if p.msg.over(now) {
		w.n.expired.Add(1)
		return head, nil
	}
	var pid uint16
	if p.qos > 0 {
		pid = w.nextID()
	}
	before := len(head)
	head = p.msg.appendHead(head, w.v5, p.qos, p.retain, pid, now)
	if w.maxOut > 0 && len(head)-before+len(p.msg.payload) > w.maxOut {
		w.n.refuse("too_large_for_client")
		return head[:before], nil
	}
	if p.qos > 0 {
		w.flights = append(w.flights, flight{pid, p.acked})
	}
	w.n.sent.Add(1)
	if len(p.msg.payload) > gatherUpTo {
		return head, p.msg.payload
	}
	return append(head, p.msg.payload...), nil
}

// nextID gives a packet ID that is not in flight; the window is far below
// 65,535, so that there is one.
func (w *wire) nextID() uint16 {
	for {
		if w.pid++; w.pid == 0 {
			continue
		}
		used := false
		for _, f := range w.flights {
			used = used || f.pid == w.pid
		}
		if !used {
			return w.pid
		}
	}
}

// landed takes the other side's PUBACK.
func (w *wire) landed(pid uint16, code reason) {
	var acked func()
	w.mu.Lock()
	for i, f := range w.flights {
		if f.pid == pid {
			acked = f.acked
			w.flights = append(w.flights[:i], w.flights[i+1:]...)
			break
		}
	}
	w.wake()
	w.mu.Unlock()
	if acked != nil && code < 0x80 {
		acked()
	}
}

// write writes b in pieces, each within its own deadline, and reports whether
// all of it went out; if not the connection is cut.
func (w *wire) write(b []byte) bool {
	for len(b) > 0 {
		w.mu.Lock()
		within := w.set.WriteWithin
		if w.state == leaving {
			within = min(within, byeWithin)
		}
		w.mu.Unlock()
		piece := b[:min(len(b), gatherUpTo)]
		_ = w.nc.SetWriteDeadline(time.Now().Add(within))
		n, err := w.nc.Write(piece)
		w.n.bytesOut.Add(uint64(n))
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				w.n.slow.Add(1)
			}
			w.cut()
			return false
		}
		b = b[len(piece):]
	}
	return true
}

// leave writes the acknowledgements that are due and a goodbye, which may be
// empty, and closes. Messages that wait are dropped. With linger the owner reads
// on for a moment until the other side closes, because closing a socket with
// unread bytes in it would destroy the goodbye on its way.
func (w *wire) leave(bye func(v5 bool) []byte, linger bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != open {
		return
	}
	w.state, w.bye, w.linger = leaving, bye(w.v5), linger
	w.drop()
	_ = w.nc.SetWriteDeadline(time.Now().Add(byeWithin))
	w.wake()
}

// close ends the writing side after a goodbye.
func (w *wire) close() {
	half, ok := w.nc.(interface{ CloseWrite() error })
	if !w.linger || !ok || half.CloseWrite() != nil {
		w.cut()
		return
	}
	_ = w.nc.SetReadDeadline(time.Now().Add(byeWithin))
}

// cut closes at once. Safe from any goroutine, more than once.
func (w *wire) cut() {
	w.mu.Lock()
	was := w.state
	w.state = shut
	w.drop()
	w.mu.Unlock()
	if was != shut {
		w.kill()
	}
}

// drop forgets what waits and frees whoever waits for an acknowledgement. The
// caller holds mu.
func (w *wire) drop() {
	w.lanes, w.queued, w.flights = [2][]parcel{}, 0, nil
	w.owed.stop()
}

// end is the owner's last call: it waits for a goodbye to be written and read,
// closes, and waits for the writer.
func (w *wire) end() {
	w.mu.Lock()
	polite := w.state == leaving
	w.mu.Unlock()
	if polite {
		w.writers.Wait() // who has set the deadline of these reads
		for w.linger {
			if _, err := w.nc.Read(w.in[:]); err != nil {
				break
			}
		}
	}
	w.cut()
	w.writers.Wait()
}
