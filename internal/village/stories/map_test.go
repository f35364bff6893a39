package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// The map draws the province's units and the alarm where it is.
func TestMapShowsTheAlarmWhereItIs(t *testing.T) {
	b := boundaries(t)
	if b == nil {
		t.Skip("no boundaries: set KENG_FIXTURES")
	}
	s := play(t, stage.Options{Boundaries: b})
	officer := arrive(t, s, "the officer", desk).signIn("desk")
	officer.sees(".mapc[data-ready]")
	if n := value[int](officer, `fetch('/api/v1/boundaries').then(r=>r.json()).then(c=>c.features.length)`); n != 148 {
		t.Errorf("%d units, want 148", n)
	}
	officer.seesNo(".mnote")
	press(t, s, "g1-h4")
	officer.sees(".inc[data-state=unacknowledged]")
	officer.until("a mark on the map", `document.querySelectorAll('.maplibregl-marker').length>0`)
	officer.key("m")
	officer.sees(".mapc.near")
	officer.until("the homes on the map", `document.querySelectorAll('.maplibregl-marker').length>=7`)
	officer.key("m")
	officer.until("the whole area", `!document.querySelector('.mapc.near')`)
}

// Without WebGL, and without boundaries, the desk does all its work.
func TestDeskWorksWithoutAMap(t *testing.T) {
	s := play(t, noOptions)
	l := desk
	l.before = `{const f=HTMLCanvasElement.prototype.getContext;HTMLCanvasElement.prototype.getContext=function(k,...a){return /webgl/.test(k)?null:f.call(this,k,...a)}}`
	officer := arrive(t, s, "the officer", l).signIn("desk")
	officer.sees(".map[data-state=nowebgl]")
	officer.reads(".mapmsg", "Danh sách, địa chỉ và điểm danh vẫn đủ")
	press(t, s, "g1-h4")
	officer.sees(".inc[data-state=unacknowledged]")
	officer.reads(".addr", "Số 12, ngõ 12")
	officer.key("a")
	officer.sees(".inc[data-state=acknowledged]")
	if n := officer.count(".roll li[data-home]"); n != 7 {
		t.Errorf("%d homes in the roll-call, want 7", n)
	}
	officer.key("m")
	officer.sees(".map[data-state=nowebgl]")
}
