package signin

import (
	"crypto/rand"
	"strings"
	"unicode"

	"github.com/keng-vn/keng/internal/place"
)

// pairs is how many pairs of words a phrase has: 6 x (6 + 6) = 72 bits.
const pairs = 6

// things and qualities are what phrases are made of: 64 each, known to everybody,
// different without their marks, and none that hurts in any pair. A paper that was
// handed out depends on them: they are never changed, see TestWordsAreFrozen.
var (
	things = words(`mèo gà vịt trâu bò ngựa voi hổ khỉ rùa cá tôm cua ốc ong kiến
		cò lúa ngô khoai sen mai đào tre dừa bưởi chuối xoài vải ổi núi sông
		suối biển đồi rừng ruộng vườn nhà cầu chợ đình thuyền xe trống sáo đèn nón
		áo khăn giếng bếp nồi bát mâm ghế bàn trăng mưa gió mây chuông diều mít`)
	qualities = words(`đỏ xanh vàng trắng tím nâu hồng xám nhỏ cao thấp dài ngắn rộng hẹp tròn
		vuông thẳng cong nặng nhẹ nhanh chậm mới sạch thơm ngọt chua cay mặn bùi nóng
		lạnh ấm mát khô sáng tối sâu đầy đông vui hiền ngoan khoẻ giỏi đẹp xinh
		tươi già mềm dẻo giòn mịn nhám đục yên êm lặng xa gần cuối đôi lớn`)
)

// The same, as they are read.
var foldedThings, foldedQualities = fold(things), fold(qualities)

func words(s string) []string { return strings.Fields(s) }

// newPhrase draws a phrase: "mèo vàng", "sông dài", ...
func newPhrase() []string {
	b := make([]byte, 2*pairs)
	_, _ = rand.Read(b) // never fails
	list := make([]string, pairs)
	for i := range list {
		list[i] = things[b[2*i]%64] + " " + qualities[b[2*i+1]%64]
	}
	return list
}

// readPhrase reads a phrase as people type it, with or without marks, spaces,
// commas and capitals, and brings it to the one form that is hashed. Of words
// that are none it reports the first, which is no secret: the list is public.
func readPhrase(s string) (phrase, stranger string, ok bool) {
	if len(s) > 1000 {
		return "", "", false
	}
	folded := place.Fold(s)
	letters := strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, folded)
	if read, ok := spell(letters); ok {
		return read, "", true
	}
	known := map[string]bool{}
	for _, w := range append(append([]string{}, things...), qualities...) {
		known[place.Fold(w)] = true
	}
	for _, w := range strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !known[w] && len(w) <= 20 {
			return "", w, false
		}
	}
	return "", "", false
}

// spell finds the one way in which letters are a phrase: a thing, a quality, and
// so on. It is false when there is none, or more than one.
func spell(letters string) (string, bool) {
	type place struct{ at, n int } // n words end before letter at
	ways := map[place]int{{0, 0}: 1}
	from := map[place]string{}
	for n := range 2 * pairs {
		list := foldedThings
		if n%2 == 1 {
			list = foldedQualities
		}
		for at := range len(letters) {
			here := ways[place{at, n}]
			if here == 0 {
				continue
			}
			for _, w := range list {
				if strings.HasPrefix(letters[at:], w) {
					to := place{at + len(w), n + 1}
					ways[to] += here
					from[to] = w
				}
			}
		}
	}
	end := place{len(letters), 2 * pairs}
	if ways[end] != 1 {
		return "", false
	}
	read := make([]string, 2*pairs)
	for n := 2 * pairs; n > 0; n-- {
		w := from[end]
		read[n-1] = w
		end = place{end.at - len(w), n - 1}
	}
	return strings.Join(read, " "), true
}

func fold(list []string) []string {
	folded := make([]string, len(list))
	for i, w := range list {
		folded[i] = place.Fold(w)
	}
	return folded
}
