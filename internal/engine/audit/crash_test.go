package audit_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

// acting names the database that a child process acts on until it is killed.
const acting = "KENG_AUDIT_ACT_ON"

// TestKilledAtRandomKeepsActsAndLeavesTogether kills a process that acts and logs
// as fast as it can, again and again: no act is without a leaf, no leaf without an
// act, nothing that was acknowledged is lost, and the root is that of the leaves.
func TestKilledAtRandomKeepsActsAndLeavesTogether(t *testing.T) {
	if dsn := os.Getenv(acting); dsn != "" {
		act(t, dsn)
		return
	}
	rounds := 6
	if os.Getenv("KENG_SOAK") != "" {
		rounds = 1000
	}
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		acked := map[string]bool{}
		for range rounds {
			kill(t, dsn, acked)
		}
		rows, err := db.Read().QueryContext(t.Context(), `SELECT d.id, COALESCE(f.n, -1), COALESCE(a.n, -1) FROM done d
			LEFT JOIN audit_leaf f ON f.n = d.n LEFT JOIN audit_act a ON a.n = d.n`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		acts := int64(0)
		for rows.Next() {
			var id string
			var leaf, row int64
			if err := rows.Scan(&id, &leaf, &row); err != nil {
				t.Fatal(err)
			}
			if leaf < 0 || row < 0 {
				t.Errorf("act %s has no leaf (%d) or no row (%d)", id, leaf, row)
			}
			delete(acked, id)
			acts++
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		for id := range acked {
			t.Errorf("act %s was acknowledged and is lost", id)
		}
		n, err := l.Size(t.Context())
		if err != nil || n != acts || n == 0 {
			t.Errorf("%d leaves, %d acts, %v", n, acts, err)
		}
		if root(t, db) != recomputed(t, db) {
			t.Error("the stored hashes are not those of the leaves")
		}
		if got, err := l.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 {
			t.Errorf("%v, %v", got, err)
		}
		t.Logf("%d rounds, %d acts", rounds, acts)
	})
}

// kill lets a child act for a moment, kills it with -9 and notes what it had been
// told is on disk.
func kill(t *testing.T, dsn string, acked map[string]bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledAtRandomKeepsActsAndLeavesTogether$") // #nosec G204 -- ourselves
	c.Env = append(os.Environ(), acting+"="+dsn)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	first := make(chan struct{})
	told := make(chan []string)
	go func() {
		var ids []string
		for s := bufio.NewScanner(out); s.Scan(); {
			if id, ok := strings.CutPrefix(s.Text(), "done "); ok && strings.HasSuffix(id, ".") {
				if ids = append(ids, id); len(ids) == 1 {
					close(first)
				}
			}
		}
		told <- ids
	}()
	select {
	case <-first:
	case <-ctx.Done():
		t.Error("the child never acted")
	}
	select {
	case <-time.After(time.Duration(rand.IntN(60_000)) * time.Microsecond):
	case <-ctx.Done():
	}
	_ = c.Process.Kill()
	for _, id := range <-told {
		acked[id] = true
	}
	_ = c.Wait()
}

// act does things from two connections until it is killed.
func act(t *testing.T, dsn string) {
	db, l := open(t, dsn)
	me := rand.Uint64()
	work := func(worker int) {
		for i := 0; ; i++ {
			id := fmt.Sprintf("%d-%d-%d.", me, worker, i)
			err := db.Tx(context.Background(), func(tx *sql.Tx) error {
				if _, err := tx.Exec(`INSERT INTO done (id, n) VALUES ($1, -1)`, id); err != nil {
					return err
				}
				e, err := l.Append(context.Background(), tx, look("officer-1", "lan", fmt.Sprintf("p%d", i%7)))
				if err != nil {
					return err
				}
				_, err = tx.Exec(`UPDATE done SET n = $1 WHERE id = $2`, e.N, id)
				return err
			})
			if err != nil {
				return // the other end has gone
			}
			fmt.Println("done " + id)
		}
	}
	go work(1)
	work(2)
}
