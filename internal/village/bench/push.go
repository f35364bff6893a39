package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/village/post"
)

// PushOptions is how the push bench is run.
type PushOptions struct {
	Phones  int           // subscriptions
	Dead    int           // of them, those whose push service says 410
	Slow    int           // of them, those that take Delay to answer
	Delay   time.Duration // of a slow one
	Answer  time.Duration // of a healthy one: the way to a push service and back
	Timeout time.Duration // of a request in the two simple ways, as a careful author would set it
}

// PushDefaults is a commune's worth of phones: 1 % dead, 1 % slow for 30 s.
func PushDefaults() PushOptions {
	return PushOptions{Phones: 5000, Dead: 50, Slow: 50, Delay: 30 * time.Second, Answer: 60 * time.Millisecond, Timeout: 10 * time.Second}
}

// Hasten makes o small, to try the bench itself.
func (o PushOptions) Hasten() PushOptions {
	o.Phones, o.Dead, o.Slow, o.Delay, o.Timeout = 200, 2, 2, 2*time.Second, time.Second
	return o
}

// PushRun is one way to send, measured.
type PushRun struct {
	Way      string  `json:"way"`
	Last     float64 `json:"last_s"` // until the last healthy phone had it; computed for the loop when cut
	Half     float64 `json:"half_s"`
	Reached  int     `json:"reached"` // healthy phones
	Twice    int     `json:"twice"`
	Computed bool    `json:"computed"` // the run was cut after a part; Last is what all would have taken
}

// PushReport is what the bench found.
type PushReport struct {
	PushOptions
	Runs []PushRun `json:"runs"`
}

// MeasurePush sends one message to every phone, in three ways, in the same run and
// to fresh phones of the same push service: Keng's own lanes with their journal in
// SQLite; a plain pool of 64 workers; and a loop, which is cut short and reckoned up.
func MeasurePush(ctx context.Context, o PushOptions, progress io.Writer) (PushReport, error) {
	rep := PushReport{PushOptions: o}
	for _, way := range []struct {
		name string
		run  func(context.Context, *pushStreet) (PushRun, error)
	}{{"keng", lanes}, {"pool of 64", pool}, {"loop", loop}} {
		_, _ = fmt.Fprintf(progress, "push: %s...\n", way.name)
		s, err := openPushStreet(o)
		if err != nil {
			return rep, err
		}
		r, err := way.run(ctx, s)
		s.service.Close()
		if err != nil {
			return rep, fmt.Errorf("%s: %w", way.name, err)
		}
		r.Way = way.name
		rep.Runs = append(rep.Runs, r)
	}
	return rep, nil
}

// WriteTable writes rep for people.
func (rep PushReport) WriteTable(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d phones, %d gone, %d slow for %v, the others answer in %v; one push service\n\n| way | half of the healthy ones, s | last healthy one, s | reached | twice |\n|---|---|---|---|---|\n", rep.Phones, rep.Dead, rep.Slow, rep.Delay, rep.Answer)
	for _, r := range rep.Runs {
		mark := ""
		if r.Computed {
			mark = " (reckoned from a part)"
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "| %s | %.2f | %.2f%s | %d of %d | %d |\n", r.Way, r.Half, r.Last, mark, r.Reached, rep.healthy(), r.Twice)
		}
	}
	return err
}

// WriteJSON writes rep for programs.
func (rep PushReport) WriteJSON(w io.Writer) error { return json.NewEncoder(w).Encode(rep) }

func (o PushOptions) healthy() int { return o.Phones - o.Dead - o.Slow }

// Valid reports whether every healthy phone was reached, once, wherever the run
// was not cut.
func (rep PushReport) Valid() bool {
	return !slices.ContainsFunc(rep.Runs, func(r PushRun) bool { return !r.Computed && (r.Reached != rep.healthy() || r.Twice > 0) })
}

// pushStreet is fresh phones, the bad ones spread evenly among them.
type pushStreet struct {
	o       PushOptions
	key     *notify.Key
	service *post.Service
	phones  []*post.Phone
	good    []*post.Phone
}

