package signin

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/place"
)

// TestWordsAreFrozen: a paper that was handed out is read with these words.
func TestWordsAreFrozen(t *testing.T) {
	sum := sha256.Sum256([]byte(strings.Join(things, " ") + "|" + strings.Join(qualities, " ")))
	if got := hex.EncodeToString(sum[:8]); got != "f36f344237861325" {
		t.Errorf("the words are others: %s", got)
	}
	for _, list := range [][]string{things, qualities} {
		seen := map[string]bool{}
		for _, w := range list {
			f := place.Fold(w)
			if seen[f] || strings.Trim(f, "abcdefghijklmnopqrstuvwxyz") != "" || norm.NFC.String(w) != w {
				t.Errorf("%q is there twice without its marks, or is no word", w)
			}
			seen[f] = true
		}
		if len(seen) != 64 {
			t.Errorf("%d words, want 64: 6 bits each", len(seen))
		}
	}
}

// TestEveryPhraseIsReadInOneWay follows two readers of the same letters who are
// not at the same word: they never end together.
func TestEveryPhraseIsReadInOneWay(t *testing.T) {
	lists := [][]string{foldedThings, foldedQualities}
	type state struct {
		owed          string // what one reader has read and the other has not
		behind, ahead int    // whose turn it is: 0 a thing, 1 a quality
	}
	var todo []state
	seen := map[state]bool{}
	for p, list := range lists {
		for _, a := range list {
			for _, b := range list {
				if a != b && strings.HasPrefix(b, a) {
					todo = append(todo, state{b[len(a):], 1 - p, 1 - p})
				}
			}
		}
	}
	if len(todo) == 0 {
		t.Fatal("no word begins another: nothing was looked at")
	}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[s] {
			continue
		}
		seen[s] = true
		for _, w := range lists[s.behind] {
			switch {
			case w == s.owed:
				t.Errorf("%q can be read in two ways", w)
			case strings.HasPrefix(s.owed, w):
				todo = append(todo, state{s.owed[len(w):], 1 - s.behind, s.ahead})
			case strings.HasPrefix(w, s.owed):
				todo = append(todo, state{w[len(s.owed):], s.ahead, 1 - s.behind})
			}
		}
	}
}

func TestPhrasesAreReadAsPeopleTypeThem(t *testing.T) {
	for range 200 {
		list := newPhrase()
		want, _, ok := readPhrase(strings.Join(list, " "))
		if !ok || strings.Count(want, " ") != 2*pairs-1 {
			t.Fatalf("%q is not read", list)
		}
		for _, typed := range []string{
			strings.Join(list, ", "), strings.ToUpper(strings.Join(list, "  ")), norm.NFD.String(strings.Join(list, "\n")), want, strings.ReplaceAll(want, " ", ""),
			"1. " + strings.Join(list, " 2. "), strings.Join(list, "-"),
		} {
			if got, _, ok := readPhrase(typed); !ok || got != want {
				t.Errorf("%q is read as %q, want %q", typed, got, want)
			}
		}
	}
	for typed, stranger := range map[string]string{"": "", "mèo vàng": "", "mèo vàng con thuyền": "con", "vàng mèo": "", strings.Repeat("mèo vàng ", 7): "", strings.Repeat("a", 2000): ""} {
		if got, s, ok := readPhrase(typed); ok || s != stranger {
			t.Errorf("%q is read as %q, stranger %q", typed, got, s)
		}
	}
}

func TestCardsAreReadAsPeopleTypeThem(t *testing.T) {
	for range 100 {
		card := newCard()
		for _, typed := range []string{card, ShowCard(card), " " + ShowCard(card), card[:2] + "." + card[2:5] + "-" + card[5:]} {
			if got, ok := readCard(typed); !ok || got != card {
				t.Errorf("%q is read as %q", typed, got)
			}
		}
	}
	for _, typed := range []string{"", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨", strings.Repeat(" ", 50) + "12345678"} {
		if got, ok := readCard(typed); ok {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
}

func FuzzReadPhrase(f *testing.F) {
	f.Add("mèo vàng sông dài nhà cao núi xanh cá ngọt tre thẳng")
	f.Add("MEOVANGSONGDAINHACAONUIXANHCANGOTTRETHANG")
	f.Fuzz(func(t *testing.T, s string) {
		read, stranger, ok := readPhrase(s)
		if ok && stranger != "" || !ok && read != "" || len(stranger) > 20 {
			t.Errorf("%q: %q, %q, %v", s, read, stranger, ok)
		}
		if again, _, yes := readPhrase(read); ok && (!yes || again != read) {
			t.Errorf("%q is read as %q, and that as %q", s, read, again)
		}
	})
}

func FuzzReadCard(f *testing.F) {
	f.Add("4172 0395")
	f.Fuzz(func(t *testing.T, s string) {
		if card, ok := readCard(s); ok && (len(card) != 8 || strings.Trim(card, "0123456789") != "") {
			t.Errorf("%q is read as %q", s, card)
		}
	})
}

// TestCodesAreThoseOfTheStandard: RFC 6238, appendix B, its last six digits.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got, err := codeAt(secret, at/30); err != nil || got != want {
			t.Errorf("at %d: %s, %v, want %s", at, got, err, want)
		}
	}
	c, err := newCode(secret, "41720395")
	if err != nil || c.Secret != base32.StdEncoding.EncodeToString(secret) || !strings.HasPrefix(c.URI, "otpauth://totp/Keng:41720395?") || !strings.HasPrefix(c.QR, "data:image/svg+xml") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestWhoGuessesWaitsAndNobodyForEver(t *testing.T) {
	var tr tries
	now := time.Unix(0, 0)
	var waits []int
	for range triesAtMost {
		if w := tr.begin("1", now); w != 0 {
			t.Fatalf("a first try waits %v", w)
		}
		w := tr.begin("1", now)
		waits = append(waits, int(w/time.Second))
		if w2 := tr.begin("1", now.Add(w-time.Millisecond)); w2 != time.Millisecond {
			t.Errorf("%v, a millisecond before its time", w2)
		}
		if tr.begin("2", now) != 0 && len(waits) == 1 {
			t.Error("another card waits")
		}
		now = now.Add(w)
	}
	if got := waits; len(got) != 10 || got[0] != 1 || got[1] != 2 || got[5] != 32 || got[6] != 60 || got[8] != 60 || got[9] <= 60 || got[9] > 900 {
		t.Errorf("waits %v", got)
	}
	if w := tr.begin("1", now); w != 0 { // the first try is a quarter of an hour ago
		t.Errorf("locked out for %v more", w)
	}
	tr.right("1")
	if w := tr.begin("1", now); w != 0 {
		t.Errorf("its owner was here, and yet %v", w)
	}
}

func TestTriesDoNotFillTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr tries
		now := time.Now()
		for i := range triesKnown + 100 {
			tr.begin(string(rune(i))+ShowCard("12345678"), now)
		}
		if len(tr.cards) > triesKnown || len(tr.order) != len(tr.cards) {
			t.Errorf("%d cards, %d in order", len(tr.cards), len(tr.order))
		}
		tr.begin("later", now.Add(triesWithin))
		if len(tr.cards) != 1 {
			t.Errorf("%d cards are remembered after their time", len(tr.cards))
		}
	})
}
