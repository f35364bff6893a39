package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// The leader sees in one sentence how each home stands, and what was heard and not
// understood.
func TestLeaderSeesHomesDevicesAndUnknownMessages(t *testing.T) {
	s := play(t, stage.Options{})
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	member := arrive(t, s, "the member", phone).signIn("member")
	const strange = `{"mystery":"42","note":"<b>not a tag</b>"}`
	if err := s.Say(t.Context(), "alley12", "zigbee2mqtt/0x00158d0001abcdef", strange); err != nil {
		t.Fatal(err)
	}
	if err := s.Say(t.Context(), "alley12", "zigbee2mqtt/g1-h4-smoke", `{"smoke":`); err != nil {
		t.Fatal(err)
	}
	leader.tap("[data-testid=tab-group]")
	if n := leader.count("ul.homes > li"); n != 7 {
		t.Errorf("%d homes, want 7", n)
	}
	leader.until("one sentence for every home", `[...document.querySelectorAll('ul.homes > li .why')].filter(e=>e.innerText.trim().length>10).length===7`)
	leader.until("every device of the group", `document.querySelectorAll('[data-testid=equipment] li[data-device]').length===21`)
	leader.tap("[data-testid=unknown] summary")
	leader.reads("[data-testid=unknown]", "zigbee2mqtt/0x00158d0001abcdef")
	leader.reads("[data-testid=unknown] code", strange)
	leader.reads("[data-testid=unknown] code", `{"smoke":`)
	nothingRang(t, s)

	// a device is put aside for a day, and taken back
	leader.tap(`[data-device=g1-h2-siren] button`)
	leader.tap(`#bypass [data-hours="24"]`)
	leader.sees(`[data-device=g1-h2-siren][data-state=bypassed]`)
	leader.reads(`li[data-home=g1-h2] .why`, "ngưng")
	leader.tap(`[data-device=g1-h2-siren] button`)
	leader.until("a siren that is back", `document.querySelector('[data-device=g1-h2-siren]').dataset.state!=='bypassed'`)

	member.tap("[data-testid=tab-group]")
	member.sees("ul.homes")
	member.seesNo("[data-testid=equipment],[data-testid=lead]") // not a member's business
}

// Within fifteen seconds the presser takes it back alone; after that a second home
// must agree. The leader ends with a cause.
func TestLeaderClosesAndLateMistakeNeedsASecondHome(t *testing.T) {
	t.Parallel() // it mostly waits
	s := play(t, stage.Options{})
	presser := arrive(t, s, "the presser", phone).signIn("member")
	neighbour := arrive(t, s, "the neighbour", phone).signIn("neighbour")
	leader := arrive(t, s, "the leader", phone).signIn("leader")

	presser.holdGong()
	neighbour.sees(".incoming.live")
	presser.reads("[data-testid=call-off]", "Huỷ ngay được trong")
	presser.tap("[data-testid=call-off]")
	presser.reads("[data-testid=past]", "Báo nhầm")
	neighbour.reads("[data-testid=past]", "Báo nhầm")
	sirens(t, s, "g1", 0)
	presser.tap("[data-testid=past-done]")
	neighbour.tap("[data-testid=past-done]")

	presser.holdGong()
	leader.sees(".incoming.live")
	sirens(t, s, "g1", 7)
	presser.reads("[data-testid=call-off]", "Cần một nhà khác cùng xác nhận") // 15 s
	presser.tap("[data-testid=call-off]")
	presser.sees("[data-testid=mistake]")
	sirens(t, s, "g1", 7) // one home's word does not end it
	neighbour.reads("[data-testid=mistake]", "Nhà ông Nguyễn Văn Bình")
	presser.seesNo("[data-testid=confirm-mistake]") // not by himself
	neighbour.tap("[data-testid=confirm-mistake]")
	sirens(t, s, "g1", 0)
	for _, p := range []*person{presser, neighbour, leader} {
		p.reads("[data-testid=past]", "Báo nhầm")
		p.tap("[data-testid=past-done]")
	}

	press(t, s, "g1-h6")
	leader.sees(".incoming.live")
	leader.tap("[data-testid=acknowledge]")
	presser.reads("[data-testid=taken]", "Bùi Thị Lan đã tiếp nhận")
	leader.tap("[data-testid=silence-all]")
	sirens(t, s, "g1", 0)
	leader.tap("[data-testid=close]")
	leader.sees("[data-testid=close-yes]:disabled") // never without a cause
	leader.tap("#close-sheet label:has(input[value=nuisance])")
	leader.types("#close-sheet textarea", "Khói bếp")
	leader.tap("[data-testid=close-yes]")
	presser.reads("[data-testid=past]", "Khói bếp, hơi nước, côn trùng")
	list := incidents(t, s)
	if last := list[len(list)-1]; last.Closed == nil || last.Closed.By != "Bùi Thị Lan" || last.Closed.Note != "Khói bếp" {
		t.Errorf("closed %+v", last.Closed)
	}
}
