package reach

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/people"
)

// purpose is what a token is good for.
type purpose string

const (
	toReceive purpose = "receive" // say that the phone has a message
	toAnswer  purpose = "answer"  // answer the roll-call of one incident
)

// How long tokens are good. An incident that is closed takes no answer anyway.
const (
	receiveFor = 24 * time.Hour
	answerFor  = 3 * time.Hour
)

// claim is what a token says: who may do what about which incident, or probe.
type claim struct {
	For     purpose
	Message string // its id
	About   string // an incident, or a phone for a probe
	Person  people.ID
	Until   time.Time // whole seconds
}

// sign makes the token of c. It is sealed into a push message, so that it reaches
// that phone only, and is good for nothing else than it says.
func (v *Service) sign(c claim) string {
	text := strings.Join([]string{string(c.For), c.Message, c.About, string(c.Person), strconv.FormatInt(c.Until.Unix(), 10)}, "\x1f")
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(v.mac(text))
}

func (v *Service) mac(text string) []byte {
	h := hmac.New(sha256.New, v.Secret)
	h.Write([]byte(text))
	return h.Sum(nil)[:16]
}

// read is the inverse of sign. It reports false for whatever is not a good token
// for that purpose now; which of its faults it has is nobody's business.
func (v *Service) read(token string, p purpose) (claim, bool) {
	body, tag, ok := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	sig, err2 := base64.RawURLEncoding.DecodeString(tag)
	if !ok || err != nil || err2 != nil || len(v.Secret) == 0 || !hmac.Equal(sig, v.mac(string(text))) {
		return claim{}, false
	}
	f := strings.Split(string(text), "\x1f")
	if len(f) != 5 {
		return claim{}, false
	}
	until, err := strconv.ParseInt(f[4], 10, 64)
	c := claim{purpose(f[0]), f[1], f[2], people.ID(f[3]), time.Unix(until, 0)}
	return c, err == nil && c.For == p && v.Now().Before(c.Until)
}
