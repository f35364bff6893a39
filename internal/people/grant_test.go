package people_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// office is a hall with two chiefs, a desk officer, and the giving of roles.
type office struct {
	*hall
	*people.Grants
	log                *pages
	thu, minh, tuan    people.ID // chief, chief, desk
	thuS, minhS, tuanS string    // their sessions
}

// pages is a log that remembers what it was given.
type pages struct {
	acts []audit.Act
	err  error
}

func (p *pages) Append(_ context.Context, _ *sql.Tx, a audit.Act) (audit.Entry, error) {
	if p.err == nil {
		p.acts = append(p.acts, a)
	}
	return audit.Entry{}, p.err
}

func open(t *testing.T, dsn string) *office {
	t.Helper()
	h := build(t, dsn)
	d, err := place.Load(t.Context(), h.db)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{hall: h, log: &pages{}}
	o.Grants = &people.Grants{DB: h.db, Places: func() *place.Directory { return d }, Record: o.log, Now: h.Service.Now}
	enter := func(r people.Role, name string) (people.ID, string) {
		p, err := h.Officer(t.Context(), r, "04792", name)
		if err != nil {
			t.Fatal(err)
		}
		return p.ID, o.signIn(t, p.ID)
	}
	o.thu, o.thuS = enter(people.Chief, "Thượng tá Thu")
	o.minh, o.minhS = enter(people.Chief, "Thiếu tá Minh")
	o.tuan, o.tuanS = enter(people.Desk, "Đại uý Tuấn")
	return o
}

func (o *office) signIn(t *testing.T, id people.ID) string {
	t.Helper()
	s, err := o.SignIn(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s.Secret
}

func (o *office) who(t *testing.T, secret string) people.Actor {
	t.Helper()
	return o.ask(t, secret, "")
}

func (o *office) resident(t *testing.T, name string) people.ID {
	t.Helper()
	list, err := o.InviteHome(t.Context(), map[string]place.HomeID{"Bùi Thị Lan": "h1"}[name], name)
	if err != nil {
		t.Fatal(err)
	}
	return list[0].Person.ID
}

var ward = place.Scope{Unit: "04792"}

// TestOfficerRoleNeedsTwo: proposed by one, confirmed by another; until then it is
// not held, and afterwards at once.
func TestOfficerRoleNeedsTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		lan := o.resident(t, "Bùi Thị Lan")
		lanS := o.signIn(t, lan)
		thu := o.who(t, o.thuS)
		g, err := o.Propose(t.Context(), thu, lan, people.Team, ward, time.Time{}, time.Time{})
		if err != nil || g.State != people.Proposed || !g.AsChief {
			t.Fatalf("%+v, %v", g, err)
		}
		if o.who(t, lanS).Posts.Holds(people.Team) {
			t.Error("held before it was confirmed")
		}
		_, err = o.Propose(t.Context(), thu, lan, people.Team, ward, time.Time{}, time.Time{})
		wantKind(t, err, fault.Conflict, "people.grant_exists")
		_, err = o.Confirm(t.Context(), thu, g.ID)
		wantKind(t, err, fault.Denied, "people.second_person")
		_, err = o.Confirm(t.Context(), o.who(t, lanS), g.ID)
		wantKind(t, err, fault.Denied, "fault.denied")
		if g, err = o.Confirm(t.Context(), o.who(t, o.tuanS), g.ID); err != nil || g.State != people.Held || g.DecidedBy != o.tuan {
			t.Fatalf("confirmed: %+v, %v", g, err)
		}
		o.pass(time.Second + time.Millisecond)
		if a := o.who(t, lanS); !a.Posts.Holds(people.Team) || a.Role != people.Leader {
			t.Errorf("a second after it was confirmed: %+v", a)
		}
		_, err = o.Confirm(t.Context(), o.who(t, o.minhS), g.ID)
		wantKind(t, err, fault.Conflict, "people.grant_decided")
		if _, err = o.End(t.Context(), o.who(t, o.minhS), g.ID); err != nil {
			t.Fatal(err)
		}
		o.pass(time.Second + time.Millisecond)
		if o.who(t, lanS).Posts.Holds(people.Team) {
			t.Error("held a second after it was ended")
		}
		var acts []string
		for _, a := range o.log.acts {
			acts = append(acts, a.Name)
			if a.Area != "04792" || !slices.Equal(a.Of, []string{string(lan)}) || a.By == "" {
				t.Errorf("on record: %+v", a)
			}
		}
		if want := []string{"people.propose", "people.confirm", "people.end"}; !slices.Equal(acts, want) {
			t.Errorf("on record: %v, want %v", acts, want)
		}
	})
}

