package group_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/seal"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/group"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// alley is a village without anybody in it, and the slice in it.
type alley struct {
	*group.Service
	t       *testing.T
	db      *store.DB
	folk    *people.Book
	people  *people.Service
	village *place.Watcher
	log     *audit.Log
	now     time.Time
	alarms  map[string]group.Emergency
	loud    bool
	unwired []place.HomeID
	told    []string
	gone    []people.ID
}

// Emergency implements group.Alarms.
func (y *alley) Emergency(_ context.Context, id string) (group.Emergency, bool, error) {
	e, ok := y.alarms[id]
	return e, ok, nil
}

// Loud implements group.Alarms.
func (y *alley) Loud(place.GroupID) bool { return y.loud }

// Unwire implements group.Wires.
func (y *alley) Unwire(_ context.Context, _ *sql.Tx, homes []place.HomeID) error {
	y.unwired = append(y.unwired, homes...)
	return nil
}

// Remind implements group.Teller.
func (y *alley) Remind(_ context.Context, to []people.ID, key string, args map[string]any) {
	y.told = append(y.told, fmt.Sprintf("%s %v to %d", key, args["days"], len(to)))
}

func build(t *testing.T, dsn string) *alley {
	t.Helper()
	y := &alley{t: t, db: storetest.Open(t, dsn), now: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC), alarms: map[string]group.Emergency{}}
	if err := y.db.Migrate(t.Context(), audit.Migrations, place.Migrations, people.Migrations, group.Migrations); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return y.now }
	log := slog.New(slog.DiscardHandler)
	var err error
	if y.village, err = place.Watch(t.Context(), y.db, log); err != nil {
		t.Fatal(err)
	}
	if y.folk, err = people.OpenBook(t.Context(), y.db); err != nil {
		t.Fatal(err)
	}
	y.folk.Now = clock
	y.village.Listen(func(ctx context.Context, _ *place.Directory) error { return y.folk.Reload(ctx) })
	box, err := seal.Load(filepath.Join(t.TempDir(), seal.File))
	if err != nil {
		t.Fatal(err)
	}
	y.people = people.New(y.db, log, clock)
	y.log = audit.New(y.db, y.db.Engine == store.Postgres, clock)
	y.Service = &group.Service{
		DB: y.db, Box: box, Rules: place.BuiltInRules(), Rights: people.Rights{}, Village: y.village, Folk: y.folk, People: y.people,
		Alarms: y, Wires: y, Log: y.log, Tell: y, Note: log, Now: clock, Left: func(_ context.Context, who ...people.ID) { y.gone = append(y.gone, who...) },
	}
	return y
}

func each(t *testing.T, f func(y *alley)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, dsn string) { f(build(t, dsn)) })
}

func (y *alley) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// refused wants a fault of that kind and key.
func (y *alley) refused(err error, k fault.Kind, key string) {
	y.t.Helper()
	if got := fmt.Sprint(err); fault.KindOf(err) != k || err == nil || !strings.Contains(got, key) {
		y.t.Errorf("answered %v, want %s", err, key)
	}
}

func desk() people.Actor {
	return people.Actor{Person: "p-desk", Name: "Đại uý Tuấn", Role: people.Desk, Scope: place.Scope{Unit: "04792"}}
}

// actor is somebody as he would be signed in now.
func (y *alley) actor(id people.ID) people.Actor {
	y.t.Helper()
	p, ok := y.folk.Person(id)
	if !ok {
		y.t.Fatalf("there is no %s", id)
	}
	return people.Actor{Person: p.ID, Name: p.Name, Role: p.Role, Home: p.Home, Group: p.Scope.Group, Scope: p.Scope}
}

// founded founds a group as a desk and a founder do, and returns its leader.
func (y *alley) founded(name string) people.Actor {
	y.t.Helper()
	i, err := y.InviteFounder(y.t.Context(), desk(), name)
	y.must(err)
	s, err := y.people.Redeem(y.t.Context(), i.Code)
	y.must(err)
	who := people.Actor{Person: s.Person.ID, Name: s.Person.Name, Role: s.Person.Role}
	_, err = y.Found(y.t.Context(), who, "key", group.Founding{Name: "Tổ của " + name, Neighbourhood: "Tổ 5", Home: group.NewHome{Name: "Nhà " + name, Address: "Số 1", Lat: 20.8, Lon: 105.3, Placed: true}})
	y.must(err)
	return y.actor(s.Person.ID)
}

