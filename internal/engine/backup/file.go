package backup

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// ageMark is how every age file begins.
const ageMark = "age-encryption.org/"

// Recipients reads who may open a backup: each of to is a recipient ("age1...")
// or a file of them.
func Recipients(to []string) ([]age.Recipient, error) {
	var all []age.Recipient
	for _, s := range to {
		text := []byte(s)
		if !strings.HasPrefix(s, "age1") {
			b, err := os.ReadFile(s) // #nosec G304 -- the operator names it
			if err != nil {
				return nil, &fault.Error{Op: "backup.Recipients", Kind: fault.Invalid, Key: "backup.no_recipient", Args: map[string]any{"name": s}, Err: err}
			}
			text = b
		}
		r, err := age.ParseRecipients(bytes.NewReader(text))
		if err != nil {
			return nil, &fault.Error{Op: "backup.Recipients", Kind: fault.Invalid, Key: "backup.no_recipient", Args: map[string]any{"name": s[:min(len(s), 24)]}, Err: err}
		}
		all = append(all, r...)
	}
	return all, nil
}

// NewKey writes a new identity into file, which must not exist, and returns its
// recipient. It is a hybrid one: whoever copies an encrypted backup today shall
// not open it with a quantum computer.
func NewKey(file string) (recipient string, err error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // #nosec G304 -- the operator names it
	if errors.Is(err, fs.ErrExist) {
		return "", &fault.Error{Op: "backup.NewKey", Kind: fault.Conflict, Key: "backup.exists", Args: map[string]any{"name": file}}
	}
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(f, "# public key: %s\n%s\n", id.Recipient(), id)
	return id.Recipient().String(), errors.Join(err, f.Sync(), f.Close())
}

// Create makes the file name by what fill writes, encrypted to to when there are
// any. The file appears whole, synced, mode 0600, or not at all; one that is
// there already stays. What goes to disk goes to seen too.
func Create(name string, to []age.Recipient, fill func(io.Writer) error, seen ...io.Writer) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return &fault.Error{Op: "backup.Create", Kind: fault.Conflict, Key: "backup.exists", Args: map[string]any{"name": name}}
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.partial") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // perhaps closed already
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := encrypted(io.MultiWriter(append([]io.Writer{f}, seen...)...), to, fill); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func encrypted(f io.Writer, to []age.Recipient, fill func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 256<<10)
	if len(to) == 0 {
		return errors.Join(fill(b), b.Flush())
	}
	w, err := age.Encrypt(b, to...)
	if err != nil {
		return fmt.Errorf("encrypt: %w", err)
	}
	if err := fill(w); err != nil {
		return err
	}
	return errors.Join(w.Close(), b.Flush())
}

// syncDir makes the names in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir) // #nosec G304 -- the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Open reads a backup from r, with the identities of the file keys when it is
// encrypted.
func Open(r io.Reader, keys string) (io.Reader, error) {
	b := bufio.NewReader(r)
	start, err := b.Peek(len(ageMark))
	if err != nil {
		return nil, broken("backup.no_backup", err)
	}
	if string(start) != ageMark {
		return b, nil
	}
	if keys == "" {
		return nil, fault.New("backup.Open", fault.Invalid, "backup.needs_key")
	}
	f, err := os.Open(keys) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, &fault.Error{Op: "backup.Open", Kind: fault.Invalid, Key: "backup.bad_key", Args: map[string]any{"name": keys}, Err: err}
	}
	defer func() { _ = f.Close() }()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, &fault.Error{Op: "backup.Open", Kind: fault.Invalid, Key: "backup.bad_key", Args: map[string]any{"name": keys}, Err: err}
	}
	plain, err := age.Decrypt(b, ids...)
	if err != nil {
		return nil, &fault.Error{Op: "backup.Open", Kind: fault.Invalid, Key: "backup.wrong_key", Err: err}
	}
	return plain, nil
}

// Stage collects the files of a restore beside their places in Dir; they get
// their names with Place, or vanish with Drop.
type Stage struct {
	Kept   Kept
	staged []string // clean paths below the folder
}

const stagedEnd = ".restoring"

// Put stages one file.
func (s *Stage) Put(name string, content io.Reader) (err error) {
	if !s.Kept.has(name) {
		return changed("file/" + name)
	}
	if s.Kept.Dir == "" {
		return fault.New("backup.Put", fault.Invalid, "backup.needs_folder")
	}
	if err := os.MkdirAll(s.Kept.Dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(s.Kept.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	local := filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(local), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(local+stagedEnd, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.staged = append(s.staged, name)
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Sync(), f.Close())
}

// Place gives every staged file its name.
func (s *Stage) Place() error {
	for _, name := range s.staged {
		to := filepath.Join(s.Kept.Dir, filepath.FromSlash(name))
		if err := os.Rename(to+stagedEnd, to); err != nil {
			return err
		}
		if err := syncDir(filepath.Dir(to)); err != nil {
			return err
		}
	}
	s.staged = nil
	return nil
}

// Drop removes what was staged and not placed.
func (s *Stage) Drop() {
	for _, name := range s.staged {
		_ = os.Remove(filepath.Join(s.Kept.Dir, filepath.FromSlash(name)+stagedEnd)) // best effort: the restore failed already
	}
	s.staged = nil
}
