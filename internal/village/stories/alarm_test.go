package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/village/stage"
)

// The clocks of both pages are the machine's: what one notes can be compared with
// what the other notes. notePaint keeps when the alarm was painted: two frames
// after it came into the page; notePost when the press was sent.
const (
	notePaint = `window.painted=new Promise(done=>new MutationObserver((_,o)=>{if(document.querySelector('.incoming')){o.disconnect();requestAnimationFrame(()=>requestAnimationFrame(()=>done(performance.timeOrigin+performance.now())))}}).observe(document.body,{childList:true,subtree:true}))`
	notePost  = `{const f=window.fetch;window.fetch=(u,o)=>{if(o?.method==='POST')window.posted??=performance.timeOrigin+performance.now();return f(u,o)};document.querySelector('#gong').addEventListener('pointerdown',()=>window.touched??=performance.timeOrigin+performance.now())}`
)

// Two residents, a third who needs help, and the desk: from the finger on the gong
// to the last line of the record.
func TestTwoResidentsAndADesk(t *testing.T) {
	s := play(t, stage.Options{Demo: true})
	link, err := s.Invite(t.Context(), "g1-h3", "Nguyễn Văn Bình")
	if err != nil {
		t.Fatal(err)
	}
	presser := arrive(t, s, "the presser", phone).accept(link)
	neighbour := arrive(t, s, "the neighbour", phone).signIn("neighbour")
	third := arrive(t, s, "the third", phone).signIn("deputy")
	officer := arrive(t, s, "the officer", desk).signIn("desk")
	officer.reads("#tab-open", "0")

	neighbour.do(notePaint)
	presser.do(notePost)
	presser.holdGong()
	sirens(t, s, "g1", 7)
	neighbour.sees(`.incoming.live[role=alertdialog]`)
	posted, painted := value[float64](presser, `window.posted`), value[float64](neighbour, `window.painted`)
	t.Logf("finger down to request %.0f ms; request to the neighbour's painted screen %.0f ms", posted-value[float64](presser, `window.touched`), painted-posted)

	neighbour.reads(".incoming .real", "Báo động thật")
	neighbour.reads("#id", "Nhà ông Nguyễn Văn Bình")
	neighbour.reads("#id", "Số 10, ngõ 12")
	if n := neighbour.count(".incoming .lane li"); n != 7 {
		t.Errorf("the lane shows %d homes, want 7", n)
	}
	neighbour.sees(`.incoming a[href="tel:114"]`)
	presser.reads(".sent", "Kẻng đã vang")
	officer.sees(".inc[data-state=unacknowledged]")
	officer.until("(1) in the title", `document.title.startsWith('(1)')`)

	neighbour.tap(".abtn.coming")
	neighbour.sees("[data-testid=answered][data-answer=coming]")
	presser.sees(`.lane [data-home=g1-h5] .house.coming`)
	presser.reads(".meta", "1 người đang đến")
	officer.sees(`.roll [data-home=g1-h5][data-answer=coming]`)
	third.tap(".abtn.help")
	third.sees("[data-testid=answered][data-answer=need_help]")
	presser.sees(`.lane [data-home=g1-h2] .house.help`)
	officer.reads(".inc", "1 cần cứu")

	officer.key("a")
	for _, p := range []*person{presser, neighbour, third} {
		p.reads("[data-testid=taken]", "Trực ban đã tiếp nhận")
	}
	officer.sees(".inc[data-state=acknowledged]")
	officer.until("a title without a number", `!document.title.startsWith('(')`)
	sirens(t, s, "g1", 7) // taking it silences nothing

	officer.key("s")
	sirens(t, s, "g1", 0)
	officer.sees(".siren[data-annunciation=silenced]")
	if i := theIncident(t, s); i.Closed != nil || i.Annunciation != alarm.Silenced {
		t.Errorf("after silencing: closed %v, sirens %s", i.Closed, i.Annunciation)
	}

	officer.key("r")
	officer.reads("#close-dialog [data-mark=need]", "Còn 1 nhà đang kêu cứu: Nhà ông Đinh Công Thành")
	officer.sees("#close-yes:disabled")
	officer.key("Escape")
	officer.seesNo("#close-dialog")
	third.tap("[data-testid=change]")
	third.tap(".abtn.safe")
	third.sees("[data-testid=answered][data-answer=safe]")
	officer.sees(`.roll [data-home=g1-h2][data-answer=safe]`)

	officer.key("r")
	officer.tap("#close-dialog input[value=real]")
	officer.types("#close-note", "Chập điện ở bếp, đã dập")
	officer.tap("#close-yes")
	officer.sees(".mark.done")
	officer.reads("#tab-open", "0")
	for _, p := range []*person{presser, neighbour, third} {
		p.reads("[data-testid=past]", "Sự việc có thật")
		p.tap("[data-testid=past-done]")
		p.sees("#gong")
	}
	sirens(t, s, "g1", 0)
	officer.record(t, map[string]string{
		"event.raised": "Nguyễn Văn Bình", "event.acknowledged": "Đại uý Hà Minh Tuấn", "event.silenced": "Đại uý Hà Minh Tuấn", "event.closed": "Đại uý Hà Minh Tuấn",
	})
	officer.reads(".tl", "Nhà ông Đinh Công Thành: cần cứu, Đinh Công Thành")
	officer.reads(".tl", "Tạp hoá Tươi Sáng: đang đến, Lê Thị Tươi")
}

// record checks that the timeline says who did what.
func (p *person) record(t *testing.T, by map[string]string) {
	t.Helper()
	for key, who := range by {
		p.reads(`.tl li[data-key="`+key+`"]`, who)
	}
}
