package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
)

// Sink takes what a backup holds, in its order. What it does is only final when
// [Read] returned no error.
type Sink interface {
	Begin(Head) error
	Row(t Table, values []any) error
	File(name string, content io.Reader) error // a clean path below the data folder
}

// Read reads a backup from r, which holds no encryption any more, and hands it to
// s; a nil s only checks. The error is nil when everything was there and was what
// the manifest says.
func Read(ctx context.Context, r io.Reader, s Sink) (Head, Manifest, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return Head{}, Manifest{}, broken("backup.no_backup", err)
	}
	in := &reader{ctx: ctx, tar: tar.NewReader(z), sink: s}
	if err := in.head(); err != nil {
		return in.about, in.man, err
	}
	for {
		done, err := in.next()
		if err != nil {
			return in.about, in.man, err
		}
		if done {
			break
		}
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(z, 1<<20)); err != nil { // the end of gzip holds a checksum, that of age another
		return in.about, in.man, broken("backup.cut_short", err)
	}
	return in.about, in.man, nil
}

// broken is a fault of what was read.
func broken(key string, err error) error {
	return &fault.Error{Op: "backup.Read", Kind: fault.Invalid, Key: key, Err: err}
}

// changed is a part that is not what was written.
func changed(part string) error {
	return &fault.Error{Op: "backup.Read", Kind: fault.Invalid, Key: "backup.changed", Args: map[string]any{"part": part}}
}

type reader struct {
	ctx   context.Context
	tar   *tar.Reader
	sink  Sink
	about Head
	man   Manifest // as found
}

func (in *reader) head() error {
	h, err := in.tar.Next()
	if err != nil || h.Name != headName {
		return broken("backup.no_backup", err)
	}
	if err := in.decode(&in.about); err != nil {
		return err
	}
	if in.about.Format > Format {
		return broken("backup.newer", fmt.Errorf("format %d", in.about.Format))
	}
	if in.about.Format < 1 || len(in.about.Migrations) == 0 {
		return broken("backup.no_backup", nil)
	}
	if in.sink == nil {
		return nil
	}
	return in.sink.Begin(in.about)
}

func (in *reader) decode(v any) error {
	text, err := io.ReadAll(io.LimitReader(in.tar, headLimit))
	if err != nil {
		return broken("backup.cut_short", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return broken("backup.no_backup", err)
	}
	return nil
}

// next reads one entry. After the manifest nothing may follow.
func (in *reader) next() (done bool, err error) {
	if err := in.ctx.Err(); err != nil {
		return false, err
	}
	h, err := in.tar.Next()
	if err != nil {
		return false, broken("backup.cut_short", err) // also io.EOF: the manifest is missing
	}
	if h.Name == manifestName {
		if err := in.settle(); err != nil {
			return false, err
		}
		if _, err := in.tar.Next(); !errors.Is(err, io.EOF) {
			return false, broken("backup.cut_short", err)
		}
		return true, nil
	}
	if h.Typeflag != tar.TypeReg || h.Size > partLimit {
		return false, changed(h.Name)
	}
	p := Part{Name: h.Name, Size: h.Size}
	sum := &tally{r: in.tar, h: sha256.New()}
	switch table, isTable := tableOf(h.Name); {
	case isTable:
		p.Rows, err = in.rows(table, sum)
	default:
		err = in.file(h.Name, sum)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, sum) // what nobody wanted counts too
	}
	if sum.broke != nil {
		return false, broken("backup.cut_short", sum.broke)
	}
	p.SHA256 = hex.EncodeToString(sum.h.Sum(nil))
	in.man.Parts = append(in.man.Parts, p)
	return false, err
}

// settle holds what was found against what was written.
func (in *reader) settle() error {
	var m Manifest
	if err := in.decode(&m); err != nil {
		return err
	}
	for k, p := range m.Parts {
		if k >= len(in.man.Parts) || in.man.Parts[k] != p {
			return changed(p.Name)
		}
	}
	if len(in.man.Parts) > len(m.Parts) {
		return changed(in.man.Parts[len(m.Parts)].Name)
	}
	return nil
}

// tally reads r, sums up what it read and remembers why it broke.
type tally struct {
	r     io.Reader
	h     hash.Hash
	broke error
}

// Read implements [io.Reader].
func (t *tally) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.h.Write(b[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		t.broke = err
	}
	return n, err
}

// tableOf is the table of a part's name.
func tableOf(part string) (string, bool) {
	rest, ok := strings.CutPrefix(part, "table/")
	name, _, more := strings.Cut(rest, "/")
	return name, ok && more
}

