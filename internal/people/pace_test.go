package people

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
)

func TestRightAndWrongCodesTakeTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(answerInviteFrom)
		took := func(right bool, work time.Duration) time.Duration {
			start := time.Now()
			_ = p.answer(t.Context(), "t", func() (bool, error) { time.Sleep(work); return right, nil })
			return time.Since(start)
		}
		for _, work := range []time.Duration{0, 100 * time.Millisecond} {
			if a, b := took(true, work), took(false, work); a != answerInviteFrom || b != answerInviteFrom {
				t.Errorf("right %v, wrong %v", a, b)
			}
		}
		for range 3*paceStep + 1 {
			p.note()
		}
		if a, b := took(true, 0), took(false, 0); a != b || a != 8*answerInviteFrom {
			t.Errorf("under attack: right %v, wrong %v, want %v", a, b, 8*answerInviteFrom)
		}
		time.Sleep(time.Minute)
		if a := took(true, 0); a != answerInviteFrom {
			t.Errorf("a minute later %v", a)
		}
	})
}

func TestGuessersDoNotFillTheHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(answerInviteFrom)
		var busy int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 10 * paceRoom {
			all.Go(func() {
				if err := p.answer(t.Context(), "t", func() (bool, error) { return false, nil }); fault.KindOf(err) == fault.Busy && err != nil {
					mu.Lock()
					busy++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if busy != 9*paceRoom {
			t.Errorf("%d were sent away", busy)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.answer(ctx, "t", func() (bool, error) { return true, nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("who left gets %v", err)
		}
	})
}

func TestCodesAreReadAsPeopleWriteThem(t *testing.T) {
	code := newCode()
	for _, s := range []string{code, ShowCode(code), " " + ShowCode(code) + " "} {
		if got, ok := readCode(s); !ok || got != code {
			t.Errorf("%q is read as %q", s, got)
		}
	}
	if got, ok := readCode("oil1-0Oo0-zzzz"); !ok || got != "01110000ZZZZ" {
		t.Errorf("%q", got)
	}
	for _, s := range []string{"", "123", "ABCDEFGHJKLMN", "ABCD-EFGH-JKL!", "ƠBCDEFGHJKMN", "UUUUUUUUUUUU"} {
		if got, ok := readCode(s); ok {
			t.Errorf("%q is read as %q", s, got)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		seen[newCode()] = true
	}
	if len(seen) != 1000 {
		t.Error("codes repeat")
	}
}
