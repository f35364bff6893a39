package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

const origin = "keng/25/main"

// head publishes l from files in dir.
func head(t testing.TB, l *audit.Log, dir string, witnesses ...audit.Bystander) *audit.Head {
	t.Helper()
	h, err := audit.NewHead(l, filepath.Join(dir, "audit.key"), filepath.Join(dir, "audit.checkpoint"), origin, witnesses, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// serve answers as Keng does.
func serve(t testing.TB, h *audit.Head) string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /log/checkpoint": h.ServeCheckpoint, "GET /log/key": h.ServeKey, "GET /log/tile/{path...}": h.ServeTile,
		"GET /log/proof/{n}": h.ServeProof, "GET /log/consistency/{old}": h.ServeConsistency,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := f(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
			}
		})
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL + "/log"
}

// fill appends count acts in transactions of 100.
func fill(t testing.TB, db *store.DB, l *audit.Log, count int) {
	t.Helper()
	for from := 0; from < count; from += 100 {
		err := db.Tx(context.Background(), func(tx *sql.Tx) error {
			for i := from; i < min(from+100, count); i++ {
				if _, err := l.Append(context.Background(), tx, look("officer-1", fmt.Sprintf("p%d", i%40), "lan")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func verifier(t testing.TB, text string) note.Verifier {
	t.Helper()
	v, err := audit.ParseVerifier(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func published(t testing.TB, h *audit.Head) []byte {
	t.Helper()
	_, signed, err := h.Covering(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// hashBundle is how tessera's fsck hashes our entries.
func hashBundle(b []byte) ([][]byte, error) {
	var e api.EntryBundle
	if err := e.UnmarshalText(b); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range e.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// TestOutsideVerifierAcceptsTheLog lets tessera's client and fsck, which are not
// ours, check the log over HTTP, and find one entry that was changed.
func TestOutsideVerifierAcceptsTheLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		const n = 1100 // more than four bundles
		fill(t, db, l, n)
		h := head(t, l, t.TempDir())
		published(t, h)
		base, err := url.Parse(serve(t, h) + "/")
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := note.NewVerifier(h.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		f, err := client.NewHTTPFetcher(base, nil)
		if err != nil {
			t.Fatal(err)
		}
		cp, _, _, err := client.FetchCheckpoint(t.Context(), f.ReadCheckpoint, theirs, origin)
		if err != nil || cp.Size != n {
			t.Fatalf("checkpoint %+v, %v", cp, err)
		}
		proofs, err := client.NewProofBuilder(t.Context(), cp.Size, f.ReadTile)
		if err != nil {
			t.Fatal(err)
		}
		for i := uint64(0); i < n; i += 37 {
			path, err := proofs.InclusionProof(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			var ours tlog.RecordProof
			for _, x := range path {
				ours = append(ours, tlog.Hash(x))
			}
			if err := tlog.CheckRecord(ours, n, tlog.Hash(cp.Hash), int64(i), tlog.RecordHash(leafOf(t, db, int64(i)))); err != nil {
				t.Errorf("entry %d: %v", i, err)
			}
		}
		if err := fsck.New(origin, theirs, f, hashBundle, fsck.Opts{N: 2}).Check(t.Context()); err != nil {
			t.Errorf("fsck: %v", err)
		}
		change(t, db, 777)
		if err := fsck.New(origin, theirs, f, hashBundle, fsck.Opts{N: 2}).Check(t.Context()); err == nil {
			t.Error("fsck does not see that an entry was changed")
		}
	})
}

func leafOf(t testing.TB, db *store.DB, n int64) []byte {
	t.Helper()
	var s string
	if err := db.Read().QueryRowContext(context.Background(), `SELECT body FROM audit_leaf WHERE n = $1`, n).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return []byte(s)
}

// change rewrites one leaf in the database.
func change(t testing.TB, db *store.DB, n int64) {
	t.Helper()
	if err := db.Exec(context.Background(), `UPDATE audit_leaf SET body = replace(body, 'privacy.look', 'privacy.lock') WHERE n = $1`, n); err != nil {
		t.Fatal(err)
	}
}

// TestVerifyFindsEveryChange checks a whole log as the command does: over HTTP,
// from a folder, from the database; and then with one thing changed at a time.
func TestVerifyFindsEveryChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		fill(t, db, l, 600)
		h := head(t, l, t.TempDir())
		signed := published(t, h)
		v := verifier(t, h.Verifier())
		over := audit.Address{URL: serve(t, h), Client: http.DefaultClient}
		for name, s := range map[string]audit.Source{"http": over, "database": l.Files(signed), "folder": mirror(t, over, 600)} {
			if got, err := audit.Verify(t.Context(), s, v); err != nil || len(got.Wrong) > 0 || got.Entries != 600 || got.Tiles < 3 {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		rowsAreHeldAgainstLeaves(t, db, l)
		for _, c := range []struct{ name, do, undo string }{
			{"a leaf", `UPDATE audit_leaf SET body = replace(body, 'privacy.look', 'privacy.lock') WHERE n = 300`, `UPDATE audit_leaf SET body = replace(body, 'privacy.lock', 'privacy.look') WHERE n = 300`},
			{"a hash of a tile", `UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE n = 0) WHERE n = 1`, ""},
		} {
			sqlDo(t, db, c.do)
			if got, err := audit.Verify(t.Context(), over, v); err != nil || len(got.Wrong) == 0 {
				t.Errorf("%s was changed: %v, %v", c.name, got, err)
			}
			if c.undo != "" {
				sqlDo(t, db, c.undo)
			}
		}
	})
}

// rowsAreHeldAgainstLeaves changes one thing at a time, and undoes it.
func rowsAreHeldAgainstLeaves(t *testing.T, db *store.DB, l *audit.Log) {
	t.Helper()
	whole := func(when string) {
		if got, err := l.VerifyRows(t.Context()); err != nil || len(got.Wrong) > 0 || got.Acts != 600 || got.Erased != 0 {
			t.Errorf("%s: %v, %v", when, got, err)
		}
	}
	whole("before")
	for _, c := range []struct{ name, do, undo string }{
		{"who did it", `UPDATE audit_act SET by_id = 'officer-2' WHERE n = 5`, `UPDATE audit_act SET by_id = 'officer-1' WHERE n = 5`},
		{"the details", `UPDATE audit_act SET body = '{"names":false}' WHERE n = 5`, `UPDATE audit_act SET body = '{"names":true}' WHERE n = 5`},
		{"the time", `UPDATE audit_act SET at_ms = at_ms - 3600000 WHERE n = 5`, `UPDATE audit_act SET at_ms = at_ms + 3600000 WHERE n = 5`},
		{"whom it is about", `UPDATE audit_of SET person = 'p7' WHERE n = 5 AND person = 'p5'`, `UPDATE audit_of SET person = 'p5' WHERE n = 5 AND person = 'p7'`},
		{"an act without a leaf", `INSERT INTO audit_act (n, at_ms, name, by_id, on_id, body, key) VALUES (600, 0, 'a.b', '', '', '', NULL)`, `DELETE FROM audit_act WHERE n = 600`},
		{"a leaf without an act", `UPDATE audit_act SET n = 700 WHERE n = 599`, `UPDATE audit_act SET n = 599 WHERE n = 700`},
		{"an inner hash", `UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE n = 10) WHERE n = 9`, ""},
	} {
		var was []byte
		if err := db.Read().QueryRowContext(t.Context(), `SELECT hash FROM audit_hash WHERE n = 9`).Scan(&was); err != nil {
			t.Fatal(err)
		}
		sqlDo(t, db, c.do)
		if got, err := l.VerifyRows(t.Context()); err != nil || len(got.Wrong) == 0 {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if c.undo != "" {
			sqlDo(t, db, c.undo)
		} else if err := db.Exec(t.Context(), `UPDATE audit_hash SET hash = $1 WHERE n = 9`, was); err != nil {
			t.Fatal(err)
		}
		whole("undone: " + c.name)
	}
}

func sqlDo(t testing.TB, db *store.DB, q string) {
	t.Helper()
	if err := db.Exec(context.Background(), q); err != nil {
		t.Fatal(err)
	}
}

// mirror fetches a log into a folder.
func mirror(t testing.TB, from audit.Source, size int64) audit.Folder {
	t.Helper()
	dir := t.TempDir()
	paths := []string{"checkpoint"}
	for n := int64(0); n*256 < size; n++ {
		p := fmt.Sprintf("tile/entries/%03d", n)
		if rest := size - n*256; rest < 256 {
			p += fmt.Sprintf(".p/%d", rest)
		}
		paths = append(paths, p)
	}
	for _, tile := range tlog.NewTiles(8, 0, size) {
		paths = append(paths, "tile/"+strings.TrimPrefix(tile.Path(), "tile/8/"))
	}
	for _, p := range paths {
		b, err := from.Read(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, p), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return audit.Folder(dir)
}

// body is what GET answers.
func body(t testing.TB, url string) []byte {
	t.Helper()
	r, err := http.Get(url) // #nosec G107 -- our own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", url, r.StatusCode, b, err)
	}
	return b
}

// TestProofOfAnEntryHolds takes proofs of every kind of place in trees that grow.
func TestProofOfAnEntryHolds(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	h := head(t, l, t.TempDir())
	at := serve(t, h)
	v := verifier(t, h.Verifier())
	var before audit.Checkpoint
	for size := range int64(18) {
		do(t, db, l, look("officer-1", "lan"))
		for n := range size + 1 {
			proof := body(t, fmt.Sprintf("%s/proof/%d.tlog-proof", at, n))
			place, hashes, signed, err := audit.ParseProof(proof)
			if err != nil || place != n {
				t.Fatalf("proof of %d: %v", n, err)
			}
			c, _, err := audit.OpenCheckpoint(signed, v)
			if err != nil {
				t.Fatal(err)
			}
			leaf := leafOf(t, db, n)
			if err := tlog.CheckRecord(hashes, c.Size, c.Root, n, tlog.RecordHash(leaf)); err != nil {
				t.Errorf("entry %d of %d: %v", n, c.Size, err)
			}
			if tlog.CheckRecord(hashes, c.Size, c.Root, n, tlog.RecordHash(append(leaf, ' '))) == nil {
				t.Errorf("entry %d of %d: a changed leaf is proven too", n, c.Size)
			}
		}
		published(t, h)
		now, _ := h.Published()
		if before.Size > 0 {
			old, rest, _ := strings.Cut(string(body(t, fmt.Sprintf("%s/consistency/%d", at, before.Size))), "\n")
			head, _, _ := strings.Cut("\n"+rest, "\n\n")
			var p tlog.TreeProof
			for line := range strings.FieldsSeq(head) {
				x, err := tlog.ParseHash(line)
				if err != nil {
					t.Fatal(err)
				}
				p = append(p, x)
			}
			if err := tlog.CheckTree(p, now.Size, now.Root, before.Size, before.Root); err != nil || old != fmt.Sprintf("old %d", before.Size) {
				t.Errorf("growth from %d to %d: %v", before.Size, now.Size, err)
			}
		}
		before = now
	}
	r, err := http.Get(at + "/proof/99") // #nosec G107 -- our own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusNotFound {
		t.Errorf("a proof of what is not there: %d", r.StatusCode)
	}
}

// witness serves an independent body that knows these logs.
func witness(t testing.TB, dir string, logs ...note.Verifier) (audit.Bystander, string) {
	t.Helper()
	key, vkey, err := audit.LoadWitnessKey(filepath.Join(dir, "witness.key"), "witness.mttq.example")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(audit.NewWitness(dir, key, func() time.Time { return noon }, logs...))
	t.Cleanup(srv.Close)
	b, err := audit.ParseBystander(srv.URL + "=" + vkey)
	if err != nil {
		t.Fatal(err)
	}
	return b, vkey
}

func TestWitnessCosigns(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	dir := t.TempDir()
	w, vkey := witness(t, t.TempDir(), verifier(t, head(t, l, dir).Verifier()))
	h := head(t, l, dir, w)
	for i := range 5 {
		fill(t, db, l, 3)
		signed := published(t, h)
		if _, names, err := audit.OpenCheckpoint(signed, verifier(t, h.Verifier()), w.Key); err != nil || len(names) != 1 {
			t.Errorf("round %d: signed by %v, %v\n%s", i, names, err, signed)
		}
		theirs, err := fnote.NewVerifierForCosignatureV1(vkey) // not ours
		if err != nil {
			t.Fatal(err)
		}
		log, err := note.NewVerifier(h.Verifier())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := note.Open(signed, note.VerifierList(log, theirs)); err != nil || len(n.Sigs) != 2 {
			t.Errorf("round %d: a verifier that is not ours: %v", i, err)
		}
		if i == 2 {
			h = head(t, l, dir, w) // after a restart it does not know what the witness signed
		}
	}
	if got, err := audit.Verify(t.Context(), l.Files(published(t, h)), verifier(t, h.Verifier()), w.Key); err != nil || len(got.Wrong) > 0 || len(got.Cosigned) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// TestForkIsFoundOut rewrites history under the same key: the program itself
// refuses to sign it; whoever makes it sign gets no cosignature.
func TestForkIsFoundOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db, l := open(t, dsn)
		dir, wdir := t.TempDir(), t.TempDir()
		w, _ := witness(t, wdir, verifier(t, head(t, l, dir).Verifier()))
		h := head(t, l, dir, w)
		fill(t, db, l, 7)
		published(t, h)
		for _, table := range []string{"audit_leaf", "audit_hash", "audit_act", "audit_of"} {
			sqlDo(t, db, `DELETE FROM `+table)
		}
		fill(t, db, l, 9)
		if _, _, err := h.Covering(t.Context(), 0); !errors.Is(err, audit.ErrRewritten) {
			t.Errorf("another history is signed: %v", err)
		}
		if _, _, err := head(t, l, dir, w).Covering(t.Context(), 0); !errors.Is(err, audit.ErrRewritten) {
			t.Errorf("another history is signed after a restart: %v", err)
		}
		if err := os.Remove(filepath.Join(dir, "audit.checkpoint")); err != nil {
			t.Fatal(err)
		}
		forked := head(t, l, dir, w)
		signed := published(t, forked)
		if _, names, _ := audit.OpenCheckpoint(signed, verifier(t, h.Verifier()), w.Key); len(names) != 0 {
			t.Errorf("the witness signed two histories: %s", signed)
		}
		if status, _ := add(t, w.URL, growth(t, db, 7, signed)); status != http.StatusUnprocessableEntity {
			t.Errorf("the witness answered %d to a fork", status)
		}
	})
}

// growth is an add-checkpoint request with a proof from old, by the log as it is.
func growth(t testing.TB, db *store.DB, old int64, signed []byte) string {
	t.Helper()
	n, err := audit.ParseCheckpoint(string(signed))
	if err != nil {
		t.Fatal(err)
	}
	p, err := tlog.ProveTree(n.Size, old, tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
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
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", old)
	for _, x := range p {
		fmt.Fprintln(&b, x)
	}
	return b.String() + "\n" + string(signed)
}

func add(t testing.TB, url, request string) (int, string) {
	t.Helper()
	r, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(request)) // #nosec G107 -- our own server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header.Get("Content-Type") + " " + string(b)
}

// TestWitnessKeepsToItsProtocol asks a witness everything that C2SP tlog-witness
// has an answer for.
func TestWitnessKeepsToItsProtocol(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	wdir := t.TempDir()
	h := head(t, l, t.TempDir())
	w, _ := witness(t, wdir, verifier(t, h.Verifier()))
	fill(t, db, l, 4)
	four := string(published(t, h))
	fill(t, db, l, 3)
	seven := published(t, h)
	stranger := head(t, l, t.TempDir())
	strange := string(published(t, stranger))
	for _, c := range []struct {
		name, request string
		want          int
		says          string
	}{
		{"no request", "hello", http.StatusBadRequest, ""},
		{"a size with a zero before", "old 04\n\n" + four, http.StatusBadRequest, ""},
		{"64 hashes", "old 0\n" + strings.Repeat("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 64) + "\n" + four, http.StatusBadRequest, ""},
		{"an unknown log", "old 0\n\nkeng/99/x\n" + strings.SplitN(four, "\n", 2)[1], http.StatusNotFound, ""},
		{"another key under the same name", "old 0\n\n" + strange, http.StatusForbidden, ""},
		{"old above new", "old 5\n\n" + four, http.StatusBadRequest, ""},
		{"never signed, but old is not 0", growth(t, db, 4, seven), http.StatusConflict, "text/x.tlog.size 0\n"},
		{"a proof where none is due", strings.Replace(growth(t, db, 4, seven), "old 4", "old 0", 1), http.StatusUnprocessableEntity, ""},
		{"the first", "old 0\n\n" + four, http.StatusOK, ""},
		{"the same again", "old 4\n\n" + four, http.StatusOK, ""},
		{"from 0 again", "old 0\n\n" + four, http.StatusConflict, "text/x.tlog.size 4\n"},
		{"growth without a proof", "old 4\n\n" + string(seven), http.StatusUnprocessableEntity, ""},
		{"growth", growth(t, db, 4, seven), http.StatusOK, ""},
		{"back", "old 4\n\n" + four, http.StatusConflict, "text/x.tlog.size 7\n"},
	} {
		if got, says := add(t, w.URL, c.request); got != c.want || c.says != "" && says != c.says {
			t.Errorf("%s: %d %q, want %d %q", c.name, got, says, c.want, c.says)
		}
	}
	again, _ := witness(t, wdir, verifier(t, h.Verifier())) // after a restart
	if got, says := add(t, again.URL, "old 0\n\n"+four); got != http.StatusConflict || says != "text/x.tlog.size 7\n" {
		t.Errorf("after a restart: %d %q", got, says)
	}
	if err := os.WriteFile(filepath.Join(wdir, "keng%2F25%2Fmain.checkpoint"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := add(t, again.URL, "old 0\n\n"+four); got != http.StatusInternalServerError {
		t.Errorf("it does not know what it signed, and answers %d", got)
	}
}

// TestDeadWitnessDelaysNobodyForLong publishes while a witness never answers.
func TestDeadWitnessDelaysNobodyForLong(t *testing.T) {
	db, l := open(t, t.TempDir()+"/keng.db")
	var calls atomic.Int32
	done := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	defer dead.Close()
	defer close(done)
	_, vkey, err := audit.LoadWitnessKey(filepath.Join(t.TempDir(), "w.key"), "witness.dead.example")
	if err != nil {
		t.Fatal(err)
	}
	b, err := audit.ParseBystander(dead.URL + "=" + vkey)
	if err != nil {
		t.Fatal(err)
	}
	h := head(t, l, t.TempDir(), b)
	fill(t, db, l, 1)
	if signed := published(t, h); !bytes.Contains(signed, []byte(origin)) {
		t.Errorf("nothing was published: %s", signed)
	}
	fill(t, db, l, 1)
	began := time.Now()
	published(t, h)
	if took := time.Since(began); took > time.Second || calls.Load() != 1 {
		t.Errorf("the second took %v, the dead witness was asked %d times", took, calls.Load())
	}
}

func TestKeyIsTheOwnersOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.key")
	s, v, err := audit.LoadKey(file, origin)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	s2, v2, err := audit.LoadKey(file, "keng/25/other") // the name is the key's
	if err != nil || v2 != v || s2.Name() != s.Name() || s2.KeyHash() != s.KeyHash() {
		t.Errorf("another key after a restart: %v %v %v", v, v2, err)
	}
	theirs, err := note.NewVerifier(v)
	if err != nil || theirs.Name() != origin || theirs.KeyHash() != s.KeyHash() {
		t.Errorf("the key for others: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil { // #nosec G302 -- that is what is tested
		t.Fatal(err)
	}
	if _, _, err := audit.LoadKey(file, origin); err == nil {
		t.Error("a key that everybody can read is used")
	}
	if _, _, err := audit.LoadKey(filepath.Join(t.TempDir(), "k"), "two words"); err == nil {
		t.Error("a name of two words is taken")
	}
	for _, text := range []string{"", "x", v + "x", strings.Replace(v, "keng", "kong", 1), strings.Replace(v, "+", "+0", 1)} {
		if _, err := audit.ParseVerifier(text); err == nil {
			t.Errorf("%q is taken for a key", text)
		}
	}
	if !slices.Contains([]string{"keng/25/main"}, s.Name()) {
		t.Error(s.Name())
	}
}

// FuzzWitness sends a witness anything: it never signs what was not signed by the
// log, and never breaks.
func FuzzWitness(f *testing.F) {
	dir := f.TempDir()
	_, vkey, err := audit.LoadKey(filepath.Join(dir, "log.key"), origin)
	if err != nil {
		f.Fatal(err)
	}
	v, err := audit.ParseVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	key, _, err := audit.LoadWitnessKey(filepath.Join(dir, "w.key"), "w.example")
	if err != nil {
		f.Fatal(err)
	}
	w := audit.NewWitness(dir, key, func() time.Time { return noon }, v)
	f.Add("old 0\n\n" + origin + "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— " + origin + " AAAA\n")
	f.Add("old 1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\nx\n")
	f.Fuzz(func(t *testing.T, request string) {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(request)))
		if rec.Code == http.StatusOK {
			t.Errorf("signed %q", request)
		}
		_, _, _, _ = audit.ParseProof([]byte(request))
		_, _ = audit.ParseCheckpoint(request)
		_, _ = audit.ParseLeaf([]byte(request))
	})
}
