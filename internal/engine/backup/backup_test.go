package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keng-vn/keng/internal/engine/backup"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/engine/store/storetest"
)

// first and second are the tables of an old Keng and of today's; a column's name
// needs quoting, rows refer to each other both ways and to themselves.
var (
	first = fstest.MapFS{"sql/0001_a.sql": {Data: []byte(`
CREATE TABLE home (id TEXT PRIMARY KEY, "order" BIGINT, height DOUBLE PRECISION, warm INTEGER NOT NULL, head TEXT, beside TEXT REFERENCES home (id));
--;;
CREATE TABLE man (id TEXT PRIMARY KEY, home TEXT NOT NULL REFERENCES home (id));
--;;
INSERT INTO home (id, warm) VALUES ('made by the migration', 1);
`)}}
	second = fstest.MapFS{"sql/0002_b.sql": {Data: []byte(`
CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL);
--;;
INSERT INTO note (id, body) SELECT "order", id FROM home WHERE "order" IS NOT NULL;
`)}}
)

func source(db *store.DB, k backup.Kept) backup.Source {
	return backup.Source{DB: db, Kept: k, Program: "v1", Now: time.Now}
}

// filled opens dsn with the tables of first and rows of every kind.
func filled(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db := storetest.Open(t, dsn)
	if err := db.Migrate(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := db.Tx(t.Context(), func(tx *sql.Tx) error {
		for _, q := range []string{
			`DELETE FROM home`,
			`INSERT INTO home (id, "order", height, warm, head, beside) VALUES ('b', 9007199254740993, 0.1, 0, 'Hoà “kẻng” <&> \ ` + "\t\u2028" + `', NULL)`,
			`INSERT INTO home (id, "order", height, warm, head, beside) VALUES ('a', -1, 20, 1, '', 'b')`,
			`UPDATE home SET beside = 'a' WHERE id = 'b'`,
			`INSERT INTO man (id, home) VALUES ('m1', 'a'), ('m2', 'b')`,
		} {
			if _, err := tx.ExecContext(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return db
}

func write(t *testing.T, src backup.Source) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, _, err := backup.Write(t.Context(), &b, src); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// load restores b into the empty dsn with today's tables.
func load(ctx context.Context, db *store.DB, b []byte, files func(string, io.Reader) error, sets ...fs.FS) error {
	return db.Tx(ctx, func(tx *sql.Tx) error {
		into := &backup.Into{Ctx: ctx, DB: db, Tx: tx, Migrations: sets, Files: files}
		if _, _, err := backup.Read(ctx, bytes.NewReader(b), into); err != nil {
			return err
		}
		return into.Finish()
	})
}

// rows is what a table holds, each row as text.
func rows(t *testing.T, db *store.DB, q string) []string {
	t.Helper()
	r, err := db.Read().QueryContext(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	names, err := r.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for r.Next() {
		v, into := make([]any, len(names)), make([]any, len(names))
		for i := range v {
			into[i] = &v[i]
		}
		if err := r.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%#v", v))
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// places are empty databases of every engine at hand.
func places(t *testing.T) map[string]string {
	all := map[string]string{"sqlite": filepath.Join(t.TempDir(), "there", "keng.db")}
	if dsn := os.Getenv("KENG_TEST_PG"); dsn != "" {
		all["postgres"] = storetest.Schema(t, dsn)
	}
	return all
}

// TestBackupOfEitherRestoresIntoEither also brings an old backup up to date.
func TestBackupOfEitherRestoresIntoEither(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		from := filled(t, dsn)
		b := write(t, source(from, backup.Kept{}))
		for name, there := range places(t) {
			t.Run("into "+name, func(t *testing.T) {
				to := storetest.Open(t, there)
				if err := load(t.Context(), to, b, nil, first, second); err != nil {
					t.Fatal(err)
				}
				const all = `SELECT id, "order", height, warm, head, beside FROM home`
				if diff := cmp.Diff(rows(t, from, all), rows(t, to, all)); diff != "" {
					t.Errorf("homes (-before +after):\n%s", diff)
				}
				if diff := cmp.Diff(rows(t, from, `SELECT id, home FROM man`), rows(t, to, `SELECT id, home FROM man`)); diff != "" {
					t.Errorf("men (-before +after):\n%s", diff)
				}
				if got := rows(t, to, `SELECT id, body FROM note`); len(got) != 2 {
					t.Errorf("what was added since did not see the old rows: %v", got)
				}
				if _, err := to.Read().ExecContext(t.Context(), `INSERT INTO man (id, home) VALUES ('x', 'nowhere')`); err == nil {
					t.Error("references are not checked any more")
				}
				if err := to.Migrate(t.Context(), first, second); err != nil {
					t.Errorf("the next start: %v", err)
				}
				if err := load(t.Context(), to, b, nil, first, second); fault.KindOf(err) != fault.Conflict {
					t.Errorf("restored over something: %v", err)
				}
			})
		}
	})
}

// TestBackupIsOneMoment writes between the first table that is read and the last.
func TestBackupIsOneMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, dsn string) {
		db := filled(t, dsn)
		w := &meddler{after: 1, f: func() {
			for _, q := range []string{`INSERT INTO home (id, warm) VALUES ('late', 1)`, `INSERT INTO man (id, home) VALUES ('late', 'late')`} {
				if err := db.Exec(t.Context(), q); err != nil {
					t.Errorf("somebody who writes waits for the backup: %v", err)
				}
			}
		}}
		src := source(db, backup.Kept{})
		if err := db.Exec(t.Context(), `UPDATE home SET head = '`+noise(3<<20)+`' WHERE id = 'a'`); err != nil {
			t.Fatal(err)
		}
		if _, _, err := backup.Write(t.Context(), w, src); err != nil {
			t.Fatal(err)
		}
		if w.f != nil {
			t.Fatal("nobody wrote meanwhile: the test tested nothing")
		}
		to := storetest.Open(t, filepath.Join(t.TempDir(), "keng.db"))
		if err := load(t.Context(), to, w.Bytes(), nil, first); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, to, `SELECT id FROM man`); len(got) != 2 {
			t.Errorf("of later: %v", got)
		}
	})
}

// noise is text that does not shrink.
func noise(n int) string {
	var b strings.Builder
	x := uint64(1)
	for b.Len() < n {
		x = x*6364136223846793005 + 1442695040888963407
		fmt.Fprintf(&b, "%016x", x)
	}
	return b.String()
}

// meddler calls f once, when some bytes were written.
type meddler struct {
	bytes.Buffer
	after int
	f     func()
}

func (m *meddler) Write(b []byte) (int, error) {
	n, err := m.Buffer.Write(b)
	if m.f != nil && m.Len() > m.after {
		m.f()
		m.f = nil
	}
	return n, err
}

// entries takes a backup apart.
func entries(t *testing.T, b []byte) (names []string, texts map[string][]byte) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	texts = map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if texts[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
}

// together puts a backup together again.
func together(t *testing.T, names []string, texts map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, n := range names {
		if err := w.WriteHeader(&tar.Header{Name: n, Mode: 0o600, Size: int64(len(texts[n]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(texts[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDamagedBackupRestoresNothing damages a backup in every way we thought of.
func TestDamagedBackupRestoresNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "keng.key"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := write(t, source(filled(t, filepath.Join(t.TempDir(), "keng.db")), backup.Kept{Dir: dir, Holds: []string{"keng.key"}}))
	edit := func(f func(names *[]string, texts map[string][]byte)) []byte {
		names, texts := entries(t, good)
		f(&names, texts)
		return together(t, names, texts)
	}
	head := func(f func(h *backup.Head)) []byte {
		return edit(func(_ *[]string, texts map[string][]byte) {
			var h backup.Head
			if err := json.Unmarshal(texts["keng-backup.json"], &h); err != nil {
				t.Fatal(err)
			}
			f(&h)
			texts["keng-backup.json"], _ = json.Marshal(h)
		})
	}
	man := "table/man/000001.jsonl"
	cases := map[string]struct {
		b   []byte
		key string
	}{
		"empty":             {nil, "backup.no_backup"},
		"something else":    {[]byte("PK\x03\x04 something else altogether"), "backup.no_backup"},
		"cut in the middle": {good[:len(good)/2], "backup.cut_short"},
		"cut by a byte":     {good[:len(good)-1], "backup.cut_short"},
		"a flipped bit":     {func() []byte { b := bytes.Clone(good); b[len(b)-6] ^= 1; return b }(), "backup.cut_short"},
		"a changed row": {edit(func(_ *[]string, x map[string][]byte) {
			x[man] = bytes.Replace(x[man], []byte(`"m1"`), []byte(`"m9"`), 1)
		}), "backup.changed"},
		"a row less": {edit(func(_ *[]string, x map[string][]byte) { x[man] = x[man][:bytes.IndexByte(x[man], '\n')+1] }), "backup.changed"},
		"a missing part": {edit(func(n *[]string, _ map[string][]byte) {
			*n = slices.DeleteFunc(*n, func(s string) bool { return s == man })
		}), "backup.changed"},
		"a part more": {edit(func(n *[]string, x map[string][]byte) {
			*n = slices.Insert(*n, 1, "file/keng.key2")
			x["file/keng.key2"] = nil
		}), "backup.changed"},
		"a changed file": {edit(func(_ *[]string, x map[string][]byte) { x["file/keng.key"] = []byte("sEcret") }), "backup.changed"},
		"a file elsewhere": {edit(func(n *[]string, x map[string][]byte) {
			*n = slices.Insert(*n, 1, "file/../evil")
			x["file/../evil"] = nil
		}), "backup.changed"},
		"no manifest":         {edit(func(n *[]string, _ map[string][]byte) { *n = (*n)[:len(*n)-1] }), "backup.cut_short"},
		"after the manifest":  {edit(func(n *[]string, x map[string][]byte) { *n = append(*n, man) }), "backup.cut_short"},
		"no head":             {edit(func(n *[]string, _ map[string][]byte) { *n = (*n)[1:] }), "backup.no_backup"},
		"a newer format":      {head(func(h *backup.Head) { h.Format++ }), "backup.newer"},
		"a newer schema":      {head(func(h *backup.Head) { h.Migrations = append(h.Migrations, "0099_z.sql") }), "backup.newer"},
		"a table of its own":  {head(func(h *backup.Head) { h.Tables[0].Name = `home"; DROP TABLE home; --` }), "backup.changed"},
		"a column of its own": {head(func(h *backup.Head) { h.Tables[0].Columns[0] = `id") VALUES (1); --` }), "backup.changed"},
		"a table less":        {head(func(h *backup.Head) { h.Tables = h.Tables[:1] }), "backup.changed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			there := t.TempDir()
			db := storetest.Open(t, filepath.Join(there, "keng.db"))
			stage := &backup.Stage{Kept: backup.Kept{Dir: there, Holds: []string{"keng.key"}}}
			err := load(t.Context(), db, c.b, stage.Put, first)
			stage.Drop()
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Key != c.key {
				t.Errorf("%v, want %s", err, c.key)
			}
			if got := rows(t, db, `SELECT name FROM sqlite_master`); len(got) > 0 {
				t.Errorf("left behind: %v", got)
			}
			if got, _ := filepath.Glob(filepath.Join(there, "*key*")); len(got) > 0 {
				t.Errorf("left behind: %v", got)
			}
			if _, _, err := backup.Read(t.Context(), bytes.NewReader(c.b), nil); err == nil && !strings.HasPrefix(name, "a newer schema") && !strings.Contains(name, "of its own") && name != "a table less" {
				t.Error("a check found nothing")
			}
		})
	}
	if _, _, err := backup.Read(t.Context(), bytes.NewReader(good), nil); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestRowThatRefersToNothingIsRefused(t *testing.T) {
	for name, there := range places(t) {
		t.Run(name, func(t *testing.T) {
			good := write(t, source(filled(t, filepath.Join(t.TempDir(), "keng.db")), backup.Kept{}))
			names, texts := entries(t, good)
			part := "table/man/000001.jsonl"
			texts[part] = bytes.Replace(texts[part], []byte(`"a"]`), []byte(`"z"]`), 1)
			var m backup.Manifest
			if err := json.Unmarshal(texts["manifest.json"], &m); err != nil {
				t.Fatal(err)
			}
			texts["manifest.json"] = forge(t, m, part, texts[part])
			db := storetest.Open(t, there)
			if err := load(t.Context(), db, together(t, names, texts), nil, first); err == nil || !strings.Contains(err.Error(), "check references") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestEncryptedBackup opens with its key and no other, and not when it was cut.
func TestEncryptedBackup(t *testing.T) {
	dir := t.TempDir()
	mine, other := filepath.Join(dir, "mine"), filepath.Join(dir, "other")
	recipient, err := backup.NewKey(mine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.NewKey(other); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.NewKey(mine); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a key was overwritten: %v", err)
	}
	listed := filepath.Join(dir, "recipients")
	if err := os.WriteFile(listed, []byte("# the province\n"+recipient+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{recipient, listed} {
		r, err := backup.Recipients([]string{to})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "b.keng.age")
		db := filled(t, filepath.Join(t.TempDir(), "keng.db"))
		if err := backup.Create(name, r, func(w io.Writer) error {
			_, _, err := backup.Write(t.Context(), w, source(db, backup.Kept{}))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("keng-backup.json")) || bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
			t.Error("not encrypted")
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		read := func(b []byte, key string) error {
			plain, err := backup.Open(bytes.NewReader(b), key)
			if err != nil {
				return err
			}
			_, _, err = backup.Read(t.Context(), plain, nil)
			return err
		}
		if err := read(b, mine); err != nil {
			t.Error(err)
		}
		for key, k := range map[string]string{"backup.needs_key": "", "backup.wrong_key": other, "backup.bad_key": listed} {
			if f, ok := errors.AsType[*fault.Error](read(b, k)); !ok || f.Key != key {
				t.Errorf("key %q: %v, want %s", k, f, key)
			}
		}
		for _, cut := range []int{1, 16, len(b) / 3} {
			if err := read(b[:len(b)-cut], mine); err == nil {
				t.Errorf("cut by %d bytes and whole", cut)
			}
		}
	}
}

// TestFileAppearsWholeOrNotAtAll lets the disk fail in the middle.
func TestFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "b.keng")
	if err := backup.Create(name, nil, func(w io.Writer) error {
		_, _ = w.Write(make([]byte, 1<<20))
		return errors.New("the disk is full")
	}); err == nil {
		t.Error("no error")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(name, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := backup.Create(name, nil, func(io.Writer) error { return nil }); fault.KindOf(err) != fault.Conflict {
		t.Errorf("overwrote another: %v", err)
	}
}

// TestKeptFilesComeBack in folders too, and nothing that is not kept.
func TestKeptFilesComeBack(t *testing.T) {
	dir, there := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"keng.key": "k", "blobs/ab/1": "photo", "blobs/ab/2": "", "notes.txt": "n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	holds := []string{"keng.key", "blobs/", "never.made"}
	b := write(t, source(filled(t, filepath.Join(t.TempDir(), "keng.db")), backup.Kept{Dir: dir, Holds: holds}))
	stage := &backup.Stage{Kept: backup.Kept{Dir: there, Holds: holds}}
	if err := load(t.Context(), storetest.Open(t, filepath.Join(t.TempDir(), "keng.db")), b, stage.Put, first); err != nil {
		t.Fatal(err)
	}
	if err := stage.Place(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := fs.WalkDir(os.DirFS(there), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		text, rerr := os.ReadFile(filepath.Join(there, p))
		got[p] = fmt.Sprint(string(text), info.Mode().Perm())
		return errors.Join(err, rerr)
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"keng.key": "k-rw-------", "blobs/ab/1": "photo-rw-------", "blobs/ab/2": "-rw-------"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "never.made")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := backup.Write(t.Context(), io.Discard, source(filled(t, filepath.Join(t.TempDir(), "keng.db")), backup.Kept{Dir: dir, Holds: holds})); err == nil {
		t.Error("a link was followed")
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	head := `{"format":1,"migrations":["0001_a.sql"],"tables":[{"name":"man","columns":["id","home"]}]}`
	_ = w.WriteHeader(&tar.Header{Name: "keng-backup.json", Size: int64(len(head))})
	_, _ = io.WriteString(w, head)
	_ = errors.Join(w.Close(), z.Close())
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = backup.Read(t.Context(), bytes.NewReader(b), nil)
	})
}

// forge answers for a changed part as if it had been written so.
func forge(t *testing.T, m backup.Manifest, part string, text []byte) []byte {
	t.Helper()
	for i := range m.Parts {
		if m.Parts[i].Name == part {
			sum := sha256.Sum256(text)
			m.Parts[i].SHA256, m.Parts[i].Size = hex.EncodeToString(sum[:]), int64(len(text))
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
