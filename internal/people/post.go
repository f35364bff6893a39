package people

import (
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// Post is a role that somebody holds somewhere for a time, and who gave it to him.
type Post struct {
	Role  Role
	At    place.Scope
	From  time.Time // whole ms
	Until time.Time // zero: until it is ended
	By    string    // a person's id, or where it came from: "village", "command"
}

// In reports whether the post is held at that time.
func (p Post) In(now time.Time) bool {
	return !now.Before(p.From) && (p.Until.IsZero() || now.Before(p.Until))
}

// Posts is a set of posts as a value: two are the same when they hold the same.
// The zero Posts is none. Make it with [PostsOf].
type Posts string

// PostsOf makes a set.
func PostsOf(list ...Post) Posts {
	rows := make([]string, len(list))
	for i, p := range list {
		var from, until int64
		from = p.From.UnixMilli()
		if !p.Until.IsZero() {
			until = p.Until.UnixMilli()
		}
		rows[i] = strings.Join([]string{
			string(p.Role), string(p.At.Unit), p.At.Neighbourhood, string(p.At.Group),
			strconv.FormatInt(from, 10), strconv.FormatInt(until, 10), p.By,
		}, "\x1f")
	}
	slices.Sort(rows)
	return Posts(strings.Join(slices.Compact(rows), "\x1e"))
}

// None reports whether there is no post in p.
func (p Posts) None() bool { return p == "" }

// All gives every post, in a fixed order.
func (p Posts) All() iter.Seq[Post] {
	return func(yield func(Post) bool) {
		for rest := string(p); rest != ""; {
			var row string
			row, rest, _ = strings.Cut(rest, "\x1e")
			var f [7]string
			for i := range f {
				f[i], row, _ = strings.Cut(row, "\x1f")
			}
			x := Post{Role: Role(f[0]), At: place.Scope{Unit: place.UnitCode(f[1]), Neighbourhood: f[2], Group: place.GroupID(f[3])}, By: f[6]}
			from, _ := strconv.ParseInt(f[4], 10, 64)  // written by PostsOf
			until, _ := strconv.ParseInt(f[5], 10, 64) // written by PostsOf
			if x.From = time.UnixMilli(from).UTC(); until != 0 {
				x.Until = time.UnixMilli(until).UTC()
			}
			if !yield(x) {
				return
			}
		}
	}
}

// At is what is held of p at that time.
func (p Posts) At(now time.Time) Posts {
	var held []Post
	all := true
	for x := range p.All() {
		if x.In(now) {
			held = append(held, x)
		} else {
			all = false
		}
	}
	if all {
		return p
	}
	return PostsOf(held...)
}

// Holds reports whether role r is held anywhere.
func (p Posts) Holds(r Role) bool {
	for x := range p.All() {
		if x.Role == r {
			return true
		}
	}
	return false
}

// weight orders roles by what they ask of somebody: the first that he holds is
// his main role.
var weight = [...]Role{Chief, Desk, Admin, Auditor, Viewer, Steering, Leader, Deputy, Member, Head, Team, Mediator, Elder}

func rank(r Role) int {
	if i := slices.Index(weight[:], r); i >= 0 {
		return i
	}
	return len(weight)
}

// main is the main role of who holds posts and lives in home, and where he holds it.
func main(posts Posts, home place.HomeID, group place.GroupID) (Role, place.Scope) {
	best := Post{}
	if home != "" && group != "" {
		best = Post{Role: Member, At: place.Scope{Group: group}}
	}
	for x := range posts.All() {
		if best.Role == "" || rank(x.Role) < rank(best.Role) {
			best = x
		}
	}
	return best.Role, best.At
}
