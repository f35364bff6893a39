package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Kinds of keys in C2SP signed-note: the byte before the public key.
const (
	algNote        byte = 1
	algCosignature byte = 4 // cosignature/v1, Ed25519
)

// keyID tells keys of one name apart.
func keyID(name string, alg byte, pub ed25519.PublicKey) uint32 {
	h := sha256.New()
	_, _ = h.Write([]byte(name + "\n" + string(rune(alg))))
	_, _ = h.Write(pub)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// vkey is a public key with its name, as everybody writes it.
func vkey(name string, alg byte, pub ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, alg, pub), base64.StdEncoding.EncodeToString(append([]byte{alg}, pub...)))
}

// ParseVerifier reads the public key of a log or of a witness.
func ParseVerifier(text string) (note.Verifier, error) {
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "+")
	id, key, ok2 := strings.Cut(rest, "+")
	b, err := base64.StdEncoding.DecodeString(key)
	if !ok || !ok2 || err != nil || len(b) != 1+ed25519.PublicKeySize || !nameFits(name) {
		return nil, errors.New("not a public key: it looks like name+0a1b2c3d+base64")
	}
	pub := ed25519.PublicKey(b[1:])
	if fmt.Sprintf("%08x", keyID(name, b[0], pub)) != id {
		return nil, errors.New("not a public key: it was mistyped")
	}
	switch b[0] {
	case algNote:
		return note.NewVerifier(strings.TrimSpace(text))
	case algCosignature:
		return cosignatureVerifier{name, pub}, nil
	}
	return nil, fmt.Errorf("a key of kind %d is not known here", b[0])
}

// signer1 signs notes.
type signer1 struct {
	name string
	key  ed25519.PrivateKey
	alg  byte
}

func (s *signer1) Name() string    { return s.name }
func (s *signer1) KeyHash() uint32 { return keyID(s.name, s.alg, s.key.Public().(ed25519.PublicKey)) }

func (s *signer1) Sign(msg []byte) ([]byte, error) {
	return ed25519.Sign(s.key, msg), nil
}

// Cosigner signs that it saw a checkpoint, and when: C2SP cosignature/v1.
type Cosigner struct {
	name string
	key  ed25519.PrivateKey
}

// Name is that of the witness.
func (c *Cosigner) Name() string { return c.name }

// Cosign makes the signature line for a checkpoint's text.
func (c *Cosigner) Cosign(text string, at time.Time) string {
	sig := binary.BigEndian.AppendUint32(nil, keyID(c.name, algCosignature, c.key.Public().(ed25519.PublicKey)))
	sig = binary.BigEndian.AppendUint64(sig, uint64(at.Unix())) // #nosec G115 -- after 1970
	sig = append(sig, ed25519.Sign(c.key, cosigned(at.Unix(), []byte(text)))...)
	return fmt.Sprintf("— %s %s\n", c.name, base64.StdEncoding.EncodeToString(sig))
}

func cosigned(at int64, text []byte) []byte {
	return append(fmt.Appendf(nil, "cosignature/v1\ntime %d\n", at), text...)
}

// cosignatureVerifier checks what a [Cosigner] made.
type cosignatureVerifier struct {
	name string
	pub  ed25519.PublicKey
}

func (v cosignatureVerifier) Name() string    { return v.name }
func (v cosignatureVerifier) KeyHash() uint32 { return keyID(v.name, algCosignature, v.pub) }
func (v cosignatureVerifier) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	if at > 1<<62 {
		return false
	}
	return ed25519.Verify(v.pub, cosigned(int64(at), msg), sig[8:])
}
