package alarm

import (
	"context"
	"fmt"
	"testing"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// poison makes the database refuse every event whose column is value, as a broken
// constraint would; the returned func takes that back.
func poison(t *testing.T, db *store.DB, column, value string) (cure func()) {
	t.Helper()
	row := map[string]string{"group_id": "decoy", "kind": "decoy", "press_key": "decoy"}
	row[column] = value
	for _, q := range []string{
		fmt.Sprintf(`INSERT INTO alarm_event (group_id, n, incident_id, at_ms, kind, press_key, body, chain) VALUES ('%s', -9, '', 0, '%s', '%s', '{}', '')`, row["group_id"], row["kind"], row["press_key"]),
		fmt.Sprintf(`CREATE UNIQUE INDEX poison ON alarm_event (%s) WHERE %s = '%s'`, column, column, value),
	} {
		if err := db.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		for _, q := range []string{`DROP INDEX poison`, `DELETE FROM alarm_event WHERE n = -9`} {
			if err := db.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// agreed fails unless the journal, the auditor and what is shown agree.
func agreed(t *testing.T, v *Service, b *Book) {
	t.Helper()
	if r := v.Audit(); !r.OK {
		t.Errorf("audit %+v", r.Violations)
	}
	if got, err := b.Verify(t.Context()); err != nil || len(got.Wrong) > 0 {
		t.Errorf("verify: %v, %v", got, err)
	}
}

func (b *Book) countAside(t *testing.T) (n int) {
	t.Helper()
	if err := b.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM alarm_aside`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRefusedEventIsSetAsideAndTheJournalGoesOn: the database will never take one
// act. It counts all the same, what follows is journaled, and after a restart all
// is as people saw it.
func TestRefusedEventIsSetAsideAndTheJournalGoesOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, b, stop := start(t, dsn)
		i, err := v.wait(t.Context(), "t", Event{Kind: Pressed, Group: "g1", Home: "g1-h1", Category: signal.Fire, Key: "p1", By: member("g1-h1")})
		if err != nil {
			t.Fatal(err)
		}
		cure := poison(t, b.DB, "kind", string(AckedKind))
		if _, err := v.checked(t.Context(), "t", Event{Kind: AckedKind, Group: "g1", Incident: i.ID, By: leader()}); err != nil {
			t.Errorf("the act counts, and the person was told: %v", err)
		}
		j, err := v.checked(t.Context(), "t", Event{Kind: AnsweredKind, Group: "g1", Incident: i.ID, Home: "g1-h2", Answer: Coming, By: member("g1-h2")})
		if err != nil {
			t.Fatal(err)
		}
		if h := b.Commit.Health(); h.Stuck != nil || h.Refused == 0 {
			t.Errorf("health %+v", h)
		}
		if n := b.countAside(t); n != 1 || b.Aside() != 1 {
			t.Errorf("%d rows are set aside, %d told", n, b.Aside())
		}
		cure()
		agreed(t, v, b)
		stop()

		v, sirens, b, stop := start(t, dsn)
		defer stop()
		v.Resume()
		if got := v.group("g1").find(i.ID); got == nil || got.Response != Acknowledged || got.Version < j.Version || !sirens.last().Sounding {
			t.Errorf("after the restart: %+v", got)
		}
		if b.Aside() != 1 {
			t.Errorf("after the restart %d are told to be set aside", b.Aside())
		}
		agreed(t, v, b)
	})
}

// TestRefusedPressIsSafeOnlyOnceItsIncidentIs: the press itself can never be
// written. It rings, and is acknowledged when its incident is on disk.
func TestRefusedPressIsSafeOnlyOnceItsIncidentIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, sirens, b, stop := start(t, dsn)
		cure := poison(t, b.DB, "kind", string(Signaled))
		safe := make(chan int, 2)
		v.Take(push("k1"), func() {
			var n int
			_ = b.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM alarm_event WHERE group_id = 'g1'`).Scan(&n)
			safe <- n
		})
		if !sirens.last().Sounding {
			t.Error("silent")
		}
		if n := <-safe; n != 1 {
			t.Errorf("acknowledged with %d entries in the journal", n)
		}
		cure()
		agreed(t, v, b)
		stop()
		v, sirens, b, stop = start(t, dsn)
		defer stop()
		v.Resume()
		if !sirens.last().Sounding || len(v.peek("g1")) != 1 {
			t.Error("the press was acknowledged and is gone")
		}
		again := push("k1")
		again.Resent = true
		v.Take(again, func() { safe <- 0 })
		<-safe
		if len(v.peek("g1")) != 1 || len(sirens.told) != 1 {
			t.Error("its repetition is a second alarm")
		}
		agreed(t, v, b)
	})
}

