package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func room(t *testing.T, most int64) (*Room, string) {
	t.Helper()
	dir := t.TempDir()
	r, err := Open(dir, "chat", most)
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}

func TestWhatWasPutIsThereAndWhatWasDeletedIsGone(t *testing.T) {
	r, dir := room(t, 100)
	id, n, err := r.Put(t.Context(), strings.NewReader("tiếng nói"))
	if err != nil || n != int64(len("tiếng nói")) {
		t.Fatalf("put %q, %d, %v", id, n, err)
	}
	f, err := r.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || string(got) != "tiếng nói" {
		t.Errorf("got %q, %v", got, err)
	}
	if i, err := os.Stat(r.path(id)); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	for range 2 {
		if err := r.Delete(id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Get(id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted, but %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, p)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line broke") }

// What is too large, torn or given up leaves nothing behind and gets no name.
func TestWhatIsNotWholeIsNotThere(t *testing.T) {
	r, dir := room(t, 8)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		from io.Reader
		want error
	}{
		"too large": {t.Context(), strings.NewReader("123456789"), ErrTooLarge},
		"torn":      {t.Context(), io.MultiReader(strings.NewReader("1234"), broken{}), nil},
		"given up":  {gone, strings.NewReader("1"), context.Canceled},
	} {
		id, _, err := r.Put(c.ctx, c.from)
		if err == nil || id != "" || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if _, n, err := r.Put(t.Context(), strings.NewReader("12345678")); err != nil || n != 8 {
		t.Errorf("exactly as large as allowed: %d, %v", n, err)
	}
}

// A string that is no name never reaches the file system.
func TestStrangeNamesAreNobody(t *testing.T) {
	r, dir := room(t, 8)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{"", "../../secret", "..%2fsecret", ID(strings.Repeat("a", 25) + "/"), ID(strings.Repeat("A", 26)), ID(strings.Repeat("a", 27)), "secret"} {
		if _, err := r.Get(id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", id, err)
		}
		if err := r.Delete(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "secret")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a/b", "..", "."} {
		if _, err := Open(dir, name, 1); err == nil {
			t.Errorf("room %q was opened", name)
		}
	}
}

// What nobody wrote down is found, what is fresh is left alone.
func TestEachFindsWhatIsOld(t *testing.T) {
	r, _ := room(t, 1<<10)
	old, _, err := r.Put(t.Context(), bytes.NewReader(make([]byte, 10)))
	if err != nil {
		t.Fatal(err)
	}
	fresh, _, err := r.Put(t.Context(), bytes.NewReader(make([]byte, 10)))
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-2 * time.Hour)
	torn := r.path(ID(strings.Repeat("a", 26))) + part
	if err := os.MkdirAll(filepath.Dir(torn), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(torn, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{r.path(old), torn} {
		if err := os.Chtimes(p, past, past); err != nil {
			t.Fatal(err)
		}
	}
	var found []ID
	if err := r.Each(time.Now().Add(-time.Hour), func(id ID) error { found = append(found, id); return r.Delete(id) }); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0] != old {
		t.Errorf("found %q, want %q", found, old)
	}
	if _, err := os.Stat(torn); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was never finished is still there: %v", err)
	}
	if f, err := r.Get(fresh); err != nil {
		t.Error(err)
	} else {
		_ = f.Close()
	}
}
