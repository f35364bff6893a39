package people

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/keng-vn/keng/internal/place"
)

// Where a post came from when no person gave it.
const (
	ByVillage = "village" // a village file
	ByCommand = "command" // an operator at the machine
	byUpgrade = "upgrade" // from the time before grants
)

// Give gives a post to a person, inside tx, and returns the grant's id. It asks
// nobody: a caller that acts for a person has asked "may he?" before.
func Give(ctx context.Context, tx *sql.Tx, id ID, p Post, now time.Time) (string, error) {
	g := Grant{ID: newGrant(), Person: id, Role: p.Role, At: p.At, From: p.From, Until: p.Until, State: Held, ProposedBy: p.By, Proposed: now}
	return g.ID, g.add(ctx, tx)
}

// EndPosts ends every post of a person in one of roles at that place, inside tx, and
// reports how many there were. It asks nobody, as [Give] does.
func EndPosts(ctx context.Context, tx *sql.Tx, id ID, at place.Scope, by string, now time.Time, roles ...Role) (int, error) {
	ended := 0
	for _, r := range roles {
		res, err := tx.ExecContext(ctx, `UPDATE people_grant SET state = 'ended', ended_by = $1, ended_ms = $2
			WHERE person = $3 AND role = $4 AND unit = $5 AND neighbourhood = $6 AND group_id = $7 AND state = 'held'`,
			by, now.UnixMilli(), id, r, at.Unit, at.Neighbourhood, at.Group)
		if err != nil {
			return ended, fmt.Errorf("end posts: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return ended, fmt.Errorf("end posts: %w", err)
		}
		ended += int(n)
	}
	if ended == 0 {
		return 0, nil
	}
	return ended, bumpGrants(ctx, tx)
}

func newGrant() string { return ulid.Make().String() }

// bumpGrants says that somebody holds something else than before: every process
// looks again.
func bumpGrants(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE people_version SET version = version + 1 WHERE one = 1`); err != nil {
		return fmt.Errorf("bump grants: %w", err)
	}
	return nil
}

const postColumns = `g.role, g.unit, g.neighbourhood, g.group_id, g.from_ms, g.until_ms, g.proposed_by`

// postRow takes one row of postColumns.
type postRow struct {
	Post
	from, until int64
}

func (r *postRow) into() []any {
	return []any{&r.Role, &r.At.Unit, &r.At.Neighbourhood, &r.At.Group, &r.from, &r.until, &r.By}
}

func (r postRow) post() Post {
	r.From = time.UnixMilli(r.from).UTC()
	if r.until != 0 {
		r.Until = time.UnixMilli(r.until).UTC()
	}
	return r.Post
}

// heldBy reads the posts of one person that nobody ended, whether or not their time
// has come.
func heldBy(ctx context.Context, q place.Querier, id ID) (Posts, error) {
	all, err := readPosts(ctx, q, `SELECT g.person, `+postColumns+` FROM people_grant g WHERE g.state = 'held' AND g.person = $1`, id)
	return all[id], err
}

// heldByAll does so for everybody.
func heldByAll(ctx context.Context, q place.Querier) (map[ID]Posts, error) {
	return readPosts(ctx, q, `SELECT g.person, `+postColumns+` FROM people_grant g WHERE g.state = 'held'`)
}

func readPosts(ctx context.Context, q place.Querier, query string, args ...any) (map[ID]Posts, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := map[ID][]Post{}
	for rows.Next() {
		var id ID
		var r postRow
		if err := rows.Scan(append([]any{&id}, r.into()...)...); err != nil {
			return nil, fmt.Errorf("read posts: %w", err)
		}
		list[id] = append(list[id], r.post())
	}
	all := make(map[ID]Posts, len(list))
	for id, posts := range list {
		all[id] = PostsOf(posts...)
	}
	return all, rows.Err()
}

// at is p as he stands at that time: with the posts that he holds then, and the
// main one of them as his role.
func (p Person) at(now time.Time) Person {
	p.Posts = p.Posts.At(now)
	var group place.GroupID
	if p.Home != "" {
		group = p.Scope.Group
	}
	at := place.Scope{}
	if p.Role, at = main(p.Posts, p.Home, group); p.Home == "" && p.Role != "" {
		p.Scope = at
	}
	return p
}

// actor is p when he asks for something.
func (p Person) actor() Actor {
	a := Actor{Person: p.ID, Name: p.Name, Home: p.Home, Posts: p.Posts}
	if p.Home != "" {
		a.Group = p.Scope.Group
	}
	a.Role, a.Scope = main(p.Posts, a.Home, a.Group)
	return a
}

// at is a as he stands at that time.
func (a Actor) at(now time.Time) Actor {
	held := a.Posts.At(now)
	if held == a.Posts || a.Person == "" {
		return a
	}
	a.Posts = held
	a.Role, a.Scope = main(held, a.Home, a.Group)
	return a
}

// Until is when the first of a's posts ends by itself; zero when none does.
func (a Actor) Until() time.Time {
	var first time.Time
	for p := range a.Posts.All() {
		if !p.Until.IsZero() && (first.IsZero() || p.Until.Before(first)) {
			first = p.Until
		}
	}
	return first
}
