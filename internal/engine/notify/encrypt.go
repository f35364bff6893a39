package notify

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// recordSize is the one record of RFC 8188 that a push message is; push services
// must take 4096 bytes.
const recordSize = 4096

// pushLength is what every message is filled up to before it is sealed, in bytes,
// so that its length tells the push service nothing.
const pushLength = 2304

// ErrTooLong says that a message does not fit into a push message.
var ErrTooLong = errors.New("message too long for push")

// Subscriber is the keys of one subscription: a point of P-256 and a secret.
type Subscriber struct {
	key  *ecdh.PublicKey
	auth []byte
}

// ReadSubscriber reads keys as browsers give them, in base64url.
func ReadSubscriber(p256dh, auth string) (Subscriber, error) {
	point, err := unbase64(p256dh)
	if err != nil {
		return Subscriber{}, fmt.Errorf("subscription key: %w", err)
	}
	s := Subscriber{}
	if s.key, err = ecdh.P256().NewPublicKey(point); err != nil {
		return s, fmt.Errorf("subscription key: %w", err)
	}
	if s.auth, err = unbase64(auth); err != nil || len(s.auth) != 16 {
		return s, errors.New("subscription secret is not 16 bytes")
	}
	return s, nil
}

// unbase64 also takes the padding that some browsers add.
func unbase64(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

// seal makes the body of a push message (RFC 8291: aes128gcm).
func (s Subscriber) seal(text []byte) ([]byte, error) {
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // never fails
	return s.sealWith(own, salt, text, pushLength)
}

// sealWith is seal with everything random given, for the vectors of the RFC. to is
// the length that text is filled up to; 0 for none.
func (s Subscriber) sealWith(own *ecdh.PrivateKey, salt [16]byte, text []byte, to int) ([]byte, error) {
	if len(text) > max(to, recordSize-17-21-65) {
		return nil, ErrTooLong
	}
	shared, err := own.ECDH(s.key)
	if err != nil {
		return nil, fmt.Errorf("agree on key: %w", err)
	}
	ours := own.PublicKey().Bytes()
	info := append(append([]byte("WebPush: info\x00"), s.key.Bytes()...), ours...)
	ikm, err := hkdf.Key(sha256.New, shared, s.auth, string(info), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt[:], "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt[:], "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	head := append(salt[:], 0, 0, 0, 0, byte(len(ours)))
	binary.BigEndian.PutUint32(head[16:20], recordSize)
	head = append(head, ours...)
	padded := append(append(make([]byte, 0, max(len(text), to)+1), text...), 2) // 2: the last record
	for len(padded) <= to {
		padded = append(padded, 0)
	}
	return gcm.Seal(head, nonce, padded, nil), nil
}
