package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func box(t *testing.T) Box {
	t.Helper()
	b, err := Load(filepath.Join(t.TempDir(), File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealedTextOpensInItsRowAndPurposeOnly(t *testing.T) {
	b, other := box(t), box(t)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(rt, "text")
		sealed, err := b.Seal("note", "h1", text)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := b.Open("note", "h1", sealed)
		if err != nil || !bytes.Equal(got, text) {
			rt.Fatalf("opened %q, %v", got, err)
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(changed)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		for name, err := range map[string]error{
			"another row":     second(b.Open("note", "h2", sealed)),
			"another purpose": second(b.Open("chat", "h1", sealed)),
			"another key":     second(other.Open("note", "h1", sealed)),
			"one bit changed": second(b.Open("note", "h1", changed)),
			"cut short":       second(b.Open("note", "h1", sealed[:len(sealed)-1])),
			"nothing":         second(b.Open("note", "h1", nil)),
		} {
			if !errors.Is(err, ErrOpen) {
				rt.Fatalf("%s: %v", name, err)
			}
		}
	})
}

func second(_ []byte, err error) error { return err }

func TestSealedTextHidesItsLengthAndNeverRepeats(t *testing.T) {
	b := box(t)
	one, err := b.Seal("note", "h1", []byte("cửa sau"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Seal("note", "h1", []byte(strings.Repeat("x", step-1)))
	if err != nil {
		t.Fatal(err)
	}
	same, err := b.Seal("note", "h1", []byte("cửa sau"))
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != len(two) || bytes.Equal(one, same) || bytes.Contains(one, []byte("cửa")) {
		t.Errorf("%d and %d bytes; the same text twice is the same: %v", len(one), len(two), bytes.Equal(one, same))
	}
}

func TestKeyFileIsMadeOnceAndKeptFromOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), File)
	a, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.master, b.master) {
		t.Error("the second start has another key")
	}
	if runtime.GOOS == "windows" {
		return
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(file, 0o640); err != nil { // #nosec G302 -- what the test is about
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil {
		t.Error("a key that the group may read is taken")
	}
}

func TestDamagedKeyFileIsNeverReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), File)
	if err := os.WriteFile(file, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil {
		t.Error("half a key is taken")
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "half a key" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if _, err := (Box{}).Seal("note", "h1", nil); err == nil {
		t.Error("a box without a key seals")
	}
}
