package stories

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// tour walks through every screen of Keng in one look and calls at on each, with a
// name for it. What is on the screens is an alarm as it might be: pressed on the
// phone, answered, somebody in need, taken by the desk.
type tour struct {
	t      *testing.T
	s      *stage.Stage
	phone  look
	desk   look
	at     func(name string, p *person)
	breaks atomic.Bool // the line, for who raises an alarm
}

func walk(t *testing.T, phone, desk look, at func(name string, p *person)) {
	t.Helper()
	w := &tour{t: t, s: play(t, stage.Options{Demo: true}), phone: phone, desk: desk, at: func(name string, p *person) { p.still(); at(name, p) }}
	w.s.Door.Decide(func(r *http.Request) stage.Fate {
		if raises(r) && w.breaks.Load() {
			return stage.LoseAsk
		}
		return stage.Pass
	})
	for _, topic := range []string{"zigbee2mqtt/0x00158d0001abcdef", "zigbee2mqtt/g1-h4-smoke"} {
		if err := w.s.Say(t.Context(), "alley12", topic, `{"mystery":`); err != nil {
			t.Fatal(err)
		}
	}
	w.beforeSigningIn()
	member := arrive(t, w.s, "the member", w.phone).signIn("member")
	w.atRest(member)
	leader := arrive(t, w.s, "the leader", w.phone).signIn("leader")
	w.leading(leader)
	officer := arrive(t, w.s, "the officer", w.desk).signIn("desk")
	w.onDuty(officer)
	neighbour := arrive(t, w.s, "the neighbour", w.phone).signIn("neighbour")
	w.alarm(member, neighbour, leader, officer)
	w.drill(member, leader, officer)
	w.cutOff(member, officer)
}

func (w *tour) beforeSigningIn() {
	p := arrive(w.t, w.s, "a guest", w.phone)
	p.provoke(http.StatusBadRequest, http.StatusNotFound)
	p.open("/welcome")
	w.at("welcome", p)
	p.types("#in", "12")
	p.tap("form.code button")
	p.sees("#wrong")
	w.at("welcome, wrong code", p)
	link, err := w.s.Invite(w.t.Context(), "g1-h3", "")
	if err != nil {
		w.t.Fatal(err)
	}
	p.open(link)
	w.at("invite", p)
	p.open("/i/0123456789AB")
	w.at("invite that is no good", p)
	p.do(`document.cookie='keng_lang=en;path=/'`)
	p.open("/welcome")
	w.at("welcome in English", p)
}

func (w *tour) atRest(p *person) {
	w.at("home", p)
	p.tap("[data-testid=address]")
	p.sees("#call-sheet")
	w.at("address card", p)
	p.tap("#call-sheet > button")
	p.tap("#gong")
	p.sees("#ask")
	w.at("sheet", p)
	p.tap("#ask [data-kind=holdup]")
	p.reads("#ask", "Gửi kín")
	w.at("sheet, silent", p)
	p.tap("[data-testid=ask-no]")
	p.tap("[data-testid=tab-group]")
	p.sees(".homes")
	p.sees("[data-pane=gear]")
	w.at("group", p)
	p.tap("[data-testid=open-talk]")
	p.sees("[data-testid=chat][data-state=ready]")
	p.says("Nhà tôi vừa thay bình chữa cháy, ai cần mượn cứ sang lấy nhé")
	p.sees(".m.text")
	p.tap("[data-testid=edit]")
	w.at("conversation", p)
	p.tap("[data-testid=take]")
	p.sees("#take")
	w.at("taking a message back", p)
	p.tap("#take > button:last-of-type")
	p.shows(snapshot(w.t))
	p.sees(".m.photo")
	p.tap("[data-testid=speak]")
	p.sees("[data-testid=recording]")
	w.at("speaking", p)
	p.tap("[data-testid=voice-send]")
	p.sees(".m.voice")
	w.at("conversation with a voice", p)
	p.tap("[data-testid=talk-back]")
	p.tap("[data-testid=tab-more]")
	p.sees("[data-testid=sign-out]")
	w.at("more", p)
	p.tap("[data-testid=sign-out]")
	p.sees("#leave")
	w.at("leaving", p)
	p.tap("#leave > button:last-of-type")
	p.tap("[data-testid=tab-gong]")
}

func (w *tour) leading(p *person) {
	p.tap("[data-testid=tab-group]")
	p.sees("[data-testid=equipment] li[data-device]")
	p.sees("[data-pane=gear]")
	p.tap("[data-testid=unknown] summary")
	w.at("leader's group", p)
	p.tap("[data-device=g1-h2-siren] button")
	p.sees("#bypass")
	w.at("putting a device aside", p)
	p.tap("#bypass > button:last-of-type")
	p.tap("[data-testid=start-drill]")
	p.sees("#drill")
	w.at("choosing a drill", p)
	p.tap("#drill > button:last-of-type")
	p.tap("[data-testid=tab-gong]")
}

