package stories

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/internal/alarm"
	"github.com/keng-vn/keng/internal/village/stage"
)

const (
	picturesPath = "../../../docs/pictures"
	pictureBytes = 350_000
)

// picture takes the screen as it is, for the README.
func (p *person) picture(name string) {
	p.t.Helper()
	p.do(`document.activeElement?.blur()`)
	raw, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		p.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, img); err != nil {
		p.t.Fatal(err)
	}
	if small.Len() > len(raw) {
		small = *bytes.NewBuffer(raw)
	}
	if small.Len() > pictureBytes {
		p.t.Errorf("%s is %d bytes, at most %d", name, small.Len(), pictureBytes)
	}
	if err := os.WriteFile(filepath.Join(picturesPath, name+".png"), small.Bytes(), 0o644); err != nil { //nolint:gosec // pictures are for everybody
		p.t.Fatal(err)
	}
	p.t.Logf("%s: %d kB", name, small.Len()/1000)
}

// The pictures of the README, as Keng looks today: make pictures.
func TestPictures(t *testing.T) {
	if os.Getenv("KENG_PICTURES") == "" {
		t.Skip("pictures are taken with KENG_PICTURES=1 (make pictures)")
	}
	if err := os.MkdirAll(picturesPath, 0o755); err != nil {
		t.Fatal(err)
	}
	o := stage.Options{}
	if b := boundaries(t); b != nil {
		o.Boundaries = b
	} else {
		t.Log("no boundaries on the desk's map: set KENG_FIXTURES")
	}
	s := play(t, o)
	if err := s.Prove(t.Context(), "g1-h6", "g2-h4"); err != nil {
		t.Fatal(err)
	}
	member, neighbour, leader := atRest(t, s)
	night, day := arrive(t, s, "the officer at night", desk.atNight()).signIn("desk"), arrive(t, s, "the officer by day", desk).signIn("desk")
	for _, p := range []*person{night, day} {
		p.tap("h1")
		p.sees(".mapc[data-ready]")
	}
	picturesOfAnAlarm(t, s, member, neighbour, night)
	for p, name := range map[*person]string{night: "console-night", day: "console-day"} {
		p.tap(".inc:has(strong)")
		if p == night {
			p.key("m")
			p.sees(".mapc.near")
		}
		p.lets(1500) // the map flies there
		p.picture(name)
	}
	for _, i := range incidents(t, s) {
		if i.Closed == nil && i.Group == "g1" {
			ask(t, s, i, "attend", nil)
			ask(t, s, i, "answers", map[string]string{"home": "g1-h4", "answer": "safe", "reason": "đã gặp"})
			ask(t, s, i, "close", map[string]string{"cause": "real", "note": ""})
		}
	}
	leader.tap("[data-testid=past-done]")
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-drill]")
	leader.tap("[data-testid=drill-yes]")
	member.sees(".incoming.drill")
	member.still()
	member.picture("drill")
}

// atRest takes the pictures of a quiet evening.
func atRest(t *testing.T, s *stage.Stage) (member, neighbour, leader *person) {
	t.Helper()
	guest := arrive(t, s, "a guest", phone)
	guest.open("/welcome")
	guest.picture("welcome")
	sign := func(name, key string, l look) *person {
		p := arrive(t, s, name, l).signIn(key)
		p.tap("[data-testid=tab-group]") // now it may sound
		p.sees(".homes")
		p.tap("[data-testid=tab-gong]")
		p.reload() // the letters are on the phone now
		p.sees("#gong")
		p.tap("[data-testid=tab-group]")
		p.tap("[data-testid=tab-gong]")
		p.seesNo("[data-testid=bell-off]")
		p.still()
		return p
	}
	member, neighbour, leader = sign("the member", "member", phone), sign("the neighbour", "neighbour", phone.atNight()), sign("the leader", "leader", phone)
	member.picture("home")
	leader.tap("[data-testid=tab-group]")
	leader.sees("[data-testid=equipment] li[data-device]")
	leader.do(`document.querySelector('li[data-home=g1-h6]').scrollIntoView({block:'start'})`)
	leader.picture("leader")
	member.offline(true)
	member.tap("#gong")
	member.tap("#ask [data-kind=medical]")
	member.tap("[data-testid=ask-yes]")
	member.sees("[data-testid=queued][data-late=true]")
	member.still()
	member.picture("offline")
	member.tap("[data-testid=take-back]")
	member.offline(false)
	s.Await(t.Context(), "the alarm that was taken back is over", func() (bool, string) { //nolint:errcheck // the next picture shows it
		list := incidents(t, s)
		return list[len(list)-1].Closed != nil, "it is open"
	})
	if member.soon(2*time.Second, shown("[data-testid=past-done]")) {
		member.tap("[data-testid=past-done]")
	}
	member.sees("#gong")
	return member, neighbour, leader
}

// picturesOfAnAlarm takes the pictures from the finger on the gong to the desk's
// acknowledgement.
func picturesOfAnAlarm(t *testing.T, s *stage.Stage, member, neighbour, night *person) {
	t.Helper()
	up := member.down("#gong")
	member.until("a ring that is half full", `document.querySelector('#gong .prg')?.getAnimations?.().some(a=>a.currentTime>900)||false`)
	member.picture("hold")
	member.until("the alarm", shown(".sent[data-incident]"))
	up()
	member.tap("[data-kind=fire]")
	member.sees(`[data-kind=fire][aria-pressed=true]`)
	neighbour.sees(".incoming.live")
	neighbour.reads("#it", "Cháy")
	answers(t, s, map[string]alarm.Answer{"g1-h2": alarm.Coming, "g1-h7": alarm.Safe})
	neighbour.sees(".lane .house.coming")
	neighbour.still()
	neighbour.picture("incoming")
	press(t, s, "g3-h2")
	night.until("two alarms", `document.querySelectorAll('.inc').length===2`)
	neighbour.tap(".abtn.coming")
	neighbour.sees("[data-testid=answered][data-sending=false]")
	answers(t, s, map[string]alarm.Answer{"g1-h4": alarm.NeedHelp})
	night.reads(".inc", "1 cần cứu")
	night.tap(".inc:has(strong)")
	night.key("a")
	member.reads("[data-testid=taken]", "Trực ban đã tiếp nhận")
	member.do("scrollTo(0,0)")
	member.still()
	member.picture("sent")
	neighbour.picture("answered")
}

// answers lets the desk write down what homes of g1 told it.
func answers(t *testing.T, s *stage.Stage, all map[string]alarm.Answer) {
	t.Helper()
	for _, i := range incidents(t, s) {
		if i.Closed != nil || i.Group != "g1" {
			continue
		}
		for home, a := range all {
			ask(t, s, i, "answers", map[string]string{"home": home, "answer": string(a), "reason": "gọi điện"})
		}
	}
}

func ask(t *testing.T, s *stage.Stage, i alarm.IncidentView, verb string, body any) {
	t.Helper()
	if body == nil {
		body = struct{}{}
	}
	if err := s.Ask(t.Context(), "POST", "/api/v1/incidents/"+string(i.ID)+"/"+verb, body, nil); err != nil {
		t.Fatal(err)
	}
}
