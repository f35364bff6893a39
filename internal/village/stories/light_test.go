package stories

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/web"
)

// Goals of the phone's page, in bytes (brotli) and megabytes. Source: design, G.
const (
	entryJS   = 25_000
	entryCSS  = 6_000
	allBefore = 35_000 // HTML, JS and CSS before the gong can be pressed
	heapMB    = 8.0
	shifts    = 0.02 // cumulative layout shift
)

// noteReady keeps when the gong can be pressed, how long scripts held up the page
// (what is over 50 ms of each task), and how far things moved by themselves.
const noteReady = `window.blocked=0;window.moved=0;new PerformanceObserver(l=>{for(const e of l.getEntries())window.blocked+=Math.max(0,e.duration-50)}).observe({type:'longtask',buffered:true});new PerformanceObserver(l=>{for(const e of l.getEntries())if(!e.hadRecentInput)window.moved+=e.value}).observe({type:'layout-shift',buffered:true});(function look(){if(document.querySelector('#gong'))requestAnimationFrame(()=>{window.ready=performance.now()});else setTimeout(look,4)})()`

// An old phone on a weak network: the page is small, holds little and stands still.
// Times depend on the machine and are told, not judged.
func TestPhoneOfAnElderIsEnough(t *testing.T) {
	s := play(t, noOptions)
	l := phone
	l.before = noteReady
	for _, c := range []struct {
		name       string
		slower     float64
		delay, bps float64 // ms; bytes per second, -1 for no limit
	}{
		{"this machine", 1, 0, -1},
		{"CPU 4 times slower, slow 3G", 4, 400, 400_000 / 8},
	} {
		p := arrive(t, s, "somebody", l).signIn("member")
		p.do(`navigator.serviceWorker.getRegistrations().then(l=>Promise.all(l.map(r=>r.unregister()))).then(()=>caches.keys()).then(l=>Promise.all(l.map(k=>caches.delete(k))))`)
		p.run(chromedp.Navigate("about:blank")) // a worker goes when nobody uses it any more
		call(p, network.ClearBrowserCache, cdp.Empty{})
		call(p, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: c.slower})
		call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: c.delay, DownloadThroughput: c.bps, UploadThroughput: c.bps}},
		})
		for _, visit := range []string{"cold", "warm"} {
			p.open("/")
			p.sees("#gong")
			m := value[struct{ Ready, Blocked, Moved float64 }](p, `new Promise(ok=>requestIdleCallback(()=>ok({Ready:window.ready,Blocked:window.blocked,Moved:window.moved})))`)
			t.Logf("%s, %s: the gong can be pressed after %.0f ms; scripts held up the page for %.0f ms", c.name, visit, m.Ready, m.Blocked)
			if m.Moved > shifts {
				t.Errorf("%s, %s: things move by %.3f, at most %.2f", c.name, visit, m.Moved, shifts)
			}
			p.shellKept()
		}
		call(p, heapprofiler.CollectGarbage, cdp.Empty{})
		heap := value[float64](p, `performance.memory.usedJSHeapSize/1048576`)
		t.Logf("%s: %.1f MB of JavaScript heap", c.name, heap)
		if heap > heapMB {
			t.Errorf("%.1f MB of heap, at most %.0f", heap, heapMB)
		}
	}
}

// What a phone must load before the gong can be pressed stays small.
func TestPageBeforeTheGongIsSmall(t *testing.T) {
	p := arrive(t, play(t, noOptions), "somebody", phone).signIn("member")
	built, err := web.Manifest(web.Files())
	if err != nil {
		t.Fatal(err)
	}
	size := func(paths ...string) (n int64) {
		for _, x := range paths {
			f, err := fs.Stat(web.Files(), x[1:]+".br")
			if err != nil {
				t.Fatal(err)
			}
			n += f.Size()
		}
		return n
	}
	js, css := size(append([]string{built.Resident.JS}, built.Resident.Pre...)...), size(built.Resident.CSS)
	html := value[int64](p, `fetch('/').then(r=>r.blob()).then(b=>new Response(b.stream().pipeThrough(new CompressionStream('gzip'))).blob()).then(b=>b.size)`)
	t.Logf("JS %d, CSS %d, HTML with the state %d bytes (gzip)", js, css, html)
	for what, over := range map[string]bool{fmt.Sprintf("JS %d B", js): js > entryJS, fmt.Sprintf("CSS %d B", css): css > entryCSS, fmt.Sprintf("all %d B", js+css+html): js+css+html > allBefore} {
		if over {
			t.Errorf("too much: %s", what)
		}
	}
}
