package backup

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
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
)

// Format is what this package writes; it reads no higher one.
const Format = 1

const (
	headName     = "keng-backup.json"
	manifestName = "manifest.json"
	partSize     = 1 << 20   // bytes; a part ends with the row that passes it
	partLimit    = 256 << 20 // bytes; of what is read
	headLimit    = 16 << 20  // bytes
)

// Head says what a backup is.
type Head struct {
	Format     int          `json:"format"`
	Program    string       `json:"program"` // version that made it
	Engine     store.Engine `json:"engine"`
	Made       time.Time    `json:"made"` // all that was on disk at this time is in it
	Migrations []string     `json:"migrations"`
	Tables     []Table      `json:"tables"`
}

// Table is a table and its columns, in the order of a row's values.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Part is an entry of a backup and what it must be.
type Part struct {
	Name   string `json:"name"` // "table/alarm_event/000001.jsonl", "file/keng.key"
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows,omitempty"`
}

// Manifest is all parts, in their order.
type Manifest struct {
	Parts []Part `json:"parts"`
}

// Rows counts the rows of each table.
func (m Manifest) Rows() map[string]int64 {
	n := map[string]int64{}
	for _, p := range m.Parts {
		if table, ok := tableOf(p.Name); ok {
			n[table] += p.Rows
		}
	}
	return n
}

// Kept says which files and folders of the data folder belong to a backup: the
// names that Holds lists; one that ends with "/" is a folder with all in it.
type Kept struct {
	Dir   string // "" for none
	Holds []string
}

// has reports whether name, a clean path below the folder, is kept.
func (k Kept) has(name string) bool {
	if !fs.ValidPath(name) || name == "." {
		return false
	}
	for _, h := range k.Holds {
		if name == h || strings.HasSuffix(h, "/") && strings.HasPrefix(name, h) {
			return true
		}
	}
	return false
}

// keptFile is a file that was read at once.
type keptFile struct {
	name string
	text []byte
}