func (w *tour) onDuty(p *person) {
	p.reads("#tab-open", "0")
	w.at("console at rest", p)
	p.tap("[data-chip=devices]")
	p.sees("#pop-devices")
	w.at("console, health", p)
	p.tap("[data-chip=devices]")
	p.key("?")
	p.sees("#keys-dialog")
	w.at("console, keys", p)
	p.key("Escape")
	p.seesNo("#keys-dialog")
	p.key("/")
	p.tap("[data-group=g1] .gh")
	p.sees("[data-group=g1] li[data-device]")
	w.at("console, groups", p)
	p.tap("[data-pane=notices]")
	p.types("#nt-title", "Cắt điện từ 8 đến 11 giờ")
	p.tap("#nt-groups [value=g1]")
	p.tap("#nt-send")
	p.sees(".notices li")
	w.at("console, notices", p)
	p.tap("[data-pane=handover]")
	p.sees("#ho-text")
	w.at("console, handover", p)
	p.tap("[data-pane=map]")
}

func (w *tour) alarm(member, neighbour, leader, officer *person) {
	member.reads("main", "Cắt điện từ 8 đến 11 giờ") // the desk's notice, which moves what is on the screen
	member.still()
	member.cutting()
	w.breaks.Store(true)
	member.tap("#gong")
	member.tap("#ask [data-kind=fire]")
	member.tap("[data-testid=ask-yes]")
	member.sees("[data-testid=queued][data-late=true]")
	w.at("queued", member)
	w.breaks.Store(false)
	member.sees(".sent[data-incident]")
	w.at("sent", member)
	neighbour.sees(".incoming.live")
	w.at("incoming", neighbour)
	officer.sees(".inc[data-state=unacknowledged]")
	w.at("console, alarm", officer)
	neighbour.tap(".abtn.coming")
	neighbour.sees("[data-testid=answered][data-sending=false]")
	w.at("answered", neighbour)
	neighbour.tap("[data-testid=behalf]")
	neighbour.tap("#behalf [data-home=g1-h4]")
	neighbour.sees("#behalf .abtn")
	w.at("answering for another", neighbour)
	neighbour.tap("#behalf .abtn.help")
	officer.sees(".roll [data-home=g1-h4][data-answer=need_help]")
	officer.key("a")
	officer.sees(".inc[data-state=acknowledged]")
	w.at("console, taken", officer)
	neighbour.tap("[data-testid=incident-talk]")
	neighbour.sees("[data-testid=chat]")
	neighbour.says("Cổng sau đang khoá")
	w.at("incident's conversation", neighbour)
	neighbour.tap("[data-testid=talk-back]")
	officer.tap("#talk summary")
	officer.reads("#talk .talk li", "Cổng sau đang khoá")
	w.at("console, conversation", officer)
	officer.tap("#talk summary")
	officer.key("r")
	officer.sees("#close-dialog")
	w.at("console, closing", officer)
	officer.tap("#close-dialog [data-mark=need] button")
	officer.sees("#behalf-dialog")
	w.at("console, answering for a home", officer)
	officer.key("Escape")
	officer.seesNo("dialog")
	leader.sees("[data-testid=leader-acts]")
	w.at("leader in an alarm", leader)
	leader.tap("[data-testid=close]")
	leader.sees("#close-sheet")
	w.at("leader, closing", leader)
	leader.tap("#close-sheet > button:last-of-type")
	neighbour.tap("[data-testid=minimise]")
	neighbour.sees("[data-testid=active-bar]")
	w.at("home beside an alarm", neighbour)
	neighbour.tap("[data-testid=active-bar]")
	leader.tap(".abtn.safe")
	leader.tap("[data-testid=attend]") // who clears a call for help has gone there
	leader.seesNo("[data-testid=attend]")
	leader.tap("[data-testid=behalf]")
	leader.tap("#behalf [data-home=g1-h4]")
	leader.types("#behalf textarea", "Đã gặp")
	w.at("clearing a call for help", leader)
	leader.tap("#behalf .abtn.safe")
	w.closeAlarm(leader)
	member.sees("[data-testid=past]")
	w.at("past", member)
	for _, p := range []*person{member, neighbour, leader} {
		p.tap("[data-testid=past-done]")
	}
	officer.tap("#tab-done")
	officer.tap(".inc")
	w.at("console, done", officer)
}

// closeAlarm lets the leader, who goes and looks, end the alarm.
func (w *tour) closeAlarm(leader *person) {
	leader.until("nobody in need", `fetch('/api/v1/incidents').then(r=>r.json()).then(l=>l.length===1&&l[0].need_help===0)`)
	leader.tap("[data-testid=close]")
	leader.tap("#close-sheet label:has(input[value=real])")
	leader.tap("[data-testid=close-yes]")
}

func (w *tour) drill(member, leader, officer *person) {
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-test]")
	leader.tap("[data-testid=tab-gong]")
	member.sees("[data-testid=bell-test]")
	w.at("bell test", member)
	leader.sees("[data-testid=bell-count]")
	w.at("leader's bell test", leader)
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-drill]")
	leader.tap("#drill [data-kind=medical]")
	leader.tap("[data-testid=drill-yes]")
	member.sees(".incoming.drill")
	w.at("drill", member)
	officer.tap("#tab-drill")
	officer.tap(".inc[data-mode=drill]")
	w.at("console, drill", officer)
}

func (w *tour) cutOff(member, officer *person) {
	member.cutting()
	officer.cutting()
	w.s.Door.Hold()
	member.sees("[data-testid=lost]")
	w.at("cut off", member)
	officer.sees(".banners .off")
	w.at("console, cut off", officer)
	w.s.Door.Release()
}
