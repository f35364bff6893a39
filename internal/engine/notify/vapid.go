package notify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"time"
)

// KeyFile is the name of the file with the key of a Keng, in its data folder. Who
// loses it must enrol every phone again.
const KeyFile = "vapid.key"

// Key is what a Keng proves itself with to push services (VAPID, RFC 8292).
type Key struct {
	private *ecdsa.PrivateKey
	public  []byte // uncompressed point
	subject string // whom a push service may write to: mailto: or https:

	mu    sync.Mutex
	cards map[string]card // by origin
}

type card struct {
	text string
	at   time.Time
}

// cardLasts and cardRenewed: a push service may refuse what is good for more than
// 24 h (RFC 8292 section 2).
const (
	cardLasts   = 12 * time.Hour
	cardRenewed = 6 * time.Hour
)

// OpenKey reads the key in file, made with mode 0600 when there is none.
func OpenKey(file, subject string) (*Key, error) {
	text, err := os.ReadFile(file) // #nosec G304 -- the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("open push key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("open push key: %s is no PEM file", file)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("open push key %s: %w", file, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, fmt.Errorf("open push key: %s is no key of P-256", file)
	}
	return newKey(private, subject)
}

// NewKey makes a key that is kept nowhere, for tests and measurements.
func NewKey(subject string) (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make push key: %w", err)
	}
	return newKey(private, subject)
}

func newKey(private *ecdsa.PrivateKey, subject string) (*Key, error) {
	public, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("read push key: %w", err)
	}
	return &Key{private: private, public: public, subject: subject, cards: map[string]card{}}, nil
}

func makeKey(file string) ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Sync(), f.Close())
}

// Public is the key as browsers want it (applicationServerKey): base64url.
func (k *Key) Public() string { return base64.RawURLEncoding.EncodeToString(k.public) }

// Derive makes a secret for another purpose, so that there is one file to keep.
func (k *Key) Derive(purpose string) ([]byte, error) {
	seed, err := k.private.Bytes()
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, seed, nil, "keng "+purpose, 32)
}

// authorise is the Authorization header for a push service at endpoint.
func (k *Key) authorise(endpoint string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	origin := u.Scheme + "://" + u.Host
	k.mu.Lock()
	defer k.mu.Unlock()
	c := k.cards[origin]
	if c.text == "" || now.Sub(c.at).Abs() > cardRenewed {
		if c.text, err = k.sign(origin, now); err != nil {
			return "", err
		}
		c.at = now
		if len(k.cards) > 1000 {
			clear(k.cards)
		}
		k.cards[origin] = c
	}
	return "vapid t=" + c.text + ", k=" + k.Public(), nil
}

// sign makes a JSON web token, ES256.
func (k *Key) sign(origin string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": origin, "exp": now.Add(cardLasts).Unix(), "sub": k.subject})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign for push service: %w", err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}
