package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener is the front inside the process: devices connect to it. Make it with
// [Listen], give it sockets with [Listener.Serve] and [Listener.ServeHTTP], end it
// with [Listener.Close].
type Listener struct {
	h   Handler
	set *Settings
	n   counters

	mu     sync.Mutex
	spaces map[Space]*space // one per account, never removed
	conns  map[*conn]struct{}
	doors  map[net.Listener]struct{}
	last   uint64
	done   chan struct{} // closed when Close begins
	ended  atomic.Bool   // done is closed
	rounds atomic.Int64  // of Revoke
	wg     sync.WaitGroup
}

// Listen makes a listener that tells h what happens.
func Listen(h Handler, set Settings) *Listener {
	return &Listener{
		h: h, set: set.filled(),
		spaces: map[Space]*space{}, conns: map[*conn]struct{}{}, doors: map[net.Listener]struct{}{},
		done: make(chan struct{}),
	}
}

var _ Front = (*Listener)(nil)

// Serve accepts clients on ln, which may be TCP or TLS, until Close, and returns
// nil then. Sockets have no Nagle delay: that is Go's default, and 40 ms of an
// alarm.
func (l *Listener) Serve(ln net.Listener) error {
	l.mu.Lock()
	if l.closing() {
		l.mu.Unlock()
		return ln.Close()
	}
	l.doors[ln] = struct{}{}
	l.wg.Add(1)
	l.mu.Unlock()
	defer l.wg.Done()
	for wait := time.Duration(0); ; {
		nc, err := ln.Accept()
		if err == nil {
			wait = 0
			if c := l.admit(nc, closer(nc)); c != nil {
				go c.greet()
			}
			continue
		}
		if l.closing() {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Out of file descriptors, most likely: those who are in stay in.
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		l.set.Log.Warn("mqtt accept", "err", err, "again_in", wait)
		select {
		case <-time.After(wait):
		case <-l.done:
			return nil
		}
	}
}

// closer closes a socket without waiting: TLS would send a goodbye first.
func closer(nc net.Conn) func() {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return func() { _ = nc.Close() }
}

// admit makes a conn of a socket, or closes it when there are too many.
func (l *Listener) admit(nc net.Conn, kill func()) *conn {
	l.n.accepted.Add(1)
	c := newConn(l, nc, kill)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing() || len(l.conns) >= l.set.MaxConns {
		l.n.refuse("too_many")
		kill()
		return nil
	}
	l.last++
	c.number = l.last
	l.conns[c] = struct{}{}
	l.wg.Add(1)
	return c
}

// forget is the last that happens to a conn.
func (l *Listener) forget(c *conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	close(c.gone)
	l.wg.Done()
}

func (l *Listener) space(name Space) *space {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.spaces[name]
	if s == nil {
		s = newSpace(name)
		l.spaces[name] = s
	}
	return s
}

// Send implements [Front].
func (l *Listener) Send(name Space, topic string, payload []byte, ttl time.Duration, acked func()) int {
	now := time.Now()
	m := newMessage(topic, payload, nil, now)
	if ttl > 0 {
		m.until = now.Add(ttl)
	}
	if acked != nil {
		acked = sync.OnceFunc(acked)
	}
	s := l.space(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.deliver(s.hearers(topic, nil), m, 1, false, urgent, acked)
}

// Revoke sends those away who would no longer be let in as who they are: their
// password was changed or taken away, or their topics are others now. still is asked
// for each; whoever may come back does so by itself.
func (l *Listener) Revoke(still func(user string, a Account) bool) {
	l.rounds.Add(1)
	l.mu.Lock()
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		c.mu.Lock()
		in, user, a := c.space != nil, c.user, Account{Prefixes: c.prefixes, Seal: c.seal}
		if in {
			a.Space = c.space.name
		}
		c.mu.Unlock()
		if in && !still(user, a) {
			l.n.refuse("revoked")
			c.leave(notAuthorized.bye, true)
		}
	}
}

// Retain implements [Front].
func (l *Listener) Retain(name Space, topic string, payload []byte) {
	l.space(name).keep(newMessage(topic, payload, nil, time.Now()), 1, nil, l.set, &l.n)
}

// Stats returns the counts so far.
func (l *Listener) Stats() Stats { return l.n.stats() }

func (l *Listener) closing() bool { return l.ended.Load() }

// Close takes nothing new, waits until what was taken is safe and acknowledged
// or ctx is done, says goodbye and waits for all goroutines. No will is sent and
// the handler hears of no Gone: the devices are still there.
func (l *Listener) Close(ctx context.Context) error {
	var saying sync.WaitGroup
	for _, c := range l.shutDoors() {
		saying.Go(func() {
			c.settled(ctx)
			c.leave(shuttingDown.bye, true)
		})
	}
	saying.Wait()
	l.wg.Wait()
	return ctx.Err()
}

// shutDoors stops accepting and returns who is in.
func (l *Listener) shutDoors() []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended.Swap(true) {
		close(l.done)
	}
	for ln := range l.doors {
		_ = ln.Close()
	}
	conns := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	return conns
}
