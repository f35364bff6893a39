package audit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is how large a log is and what its root is: C2SP tlog-checkpoint.
type Checkpoint struct {
	Origin string // "keng/25/main"
	Size   int64
	Root   tlog.Hash
}

// Text is what is signed.
func (c Checkpoint) Text() string { return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root) }

// ParseCheckpoint reads the text of a checkpoint; lines after the third are for
// others.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || lines[0] == "" {
		return Checkpoint{}, errors.New("not a checkpoint: it has three lines")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("not a checkpoint: no size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, errors.New("not a checkpoint: no root")
	}
	return Checkpoint{lines[0], size, root}, nil
}

// OpenCheckpoint reads a signed checkpoint and tells whose known signatures it
// bears. log must be among them.
func OpenCheckpoint(signed []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, []string, error) {
	n, err := note.Open(signed, note.VerifierList(append([]note.Verifier{log}, witnesses...)...))
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("check signature: %w", err)
	}
	byLog, names := false, []string{}
	for _, s := range n.Sigs {
		if s.Name == log.Name() && s.Hash == log.KeyHash() {
			byLog = true
		} else {
			names = append(names, s.Name)
		}
	}
	if !byLog {
		return Checkpoint{}, nil, errors.New("check signature: the log itself did not sign")
	}
	c, err := ParseCheckpoint(n.Text)
	if err == nil && c.Origin != log.Name() {
		err = fmt.Errorf("the checkpoint is of %s, the key of %s", c.Origin, log.Name())
	}
	return c, names, err
}

// LoadKey reads the signing key in file, or makes one for a log called name and
// keeps it there, readable by its owner only. verifier is what everybody else
// needs: the public key, as C2SP signed-note writes it.
func LoadKey(file, name string) (signer note.Signer, verifier string, err error) {
	seed, name, err := loadSeed(file, name)
	if err != nil {
		return nil, "", err
	}
	key := ed25519.NewKeyFromSeed(seed)
	s := &signer1{name: name, key: key, alg: algNote}
	return s, vkey(name, algNote, key.Public().(ed25519.PublicKey)), nil
}

// LoadWitnessKey is [LoadKey] for a witness.
func LoadWitnessKey(file, name string) (*Cosigner, string, error) {
	seed, name, err := loadSeed(file, name)
	if err != nil {
		return nil, "", err
	}
	key := ed25519.NewKeyFromSeed(seed)
	return &Cosigner{name: name, key: key}, vkey(name, algCosignature, key.Public().(ed25519.PublicKey)), nil
}

// keyHead begins a key file; the name and the seed in base64 follow.
const keyHead = "KENG+PRIVATE+KEY"

func loadSeed(file, name string) ([]byte, string, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator's own file
	if errors.Is(err, os.ErrNotExist) {
		return makeSeed(file, name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read key: %w", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, "", fmt.Errorf("read key: others can read %s too: chmod 600 it", file)
	}
	parts := strings.Fields(string(text))
	if len(parts) != 3 || parts[0] != keyHead {
		return nil, "", fmt.Errorf("read key: %s holds no key", file)
	}
	seed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(seed) != ed25519.SeedSize || !nameFits(parts[1]) {
		return nil, "", fmt.Errorf("read key: %s is damaged", file)
	}
	return seed, parts[1], nil
}

func makeSeed(file, name string) ([]byte, string, error) {
	if !nameFits(name) {
		return nil, "", fmt.Errorf("make key: %q cannot be a name: no space, no plus", name)
	}
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed)
	text := fmt.Sprintf("%s %s %s\n", keyHead, name, base64.StdEncoding.EncodeToString(seed))
	if err := writeSynced(file, []byte(text)); err != nil {
		return nil, "", fmt.Errorf("make key: %w", err)
	}
	return seed, name, nil
}

func nameFits(name string) bool { return name != "" && !strings.ContainsAny(name, "+ \t\r\n") }

// writeSynced puts a file in its place whole, on disk, readable by its owner only.
func writeSynced(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	part := file + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) // #nosec G304 -- the operator's own file
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
