package signin_test

import (
	"encoding/base32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/signin"
)

func tried(p signin.Paper) signin.Tried {
	return signin.Tried{Card: p.Card, Words: strings.Join(p.Words, " ")}
}

func (g *gate) paper(t *testing.T, a people.Actor) signin.Paper {
	t.Helper()
	p, err := g.MakePhrase(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPaperLetsItsOwnerIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		g := build(t, dsn)
		p := g.paper(t, g.lan)
		if len(p.Words) != 6 || len(p.Card) != 9 || p.Code != nil {
			t.Fatalf("%+v", p)
		}
		s, err := g.InByPhrase(t.Context(), tried(p))
		if err != nil || g.who(t, s) != g.lan {
			t.Fatal(err)
		}
		for _, table := range []string{"phrase", "session"} {
			if text := storetest.Dump(t, g.db, table); strings.Contains(text, p.Words[0]) || text == "" {
				t.Errorf("%s holds the words, or nothing", table)
			}
		}
		g.pass(time.Minute)
		again := g.paper(t, g.lan)
		_, err = g.InByPhrase(t.Context(), tried(p))
		wantKey(t, err, "signin.wrong")
		if _, err = g.InByPhrase(t.Context(), tried(again)); err != nil {
			t.Error(err)
		}
		for key, try := range map[string]signin.Tried{
			"signin.card_wrong": {Card: "12", Words: strings.Join(p.Words, " ")}, "signin.words_wrong": {Card: p.Card, Words: "mèo vàng"},
			"signin.word_unknown": {Card: p.Card, Words: "mèo vàng xyz"},
		} {
			_, err := g.InByPhrase(t.Context(), try)
			wantKey(t, err, key)
		}
	})
}

// TestAnOfficersPaperNeedsACode: never by paper alone, never by a code twice.
func TestAnOfficersPaperNeedsACode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		g := build(t, dsn)
		p := g.paper(t, g.desk)
		if p.Code == nil {
			t.Fatal("no secret for codes")
		}
		code := func(at time.Time) string {
			c, err := totp.GenerateCode(p.Code.Secret, at)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		raw, err := base32.StdEncoding.DecodeString(p.Code.Secret)
		if err != nil || strings.Contains(storetest.Dump(t, g.db, "phrase"), p.Code.Secret) || strings.Contains(storetest.Dump(t, g.db, "phrase"), b64(raw)) {
			t.Errorf("the secret is stored: %v", err)
		}
		try := tried(p)
		for _, c := range []string{"", "000000", code(g.clock().Add(-2 * time.Minute)), code(g.clock().Add(2 * time.Minute))} {
			try.Code = c
			_, err := g.InByPhrase(t.Context(), try)
			wantKey(t, err, "signin.wrong")
			g.pass(time.Minute)
		}
		try.Code = code(g.clock().Add(-30 * time.Second)) // a telephone that is late
		s, err := g.InByPhrase(t.Context(), try)
		if err != nil || g.who(t, s) != g.desk {
			t.Fatal(err)
		}
		_, err = g.InByPhrase(t.Context(), try)
		wantKey(t, err, "signin.wrong")
		g.pass(time.Minute)
		try.Code = code(g.clock())
		if _, err = g.InByPhrase(t.Context(), try); err != nil {
			t.Error(err)
		}
	})
}

// TestAResidentWhoBecomesAnOfficerNeedsMoreThanHisPaper: the role decides when he
// comes in, not when the paper was made.
func TestAResidentWhoBecomesAnOfficerNeedsMoreThanHisPaper(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	p := g.paper(t, g.lan)
	if err := g.db.Exec(t.Context(), `UPDATE people_grant SET role = 'desk', unit = '04792', group_id = '' WHERE person = $1`, g.lan.Person); err != nil {
		t.Fatal(err)
	}
	_, err := g.InByPhrase(t.Context(), tried(p))
	wantKey(t, err, "signin.wrong")
}

// TestGuessingAPaperIsSlowAndLocksNobodyOut: ten tries, and whoever has a passkey
// does not even notice.
func TestGuessingAPaperIsSlowAndLocksNobodyOut(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	phone := newDevice(t, here)
	g.add(t, g.lan, phone, "")
	p, other := g.paper(t, g.lan), g.paper(t, g.desk)
	wrong := tried(other)
	wrong.Card = p.Card
	unknown := wrong
	unknown.Card = "10000001"
	for _, try := range []signin.Tried{wrong, unknown} {
		began, tries := g.clock(), 0
		for g.clock().Sub(began) < 14*time.Minute {
			_, err := g.InByPhrase(t.Context(), try)
			if fault.KindOf(err) == fault.Unknown {
				tries++
			}
			g.pass(500 * time.Millisecond)
		}
		if tries != 10 {
			t.Errorf("%d tries with card %s", tries, try.Card)
		}
	}
	g.pass(-14 * time.Minute) // as when the first card was tried last
	if _, err := g.in(t, phone); err != nil {
		t.Errorf("who has a passkey is shut out: %v", err)
	}
	g.pass(29 * time.Minute)
	if _, err := g.InByPhrase(t.Context(), tried(p)); err != nil {
		t.Errorf("its owner is locked out: %v", err)
	}
}

// TestUnknownCardsCostWhatWrongWordsCost compares medians of real work; the bounds
// are wide because the machine does other things too.
func TestUnknownCardsCostWhatWrongWordsCost(t *testing.T) {
	g := build(t, t.TempDir()+"/keng.db")
	p, other := g.paper(t, g.lan), g.paper(t, g.desk)
	wrong := tried(other)
	wrong.Card = p.Card
	unknown := wrong
	unknown.Card = "10000001"
	var took [2][]time.Duration
	for range 25 {
		for k, try := range []signin.Tried{wrong, unknown} {
			began := time.Now()
			_, err := g.InByPhrase(t.Context(), try)
			took[k] = append(took[k], time.Since(began))
			wantKey(t, err, "signin.wrong")
		}
		g.pass(16 * time.Minute)
	}
	median := func(d []time.Duration) float64 { slices.Sort(d); return float64(d[len(d)/2]) }
	if ratio := median(took[0]) / median(took[1]); ratio < 0.6 || ratio > 1.7 {
		t.Errorf("wrong words take %.2f times what an unknown card takes", ratio)
	}
	if median(took[1]) < float64(2*time.Millisecond) {
		t.Errorf("an unknown card costs nothing: %v", took[1])
	}
}
