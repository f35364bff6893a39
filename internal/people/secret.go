package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// letters spell invite codes: no I, L, O or U, which people confuse (Crockford).
const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength gives an invite 12 x 5 = 60 bits: with the pace of [Service] a
// guesser needs ages, and it dies after [InviteFor].
const codeLength = 12

// newCode makes an invite code, without its dashes.
func newCode() string {
	b := make([]byte, codeLength)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b)
}

// ShowCode writes a code as people read it aloud: "7K2M-Q9XT-4BWZ".
func ShowCode(code string) string {
	if len(code) != codeLength {
		return code
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// readCode is the inverse of [ShowCode], forgiving: case, spaces, dashes, and O
// for 0, I and L for 1.
func readCode(s string) (string, bool) {
	if len(s) > 64 {
		return "", false
	}
	s = strings.NewReplacer("-", "", " ", "", "\u00a0", "", ".", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(s))
	if len(s) != codeLength || strings.Trim(s, letters) != "" {
		return "", false
	}
	return s, true
}

// newSecret makes the secret of a session or token: 256 bits, URL-safe.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// newID makes the id of a person: 80 bits, which say nothing about him.
func newID() ID { return ID("p-" + strings.ToLower(rand.Text()[:16])) }

// digest is how a secret is stored. All secrets are long and random, so a fast
// hash is enough: there is no word to guess. Looking a digest up takes as long
// for a wrong secret as for an unknown one.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