// joined adds a home with an adult who comes, and returns him.
func (y *alley) joined(leader people.Actor, name string) people.Actor {
	y.t.Helper()
	h, err := y.AddHome(y.t.Context(), leader, leader.Group, group.NewHome{Name: "Nhà " + name})
	y.must(err)
	return y.comes(leader, h, name)
}

// comes invites an adult into home h and lets him in.
func (y *alley) comes(by people.Actor, h place.HomeID, name string) people.Actor {
	y.t.Helper()
	i, err := y.Invite(y.t.Context(), by, by.Group, h, name)
	y.must(err)
	s, err := y.people.Redeem(y.t.Context(), i.Code)
	y.must(err)
	return y.actor(s.Person.ID)
}

func TestFoundedGroupIsInTheVillageAtOnce(t *testing.T) {
	each(t, func(y *alley) {
		lan := y.founded("Bùi Thị Lan")
		binh := y.joined(lan, "Nguyễn Văn Bình")
		g, ok := y.village.Directory().Group(lan.Group)
		if !ok || len(g.Homes) != 2 || g.Commune != "04792" || g.Homes[0].ID != lan.Home || g.Homes[1].ID != binh.Home || !g.Homes[0].Placed {
			t := y.t
			t.Errorf("the village has %+v", g)
		}
		if p, _ := y.folk.LeaderOf(lan.Group); p.ID != lan.Person || binh.Role != people.Member {
			y.t.Errorf("leader %+v, member %+v", p, binh)
		}
		// The same act twice is one group; a second group needs a second invitation.
		again, err := y.Found(y.t.Context(), lan, "key", group.Founding{Name: "X", Home: group.NewHome{Name: "Y"}})
		if err != nil || again != lan.Group {
			y.t.Errorf("founded again: %s, %v", again, err)
		}
		_, err = y.Found(y.t.Context(), lan, "another", group.Founding{Name: "X", Home: group.NewHome{Name: "Y"}})
		y.refused(err, fault.Denied, "group.not_invited_to_found")
		if n := len(y.village.Directory().Groups()); n != 1 {
			y.t.Errorf("%d groups", n)
		}
	})
}

func TestNobodyFoundsUninvited(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		stranger := people.Actor{Person: "p-x", Role: people.Member}
		_, err := y.Found(ctx, stranger, "k", group.Founding{Name: "X", Home: group.NewHome{Name: "Y"}})
		y.refused(err, fault.Denied, "group.not_invited_to_found")
		_, err = y.InviteFounder(ctx, stranger, "Ai đó")
		y.refused(err, fault.Denied, "fault.denied")
		lan := y.founded("Lan")
		_, err = y.InviteFounder(ctx, lan, "Ai đó")
		y.refused(err, fault.Denied, "fault.denied")
		// Who was invited and has not founded yet may do nothing else.
		i, err := y.InviteFounder(ctx, desk(), "Người mới")
		y.must(err)
		s, err := y.people.Redeem(ctx, i.Code)
		y.must(err)
		new := people.Actor{Person: s.Person.ID, Role: s.Person.Role, Scope: s.Person.Scope}
		_, err = y.Look(ctx, new, lan.Group)
		y.refused(err, fault.NotFound, "group.unknown")
		u, err := y.Founding(ctx, new)
		if err != nil || u.Code != "04792" {
			y.t.Errorf("founding %+v, %v", u, err)
		}
	})
}

