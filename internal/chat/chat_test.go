package chat

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Everybody x everything x what the incident is: written from the stance, not from
// the policies.
func TestWhoMayRead(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		askers := map[string]people.Actor{
			"resident": resident("g1", "p1"), "leader": leader("g1"), "neighbour group": resident("g2", "p1"), "its leader": leader("g2"), "far": resident("g9", "p1"),
			"desk": officer(people.Desk, "04792"), "chief": officer(people.Chief, "04792"), "other desk": officer(people.Desk, "04795"), "auditor": officer(people.Auditor, "04792"), "admin": officer(people.Admin, "25"),
			"desk program": {Token: "t", Role: people.Desk, Scope: place.Scope{Unit: "04792"}},
		}
		r.says(askers["resident"], "g1", "before")
		kinds := map[fault.Kind]string{fault.NotFound: "unknown", fault.Denied: "denied"}
		group := map[string]string{
			"resident": "yes", "leader": "yes", "neighbour group": "unknown", "its leader": "unknown", "far": "unknown", "desk": "denied", "chief": "denied",
			"other desk": "unknown", "auditor": "denied", "admin": "denied", "desk program": "denied",
		}
		states := map[string]struct {
			live, silent, open bool
			desk               string // what the called desk gets of the incident's thread
			resident           string
		}{
			"live and open": {true, false, true, "yes", "yes"}, "live and closed": {true, false, false, "denied", "yes"},
			"a drill": {false, false, true, "denied", "yes"}, "a hold-up": {true, true, true, "unknown", "unknown"},
		}
		for state, c := range states {
			id := strings.ReplaceAll(state, " ", "")
			r.ring(id, "g1", c.live, c.silent)
			if !c.open {
				r.close(id)
			}
			for name, a := range askers {
				want := group[name]
				_, err := r.Read(t.Context(), a, Ask{Group: "g1", After: -1})
				if got := said(err, kinds); got != want {
					t.Errorf("%s reads the group's thread: %s, want %s", name, got, want)
				}
				switch {
				case c.silent:
					want = "unknown"
				case strings.HasPrefix(name, "desk") || name == "chief":
					want = c.desk
				}
				_, err = r.Read(t.Context(), a, Ask{Group: "g1", Incident: id, After: -1})
				if got := said(err, kinds); got != want {
					t.Errorf("%s: %s reads the incident's thread: %s, want %s", state, name, got, want)
				}
				_, err = r.Post(t.Context(), a, "", "g1", Draft{Incident: id, Text: "x"})
				r.rest()
				if got := said(err, kinds); got != want {
					t.Errorf("%s: %s writes into the incident's thread: %s, want %s", state, name, got, want)
				}
			}
			r.close(id)
		}
		// an incident of another group, and one that is none
		r.ring("theirs", "g2", true, false)
		for _, id := range []string{"theirs", "none"} {
			if _, err := r.Read(t.Context(), askers["resident"], Ask{Group: "g1", Incident: id, After: -1}); fault.KindOf(err) != fault.NotFound {
				t.Errorf("incident %s as one of g1: %v", id, err)
			}
		}
	})
}

func said(err error, kinds map[fault.Kind]string) string {
	if err == nil {
		return "yes"
	}
	if w, ok := kinds[fault.KindOf(err)]; ok {
		return w
	}
	return err.Error()
}

