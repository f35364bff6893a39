package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// How a stream behaves.
const (
	Heartbeat   = 2 * time.Second  // a screen that hears nothing for 5 s says that it has lost its connection
	StreamQueue = 256              // events that wait for a slow screen before they become one "reload"
	streamBytes = 1 << 20          // and their size
	streamWrite = 10 * time.Second // a screen that takes nothing for so long is gone
)

// Event is one server-sent event.
type Event struct {
	ID   string // what a reconnecting screen sends back as Last-Event-ID; may be ""
	Name string // "incident"
	Data []byte // JSON on one line
}

// Stream is the events of one screen. Send is for many goroutines; Run belongs
// to the handler.
type Stream struct {
	w      http.ResponseWriter
	r      *http.Request
	end    <-chan struct{}
	lastID string
	now    func() time.Time

	mu    sync.Mutex
	queue []Event
	size  int           // bytes of data in queue
	lost  bool          // the queue ran over: a reload is due before anything else
	wake  chan struct{} // has one token while there is something to write
}

// Open begins a stream on a request. After it, no error can be answered.
func (k *Kit) Open(w http.ResponseWriter, r *http.Request) (*Stream, error) {
	c := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for a proxy in front
	if err := c.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	return &Stream{w: w, r: r, end: k.end, lastID: lastEventID(r), now: time.Now, wake: make(chan struct{}, 1)}, nil
}

// lastEventID is what the browser says it saw last; a screen that reloads may
// say it in its address instead.
func lastEventID(r *http.Request) string {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("last_event_id")
	}
	if len(id) > 64 {
		return ""
	}
	return id
}

// LastID is the id of the last event that this screen has seen, "" for a new one.
func (s *Stream) LastID() string { return s.lastID }

// Send queues e and never waits. When the screen is too slow, everything queued
// is dropped and it is told to reload.
func (s *Stream) Send(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= StreamQueue || s.size+len(e.Data) > streamBytes {
		s.queue, s.size, s.lost = nil, 0, true
	} else {
		s.queue = append(s.queue, e)
		s.size += len(e.Data)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run writes what is sent until the screen leaves, the server drains or ctx is
// done; then it returns. A ping goes out every [Heartbeat].
func (s *Stream) Run(ctx context.Context) {
	beat := time.NewTicker(Heartbeat)
	defer beat.Stop()
	if s.write([]byte("retry: 1000\n\n")) != nil {
		return
	}
	for {
		var err error
		select {
		case <-s.r.Context().Done():
			return
		case <-ctx.Done():
			return
		case <-s.end:
			return
		case <-s.wake:
			err = s.write(s.take())
		case <-beat.C:
			err = s.write(Event{Name: "ping", Data: []byte(`{"now":"` + s.now().UTC().Format("2006-01-02T15:04:05.000Z07:00") + `"}`)}.append(nil))
		}
		if err != nil {
			return // the screen is gone; it will come back and say what it saw
		}
	}
}

// take empties the queue into bytes.
func (s *Stream) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []byte
	if s.lost {
		b = Event{Name: "reload", Data: []byte(`{}`)}.append(b)
	}
	for _, e := range s.queue {
		b = e.append(b)
	}
	s.queue, s.size, s.lost = nil, 0, false
	return b
}

func (s *Stream) write(b []byte) error {
	c := http.NewResponseController(s.w)
	if err := c.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return c.Flush()
}

// append writes e as the wire has it. A line break would end a field, so none is
// let through; between the tokens of JSON it means nothing.
func (e Event) append(b []byte) []byte {
	if e.ID != "" {
		b = fmt.Appendf(b, "id: %s\n", oneLine([]byte(e.ID)))
	}
	return fmt.Appendf(b, "event: %s\ndata: %s\n\n", oneLine([]byte(e.Name)), oneLine(e.Data))
}

func oneLine(b []byte) []byte {
	if !bytes.ContainsAny(b, "\r\n\x00") {
		return b
	}
	return bytes.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, b)
}
