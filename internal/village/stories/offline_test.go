package stories

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/village/stage"
)

// posts lets through everything that does not raise an alarm.
func raises(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/v1/incidents"
}

// An alarm pressed without a network is kept, says what to do meanwhile, survives
// a reload, and goes out once when the network is back.
func TestOfflinePressGoesOutOnce(t *testing.T) {
	s := play(t, stage.Options{})
	p := arrive(t, s, "the presser", phone).signIn("member")
	p.shellKept()
	p.offline(true)
	s.Door.Shut() // the browser's own word for it does not reach every worker in time
	p.holdGong()
	p.reads("[data-testid=queued]", "Chưa có mạng")
	p.sees(`[data-testid=queued] a[href="tel:114"]`)
	sms := value[string](p, `document.querySelector('[data-testid=sms]').href`)
	if !strings.HasPrefix(sms, "sms:+849") || !strings.Contains(sms, "%C4%90") && !strings.Contains(sms, "body=B") {
		t.Errorf("the message is %q", sms)
	}
	nothingRang(t, s)

	p.reload()
	p.reads("[data-testid=queued]", "Chưa có mạng")
	nothingRang(t, s)

	before := time.Now()
	if err := s.Door.Open(); err != nil {
		t.Fatal(err)
	}
	p.offline(false)
	p.sees(".sent[data-incident]")
	t.Logf("on the screen %v after the network came back", time.Since(before).Round(time.Millisecond))
	p.reads(".sent", "Kẻng đã vang")
	sirens(t, s, "g1", 7)
	p.heartbeat() // whatever else would go out has gone
	i := theIncident(t, s)
	if len(i.Origins) != 1 || i.Origins[0].Home != "g1-h3" {
		t.Errorf("origins %+v", i.Origins)
	}
	for _, e := range i.Timeline {
		if e.Key == "event.pressed_again" {
			t.Error("the press went out twice")
		}
	}
}

// shellKept waits until the phone could open without a server.
func (p *person) shellKept() {
	p.t.Helper()
	p.until("a service worker that keeps the page", `navigator.serviceWorker.ready.then(async r=>r.active?.state==='activated'&&!!navigator.serviceWorker.controller&&!!(await caches.match('/')))`)
}

// heartbeat waits for the next sign of life of the server.
func (p *person) heartbeat() {
	p.t.Helper()
	value[bool](p, `new Promise(ok=>{const e=new EventSource('/api/v1/stream');e.addEventListener('ping',()=>{e.close();ok(true)})})`)
}

// Twenty alarms over a line that breaks at random: before Keng hears of the press,
// after it did but before it could say so, in the middle of its answer.
func TestPressIsNeverLostOrDoubledWhenTheLineBreaks(t *testing.T) {
	const presses = 20
	s := play(t, stage.Options{})
	p := arrive(t, s, "the presser", phone).signIn("member")
	p.cutting()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	var mu sync.Mutex
	var plan []stage.Fate // of the next tries
	cuts := map[stage.Fate]int{}
	s.Door.Decide(func(r *http.Request) stage.Fate {
		mu.Lock()
		defer mu.Unlock()
		if !raises(r) || len(plan) == 0 {
			return stage.Pass
		}
		f := plan[0]
		plan = plan[1:]
		cuts[f]++
		return f
	})
	for n := range presses {
		mu.Lock()
		plan = plan[:0]
		for range 1 + rng.IntN(2) {
			plan = append(plan, stage.LoseAsk+stage.Fate(rng.IntN(3)))
		}
		tries := append([]stage.Fate{}, plan...)
		mu.Unlock()
		p.do(`document.querySelector('#gong').click()`)
		p.tap("[data-testid=ask-yes]")
		p.sees(".sent[data-incident]")
		list := incidents(t, s)
		if len(list) != n+1 {
			t.Fatalf("press %d, cut %v: %d incidents", n+1, tries, len(list))
		}
		if i := list[n]; len(i.Origins) != 1 || len(i.Timeline) != 1 {
			t.Errorf("press %d, cut %v: heard more than once: %+v", n+1, tries, i.Timeline)
		}
		p.tap("[data-testid=call-off]")
		p.tap("[data-testid=past-done]")
		p.sees("#gong")
	}
	t.Logf("%d presses; cut before Keng heard %d, after it heard %d, in the middle of the answer %d", presses, cuts[stage.LoseAsk], cuts[stage.LoseReply], cuts[stage.TearReply])
}
