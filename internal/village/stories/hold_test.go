package stories

import (
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/input"

	"github.com/keng-vn/keng/internal/village/stage"
)

// noteHold keeps how long the gong was really held, by the page's own clock: a
// machine that does ten things at once lifts the finger late.
const noteHold = `{const g=document.querySelector('#gong');let since=0;for(const e of ['pointerdown','keydown'])g.addEventListener(e,x=>{if(!x.repeat)since=x.timeStamp});for(const e of ['pointerup','keyup'])g.addEventListener(e,x=>{window.heldFor=x.timeStamp-since})}`

// lets waits so long by the page's own clock, ms.
func (p *person) lets(ms int) {
	p.t.Helper()
	value[bool](p, `new Promise(ok=>setTimeout(()=>ok(true),`+strconv.Itoa(ms)+`))`)
}

// nothingRang fails when there is an incident, or a siren sounds.
func nothingRang(t *testing.T, s *stage.Stage) {
	t.Helper()
	if list := incidents(t, s); len(list) != 0 {
		t.Fatalf("%d alarms were raised: %+v", len(list), list[0].Timeline)
	}
	if on := s.Sim.Sounding(); len(on) != 0 {
		t.Fatalf("sirens sound: %v", on)
	}
}

// A finger that slips, a pocket, a child: less than two seconds is no alarm.
func TestHoldIsNotATap(t *testing.T) {
	s := play(t, stage.Options{})
	for _, by := range []struct {
		name string
		look look
	}{{"finger", phone}, {"mouse", look{wide: 360, high: 780}}} {
		t.Run(by.name, func(t *testing.T) {
			p := arrive(t, s, "somebody with a "+by.name, by.look).signIn("member")
			p.do(noteHold)
			held := 2000.0
			for try := 0; try < 5 && held > 1990; try++ {
				up := p.down("#gong")
				p.sees("#gong[data-on]")
				p.lets(1690)
				up()
				if held = value[float64](p, "window.heldFor"); held > 1990 {
					p.tap("[data-testid=call-off]") // the machine was too slow to let go in time: that was an alarm
					p.tap("[data-testid=past-done]")
				}
			}
			t.Logf("held for %.0f ms", held)
			p.seesNo("#gong[data-on]")
			p.seesNo("dialog")
			nothingRang(t, s)
			p.tap("#gong")
			p.reads("#ask", "Đánh kẻng báo động?")
			nothingRang(t, s)
			p.tap("[data-testid=ask-no]")
			p.seesNo("#ask")
			up := p.down("#gong")
			p.sees("#gong[data-on]")
			p.do(`document.activeElement.blur();document.querySelector('#gong').dispatchEvent(new PointerEvent('pointercancel'))`) // a call comes in
			up()
			p.seesNo("#gong[data-on]")
			nothingRang(t, s)
		})
	}
}

// Who has no steady finger has a keyboard, a switch or a screen reader.
func TestGongIsPlayedByKeysAndAssistiveTools(t *testing.T) {
	s := play(t, stage.Options{})
	p := arrive(t, s, "somebody with a keyboard", look{wide: 360, high: 780}).signIn("member")
	p.do(`{const g=document.querySelector('#gong');g.focus();g.click()}`) // what a screen reader or a switch does
	p.sees("#ask")
	p.until("the focus in the sheet", `document.querySelector('#ask').contains(document.activeElement)`)
	p.key("Escape")
	p.seesNo("#ask")
	p.until("the focus back on the gong", `document.activeElement.id==='gong'`)
	nothingRang(t, s)
	for _, k := range []struct{ key, code, text string }{{" ", "Space", " "}, {"Enter", "Enter", "\r"}} {
		p.do(`document.querySelector('#gong').focus()`)
		press := func(again bool) {
			call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: k.key, Code: k.code, Text: k.text, AutoRepeat: &again})
		}
		lift := func() {
			call(p, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: k.key, Code: k.code})
		}
		press(false)
		lift()
		p.sees("#ask") // a short stroke asks
		p.tap("[data-testid=ask-no]")
		p.seesNo("#ask")
		before := len(incidents(t, s))
		p.do(`document.querySelector('#gong').focus()`)
		press(false)
		for !p.soon(0, shown(".sent")) {
			press(true) // as a keyboard repeats
			p.lets(60)
		}
		lift()
		p.sees(".sent[data-incident]")
		list := incidents(t, s)
		if len(list) != before+1 {
			t.Fatalf("%s: %d incidents, want %d", k.code, len(list), before+1)
		}
		if n := len(list[before].Timeline); n != 1 {
			t.Errorf("%s: one press left %d lines: %+v", k.code, n, list[before].Timeline)
		}
		p.tap("[data-testid=call-off]")
		p.tap("[data-testid=past-done]")
		p.sees("#gong")
	}
}
