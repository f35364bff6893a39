package people

import (
	"context"
	"sync/atomic"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// Book knows everybody in memory: names for screens, telephones for calls. It is
// safe for use by many goroutines. Whoever watches the village calls Reload.
type Book struct {
	db  *store.DB
	now atomic.Pointer[page]
}

// page is the book as it stood once. It never changes.
type page struct {
	person map[ID]Person
	home   map[place.HomeID][]Person
	group  map[place.GroupID][]Person // by home, then by place in it
}

// OpenBook reads everybody.
func OpenBook(ctx context.Context, db *store.DB) (*Book, error) {
	b := &Book{db: db}
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
	return nil
}

// Person returns one person, resident or officer.
func (b *Book) Person(id ID) (Person, bool) {
	p, ok := b.now.Load().person[id]
	return p, ok
}

// Name is what somebody is called, "" when he is not known any more.
func (b *Book) Name(id ID) string { return b.now.Load().person[id].Name }

// Home lists the members of a home, as its village file does. The slice is shared.
func (b *Book) Home(h place.HomeID) []Person { return b.now.Load().home[h] }

// Group lists the members of a group's homes. The slice is shared.
func (b *Book) Group(g place.GroupID) []Person { return b.now.Load().group[g] }

// LeaderOf returns the leader of a group.
func (b *Book) LeaderOf(g place.GroupID) (Person, bool) {
	for _, p := range b.Group(g) {
		if p.Role == Leader {
			return p, true
		}
	}
	return Person{}, false
}

// PhoneOf is the telephone by which a home is reached: the first that is known.
func (b *Book) PhoneOf(h place.HomeID) string {
	for _, p := range b.Home(h) {
		if p.Phone != "" {
			return p.Phone
		}
	}
	return ""
}
