package people

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// Book knows everybody in memory: names for screens, telephones for calls. It is
// safe for use by many goroutines. Whoever watches the village calls Reload.
type Book struct {
	Now func() time.Time // a post that is over is nobody's; the machine's clock unless set

	db    *store.DB
	now   atomic.Pointer[page]
	posts atomic.Pointer[map[ID]Posts]
}

// page is the book as it stood once. It never changes.
type page struct {
	person map[ID]Person
	home   map[place.HomeID][]Person
	group  map[place.GroupID][]Person // by home, then by place in it
}

// OpenBook reads everybody.
func OpenBook(ctx context.Context, db *store.DB) (*Book, error) {
	b := &Book{Now: time.Now, db: db}
	return b, b.Reload(ctx)
}

// Reload reads everybody again.
func (b *Book) Reload(ctx context.Context) error {
	all, err := readPeople(ctx, b.db.Read())
	if err != nil {
		return err
	}
	p := &page{map[ID]Person{}, map[place.HomeID][]Person{}, map[place.GroupID][]Person{}}
	for _, s := range all {
		p.person[s.ID] = s.Person
		if s.Home != "" {
			p.home[s.Home] = append(p.home[s.Home], s.Person)
			p.group[s.Scope.Group] = append(p.group[s.Scope.Group], s.Person)
		}
	}
	b.now.Store(p)
	return b.ReloadPosts(ctx)
}

// ReloadPosts reads again what everybody holds, and nothing else.
func (b *Book) ReloadPosts(ctx context.Context) error {
	posts, err := heldByAll(ctx, b.db.Read())
	if err != nil {
		return err
	}
	b.posts.Store(&posts)
	return nil
}

// as is p as he stands now.
func (b *Book) as(p Person, now time.Time) Person {
	p.Posts = (*b.posts.Load())[p.ID]
	return p.at(now)
}

// Person returns one person, resident or officer.
func (b *Book) Person(id ID) (Person, bool) {
	p, ok := b.now.Load().person[id]
	return b.as(p, b.Now()), ok
}

// Name is what somebody is called, "" when he is not known any more.
func (b *Book) Name(id ID) string { return b.now.Load().person[id].Name }

// Home lists the members of a home, as its village file does.
func (b *Book) Home(h place.HomeID) []Person { return b.standing(b.now.Load().home[h]) }

// Group lists the members of a group's homes.
func (b *Book) Group(g place.GroupID) []Person { return b.standing(b.now.Load().group[g]) }

// standing is list as its people stand now.
func (b *Book) standing(list []Person) []Person {
	now := b.Now()
	all := make([]Person, len(list))
	for i, p := range list {
		all[i] = b.as(p, now)
	}
	return all
}

// LeaderOf returns the leader of a group.
func (b *Book) LeaderOf(g place.GroupID) (Person, bool) {
	now := b.Now()
	for _, p := range b.now.Load().group[g] {
		for x := range (*b.posts.Load())[p.ID].All() {
			if x.Role == Leader && x.At.Group == g && x.In(now) {
				return b.as(p, now), true
			}
		}
	}
	return Person{}, false
}

// PhoneOf is the telephone by which a home is reached: the first that is known.
func (b *Book) PhoneOf(h place.HomeID) string {
	for _, p := range b.now.Load().home[h] {
		if p.Phone != "" {
			return p.Phone
		}
	}
	return ""
}

// everybody lists all people as they stand now, by id.
func (b *Book) everybody() []Person {
	all := b.standing(slices.Collect(maps.Values(b.now.Load().person)))
	slices.SortFunc(all, func(x, y Person) int { return strings.Compare(string(x.ID), string(y.ID)) })
	return all
}
