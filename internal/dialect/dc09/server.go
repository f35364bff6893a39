package dc09

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
)

// Handler takes what panels report: package app puts the device slice here.
type Handler interface {
	// Signal takes one reading of one account. zone is "" when it concerns the
	// whole account. raw is the message in the clear for the record, without its
	// data when that tells who armed or disarmed. Signal must not block; it calls
	// done at once or later, from any goroutine: true when the reading is safe,
	// false when it cannot be kept. Only after true for every reading of a message
	// is the message acknowledged. The same message sent again has the same Seq.
	Signal(account, zone string, r dialect.Reading, raw string, done func(ok bool))
}

// Limits of a server, where [Server] does not set others.
const (
	maxFrame    = 4096 + 64        // bytes; the length field of DC-09 has three digits
	frameTime   = 10 * time.Second // for a frame to arrive once it began
	writeTime   = 10 * time.Second
	defaultIdle = 15 * time.Minute
	defaultWait = 10 * time.Second
	defaultMost = 4096
	perHost     = 256 // connections of one address; a gateway may speak for many panels
	mostPending = 512 // datagrams being answered
	acceptPause = 100 * time.Millisecond
)

// Server is a receiver of DC-09 messages. Set its fields, then call Serve and
// ServePacket, any number of times.
type Server struct {
	Handler Handler
	// Keys tells whether an account is known, and the AES key it must use, nil for
	// plain messages. account is in upper case.
	Keys func(account string) (key []byte, known bool)
	// Strange, when not nil, is told of what was not understood: unknown accounts,
	// contents that cannot be read. It must not block.
	Strange func(account, raw string, why error)

	Now      func() time.Time // default time.Now
	Idle     time.Duration    // how long a connection may say nothing; default 15 min
	Wait     time.Duration    // how long the handler may take before the panel gets no answer; default 10 s
	MaxConns int              // default 4096

	counts counters
}

// Counts is how many messages met which fate.
type Counts struct {
	Frames         int64 // whole frames received
	Acknowledged   int64
	BadCRC         int64 // not answered
	BadLength      int64 // accepted all the same
	BadTime        int64 // NAK: the panel's clock is wrong
	BadKey         int64 // NAK: could not be decrypted
	NoKey          int64 // DUH: encrypted, but no key is known for the account
	PlainRefused   int64 // DUH: plain, but the account has a key
	UnknownAccount int64 // DUH
	Unreadable     int64 // no frame: not answered; no event in it: DUH
	NotKept        int64 // the handler said no or nothing: not answered
	Dropped        int64 // connections and datagrams beyond the bounds
}

type counters struct {
	frames, acknowledged, badCRC, badLength, badTime, badKey, noKey atomic.Int64
	plainRefused, unknownAccount, unreadable, notKept, dropped      atomic.Int64
}

// Counts returns the numbers so far.
func (s *Server) Counts() Counts {
	c := &s.counts
	return Counts{
		Frames: c.frames.Load(), Acknowledged: c.acknowledged.Load(), BadCRC: c.badCRC.Load(), BadLength: c.badLength.Load(),
		BadTime: c.badTime.Load(), BadKey: c.badKey.Load(), NoKey: c.noKey.Load(), PlainRefused: c.plainRefused.Load(),
		UnknownAccount: c.unknownAccount.Load(), Unreadable: c.unreadable.Load(), NotKept: c.notKept.Load(), Dropped: c.dropped.Load(),
	}
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// strange counts what was not understood and tells it.
func (s *Server) strange(count *atomic.Int64, f Frame, raw string, why error) {
	count.Add(1)
	if s.Strange != nil {
		s.Strange(f.Account, readable(raw), why)
	}
}

// Serve answers connections on l until ctx ends, then closes l and returns nil
// once every connection has ended. Another error of l is returned.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	g := gate{most: cmp.Or(s.MaxConns, defaultMost)}
	for {
		c, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if c != nil {
				c.Close()
			}
			return nil
		case isTemporary(err): // out of file handles: wait for some to close
			pause(ctx, acceptPause)
			continue
		case err != nil:
			return err
		}
		host := hostOf(c.RemoteAddr())
		if !g.enter(host) {
			s.counts.dropped.Add(1)
			c.Close()
			continue
		}
		conns.Go(func() {
			defer g.leave(host)
			s.converse(ctx, c)
		})
	}
}

func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return err != nil && !errors.Is(err, net.ErrClosed) && errors.As(err, &t) && t.Temporary()
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// gate bounds connections, in all and of one host.
type gate struct {
	mu    sync.Mutex
	most  int
	total int
	hosts map[string]int
}

func (g *gate) enter(host string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total >= g.most || g.hosts[host] >= perHost {
		return false
	}
	if g.hosts == nil {
		g.hosts = map[string]int{}
	}
	g.total++
	g.hosts[host]++
	return true
}

func (g *gate) leave(host string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.hosts[host]--; g.hosts[host] == 0 {
		delete(g.hosts, host)
	}
}

// converse reads frames of one connection and answers each before the next.
func (s *Server) converse(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	var stream []byte
	chunk := make([]byte, 2048)
	for {
		frame, rest, ok := Cut(stream)
		if ok {
			if answer := s.answer(ctx, frame); answer != nil && !write(c, answer) {
				return
			}
			stream = rest
			continue
		}
		stream = append([]byte(nil), rest...)
		if len(stream) > maxFrame {
			s.counts.unreadable.Add(1)
			return
		}
		patience := cmp.Or(s.Idle, defaultIdle)
		if len(stream) > 0 {
			patience = frameTime
		}
		_ = c.SetReadDeadline(time.Now().Add(patience)) // a closed connection says so when read
		n, err := c.Read(chunk)
		if stream = append(stream, chunk[:n]...); err != nil {
			return
		}
	}
}

func write(c net.Conn, b []byte) bool {
	_ = c.SetWriteDeadline(time.Now().Add(writeTime)) // a closed connection says so when written
	_, err := c.Write(b)
	return err == nil
}

// ServePacket answers datagrams on p until ctx ends, then closes p and returns nil
// once every answer has been given. Another error of p is returned.
func (s *Server) ServePacket(ctx context.Context, p net.PacketConn) error {
	ctx, cancel := context.WithCancel(ctx)
	var answers sync.WaitGroup
	defer answers.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { p.Close() })
	defer stop()
	pending := make(chan struct{}, mostPending)
	buf := make([]byte, maxFrame)
	for {
		n, from, err := p.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && errors.Is(err, net.ErrClosed):
			return err
		case err != nil || n == 0: // such as "port unreachable" for an earlier answer
			continue
		}
		select {
		case pending <- struct{}{}:
		default: // the panel sends again
			s.counts.dropped.Add(1)
			continue
		}
		datagram := append([]byte(nil), buf[:n]...)
		answers.Go(func() {
			defer func() { <-pending }()
			if answer := s.answer(ctx, whole(datagram)); answer != nil {
				_, _ = p.WriteTo(answer, from) // lost on the way or here: the panel sends again
			}
		})
	}
}

// whole is the frame of a datagram, which may lack its CR.
func whole(datagram []byte) []byte {
	if frame, _, ok := Cut(datagram); ok {
		return frame
	}
	return datagram
}
