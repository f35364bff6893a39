package audit

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Source is where a log is read from: an address, a folder, a database.
type Source interface {
	// Read gives a file of C2SP tlog-tiles by its path: "checkpoint",
	// "tile/0/000", "tile/entries/000.p/5".
	Read(ctx context.Context, path string) ([]byte, error)
}

// Verdict is what a check of a whole log found.
type Verdict struct {
	Checkpoint
	Cosigned []string // witnesses whose signature is good
	Entries  int64
	Tiles    int
	Wrong    []string // what is broken, for an operator
}

// String is v for an operator: "ok" when nothing is wrong.
func (v Verdict) String() string {
	head := fmt.Sprintf("%s: %d entries, %d tiles, root %s", v.Origin, v.Entries, v.Tiles, v.Root)
	if len(v.Cosigned) > 0 {
		head += ", cosigned by " + strings.Join(v.Cosigned, ", ")
	}
	if len(v.Wrong) == 0 {
		return "ok: " + head
	}
	return "BROKEN: " + head + "\n" + strings.Join(v.Wrong, "\n")
}

// mostWrong is how many things a verdict names.
const mostWrong = 20

func (v *Verdict) wrong(format string, args ...any) {
	if len(v.Wrong) < mostWrong {
		v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
	}
}

// Verify reads a whole log: the signature of its checkpoint, every entry, the
// root that they make, and every tile, from which inclusion is proven. An error
// means that the log could not be read; what is wrong with it is in the verdict.
func Verify(ctx context.Context, s Source, log note.Verifier, witnesses ...note.Verifier) (Verdict, error) {
	var v Verdict
	signed, err := s.Read(ctx, "checkpoint")
	if err != nil {
		return v, fmt.Errorf("read checkpoint: %w", err)
	}
	if v.Checkpoint, v.Cosigned, err = OpenCheckpoint(signed, log, witnesses...); err != nil {
		v.wrong("checkpoint: %v", err)
		return v, nil
	}
	for _, w := range witnesses {
		if !slices.Contains(v.Cosigned, w.Name()) {
			v.wrong("checkpoint: %s did not sign it", w.Name())
		}
	}
	stored, err := v.rehash(ctx, s)
	if err != nil {
		return v, err
	}
	if v.Entries < v.Size {
		return v, nil
	}
	if root, err := tlog.TreeHash(v.Size, stored); err != nil || root != v.Root {
		v.wrong("the entries make another root than the one that was signed: %s", root)
	}
	return v, v.tiles(ctx, s, stored)
}

// memory is stored hashes in memory.
type memory []tlog.Hash

// ReadHashes implements tlog.HashReader.
func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n >= int64(len(m)) {
			return nil, errNoHash
		}
		list[i] = m[n]
	}
	return list, nil
}

// rehash makes every hash anew from the entries.
func (v *Verdict) rehash(ctx context.Context, s Source) (memory, error) {
	var stored memory
	for n := int64(0); n*perTile < v.Size; n++ {
		width := min(v.Size-n*perTile, perTile)
		b, err := s.Read(ctx, tilePath("entries", n, int(width)))
		if errors.Is(err, os.ErrNotExist) {
			v.wrong("entries from %d are missing", n*perTile)
			return stored, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
		leaves, err := unbundle(b)
		if err != nil || len(leaves) != int(width) {
			v.wrong("entries from %d are damaged", n*perTile)
			return stored, nil
		}
		for _, leaf := range leaves {
			if _, err := ParseLeaf(leaf); err != nil {
				v.wrong("entry %d: %v", v.Entries, err)
			}
			hashes, err := tlog.StoredHashes(v.Entries, leaf, stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, hashes...)
			v.Entries++
		}
	}
	return stored, nil
}

func unbundle(b []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, io.ErrUnexpectedEOF
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		leaves = append(leaves, b[2:n])
		b = b[n:]
	}
	return leaves, nil
}

// tiles holds every tile against the hashes made from the entries.
func (v *Verdict) tiles(ctx context.Context, s Source, stored memory) error {
	for _, t := range tlog.NewTiles(tileHeight, 0, v.Size) {
		want, err := tlog.ReadTileData(t, stored)
		if err != nil {
			return err
		}
		path := tilePath(strconv.Itoa(t.L), t.N, t.W)
		got, err := s.Read(ctx, path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			v.wrong("%s is missing", path)
		case err != nil:
			return fmt.Errorf("read %s: %w", path, err)
		case string(got) != string(want):
			v.wrong("%s is not what the entries make: proofs from it are wrong", path)
		}
		v.Tiles++
	}
	return nil
}

