package alarm

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

type evening struct {
	groups []place.Group
	struck []place.GroupID
}

func (e *evening) Groups() []place.Group { return e.groups }
func (e *evening) Calm(g place.GroupID)  { e.struck = append(e.struck, g) }

func TestAllCalmOnceAnEveningAndNotInAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 7:00 in Vietnam
		v, _ := newService(&paper{})
		e := &evening{groups: []place.Group{{ID: "g1", AllCalm: "22:00"}, {ID: "g2"}, {ID: "g3", AllCalm: "22:00"}}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { v.KeepCalm(ctx, e); close(done) }()
		time.Sleep(14 * time.Hour)
		synctest.Wait()
		if len(e.struck) != 0 {
			t.Fatalf("struck before 22:00: %v", e.struck)
		}
		s := push("k")
		s.Group = "g3"
		v.Take(s, func() {})
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if !slices.Equal(e.struck, []place.GroupID{"g1"}) {
			t.Errorf("struck %v, want g1 only: g2 did not opt in, in g3 it burns", e.struck)
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(e.struck) != 2 {
			t.Errorf("struck %v after two evenings", e.struck)
		}
		cancel()
		<-done
	})
}
