package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

// challengeFor is how long a browser has to answer.
const challengeFor = 5 * time.Minute

// challenges makes and knows again what browsers must sign. What it made it does
// not keep, so nobody can fill its memory by asking; what was answered rightly it
// keeps until it has expired, so that no answer counts twice.
type challenges struct {
	key [32]byte // of this process: who was asked before a restart is asked again

	mu    sync.Mutex
	spent map[string]time.Time // until when
}

func newChallenges() *challenges {
	c := &challenges{spent: map[string]time.Time{}}
	_, _ = rand.Read(c.key[:]) // never fails
	return c
}

// challenge: 16 random bytes, Unix ms of its end, 16 bytes of a MAC.
const challengeLength = 16 + 8 + 16

// make makes a challenge for one purpose: "in", or "add " and a person.
func (c *challenges) make(purpose string, now time.Time) []byte {
	b := make([]byte, challengeLength)
	_, _ = rand.Read(b[:16]) // never fails
	binary.BigEndian.PutUint64(b[16:24], uint64(now.Add(challengeFor).UnixMilli()))
	copy(b[24:], c.mac(b[:24], purpose))
	return b
}

func (c *challenges) mac(b []byte, purpose string) []byte {
	m := hmac.New(sha256.New, c.key[:])
	m.Write(b)
	m.Write([]byte(purpose))
	return m.Sum(nil)[:16]
}

// ours reports whether text (base64url) is a challenge of that purpose that still
// waits for its answer.
func (c *challenges) ours(text, purpose string, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != challengeLength || !hmac.Equal(b[24:], c.mac(b[:24], purpose)) {
		return false
	}
	if now.UnixMilli() >= int64(binary.BigEndian.Uint64(b[16:24])) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, spent := c.spent[text]
	return !spent
}

// spend says that a challenge was answered rightly; false when it was before.
func (c *challenges) spend(text string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t, until := range c.spent {
		if now.After(until) {
			delete(c.spent, t)
		}
	}
	if _, spent := c.spent[text]; spent {
		return false
	}
	c.spent[text] = now.Add(challengeFor)
	return true
}
