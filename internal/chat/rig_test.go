package chat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// rig is the channel of two groups of one ward, and of one in another.
type rig struct {
	*Service
	t     *testing.T
	dir   string
	at    time.Time
	cases map[string]Case
	rings map[place.GroupID]string
	hints []Hint
	acts  []audit.Act
	mu    sync.Mutex
}

func (r *rig) Case(_ context.Context, id string) (Case, error) { return r.cases[id], nil }
func (r *rig) Ringing(g place.GroupID) Case                    { return r.cases[r.rings[g]] }
func (r *rig) Name(id people.ID) string                        { return "name of " + string(id) }
func (r *rig) Group(g place.GroupID) []people.Person {
	return []people.Person{{ID: people.ID(g + "-p1")}, {ID: people.ID(g + "-p2")}, {ID: people.ID(g + "-lead")}}
}

func (r *rig) Changed(h Hint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hints = append(r.hints, h)
}

func (r *rig) Append(_ context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error) {
	if tx == nil {
		return audit.Entry{}, errors.New("outside the act's transaction")
	}
	r.acts = append(r.acts, a)
	return audit.Entry{}, nil
}

// ring opens a case in a group.
func (r *rig) ring(id string, g place.GroupID, live, silent bool) {
	r.cases[id] = Case{ID: id, Group: g, Live: live, Silent: silent, Open: true}
	if live && !silent {
		r.rings[g] = id
	}
}

func (r *rig) close(id string) {
	c := r.cases[id]
	c.Open = false
	r.cases[id] = c
	delete(r.rings, c.Group)
}

// each runs f with a rig on every database.
func each(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := storetest.Open(t, dsn)
		if err := db.Migrate(t.Context(), Migrations); err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, dir: t.TempDir(), at: time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC), cases: map[string]Case{}, rings: map[place.GroupID]string{}}
		room, err := blob.Open(r.dir, "chat", 8<<20)
		if err != nil {
			t.Fatal(err)
		}
		home := func(id string) []place.Home {
			return []place.Home{{ID: place.HomeID(id), Group: place.GroupID(id[:2])}}
		}
		d := place.NewDirectory(1, []place.Group{
			{ID: "g1", Commune: "04792", Homes: home("g1-h1"), Adjoining: []place.GroupID{"g2"}}, {ID: "g2", Commune: "04792", Homes: home("g2-h1")}, {ID: "g9", Commune: "04795", Homes: home("g9-h1")},
		})
		r.Service = &Service{
			DB: db, Files: room, Village: func() *place.Directory { return d }, Rights: people.Rights{}, Audit: r, Cases: r, Folk: r, Told: r,
			Rules: place.BuiltInRules(), Now: func() time.Time { r.at = r.at.Add(time.Millisecond); return r.at }, Log: slog.New(slog.DiscardHandler),
		}
		f(t, r)
	})
}

func resident(g, who string) people.Actor {
	return people.Actor{Person: people.ID(g + "-" + who), Name: who, Role: people.Member, Home: place.HomeID(g + "-h1"), Group: place.GroupID(g), Scope: place.Scope{Group: place.GroupID(g)}}
}

func leader(g string) people.Actor {
	a := resident(g, "lead")
	a.Role = people.Leader
	return a
}

func officer(role people.Role, unit string) people.Actor {
	return people.Actor{Person: people.ID(string(role) + unit), Role: role, Scope: place.Scope{Unit: place.UnitCode(unit)}}
}

// says posts and must succeed.
func (r *rig) says(a people.Actor, g, text string) Message {
	r.t.Helper()
	m, err := r.Post(r.t.Context(), a, "", place.GroupID(g), Draft{Text: text})
	if err != nil {
		r.t.Fatal(err)
	}
	r.rest()
	return m
}

// rest lets a minute pass, so that nobody is too fast.
func (r *rig) rest() { r.at = r.at.Add(time.Minute) }

// texts is a thread as a new screen of a gets it.
func (r *rig) texts(a people.Actor, g, incident string) []string {
	r.t.Helper()
	p, err := r.Read(r.t.Context(), a, Ask{Group: place.GroupID(g), Incident: incident, After: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	return texts(p.Messages)
}

func texts(list []Message) []string {
	all := make([]string, 0, len(list))
	for _, m := range list {
		all = append(all, fmt.Sprintf("%s%s", m.Body, m.Removed))
	}
	return all
}

// files counts what lies in the folder.
func (r *rig) files() int {
	r.t.Helper()
	all, err := filepath.Glob(filepath.Join(r.dir, "chat", "*", "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	return len(all)
}
