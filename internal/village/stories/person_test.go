package stories

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/internal/village/stage"
)

// patience is the longest that a screen may take to show something. Machines that
// do ten things at once are slow; what is quick is measured, not asserted.
const patience = 30 * time.Second

// look is one way to look at Keng.
type look struct {
	wide, high int64 // CSS pixels
	finger     bool  // a phone: touch, twice the pixels
	night      bool
	large      bool   // the app's own large text
	before     string // script that runs before every page
}

var (
	phone = look{wide: 360, high: 780, finger: true}
	desk  = look{wide: 1440, high: 900}
)

// atNight is l in the dark.
func (l look) atNight() look { l.night = true; return l }

// person is somebody with a browser of his own.
type person struct {
	*watch
	t     *testing.T
	name  string
	stage *stage.Stage
	look  look
	ctx   context.Context
	leave func()
}

// arrive is somebody who opens a browser at Keng's stage. He leaves when the story
// ends; what his browser complained about by then fails it.
func arrive(t *testing.T, s *stage.Stage, name string, l look) *person {
	t.Helper()
	return tab(t, s, name, l, chromedp.WithNewBrowserContext())
}

// tab opens one more tab of the same person.
func (p *person) tab() *person {
	p.t.Helper()
	return tab(p.t, p.stage, p.name+"'s other tab", p.look, chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
}

func tab(t *testing.T, s *stage.Stage, name string, l look, home chromedp.ContextOption) *person {
	t.Helper()
	p := &person{watch: &watch{}, t: t, name: name, stage: s, look: l}
	p.ctx, p.leave = chromedp.NewContext(theBrowser(t).ctx, home, chromedp.WithListener(p.listen))
	t.Cleanup(p.end)
	if err := chromedp.Do(p.ctx); err != nil { // opens the tab, which lives as long as p.ctx
		t.Fatal(err)
	}
	scale := 1.0
	if l.finger {
		scale = 2
	}
	call(p, network.Enable, network.EnableParams{})
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.wide, Height: l.high, DeviceScaleFactor: scale, Mobile: l.finger})
	call(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: l.finger})
	scheme, theme := "light", "day"
	if l.night {
		scheme, theme = "dark", "night"
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	large := map[bool]string{true: "1"}[l.large]
	call(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf("try{localStorage.setItem('keng.desk.theme',%q);localStorage.setItem('keng_large',%q)}catch{}\n%s", theme, large, l.before),
	})
	return p
}

// call sends a command to the person's browser.
func call[P, R any](p *person, cmd cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, cmd.Method, err)
	}
	return r
}

// end closes the tab and tells what the browser complained about.
func (p *person) end() {
	if p.t.Failed() {
		p.keep()
	}
	for _, x := range p.take() {
		p.t.Errorf("%s's browser: %s", p.name, x)
	}
	p.leave()
}

// keep leaves a picture of the screen where the test's artifacts go.
func (p *person) keep() {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return
	}
	file := filepath.Join(p.t.ArtifactDir(), strings.ReplaceAll(p.name, " ", "-")+".png")
	if err := os.WriteFile(file, png, 0o600); err == nil {
		p.t.Logf("%s's screen: %s", p.name, file)
	}
}

func (p *person) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// signIn plays somebody of the cast: "member", "desk".
func (p *person) signIn(key string) *person {
	p.t.Helper()
	p.open("/demo/as/" + key)
	p.atHome()
	return p
}

// accept opens an invite as a link in a message does, and accepts it.
func (p *person) accept(path string) *person {
	p.t.Helper()
	p.open(path)
	p.tap("form button.big")
	p.tap("#later")
	p.atHome()
	return p
}

// atHome waits for the person's own first screen.
func (p *person) atHome() {
	p.t.Helper()
	p.until("a first screen", `!!document.querySelector('#gong,.incoming,.sent,.cols')`)
}

func (p *person) open(path string) {
	p.t.Helper()
	p.run(chromedp.Navigate(p.stage.URL() + path))
}

func (p *person) reload() {
	p.t.Helper()
	p.run(chromedp.Reload())
}

// value is what a script says; a promise is awaited.
func value[T any](p *person, script string) T {
	p.t.Helper()
	var v T
	if err := p.eval(script, &v); err != nil {
		p.t.Fatalf("%s: %v: %.200s", p.name, err, script)
	}
	return v
}

func (p *person) eval(script string, into any) error {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	yes := true
	got, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script, AwaitPromise: &yes, ReturnByValue: &yes})
	if err != nil {
		return err
	}
	if d := got.ExceptionDetails; d != nil {
		return fmt.Errorf("%s %s", d.Text, words([]*runtime.RemoteObject{d.Exception}))
	}
	if into == nil || len(got.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(got.Result.Value, into)
}

// do lets the page run a script and drops what it says.
func (p *person) do(script string) {
	p.t.Helper()
	if err := p.eval(script+";undefined", nil); err != nil {
		p.t.Fatalf("%s: %v: %.200s", p.name, err, script)
	}
}

// until waits until a script says true. A page that is just changing is asked again.
func (p *person) until(what, script string) {
	p.t.Helper()
	if !p.soon(patience, script) {
		p.t.Fatalf("%s waited in vain for %s; on the screen is: %s", p.name, what, p.screen())
	}
}

