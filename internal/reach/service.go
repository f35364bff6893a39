package reach

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Poster sends. *notify.Service is one.
type Poster interface {
	Post(all ...notify.Message) int
	State(key string) notify.State
	Has(c notify.Channel) bool
	Got(id string)
	Find(ctx context.Context, id string) (notify.Posted, bool, error)
}

// Rights says who may do what; package people fills it.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
}

// Service is the reach slice at work. Fill the exported fields, then call Load and Run.
type Service struct {
	DB       *store.DB
	Post     Poster
	Alarms   Alarms
	Folk     Folk
	Officers Officers
	Village  func() Village
	Rights   Rights
	Actor    func(people.ID) (people.Actor, bool) // who somebody is now, without his session
	Key      string                               // public key of push, for browsers; "" for no push
	Trusted  bool                                 // push services at private addresses may enrol
	Secret   []byte                               // signs tokens
	Hook     string                               // URL of a program that hears of alarms; "" for none
	Gateway  []byte                               // what gateways sign their callbacks with; nil for no gateway
	Readier  func(g place.GroupID)                // told when a home's phones changed; may be nil
	Now      func() time.Time
	Log      *slog.Logger

	mu     sync.Mutex
	phones map[people.ID][]Phone // newest last
	wishes map[people.ID]Wish
	owner  map[string]people.ID // whose phone an id is
	cases  map[string]*called
	stale  bool // memory may hold less than the disk
	queue  queue
}

// called is what was done for one case. Service.mu guards it.
type called struct {
	pushed, all, spread, over bool
	opened, ended             bool                             // the program was told
	homes                     map[line]map[string]notify.State // by key of the message
	told                      map[line]Delivery
	since                     time.Time
}

// line is one home, by one way.
type line struct {
	home place.HomeID
	via  notify.Channel
}

// queue holds what is to be done, off the path of the sirens.
type queue struct {
	mu    sync.Mutex
	jobs  []func(context.Context)
	wake  chan struct{}
	ready sync.Once
}

func (q *queue) init() { q.ready.Do(func() { q.wake = make(chan struct{}, 1) }) }

func (q *queue) add(job func(context.Context)) {
	q.init()
	q.mu.Lock()
	q.jobs = append(q.jobs, job)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() []func(context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	jobs := q.jobs
	q.jobs = nil
	return jobs
}

// lookAgain is how often phones are looked at: who is due for a probe, whose
// probe did not arrive.
const lookAgain = 10 * time.Second

// Run makes the calls and keeps the probes, until ctx ends.
func (v *Service) Run(ctx context.Context) {
	v.queue.init()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		for _, job := range v.queue.take() {
			job(ctx)
		}
		select {
		case <-v.queue.wake:
		case <-tick.C:
			v.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Called makes the calls of one step. It returns at once.
func (v *Service) Called(c Case, t Target) {
	v.queue.add(func(context.Context) { v.call(c, t) })
}

// Changed looks whether more must be called because of how c is now. It returns at
// once.
func (v *Service) Changed(c Case) {
	v.queue.add(func(context.Context) { v.follow(c) })
}

// Told hears what became of a message. It returns at once.
func (v *Service) Told(m notify.Message, s notify.State) {
	v.queue.add(func(ctx context.Context) { v.noted(ctx, m, s) })
}

// caseOf is what is remembered of a case. v.mu is held.
func (v *Service) caseOf(id string) *called {
	if v.cases == nil {
		v.cases = map[string]*called{}
	}
	k := v.cases[id]
	if k == nil {
		k = &called{homes: map[line]map[string]notify.State{}, told: map[line]Delivery{}, since: v.Now()}
		v.cases[id] = k
	}
	return k
}

// PhonesOf lists somebody's phones.
func (v *Service) PhonesOf(id people.ID) []Phone {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Phone(nil), v.phones[id]...)
}

// langOf is the language that somebody's newest phone speaks.
func (v *Service) langOf(id people.ID) say.Lang {
	if all := v.PhonesOf(id); len(all) > 0 {
		return all[len(all)-1].Lang
	}
	return say.Vietnamese
}
