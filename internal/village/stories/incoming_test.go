package stories

import "testing"

// What comes above the answers while a finger is down must not turn "I come" into
// "we are safe".
func TestAnswerIsWhereTheFingerCameDown(t *testing.T) {
	s := play(t, noOptions)
	presser, neighbour := arrive(t, s, "the presser", phone).signIn("member"), arrive(t, s, "the neighbour", phone).signIn("neighbour")
	presser.holdGong()
	neighbour.sees(".incoming.live .abtn.coming")
	neighbour.still()
	push := `{const d=document.createElement('div');d.id='late';d.style.height=(document.querySelector('.abtn.safe').getBoundingClientRect().top-document.querySelector('.abtn.coming').getBoundingClientRect().top)+'px';document.querySelector('.ans').before(d)}`
	up := neighbour.down(".abtn.safe") // "I come" moves under the finger
	neighbour.do(push)
	up()
	neighbour.sees(".abtn.safe") // still asked
	neighbour.do(`document.querySelector('#late').remove()`)
	neighbour.tap(".abtn.coming")
	neighbour.sees("[data-testid=answered][data-answer=coming]")
	if n := neighbour.count("[data-testid=refused]"); n != 0 {
		t.Errorf("%d refusals", n)
	}
}
