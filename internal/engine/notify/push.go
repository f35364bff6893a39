package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// pushTTL is how long a push service keeps a message for a phone that is off: a
// fire is not told the next morning.
const pushTTL = 300 * time.Second

// pusher sends Web Push (RFC 8030).
type pusher struct {
	key    *Key
	client *http.Client
	now    func() time.Time
}

func (p *pusher) host(m Message) string { return hostOf(m.To) }

func (p *pusher) send(ctx context.Context, m Message) (Outcome, error) {
	fail := Outcome{State: Failed}
	p256dh, auth, _ := strings.Cut(m.Secret, " ")
	sub, err := ReadSubscriber(p256dh, auth)
	if err != nil {
		return fail, err
	}
	body, err := sub.seal([]byte(m.Body))
	if err != nil {
		return fail, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(body))
	if err != nil {
		return fail, bare(err)
	}
	card, err := p.key.authorise(m.To, p.now())
	if err != nil {
		return fail, err
	}
	left := min(max(0, m.Until.Sub(p.now())), pushTTL)
	if m.Rank > 1 {
		left = max(0, m.Until.Sub(p.now()))
	}
	r.Header.Set("Authorization", card)
	r.Header.Set("Content-Encoding", "aes128gcm")
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("TTL", strconv.Itoa(int(left.Seconds())))
	r.Header.Set("Urgency", map[bool]string{true: "high", false: "normal"}[m.Rank <= 1])
	if m.Topic != "" {
		r.Header.Set("Topic", topic(m.Topic))
	}
	return do(p.client, r)
}

// topic names what a message is about to the push service, which learns nothing
// by it: at most 32 letters of base64url (RFC 8030 section 5.4).
func topic(s string) string {
	sum := sha256.Sum256([]byte("keng topic v1\n" + s))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}