// What is said while an alarm rings belongs to it; the desk reads that and nothing
// from before or after, each window is in the log, and after the end there is none.
func TestIncidentThreadIsOpenToTheDeskOnlyWhileItIsOpen(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		desk, me := officer(people.Desk, "04792"), resident("g1", "p1")
		r.says(me, "g1", "before")
		r.ring("i1", "g1", true, false)
		r.says(me, "g1", "smoke")
		photo, err := r.PostFile(t.Context(), me, "", "g1", Photo, "i1", bytes.NewReader(canaryJPEG(t)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Post(t.Context(), desk, "", "g1", Draft{Incident: "i1", Text: "xe đang tới"}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Post(t.Context(), desk, "", "g1", Draft{Text: "to the group"}); fault.KindOf(err) != fault.Denied {
			t.Errorf("the desk writes into the group's own thread: %v", err)
		}
		for range 3 {
			if got := r.texts(desk, "g1", "i1"); !slices.Equal(got, []string{"smoke", "", "xe đang tới"}) {
				t.Errorf("the desk reads %q", got)
			}
		}
		if len(r.acts) != 1 || r.acts[0].Name != "chat.watched" || r.acts[0].By != "desk04792" || r.acts[0].On != "incident/i1" || len(r.acts[0].Of) != 3 {
			t.Errorf("one window, of everybody in the group: %+v", r.acts)
		}
		r.at = r.at.Add(windowSleeps + time.Second)
		if _, f, err := r.Open(t.Context(), desk, "g1", photo.ID); err != nil {
			t.Error(err)
		} else {
			_ = f.Close()
		}
		if len(r.acts) != 2 {
			t.Errorf("a second window: %d entries", len(r.acts))
		}
		r.close("i1")
		if _, err := r.Read(t.Context(), desk, Ask{Group: "g1", Incident: "i1", After: -1}); fault.KindOf(err) != fault.Denied {
			t.Errorf("after the end the desk reads: %v", err)
		}
		if _, _, err := r.Open(t.Context(), desk, "g1", photo.ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("after the end the desk sees the picture: %v", err)
		}
		if m := r.says(me, "g1", "after"); m.Incident != "" {
			t.Errorf("what is said afterwards belongs to %q", m.Incident)
		}
		if got := r.texts(me, "g1", ""); len(got) != 5 {
			t.Errorf("the group reads %q", got)
		}
		if got := r.texts(me, "g1", "i1"); len(got) != 3 {
			t.Errorf("the group reads of the incident %q", got)
		}
	})
}

// A hold-up rings nowhere, and nothing that is said shows that there is one.
func TestHoldUpLeavesNoTrace(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.ring("quiet", "g1", true, true)
		r.rings["g1"] = "quiet"
		if m := r.says(resident("g1", "p1"), "g1", "good evening"); m.Incident != "" {
			t.Errorf("it belongs to %q", m.Incident)
		}
	})
}

