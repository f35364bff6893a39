package stories

import (
	"testing"

	"github.com/keng-vn/keng/internal/village/stage"
)

// hidden lists the answers that are not wholly on the screen as it appears, above
// what sticks to its foot.
const hidden = `(()=>{
	scrollTo(0,0)
	const foot=document.querySelector('.incoming .foot').getBoundingClientRect().top,all=[...document.querySelectorAll('.ans .abtn')]
	if(all.length<3) return ['only '+all.length+' answers']
	return all.map(b=>[b.innerText.split('\n')[0],b.getBoundingClientRect()]).filter(([,r])=>r.bottom>foot+.5||r.top<0).map(([n,r])=>n+' ends at '+Math.round(r.bottom)+', the foot begins at '+Math.round(foot))
})()`

// torn is whether the title of an alarm needs more than one line.
const torn = `(()=>{const h=document.querySelector('.ititle h1'),s=getComputedStyle(h);return h.getBoundingClientRect().height>1.5*parseFloat(s.lineHeight)})()`

// Whoever is asked how he is sees every answer without scrolling, in an alarm and in
// a drill, in both languages.
func TestEveryAnswerIsOnTheFirstScreen(t *testing.T) {
	s := play(t, stage.Options{})
	member := arrive(t, s, "the member", phone).signIn("member")
	looks := func(what string) {
		t.Helper()
		for _, lang := range []string{"en", "vi"} {
			member.do(`document.cookie='keng_lang=` + lang + `;path=/'`)
			member.reload()
			member.sees(".ans .abtn.help")
			member.shot("answers-" + what + "-" + lang)
			if bad := value[[]string](member, hidden); len(bad) > 0 {
				t.Errorf("%s, %s: %q", what, lang, bad)
			}
			if value[bool](member, torn) {
				t.Errorf("%s, %s: the title is torn", what, lang)
			}
		}
	}
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=start-drill]")
	leader.tap("[data-testid=drill-yes]")
	member.sees(".incoming.drill")
	looks("drill")
	press(t, s, "g1-h4")
	member.sees(".incoming.live")
	looks("alarm")
}
