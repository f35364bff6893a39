package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/village/radio"
)

// Crowd is the idle devices as their own process is told of them: each has one
// subscription and shows every minute that it lives.
type Crowd struct {
	Addr    string `json:"addr"`
	Count   int    `json:"count"`
	SignsIn bool   `json:"signs_in"`
}

// idleAlive is the keep alive of an idle device.
const idleAlive = time.Minute

// told is what the process of the crowd says.
type told struct {
	Event   string  `json:"event"` // up: all are connected; half: half of them are; lost: how many were lost by themselves
	Count   int     `json:"count"`
	Seconds float64 `json:"seconds"` // since the order
	Error   string  `json:"error,omitempty"`
}

// Hold is the process of the crowd: it reads a [Crowd] and then orders from in,
// one JSON value each, and tells on out. The orders are "connect", "cut" (end all
// connections at once, as a power cut does, and come back as fast as possible)
// and "lost"; the end of in ends it.
func Hold(ctx context.Context, in io.Reader, out io.Writer) error {
	if _, err := raiseLimit(); err != nil {
		return err
	}
	orders := json.NewDecoder(in)
	h := holder{out: json.NewEncoder(out)}
	if err := orders.Decode(&h.Crowd); err != nil {
		return fmt.Errorf("read the crowd: %w", err)
	}
	h.devices = make([]atomic.Pointer[radio.Client], h.Count)
	ctx, cancel := context.WithCancel(ctx)
	var pinging sync.WaitGroup
	pinging.Go(func() { rounds(ctx, idleAlive*3/4, h.Count, h.ping) })
	defer func() {
		cancel()
		pinging.Wait()
		h.leave()
	}()
	for {
		var o string
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read orders: %w", err)
		}
		if err := h.obey(ctx, o); err != nil {
			return h.out.Encode(told{Event: "failed", Error: err.Error()})
		}
	}
}

// holder holds the connections.
type holder struct {
	Crowd
	out     *json.Encoder
	devices []atomic.Pointer[radio.Client]
	cuts    atomic.Int64 // how often they were cut on purpose
	lost    atomic.Int64
}

func (h *holder) obey(ctx context.Context, order string) error {
	start := time.Now()
	switch order {
	case "cut":
		h.leave()
		fallthrough
	case "connect":
		return h.connect(ctx, start)
	case "lost":
		return h.out.Encode(told{Event: "lost", Count: int(h.lost.Load())})
	}
	return fmt.Errorf("there is no order %q", order)
}

// connect brings all devices up and tells when half of them and when all are.
func (h *holder) connect(ctx context.Context, start time.Time) error {
	var up atomic.Int64
	err := each(h.Count, dialers, func(i int) error {
		if err := h.join(ctx, i); err != nil {
			return err
		}
		if n := up.Add(1); n == int64(h.Count+1)/2 {
			return h.out.Encode(told{Event: "half", Count: int(n), Seconds: time.Since(start).Seconds()})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.out.Encode(told{Event: "up", Count: h.Count, Seconds: time.Since(start).Seconds()})
}

// join connects device i; one that is turned away tries again, as real ones do.
func (h *holder) join(ctx context.Context, i int) error {
	for tries := 0; ; tries++ {
		err := h.dial(ctx, i)
		if err == nil || tries == 100 || !pause(ctx, 20*time.Millisecond) {
			return err
		}
	}
}

func (h *holder) dial(ctx context.Context, i int) error {
	id := idleName(i)
	o := radio.Options{Addr: h.Addr, Local: local(60, i), ClientID: id, KeepAlive: idleAlive, Closed: h.closed(h.cuts.Load())}
	if h.SignsIn {
		o.User, o.Password = id, password(id)
	}
	c, err := radio.Dial(ctx, o)
	if err != nil {
		return err
	}
	h.devices[i].Store(c)
	return c.Subscribe(ctx, orderTopic(id))
}

// closed counts a connection that ended although nobody cut it since it began. A
// cut one may say so after its successor has begun.
func (h *holder) closed(cuts int64) func(error) {
	return func(error) {
		if h.cuts.Load() == cuts {
			h.lost.Add(1)
		}
	}
}

func (h *holder) ping(i int) {
	if c := h.devices[i].Load(); c != nil {
		_ = c.Ping() // a lost connection is counted by closed
	}
}

// leave cuts all connections.
func (h *holder) leave() {
	h.cuts.Add(1)
	_ = each(h.Count, dialers, func(i int) error {
		if c := h.devices[i].Swap(nil); c != nil {
			c.Cut()
		}
		return nil
	})
}

// crowd is the process of the idle devices, seen from the measuring one.
type crowd struct {
	proc   *child
	in     *io.PipeWriter
	orders *json.Encoder
	says   chan told
}

// gather starts the process of the crowd: this very program.
func gather(ctx context.Context, o Options, f *front, dir string) (*crowd, error) {
	read, in := io.Pipe()
	says, out := io.Pipe()
	proc, err := launch(ctx, order{name: "crowd", argv: []string{o.Keng, "bench", "crowd"}, dir: dir, in: read, out: out})
	if err != nil {
		return nil, err
	}
	c := &crowd{proc: proc, in: in, orders: json.NewEncoder(in), says: make(chan told, 16)}
	go func() {
		<-proc.done
		_, _ = read.Close(), out.Close()
	}()
	go func() {
		defer close(c.says)
		lines := bufio.NewScanner(says)
		for lines.Scan() {
			var t told
			if json.Unmarshal(lines.Bytes(), &t) == nil {
				c.says <- t
			}
		}
	}()
	if err := c.orders.Encode(Crowd{Addr: f.addr, Count: o.Idle, SignsIn: f.ways.signsIn}); err != nil {
		c.stop()
		return nil, fmt.Errorf("tell the crowd: %w", err)
	}
	return c, nil
}

// order tells the crowd what to do.
func (c *crowd) order(what string) error {
	if err := c.orders.Encode(what); err != nil {
		return fmt.Errorf("tell the crowd: %w", errors.Join(err, c.proc.ended()))
	}
	return nil
}

// next is what the crowd says next.
func (c *crowd) next(ctx context.Context, within time.Duration) (told, error) {
	select {
	case t, ok := <-c.says:
		switch {
		case !ok:
			return t, fmt.Errorf("the crowd has gone: %w", c.proc.ended())
		case t.Error != "":
			return t, fmt.Errorf("the crowd: %s", t.Error)
		}
		return t, nil
	case <-time.After(within):
		return told{}, fmt.Errorf("the crowd says nothing for %v", within)
	case <-ctx.Done():
		return told{}, ctx.Err()
	}
}

// until skips what the crowd says until event.
func (c *crowd) until(ctx context.Context, event string, within time.Duration) (told, error) {
	for {
		t, err := c.next(ctx, within)
		if err != nil || t.Event == event {
			return t, err
		}
	}
}

func (c *crowd) stop() {
	_ = c.in.Close()
	c.proc.stop()
}
