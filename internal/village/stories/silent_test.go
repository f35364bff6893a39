package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/village/stage"
)

// Somewhere in a house a person is held; the one who holds her looks at the phone.
func TestHoldUpReachesTheDeskOnly(t *testing.T) {
	s := play(t, stage.Options{})
	held := arrive(t, s, "the held", phone.listening()).signIn("member")
	neighbour := arrive(t, s, "the neighbour", phone.listening()).signIn("neighbour")
	leader := arrive(t, s, "the leader", phone.listening()).signIn("leader")
	officer := openDesk(t, s, desk)
	stranger := arrive(t, s, "the other ward's officer", desk).signIn("desk2")
	quiet := []*person{held, neighbour, leader}
	for _, p := range quiet {
		p.tap("[data-testid=tab-group]")
		p.tap("[data-testid=tab-gong]")
	}
	before := map[*person]string{}
	held.tap("#gong")
	held.tap("#ask [data-kind=holdup]")
	held.reads("#ask", "Không chuông, không còi, máy hàng xóm không hiện gì. Chỉ trực ban phường Tân Hoà biết.")
	for _, p := range quiet {
		before[p] = p.text("main")
	}
	held.tap("[data-testid=ask-yes]")
	held.seesNo("#ask")
	held.sees("i.mark[data-state=sent]") // a small mark, for who knows what it means

	officer.sees(".inc.silent[data-state=unacknowledged]")
	officer.reads(".inc.silent", "Bị khống chế")
	officer.reads("[data-mark=silent]", "Báo im lặng")
	officer.until("a desk that rings", `document.documentElement.dataset.ringing==='1'&&window.strokes>0`)
	officer.reads(".roll", "Chỉ bàn trực biết")

	for _, p := range quiet {
		p.heartbeat() // everything the server had to say has come
		if now := p.text("main"); now != before[p] {
			t.Errorf("%s sees something: %q, before %q", p.name, now, before[p])
		}
		p.seesNo(".incoming,.sent,[data-testid=active-bar]")
		if n := p.strokes(); n != 0 {
			t.Errorf("%s's phone made %d strokes", p.name, n)
		}
		if title := value[string](p, "document.title"); title != "Kẻng" {
			t.Errorf("%s's title is %q", p.name, title)
		}
		if known := value[int](p, `fetch('/api/v1/state').then(r=>r.json()).then(s=>(s.incidents??[]).length)`); known != 0 {
			t.Errorf("%s's phone is told of %d incidents", p.name, known)
		}
	}
	stranger.heartbeat()
	stranger.reads("#tab-open", "0")
	if on := s.Sim.Sounding(); len(on) != 0 {
		t.Errorf("sirens sound: %v", on)
	}
	held.reload()
	held.sees("#gong")

	officer.key("a")
	officer.sees(".inc[data-state=acknowledged]")
	officer.until("a desk that rests", `document.documentElement.dataset.ringing===''`)
	if i := theIncident(t, s); !i.Silent || i.Annunciation != alarm.Off {
		t.Errorf("silent %v, sirens %s", i.Silent, i.Annunciation)
	}
	officer.key("r")
	officer.tap("#close-dialog input[value=real]")
	officer.tap("#close-yes")
	officer.reads("#tab-open", "0")
	for _, p := range quiet {
		p.heartbeat()
		p.seesNo("[data-testid=past],.incoming,.sent")
	}
}
