package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// File is the name of the key file in the data folder.
const File = "keng.key"

const (
	keyBytes  = 32
	nonceSize = 12
	step      = 256 // bytes that a length is rounded up to
	first     = 1   // version of the format, its first byte
)

// ErrOpen says that a text cannot be opened: another key, another row, or it was
// changed.
var ErrOpen = errors.New("seal: the text does not open")

// Box seals and opens. The zero Box has no key and refuses; see [Box.Ready].
type Box struct{ master []byte }

// New makes a box of a master key of 32 bytes.
func New(master []byte) (Box, error) {
	if len(master) != keyBytes {
		return Box{}, fmt.Errorf("seal: the key has %d bytes, want %d", len(master), keyBytes)
	}
	return Box{append([]byte(nil), master...)}, nil
}

// Load reads the key file, or makes it when there is none. Of two who make it at
// once, both get the key of the one who was first.
func Load(file string) (Box, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := forge(file); err != nil {
			return Box{}, fmt.Errorf("make key file: %w", err)
		}
	}
	return read(file)
}

// forge writes a whole key beside file and gives it the name, unless somebody
// else was first: half a key is never seen.
func forge(file string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), File+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(hex.EncodeToString(random(keyBytes)) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(file)
}

// syncFolder makes sure that the name of file outlasts a power cut as well.
func syncFolder(file string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func read(file string) (Box, error) {
	info, err := os.Stat(file)
	if err != nil {
		return Box{}, fmt.Errorf("read key file: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return Box{}, fmt.Errorf("read key file: %s may be read by others: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file) // #nosec G304 -- the operator names it
	if err != nil {
		return Box{}, fmt.Errorf("read key file: %w", err)
	}
	master, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != keyBytes {
		return Box{}, fmt.Errorf("read key file: %s does not hold %d bytes in hex; restore it from its own backup", file, keyBytes)
	}
	return New(master)
}

// Ready reports whether the box has a key.
func (b Box) Ready() bool { return len(b.master) == keyBytes }

// Seal closes text for one purpose and one row.
func (b Box) Seal(purpose, row string, text []byte) ([]byte, error) {
	gcm, err := b.cipher(purpose)
	if err != nil {
		return nil, err
	}
	out := append([]byte{first}, random(nonceSize)...)
	return gcm.Seal(out, out[1:], pad(text), []byte(row)), nil
}

// Open opens what Seal closed for the same purpose and row; else [ErrOpen].
func (b Box) Open(purpose, row string, sealed []byte) ([]byte, error) {
	gcm, err := b.cipher(purpose)
	if err != nil {
		return nil, err
	}
	if len(sealed) < 1+nonceSize || sealed[0] != first {
		return nil, ErrOpen
	}
	text, err := gcm.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], []byte(row))
	if err != nil {
		return nil, ErrOpen
	}
	return unpad(text)
}

func (b Box) cipher(purpose string) (cipher.AEAD, error) {
	if !b.Ready() {
		return nil, errors.New("seal: there is no key")
	}
	key, err := hkdf.Key(sha256.New, b.master, nil, "keng/seal/v1/"+purpose, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("seal: derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return cipher.NewGCM(block)
}

// pad adds 0x80 and zeros up to a multiple of step (ISO/IEC 7816-4).
func pad(text []byte) []byte {
	out := make([]byte, (len(text)/step+1)*step)
	copy(out, text)
	out[len(text)] = 0x80
	return out
}

func unpad(text []byte) ([]byte, error) {
	end := len(text) - 1
	for end >= 0 && text[end] == 0 {
		end--
	}
	if end < 0 || text[end] != 0x80 {
		return nil, ErrOpen
	}
	return text[:end], nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