// TestNobodyGrantsHimself: not by proposing, not by confirming what a colleague
// proposed for him, not as the second of himself.
func TestNobodyGrantsHimself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		thu, minh := o.who(t, o.thuS), o.who(t, o.minhS)
		for _, r := range []people.Role{people.Team, people.Auditor, people.Admin, people.Chief, people.Desk} {
			_, err := o.Propose(t.Context(), thu, o.thu, r, ward, time.Time{}, time.Time{})
			if fault.KindOf(err) != fault.Denied {
				t.Errorf("%s for himself: %v", r, err)
			}
		}
		g, err := o.Propose(t.Context(), minh, o.thu, people.Auditor, ward, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Confirm(t.Context(), thu, g.ID)
		wantKind(t, err, fault.Denied, "fault.denied")
		if _, err = o.Refuse(t.Context(), thu, g.ID); err != nil {
			t.Errorf("he may say no: %v", err)
		}
	})
}

// TestProgramsGiveNothing: a token of the desk, or of an administrator, is not a person.
func TestProgramsGiveNothing(t *testing.T) {
	o := open(t, t.TempDir()+"/keng.db")
	lan := o.resident(t, "Bùi Thị Lan")
	for _, r := range []people.Role{people.Desk, people.Admin, people.Auditor} {
		a := people.Actor{Token: "t", Role: r, Scope: ward}
		_, err := o.Propose(t.Context(), a, lan, people.Team, ward, time.Time{}, time.Time{})
		wantKind(t, err, fault.Denied, "fault.denied")
	}
}

// TestPostEndsByItself: at its last millisecond it is held, then not, also in a
// session that was looked at within the same second, and in one that the broken
// database cannot confirm.
func TestPostEndsByItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		lan := o.resident(t, "Bùi Thị Lan")
		lanS := o.signIn(t, lan)
		until := o.Service.Now().Add(time.Hour)
		g, err := o.Propose(t.Context(), o.who(t, o.thuS), lan, people.Desk, ward, time.Time{}, until)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = o.Confirm(t.Context(), o.who(t, o.minhS), g.ID); err != nil {
			t.Fatal(err)
		}
		o.pass(time.Hour - time.Millisecond)
		if a := o.who(t, lanS); a.Role != people.Desk || a.Scope != ward || a.Until() != until {
			t.Errorf("at the last moment: %+v", a)
		}
		o.pass(time.Millisecond)
		if a := o.who(t, lanS); a.Role != people.Leader || a.Posts.Holds(people.Desk) {
			t.Errorf("when it is over: %+v", a)
		}
		if list, err := o.List(t.Context(), o.who(t, o.thuS), false); err != nil || slices.ContainsFunc(list, func(x people.Grant) bool { return x.ID == g.ID }) {
			t.Errorf("still listed: %+v, %v", list, err)
		}
		b, err := people.OpenBook(t.Context(), o.db)
		if err != nil {
			t.Fatal(err)
		}
		b.Now = o.Service.Now
		if p, _ := b.Person(lan); p.Role != people.Leader {
			t.Errorf("in the book: %+v", p)
		}
	})
}

