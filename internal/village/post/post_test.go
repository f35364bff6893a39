package post_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/notify"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/village/post"
)

// rig is a notify service with the world outside.
type rig struct {
	t       *testing.T
	dsn     string
	db      *store.DB
	commit  *store.Committer
	notify  *notify.Service
	key     *notify.Key
	service *post.Service
	gateway *post.Gateway

	mu   sync.Mutex
	told map[string][]notify.State
	no   func(notify.Message) bool
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	key, err := notify.OpenKey(filepath.Join(t.TempDir(), notify.KeyFile), "mailto:truc@example.vn")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dsn: dsn, key: key, told: map[string][]notify.State{}}
	if r.service, err = post.Open(key.Public()); err != nil {
		t.Fatal(err)
	}
	if r.gateway, err = post.OpenGateway("tell nobody"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.stop()
		r.service.Close()
		r.gateway.Close()
		for _, c := range append(r.service.Complaints(), r.gateway.Complaints()...) {
			t.Errorf("complaint: %s", c)
		}
	})
	r.start()
	return r
}

func (r *rig) start() {
	r.t.Helper()
	db, err := store.Open(r.t.Context(), r.dsn)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := db.Migrate(r.t.Context(), notify.Migrations); err != nil {
		r.t.Fatal(err)
	}
	r.db, r.commit = db, store.NewCommitter(db, nil)
	g := notify.Gateway{URL: r.gateway.URL(), Secret: []byte("tell nobody")}
	r.notify = notify.New(notify.Options{
		DB: db, Journal: r.commit, Now: now, Push: r.key, PushNear: true, SMS: g, Voice: g,
		Wanted: func(m notify.Message) bool { return r.no == nil || !r.no(m) },
		Told: func(m notify.Message, s notify.State) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told[m.Key] = append(r.told[m.Key], s)
		},
		Limits: notify.Limits{Young: 100 * time.Millisecond, Within: 500 * time.Millisecond, Rest: 100 * time.Millisecond},
	})
	if err := r.notify.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	ctx := context.WithoutCancel(r.t.Context())
	if err := r.notify.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.commit.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.db.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) phone() *post.Phone {
	r.t.Helper()
	p, err := r.service.Phone()
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func push(p *post.Phone, key string) notify.Message {
	p256dh, auth := p.Keys()
	m := notify.Message{Key: key, Channel: notify.Push, Topic: "i1", Person: "p-1", To: p.Endpoint(), Secret: p256dh + " " + auth, Until: now().Add(5 * time.Minute)}
	m.Body = fmt.Sprintf(`{"id":%q,"title":"CHÁY – Nhà số 10"}`, m.ID())
	return m
}

func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (r *rig) state(m notify.Message, want notify.State) {
	r.t.Helper()
	r.until(m.Key+" is "+string(want), func() bool { return r.notify.State(m.Key) == want })
}

func TestPushIsSealedVouchedAndBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		p, q := r.phone(), r.phone()
		m, long := push(p, "i1/push/p-1"), push(q, "i1/push/p-2")
		long.Body = fmt.Sprintf(`{"id":%q,"body":%q}`, long.ID(), strings.Repeat("ă", 900))
		if n := r.notify.Post(m, long, m); n != 2 {
			t.Errorf("posted %d, want 2", n)
		}
		d, err := p.Await(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		e, err := q.Await(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if string(d.Text) != m.Body || string(e.Text) != long.Body {
			t.Errorf("got %q, want %q", d.Text, m.Body)
		}
		if d.Size != e.Size {
			t.Errorf("bodies of %d and %d bytes: the push service learns which is longer", d.Size, e.Size)
		}
		if d.Urgency != "high" || d.TTL > 300 || d.TTL < 290 || len(d.Topic) != 32 || strings.Contains(d.Topic, "i1") {
			t.Errorf("headers: %+v", d)
		}
		r.state(m, notify.Accepted)
		if r.notify.Post(m) != 0 {
			t.Error("the same key was posted twice")
		}
	})
}