func (in *reader) rows(table string, r io.Reader) (n int64, err error) {
	k := slices.IndexFunc(in.about.Tables, func(t Table) bool { return t.Name == table })
	if k < 0 {
		return 0, changed("table/" + table)
	}
	t := in.about.Tables[k]
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			values, rerr := readRow(line, len(t.Columns))
			if rerr != nil {
				return n, &fault.Error{Op: "backup.Read", Kind: fault.Invalid, Key: "backup.changed", Args: map[string]any{"part": "table/" + table}, Err: rerr}
			}
			n++
			if in.sink != nil {
				if err := in.sink.Row(t, values); err != nil {
					return n, err
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

func (in *reader) file(part string, r io.Reader) error {
	name, ok := strings.CutPrefix(part, "file/")
	if !ok || !fs.ValidPath(name) {
		return changed(part)
	}
	if in.sink == nil {
		return nil
	}
	return in.sink.File(name, r)
}

// Into loads a backup into the database of tx, which must be empty: first the
// tables as the backup knew them, then its rows, then what the program has added
// since. Files go to Files.
type Into struct {
	Ctx        context.Context
	DB         *store.DB
	Tx         *sql.Tx
	Migrations []fs.FS
	Files      func(name string, content io.Reader) error

	settle  func() error
	table   Table
	waiting [][]any
}

// Begin implements [Sink].
func (l *Into) Begin(h Head) error {
	was, err := l.DB.Tables(l.Ctx, l.Tx)
	if err != nil {
		return err
	}
	if len(was) > 0 {
		return fault.New("backup.Into", fault.Conflict, "backup.database_not_empty")
	}
	if err := l.DB.MigrateIn(l.Ctx, l.Tx, h.Migrations, l.Migrations...); err != nil {
		if errors.Is(err, store.ErrNewer) {
			return broken("backup.newer", err)
		}
		return err
	}
	if err := l.fits(h.Tables); err != nil {
		return err
	}
	if l.settle, err = l.DB.Loosen(l.Ctx, l.Tx); err != nil {
		return err
	}
	for _, t := range h.Tables { // migrations write rows too
		if _, err := l.Tx.ExecContext(l.Ctx, "DELETE FROM "+store.Quote(t.Name)); err != nil { // #nosec G202 -- quoted
			return fmt.Errorf("empty %s: %w", t.Name, err)
		}
	}
	return nil
}

// fits holds the backup's tables against those that its migrations make here.
func (l *Into) fits(tables []Table) error {
	have, err := l.DB.Tables(l.Ctx, l.Tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if !slices.Contains(have, t.Name) {
			return changed("table/" + t.Name)
		}
		columns, err := columnsOf(l.Ctx, l.Tx, t.Name)
		if err != nil {
			return err
		}
		if !slices.Equal(slices.Sorted(slices.Values(columns)), slices.Sorted(slices.Values(t.Columns))) {
			return changed("table/" + t.Name)
		}
	}
	if len(have) != len(tables) {
		return changed("tables")
	}
	return nil
}

// most is how many values one statement carries.
const most = 2000

// Row implements [Sink].
func (l *Into) Row(t Table, values []any) error {
	if l.table.Name != t.Name {
		if err := l.flush(); err != nil {
			return err
		}
		l.table = t
	}
	l.waiting = append(l.waiting, values)
	if len(l.waiting)*len(t.Columns) >= most {
		return l.flush()
	}
	return nil
}

func (l *Into) flush() error {
	if len(l.waiting) == 0 {
		return nil
	}
	var q strings.Builder
	var args []any
	fmt.Fprintf(&q, "INSERT INTO %s (", store.Quote(l.table.Name))
	for i, c := range l.table.Columns {
		if i > 0 {
			q.WriteString(", ")
		}
		q.WriteString(store.Quote(c))
	}
	q.WriteString(") VALUES ")
	for k, row := range l.waiting {
		if k > 0 {
			q.WriteString(", ")
		}
		for i, v := range row {
			q.WriteString([]string{"(", ", "}[min(i, 1)])
			args = append(args, v)
			fmt.Fprintf(&q, "$%d", len(args))
		}
		q.WriteString(")")
	}
	l.waiting = nil
	if _, err := l.Tx.ExecContext(l.Ctx, q.String(), args...); err != nil {
		return fmt.Errorf("restore %s: %w", l.table.Name, err)
	}
	return nil
}

// File implements [Sink].
func (l *Into) File(name string, content io.Reader) error { return l.Files(name, content) }

// Finish writes what is waiting, checks that every row refers to something, and
// brings the tables up to today. Commit the transaction then.
func (l *Into) Finish() error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.settle(); err != nil {
		return err
	}
	return l.DB.MigrateIn(l.Ctx, l.Tx, nil, l.Migrations...)
}
