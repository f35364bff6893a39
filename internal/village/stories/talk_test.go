package stories

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// snapshot is a picture from a telephone that knows where it was.
func snapshot(t *testing.T) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 1200, 900))
	for y := range 900 {
		for x := range 1200 {
			img.SetRGBA(x, y, color.RGBA{uint8(x / 5), uint8(y / 4), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	comment := "CANARY 20.8402 105.3371"
	plain := b.Bytes()
	with := append(bytes.Clone(plain[:2]), 0xff, 0xfe, 0, byte(len(comment)+2))
	return base64.StdEncoding.EncodeToString(append(append(with, comment...), plain[2:]...))
}

// shows picks a picture as somebody does from his gallery, and sends it.
func (p *person) shows(jpg string) {
	p.t.Helper()
	p.sees(".pickpic")
	p.do(`{const b=Uint8Array.from(atob(` + quoted(jpg) + `),c=>c.charCodeAt(0)),d=new DataTransfer(),i=document.querySelector('[data-testid=photo]');d.items.add(new File([b],'IMG_1.jpg',{type:'image/jpeg'}));i.files=d.files;i.dispatchEvent(new Event('change',{bubbles:true}))}`)
	p.sees("#shot img")
	p.tap("[data-testid=photo-yes]")
	p.seesNo("#shot")
}

// says writes and sends.
func (p *person) says(text string) {
	p.t.Helper()
	p.types("#say-it", text)
	p.tap("[data-testid=say]")
}

// Two neighbours talk: words, a picture without its place, and a voice that can be
// heard. The leader announces and learns how many have seen it; what was taken
// back is gone from the other's screen.
func TestNeighboursTalk(t *testing.T) {
	s := play(t, stage.Options{})
	member := arrive(t, s, "the member", phone).signIn("member")
	neighbour := arrive(t, s, "the neighbour", phone).signIn("neighbour")
	leader := arrive(t, s, "the leader", phone).signIn("leader")

	for _, p := range []*person{member, neighbour} {
		p.tap("[data-testid=tab-group]")
		p.tap("[data-testid=open-talk]")
		p.sees("[data-testid=chat][data-state=ready]")
	}
	member.shot("chat-empty")
	member.says("Nhà mình mới thay bình chữa cháy")
	neighbour.reads(".m.text", "Nhà mình mới thay bình chữa cháy")
	neighbour.shows(snapshot(t))
	member.until("a picture that was loaded", `[...document.querySelectorAll('.m.photo img')].some(i=>i.complete&&i.naturalWidth===1200)`)
	if sings := value[bool](member, `fetch(document.querySelector('.m.photo img').src).then(r=>r.arrayBuffer()).then(b=>new TextDecoder('latin1').decode(b).includes('CANARY'))`); sings {
		t.Error("the picture still says where it was taken")
	}
	member.tap("[data-testid=speak]")
	member.sees("[data-testid=recording]")
	member.reads("[data-testid=recording]", "Đang thu: 1 giây")
	member.shot("chat-recording")
	member.tap("[data-testid=voice-send]")
	neighbour.sees(".m.voice audio")
	if heard := value[float64](neighbour, `fetch(document.querySelector('.m.voice audio').src).then(r=>r.arrayBuffer()).then(b=>new AudioContext().decodeAudioData(b)).then(a=>a.duration)`); heard < 0.5 || heard > 10 {
		t.Errorf("the voice lasts %.2f s", heard)
	}
	neighbour.until("a voice that a browser plays", `new Promise(ok=>{const a=document.querySelector('.m.voice audio');a.muted=true;a.play().then(()=>ok(true),()=>ok(false))})`)
	neighbour.shot("chat-thread")

	// not read, seen from elsewhere; the leader announces
	leader.reads("[data-testid=tab-group] .dot", "3")
	leader.tap("[data-testid=tab-group]")
	leader.reads("[data-testid=open-talk]", "3 tin chưa đọc")
	leader.tap("[data-testid=open-talk]")
	leader.types("#say-it", "Họp tổ 19 giờ tối thứ Bảy, nhà văn hoá")
	leader.tap("[data-testid=announce]")
	leader.shot("chat-announcing")
	leader.tap("[data-testid=say]")
	leader.reads(".m.announce [data-testid=seen]", "Đã xem: 2 trong")
	leader.shot("chat-announced")

	// taken back
	member.tap("[data-testid=edit]")
	member.shot("chat-editing")
	member.tap(".m.me.text [data-testid=take]")
	member.tap("[data-testid=take-yes]")
	neighbour.reads(".m.gone", "Tin đã được thu hồi")
	leader.tap("[data-testid=edit]")
	leader.tap(".m.photo [data-testid=take]")
	leader.tap("[data-testid=take-yes]")
	member.reads(".m.gone", "Tổ trưởng đã gỡ tin này")

	// written without a network, sent once when it is back
	neighbour.offline(true)
	neighbour.says("Khu mình mất mạng")
	neighbour.sees("[data-testid=waiting-message]")
	neighbour.shot("chat-offline")
	neighbour.offline(false)
	member.reads(".m.text", "Khu mình mất mạng")
	neighbour.seesNo("[data-testid=waiting-message]")
	if n := member.count(".m.text:not(.gone)"); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	if strings.Contains(member.screen(), "CANARY") {
		t.Error("the canary sings")
	}
}

// An incident's thread is one tap from the alarm, also for the desk, while it is
// open; afterwards the desk reads it no more.
func TestDeskReadsAnIncidentsThreadWhileItIsOpen(t *testing.T) {
	s := play(t, stage.Options{})
	member := arrive(t, s, "the member", phone).signIn("member")
	neighbour := arrive(t, s, "the neighbour", phone).signIn("neighbour")
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	officer := arrive(t, s, "the officer", desk).signIn("desk")

	member.holdGong()
	neighbour.sees(".incoming.live")
	neighbour.shot("incoming-with-talk")
	neighbour.tap("[data-testid=incident-talk]")
	neighbour.sees("[data-testid=chat]")
	neighbour.sees("[data-testid=call-114]") // first on every screen of an alarm
	neighbour.says("Cổng sau đang khoá, tôi mở ngay")
	neighbour.shot("incident-talk")
	member.tap("[data-testid=incident-talk]")
	member.reads(".m.text", "Cổng sau đang khoá, tôi mở ngay")

	officer.tap("#talk summary")
	officer.reads("#talk .talk li", "Cổng sau đang khoá, tôi mở ngay")
	officer.types("#talk-say", "Xe cứu hoả tới sau 4 phút")
	officer.tap("#talk-send")
	neighbour.reads(".m.text", "Xe cứu hoả tới sau 4 phút")
	officer.shot("console-talk")
	id := value[string](officer, `document.querySelector('aside.right').dataset.id`)
	reads := `fetch('/api/v1/chat/g1?incident=` + id + `').then(r=>r.status)`
	if got := value[int](officer, reads); got != 200 {
		t.Errorf("while it is open: %d", got)
	}

	leader.tap("[data-testid=close]")
	leader.tap("#close-sheet label:has(input[value=real])")
	leader.tap("[data-testid=close-yes]")
	officer.sees(".mark.done")
	officer.until("the door shut", `!document.querySelector('#talk .talk li')`)
	officer.provoke(403)
	if got := value[int](officer, reads); got != 403 {
		t.Errorf("after the end: %d", got)
	}
}

// The desk tells chosen groups something, sees how many have seen it, and takes
// it back.
func TestDeskTellsGroups(t *testing.T) {
	s := play(t, stage.Options{})
	member := arrive(t, s, "the member", phone).signIn("member")
	officer := arrive(t, s, "the officer", desk).signIn("desk")

	officer.tap("[data-pane=notices]")
	officer.sees("#nt-title")
	officer.types("#nt-title", "Cắt điện từ 8 đến 11 giờ")
	officer.types("#nt-text", "Bà con sạc pin trước, cẩn thận khi dùng nến.")
	officer.tap("#nt-groups [value=g1]")
	officer.shot("console-notice")
	officer.tap("#nt-send")
	member.reads("[data-testid=pinned]", "Cắt điện từ 8 đến 11 giờ")
	member.shot("home-pinned")
	officer.reads(".notices li", "1 tổ")
	member.tap("[data-testid=pin-read]")
	member.seesNo("[data-testid=pinned]")
	officer.reads(".notices li", "1 người đã xem")
	officer.tap(".notices [data-withdraw]")
	officer.tap(".notices [data-withdraw-yes]")
	officer.reads(".notices li", "Đã rút")
	member.tap("[data-testid=tab-group]")
	member.tap("[data-testid=open-talk]")
	member.reads(".m.gone", "Thông báo này đã được rút")
}