// soon reports whether a script says true within d.
func (p *person) soon(d time.Duration, script string) bool {
	ctx, cancel := context.WithTimeout(p.ctx, d)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		if err := p.eval("(async()=>!!(await ("+script+")))()", &yes); err == nil && yes {
			return true
		} else if err != nil && errors.Is(err, context.Canceled) {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// screen is what stands on the screen, in one line.
func (p *person) screen() string {
	var text string
	_ = p.eval(`location.pathname+': '+document.body.innerText.replace(/\s+/g,' ').slice(0,900)`, &text)
	return text
}

// quoted is s as a script writes it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string can always be written
	return string(b)
}

// shown is a script that says whether the element can be seen.
func shown(sel string) string {
	return `[...document.querySelectorAll(` + quoted(sel) + `)].some(e=>e.checkVisibility({visibilityProperty:true,opacityProperty:true})&&e.getClientRects().length>0)`
}

// sees waits for an element.
func (p *person) sees(sel string) { p.t.Helper(); p.until(sel, shown(sel)) }

// seesNo waits until there is no such element.
func (p *person) seesNo(sel string) { p.t.Helper(); p.until("no "+sel, "!("+shown(sel)+")") }

// reads waits for an element with such a text.
func (p *person) reads(sel, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s that says %q", sel, text), `[...document.querySelectorAll(`+quoted(sel)+`)].some(e=>e.getClientRects().length>0&&e.innerText?.replace(/\s+/g,' ').includes(`+quoted(text)+`))`)
}

// text is what the element says now.
func (p *person) text(sel string) string {
	p.t.Helper()
	return value[string](p, `document.querySelector(`+quoted(sel)+`)?.innerText.replace(/\s+/g,' ')??''`)
}

func (p *person) count(sel string) int {
	p.t.Helper()
	return value[int](p, `document.querySelectorAll(`+quoted(sel)+`).length`)
}

// point is the middle of an element once it stands still and nothing covers it.
func (p *person) point(sel string) (x, y float64) {
	p.t.Helper()
	p.sees(sel)
	type spot struct {
		X, Y  float64
		Cover string
	}
	var s spot
	for try := range 50 {
		s = value[spot](p, `(async()=>{
			const frame=()=>new Promise(r=>requestAnimationFrame(r)),find=()=>[...document.querySelectorAll(`+quoted(sel)+`)].find(e=>e.getClientRects().length>0)
			await Promise.all(document.getAnimations().filter(a=>a.playState==='running'&&a.effect.getComputedTiming().iterations!==Infinity).map(a=>a.finished.catch(()=>0)))
			let e=find(),r=e?.getBoundingClientRect()
			if(e&&(`+fmt.Sprint(try > 0)+`||r.top<0||r.bottom>innerHeight)) e.scrollIntoView({block:'center',behavior:'instant'})
			for(let n=0;e&&n<60;n++){await frame();e=find();const q=e?.getBoundingClientRect();if(q&&q.x===r.x&&q.y===r.y&&q.width===r.width&&n>0) break;r=q}
			if(!e) return {X:0,Y:0,Cover:'gone'}
			const x=r.x+r.width/2,y=r.y+r.height/2,hit=document.elementFromPoint(x,y)
			return {X:x,Y:y,Cover:hit&&(e.contains(hit)||hit.closest('label')?.contains(e))?'':(hit?.outerHTML??'nothing').slice(0,160)}
		})()`)
		if s.Cover == "" {
			return s.X, s.Y
		}
	}
	p.t.Fatalf("%s cannot touch %s: it is covered by %s", p.name, sel, s.Cover)
	return 0, 0
}

// down puts a finger, or the mouse, on an element; the answer lifts it.
func (p *person) down(sel string) (up func()) {
	p.t.Helper()
	x, y := p.point(sel)
	if p.look.finger {
		call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}})
		return func() {
			p.t.Helper()
			call(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}})
		}
	}
	mouse := func(what input.DispatchMouseEventType) {
		call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: what, X: x, Y: y, Button: "left", ClickCount: 1})
	}
	call(p, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y})
	mouse(input.DispatchMouseEventTypeMousePressed)
	return func() { p.t.Helper(); mouse(input.DispatchMouseEventTypeMouseReleased) }
}

// tap is a short touch or click on an element.
func (p *person) tap(sel string) { p.t.Helper(); p.down(sel)() }

// holdGong holds the gong until the screen shows that it rang or waits to.
func (p *person) holdGong() {
	p.t.Helper()
	up := p.down("#gong")
	p.until("the alarm after two seconds", shown(".sent"))
	up()
}

// key hits one key as a keyboard does: a letter, a sign, or a key by its name. What
// the page does with it, it may keep from being typed.
func (p *person) key(k string) {
	p.t.Helper()
	e := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: k, Code: k}
	if len(k) == 1 {
		e.Text = k
		e.Code = "Key" + strings.ToUpper(k)
	} else if k == "Escape" {
		e.WindowsVirtualKeyCode = 27
	}
	call(p, input.DispatchKeyEvent, e)
	e.Type, e.Text = input.DispatchKeyEventTypeKeyUp, ""
	call(p, input.DispatchKeyEvent, e)
}

// types writes into a field.
func (p *person) types(sel, text string) {
	p.t.Helper()
	p.tap(sel)
	p.until("the focus in "+sel, `document.activeElement?.matches(`+quoted(sel)+`)`)
	call(p, input.InsertText, input.InsertTextParams{Text: text})
}

// still waits until all of the page is there and nothing moves that will come to
// rest by itself.
func (p *person) still() {
	p.t.Helper()
	p.until("a calm picture", `document.readyState==='complete'&&document.fonts.status==='loaded'&&document.getAnimations().every(a=>a.playState!=='running'||a.effect.getComputedTiming().iterations===Infinity)`)
}

// offline takes the network away from this person alone, or gives it back.
func (p *person) offline(yes bool) {
	p.t.Helper()
	if yes {
		p.cutting()
	}
	call(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1})
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		EmulateOfflineServiceWorker: &yes, MatchedNetworkConditions: []*network.Conditions{{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}},
	})
}

// containsAny reports whether s holds one of the words.
func containsAny(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// contextOf bounds what the person's browser is asked.
func contextOf(p *person) (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, patience)
}
