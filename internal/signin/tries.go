package signin

import (
	"sync"
	"time"
)

const (
	triesAtMost  = 10               // for one card within triesWithin
	triesWithin  = 15 * time.Minute // after which all is forgotten
	longestDelay = time.Minute      // between two tries
	triesKnown   = 50_000           // cards in memory; the oldest goes first
)

// tries counts what was tried with each card, whether anybody has that card or
// not. It knows no addresses. It is safe for use by many goroutines.
type tries struct {
	mu    sync.Mutex
	cards map[string][]time.Time // of the tries within triesWithin, oldest first
	order []string               // of first appearance
}

// begin counts a try with card, or says how long to wait before the next.
func (t *tries) begin(card string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cards == nil {
		t.cards = map[string][]time.Time{}
	}
	list, known := t.cards[card]
	for len(list) > 0 && now.Sub(list[0]) >= triesWithin {
		list = list[1:]
	}
	if n := len(list); n > 0 {
		wait = list[n-1].Add(min(time.Second<<(n-1), longestDelay)).Sub(now)
		if n >= triesAtMost {
			wait = max(wait, list[0].Add(triesWithin).Sub(now))
		}
		if wait > 0 {
			t.cards[card] = list
			return wait
		}
	}
	if !known {
		t.room(now)
		t.order = append(t.order, card)
	}
	t.cards[card] = append(list, now)
	return 0
}

// room forgets the card that was tried first, when there are too many.
func (t *tries) room(now time.Time) {
	for len(t.order) > 0 {
		list := t.cards[t.order[0]]
		if len(t.cards) < triesKnown && len(list) > 0 && now.Sub(list[len(list)-1]) < triesWithin {
			return
		}
		delete(t.cards, t.order[0])
		t.order = t.order[1:]
	}
}

// right forgets the tries of a card: its owner is here.
func (t *tries) right(card string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.cards[card]; ok {
		t.cards[card] = nil
	}
}
