package stories

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/village/stage"
)

// at opens a page under the name at which passkeys work: a browser has none at an
// address in digits.
func (p *person) at(path string) {
	p.t.Helper()
	p.run(chromedp.Navigate(strings.Replace(p.stage.URL(), "127.0.0.1", "localhost", 1) + path))
}

// finger gives the person's browser an authenticator that knows his finger.
func (p *person) finger() *person {
	p.t.Helper()
	call(p, webauthn.Enable, webauthn.EnableParams{})
	call(p, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return p
}

// Two people come by invitation, keep a way in with a finger, and one strikes the
// gong. One signs out and comes back by finger alone.
func TestInvitePasskeyAndAlarmOnTwoPhones(t *testing.T) {
	s := play(t, stage.Options{})
	come := func(name, home string) *person {
		p := arrive(t, s, name, phone).finger()
		path, err := s.Invite(t.Context(), placeOf(home), "")
		if err != nil {
			t.Fatal(err)
		}
		p.at(path)
		p.tap("form button.big")
		p.sees("#add")
		p.seesNo("#nokey")
		p.tap("#add")
		p.atHome()
		return p
	}
	presser, neighbour := come("the presser", "g1-h3"), come("the neighbour", "g1-h5")
	presser.holdGong()
	neighbour.sees(".incoming.live")
	sirens(t, s, "g1", 7)
	presser.tap("[data-testid=call-off]")
	presser.tap("[data-testid=past-done]")

	presser.tap("[data-testid=tab-more]")
	presser.tap("[data-testid=sign-out]")
	presser.tap("[data-testid=sign-out-yes]")
	presser.tap("#enter")
	presser.atHome()
	presser.holdGong()
	neighbour.sees(".incoming.live")
	sirens(t, s, "g1", 7)
}

// Where there are no passkeys, six pairs of words on paper do, without a script.
func TestPaperLetsSomebodyBackIn(t *testing.T) {
	s := play(t, stage.Options{})
	p := arrive(t, s, "grandmother", phone)
	path, err := s.Invite(t.Context(), "g1-h4", "")
	if err != nil {
		t.Fatal(err)
	}
	p.open(path) // at an address in digits
	p.tap("form button.big")
	p.sees("#nokey")
	p.seesNo("#add")
	p.tap("form[action='/key/phrase'] button")
	p.sees(".words")
	card := p.text(".who dd")
	words := value[string](p, `[...document.querySelectorAll('.words li')].map(e=>e.innerText).join(' ')`)
	if len(strings.Fields(words)) != 12 || len(card) != 9 {
		t.Fatalf("card %q, words %q", card, words)
	}
	p.tap("#later")
	p.atHome()
	p.tap("[data-testid=tab-more]")
	p.tap("[data-testid=sign-out]")
	p.tap("[data-testid=sign-out-yes]")
	p.tap("a[href='/sign-in']")
	p.provoke(401, 400)
	p.types("#card", card)
	p.types("#words", "meo vang song dai")
	p.tap(".paper button")
	p.sees("#wrong")
	p.types("#words", unmarked(words))
	p.tap(".paper button")
	p.atHome()
}

func placeOf(home string) place.HomeID { return place.HomeID(home) }

// unmarked is s as somebody types it who is in a hurry.
func unmarked(s string) string { return place.Fold(s) }

// Somebody has lost her phone: the leader locks it out and invites her again, the
// old phone is signed out at once, and the neighbours see the new one.
func TestALostPhoneIsReplacedAndNeighboursSeeIt(t *testing.T) {
	s := play(t, stage.Options{})
	invited := func(name string) *person {
		path, err := s.Invite(t.Context(), "g1-h4", "")
		if err != nil {
			t.Fatal(err)
		}
		return arrive(t, s, name, phone).accept(path)
	}
	old := invited("the lost phone")
	leader := arrive(t, s, "the leader", phone).signIn("leader")
	neighbour := arrive(t, s, "the neighbour", phone).signIn("neighbour")
	neighbour.tap("[data-testid=tab-group]")
	neighbour.sees("[data-testid=phones]")
	neighbour.seesNo("[data-testid=new-phones],[data-testid=reinvite]") // inviting is the leader's

	old.provoke(401)
	leader.tap("[data-testid=tab-group]")
	leader.tap("[data-testid=reinvite]")
	leader.tap("#reinvite-sheet [data-person=g1-h4]")
	leader.tap("[data-testid=lost]")
	leader.sees("#reinvite-sheet img")
	code := leader.text("[data-testid=invite-code]")
	old.until("the page of welcome", `location.pathname==='/welcome'`)

	fresh := arrive(t, s, "the new phone", phone)
	fresh.open("/welcome")
	fresh.types("#in", code)
	fresh.tap(".code button")
	fresh.tap("form button.big")
	fresh.tap("#later")
	fresh.atHome()

	neighbour.tap("[data-testid=tab-gong]")
	neighbour.tap("[data-testid=tab-group]")
	neighbour.reads("[data-testid=new-phones]", "Điện thoại mới")

	fresh.tap("[data-testid=tab-more]")
	fresh.tap("[data-testid=door-open]")
	fresh.reads("[data-testid=sessions]", "Máy này")
	if n := fresh.count("[data-testid=sessions] li"); n != 1 {
		t.Errorf("%d devices are signed in, want the new one", n)
	}
}

// An officer sees his devices and keys, asks for a colleague, and cannot agree
// with himself.
func TestAnOfficerAsksForAColleague(t *testing.T) {
	s := play(t, stage.Options{})
	for _, name := range []string{"Thượng uý Lê Mai", "Trung uý Đỗ Nam"} {
		if _, err := s.App().People.Officer(t.Context(), people.Desk, "04792", name); err != nil {
			t.Fatal(err)
		}
	}
	officer := arrive(t, s, "the officer", desk).signIn("desk")
	officer.tap("#account")
	officer.reads("#account-dialog [data-testid=sessions]", "máy này")
	officer.reads("#account-dialog [data-testid=colleagues]", "Thượng uý Lê Mai")
	officer.tap("#account-dialog li:not(:first-child) [data-act=ask]")
	officer.reads("#account-dialog [data-testid=colleagues]", "Chờ đồng nghiệp khác xác nhận")
	officer.seesNo("#account-dialog [data-act=agree]")
	officer.tap("#sign-out")
	officer.tap("#sign-out-yes")
	officer.until("the page of welcome", `location.pathname==='/welcome'`)
}

// Every page of signing in suits a finger that trembles, large letters on a small
// screen, and whoever hears instead of sees.
func TestSignInSuitsEverybody(t *testing.T) {
	s := play(t, stage.Options{})
	source := axeSource(t)
	p := arrive(t, s, "the elder", look{wide: 320, high: 640, finger: true}).finger()
	check := func(what string) {
		t.Helper()
		p.still()
		for _, bad := range value[[]string](p, "("+controls+")(56,true)") {
			t.Errorf("%s: %s", what, bad)
		}
		for _, bad := range value[[]string](p, "("+clipped+")(true)") {
			t.Errorf("%s: %s", what, bad)
		}
		for _, bad := range axe(p, source) {
			t.Errorf("%s: %+v", what, bad)
		}
	}
	path, err := s.Invite(t.Context(), "g1-h4", "")
	if err != nil {
		t.Fatal(err)
	}
	p.at("/sign-in")
	check("paper typed in")
	p.at(path)
	p.tap("form button.big")
	p.sees("#add")
	check("how to come in next time")
	p.tap("form[action='/key/phrase'] button")
	p.sees(".words")
	check("the paper")
	p.tap("#later")
	p.atHome()
	p.tap("[data-testid=tab-more]")
	p.tap("[data-testid=door-open]")
	p.sees("[data-testid=keys] li")
	check("my ways in")
}
