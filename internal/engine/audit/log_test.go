package audit_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

var noon = time.Date(2026, 11, 24, 12, 1, 30, 0, time.UTC)

// open is a log on dsn, beside a table of things that acts do.
func open(t testing.TB, dsn string) (*store.DB, *audit.Log) {
	t.Helper()
	db, err := store.Open(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(context.Background(), audit.Migrations); err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(context.Background(), `CREATE TABLE IF NOT EXISTS done (id TEXT PRIMARY KEY, n BIGINT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	return db, audit.New(db, db.Engine == store.Postgres, func() time.Time { return noon })
}

// do does something and logs it.
func do(t testing.TB, db *store.DB, l *audit.Log, a audit.Act) audit.Entry {
	t.Helper()
	var e audit.Entry
	err := db.Tx(context.Background(), func(tx *sql.Tx) (err error) {
		e, err = l.Append(context.Background(), tx, a)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func look(by string, of ...string) audit.Act {
	return audit.Act{Name: "privacy.look", Area: "04792", By: by, On: "group/group-1", Of: of, Body: map[string]any{"names": true}}
}

func TestLeafIsInTheTransactionOfTheAct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := l.Append(t.Context(), tx, look("officer-1", "lan", "binh")); err != nil {
				t.Fatal(err)
			}
			return boom
		})
		if n, _ := l.Size(t.Context()); !errors.Is(err, boom) || n != 0 {
			t.Errorf("an act that did not happen left %d leaves, %v", n, err)
		}
		if e := do(t, db, l, look("officer-1", "lan", "binh")); e.N != 0 {
			t.Errorf("the first leaf is %d", e.N)
		}
		got, err := l.Of(t.Context(), "lan", 0, 10)
		if err != nil || len(got) != 1 || got[0].By != "officer-1" || got[0].On != "group/group-1" || string(got[0].Body) != `{"names":true}` || !got[0].At.Equal(noon) {
			t.Errorf("she reads %+v, %v", got, err)
		}
		if got, _ := l.Of(t.Context(), "other", 0, 10); len(got) != 0 {
			t.Errorf("another reads %+v", got)
		}
	})
}

// TestManyWhoAppendGetOnePlaceEach appends from many connections at once.
func TestManyWhoAppendGetOnePlaceEach(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		const writers, each = 6, 15
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := db.Tx(t.Context(), func(tx *sql.Tx) error {
						if _, err := tx.ExecContext(t.Context(), `INSERT INTO done (id, n) VALUES ($1, 0)`, fmt.Sprintf("%d-%d", w, i)); err != nil {
							return err
						}
						_, err := l.Append(t.Context(), tx, look(fmt.Sprintf("officer-%d", w), "lan", fmt.Sprintf("p%d", i)))
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n, err := l.Size(t.Context()); err != nil || n != writers*each {
			t.Errorf("%d leaves, %v", n, err)
		}
		if got, err := l.Of(t.Context(), "lan", 0, 1000); err != nil || len(got) != writers*each {
			t.Errorf("she reads %d, %v", len(got), err)
		}
	})
}

func TestLeafSaysNothingWithoutItsKeys(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	a := do(t, db, l, look("officer-1", "person-lan", "person-binh"))
	b := do(t, db, l, look("officer-1", "person-lan", "person-binh"))
	for _, secret := range []string{"officer-1", "person-lan", "person-binh", "group-1", `"names"`} {
		if strings.Contains(string(a.Leaf), secret) {
			t.Errorf("the leaf says %q: %s", secret, a.Leaf)
		}
	}
	la, lb := parse(t, a.Leaf), parse(t, b.Leaf)
	for _, c := range append(la.Of, la.By, la.On, la.Body) {
		for _, d := range append(lb.Of, lb.By, lb.On, lb.Body) {
			if c == d {
				t.Error("two leaves share a commitment: whoever compares them learns who acts how often")
			}
		}
	}
	s, err := l.Show(t.Context(), "person-lan", a.N)
	if err != nil {
		t.Fatal(err)
	}
	if s.Me.Commit("person/person-lan") != la.Of[0] && s.Me.Commit("person/person-lan") != la.Of[1] {
		t.Error("her own commitment does not open")
	}
	if s.ByWho.Commit("person/officer-1") != la.By || s.OnWhat.Commit("group/group-1") != la.On || s.Contents.Commit(`{"names":true}`) != la.Body {
		t.Error("what she was shown does not open the leaf")
	}
	if s.ByWho.Commit("person/officer-1") == lb.By {
		t.Error("an opening for one leaf opens another")
	}
	if _, err := l.Show(t.Context(), "stranger", a.N); !errors.Is(err, audit.ErrNone) {
		t.Errorf("a stranger is shown it: %v", err)
	}
}

func parse(t *testing.T, text []byte) audit.Leaf {
	t.Helper()
	leaf, err := audit.ParseLeaf(text)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestActsThatSayTooMuchAreRefused(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	for name, a := range map[string]audit.Act{
		"no verb":         {Name: "look"},
		"a sentence":      {Name: "privacy.look at Lan"},
		"a place by name": {Name: "privacy.look", Area: "Xóm Đồi"},
		"a phone as area": {Name: "privacy.look", Area: "0900000001"},
		"a bare thing":    {Name: "privacy.look", On: "Bùi Thị Lan"},
		"details of one":  {Name: "privacy.look", Of: []string{"lan", "binh"}, Body: map[string]any{"who": "lan"}},
		"details of doer": {Name: "privacy.look", By: "officer-1", Body: []string{"officer-1"}},
		"about nobody":    {Name: "privacy.look", Of: []string{""}},
		"no JSON":         {Name: "privacy.look", Body: func() {}},
		"a city":          {Name: "privacy.look", Of: many(1500)},
	} {
		err := db.Tx(t.Context(), func(tx *sql.Tx) error { _, err := l.Append(t.Context(), tx, a); return err })
		if err == nil {
			t.Errorf("%s: %+v went into the log", name, a)
		}
	}
}

func many(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint("p", i)
	}
	return ids
}

func TestCommitmentNeedsAKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a commitment without a key was made")
		}
	}()
	audit.Key{}.For("salt").Commit("person/lan")
}

// TestErasedPersonIsGoneAndTheLogIsWhole erases one of two.
func TestErasedPersonIsGoneAndTheLogIsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		do(t, db, l, look("officer-1", "lan", "binh"))
		mine := do(t, db, l, audit.Act{Name: "people.invite", By: "binh", On: "person/lan", Of: []string{"lan"}, Body: map[string]string{"why": "điện thoại mới"}})
		do(t, db, l, audit.Act{Name: "people.invite", By: "lan", On: "group/group-1", Of: []string{"binh"}})
		was, err := l.Show(t.Context(), "lan", mine.N)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Tx(t.Context(), func(tx *sql.Tx) error {
			if _, err := l.Append(t.Context(), tx, audit.Act{Name: "privacy.erase", By: "officer-1", On: "person/lan"}); err != nil {
				return err
			}
			return l.Erase(t.Context(), tx, "lan")
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"audit_act", "audit_of", "audit_key", "audit_leaf"} {
			if n := count(t, db, table, "lan"); n != 0 {
				t.Errorf("%s still has her %d times", table, n)
			}
			if n := count(t, db, table, "điện thoại mới"); n != 0 {
				t.Errorf("%s still has the details", table)
			}
		}
		if k, err := l.Key(t.Context(), "lan"); err != nil || !k.Zero() {
			t.Errorf("her key is still there: %v", err)
		}
		if got, err := l.Of(t.Context(), "binh", 0, 10); err != nil || len(got) != 2 || got[0].By != "" || got[1].By != "officer-1" {
			t.Errorf("the other now reads %+v, %v", got, err)
		}
		if n, _ := l.Size(t.Context()); n != 4 {
			t.Errorf("%d leaves", n)
		}
		if root(t, db) != recomputed(t, db) {
			t.Error("the log is no longer whole")
		}
		if got, err := l.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 || got.Erased != 4 {
			t.Errorf("rows: %v, %v", got, err)
		}
		if was.Contents.Commit(`{"why":"điện thoại mới"}`) != parse(t, mine.Leaf).Body {
			t.Error("what she kept herself no longer proves anything")
		}
	})
}

// count is in how many rows of a table s stands, in any column.
func count(t *testing.T, db *store.DB, table, s string) int {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), `SELECT * FROM `+table)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(any)
		}
		if err := rows.Scan(vals...); err != nil {
			t.Fatal(err)
		}
		for _, v := range vals {
			if strings.Contains(fmt.Sprint(*v.(*any)), s) {
				n++
			}
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return n
}

// root is the root that the stored hashes make.
func root(t testing.TB, db *store.DB) tlog.Hash {
	t.Helper()
	var n int64
	if err := db.Read().QueryRowContext(context.Background(), `SELECT count(*) FROM audit_leaf`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	h, err := tlog.TreeHash(n, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			var b []byte
			if err := db.Read().QueryRowContext(context.Background(), `SELECT hash FROM audit_hash WHERE n = $1`, x).Scan(&b); err != nil {
				return nil, err
			}
			list[i] = tlog.Hash(b)
		}
		return list, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// recomputed is the root that the leaves make, from nothing.
func recomputed(t testing.TB, db *store.DB) tlog.Hash {
	t.Helper()
	rows, err := db.Read().QueryContext(context.Background(), `SELECT body FROM audit_leaf ORDER BY n`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var level []tlog.Hash
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		if !json.Valid([]byte(s)) {
			t.Fatalf("a leaf is no JSON: %s", s)
		}
		level = append(level, tlog.RecordHash([]byte(s)))
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return merkle(level)
}

// merkle is RFC 6962 section 2.1, as it is written there.
func merkle(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(merkle(leaves[:k]), merkle(leaves[k:]))
}