// tilePath is where C2SP tlog-tiles puts a tile or a bundle.
func tilePath(level string, n int64, width int) string {
	p := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		p = fmt.Sprintf("x%03d/%s", n%1000, p)
	}
	if width < perTile {
		p += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + p
}

// Folder reads a log that was fetched into a folder.
type Folder string

// Read implements Source.
func (f Folder) Read(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(path))) // #nosec G304 -- paths are made here
}

// Address reads a log over HTTP.
type Address struct {
	URL    string // without a slash at its end
	Client *http.Client
}

// mostFile bounds one answer: 256 entries of 64 KiB.
const mostFile = 17 << 20

// Read implements Source.
func (a Address) Read(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, mostFile))
	case http.StatusNotFound:
		return nil, os.ErrNotExist
	}
	return nil, fmt.Errorf("%s answered %s", path, resp.Status)
}

// Files reads a log from its database, with the checkpoint that was published.
func (l *Log) Files(signed []byte) Source { return files{l, signed} }

type files struct {
	log    *Log
	signed []byte
}

// Read implements Source.
func (f files) Read(ctx context.Context, path string) ([]byte, error) {
	if path == "checkpoint" {
		return f.signed, nil
	}
	p := strings.TrimPrefix(path, "tile/")
	rest, entries := strings.CutPrefix(p, "entries/")
	if entries {
		p = "0/" + rest
	}
	t, err := tlog.ParseTilePath("tile/8/" + p)
	if err != nil {
		return nil, err
	}
	var b []byte
	if entries {
		b, err = f.log.bundle(ctx, t.N, t.W)
	} else {
		b, err = tlog.ReadTileData(t, hashes{ctx, f.log.db.Read()})
	}
	if errors.Is(err, errNoHash) {
		return nil, os.ErrNotExist
	}
	return b, err
}

// Rows is what a check of the rows beside the log found.
type Rows struct {
	Acts   int64
	Erased int64    // rows of which something was erased with a person
	Wrong  []string // what is broken, for an operator
}

func (r *Rows) wrong(format string, args ...any) {
	if len(r.Wrong) < mostWrong {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	}
}

// String is r for an operator.
func (r Rows) String() string {
	head := fmt.Sprintf("%d rows, of which %d erased in part", r.Acts, r.Erased)
	if len(r.Wrong) == 0 {
		return "ok: " + head
	}
	return "BROKEN: " + head + "\n" + strings.Join(r.Wrong, "\n")
}