func TestOnlyHisOwnHomeSignsAndOnce(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		nga := y.comes(binh, binh.Home, "Nga") // everybody invites into his own home
		if _, err := y.Invite(ctx, binh, binh.Group, lan.Home, "X"); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member invites into another home: %v", err)
		}
		n, err := y.Write(ctx, lan, lan.Group, "Khi nghe kẻng thì chạy sang.")
		if err != nil || n != 1 {
			y.t.Fatalf("version %d, %v", n, err)
		}
		if _, err := y.Write(ctx, binh, lan.Group, "X"); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member writes rules: %v", err)
		}
		y.must(y.Sign(ctx, binh, lan.Group, 1))
		y.must(y.Sign(ctx, nga, lan.Group, 1)) // the home has signed: nothing changes
		w, err := y.Look(ctx, lan, lan.Group)
		y.must(err)
		if w.Charter.Signed != 1 || !slices.Equal(w.Charter.Missing, []place.HomeID{lan.Home}) {
			y.t.Errorf("signed %d, missing %v", w.Charter.Signed, w.Charter.Missing)
		}
		w, err = y.Look(ctx, nga, lan.Group)
		y.must(err)
		if len(w.Charter.Missing) != 0 || w.Charter.Mine == nil || w.Charter.Mine.By != "Bình" || w.Homes[0].Signed {
			y.t.Errorf("a member sees %+v", w.Charter)
		}
		y.must(second(y.Write(ctx, lan, lan.Group, "Khi nghe kẻng thì chạy sang, mang bình chữa cháy.")))
		y.refused(y.Sign(ctx, binh, lan.Group, 1), fault.Conflict, "group.charter_changed")
		w, err = y.Look(ctx, lan, lan.Group)
		y.must(err)
		if w.Charter.Version != 2 || w.Charter.Signed != 0 {
			y.t.Errorf("after a new version: %+v", w.Charter)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestNobodyIsPlayedByAnInvite(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		h, err := y.AddHome(ctx, lan, lan.Group, group.NewHome{Name: "Nhà Bình"})
		y.must(err)
		first, err := y.Invite(ctx, lan, lan.Group, h, "Nguyễn Văn Bình")
		y.must(err)
		second, err := y.Invite(ctx, lan, lan.Group, h, "nguyen van binh") // the first letter was lost
		y.must(err)
		if first.Person.ID != second.Person.ID {
			y.t.Error("one adult became two")
		}
		if _, err := y.people.Redeem(ctx, first.Code); fault.KindOf(err) != fault.NotFound {
			y.t.Errorf("the letter that was replaced still opens: %v", err)
		}
		_, err = y.people.Redeem(ctx, second.Code)
		y.must(err)
		_, err = y.Invite(ctx, lan, lan.Group, h, "Nguyễn Văn Bình")
		y.refused(err, fault.Conflict, "people.adult_known")
	})
}

func TestNeighboursNeedBothLeaders(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan, hai := y.founded("Lan"), y.founded("Hải")
		binh := y.joined(lan, "Bình")
		if err := y.Ask(ctx, binh, lan.Group, hai.Group); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member asks: %v", err)
		}
		y.must(y.Ask(ctx, lan, lan.Group, hai.Group))
		near := func() int { g, _ := y.village.Directory().Group(lan.Group); return len(g.Adjoining) }
		if near() != 0 {
			y.t.Error("asked is taken for accepted")
		}
		y.refused(y.Reply(ctx, lan, lan.Group, hai.Group, true), fault.NotFound, "group.not_asked") // not his own question
		w, err := y.Look(ctx, hai, hai.Group)
		y.must(err)
		if len(w.Neighbours) != 1 || w.Neighbours[0].State != "asks" {
			y.t.Errorf("the other leader sees %+v", w.Neighbours)
		}
		y.must(y.Reply(ctx, hai, hai.Group, lan.Group, true))
		if near() != 1 {
			y.t.Error("accepted is not joined")
		}
		y.must(y.Part(ctx, lan, lan.Group, hai.Group))
		if near() != 0 {
			y.t.Error("parted is still joined")
		}
		y.must(y.Ask(ctx, lan, lan.Group, hai.Group))
		y.must(y.Reply(ctx, hai, hai.Group, lan.Group, false))
		y.refused(y.Reply(ctx, hai, hai.Group, lan.Group, true), fault.NotFound, "group.not_asked")
		if near() != 0 {
			y.t.Error("refused is joined")
		}
	})
}

