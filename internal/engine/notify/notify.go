package notify

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
)

// Journal takes what must outlast a crash. *store.Committer is one.
type Journal interface {
	Do(op store.Op, done func(error))
}

// Options is what a Service needs. A channel that is not set up takes nothing.
type Options struct {
	DB      *store.DB
	Journal Journal
	Now     func() time.Time
	Log     *slog.Logger

	Push       *Key // nil: no Web Push
	PushNear   bool // also to push services at private addresses and without https
	SMS, Voice Gateway
	Mail       Server
	HookSecret []byte              // signs webhooks
	Plain      func(string) string // a text without marks, for SMS; nil: as it is

	// Wanted is asked before each attempt: a home that answered need not be called.
	// Told hears what became of a message. Neither may block. Both may be nil.
	Wanted func(Message) bool
	Told   func(Message, State)

	Limits Limits // zero: the usual ones
}

// Limits bound what one host, good or bad, can take.
type Limits struct {
	Lane   int           // attempts to one host at a time that are not old
	Young  time.Duration // an attempt older than that gives its place away
	Old    int           // attempts to one host that may be older than that
	Within time.Duration // of one attempt
	Disk   time.Duration // how long a message waits for the disk before it leaves all the same
	Down   int           // failures in a row after which a host is left alone
	Rest   time.Duration // for so long at first; doubled up to a minute
}

func (l Limits) usual() Limits {
	if l.Lane == 0 {
		l.Lane = 64
	}
	if l.Young == 0 {
		l.Young = time.Second
	}
	if l.Old == 0 {
		l.Old = 512
	}
	if l.Within == 0 {
		l.Within = attemptWithin
	}
	if l.Disk == 0 {
		l.Disk = 250 * time.Millisecond
	}
	if l.Down == 0 {
		l.Down = 8
	}
	if l.Rest == 0 {
		l.Rest = 2 * time.Second
	}
	return l
}

// Service sends. Make it with [New]; it works between Start and Close.
type Service struct {
	o       Options
	limits  Limits
	senders map[Channel]sender
	clients []*http.Client

	mu     sync.Mutex
	jobs   map[string]*job // by key: those that go on, and those done lately
	lanes  map[string]*lane
	timers timers
	seq    uint64

	life context.Context // of attempts; ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup
}

// New makes a service that sends nothing yet.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Plain == nil {
		o.Plain = func(s string) string { return s }
	}
	s := &Service{o: o, limits: o.Limits.usual(), senders: map[Channel]sender{}, jobs: map[string]*job{}, lanes: map[string]*lane{}}
	s.timers.wake = make(chan struct{}, 1)
	s.life, s.stop = context.WithCancel(context.Background())
	outside, named := Client(o.PushNear), Client(true)
	s.clients = []*http.Client{outside, named}
	if o.Push != nil {
		s.senders[Push] = &pusher{o.Push, outside, o.Now}
	}
	for kind, g := range map[Channel]Gateway{SMS: o.SMS, Voice: o.Voice} {
		if g.URL != "" {
			s.senders[kind] = &caller{kind, g, named, o.Now, o.Plain}
		}
	}
	if o.Mail.URL != "" {
		s.senders[Mail] = &poster{o.Mail, o.Now}
	}
	if len(o.HookSecret) > 0 {
		s.senders[Webhook] = &hook{o.HookSecret, named, o.Now}
	}
	return s
}

// Has reports whether channel c was set up.
func (s *Service) Has(c Channel) bool { return s.senders[c] != nil }

// Start takes up what a stop or a crash left unfinished, and begins to send.
func (s *Service) Start(ctx context.Context) error {
	left, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.wg.Go(func() { s.keepTime(s.life) })
	s.enter(left)
	return nil
}

// Close stops sending and waits for attempts to end. What is unfinished goes on
// after the next Start.
func (s *Service) Close(context.Context) error {
	s.stop()
	s.wg.Wait()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
	return nil
}

// Post sends messages, each key once, and says how many were new. It returns at
// once and may be called from anywhere.
func (s *Service) Post(all ...Message) int {
	now := s.o.Now()
	var fresh []*job
	s.mu.Lock()
	for _, m := range all {
		if s.jobs[m.Key] != nil || !s.Has(m.Channel) {
			continue
		}
		s.seq++
		j := &job{m: m, state: Queued, seq: s.seq, made: now}
		s.jobs[m.Key] = j
		fresh = append(fresh, j)
	}
	s.forget(now)
	s.mu.Unlock()
	if len(fresh) == 0 {
		return 0
	}
	saved := make(chan struct{})
	s.o.Journal.Do(insert(fresh), func(err error) {
		if err != nil {
			s.o.Log.Error("messages were not written down", slog.Int("count", len(fresh)), slog.Any("err", err))
		}
		close(saved)
	})
	s.wg.Go(func() {
		patience := time.NewTimer(s.limits.Disk)
		defer patience.Stop()
		select {
		case <-saved:
		case <-patience.C:
		case <-s.life.Done():
			return
		}
		s.enter(fresh)
	})
	return len(fresh)
}

// remembered is how long a key is known, so that it is not sent again.
const remembered = 7 * 24 * time.Hour

// forget drops what was done long ago. s.mu is held.
func (s *Service) forget(now time.Time) {
	if len(s.jobs) < 4096 || s.seq%1024 != 0 {
		return
	}
	for k, j := range s.jobs {
		if j.state.Done() && now.Sub(j.made) > remembered {
			delete(s.jobs, k)
		}
	}
}

// State is how far the message of that key got; "" when there is none.
func (s *Service) State(key string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[key]; j != nil {
		return j.state
	}
	return ""
}

// Waiting is how many messages go on.
func (s *Service) Waiting() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if !j.state.Done() {
			n++
		}
	}
	return n
}