// TestProposalsThatFitNowhere: a role goes with its kind of place, for a time that
// can be.
func TestProposalsThatFitNowhere(t *testing.T) {
	o := open(t, t.TempDir()+"/keng.db")
	her := o.resident(t, "Bùi Thị Lan")
	for name, c := range map[string]struct {
		role  people.Role
		at    place.Scope
		until time.Duration
		key   string
	}{
		"leader, whom his group names":      {people.Leader, place.Scope{Group: "g1"}, 0, "people.role_unknown"},
		"member":                            {people.Member, ward, 0, "people.role_unknown"},
		"head of a whole commune":           {people.Head, ward, 0, "people.place_does_not_fit"},
		"desk of a neighbourhood":           {people.Desk, place.Scope{Unit: "04792", Neighbourhood: "Khu 5"}, 0, "people.place_does_not_fit"},
		"no such unit":                      {people.Desk, place.Scope{Unit: "99999"}, 0, "people.unit_unknown"},
		"desk of a group":                   {people.Desk, place.Scope{Group: "g1"}, 0, "people.unit_unknown"},
		"neighbourhood of a province":       {people.Head, place.Scope{Unit: "25", Neighbourhood: "Khu 5"}, 0, "people.unit_unknown"},
		"over before it begins":             {people.Desk, ward, -time.Hour, "people.term_wrong"},
		"for ever and a day":                {people.Desk, ward, 10 * 366 * 24 * time.Hour, "people.term_wrong"},
		"a mediator of a neighbourhood may": {people.Mediator, place.Scope{Unit: "04792", Neighbourhood: "Khu 5"}, 0, ""},
	} {
		until := time.Time{}
		if c.until != 0 {
			until = o.Service.Now().Add(c.until)
		}
		_, err := o.Propose(t.Context(), o.who(t, o.thuS), her, c.role, c.at, time.Time{}, until)
		if c.key == "" && err != nil || c.key != "" && !saysKey(err, c.key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLeaderIsTheGroupsBusiness: a chief cannot end a leader here, nor can the leader
// himself: his group's terms say who leads.
func TestLeaderIsTheGroupsBusiness(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		her := o.resident(t, "Bùi Thị Lan")
		herS := o.signIn(t, her)
		list, err := o.List(t.Context(), o.who(t, herS), false)
		if err != nil || len(list) != 1 || list[0].Role != people.Leader {
			t.Fatalf("she sees %+v, %v", list, err)
		}
		for _, s := range []string{o.thuS, herS} {
			_, err := o.End(t.Context(), o.who(t, s), list[0].ID)
			wantKind(t, err, fault.Denied, "fault.denied")
		}
		until := o.Service.Now().Add(time.Hour)
		o.tx(t, func(tx *sql.Tx) error {
			return people.SetRole(t.Context(), tx, "g1", her, people.Deputy, until, o.Service.Now())
		})
		o.pass(time.Hour - time.Millisecond)
		if a := o.who(t, herS); a.Role != people.Deputy || a.Posts.Holds(people.Leader) {
			t.Errorf("in her term: %+v", a)
		}
		o.pass(time.Millisecond)
		if a := o.who(t, herS); a.Role != people.Member {
			t.Errorf("after her term: %+v", a)
		}
	})
}

// TestGrantIsNotGivenWithoutItsRecord: when the log cannot be written, nobody holds
// anything new and nothing is taken away.
func TestGrantIsNotGivenWithoutItsRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		lan := o.resident(t, "Bùi Thị Lan")
		g, err := o.Propose(t.Context(), o.who(t, o.thuS), lan, people.Team, ward, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		o.log.err = errors.New("disk full")
		if _, err := o.Confirm(t.Context(), o.who(t, o.minhS), g.ID); err == nil {
			t.Error("confirmed without a record")
		}
		if _, err := o.Propose(t.Context(), o.who(t, o.thuS), lan, people.Mediator, ward, time.Time{}, time.Time{}); err == nil {
			t.Error("proposed without a record")
		}
		o.log.err = nil
		list, err := o.List(t.Context(), o.who(t, o.thuS), true)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Person == lan && (x.Role == people.Mediator || x.ID == g.ID && x.State != people.Proposed) {
				t.Errorf("there is %+v", x)
			}
		}
	})
}

// TestTwoWhoDecideAtOnce: of many who confirm or refuse the same grant at the same
// moment, one does.
func TestTwoWhoDecideAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		lan := o.resident(t, "Bùi Thị Lan")
		g, err := o.Propose(t.Context(), o.who(t, o.thuS), lan, people.Team, ward, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		minh, tuan := o.who(t, o.minhS), o.who(t, o.tuanS)
		done := make(chan error, 12)
		for i := range cap(done) {
			go func() {
				var err error
				switch i % 3 {
				case 0:
					_, err = o.Confirm(t.Context(), minh, g.ID)
				case 1:
					_, err = o.Refuse(t.Context(), minh, g.ID)
				default:
					_, err = o.Confirm(t.Context(), tuan, g.ID)
				}
				done <- err
			}()
		}
		decided := 0
		for range cap(done) {
			if err := <-done; err == nil {
				decided++
			} else if fault.KindOf(err) != fault.Conflict {
				t.Error(err)
			}
		}
		if decided != 1 || len(o.log.acts) != 2 {
			t.Errorf("decided %d times, %d on record", decided, len(o.log.acts))
		}
	})
}

