package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ID names a blob: 26 letters of base32, 128 random bits.
type ID string

// idLength is how many letters an ID has.
const idLength = 26

// ErrTooLarge is a blob of more bytes than its room takes.
var ErrTooLarge = errors.New("blob is too large")

// Room is the blobs of one slice. It is safe for use by many goroutines.
type Room struct {
	dir  string
	most int64 // bytes of one blob
}

// Open opens the room called name in the folder dir, which is made if missing.
// most bounds one blob, in bytes.
func Open(dir, name string, most int64) (*Room, error) {
	if name == "" || strings.ContainsAny(name, `/\.`) {
		return nil, fmt.Errorf("open room %q: one short word", name)
	}
	r := &Room{filepath.Join(dir, name), most}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open room %s: %w", name, err)
	}
	return r, nil
}

// good reports whether id is a name that [Room.Put] could have given.
func good(id ID) bool {
	return len(id) == idLength && strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// path is where blob id lies: a thousand folders, so that none is endless.
func (r *Room) path(id ID) string { return filepath.Join(r.dir, string(id[:2]), string(id)) }

// Put writes what from holds and returns its name and size once it is on disk.
func (r *Room) Put(ctx context.Context, from io.Reader) (ID, int64, error) {
	id := ID(strings.ToLower(rand.Text())[:idLength])
	to := r.path(id)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", 0, fmt.Errorf("put blob: %w", err)
	}
	n, err := r.write(to, from)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", 0, errors.Join(fmt.Errorf("put blob: %w", err), removed(os.Remove(to+part)))
	}
	if err := os.Rename(to+part, to); err != nil {
		return "", 0, errors.Join(fmt.Errorf("put blob: %w", err), removed(os.Remove(to+part)))
	}
	if err := syncDir(filepath.Dir(to)); err != nil {
		return "", 0, fmt.Errorf("put blob: %w", err)
	}
	return id, n, nil
}

// part ends the name of a blob that is being written.
const part = ".part"

func (r *Room) write(to string, from io.Reader) (n int64, err error) {
	f, err := os.OpenFile(to+part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the name is ours
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if n, err = io.Copy(f, io.LimitReader(from, r.most+1)); err != nil {
		return n, err
	}
	if n > r.most {
		return n, ErrTooLarge
	}
	return n, f.Sync()
}

// syncDir puts the names in a folder on disk.
func syncDir(dir string) (err error) {
	d, err := os.Open(dir) // #nosec G304 -- the name is ours
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}

// removed is err, unless there was nothing to remove.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Get opens blob id; [fs.ErrNotExist] when there is none. The caller closes it.
func (r *Room) Get(id ID) (*os.File, error) {
	if !good(id) {
		return nil, fmt.Errorf("get blob: %w", fs.ErrNotExist)
	}
	f, err := os.Open(r.path(id))
	if err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	return f, nil
}

// Delete removes blob id for good. One that is not there is well deleted.
func (r *Room) Delete(id ID) error {
	if !good(id) {
		return nil
	}
	if err := removed(os.Remove(r.path(id))); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// Each calls f for every blob that was put before the given time, so that what
// nobody wrote down can be swept. What was never finished by then is removed.
func (r *Room) Each(before time.Time, f func(ID) error) error {
	err := filepath.WalkDir(r.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return removed(err)
		}
		i, err := d.Info()
		if err != nil || !i.ModTime().Before(before) {
			return removed(err)
		}
		if name, unfinished := strings.CutSuffix(d.Name(), part); unfinished && good(ID(name)) {
			return removed(os.Remove(p)) // #nosec G122 -- our own folder, mode 0700
		}
		if !good(ID(d.Name())) {
			return nil // not ours: an operator's own file
		}
		return f(ID(d.Name()))
	})
	if err != nil {
		return fmt.Errorf("walk blobs: %w", err)
	}
	return nil
}
