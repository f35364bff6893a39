package broker

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// owed are the acknowledgements that the other side waits for, oldest first.
// They leave in this order, each when its message is safe.
//
// When the oldest has been unsafe for a while, because the disk is stuck, what is
// safe behind it goes ahead of it: a client that may have twenty messages in flight
// would otherwise say nothing any more, nor ring. The order of PUBACK and PUBREC
// binds a client, and a server only towards those whom it delivers to (MQTT-4.6.0-2,
// -3 and -6 in 3.1.1 and 5.0): a server may acknowledge what it took in any order. A
// client of a standing broker, which Keng is too, may not.
type owed struct {
	last    uint64 // number of the newest
	due     []debt
	loose   bool          // the oldest holds up nobody
	changed chan struct{} // closed at the next change; nil when nobody waits
	late    *time.Timer   // made when it is first needed
	timed   bool          // late is running
	over    bool
}

// debt is one acknowledgement.
type debt struct {
	number uint64
	pid    uint16
	kind   byte // PUBACK or PUBREC
	code   reason
	safe   bool
}

// stop frees those who wait.
func (o *owed) stop() {
	o.over = true
	o.tell()
	if o.late != nil {
		o.late.Stop()
	}
}

func (o *owed) tell() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// wait returns a channel that is closed at the next change.
func (o *owed) wait() <-chan struct{} {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

// owe notes that a message has come and returns the number to settle it by.
// While too many are unsettled it waits, and reading with it. It reports false
// when the connection is over.
func (w *wire) owe(pid uint16, kind byte) (number uint64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.state == open && len(w.owed.due) >= w.set.ReceiveMax {
		change := w.owed.wait()
		w.mu.Unlock()
		<-change
		w.mu.Lock()
	}
	if w.state != open {
		return 0, false
	}
	w.owed.last++
	w.owed.due = append(w.owed.due, debt{number: w.owed.last, pid: pid, kind: kind})
	return w.owed.last, true
}

// settle marks a message as safe, or as refused with code, and sends all
// acknowledgements that are now due. It may come late, twice or from anywhere.
func (w *wire) settle(number uint64, code reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &w.owed
	i, owes := slices.BinarySearchFunc(o.due, number, func(d debt, n uint64) int { return cmp.Compare(d.number, n) })
	if w.state != open || !owes || o.due[i].safe {
		return
	}
	o.due[i].safe, o.due[i].code = true, code
	switch {
	case i == 0:
		k := 1
		for k < len(o.due) && o.due[k].safe {
			k++
		}
		o.loose = false
		w.acknowledge(0, k)
	case o.loose:
		w.acknowledge(i, i+1)
	}
}

// acknowledge sends what is due from i up to j. The caller holds mu.
func (w *wire) acknowledge(i, j int) {
	o := &w.owed
	for _, d := range o.due[i:j] {
		w.ctl = appendAck(w.ctl, d.kind, d.pid, w.v5, d.code)
	}
	w.n.acked.Add(uint64(j - i))
	o.due = slices.Delete(o.due, i, j)
	if len(o.due) == 0 && cap(o.due) > 16 {
		o.due = nil
	}
	o.tell()
	w.watch(i == 0)
	w.wake()
}

// loosen sends what is safe ahead of the oldest. The caller holds mu.
func (w *wire) loosen() {
	o := &w.owed
	o.loose = true
	sent := 0
	o.due = slices.DeleteFunc(o.due, func(d debt) bool {
		if d.safe {
			w.ctl = appendAck(w.ctl, d.kind, d.pid, w.v5, d.code)
			sent++
		}
		return d.safe
	})
	if sent > 0 {
		w.n.acked.Add(uint64(sent))
		o.tell()
		w.wake()
	}
}

// watch limits how long the oldest message may stay unsafe: for a moment it holds up
// the others, then it does not, and then the connection ends, so that the client
// sends again. Otherwise one lost done would silence a client for good. moved says
// that there is another oldest message now. The caller holds mu.
func (w *wire) watch(moved bool) {
	o := &w.owed
	want := len(o.due) > 0 && !o.over
	first := w.set.InOrder
	if w.ordered || first >= w.set.SafeWithin {
		first = w.set.SafeWithin
	}
	switch {
	case !want && o.timed:
		o.late.Stop()
	case want && o.late == nil:
		o.late = time.AfterFunc(first, w.unsafe)
	case want && (moved || !o.timed):
		o.late.Reset(first)
	}
	o.timed = want
}

func (w *wire) unsafe() {
	w.mu.Lock()
	due := len(w.owed.due) > 0 && w.state == open
	if due && !w.owed.loose && !w.ordered && w.set.InOrder < w.set.SafeWithin {
		w.loosen()
		w.owed.late.Reset(w.set.SafeWithin - w.set.InOrder)
		due = false
	}
	w.mu.Unlock()
	if due {
		w.n.unsafe.Add(1)
		w.cut()
	}
}

// settled waits until nothing is owed, the connection is over or ctx is done.
func (w *wire) settled(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.state == open && len(w.owed.due) > 0 && ctx.Err() == nil {
		change := w.owed.wait()
		w.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
		}
		w.mu.Lock()
	}
}

// receive hands a message to take and acknowledges it with a packet of kind
// when take's done was called.
func (w *wire) receive(pid uint16, kind byte, take func(done func())) bool {
	number, ok := w.owe(pid, kind)
	if !ok {
		return false
	}
	take(func() { w.settle(number, success) })
	w.mu.Lock()
	w.watch(false)
	w.mu.Unlock()
	return true
}

// ackOf is the kind of packet that answers a PUBLISH of qos.
func ackOf(qos byte) byte {
	if qos == 2 {
		return packets.Pubrec
	}
	return packets.Puback
}
