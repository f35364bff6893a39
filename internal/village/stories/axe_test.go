package stories

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// inspection is what was found on a walk through every screen in one look. It is
// made once and read by several stories.
type inspection struct {
	name        string
	phone, desk look
	noAxe       bool // what axe says of this look it said of another
	once        sync.Once
	whole       bool // the walk came to its end
	screens     int
	axe         findings
	targets     findings
	text        findings
}

// findings are what is wrong, each with the screens on which it is.
type findings map[string][]string

func (f *findings) add(what, screen string) {
	if *f == nil {
		*f = findings{}
	}
	if !slices.Contains((*f)[what], screen) {
		(*f)[what] = append((*f)[what], screen)
	}
}

// report fails the test with every finding.
func (f findings) report(t *testing.T) {
	t.Helper()
	for _, what := range slices.Sorted(maps.Keys(f)) {
		t.Errorf("%s. On: %s", what, strings.Join(f[what], "; "))
	}
}

// looks are the ways to look at Keng that are inspected.
var looks = []*inspection{
	{name: "day", phone: phone, desk: desk},
	{name: "night", phone: phone.atNight(), desk: desk.atNight()},
	{name: "large letters, small phone", phone: look{wide: 320, high: 568, finger: true, large: true}, desk: look{wide: 1280, high: 720}},
	{name: "letters twice the size, small phone", phone: look{wide: 320, high: 568, finger: true, before: doubled}, desk: look{wide: 1920, high: 1080}.atNight(), noAxe: true},
}

// doubled is a browser whose letters were set to twice the size.
const doubled = `addEventListener('DOMContentLoaded',()=>{const s=new CSSStyleSheet();s.replaceSync(':root{font-size:'+2*parseFloat(getComputedStyle(document.documentElement).fontSize)+'px!important}');document.adoptedStyleSheets.push(s)});`

// of walks through every screen, or returns what was found before.
func (i *inspection) of(t *testing.T) *inspection {
	t.Helper()
	i.once.Do(func() {
		source := axeSource(t)
		walk(t, i.phone, i.desk, func(name string, p *person) {
			i.screens++
			i.look(name, p, source)
		})
		i.whole = true
	})
	if !i.whole {
		t.Fatal("the walk through the screens did not come to its end")
	}
	t.Logf("%d screens", i.screens)
	return i
}

func (i *inspection) look(name string, p *person, axeSource string) {
	p.t.Helper()
	least := 56.0
	if !p.look.finger {
		least = 32
	}
	for _, x := range value[[]string](p, fmt.Sprintf("(%s)(%v,%v)", controls, least, p.look.finger)) {
		i.targets.add(x, name)
	}
	for _, x := range value[[]string](p, "("+clipped+")("+fmt.Sprint(p.look.finger)+")") {
		i.text.add(x, name)
	}
	if i.noAxe {
		return
	}
	p.wholePage(func() {
		for _, f := range axe(p, axeSource) {
			i.axe.add(fmt.Sprintf("%s (%s), %d times, such as %.200s: %.300s", f.ID, f.Impact, len(f.Nodes), f.Nodes[0].HTML, strings.Join(strings.Fields(f.Nodes[0].FailureSummary), " ")), name)
		}
	})
}

// wholePage makes a phone as long as the page while f runs: a bar that sticks to
// the bottom covers nothing then that could not be scrolled to.
func (p *person) wholePage(f func()) {
	p.t.Helper()
	if !p.look.finger {
		f()
		return
	}
	size := func(high int64) {
		call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: p.look.wide, Height: high, DeviceScaleFactor: 2, Mobile: true})
		p.still()
	}
	high := value[int64](p, `Math.max(innerHeight,document.documentElement.scrollHeight,...[...document.querySelectorAll('dialog[open],.incoming,.ibody')].map(e=>Math.ceil(e.scrollHeight*1.1)+160))`)
	size(min(high, 6000))
	if later := value[int64](p, `document.documentElement.scrollHeight`); later > high { // more has come
		size(min(later, 6000))
	}
	f()
	size(p.look.high)
}

// axePath is where the web's own development tools lie.
const axePath = "../../../web/node_modules/axe-core/axe.min.js"

// finding is one rule that a page breaks.
type finding struct {
	ID, Impact string
	Nodes      []struct{ HTML, FailureSummary string }
}

// axe asks axe-core about the screen: WCAG 2.2 A and AA and what is good practice.
func axe(p *person, source string) []finding {
	p.t.Helper()
	p.do(`if(!window.axe){` + source + `}`)
	return value[[]finding](p, `axe.run(document,{runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice'],resultTypes:['violations']}).then(r=>r.violations.map(v=>({ID:v.id,Impact:v.impact,Nodes:v.nodes.map(n=>({HTML:n.html,FailureSummary:n.failureSummary}))})))`)
}

func axeSource(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatalf("axe-core is not there: run make web (%v)", err)
	}
	return string(b)
}

// Day and night, small letters and large: nothing on any screen that a person who
// sees, hears or moves otherwise would stumble over.
func TestAxeFindsNothingSerious(t *testing.T) {
	for _, l := range looks {
		if l.noAxe {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			l.of(t).axe.report(t)
		})
	}
}

// An axe that finds nothing on a broken page would find nothing anywhere.
func TestAxeFindsWhatIsBroken(t *testing.T) {
	p := arrive(t, play(t, noOptions), "somebody", phone).signIn("member")
	p.do(`{const b=document.createElement('button');b.style.cssText='color:#ccc;background:#fff';document.querySelector('main').append(b)}`)
	for _, f := range axe(p, axeSource(t)) {
		if f.ID == "button-name" {
			return
		}
	}
	t.Error("a button without a name is not found")
}
