package chat

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/blob"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Rights says who may do what. *people.Rights is one.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
}

// Recorder writes who saw what into the log, in the transaction of the act.
type Recorder interface {
	Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error)
}

// Cases knows incidents.
type Cases interface {
	// Case is incident id; the zero Case when there is none.
	Case(ctx context.Context, id string) (Case, error)
	// Ringing is the loud live incident that rings in group g; the zero Case when none does.
	Ringing(g place.GroupID) Case
}

// Folk knows people. *people.Book is one.
type Folk interface {
	Name(id people.ID) string
	Group(g place.GroupID) []people.Person
}

// Hint tells screens that something changed: they ask for it themselves.
type Hint struct {
	Group    place.GroupID
	Incident string
	ID       ID
	Kind     Kind
	Rev      int64
	Counted  bool // only the count of who has seen it changed
}

// Told hears what changed.
type Told interface {
	Changed(h Hint)
}

// Announcer brings an announcement, a notice or a warning to people who do not
// look at a screen. It must not wait.
type Announcer interface {
	Announce(g place.GroupID, k Kind, message ID, title, text string)
}

// Service is the channel at work. Fill the exported fields; Files and Announcer may
// be nil.
type Service struct {
	DB        *store.DB
	Files     *blob.Room // nil: there is no folder, only words
	Village   func() *place.Directory
	Rights    Rights
	Audit     Recorder
	Cases     Cases
	Folk      Folk
	Told      Told
	Announcer Announcer
	Rules     place.Rules
	Now       func() time.Time
	Log       *slog.Logger

	photos studio
	pace   pace
}

// area is group g itself, as the policies see it.
func area(g place.Group) people.Thing { return people.Thing{Kind: "Area", Group: g} }

// thread is the thread of incident c in g.
func thread(g place.Group, c Case) people.Thing {
	return people.Thing{Kind: "Thread", Group: g, Attrs: map[string]any{"open": c.Open, "live": c.Live}}
}

// message is m of group g.
func message(g place.Group, m Message) people.Thing {
	return people.Thing{Kind: "Message", Group: g, Owner: m.Person, Attrs: map[string]any{"bulletin": m.Notice != ""}}
}

// office is unit u itself.
func office(u place.UnitCode) people.Thing { return people.Thing{Kind: "Area", Unit: u} }

