package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader holds "t=<Unix seconds>,v1=<hex HMAC-SHA256 of t.body>", on what
// leaves for a gateway or webhook and on what comes back from it.
const SignatureHeader = "Keng-Signature"

// signatureFor is how old a signature may be.
const signatureFor = 5 * time.Minute

// Sign makes the header for body.
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

func mac(secret []byte, t string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(t))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}

// ErrSignature says that something was not signed by who it should be, or long ago.
var ErrSignature = errors.New("signature does not fit")

// Verify checks the header that came with body.
func Verify(secret, body []byte, header string, now time.Time) error {
	var t string
	var sig []byte
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			t = value
		case "v1":
			sig, _ = hex.DecodeString(value) // a wrong one does not fit
		}
	}
	at, err := strconv.ParseInt(t, 10, 64)
	if err != nil || len(secret) == 0 || now.Sub(time.Unix(at, 0)).Abs() > signatureFor || !hmac.Equal(sig, mac(secret, t, body)) {
		return ErrSignature
	}
	return nil
}

// Gateway is a service that sends SMS or calls by voice; see docs/gateway.md.
type Gateway struct {
	URL    string
	Secret []byte
}

// Order is what a gateway is asked for.
type Order struct {
	ID    string            `json:"id"` // also the Idempotency-Key: the same id is the same call
	Kind  Channel           `json:"kind"`
	To    string            `json:"to"`
	Text  string            `json:"text"`
	Plain string            `json:"plain"` // the text without marks, for seven-bit SMS
	Lang  string            `json:"lang"`
	Keys  map[string]string `json:"keys"`  // what a pressed key, or an SMS of one digit, means
	Until time.Time         `json:"until"` // do not begin later
}

// Keys is what people may press: the same on every call, so that it can be learnt.
func Keys() map[string]string { return map[string]string{"1": "safe", "2": "coming", "9": "need_help"} }

// caller sends through a gateway.
type caller struct {
	kind   Channel
	to     Gateway
	client *http.Client
	now    func() time.Time
	plain  func(string) string
}

func (c *caller) host(Message) string { return string(c.kind) + " " + hostOf(c.to.URL) }

func (c *caller) send(ctx context.Context, m Message) (Outcome, error) {
	o := Order{ID: m.ID(), Kind: c.kind, To: m.To, Text: m.Body, Plain: c.plain(m.Body), Lang: "vi", Keys: Keys(), Until: m.Until}
	body, err := json.Marshal(o)
	if err != nil {
		return Outcome{State: Failed}, err
	}
	out, err := post(ctx, c.client, c.to, m.ID(), body, c.now())
	switch out.Status {
	case http.StatusConflict: // it has that id already
		out.State = Accepted
	case http.StatusNotFound, http.StatusGone: // of the gateway itself: somebody mistyped its address
		out.State, out.Down = Sent, true
	}
	return out, err
}

// post sends a signed body.
func post(ctx context.Context, client *http.Client, to Gateway, id string, body []byte, now time.Time) (Outcome, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return Outcome{State: Failed}, bare(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", id)
	r.Header.Set(SignatureHeader, Sign(to.Secret, body, now))
	return do(client, r)
}

// hook sends a message to a program.
type hook struct {
	secret []byte
	client *http.Client
	now    func() time.Time
}

func (h *hook) host(m Message) string { return string(Webhook) + " " + hostOf(m.To) }

func (h *hook) send(ctx context.Context, m Message) (Outcome, error) {
	out, err := post(ctx, h.client, Gateway{m.To, h.secret}, m.ID(), []byte(m.Body), h.now())
	if out.State == Gone { // a program that was moved is not a phone that was thrown away
		out.State = Failed
	}
	if err != nil {
		return out, fmt.Errorf("webhook: %w", err)
	}
	return out, nil
}
