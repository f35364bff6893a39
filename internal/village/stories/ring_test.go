package stories

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/app"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/reach"
	"github.com/keng-vn/keng/internal/village/post"
	"github.com/keng-vn/keng/internal/village/stage"
)

// An alarm reaches a phone on which Kẻng is closed: sealed by the server, opened
// as a phone does, shown by the service worker, received and answered from the
// lock screen, also by somebody who was signed out meanwhile.
func TestClosedPhoneRingsAndAnswers(t *testing.T) {
	s := play(t, stage.Options{Outside: app.Outside{PushPrivate: true}})
	outside, err := post.Open(s.App().Reach.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(outside.Close)
	p := arrive(t, s, "the sleeper", phone).signIn("member")
	p.shellKept()
	p.allow("notifications")
	registrations := p.registrations()
	mine := subscribe(t, s, outside, person2(t, s, "g1-h3"))

	p.provoke(404)              // favicon.ico of a bare page
	p.open("/api/openapi.json") // Kẻng is closed: no page of it is open
	press(t, s, "g1-h1")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d, err := mine.Await(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.deliver(registrations(), string(d.Text))
	type shownNote struct{ Title, Body, Tag, Actions string }
	notes := func() []shownNote {
		return value[[]shownNote](p, `navigator.serviceWorker.getRegistration('/').then(r=>r.getNotifications()).then(l=>l.map(n=>({Title:n.title,Body:n.body,Tag:n.tag,Actions:n.actions.map(a=>a.title).join()})))`)
	}
	p.until("a notification", `navigator.serviceWorker.getRegistration('/').then(r=>r.getNotifications()).then(l=>l.length===1)`)
	if n := notes(); !strings.Contains(n[0].Title, "Nhà bà Bùi Thị Lan") || !strings.Contains(n[0].Body, "Số 6, ngõ 12") || !strings.HasPrefix(n[0].Actions, "Đang đến,An toàn") {
		t.Errorf("on the lock screen: %+v", n)
	}
	i := theIncident(t, s)
	rolled(t, s, "the phone has it", func(r alarm.RollView) bool { return r.Contact == alarm.PhoneReceived && r.Delivery == alarm.Arrived })

	p.deliver(registrations(), string(d.Text)) // the server crashed and sent it again
	if n := notes(); len(n) != 1 {
		t.Errorf("the same message stands there %d times", len(n))
	}
	// Nobody can tap a notification by DevTools: what a tap does is in web/test/sw.test.mjs;
	// here the answer goes out with the token that the phone was sent, signed out.
	status := value[int](p, `navigator.serviceWorker.getRegistration('/').then(r=>r.getNotifications()).then(([n])=>fetch('/v1/answers',{method:'POST',credentials:'omit',headers:{'content-type':'application/json'},body:JSON.stringify({token:n.data.answer,answer:'coming'})})).then(r=>r.status)`)
	if status != http.StatusNoContent {
		t.Errorf("the answer was answered %d", status)
	}
	rolled(t, s, "the home is coming", func(r alarm.RollView) bool { return r.Answer == alarm.Coming && r.By == "Nguyễn Văn Bình" })
	if again := theIncident(t, s); again.ID != i.ID {
		t.Errorf("another incident: %s", again.ID)
	}
	for _, c := range outside.Complaints() {
		t.Errorf("complaint: %s", c)
	}
}

// A phone that cannot be called says so, with what to do; one that was measured
// says after how many seconds it rang.
func TestPhoneSaysWhetherItRings(t *testing.T) {
	s := play(t, stage.Options{Outside: app.Outside{PushPrivate: true}})
	p := arrive(t, s, "somebody", phone).signIn("member")
	p.shellKept()
	p.tap("[data-testid=tab-more]")
	p.reads("[data-testid=ring]", "Bật chuông báo động")
	p.shot("ring-off")
	p.allow("notifications")
	p.tap("[data-testid=ring-on]") // this Chromium has no push service
	p.sees("[data-testid=ring][data-state=no_service]")
	p.reads("[data-testid=ring]", "không nối được dịch vụ nhận tin")
	p.shot("ring-no-service")
	p.take() // it says on its console that it has none
	p.until("its home to say so", `fetch('/api/v1/state').then(r=>r.json()).then(s=>s.groups[0].homes.find(h=>h.id==='g1-h3').reason.key!=='')`)

	outside, err := post.Open(s.App().Reach.Key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(outside.Close)
	who := person2(t, s, "g1-h3")
	mine := subscribe(t, s, outside, who)
	id := s.App().Reach.PhonesOf(who.Person)[0].ID
	if _, err := s.App().Reach.Probe(t.Context(), who, id); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d, err := mine.Await(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	p.deliver(p.registrations()(), string(d.Text))
	p.do(`localStorage.setItem('keng_phone',` + quoted(id) + `)`)
	if err := s.Await(t.Context(), "the probe arrived", func() (bool, string) {
		ph := s.App().Reach.PhonesOf(who.Person)[0]
		return !ph.Proven.Before(ph.Asked), string(ph.State(s.App().Now()))
	}); err != nil {
		t.Fatal(err)
	}
	p.reload()
	p.atHome()
	p.tap("[data-testid=tab-more]")
	p.reads("[data-testid=ring-seconds]", "Điện thoại này nhận sau")
	p.shot("ring-on")
}

// person2 is the first member of home h, as the server knows him.
func person2(t *testing.T, s *stage.Stage, h place.HomeID) people.Actor {
	t.Helper()
	m := s.App().Book.Home(h)[0]
	return people.Actor{Person: m.ID, Name: m.Name, Role: m.Role, Home: m.Home, Group: m.Scope.Group, Scope: m.Scope}
}

func subscribe(t *testing.T, s *stage.Stage, outside *post.Service, who people.Actor) *post.Phone {
	t.Helper()
	p, err := outside.Phone()
	if err != nil {
		t.Fatal(err)
	}
	p256dh, auth := p.Keys()
	if _, err := s.App().Reach.Enrol(t.Context(), who, reach.Phone{Endpoint: p.Endpoint(), P256dh: p256dh, Auth: auth, Lang: "vi"}, ""); err != nil {
		t.Fatal(err)
	}
	return p
}

// rolled waits until the roll-call's line of home g1-h3 is so.
func rolled(t *testing.T, s *stage.Stage, what string, ok func(alarm.RollView) bool) {
	t.Helper()
	if err := s.Await(t.Context(), what, func() (bool, string) {
		list, err := s.Incidents(t.Context())
		if err != nil || len(list) == 0 {
			return false, "no incident"
		}
		for _, r := range list[len(list)-1].Homes {
			if r.Home == "g1-h3" {
				text, _ := json.Marshal(r)
				return ok(r), string(text)
			}
		}
		return false, "no such home"
	}); err != nil {
		t.Fatal(err)
	}
}

// allow gives the page a permission, as a person does who taps Allow.
func (p *person) allow(name string) {
	p.t.Helper()
	call(p, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted, Origin: p.stage.URL(),
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
}

// registrations begins to listen for service workers; the answer is the id of the
// one that there is.
func (p *person) registrations() func() string {
	p.t.Helper()
	found := make(chan string, 64)
	if err := chromedp.Listen(p.ctx, func(e any) {
		if r, ok := e.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, x := range r.Registrations {
				if strings.HasPrefix(x.ScopeURL, p.stage.URL()) {
					select {
					case found <- string(x.RegistrationID):
					default:
					}
				}
			}
		}
	}); err != nil {
		p.t.Fatal(err)
	}
	call(p, serviceworker.Enable, cdp.Empty{})
	id := ""
	return func() string {
		p.t.Helper()
		if id == "" {
			select {
			case id = <-found:
			case <-time.After(patience):
				p.t.Fatal("no service worker")
			}
		}
		return id
	}
}

// deliver hands a push message to the service worker, as the push service does.
func (p *person) deliver(registration, text string) {
	p.t.Helper()
	call(p, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: p.stage.URL(), RegistrationID: serviceworker.RegistrationID(registration), Data: text})
}