// may finds group id for a, who wants to do verb there. Who may not even know the
// group is told that there is none.
func (v *Service) may(op string, a people.Actor, verb string, id place.GroupID, c Case) (place.Group, error) {
	g, ok := v.Village().Group(id)
	if !ok || c.ID != "" && c.Group != id {
		return g, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	if v.Rights.May(a, verb, area(g)) {
		return g, nil
	}
	if !v.Rights.May(a, "place.see", area(g)) {
		return g, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	return g, fault.New(op, fault.Denied, "chat.denied")
}

// mayRead finds group id for a, who wants to read its thread, or that of case c.
// window is whether he reads as an officer who was called.
func (v *Service) mayRead(op string, a people.Actor, id place.GroupID, c Case) (g place.Group, window bool, err error) {
	if c.Silent {
		return g, false, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	if g, err = v.may(op, a, "chat.read", id, c); err == nil || c.ID == "" {
		return g, false, err
	}
	if g.ID != "" && v.Rights.May(a, "chat.watch", thread(g, c)) {
		return g, true, nil
	}
	return g, false, err
}

// Hears reports whether a screen of a may be told of h.
func (v *Service) Hears(a people.Actor, h Hint, c Case) bool {
	g, ok := v.Village().Group(h.Group)
	switch {
	case !ok:
		return false
	case h.Counted:
		return v.Rights.May(a, "chat.count", area(g)) || h.Kind == Notice && v.Rights.May(a, "chat.notify", area(g))
	case v.Rights.May(a, "chat.read", area(g)):
		return true
	}
	return h.Incident != "" && c.ID == h.Incident && v.Rights.May(a, "chat.watch", thread(g, c))
}

// find is case id, or the zero Case for "".
func (v *Service) find(ctx context.Context, op, id string) (Case, error) {
	if id == "" {
		return Case{}, nil
	}
	c, err := v.Cases.Case(ctx, id)
	if err != nil {
		return c, fault.Wrap(op, err)
	}
	if c.ID == "" || c.Silent {
		return Case{}, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	return c, nil
}

// mark names a deed: the same key of the same person is the same deed.
func mark(a people.Actor, key string, id ID) string {
	if key == "" {
		return string(id)
	}
	sum := sha256.Sum256([]byte(string(a.Person) + "\x00" + a.Token + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

func newID(now time.Time) ID {
	return ID(ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String())
}

// draft begins a message of a.
func (v *Service) draft(a people.Actor, k Kind, g place.GroupID) Message {
	now := v.Now().UTC().Truncate(time.Millisecond)
	return Message{ID: newID(now), Group: g, Kind: k, At: now, Person: a.Person, Token: a.Token, Role: a.Role, Home: a.Home}
}

// Draft is what somebody wants to say.
type Draft struct {
	Incident string // "" for the group's own thread, or what rings in it
	Text     string
	Announce bool // to everybody of the group, with a count of who has seen it
}

// Post says d in group id. The same key from the same person is the same message.
func (v *Service) Post(ctx context.Context, a people.Actor, key string, id place.GroupID, d Draft) (Message, error) {
	const op = "chat.Post"
	c, g, err := v.mayPost(ctx, op, a, id, d.Incident)
	if err != nil {
		return Message{}, err
	}
	m := v.draft(a, Text, g.ID)
	if d.Announce {
		if !v.Rights.May(a, "chat.announce", area(g)) {
			return Message{}, fault.New(op, fault.Denied, "chat.denied")
		}
		m.Kind = Announce
	}
	if m.Body, err = tidy(op, d.Text, longest, true); err != nil {
		return Message{}, err
	}
	var ok bool
	if m.Incident, ok = belongs(d.Incident, c, v.Cases.Ringing(g.ID)); !ok {
		return Message{}, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	return v.say(ctx, op, m, mark(a, key, m.ID))
}

// mayPost finds the case and the group for a, who wants to say something there.
func (v *Service) mayPost(ctx context.Context, op string, a people.Actor, id place.GroupID, incident string) (Case, place.Group, error) {
	c, err := v.find(ctx, op, incident)
	if err != nil {
		return c, place.Group{}, err
	}
	g, err := v.may(op, a, "chat.post", id, c)
	if err != nil && g.ID != "" && c.ID != "" && v.Rights.May(a, "chat.reply", thread(g, c)) {
		err = nil
	}
	if err == nil && !v.pace.ok(a, v.Now()) {
		err = fault.New(op, fault.Busy, "chat.too_many")
	}
	return c, g, err
}

// say writes m down and tells who may hear.
func (v *Service) say(ctx context.Context, op string, m Message, deed string) (Message, error) {
	m, fresh, err := v.insert(ctx, m, deed)
	if err != nil {
		return Message{}, fault.Wrap(op, err)
	}
	if fresh {
		v.tell(m)
	}
	return m, nil
}

func (v *Service) tell(m Message) {
	v.Told.Changed(Hint{Group: m.Group, Incident: m.Incident, ID: m.ID, Kind: m.Kind, Rev: m.Rev})
	if v.Announcer != nil && m.Kind.counted() && m.Removed == Here {
		v.Announcer.Announce(m.Group, m.Kind, m.ID, m.Title, m.Body)
	}
}

// Ask is which part of a thread somebody wants.
type Ask struct {
	Group    place.GroupID
	Incident string // "" for everything of the group
	After    int64  // changes after this rev, oldest change first; below 0: the newest messages
	Before   ID     // with After below 0: messages before this one
	Limit    int
}

// Page is a part of a thread.
type Page struct {
	Rev      int64     // ask again after this
	More     bool      // there is more to ask for at once
	From     time.Time // messages before this time are gone
	Messages []Message
	Group    place.Group
	Leads    bool // the reader is told how many have seen an announcement
}

// Read is what a asks for. An officer's reading is written into the log first.
func (v *Service) Read(ctx context.Context, a people.Actor, q Ask) (Page, error) {
	const op = "chat.Read"
	c, err := v.find(ctx, op, q.Incident)
	if err != nil {
		return Page{}, err
	}
	g, window, err := v.mayRead(op, a, q.Group, c)
	if err != nil {
		return Page{}, err
	}
	if window {
		if err := v.openWindow(ctx, a, g, c); err != nil {
			return Page{}, fault.Wrap(op, err)
		}
	}
	if q.Limit <= 0 || q.Limit > mostAtOnce {
		q.Limit = mostAtOnce
	}
	p := Page{Group: g, From: v.cut(g.Commune), Messages: []Message{}, Leads: v.Rights.May(a, "chat.count", area(g))}
	if err := v.read(ctx, q, a.Person, &p); err != nil {
		return Page{}, fault.Wrap(op, err)
	}
	return p, nil
}

// cut is the time before which messages of a unit's groups are gone.
func (v *Service) cut(u place.UnitCode) time.Time {
	now := v.Now().UTC()
	days := defaultKeep
	if r, ok := v.Rules.At(keepKey, u, now); ok {
		if n, err := strconv.Atoi(r.Value); err == nil {
			days = min(max(n, leastKeepDays), mostKeepDays)
		}
	}
	return now.Add(-time.Duration(days) * 24 * time.Hour).Truncate(time.Millisecond)
}

// Open is the file of message id for a, who closes it.
func (v *Service) Open(ctx context.Context, a people.Actor, group place.GroupID, id ID) (Message, *os.File, error) {
	const op = "chat.Open"
	m, _, err := v.reach(ctx, op, a, group, id)
	if err != nil {
		return m, nil, err
	}
	if m.File.Blob == "" || v.Files == nil {
		return m, nil, fault.New(op, fault.NotFound, "chat.file_gone")
	}
	f, err := v.Files.Get(m.File.Blob)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil, fault.New(op, fault.NotFound, "chat.file_gone")
	}
	if err != nil {
		return m, nil, fault.Wrap(op, err)
	}
	return m, f, nil
}

// reach finds message id of a group for a, who may read it now.
func (v *Service) reach(ctx context.Context, op string, a people.Actor, group place.GroupID, id ID) (Message, place.Group, error) {
	g, ok := v.Village().Group(group)
	if !ok {
		return Message{}, g, fault.New(op, fault.NotFound, "chat.group_unknown")
	}
	if v.Rights.May(a, "chat.read", area(g)) {
		m, err := v.one(ctx, op, group, id, v.cut(g.Commune))
		return m, g, err
	}
	m, err := v.one(ctx, op, group, id, v.cut(g.Commune))
	if err != nil || m.Incident == "" {
		_, denied := v.may(op, a, "chat.read", group, Case{})
		return Message{}, g, denied
	}
	c, err := v.find(ctx, op, m.Incident)
	if err != nil {
		return Message{}, g, err
	}
	if _, _, err := v.mayRead(op, a, group, c); err != nil {
		return Message{}, g, err
	}
	return m, g, v.openWindow(ctx, a, g, c)
}

// Take takes message id away for good: its author takes it back, or the leader
// removes it from view. What is left says so.
func (v *Service) Take(ctx context.Context, a people.Actor, group place.GroupID, id ID) (Message, error) {
	const op = "chat.Take"
	m, g, err := v.reach(ctx, op, a, group, id)
	if err != nil {
		return Message{}, err
	}
	by := ByAuthor
	if !v.Rights.May(a, "chat.take", message(g, m)) {
		if by = ByLeader; !v.Rights.May(a, "chat.remove", message(g, m)) {
			return Message{}, fault.New(op, fault.Denied, "chat.denied")
		}
	}
	if m.Removed != Here {
		return m, nil
	}
	if m, err = v.blank(ctx, m, by); err != nil {
		return Message{}, fault.Wrap(op, err)
	}
	v.tell(m)
	v.drop(ctx)
	return m, nil
}

// Saw notes that a has seen announcements, notices and warnings of his group.
func (v *Service) Saw(ctx context.Context, a people.Actor, group place.GroupID, ids []ID) error {
	const op = "chat.Saw"
	g, err := v.may(op, a, "chat.post", group, Case{})
	if err != nil {
		return err
	}
	if a.Person == "" || len(ids) == 0 {
		return nil
	}
	if len(ids) > mostAtOnce {
		return fault.New(op, fault.Invalid, "fault.invalid")
	}
	seen, err := v.see(ctx, a.Person, g.ID, ids)
	if err != nil {
		return fault.Wrap(op, err)
	}
	for _, m := range seen {
		v.Told.Changed(Hint{Group: m.Group, ID: m.ID, Kind: m.Kind, Rev: m.Rev, Counted: true})
	}
	return nil
}

// Run keeps house every hour until ctx is done; see [Service.Tidy].
func (v *Service) Run(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := v.Tidy(ctx); err != nil && ctx.Err() == nil {
			v.Log.Error("old messages were not deleted", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Tidy deletes for good what is older than it may be kept, with its files, and
// files that nobody wrote down.
func (v *Service) Tidy(ctx context.Context) error {
	err := v.purge(ctx)
	v.drop(ctx)
	if v.Files == nil {
		return err
	}
	return errors.Join(err, v.Files.Each(time.Now().Add(-sweepOlder), func(id blob.ID) error {
		known, err := v.holds(ctx, id)
		if err != nil || known {
			return err
		}
		return v.Files.Delete(id)
	}))
}

// drop deletes the files of messages that are gone. What fails is tried again by Tidy.
func (v *Service) drop(ctx context.Context) {
	if v.Files == nil {
		return
	}
	ids, err := v.dropped(ctx)
	for _, id := range ids {
		if err == nil {
			err = v.Files.Delete(id)
		}
	}
	if err == nil && len(ids) > 0 {
		err = v.forgetDropped(ctx, ids)
	}
	if err != nil && ctx.Err() == nil {
		v.Log.Error("files of messages that are gone were not deleted", slog.Any("err", err))
	}
}

// pace bounds how much one person says, so that a broken program cannot flood a
// group. It remembers a minute.
type pace struct {
	mu    sync.Mutex
	since time.Time
	count map[people.Actor]int
}

func (p *pace) ok(a people.Actor, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == nil || now.Sub(p.since) >= time.Minute || now.Before(p.since) {
		p.since, p.count = now, map[people.Actor]int{}
	}
	p.count[a]++
	return p.count[a] <= perMinute
}
