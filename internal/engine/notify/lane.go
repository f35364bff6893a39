package notify

import (
	"container/heap"
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// job is one message on its way. Service.mu guards it.
type job struct {
	m     Message
	state State
	tries int
	seq   uint64
	made  time.Time
}

// lane is everything that goes to one host. Service.mu guards it.
type lane struct {
	name    string
	waiting jobs
	young   int // attempts that hold a place
	old     int // attempts that gave theirs away
	fails   int // of the host, in a row
	rest    time.Duration
	until   time.Time // it is left alone; zero for not
}

// jobs is a heap: live alarms before drills, and then first come, first served.
type jobs []*job

func (h jobs) Len() int { return len(h) }
func (h jobs) Less(i, j int) bool {
	if h[i].m.Rank != h[j].m.Rank {
		return h[i].m.Rank < h[j].m.Rank
	}
	return h[i].seq < h[j].seq
}
func (h jobs) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *jobs) Push(x any)   { *h = append(*h, x.(*job)) }
func (h *jobs) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = nil
	*h = (*h)[:len(*h)-1]
	return last
}

// enter hands jobs to the lanes of their hosts.
func (s *Service) enter(all []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	touched := map[*lane]bool{}
	for _, j := range all {
		if j.m.After.After(now) {
			s.timers.add(j.m.After, func() { s.enter([]*job{j}) })
			continue
		}
		name := s.senders[j.m.Channel].host(j.m)
		l := s.lanes[name]
		if l == nil {
			l = &lane{name: name}
			s.lanes[name] = l
		}
		heap.Push(&l.waiting, j)
		touched[l] = true
	}
	for l := range touched {
		s.pump(l)
	}
}

// pump begins as many attempts as lane l has places for. s.mu is held.
func (s *Service) pump(l *lane) {
	if s.life.Err() != nil || !l.until.IsZero() && s.o.Now().Before(l.until) {
		return
	}
	places := s.limits.Lane
	if l.fails >= s.limits.Down { // it rested: one shall try how it is
		places = min(1, places)
		if l.old > 0 {
			return
		}
	}
	for len(l.waiting) > 0 && l.young < places {
		j := heap.Pop(&l.waiting).(*job)
		l.young++
		j.tries++
		s.wg.Go(func() { s.attempt(l, j) })
	}
}

// attempt tries to hand j over, once.
func (s *Service) attempt(l *lane, j *job) {
	began := s.o.Now()
	switch {
	case !j.m.Until.IsZero() && !began.Before(j.m.Until):
		s.finish(l, j, began, Outcome{State: Failed}, true)
		return
	case s.o.Wanted != nil && !s.o.Wanted(j.m):
		s.finish(l, j, began, Outcome{State: Withdrawn}, true)
		return
	}
	if j.tries == 1 {
		s.tell(j, Sent)
	}
	aged := false // guarded by s.mu
	age := time.AfterFunc(s.limits.Young, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !aged && l.old < s.limits.Old {
			aged = true
			l.young--
			l.old++
			s.pump(l)
		}
	})
	ctx, cancel := context.WithTimeout(s.life, s.limits.Within)
	out, err := s.senders[j.m.Channel].send(ctx, j.m)
	cancel()
	if s.life.Err() != nil {
		age.Stop()
		return // the next Start sends it again, under the same id
	}
	s.mu.Lock()
	age.Stop()
	held := !aged
	if aged {
		l.old--
	}
	aged = true // a timer that fires now finds nothing to do
	s.mu.Unlock()
	if err != nil {
		s.o.Log.Debug("attempt failed", slog.String("channel", string(j.m.Channel)), slog.Int("try", j.tries), slog.Any("err", err))
	}
	s.finish(l, j, began, out, held)
}

// finish notes how an attempt ended and what comes next. held says that it still
// had its place in the lane.
func (s *Service) finish(l *lane, j *job, began time.Time, out Outcome, held bool) {
	now := s.o.Now()
	s.mu.Lock()
	if held {
		l.young--
	}
	s.breaker(l, out, now)
	if out.State == Sent {
		wait := max(out.Wait, backoff(j.tries))
		if at := now.Add(wait); !j.m.Until.IsZero() && !at.Before(j.m.Until) {
			out.State = Failed // it would come too late: say so now
		} else {
			s.timers.add(at, func() { s.enter([]*job{j}) })
		}
	}
	tries, m, news := j.tries, j.m, j.state != out.State
	if out.State.Done() {
		j.m.Body, j.m.Secret, j.m.To, j.m.Title = "", "", "", ""
	}
	s.pump(l)
	if len(l.waiting) == 0 && l.young+l.old == 0 && l.fails == 0 && out.State.Done() {
		delete(s.lanes, l.name)
	}
	s.mu.Unlock()
	s.o.Journal.Do(record(m, tries, began, now, out), nil)
	if news {
		s.told(j, m, out.State)
	}
}

// breaker counts the failures of a host. s.mu is held.
func (s *Service) breaker(l *lane, out Outcome, now time.Time) {
	switch {
	case out.State == Withdrawn, out.Status == 0 && !out.Down: // says nothing about the host
		return
	case !out.Down:
		l.fails, l.rest, l.until = 0, 0, time.Time{}
		return
	}
	l.fails++
	if l.fails < s.limits.Down || now.Before(l.until) {
		return
	}
	l.rest = min(max(2*l.rest, s.limits.Rest), time.Minute)
	l.until = now.Add(l.rest)
	s.o.Log.Warn("a host takes no messages; left alone for a while", slog.Float64("seconds", l.rest.Seconds()))
	s.timers.add(l.until, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pump(l)
	})
}

// backoff is how long to wait after so many tries: 1, 2, 4, 8, 16, 30 s, a fifth
// more or less so that those that failed together do not come back together.
func backoff(tries int) time.Duration {
	d := min(time.Second<<min(tries-1, 5), 30*time.Second)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64())) // #nosec G404 -- no secret
}

// tell notes that j got as far as st and says so.
func (s *Service) tell(j *job, st State) { s.told(j, j.m, st) }

func (s *Service) told(j *job, m Message, st State) {
	s.mu.Lock()
	j.state = st
	s.mu.Unlock()
	if s.o.Told != nil {
		s.o.Told(m, st)
	}
}
