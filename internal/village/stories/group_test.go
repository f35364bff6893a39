package stories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/xuri/excelize/v2"
)

// path is the way to an invite, from what was made of it.
func pathOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path == "" {
		t.Fatalf("link %q: %v", link, err)
	}
	return u.Path
}

// letter makes an invite for an adult of a home on the leader's phone and returns
// the way to it.
func (p *person) letter(home, name string) string {
	p.t.Helper()
	p.tap(`[data-household="` + home + `"] [data-testid=invite]`)
	p.types("#invite-name", name)
	p.tap("[data-testid=invite-yes]")
	p.sees("[data-testid=letter] img")
	code := strings.TrimSpace(p.text("[data-testid=code]"))
	if value[int](p, `document.querySelector('[data-testid=letter] img').naturalWidth`) == 0 {
		p.t.Error("the QR code is not drawn")
	}
	p.tap("[data-testid=letter-done]")
	return "/i/" + strings.ReplaceAll(code, "-", "")
}

// shot keeps a picture of the screen when pictures are asked for.
func (p *person) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("KENG_SHOTS")
	if dir == "" {
		return
	}
	p.still()
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// fits measures targets and text of what is on the screen.
func (p *person) fits(where string) {
	p.t.Helper()
	p.still()
	for _, bad := range value[[]string](p, "("+controls+")(56,true)") {
		p.t.Errorf("%s: %s", where, bad)
	}
	for _, bad := range value[[]string](p, "("+clipped+")(true)") {
		p.t.Errorf("%s: %s", where, bad)
	}
	p.shot(where)
}

// upload puts a file into a field, as the file dialog does.
func (p *person) upload(sel, file string) {
	p.t.Helper()
	p.sees(sel)
	doc := call(p, dom.GetDocument, dom.GetDocumentParams{})
	node := call(p, dom.QuerySelector, dom.QuerySelectorParams{NodeID: doc.Root.NodeID, Selector: sel})
	call(p, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, NodeID: node.NodeID})
}