// VerifyRows holds every row against its leaf: each leaf has one row, each row
// one leaf, and what the row says is what the leaf commits to.
func (l *Log) VerifyRows(ctx context.Context) (Rows, error) {
	var r Rows
	once := &sql.TxOptions{ReadOnly: l.postgres} // SQLite reads one moment anyway
	if l.postgres {
		once.Isolation = sql.LevelRepeatableRead
	}
	q, err := l.db.Read().BeginTx(ctx, once)
	if err != nil {
		return r, fmt.Errorf("read rows: %w", err)
	}
	defer func() { _ = q.Rollback() }() // nothing was written
	keys, err := allKeys(ctx, q)
	if err != nil {
		return r, err
	}
	of, err := allOf(ctx, q)
	if err != nil {
		return r, err
	}
	n, err := size(ctx, q)
	if err != nil {
		return r, err
	}
	var acts, leaves int64
	if err := q.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM audit_act), (SELECT count(*) FROM audit_leaf)`).Scan(&acts, &leaves); err != nil {
		return r, fmt.Errorf("count rows: %w", err)
	}
	if acts != leaves || leaves != n {
		r.wrong("%d leaves, %d rows, %d places", leaves, acts, n)
	} else if err := r.hashes(ctx, q, n); err != nil {
		return r, err
	}
	rows, err := q.QueryContext(ctx, `SELECT a.n, a.at_ms, a.name, a.by_id, a.on_id, a.body, a.key, f.body
		FROM audit_act a LEFT JOIN audit_leaf f ON f.n = a.n ORDER BY a.n`)
	if err != nil {
		return r, fmt.Errorf("read rows: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var w act
		var at int64
		var leaf *string
		if err := rows.Scan(&w.n, &at, &w.name, &w.by, &w.on, &w.body, &w.key, &leaf); err != nil {
			return r, fmt.Errorf("read rows: %w", err)
		}
		r.Acts++
		if leaf == nil {
			r.wrong("row %d has no leaf", w.n)
			continue
		}
		w.at, w.of = time.UnixMilli(at), of[w.n]
		r.hold(w, []byte(*leaf), keys)
	}
	return r, rows.Err()
}

// hashes makes every stored hash anew from the n leaves.
func (r *Rows) hashes(ctx context.Context, q querier, n int64) error {
	var made memory
	for first := int64(0); first < n; {
		list, err := leaves(ctx, q, first, 1000)
		if err != nil {
			return err
		}
		for _, leaf := range list {
			hashes, err := tlog.StoredHashes(first, leaf, made)
			if err != nil {
				return err
			}
			made = append(made, hashes...)
			first++
		}
	}
	rows, err := q.QueryContext(ctx, `SELECT n, hash FROM audit_hash ORDER BY n`)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	next := int64(0)
	for ; rows.Next(); next++ {
		var n int64
		var b []byte
		if err := rows.Scan(&n, &b); err != nil {
			return fmt.Errorf("read hashes: %w", err)
		}
		if n != next || n >= int64(len(made)) || string(b) != string(made[n][:]) {
			r.wrong("hash %d is not what the leaves make", n)
			break
		}
	}
	if rows.Err() == nil && len(r.Wrong) == 0 && next != int64(len(made)) {
		r.wrong("%d hashes, the leaves make %d", next, len(made))
	}
	return rows.Err()
}

// act is one row with whom it is about.
type act struct {
	n                  int64
	at                 time.Time
	name, by, on, body string
	key                Key
	of                 []string
}

// hold holds one row against its leaf.
func (r *Rows) hold(w act, text []byte, keys map[string]Key) {
	leaf, err := ParseLeaf(text)
	if err != nil {
		r.wrong("leaf %d: %v", w.n, err)
		return
	}
	erased := false
	opens := func(what, subject, value string, k Key, c Commitment) {
		switch {
		case subject == "" && c.IsZero():
		case subject == "":
			erased = true
		case k.Zero() || k.For(leaf.Salt).Commit(value) != c:
			r.wrong("row %d: %s is not what the leaf commits to", w.n, what)
		}
	}
	if leaf.Act != w.name || leaf.T != w.at.UTC().Format(minute) {
		r.wrong("row %d: its name or time is not the leaf's", w.n)
	}
	opens("who did it", w.by, Subject(w.by), keys[Subject(w.by)], leaf.By)
	opens("what it was done to", w.on, w.on, keys[w.on], leaf.On)
	opens("the details", w.body, w.body, w.key, leaf.Body)
	for _, id := range w.of {
		k := keys[person(id)]
		if k.Zero() || !slices.Contains(leaf.Of, k.For(leaf.Salt).Commit(person(id))) {
			r.wrong("row %d: whom it is about is not what the leaf commits to", w.n)
		}
	}
	if erased || len(w.of) < len(leaf.Of) {
		r.Erased++
	}
}

func allKeys(ctx context.Context, q querier) (map[string]Key, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, key FROM audit_key`)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	keys := map[string]Key{}
	for rows.Next() {
		var id string
		var k Key
		if err := rows.Scan(&id, &k); err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		keys[id] = k
	}
	return keys, rows.Err()
}

func allOf(ctx context.Context, q querier) (map[int64][]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT n, person FROM audit_of`)
	if err != nil {
		return nil, fmt.Errorf("read whose it is: %w", err)
	}
	defer func() { _ = rows.Close() }()
	of := map[int64][]string{}
	for rows.Next() {
		var n int64
		var id string
		if err := rows.Scan(&n, &id); err != nil {
			return nil, fmt.Errorf("read whose it is: %w", err)
		}
		of[n] = append(of[n], id)
	}
	return of, rows.Err()
}
