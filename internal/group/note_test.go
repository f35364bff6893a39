package group_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/group"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

const secret = "Bà cụ không đi lại được, khoá cửa sau 4321"

// TestWhoMayOpenANoteAndWhen asks everybody in every state of an alarm, against an
// oracle that was written from the promise, not from the policy.
func TestWhoMayOpenANoteAndWhen(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh, nga, son := y.joined(lan, "Bình"), y.joined(lan, "Nga"), y.joined(lan, "Sơn")
		y.must(y.Name(ctx, lan, group.Term{Group: lan.Group, Person: son.Person, Role: people.Deputy}))
		other := y.founded("Hải")
		y.must(y.SetNote(ctx, binh, secret))
		who := map[string]people.Actor{
			"nobody": {}, "leader": lan, "coming": nga, "home itself": binh, "member": y.joined(lan, "Tư"), "deputy": y.actor(son.Person),
			"other leader": other, "desk": desk(),
			"other desk":   {Person: "p-d2", Role: people.Desk, Scope: place.Scope{Unit: "04795"}},
			"desk program": {Token: "roll", Role: people.Desk, Scope: place.Scope{Unit: "04792"}},
			"chief":        {Person: "p-c", Role: people.Chief, Scope: place.Scope{Unit: "04792"}},
			"auditor":      {Person: "p-a", Role: people.Auditor, Scope: place.Scope{Unit: "04792"}},
			"admin":        {Person: "p-m", Role: people.Admin, Scope: place.Scope{Unit: "25"}},
			"leader's key": {Token: "app", Role: people.Leader, Group: lan.Group, Scope: place.Scope{Group: lan.Group}},
		}
		asked, opened := 0, 0
		for _, open := range []bool{true, false} {
			for _, live := range []bool{true, false} {
				for _, silent := range []bool{true, false} {
					for _, comes := range []bool{true, false} {
						e := group.Emergency{Group: lan.Group, Open: open, Live: live, Silent: silent}
						if comes {
							e.Coming = []people.ID{nga.Person}
						}
						id := fmt.Sprintf("i-%v-%v-%v-%v", open, live, silent, comes)
						y.alarms[id] = e
						for name, a := range who {
							want := open && live && (name == "desk" || !silent && (name == "leader" || name == "coming" && comes))
							before := y.count(`SELECT count(*) FROM group_opening WHERE incident = $1 AND person = $2`, id, a.Person)
							text, _, err := y.OpenNote(ctx, a, id, binh.Home)
							after := y.count(`SELECT count(*) FROM group_opening WHERE incident = $1 AND person = $2`, id, a.Person)
							if got := err == nil; got != want || got != (text == secret) || (after-before == 1) != got {
								y.t.Errorf("%s in open %v, live %v, silent %v, coming %v: opened %v, want %v (%v); %d lines", name, open, live, silent, comes, got, want, err, after-before)
							}
							if err != nil && name != "nobody" && fault.KindOf(err) != fault.NotFound {
								y.t.Errorf("%s learns more than that there is nothing: %v", name, err)
							}
							if _, err := y.Notes(ctx, a, id); (err == nil) != want {
								y.t.Errorf("%s lists notes: %v, want %v", name, err, want)
							}
							asked++
							if want {
								opened++
							}
						}
					}
				}
			}
		}
		if asked != 16*len(who) || opened != 7 {
			y.t.Errorf("%d asked, %d opened", asked, opened)
		}
	})
}

func TestEachOpeningIsSeenByItsHome(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh, nga := y.joined(lan, "Bình"), y.joined(lan, "Nga")
		y.must(y.SetNote(ctx, binh, secret))
		y.alarms["loud"] = group.Emergency{Group: lan.Group, Open: true, Live: true, Coming: []people.ID{nga.Person}}
		y.alarms["holdup"] = group.Emergency{Group: lan.Group, Open: true, Live: true, Silent: true}
		_, _, err := y.OpenNote(ctx, nga, "loud", binh.Home)
		y.must(err)
		_, _, err = y.OpenNote(ctx, desk(), "holdup", binh.Home)
		y.must(err)

		note, seen, err := y.OwnNote(ctx, binh)
		if err != nil || note != secret || len(seen) != 1 || seen[0].Person != nga.Person || seen[0].Leaf == "" {
			y.t.Errorf("the home reads %q and sees %+v, %v", note, seen, err)
		}
		log, err := y.log.Of(ctx, string(binh.Person), 0, 100)
		y.must(err)
		n := 0
		for _, e := range log {
			if e.Name == "group.note_open" {
				n++
			}
		}
		if n != 1 {
			y.t.Errorf("the log shows %d openings while a hold-up goes on, want the loud one only", n)
		}
		y.alarms["holdup"] = group.Emergency{Group: lan.Group, Live: true, Silent: true} // over
		if _, seen, err = y.OwnNote(ctx, binh); err != nil || len(seen) != 2 || seen[0].Role != people.Desk && seen[1].Role != people.Desk {
			y.t.Errorf("after the hold-up the home sees %+v, %v", seen, err)
		}
		if note, seen, err := y.OwnNote(ctx, lan); err != nil || note != "" || len(seen) != 0 {
			y.t.Errorf("the leader reads %q, %v, %v", note, seen, err)
		}
	})
}

func TestNoteIsNotInTheDatabase(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		y.must(y.SetNote(ctx, lan, "cửa trước"))
		y.must(y.SetNote(ctx, binh, secret))
		var sealed string
		y.must(y.db.Read().QueryRowContext(ctx, `SELECT sealed FROM group_note WHERE home = $1`, binh.Home).Scan(&sealed))
		if sealed == "" || strings.Contains(sealed, "4321") {
			y.t.Errorf("stored as %q", sealed)
		}
		if own, _, err := y.OwnNote(ctx, lan); err != nil || own != "cửa trước" {
			y.t.Errorf("her own note reads %q, %v", own, err)
		}
		// Whoever can write into the database still cannot give a home the note of another.
		y.must(y.db.Exec(ctx, `UPDATE group_note SET sealed = $2 WHERE home = $1`, lan.Home, sealed))
		_, _, err := y.OwnNote(ctx, lan)
		y.refused(err, fault.Internal, "group.note_not_open")
		y.must(y.SetNote(ctx, binh, "  "))
		if n := y.count(`SELECT count(*) FROM group_note WHERE home = $1`, binh.Home); n != 0 {
			y.t.Error("an empty note stays")
		}
	})
}

func TestNoteThatCannotBeWrittenDownIsNotShown(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		y.must(y.SetNote(ctx, lan, secret))
		y.alarms["i"] = group.Emergency{Group: lan.Group, Open: true, Live: true}
		y.must(y.db.Exec(ctx, `DROP TABLE group_opening`))
		if text, _, err := y.OpenNote(ctx, desk(), "i", lan.Home); err == nil || text != "" {
			y.t.Errorf("shown without a line: %q", text)
		}
	})
}