// sheet writes a spreadsheet and returns where it is.
func sheet(t *testing.T, name string, rows ...[]any) string {
	t.Helper()
	f := excelize.NewFile()
	for i, r := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &r); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), name)
	if err := f.SaveAs(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// The desk takes the list that its ward keeps: what is wrong is named, then it is
// checked, taken, and taken back.
func TestDeskTakesTheListOfItsWard(t *testing.T) {
	s := play(t, noOptions)
	officer := arrive(t, s, "the desk", desk).signIn("desk")
	officer.key("/")
	officer.sees("[data-testid=register]")
	head := []any{"STT", "Họ và tên", "Địa chỉ", "SĐT", "Tổ liên gia"}
	officer.upload("#rg-file", sheet(t, "sai.xlsx", head, []any{1, "Lò Văn Mạnh", "Số 1", "12", "Tổ liên gia số 9"}))
	officer.tap("#rg-go")
	officer.reads("[data-testid=told][data-refused=true] [data-row='2']", "Điện thoại")
	officer.do(`document.querySelector('[data-testid=told]').scrollIntoView()`)
	officer.shot("desk-refused")
	officer.upload("#rg-file", sheet(t, "danh-sach.xlsx", head, []any{1, "Lò Văn Mạnh", "Số 1", "0912345678", "Tổ liên gia số 9"}, []any{2, "Hà Thị Thu", "Số 3", "", "Tổ liên gia số 9"}))
	officer.tap("#rg-go")
	officer.reads("[data-testid=told][data-refused=false]", "Nhà: thêm 2")
	officer.tap("#rg-go")
	officer.reads("[data-testid=told]", "Đã nhập")
	officer.reads("[data-group]", "Tổ liên gia số 9") // at once, on the same screen
	officer.do(`document.querySelector('[data-import]').scrollIntoView({block:'center'})`)
	officer.shot("desk-register")
	officer.tap("[data-import] [data-act=undo]")
	officer.reads("[data-import]", "đã hoàn tác")
	officer.until("the group is gone", `![...document.querySelectorAll('[data-group]')].some(e=>e.innerText.includes('Tổ liên gia số 9'))`)
	officer.types("#fo-name", "Phạm Thị Hoà")
	officer.tap("#fo-go")
	officer.sees("[data-testid=founder] img")
	officer.shot("desk-founder")
}

// A leader founds a group on the phone, two homes come by invitation and sign the
// rules, an alarm rings, a neighbour who comes opens a sealed note, and its home
// sees who did.
func TestALeaderFoundsAGroupAndANoteOpensInAnAlarm(t *testing.T) {
	s := play(t, noOptions)
	officer := arrive(t, s, "the desk", desk).signIn("desk")
	made := value[string](officer, `fetch('/api/v1/founders',{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify({name:'Phạm Thị Hoà'})}).then(r=>r.text())`)
	var letter struct{ Link string }
	if err := json.Unmarshal([]byte(made), &letter); err != nil {
		t.Fatal(err)
	}

	leader := arrive(t, s, "the leader", phone)
	leader.open(pathOf(t, letter.Link))
	leader.tap("form button.big")
	leader.tap("#later")
	leader.sees("[data-testid=found]")
	leader.fits("found")
	leader.types("#group-name", "Tổ liên gia số 4")
	leader.types("#group-place", "Tổ 7")
	leader.types("#home-name", "Nhà bà Phạm Thị Hoà")
	leader.types("#home-address", "Số 1, ngõ 20")
	leader.tap("[data-testid=found-yes]")
	leader.sees("#gong")
	leader.reads(".top h1", "Tổ liên gia số 4")

	// The rules, in the words that are there to begin with.
	leader.tap("[data-testid=tab-group]")
	leader.sees("[data-testid=own]")
	leader.fits("group")
	leader.tap("[data-pane=rules]")
	leader.tap("[data-testid=write-charter]")
	leader.fits("write")
	leader.tap("[data-testid=publish]")
	leader.tap("[data-testid=sign]")
	leader.reads("[data-testid=signed-count]", "1/1")
	leader.fits("rules")
	leader.tap("[data-testid=own-close]")

	// Two homes, each adult by a letter of his own.
	homes := map[string]string{}
	leader.tap("[data-pane=homes]")
	for _, name := range []string{"Nhà ông Lò Văn Mạnh", "Nhà chị Hà Thị Thu"} {
		leader.tap("[data-testid=add-home]")
		leader.types("#home-name", name)
		leader.tap("[data-testid=save-home]")
		leader.reads("#own-sheet h3", name)
		homes[name] = value[string](leader, `[...document.querySelectorAll('[data-household]')].find(e=>e.innerText.includes(`+quoted(name)+`)).dataset.household`)
	}
	leader.fits("homes")
	manhs, thus := homes["Nhà ông Lò Văn Mạnh"], homes["Nhà chị Hà Thị Thu"]
	leader.tap(`[data-household="` + manhs + `"] [data-testid=invite]`)
	leader.fits("invite")
	leader.types("#invite-name", "Lò Văn Mạnh")
	leader.tap("[data-testid=invite-yes]")
	leader.sees("[data-testid=letter] img")
	leader.fits("letter")
	toManh := "/i/" + strings.ReplaceAll(strings.TrimSpace(leader.text("[data-testid=code]")), "-", "")
	leader.tap("[data-testid=letter-done]")
	toThu := leader.letter(thus, "Hà Thị Thu")
	leader.tap("[data-testid=own-close]")

	manh := arrive(t, s, "Mạnh", look{wide: 320, high: 640, finger: true, large: true}).accept(toManh)
	thu := arrive(t, s, "Thu", phone).accept(toThu)
	for _, p := range []*person{manh, thu} {
		p.tap("[data-testid=tab-group]")
		p.tap("[data-testid=read-sign]")
		p.tap("[data-testid=sign]")
		p.sees("[data-testid=signed]")
		p.fits("signed-" + p.name)
		p.seesNo("[data-testid=unsigned]") // who has not signed is the leader's business
		p.tap("[data-testid=own-close]")
	}
	leader.reload()
	leader.atHome()
	leader.tap("[data-testid=tab-group]")
	leader.reads("[data-pane=rules]", "3/3")

	// What helpers must know.
	const secret = "Bà cụ ở phòng trong, không tự đi được"
	manh.tap("[data-pane=note]")
	manh.types("#note-text", secret)
	manh.tap("[data-testid=save-note]")
	manh.reads("[data-testid=note-said]", "Đã niêm phong")
	manh.fits("note")
	manh.tap("[data-testid=own-close]")
	for _, pane := range []string{"homes", "gear", "around", "skills", "leave"} {
		manh.tap("[data-pane=" + pane + "]")
		manh.sees("#own-sheet")
		manh.fits("small-" + pane)
		manh.tap("[data-testid=own-close]")
	}
	manh.tap("[data-testid=tab-gong]")
	manh.holdGong()

	thu.sees(".incoming.live")
	leader.sees(".incoming.live")
	thu.seesNo("[data-testid=home-notes]") // she has not said that she comes
	thu.tap(".abtn.coming")
	thu.sees(`[data-open-note="` + manhs + `"]`)
	thu.fits("incoming")
	thu.tap(`[data-open-note="` + manhs + `"]`)
	thu.reads(`[data-note="`+manhs+`"]`, secret)
	thu.fits("opened")
	leader.sees(`[data-open-note="` + manhs + `"]`) // the leader may too, and does not have to

	officer.sees(`[data-testid=home-notes] [data-open-note="` + manhs + `"]`)
	officer.tap(`[data-open-note="` + manhs + `"]`)
	officer.reads(`[data-note="`+manhs+`"]`, secret)
	officer.shot("desk-note")

	leader.tap("[data-testid=control]")
	leader.tap("[data-testid=close]")
	leader.tap("#close-sheet label:has(input[value=real])")
	leader.tap("[data-testid=close-yes]")
	thu.sees("[data-testid=past]")
	thu.seesNo("[data-testid=home-notes],[data-note]")
	manh.tap("[data-testid=past-done]")
	manh.tap("[data-testid=tab-group]")
	manh.tap("[data-pane=note]")
	manh.reads("[data-testid=openings]", "Hà Thị Thu")
	manh.fits("openings")
	if n := manh.count("[data-testid=openings] li"); n != 2 { // Thu and the desk
		t.Errorf("%d openings, want two", n)
	}
	manh.tap("[data-testid=own-close]")

	// Leaving: two taps, and nothing is asked.
	thu.tap("[data-testid=past-done]")
	thu.tap("[data-testid=tab-group]")
	thu.tap("[data-pane=leave]")
	thu.tap("[data-testid=leave-me]")
	thu.fits("leave")
	thu.provoke(http.StatusUnauthorized) // her stream ends, and her phone asks who she is
	thu.tap("[data-testid=leave-yes]")
	thu.until("the welcome page", `location.pathname==='/welcome'`)
	leader.tap("[data-testid=past-done]")
	leader.until("one home less", `document.querySelectorAll('ul.homes > li').length===2`)
}