// TestOneBadReceiverDelaysNobody: among phones that hang, fail, cut, flood and
// are gone, the others get their message at once.
func TestOneBadReceiverDelaysNobody(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	moods := []post.Mood{
		{Slow: time.Hour}, {Status: http.StatusNotFound}, {Status: http.StatusGone}, {Status: http.StatusTooManyRequests, Wait: 1, Times: 1},
		{Status: http.StatusInternalServerError, Times: 1}, {Cut: true, Times: 1}, {Huge: true, Times: 1}, {Status: http.StatusForbidden}, {Status: http.StatusFound},
	}
	want := []notify.State{"", notify.Gone, notify.Gone, notify.Accepted, notify.Accepted, notify.Accepted, notify.Accepted, notify.Failed, notify.Failed}
	var all []notify.Message
	var good []*post.Phone
	for k := range 200 {
		p := r.phone()
		if k < 2*len(moods) { // the bad ones first
			p.Be(moods[k%len(moods)])
		} else {
			good = append(good, p)
		}
		all = append(all, push(p, fmt.Sprintf("i1/push/%d", k)))
	}
	r.notify.Post(all...)
	for _, p := range good {
		if _, err := p.Await(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	for k, w := range want {
		if w != "" {
			r.state(all[k], w)
		}
	}
	if s := r.notify.State(all[0].Key); s != notify.Sent {
		t.Errorf("who hangs is %s, want sent", s)
	}
}

// TestHostThatOnlyFailsIsLeftAlone: the breaker opens, then one tries, and when it
// is well again everything is sent.
func TestHostThatOnlyFailsIsLeftAlone(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	r.gateway.Be(post.Mood{Status: http.StatusServiceUnavailable, Times: 12})
	var all []notify.Message
	for k := range 200 {
		all = append(all, notify.Message{Key: fmt.Sprint("sms/", k), Channel: notify.SMS, To: fmt.Sprintf("+8490000%04d", k), Body: "Cháy", Until: now().Add(time.Minute)})
	}
	r.notify.Post(all...)
	p := r.phone()
	r.notify.Post(push(p, "other host"))
	if _, err := p.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	r.until("every SMS went out", func() bool { return len(r.gateway.Orders()) == len(all) })
	if n := r.gateway.Again(); n != 0 {
		t.Errorf("%d orders came twice", n)
	}
}

// TestNotWantedAnyMoreIsNotSent: who answered meanwhile is not called.
func TestNotWantedAnyMoreIsNotSent(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	r.no = func(m notify.Message) bool { return m.Person == "p-answered" }
	m := notify.Message{Key: "k", Channel: notify.Voice, Person: "p-answered", To: "+84900000001", Body: "Cháy", Until: now().Add(time.Minute)}
	r.notify.Post(m)
	r.state(m, notify.Withdrawn)
	if len(r.gateway.Orders()) != 0 {
		t.Error("a home that answered was called")
	}
}

// TestRestartGoesOnWhereItStopped: what was accepted is not sent again, what was
// not is, under the same id; and nothing of what it said is left.
func TestRestartGoesOnWhereItStopped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		done, stuck := r.phone(), r.phone()
		stuck.Be(post.Mood{Status: http.StatusServiceUnavailable})
		a, b := push(done, "i1/push/done"), push(stuck, "i1/push/stuck")
		r.notify.Post(a, b)
		r.state(a, notify.Accepted)
		r.until("it was tried", func() bool { return stuck.Calls() > 0 })
		r.stop()
		stuck.Be(post.Mood{})
		r.start()
		if n := r.notify.Post(a, b); n != 0 {
			t.Errorf("%d of two known keys were taken as new", n)
		}
		d, err := stuck.Await(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if d.ID != b.ID() {
			t.Errorf("id %s, want %s", d.ID, b.ID())
		}
		r.state(b, notify.Accepted)
		if n := len(done.Got()); n != 1 {
			t.Errorf("the one that was done got %d messages", n)
		}
		r.until("it is written", func() bool {
			p, ok, err := r.notify.Find(t.Context(), b.ID())
			return err == nil && ok && p.State == notify.Accepted
		})
		if left := dump(t, r.db); strings.Contains(left, "CHÁY") || strings.Contains(left, done.Endpoint()) {
			t.Errorf("what was said is still written down: %s", left)
		}
	})
}

func dump(t *testing.T, db *store.DB) string {
	t.Helper()
	var all strings.Builder
	rows, err := db.Read().QueryContext(t.Context(), `SELECT key, topic, person, state, body FROM notify_message`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f [5]sql.NullString
		if err := rows.Scan(&f[0], &f[1], &f[2], &f[3], &f[4]); err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintln(&all, f)
	}
	return all.String()
}

// TestStuckDiskDelaysNoMessage: nothing can be written, and the phone rings all the same.
func TestStuckDiskDelaysNoMessage(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	hold := make(chan struct{})
	defer close(hold)
	r.commit.Do(func(context.Context, *store.Batch) error { <-hold; return nil }, func(error) {})
	p := r.phone()
	r.notify.Post(push(p, "k"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := p.Await(ctx, 1); err != nil {
		t.Error(err)
	}
}

// TestMessageThatWouldComeTooLateFailsAtOnce: who must wait longer than the
// message is of use is known as not reached now, not in five minutes.
func TestMessageThatWouldComeTooLateFailsAtOnce(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	p := r.phone()
	p.Be(post.Mood{Status: http.StatusTooManyRequests, Wait: 3600})
	m := push(p, "k")
	r.notify.Post(m)
	r.state(m, notify.Failed)
	r.mu.Lock()
	defer r.mu.Unlock()
	if want := []notify.State{notify.Sent, notify.Failed}; !slices.Equal(r.told[m.Key], want) {
		t.Errorf("told %v, want %v", r.told[m.Key], want)
	}
}

func TestGatewayGetsWhatTheContractSays(t *testing.T) {
	r := newRig(t, filepath.Join(t.TempDir(), "keng.db"))
	m := notify.Message{Key: "k", Channel: notify.Voice, To: "+84900000001", Body: "Cháy ở nhà số 10", Until: now().Add(time.Minute)}
	r.notify.Post(m)
	o, err := r.gateway.Await(t.Context(), "voice", "+84900000001")
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := json.Marshal(o.Keys)
	if o.ID != m.ID() || o.Text != m.Body || string(keys) != `{"1":"safe","2":"coming","9":"need_help"}` || !o.Until.Equal(m.Until) {
		t.Errorf("order %+v", o)
	}
	r.state(m, notify.Accepted)
}