func TestGearIsSpokenOfBeforeItExpires(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		id, err := y.Equip(ctx, binh, group.Gear{Group: lan.Group, Home: binh.Home, Kind: group.Extinguisher, Label: "Bình bột 4 kg", Expires: "2026-08-20"})
		y.must(err)
		if _, err := y.Equip(ctx, binh, group.Gear{Group: lan.Group, Kind: group.Ladder, Label: "Thang"}); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member changes the group's own: %v", err)
		}
		if _, err := y.Equip(ctx, binh, group.Gear{Group: lan.Group, Home: lan.Home, Kind: group.Ladder, Label: "Thang"}); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member changes another home's: %v", err)
		}
		for _, day := range []string{"2026-07-10", "2026-07-22", "2026-07-22", "2026-08-14", "2026-08-20", "2026-08-25", "2026-08-26"} {
			at, err := time.Parse(time.DateOnly, day)
			y.must(err)
			y.now = at.Add(time.Hour) // 08:00 in Vietnam
			y.must(y.Keep(ctx))
		}
		want := []string{"group.gear_expires 29 to 2", "group.gear_expires 6 to 2", "group.gear_expires 0 to 2"}
		if diff := cmp.Diff(want, y.told); diff != "" {
			y.t.Errorf("reminders (-want +got):\n%s", diff)
		}
		w, err := y.Look(ctx, lan, lan.Group)
		y.must(err)
		if w.Gear[0].State != group.GearExpired || *w.Gear[0].Days != -6 {
			y.t.Errorf("gear %+v", w.Gear[0])
		}
		_, err = y.Equip(ctx, binh, group.Gear{ID: id, Group: lan.Group, Home: binh.Home, Kind: group.Extinguisher, Label: "Bình bột 4 kg", Expires: "2027-08-20"})
		y.must(err)
		y.must(y.Scrap(ctx, binh, lan.Group, id))
		y.refused(y.Scrap(ctx, binh, lan.Group, id), fault.NotFound, "group.gear_gone")
	})
}

func TestSkillsAreGivenAndTakenBackByOneself(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		y.must(y.Offer(ctx, lan, "nurse", true))
		y.must(y.Offer(ctx, lan, "nurse", true))
		w, err := y.Look(ctx, lan, lan.Group)
		y.must(err)
		if !slices.Equal(w.Homes[0].Adults[0].Skills, []group.Skill{"nurse"}) {
			y.t.Errorf("skills %v", w.Homes[0].Adults)
		}
		y.must(y.Offer(ctx, lan, "nurse", false))
		if w, err = y.Look(ctx, lan, lan.Group); err != nil || len(w.Mine) != 0 {
			y.t.Errorf("taken back: %v, %v", w.Mine, err)
		}
		y.refused(y.Offer(ctx, lan, "rich", true), fault.Invalid, "group.skill_unknown")
	})
}

func TestTermsBeginAndEndOnTheirDay(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		role := func(id people.ID) people.Role { p, _ := y.folk.Person(id); return p.Role }
		y.must(y.Name(ctx, lan, group.Term{Group: lan.Group, Person: binh.Person, Role: people.Deputy, Until: "2026-07-10"}))
		if role(binh.Person) != people.Deputy {
			y.t.Error("a deputy from today is none")
		}
		if err := y.Name(ctx, y.actor(binh.Person), group.Term{Group: lan.Group, Person: binh.Person, Role: people.Leader}); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a deputy makes himself leader: %v", err)
		}
		y.now = time.Date(2026, 7, 9, 17, 30, 0, 0, time.UTC) // 00:30 of the 10th in Vietnam
		y.must(y.Keep(ctx))
		if role(binh.Person) != people.Member {
			y.t.Error("a term that ran out still holds")
		}
		y.must(y.Name(ctx, lan, group.Term{Group: lan.Group, Person: binh.Person, Role: people.Leader, From: "2026-07-12"}))
		if role(binh.Person) != people.Member || role(lan.Person) != people.Leader {
			y.t.Error("a term began before its day")
		}
		y.now = time.Date(2026, 7, 12, 1, 0, 0, 0, time.UTC)
		y.must(y.Keep(ctx))
		if role(binh.Person) != people.Leader || role(lan.Person) != people.Member {
			y.t.Errorf("handed over: %s, %s", role(binh.Person), role(lan.Person))
		}
	})
}

