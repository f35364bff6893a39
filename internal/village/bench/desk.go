package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// desk is the screen of a duty desk that looks on while everything is measured:
// a real village has one, so Keng is measured with one.
type desk struct {
	round atomic.Pointer[round]
	seen  atomic.Int64 // incident events
	end   context.CancelFunc
	done  chan struct{}
}

// look opens the stream of a duty desk.
func (a *api1) look(ctx context.Context) (*desk, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, err := a.request(ctx, http.MethodGet, "/api/v1/stream", "")
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the desk's screen: %w", err)
	}
	res, err := (&http.Client{}).Do(r) //nolint:bodyclose // watch reads it to its end, then it is closed
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the desk's screen: %w", err)
	}
	d := &desk{end: cancel, done: make(chan struct{})}
	if res.StatusCode != http.StatusOK {
		cancel()
		return nil, errors.Join(fmt.Errorf("open the desk's screen: %s", res.Status), res.Body.Close())
	}
	go func() {
		defer close(d.done)
		d.watch(bufio.NewReaderSize(res.Body, 1<<20))
		_ = res.Body.Close() // read to its end
	}()
	return d, nil
}

func (d *desk) stop() {
	d.end()
	<-d.done
}

var (
	incidentEvent = []byte("event: incident")
	groupField    = []byte(`"group":"g`)
)

// watch reads server-sent events and notes when an incident of a group is shown.
func (d *desk) watch(r *bufio.Reader) {
	incident := false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
		switch {
		case bytes.HasPrefix(line, []byte("event:")):
			incident = bytes.HasPrefix(line, incidentEvent)
		case incident && bytes.HasPrefix(line, []byte("data:")):
			d.seen.Add(1)
			d.note(line, time.Now())
		}
	}
}

func (d *desk) note(line []byte, now time.Time) {
	round := d.round.Load()
	_, rest, ok := bytes.Cut(line, groupField)
	if round == nil || !ok {
		return
	}
	digits, _, _ := bytes.Cut(rest, []byte(`"`))
	g, err := strconv.Atoi(string(digits))
	if err != nil {
		return
	}
	if p := round.of(g - 1); p != nil {
		p.shown.CompareAndSwap(0, round.at(now))
	}
}
