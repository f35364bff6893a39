package broker

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats are counts since the start, for metrics. They tell of no person.
type Stats struct {
	Connections int64  // signed in now
	Accepted    uint64 // sockets taken
	SignedIn    uint64
	Published   uint64 // messages that came in, refused ones too
	Acked       uint64 // PUBACK and PUBREC sent
	Sent        uint64 // messages that went out
	Slow        uint64 // clients cut because they did not take what they were sent
	Unsafe      uint64 // connections ended because a message was not safe in time
	Expired     uint64 // messages that were too old to be sent
	NotStored   uint64 // retained messages over the bound of their space
	Ignored     uint64 // messages outside every space, or our own (standing broker only)
	BytesIn     uint64
	BytesOut    uint64
	Refused     map[string]uint64 // connections, packets, topics and filters by reason
}

// counters is Stats while it is being counted.
type counters struct {
	connections                                        atomic.Int64
	accepted, signedIn, published, acked, sent         atomic.Uint64
	slow, unsafe, expired, notStored, ignored, bytesIn atomic.Uint64
	bytesOut                                           atomic.Uint64
	mu                                                 sync.Mutex
	refused                                            map[string]uint64
}

// refuse counts a refusal; why is a short word, a label of the metric.
func (n *counters) refuse(why string) {
	if why == "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refused == nil {
		n.refused = map[string]uint64{}
	}
	n.refused[why]++
}

func (n *counters) stats() Stats {
	s := Stats{
		Connections: n.connections.Load(),
		Accepted:    n.accepted.Load(),
		SignedIn:    n.signedIn.Load(),
		Published:   n.published.Load(),
		Acked:       n.acked.Load(),
		Sent:        n.sent.Load(),
		Slow:        n.slow.Load(),
		Unsafe:      n.unsafe.Load(),
		Expired:     n.expired.Load(),
		NotStored:   n.notStored.Load(),
		Ignored:     n.ignored.Load(),
		BytesIn:     n.bytesIn.Load(),
		BytesOut:    n.bytesOut.Load(),
		Refused:     map[string]uint64{},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.Copy(s.Refused, n.refused)
	return s
}
