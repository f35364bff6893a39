package duty

import (
	"errors"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// quiet counts incidents that wait.
type quiet struct{ n int }

func (q *quiet) Waiting(people.Actor) int { return q.n }

// roster knows officers.
type roster map[people.ID]people.Person

func (r roster) Person(id people.ID) (people.Person, bool) { p, ok := r[id]; return p, ok }

func officer(id people.ID, r people.Role, unit place.UnitCode) people.Actor {
	return people.Actor{Person: id, Name: string(id), Role: r, Scope: place.Scope{Unit: unit}, Posts: people.PostsOf(people.Post{Role: r, At: place.Scope{Unit: unit}})}
}

func hasKey(t *testing.T, err error, key string) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Key != key {
		t.Errorf("error %v, want %s", err, key)
	}
}

func TestShiftIsHandedOverWithNothingOwed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), Migrations); err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
		tuan, ha, chief, far := officer("tuan", people.Desk, "04792"), officer("ha", people.Desk, "04792"), officer("chief", people.Chief, "04792"), officer("far", people.Desk, "04795")
		rings := &quiet{}
		folk := roster{}
		for _, a := range []people.Actor{tuan, ha, chief, far} {
			folk[a.Person] = people.Person{ID: a.Person, Name: a.Name, Posts: a.Posts}
		}
		v := &Service{DB: db, Rights: people.Rights{}, Alarms: rings, Folk: folk, Now: func() time.Time { return now }}
		ctx := t.Context()

		planned, err := v.Plan(ctx, chief, "tuan", now, now.Add(8*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Plan(ctx, chief, "tuan", now.Add(7*time.Hour), now.Add(9*time.Hour))
		hasKey(t, err, "duty.shift_overlaps")
		_, err = v.Plan(ctx, chief, "chief", now, now.Add(time.Hour))
		hasKey(t, err, "duty.not_of_the_desk")
		_, err = v.Plan(ctx, chief, "far", now, now.Add(time.Hour))
		hasKey(t, err, "duty.not_of_the_desk")
		_, err = v.Plan(ctx, chief, "ha", now, now.Add(25*time.Hour))
		hasKey(t, err, "duty.shift_times")
		_, err = v.Plan(ctx, far, "far", now.Add(-2*time.Hour), now.Add(-time.Hour))
		hasKey(t, err, "duty.shift_times")
		later, err := v.Plan(ctx, tuan, "ha", now.Add(8*time.Hour), now.Add(16*time.Hour))
		if err != nil {
			t.Fatal(err)
		}

		_, err = v.HandOver(ctx, tuan, "", "x")
		hasKey(t, err, "duty.not_on")
		for range 2 { // pressed twice
			if s, err := v.Take(ctx, tuan); err != nil || s.ID != planned.ID || !s.On() {
				t.Fatalf("took %+v, %v", s, err)
			}
		}
		if err := v.Drop(ctx, chief, planned.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a shift that is stood was dropped: %v", err)
		}
		rings.n = 1
		_, err = v.HandOver(ctx, tuan, "", "x")
		hasKey(t, err, "duty.incidents_waiting")
		rings.n = 0
		note, err := v.Leave(ctx, ha, "", "Chìa khoá ở ngăn kéo")
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.HandOver(ctx, tuan, "", "x")
		hasKey(t, err, "duty.notes_unread")
		hasKey(t, v.Seen(ctx, far, note.ID), "duty.note_unknown")
		for range 2 {
			if err := v.Seen(ctx, tuan, note.ID); err != nil {
				t.Fatal(err)
			}
		}
		_, err = v.HandOver(ctx, tuan, "", " ")
		hasKey(t, err, "duty.note_empty")
		if h, err := v.HandOver(ctx, tuan, "", "Yên cả đêm"); err != nil || h.By != "tuan" {
			t.Fatalf("handed over %+v, %v", h, err)
		}
		_, err = v.HandOver(ctx, tuan, "", "Yên cả đêm")
		hasKey(t, err, "duty.not_on")
		if o, err := v.Owed(ctx, tuan); err != nil || !o.None() {
			t.Errorf("owes his own note: %+v, %v", o, err)
		}
		if o, err := v.Owed(ctx, ha); err != nil || len(o.Notes) != 1 {
			t.Errorf("the next one does not owe it: %+v, %v", o, err)
		}
		if all, err := v.Rota(ctx, chief); err != nil || len(all) != 1 || all[0].ID != later.ID {
			t.Errorf("rota %+v, %v", all, err)
		}
		if all, err := v.Rota(ctx, far); err != nil || len(all) != 0 {
			t.Errorf("another commune's rota %+v, %v", all, err)
		}
		_, err = v.Take(ctx, chief)
		hasKey(t, err, "fault.denied")
		if err := v.Drop(ctx, chief, later.ID); err != nil {
			t.Error(err)
		}
		if s, err := v.Take(ctx, ha); err != nil || s.ID == later.ID {
			t.Errorf("took the shift that was dropped: %+v, %v", s, err)
		}
	})
}