func TestLeavingTakesTheDataAlong(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		nga := y.comes(binh, binh.Home, "Nga")
		y.must(second(y.Write(ctx, lan, lan.Group, "Quy chế")))
		y.must(y.Sign(ctx, binh, lan.Group, 1))
		y.must(y.Offer(ctx, binh, "nurse", true))
		y.must(y.SetNote(ctx, binh, "Bà cụ không đi lại được"))
		y.must(second(y.Equip(ctx, binh, group.Gear{Group: lan.Group, Home: binh.Home, Kind: group.Torch, Label: "Đèn"})))

		y.loud = true
		y.refused(y.Leave(ctx, binh), fault.Conflict, "group.leave_after_alarm")
		y.loud = false
		y.must(y.Leave(ctx, binh))
		if _, ok := y.folk.Person(binh.Person); ok {
			y.t.Error("he is still known")
		}
		if !slices.Equal(y.gone, []people.ID{binh.Person}) {
			y.t.Errorf("who is reached no more: %v", y.gone)
		}
		if n := y.count(`SELECT count(*) FROM session WHERE person = $1`, binh.Person) + y.count(`SELECT count(*) FROM group_skill WHERE person = $1`, binh.Person); n != 0 {
			y.t.Errorf("%d rows of him are left", n)
		}
		w, err := y.Look(ctx, lan, lan.Group)
		y.must(err)
		if len(w.Homes) != 2 || w.Charter.Signed != 1 {
			y.t.Errorf("his home or its signature went with him: %+v", w)
		}
		note, _, err := y.OwnNote(ctx, nga)
		if err != nil || note == "" {
			y.t.Errorf("the note of those who stay: %q, %v", note, err)
		}
		y.must(y.LeaveHome(ctx, nga, nga.Group, nga.Home))
		g, _ := y.village.Directory().Group(lan.Group)
		if len(g.Homes) != 1 || !slices.Equal(y.unwired, []place.HomeID{binh.Home}) || y.count(`SELECT count(*) FROM group_note`) != 0 || y.count(`SELECT count(*) FROM group_gear`) != 0 {
			y.t.Errorf("the home has left: %+v, unwired %v", g.Homes, y.unwired)
		}
		for _, table := range []string{"group_charter", "group_gear", "group_note", "group_founded", "group_signature"} {
			column := "by_person"
			if table == "group_signature" {
				column = "person"
			}
			if n := y.count(`SELECT count(*) FROM `+table+` WHERE `+column+` IN ($1, $2)`, binh.Person, nga.Person); n != 0 {
				y.t.Errorf("%s still names who left", table)
			}
		}
	})
}

func (y *alley) count(q string, args ...any) (n int) {
	y.t.Helper()
	y.must(y.db.Read().QueryRowContext(y.t.Context(), q, args...).Scan(&n))
	return n
}

func TestLeaderTakesOutEmptyHomesOnly(t *testing.T) {
	each(t, func(y *alley) {
		ctx := y.t.Context()
		lan := y.founded("Lan")
		binh := y.joined(lan, "Bình")
		empty, err := y.AddHome(ctx, lan, lan.Group, group.NewHome{Name: "Nhà trống"})
		y.must(err)
		y.must(second(y.Invite(ctx, lan, lan.Group, empty, "Ai đó"))) // never came
		y.must(y.LeaveHome(ctx, lan, lan.Group, empty))
		y.refused(y.LeaveHome(ctx, lan, lan.Group, binh.Home), fault.Conflict, "group.home_lived_in")
		if err := y.LeaveHome(ctx, binh, lan.Group, lan.Home); fault.KindOf(err) != fault.Denied {
			y.t.Errorf("a member takes out another home: %v", err)
		}
	})
}