// The outbox sends twice, at once, from two lines: it is one message, and one file.
func TestSentTwiceIsOneMessage(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		me, jpg := resident("g1", "p1"), canaryJPEG(t)
		var mu sync.Mutex
		r.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); r.at = r.at.Add(time.Millisecond); return r.at }
		var wg sync.WaitGroup
		errs := make([]error, 16)
		for k := range errs {
			wg.Go(func() {
				if k%2 == 0 {
					_, errs[k] = r.Post(t.Context(), me, "words", "g1", Draft{Text: "hello"})
				} else {
					_, errs[k] = r.PostFile(t.Context(), me, "picture", "g1", Photo, "", bytes.NewReader(jpg))
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if got := r.texts(me, "g1", ""); len(got) != 2 || r.files() != 1 {
			t.Errorf("%d messages, %d files", len(got), r.files())
		}
		if len(r.hints) != 2 {
			t.Errorf("screens were told %d times", len(r.hints))
		}
		if _, err := r.Post(t.Context(), resident("g1", "p2"), "words", "g1", Draft{Text: "mine"}); err != nil {
			t.Errorf("the same key of somebody else: %v", err)
		}
		if got := r.texts(me, "g1", ""); len(got) != 3 {
			t.Errorf("%q", got)
		}
	})
}

// However a screen gathers a thread - in steps, with hints lost, doubled or late -
// it ends with the thread that a new screen gets, and misses nothing that two
// writers say at once.
func TestEveryCatchUpGivesTheSameThread(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		askers := []people.Actor{resident("g1", "p1"), resident("g1", "p2"), leader("g1")}
		rapid.Check(t, func(rt *rapid.T) {
			if err := r.DB.Exec(t.Context(), `DELETE FROM chat_message`); err != nil {
				t.Fatal(err)
			}
			have, rev := map[ID]Message{}, int64(-1)
			var ids []ID
			step := func() {
				p, err := r.Read(t.Context(), askers[0], Ask{Group: "g1", After: rev, Limit: rapid.IntRange(1, 4).Draw(rt, "limit")})
				if err != nil {
					t.Fatal(err)
				}
				if p.Rev < rev {
					t.Fatalf("from %d back to %d", rev, p.Rev)
				}
				rev = p.Rev
				take(have, p)
			}
			first, err := r.Read(t.Context(), askers[0], Ask{Group: "g1", After: -1})
			if err != nil {
				t.Fatal(err)
			}
			rev = first.Rev
			for range rapid.IntRange(1, 20).Draw(rt, "deeds") {
				r.rest()
				a := rapid.SampledFrom(askers).Draw(rt, "who")
				switch deed := rapid.SampledFrom([]string{"say", "announce", "take", "see", "look", "age"}).Draw(rt, "deed"); deed {
				case "say", "announce":
					m, err := r.Post(t.Context(), a, "", "g1", Draft{Text: "x", Announce: deed == "announce" && a.Role == people.Leader})
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, m.ID)
				case "take":
					if len(ids) > 0 {
						_, _ = r.Take(t.Context(), a, "g1", rapid.SampledFrom(ids).Draw(rt, "which")) // some may, some may not
					}
				case "see":
					if len(ids) > 0 {
						if err := r.Saw(t.Context(), a, "g1", []ID{rapid.SampledFrom(ids).Draw(rt, "which")}); err != nil {
							t.Fatal(err)
						}
					}
				case "look":
					step()
				case "age":
					r.at = r.at.Add(40 * 24 * time.Hour)
					if err := r.Tidy(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			for more := true; more; {
				before := rev
				step()
				more = rev != before
			}
			whole, err := r.Read(t.Context(), askers[0], Ask{Group: "g1", After: -1})
			if err != nil {
				t.Fatal(err)
			}
			got := make([]Message, 0, len(have))
			for _, m := range have {
				if !m.At.Before(whole.From) {
					got = append(got, m)
				}
			}
			slices.SortFunc(got, func(a, b Message) int { return strings.Compare(string(a.ID), string(b.ID)) })
			if d := cmp.Diff(whole.Messages, got); d != "" {
				t.Fatalf("a new screen's thread (-) and a gathered one (+):\n%s", d)
			}
		})
	})
}

// take does what a screen does with a page.
func take(have map[ID]Message, p Page) {
	for _, m := range p.Messages {
		if old, ok := have[m.ID]; !ok || m.Rev >= old.Rev {
			have[m.ID] = m
		}
	}
}

// Numbers of changes become visible in their order, also when many write at once.
func TestNobodySlipsBehindAReader(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var mu sync.Mutex
		at := r.at
		r.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); at = at.Add(time.Minute); return at }
		const writers, each = 4, 15
		var wg sync.WaitGroup
		for k := range writers {
			wg.Go(func() {
				for range each {
					if _, err := r.Post(t.Context(), resident("g1", fmt.Sprint("p", k)), "", "g1", Draft{Text: "x"}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen, rev := map[ID]Message{}, int64(0)
		for rev < writers*each && !t.Failed() {
			p, err := r.Read(t.Context(), leader("g1"), Ask{Group: "g1", After: rev, Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			rev = p.Rev
			take(seen, p)
		}
		wg.Wait()
		if len(seen) != writers*each {
			t.Errorf("a reader gathered %d of %d", len(seen), writers*each)
		}
	})
}

// An author takes back what he said; the leader removes from view; nobody else.
// What is left says so, and the file is gone from the disk.
func TestTakenAwayIsGone(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		me, other := resident("g1", "p1"), resident("g1", "p2")
		pic, err := r.PostFile(t.Context(), me, "", "g1", Photo, "", bytes.NewReader(canaryJPEG(t)))
		if err != nil {
			t.Fatal(err)
		}
		rude := r.says(other, "g1", "rude")
		if _, err := r.Take(t.Context(), other, "g1", pic.ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("another takes it: %v", err)
		}
		if _, err := r.Take(t.Context(), officer(people.Desk, "04792"), "g1", pic.ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("the desk takes it: %v", err)
		}
		for range 2 {
			if m, err := r.Take(t.Context(), me, "g1", pic.ID); err != nil || m.Removed != ByAuthor {
				t.Fatalf("%+v, %v", m, err)
			}
		}
		if m, err := r.Take(t.Context(), leader("g1"), "g1", rude.ID); err != nil || m.Removed != ByLeader {
			t.Fatalf("%+v, %v", m, err)
		}
		if got := r.texts(me, "g1", ""); !slices.Equal(got, []string{"author", "leader"}) {
			t.Errorf("%q", got)
		}
		if r.files() != 0 {
			t.Errorf("%d files are left", r.files())
		}
		if _, _, err := r.Open(t.Context(), me, "g1", pic.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the picture: %v", err)
		}
		var n int
		if err := r.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM chat_message WHERE body <> '' OR blob <> ''`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d rows still say something, %v", n, err)
		}
	})
}

// After the days of the rule nothing is left: no row, no file; and a file that was
// put but never written down goes too.
func TestOldMessagesAreDeletedForGood(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		me := resident("g1", "p1")
		r.Rules = append(r.Rules, place.Rule{Key: keepKey, Unit: "04792", From: r.at.AddDate(0, 0, -1), Value: "30", Source: "test"})
		if _, err := r.PostFile(t.Context(), me, "", "g1", Photo, "", bytes.NewReader(canaryJPEG(t))); err != nil {
			t.Fatal(err)
		}
		ann, err := r.Post(t.Context(), leader("g1"), "", "g1", Draft{Text: "meeting", Announce: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Saw(t.Context(), me, "g1", []ID{ann.ID}); err != nil {
			t.Fatal(err)
		}
		r.says(resident("g9", "p1"), "g9", "elsewhere, where 90 days hold")
		r.at = r.at.Add(30*24*time.Hour + time.Minute)
		young := r.says(me, "g1", "young")
		if got := r.texts(me, "g1", ""); !slices.Equal(got, []string{"young"}) {
			t.Errorf("before the broom came: %q", got)
		}
		if err := r.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		left := map[string]int{}
		for _, table := range []string{"chat_message", "chat_seen", "chat_drop"} {
			var n int
			if err := r.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			left[table] = n
		}
		if d := cmp.Diff(map[string]int{"chat_message": 2, "chat_seen": 0, "chat_drop": 0}, left); d != "" {
			t.Error(d)
		}
		if r.files() != 0 {
			t.Errorf("%d files are left", r.files())
		}
		if _, err := r.one(t.Context(), "test", "g1", young.ID, time.Time{}); err != nil {
			t.Error(err)
		}
	})
}

// The leader is told how many have seen it, others are not, and nobody who.
func TestSeenIsACount(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		if _, err := r.Post(t.Context(), resident("g1", "p1"), "", "g1", Draft{Text: "x", Announce: true}); fault.KindOf(err) != fault.Denied {
			t.Errorf("a member announces: %v", err)
		}
		m, err := r.Post(t.Context(), leader("g1"), "", "g1", Draft{Text: "Họp tổ 19 giờ", Announce: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []people.Actor{resident("g1", "p1"), resident("g1", "p2"), resident("g1", "p1")} {
			if err := r.Saw(t.Context(), a, "g1", []ID{m.ID, "none"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Saw(t.Context(), resident("g2", "p1"), "g2", []ID{m.ID}); err != nil {
			t.Fatal(err)
		}
		see := func(a people.Actor) MessageView {
			p, err := r.Read(t.Context(), a, Ask{Group: "g1", After: -1})
			if err != nil || len(p.Messages) != 1 {
				t.Fatalf("%+v, %v", p, err)
			}
			return r.pageView(p).Messages[0]
		}
		if v := see(leader("g1")); v.Seen != 2 || v.Of != 3 || v.Mine {
			t.Errorf("the leader is told %d of %d, himself %v", v.Seen, v.Of, v.Mine)
		}
		if v := see(resident("g1", "p2")); v.Seen != 0 || v.Of != 0 || !v.Mine {
			t.Errorf("a member is told %d of %d, himself %v", v.Seen, v.Of, v.Mine)
		}
		counted := slices.DeleteFunc(slices.Clone(r.hints), func(h Hint) bool { return !h.Counted })
		if len(counted) != 2 || r.Hears(resident("g1", "p1"), counted[0], Case{}) || !r.Hears(leader("g1"), counted[0], Case{}) {
			t.Errorf("hints %+v", counted)
		}
	})
}

// A notice reaches the groups that the desk chose, once; its reach is counted; it
// is withdrawn everywhere.
func TestNoticeReachesChosenGroups(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		desk := officer(people.Desk, "04792")
		until := r.at.Add(time.Hour)
		var n Published
		for range 2 { // the outbox sends twice
			var err error
			if n, err = r.Notify(t.Context(), desk, "k", []place.GroupID{"g1", "g2", "g1"}, "Cắt điện", "8-11 giờ", until); err != nil {
				t.Fatal(err)
			}
		}
		if n.Groups != 2 || n.People != 6 || n.Seen != 0 || len(r.hints) != 2 {
			t.Errorf("%+v, %d hints", n, len(r.hints))
		}
		p, err := r.Read(t.Context(), resident("g1", "p1"), Ask{Group: "g1", After: -1})
		if err != nil || len(p.Messages) != 1 || p.Messages[0].Title != "Cắt điện" || p.Messages[0].Kind != Notice || !p.Messages[0].Expires.Equal(until.Truncate(time.Millisecond)) {
			t.Fatalf("%+v, %v", p.Messages, err)
		}
		if err := r.Saw(t.Context(), resident("g1", "p1"), "g1", []ID{p.Messages[0].ID}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Take(t.Context(), leader("g1"), "g1", p.Messages[0].ID); fault.KindOf(err) != fault.Denied {
			t.Errorf("the leader removes the desk's notice: %v", err)
		}
		list, err := r.Notices(t.Context(), desk)
		if err != nil || len(list) != 1 || list[0].Seen != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		for name, c := range map[string]struct {
			a      people.Actor
			groups []place.GroupID
			want   fault.Kind
		}{
			"another ward's group": {desk, []place.GroupID{"g1", "g9"}, fault.NotFound},
			"another desk":         {officer(people.Desk, "04795"), []place.GroupID{"g1"}, fault.NotFound},
			"an auditor":           {officer(people.Auditor, "04792"), []place.GroupID{"g1"}, fault.Denied},
			"a leader":             {leader("g1"), []place.GroupID{"g1"}, fault.Denied},
			"an admin":             {officer(people.Admin, "25"), nil, fault.Denied},
		} {
			if _, err := r.Notify(t.Context(), c.a, "", c.groups, "x", "", time.Time{}); fault.KindOf(err) != c.want || err == nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.Notify(t.Context(), desk, "", nil, "x", "", r.at.Add(-time.Second)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a notice that has ended: %v", err)
		}
		if _, err := r.Withdraw(t.Context(), officer(people.Desk, "04795"), n.ID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another desk withdraws: %v", err)
		}
		if w, err := r.Withdraw(t.Context(), desk, n.ID); err != nil || w.Withdrawn.IsZero() {
			t.Errorf("%+v, %v", w, err)
		}
		if got := r.texts(resident("g2", "p1"), "g2", ""); !slices.Equal(got, []string{"desk"}) {
			t.Errorf("left of it: %q", got)
		}
		if list, err := r.Notices(t.Context(), officer(people.Auditor, "04792")); err != nil || len(list) != 1 {
			t.Errorf("the auditor reads %+v, %v", list, err)
		}
	})
}

// Too much of anything is refused with a sentence, and nothing is left behind.
func TestBoundsAreKept(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		me := resident("g1", "p1")
		for name, text := range map[string]string{"empty": " \n\u202e ", "too long": strings.Repeat("ă", longest+1), "not UTF-8": "a\xff"} {
			if _, err := r.Post(t.Context(), me, "", "g1", Draft{Text: text}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		r.rest()
		if m := r.says(me, "g1", " a\r\nb\u202e\x00 "); m.Body != "a\nb" {
			t.Errorf("%q", m.Body)
		}
		for name, c := range map[string]struct {
			k    Kind
			from io.Reader
		}{
			"no picture": {Photo, strings.NewReader("GIF89a")}, "too large": {Photo, io.LimitReader(zeros{}, photoBytes+1)}, "bomb": {Photo, bytes.NewReader(bombPNG(t))},
			"no voice": {Voice, strings.NewReader("OggS")}, "a picture as voice": {Voice, bytes.NewReader(canaryJPEG(t))}, "no kind": {Text, strings.NewReader("x")},
		} {
			if _, err := r.PostFile(t.Context(), me, "", "g1", c.k, "", c.from); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if r.files() != 0 {
			t.Errorf("%d files are left", r.files())
		}
		r.rest()
		busy := 0
		for range perMinute + 5 {
			if _, err := r.Post(t.Context(), me, "", "g1", Draft{Text: "x"}); fault.KindOf(err) == fault.Busy {
				busy++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if busy != 5 {
			t.Errorf("%d were too fast, want 5", busy)
		}
		r.Files = nil
		r.rest()
		if _, err := r.PostFile(t.Context(), me, "", "g1", Photo, "", bytes.NewReader(canaryJPEG(t))); fault.KindOf(err) != fault.Invalid {
			t.Errorf("without a folder: %v", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// What nobody wrote down is swept; what somebody did is left.
func TestSweepTakesOnlyWhatNobodyWroteDown(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		kept, err := r.PostFile(t.Context(), resident("g1", "p1"), "", "g1", Photo, "", bytes.NewReader(canaryJPEG(t)))
		if err != nil {
			t.Fatal(err)
		}
		lost, _, err := r.Files.Put(t.Context(), strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		age(t, r.dir)
		if err := r.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[blob.ID]bool{kept.File.Blob: true, lost: false} {
			f, err := r.Files.Get(id)
			if (err == nil) != want {
				t.Errorf("%s is there: %v, want %v", id, err == nil, want)
			}
			if err == nil {
				_ = f.Close()
			}
		}
	})
}

// Somebody reads what is held about him, and when he is erased nothing of it is
// left: no words, no file, no name beside what others see.
func TestWhatSomebodySaidIsHisToSeeAndToErase(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		me, other := resident("g1", "p1"), resident("g1", "p2")
		r.says(me, "g1", "mine")
		r.says(other, "g1", "not mine")
		if _, err := r.PostFile(t.Context(), me, "", "g1", Photo, "", bytes.NewReader(canaryJPEG(t))); err != nil {
			t.Fatal(err)
		}
		ann, err := r.Post(t.Context(), leader("g1"), "", "g1", Draft{Text: "meeting", Announce: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Saw(t.Context(), me, "g1", []ID{ann.ID}); err != nil {
			t.Fatal(err)
		}
		held, err := r.Holds(t.Context(), me.Person)
		if err != nil || len(held) != 2 || len(held[0].Rows) != 2 || held[0].Rows[0][2].Value != "mine" || held[1].Rows[0][0].Value != "1" {
			t.Errorf("%+v, %v", held, err)
		}
		before, err := r.Read(t.Context(), other, Ask{Group: "g1", After: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.DB.Tx(t.Context(), func(tx *sql.Tx) error { return r.Erase(t.Context(), tx, me.Person) }); err != nil {
			t.Fatal(err)
		}
		if err := r.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r.files() != 0 {
			t.Errorf("%d files are left", r.files())
		}
		if held, err := r.Holds(t.Context(), me.Person); err != nil || len(held[0].Rows) != 0 || held[1].Rows[0][0].Value != "0" {
			t.Errorf("%+v, %v", held, err)
		}
		after, err := r.Read(t.Context(), other, Ask{Group: "g1", After: before.Rev})
		if err != nil || len(after.Messages) != 2 {
			t.Fatalf("screens learn of %+v, %v", after.Messages, err)
		}
		for _, m := range after.Messages {
			if m.Person != "" || m.Body != "" || m.Removed != ByAuthor {
				t.Errorf("%+v", m)
			}
		}
		if got := r.texts(other, "g1", ""); !slices.Contains(got, "not mine") || !slices.Contains(got, "meeting") {
			t.Errorf("%q", got)
		}
	})
}
