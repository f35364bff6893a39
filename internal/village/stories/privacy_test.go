package stories

import (
	"fmt"
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// swap lets a browser's answers about one entry say something else.
const swap = `{const f=window.fetch;window.fetch=async(u,o)=>{const r=await f(u,o);if(!/\/me\/acts\/\d/.test(u))return r;
const e=await r.json();(%s)(e);return new Response(JSON.stringify(e),{headers:{'content-type':'application/json'}})}}`

// An officer looks at a group; a resident sees who and when, and her own phone
// checks it. Then she asks for a correction, which the officer answers, and for
// what is held about her.
func TestResidentSeesWhoLookedAndHerPhoneChecksIt(t *testing.T) {
	s := play(t, stage.Options{Demo: true})
	officer := arrive(t, s, "the officer", desk).signIn("desk")
	officer.sees(".panes")
	resident := arrive(t, s, "the resident", phone).signIn("neighbour")
	resident.tap("[data-testid=tab-more]")
	resident.tap("[data-testid=mine-open]")
	resident.reads("[data-testid=acts]", "Trực ban công an")
	resident.reads("[data-testid=acts]", "đã xem tên, địa chỉ và số điện thoại các nhà trong tổ bạn")
	button := `[data-testid=acts] [data-testid^=check-]`
	resident.tap(button)
	resident.sees("[data-testid=verdict][data-verdict=good]")
	resident.seesNo("[data-testid=verdict].bad")
	resident.sees("[data-testid=proof-down]")
	resident.shot("privacy-proof")

	for _, c := range []struct{ name, change, verdict string }{
		{"the leaf says another act", `e=>{e.leaf=e.leaf.replace('privacy.look','privacy.lock')}`, "tree"},
		{"somebody else is said to have looked", `e=>{e.opens.find(o=>o.field==='by').value='person/another'}`, "sealed"},
		{"another root", `e=>{const at=e.proof.indexOf('\n\n')+2;const l=e.proof.slice(at).split('\n');l[2]='47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';e.proof=e.proof.slice(0,at)+l.join('\n')}`, "tree"},
		{"another size, with its signature", `e=>{const at=e.proof.indexOf('\n\n')+2;e.proof=e.proof.slice(0,at)+e.proof.slice(at).replace(/^(.*\n.*\n.*\n)/,'$1more\n')}`, "signature"},
		{"another key", `e=>{e.key='keng/25/other+00000000+AaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA'}`, "key"},
	} {
		p := arrive(t, s, c.name, phone).signIn("neighbour")
		p.tap("[data-testid=tab-more]")
		p.tap("[data-testid=mine-open]")
		p.tap(button)
		p.sees("[data-testid=verdict][data-verdict=good]") // remembers the key
		p.key("Escape")
		p.seesNo("[data-testid=verdict]")
		p.do(fmt.Sprintf(swap, c.change))
		p.tap(button)
		p.sees("[data-testid=verdict].bad[data-verdict=" + c.verdict + "]")
	}

	resident.key("Escape")
	resident.shot("privacy-mine")
	resident.tap("[data-testid=ask-right]")
	resident.tap("[data-kind=correct]")
	resident.types("#right-text", "Số điện thoại nhà tôi đã đổi")
	resident.shot("privacy-ask")
	resident.tap("[data-testid=right-send]")
	resident.reads("[data-testid=asks]", "Chờ tiếp nhận")

	officer.key("q")
	officer.reads("[data-testid=rights]", "Số điện thoại nhà tôi đã đổi")
	officer.shot("privacy-queue")
	officer.tap("[data-request] [data-act=take]")
	officer.reads("[data-testid=rights]", "Đã tiếp nhận")
	officer.tap("[data-request] [data-act=yes]")
	officer.types("[data-request] textarea", "Đã sửa số mới")
	officer.tap("[data-request] [data-act=send]")
	officer.sees("[data-request][data-outcome=done]")

	resident.tap("[data-testid=mine-back]")
	resident.tap("[data-testid=mine-open]")
	resident.reads("[data-testid=asks]", "Đã sửa số mới")
	resident.reads("[data-testid=acts]", "đã thực hiện yêu cầu của bạn")
	resident.do(`{const f=window.fetch;window.fetch=async(u,o)=>{const r=await f(u,o);if(String(u).endsWith('/export'))window.exported=await r.clone().text();return r}}`)
	resident.tap("[data-testid=export-html]")
	resident.until("what is held about her", `window.exported?.includes('Những gì Kẻng đang giữ về bạn')&&window.exported.includes('Đã sửa số mới')`)
}