func openPushStreet(o PushOptions) (*pushStreet, error) {
	key, err := notify.NewKey("mailto:bench@example.vn")
	if err != nil {
		return nil, err
	}
	s := &pushStreet{o: o, key: key}
	if s.service, err = post.Open(key.Public()); err != nil {
		return nil, err
	}
	bad := o.Dead + o.Slow
	for k := range o.Phones {
		p, err := s.service.Phone()
		if err != nil {
			return nil, err
		}
		switch n := k * bad / o.Phones; {
		case (k+1)*bad/o.Phones == n:
			s.good = append(s.good, p)
			p.Be(post.Mood{Slow: o.Answer})
		case n%2 == 0 && n/2 < o.Dead || n/2 >= o.Slow:
			p.Be(post.Mood{Status: http.StatusGone})
		default:
			p.Be(post.Mood{Slow: o.Delay})
		}
		s.phones = append(s.phones, p)
	}
	return s, nil
}

func (s *pushStreet) message(k int) notify.Message {
	p256dh, auth := s.phones[k].Keys()
	m := notify.Message{Key: fmt.Sprint("bench/", k), Channel: notify.Push, Topic: "bench", To: s.phones[k].Endpoint(), Secret: p256dh + " " + auth, Until: time.Now().Add(5 * time.Minute)}
	m.Body = fmt.Sprintf(`{"id":%q,"title":"Cháy – Nhà số 10","body":"Số 10, ngõ 12."}`, m.ID())
	return m
}

// wait waits until every healthy phone has its message, or for ended.
func (s *pushStreet) wait(ctx context.Context, ended <-chan struct{}) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.reached() == len(s.good) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *pushStreet) reached() (n int) {
	for _, p := range s.good {
		if p.Has() {
			n++
		}
	}
	return n
}

// result says when the healthy phones had it, counted from start.
func (s *pushStreet) result(start time.Time) (r PushRun) {
	var at []float64
	for _, p := range s.good {
		got := p.Got()
		if len(got) > 0 {
			at = append(at, got[0].At.Sub(start).Seconds())
		}
		r.Twice += max(0, len(got)-1)
	}
	slices.Sort(at)
	if r.Reached = len(at); r.Reached > 0 {
		r.Half, r.Last = at[(r.Reached-1)/2], at[r.Reached-1]
	}
	return r
}

func lanes(ctx context.Context, s *pushStreet) (PushRun, error) {
	dir, err := os.MkdirTemp("", "keng-bench-")
	if err != nil {
		return PushRun{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := store.Open(ctx, filepath.Join(dir, "keng.db"))
	if err != nil {
		return PushRun{}, err
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(ctx, notify.Migrations); err != nil {
		return PushRun{}, err
	}
	journal := store.NewCommitter(db, slog.New(slog.DiscardHandler))
	defer func() { _ = journal.Close(context.WithoutCancel(ctx)) }()
	n := notify.New(notify.Options{DB: db, Journal: journal, Now: time.Now, Push: s.key, PushNear: true})
	if err := n.Start(ctx); err != nil {
		return PushRun{}, err
	}
	defer func() { _ = n.Close(ctx) }()
	start := time.Now()
	all := make([]notify.Message, 0, len(s.phones))
	for k := range s.phones {
		all = append(all, s.message(k))
	}
	n.Post(all...)
	if err := s.wait(ctx, nil); err != nil {
		return PushRun{}, err
	}
	return s.result(start), nil
}

// pool is what is usually written: a fixed number of workers, each with a timeout.
func pool(ctx context.Context, s *pushStreet) (PushRun, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	one := notify.Sender(s.key, true, s.o.Timeout)
	start := time.Now()
	next := make(chan int)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for k := range next {
				_, _ = one(ctx, s.message(k)) // a failure is the phone's
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer wg.Wait()
		defer close(next)
		for k := range s.phones {
			select {
			case next <- k:
			case <-ctx.Done():
				return
			}
		}
	}()
	err := s.wait(ctx, ended)
	r := s.result(start)
	cancel()
	<-ended
	return r, err
}

// loop sends to one after the other. It is cut after a hundredth of the phones and
// reckoned up.
func loop(ctx context.Context, s *pushStreet) (PushRun, error) {
	one := notify.Sender(s.key, true, s.o.Timeout)
	start := time.Now()
	part := max(1, len(s.phones)/100)
	slow := 0
	for k := range part {
		before := time.Now()
		if _, err := one(ctx, s.message(k)); err != nil && ctx.Err() != nil {
			return PushRun{}, ctx.Err()
		}
		if time.Since(before) > s.o.Timeout/2 {
			slow++
		}
	}
	r := s.result(start)
	took := time.Since(start).Seconds() - float64(slow)*s.o.Timeout.Seconds()
	r.Last = took/float64(part)*float64(len(s.phones)) + float64(s.o.Slow)*min(s.o.Delay, s.o.Timeout).Seconds()
	r.Half, r.Computed = r.Last/2, true
	return r, nil
}
