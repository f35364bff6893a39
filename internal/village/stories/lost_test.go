package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// A screen says that it lost its connection within five seconds (issue: "People's
// screens"); the rest is the time to see it.
const (
	saysWithin = 5000 // ms
	seeing     = 400  // ms: a page whose machine is busy draws late
)

// noteLoss keeps when the screen says that it is cut off, ms after the cut.
const noteLoss = `window.cutAt=performance.now();window.lostAfter=new Promise(ok=>{const look=()=>{const e=document.querySelector('[data-testid=lost],.banners .off');if(e&&e.checkVisibility())ok(performance.now()-window.cutAt);else requestAnimationFrame(look)};look()})`

// cut cuts the line by how, and measures how soon every screen says so.
func cut(t *testing.T, how func(), screens ...*person) {
	t.Helper()
	for _, p := range screens {
		p.cutting()
		p.do(noteLoss)
	}
	how()
	for _, p := range screens {
		after := value[float64](p, "window.lostAfter")
		t.Logf("%s says so after %.0f ms", p.name, after)
		if after > saysWithin+seeing {
			t.Errorf("%s says so after %.0f ms, want at most %d", p.name, after, saysWithin)
		}
	}
}

// cutOff marks that a screen of the desk and the phone tell of the lost connection.
const cutOff = "[data-testid=lost],.banners .off"

func TestScreenSaysThatItLostItsConnection(t *testing.T) {
	t.Parallel() // it mostly waits
	s := play(t, stage.Options{})
	p := arrive(t, s, "the resident", phone).signIn("member")
	other := p.tab()
	other.open("/")
	other.sees("#gong")
	officer := arrive(t, s, "the officer", desk).signIn("desk")
	all := []*person{p, other, officer}
	for _, x := range all {
		x.heartbeat()
		x.seesNo(cutOff)
	}

	// a network that swallows everything, without a word
	cut(t, s.Door.Hold, all...)
	p.reads("[data-testid=net]", "Mất kết nối")
	p.sees("#gong") // the gong stays
	press(t, s, "g1-h4")
	sirens(t, s, "g1", 7) // the sirens do not need the screens
	officer.seesNo(".inc")
	s.Door.Release()
	for _, x := range all {
		x.seesNo(cutOff)
	}
	for _, x := range []*person{p, other} {
		x.reads(".incoming", "Nhà chị Quách Thị Hường")
	}
	officer.sees(".inc[data-state=unacknowledged]")

	// Keng stops and starts again, as in an update
	cut(t, func() {
		s.Door.Shut()
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		press(t, s, "g1-h6") // before any screen is back
		sirens(t, s, "g1", 7)
	}, all...)
	if err := s.Door.Open(); err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		x.seesNo(cutOff)
	}
	for _, x := range []*person{p, other} {
		x.reads(".incoming .spread", "Đang lan sang nhà khác: Nhà anh Hà Văn Sơn")
	}
	officer.reads(".inc", "Lan rộng")
	if n := officer.count(".inc"); n != 1 {
		t.Errorf("the desk shows %d incidents, want 1", n)
	}
}

// Two tabs of one phone show the same alarm, and one of them makes the sound.
func TestTwoTabsOneSound(t *testing.T) {
	s := play(t, stage.Options{})
	l := phone
	l.before = `window.strokes=0;{const s=OscillatorNode.prototype.start;OscillatorNode.prototype.start=function(...a){window.strokes++;return s.apply(this,a)}}`
	p := arrive(t, s, "the neighbour", l).signIn("neighbour")
	other := p.tab()
	other.open("/")
	other.sees("#gong")
	for _, x := range []*person{p, other} {
		x.tap("[data-testid=tab-group]") // a touch lets a page sound
		x.sees(".homes")
	}
	press(t, s, "g1-h4")
	p.sees(".incoming")
	other.sees(".incoming")
	count := func() (a, b int) { return value[int](p, "window.strokes"), value[int](other, "window.strokes") }
	p.until("a sound from one of the tabs", "true")
	if err := s.Await(t.Context(), "a tab sounds", func() (bool, string) { a, b := count(); return a+b > 16, "neither sounds long" }); err != nil {
		t.Fatal(err)
	}
	if a, b := count(); a > 0 && b > 0 {
		t.Errorf("both tabs sound: %d and %d strokes", a, b)
	}
	p.tap(".abtn.coming")
	other.sees("[data-testid=answered][data-answer=coming]")
}

// stateKept says whether the phone keeps what it knows of the group.
const stateKept = `new Promise(async ok=>{if(!(await indexedDB.databases()).some(d=>d.name==='keng')) return ok(false);const r=indexedDB.open('keng');r.onerror=()=>ok(false);r.onsuccess=()=>{const q=r.result.transaction('kept').objectStore('kept').get('state');q.onsuccess=q.onerror=()=>{r.result.close();ok(!!q.result?.groups?.length)}}})`

// The phone opens without a server: with what it knew, and 114 first.
func TestShellOpensWithoutServer(t *testing.T) {
	s := play(t, stage.Options{})
	p := arrive(t, s, "the resident", phone).signIn("member")
	p.shellKept()
	p.until("the state on the phone", stateKept)
	p.cutting()
	s.Door.Shut()
	p.reload()
	p.sees("#gong")
	took := value[float64](p, `performance.now()`)
	t.Logf("the gong is back within %.0f ms, without a server", took)
	p.reads("h1", "Tổ liên gia số 1")
	if n := p.count(".lane li"); n != 7 {
		t.Errorf("%d homes, want 7", n)
	}
	p.sees(`a[href="tel:114"]`)
	first := value[string](p, `[...document.querySelectorAll('a[href^="tel:"]')].filter(e=>e.getClientRects().length).map(e=>e.getAttribute('href'))[0]`)
	if first != "tel:114" {
		t.Errorf("the first number is %q", first)
	}
	p.tap("[data-testid=address]")
	p.reads("[data-testid=address-card]", "Số 10, ngõ 12")
	p.reads("[data-testid=address-card]", "Phường Tân Hoà")
	p.reads("[data-testid=address-card]", "Phú Thọ")
	p.key("Escape")
	p.reads("[data-testid=lost]", "Mất kết nối với máy chủ")
	p.holdGong()
	p.reads("[data-testid=queued]", "Hãy gọi 114 và hô hoán")
	if err := s.Door.Open(); err != nil {
		t.Fatal(err)
	}
	p.sees(".sent[data-incident]")
	theIncident(t, s)
}
