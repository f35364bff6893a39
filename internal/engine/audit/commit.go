package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"errors"
	"fmt"
)

// domain separates our commitments from every other SHA-256.
const domain = "keng/commit/v1"

var b64 = base64.RawStdEncoding

// Key is 32 secret random bytes of one person, one thing or one entry. Whoever
// deletes it makes every commitment under it say nothing, for ever. The zero Key
// is none and commits to nothing.
type Key struct{ b [32]byte }

func newKey() Key {
	var k Key
	_, _ = rand.Read(k.b[:]) // never fails: crypto/rand ends the program instead
	return k
}

// Zero reports whether k is no key.
func (k Key) Zero() bool { return k == Key{} }

// Value implements driver.Valuer.
func (k Key) Value() (driver.Value, error) {
	if k.Zero() {
		return nil, errors.New("the zero key is never stored")
	}
	return k.b[:], nil
}

// Scan implements sql.Scanner. NULL becomes the zero Key.
func (k *Key) Scan(v any) error {
	b, ok := v.([]byte)
	switch {
	case v == nil:
		*k = Key{}
		return nil
	case !ok || len(b) != len(k.b):
		return errors.New("not a key")
	}
	copy(k.b[:], b)
	return nil
}

// For is the key of k's commitments in the leaf with that salt, and in no other.
func (k Key) For(salt string) Opening {
	if k.Zero() {
		return Opening{}
	}
	m := hmac.New(sha256.New, k.b[:])
	_, _ = m.Write([]byte(salt))
	var o Opening
	m.Sum(o.b[:0])
	return o
}

// Opening opens one commitment in one leaf: whoever holds it can check what the
// commitment holds. It is made by [Key.For] only.
type Opening struct{ b [32]byte }

// Commit is the commitment to v. The zero Opening would hide nothing, so it is
// refused: that is a mistake in the program.
func (o Opening) Commit(v string) Commitment {
	if o == (Opening{}) {
		panic("audit: commitment without a key")
	}
	h := sha256.New()
	_, _ = h.Write([]byte(domain))
	_, _ = h.Write(o.b[:])
	_, _ = h.Write([]byte(v))
	var c Commitment
	h.Sum(c.b[:0])
	return c
}

// MarshalText is o in base64, "" for the zero Opening.
func (o Opening) MarshalText() ([]byte, error) {
	if o == (Opening{}) {
		return nil, nil
	}
	return b64.AppendEncode(nil, o.b[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (o *Opening) UnmarshalText(text []byte) error { return decode32(&o.b, text) }

// Commitment is a hash under a key: it binds and hides. There is no way to make
// one without a key.
type Commitment struct{ b [32]byte }

// IsZero reports whether there is none; it leaves the field out of a leaf.
func (c Commitment) IsZero() bool { return c == Commitment{} }

// MarshalText is c in base64.
func (c Commitment) MarshalText() ([]byte, error) { return b64.AppendEncode(nil, c.b[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (c *Commitment) UnmarshalText(text []byte) error { return decode32(&c.b, text) }

func (c Commitment) String() string { return b64.EncodeToString(c.b[:]) }

func decode32(into *[32]byte, text []byte) error {
	b, err := b64.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("read 32 bytes: %w", err)
	}
	if len(b) != len(into) {
		return fmt.Errorf("read 32 bytes: there are %d", len(b))
	}
	copy(into[:], b)
	return nil
}

// newSalt makes the salt of a leaf.
func newSalt() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return b64.EncodeToString(b[:])
}