// small reads the files that are kept by name: keys and the like. A link is
// refused: it would bring somebody else's file along.
func (k Kept) small() ([]keptFile, error) {
	var all []keptFile
	if k.Dir == "" {
		return nil, nil
	}
	for _, name := range k.Holds {
		if strings.HasSuffix(name, "/") {
			continue
		}
		info, err := os.Lstat(filepath.Join(k.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // not made yet
		}
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() || info.Size() > headLimit {
			return nil, fmt.Errorf("%s is not a small regular file", filepath.Join(k.Dir, name))
		}
		text, err := os.ReadFile(filepath.Join(k.Dir, name)) // #nosec G304 -- in the data folder
		if err != nil {
			return nil, err
		}
		all = append(all, keptFile{name, text})
	}
	return all, nil
}

// list names the regular files of the folders that are kept, sorted.
func (k Kept) list() ([]string, error) {
	var names []string
	if k.Dir == "" {
		return nil, nil
	}
	for _, h := range k.Holds {
		if !strings.HasSuffix(h, "/") {
			continue
		}
		err := filepath.WalkDir(filepath.Join(k.Dir, h), func(p string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil // not made yet, or gone since
			case err != nil:
				return err
			case d.IsDir():
				return nil
			case !d.Type().IsRegular():
				return fmt.Errorf("%s is not a regular file", p)
			}
			rel, err := filepath.Rel(k.Dir, p)
			names = append(names, filepath.ToSlash(rel))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list kept files: %w", err)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Source is what is backed up.
type Source struct {
	DB      *store.DB
	Kept    Kept
	Program string
	Now     func() time.Time
}

// Write writes a backup of src to w, to which it brings neither encryption nor a
// safe place on disk: see [File].
func Write(ctx context.Context, w io.Writer, src Source) (Head, Manifest, error) {
	head := Head{Format: Format, Program: src.Program, Engine: src.DB.Engine, Made: src.Now().UTC()} // before the first query
	z := gzip.NewWriter(w)
	out := &writer{tar: tar.NewWriter(z), at: head.Made}
	small, err := src.Kept.small() // before the tables: none knows of a row that the backup lacks
	if err != nil {
		return head, out.man, err
	}
	err = src.DB.Moment(ctx, func(tx *sql.Tx) error {
		if err := describe(ctx, tx, src.DB, &head); err != nil {
			return err
		}
		if err := out.json(headName, head); err != nil {
			return err
		}
		for _, t := range head.Tables {
			if err := out.table(ctx, tx, t); err != nil {
				return fmt.Errorf("back up %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return head, out.man, err
	}
	for _, f := range small {
		if err := out.part(Part{Name: path.Join("file", f.name), Size: int64(len(f.text))}, bytes.NewReader(f.text)); err != nil {
			return head, out.man, err
		}
	}
	if err := out.folders(src.Kept); err != nil { // after the tables: what a row names is there
		return head, out.man, err
	}
	if err := out.json(manifestName, out.man); err != nil {
		return head, out.man, err
	}
	return head, out.man, errors.Join(out.tar.Close(), z.Close())
}

// describe reads what there is to back up.
func describe(ctx context.Context, tx *sql.Tx, db *store.DB, head *Head) (err error) {
	if head.Migrations, err = db.Applied(ctx, tx); err != nil {
		return err
	}
	if len(head.Migrations) == 0 {
		return fault.New("backup.Write", fault.NotFound, "backup.nothing_there")
	}
	names, err := db.Tables(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range names {
		columns, err := columnsOf(ctx, tx, name)
		if err != nil {
			return err
		}
		head.Tables = append(head.Tables, Table{name, columns})
	}
	return nil
}

func columnsOf(ctx context.Context, tx *sql.Tx, table string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+store.Quote(table)+" LIMIT 0") // #nosec G202 -- quoted
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	return names, errors.Join(err, rows.Err())
}

// writer writes entries and remembers them.
type writer struct {
	tar *tar.Writer
	at  time.Time
	man Manifest
}

func (w *writer) json(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return w.entry(name, bytes.NewReader(text), int64(len(text)))
}

func (w *writer) entry(name string, r io.Reader, size int64) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: w.at, Format: tar.FormatPAX}
	if err := w.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if _, err := io.Copy(w.tar, r); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return w.tar.Flush()
}

// part is an entry that the manifest answers for.
func (w *writer) part(p Part, r io.Reader) error {
	sum := sha256.New()
	if err := w.entry(p.Name, io.TeeReader(r, sum), p.Size); err != nil {
		return err
	}
	p.SHA256 = hex.EncodeToString(sum.Sum(nil))
	w.man.Parts = append(w.man.Parts, p)
	return nil
}

// table writes the rows of t in parts.
func (w *writer) table(ctx context.Context, tx *sql.Tx, t Table) error {
	quoted := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		quoted[i] = store.Quote(c)
	}
	rows, err := tx.QueryContext(ctx, "SELECT "+strings.Join(quoted, ", ")+" FROM "+store.Quote(t.Name)) // #nosec G202 -- quoted
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		into[i] = &values[i]
	}
	var buf bytes.Buffer
	var n, number int64
	flush := func() error {
		if n == 0 {
			return nil
		}
		number++
		p := Part{Name: fmt.Sprintf("table/%s/%06d.jsonl", t.Name, number), Size: int64(buf.Len()), Rows: n}
		err := w.part(p, &buf)
		buf.Reset()
		n = 0
		return err
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := writeRow(&buf, values); err != nil {
			return err
		}
		n++
		if buf.Len() >= partSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return errors.Join(rows.Err(), flush())
}

// folders writes the files of the kept folders.
func (w *writer) folders(k Kept) error {
	names, err := k.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := w.file(k.Dir, name); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) file(dir, name string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.Open(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // gone since it was listed
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return w.part(Part{Name: path.Join("file", name), Size: info.Size()}, io.LimitReader(f, info.Size()))
}