// TestNothingIsSafeWhileEverythingIsRefused: not even the state of the incident can
// be written. Nobody is told that it is safe, the auditor says so, other groups go
// on; once the database takes it, all is well.
func TestNothingIsSafeWhileEverythingIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, sirens, b, stop := start(t, dsn)
		defer stop()
		cure := poison(t, b.DB, "group_id", "g1")
		safe, other := make(chan bool, 2), make(chan bool, 1)
		v.Take(push("k1"), func() { safe <- true })
		v.Take(push("k1"), func() { safe <- true })
		far := push("k2")
		far.Group, far.Home, far.Device = "g2", "g2-h1", "g2-h1-button"
		v.Take(far, func() { other <- true })
		<-other
		for range 4 { // the refusal, what was set aside, the incident, its turn
			if err := b.Commit.Wait(t.Context(), func(context.Context, *store.Batch) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if len(safe) > 0 {
			t.Fatal("acknowledged, and not on disk")
		}
		if d := v.Desired("g1"); !d.Sounding || len(sirens.told) != 2 {
			t.Errorf("desired %+v", d)
		}
		if r := v.Audit(); r.OK || r.Violations[0].Rule != "I1" || r.Violations[0].Key != "audit.not_journaled" {
			t.Errorf("audit %+v", r)
		}
		cure()
		v.Audit() // tries again
		<-safe
		<-safe
		agreed(t, v, b)
	})
}

// TestCommitWhoseAnswerWasLost: the database has the event, and says so only when
// it is asked again. It is no other event, and nothing is set aside.
func TestCommitWhoseAnswerWasLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, b, stop := start(t, dsn)
		defer stop()
		for k := range 3 {
			s := push(fmt.Sprint("k", k))
			s.Home = place.HomeID(fmt.Sprintf("g1-h%d", k+1))
			done := make(chan bool)
			v.Take(s, func() { close(done) })
			<-done
		}
		delete(b.tails, "g1") // as if those commits had failed
		records, bodies, err := b.events(t.Context(), "g1", 1)
		if err != nil || len(records) != 3 {
			t.Fatal(len(records), err)
		}
		res := make(chan error, 4)
		for k, r := range records {
			b.Append(r.Event, bodies[k], true, func(err error) { res <- err })
		}
		s := push("k9")
		s.Home = "g1-h7"
		v.Take(s, func() { res <- nil })
		for range 4 {
			if err := <-res; err != nil {
				t.Error(err)
			}
		}
		if records, _, err := b.events(t.Context(), "g1", 1); err != nil || len(records) != 4 {
			t.Errorf("%d events, want 4, %v", len(records), err)
		}
		agreed(t, v, b)
	})
}

func TestKeyThatNoDatabaseTakes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		v, _, b, stop := start(t, dsn)
		defer stop()
		for _, key := range []string{"nul\x00", "bad\xff"} {
			for range 2 {
				done := make(chan bool)
				v.Take(push(key), func() { close(done) })
				<-done
			}
		}
		if n := b.countAside(t); n != 0 {
			t.Errorf("%d set aside", n)
		}
		if records, _, err := b.events(t.Context(), "g1", 1); err != nil || len(records) != 2 {
			t.Errorf("%d events, want one for each key, %v", len(records), err)
		}
		agreed(t, v, b)
	})
}
