package broker

import (
	"context"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// owed are the acknowledgements that the other side waits for, oldest first.
// They leave in this order, each when its message is safe.
type owed struct {
	head    uint64 // number of due[0]
	due     []debt
	changed chan struct{} // closed at the next change; nil when nobody waits
	late    *time.Timer   // made when it is first needed
	timed   bool          // late is running
	over    bool
}

// debt is one acknowledgement.
type debt struct {
	pid  uint16
	kind byte // PUBACK or PUBREC
	code reason
	safe bool
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
	w.owed.due = append(w.owed.due, debt{pid: pid, kind: kind})
	return w.owed.head + uint64(len(w.owed.due)-1), true
}

// settle marks a message as safe, or as refused with code, and sends all
// acknowledgements that are now due. It may come late, twice or from anywhere.
func (w *wire) settle(number uint64, code reason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &w.owed
	i := number - o.head // far too large when it was settled before
	if w.state != open || i >= uint64(len(o.due)) || o.due[i].safe {
		return
	}
	o.due[i].safe, o.due[i].code = true, code
	k := 0
	for ; k < len(o.due) && o.due[k].safe; k++ {
		d := o.due[k]
		w.ctl = appendAck(w.ctl, d.kind, d.pid, w.v5, d.code)
	}
	if k == 0 {
		return
	}
	w.n.acked.Add(uint64(k))
	o.head += uint64(k)
	o.due = o.due[:copy(o.due, o.due[k:])]
	if len(o.due) == 0 && cap(o.due) > 16 {
		o.due = nil
	}
	o.tell()
	w.watch(true)
	w.wake()
}

// watch limits how long the oldest message may stay unsafe: then the connection
// ends, so that the client sends again. Otherwise one lost done would silence a
// client for good. moved says that there is another oldest message now. The
// caller holds mu.
func (w *wire) watch(moved bool) {
	o := &w.owed
	want := len(o.due) > 0 && !o.over
	switch {
	case !want && o.timed:
		o.late.Stop()
	case want && o.late == nil:
		o.late = time.AfterFunc(w.set.SafeWithin, w.unsafe)
	case want && (moved || !o.timed):
		o.late.Reset(w.set.SafeWithin)
	}
	o.timed = want
}

func (w *wire) unsafe() {
	w.mu.Lock()
	due := len(w.owed.due) > 0 && w.state == open
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