// TestFirstTwoChiefs: a new machine has nobody who could give a role, so the first
// two are made by who runs it; a third is not.
func TestFirstTwoChiefs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		h := build(t, dsn)
		log := &pages{}
		v := &people.Grants{DB: h.db, Places: func() *place.Directory { return place.NewDirectory(1, nil) }, Record: log, Now: h.Now}
		for _, name := range []string{"Thượng tá Thu", "Thiếu tá Minh"} {
			p, err := v.First(t.Context(), "04792", name)
			if err != nil || p.Role != people.Chief || p.Scope != ward {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		_, err := v.First(t.Context(), "04792", "Đại tá Ba")
		wantKind(t, err, fault.Conflict, "people.two_chiefs")
		if len(log.acts) != 2 || log.acts[0].By != audit.Machine {
			t.Errorf("on record: %+v", log.acts)
		}
		if _, err := v.First(t.Context(), "04795", "Trung tá Hoa"); err != nil {
			t.Errorf("another commune: %v", err)
		}
	})
}

// TestVillageFileKeepsWhatPeopleGave: reading an unchanged file again changes no
// role; a file that changes its word does, but takes back only what a file gave.
func TestVillageFileKeepsWhatPeopleGave(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		o := open(t, dsn)
		b, err := people.OpenBook(t.Context(), o.db)
		if err != nil {
			t.Fatal(err)
		}
		b.Now = o.Service.Now
		role := func(id people.ID) people.Role {
			t.Helper()
			if err := b.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			p, _ := b.Person(id)
			return p.Role
		}
		her, him := b.Home("h1")[0].ID, b.Home("h2")[0].ID
		o.tx(t, func(tx *sql.Tx) error {
			if err := people.SetRole(t.Context(), tx, "g1", her, people.Member, time.Time{}, o.Service.Now()); err != nil {
				return err
			}
			return people.SetRole(t.Context(), tx, "g1", him, people.Leader, time.Time{}, o.Service.Now())
		})
		o.put(t, false, lan(), binh()) // the same file again
		if role(her) != people.Member || role(him) != people.Leader {
			t.Errorf("the file took back what the group decided: %s, %s", role(her), role(him))
		}
		changed := lan()
		changed.Members[0].Role = people.Deputy
		o.put(t, false, changed, binh())
		if role(her) != people.Deputy {
			t.Errorf("the file's new word was not taken: %s", role(her))
		}
		changed.Members[0].Role = people.Member
		o.put(t, false, changed, binh())
		if role(her) != people.Member || role(him) != people.Leader {
			t.Errorf("after the file took its word back: %s, %s", role(her), role(him))
		}
	})
}

func TestStrangersSeeNoGrants(t *testing.T) {
	o := open(t, t.TempDir()+"/keng.db")
	lan := o.resident(t, "Bùi Thị Lan")
	g, err := o.Propose(t.Context(), o.who(t, o.thuS), lan, people.Team, ward, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]people.Actor{
		"desk next door": {Person: "p", Role: people.Desk, Scope: place.Scope{Unit: "04795"}},
		"administrator":  {Person: "p", Role: people.Admin, Scope: place.Scope{Unit: "25"}},
		"viewer":         {Person: "p", Role: people.Viewer, Scope: place.Scope{Unit: "25"}},
		"other resident": {Person: "p", Home: "x", Group: "g9", Role: people.Member, Scope: place.Scope{Group: "g9"}},
	} {
		list, err := o.List(t.Context(), a, true)
		if err != nil || len(list) != 0 {
			t.Errorf("%s sees %+v, %v", name, list, err)
		}
		_, err = o.Confirm(t.Context(), a, g.ID)
		wantKind(t, err, fault.NotFound, "people.grant_unknown")
	}
}

func saysKey(err error, key string) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Key == key
}
