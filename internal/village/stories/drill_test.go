package stories

import (
	"slices"
	"testing"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/village/stage"
)

// countStrokes counts the strokes of the gong that a page makes.
const countStrokes = `window.strokes=0;{const s=OscillatorNode.prototype.start;OscillatorNode.prototype.start=function(...a){window.strokes++;return s.apply(this,a)}}`

// listening is l, with its strokes counted.
func (l look) listening() look { l.before += countStrokes; return l }

func (p *person) strokes() int { p.t.Helper(); return value[int](p, "window.strokes") }

// silentDesk fails unless the desk shows and sounds nothing live.
func silentDesk(t *testing.T, officer *person) {
	t.Helper()
	officer.reads("#tab-open", "0")
	officer.reads("#incs", "Không có báo động nào đang mở")
	if title := value[string](officer, "document.title"); title[0] == '(' {
		t.Errorf("the title counts a drill: %q", title)
	}
	if n := officer.strokes(); n != 0 {
		t.Errorf("the desk made %d strokes", n)
	}
	if value[string](officer, "document.documentElement.dataset.ringing??''") != "" {
		t.Error("the desk rings")
	}
}

// openDesk is a desk whose officer has touched it, so that it may sound.
func openDesk(t *testing.T, s *stage.Stage, l look) *person {
	t.Helper()
	officer := arrive(t, s, "the officer", l.listening()).signIn("desk")
	officer.tap("h1")
	officer.until("a desk that can be heard", `document.documentElement.dataset.sound==='on'`)
	return officer
}

// A drill walks the same path and is never taken for the real thing.
func TestDrillLooksDifferentAndNeverReachesTheLiveDesk(t *testing.T) {
	s := play(t, stage.Options{})
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	member := arrive(t, s, "the member", phone).signIn("member")
	officer := openDesk(t, s, desk)

	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-drill]")
	leader.tap("#drill [data-kind=intrusion]")
	leader.tap("[data-testid=drill-yes]")
	member.sees(".incoming.drill[role=alertdialog]")
	member.reads(".incoming .real", "Diễn tập")
	member.reads(".incoming", "Đây là buổi tập. Làm như thật, không gọi 114.")
	if look := value[string](member, `(()=>{const all=[document.querySelector('.incoming'),...document.querySelectorAll('.ihead,.ihead *')].map(e=>getComputedStyle(e).backgroundImage+getComputedStyle(e,'::before').backgroundImage);return all.join()})()`); !containsAny(look, "repeating-linear-gradient") {
		t.Errorf("no stripes: %s", look)
	}
	if n := value[int](member, `[...document.querySelectorAll('.incoming a[href^="tel:"]')].length`); n != 0 {
		t.Errorf("%d buttons call out of a drill", n)
	}
	member.sees("[data-testid=real-now]")
	leader.seesNo(`.sent a[href^="tel:"], .incoming a[href^="tel:"]`)
	sirens(t, s, "g1", 7)
	if i := theIncident(t, s); i.Mode != alarm.Drill {
		t.Errorf("mode %s", i.Mode)
	}
	officer.reads("#tab-drill", "1")
	silentDesk(t, officer)
	member.tap(".abtn.coming")
	member.sees("[data-testid=answered][data-answer=coming]")

	leader.tap("[data-testid=close]")
	leader.sees("#close-sheet label:has(input[value=drill]:checked)")
	if n := leader.count("#close-sheet input[name=cause]"); n != 1 {
		t.Errorf("a drill can end in %d ways", n)
	}
	leader.tap("[data-testid=close-yes]")
	sirens(t, s, "g1", 0)
	member.reads("[data-testid=past]", "Diễn tập")
	member.tap("[data-testid=past-done]")
	officer.reads("#tab-done", "1")
	silentDesk(t, officer)
}

// A bell test is a question, not an alarm: nobody is frightened, nobody called.
func TestBellTestAsksWhoHearsAndFrightensNobody(t *testing.T) {
	t.Parallel() // it mostly waits
	s := play(t, stage.Options{})
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	member := arrive(t, s, "the member", phone).signIn("member")
	officer := openDesk(t, s, desk)
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-test]")
	member.sees("[data-testid=bell-test]")
	member.seesNo(".incoming")
	member.sees("#gong")
	sirens(t, s, "g1", 7)
	member.tap("[data-testid=bell-heard]")
	leader.tap("[data-testid=tab-gong]")
	leader.reads("[data-testid=bell-count]", "1")
	officer.reads("#tab-drill", "1")
	silentDesk(t, officer)
	i := theIncident(t, s)
	if i.Mode != alarm.Test {
		t.Fatalf("mode %s", i.Mode)
	}
	member.seesNo("[data-testid=bell-heard]") // he said that he heard it
	officer.until("an end of the test by itself, after 20 s", `document.querySelector('#tab-drill').innerText.includes('0')`)
	sirens(t, s, "g1", 0)
	member.seesNo("[data-testid=bell-test]")
	if i := theIncident(t, s); i.Closed == nil || i.Closed.Cause != alarm.TestCause {
		t.Errorf("closed %+v", i.Closed)
	}
	// what rang is proven now: the leader sees it at the devices
	leader.tap("[data-testid=tab-group]")
	leader.until("proven sirens", `[...document.querySelectorAll('[data-testid=equipment] li[data-device$=-siren]')].length===7&&[...document.querySelectorAll('[data-testid=equipment] li[data-device$=-siren]')].every(e=>e.dataset.state==='ok')`)
}

// A live alarm in the middle of a drill goes first, on every screen and siren.
func TestRealAlarmBreaksIntoADrill(t *testing.T) {
	s := play(t, stage.Options{})
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	member := arrive(t, s, "the member", phone).signIn("member")
	officer := openDesk(t, s, desk)
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-drill]")
	leader.tap("[data-testid=drill-yes]")
	member.sees(".incoming.drill")
	member.tap("[data-testid=real-now]")
	member.tap("[data-testid=ask-yes]")
	leader.sees(".incoming.live")
	leader.sees(`.incoming a[href="tel:114"]`)
	officer.sees(".inc[data-mode=live][data-state=unacknowledged]")
	officer.reads("#tab-open", "1")
	modes := []alarm.Mode{}
	for _, i := range incidents(t, s) {
		modes = append(modes, i.Mode)
	}
	slices.Sort(modes)
	if !slices.Equal(modes, []alarm.Mode{alarm.Drill, alarm.Live}) {
		t.Errorf("incidents %v", modes)
	}
	for _, i := range incidents(t, s) {
		if (i.Closed != nil) != (i.Mode == alarm.Drill) {
			t.Errorf("a %s is over: %v", i.Mode, i.Closed != nil)
		}
	}
}
