package post

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// extract and expand are HKDF with SHA-256 (RFC 5869), for one block.
func extract(salt, secret []byte) []byte { return sum(salt, secret) }

func expand(key []byte, info string, n int) []byte { return sum(key, append([]byte(info), 1))[:n] }

func sum(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

// unseal opens the body of a push message for the phone that has these keys: RFC
// 8188 with one record, keyed as RFC 8291 says.
func unseal(private *ecdh.PrivateKey, auth, body []byte) ([]byte, error) {
	if len(body) < 21+65+17 || len(body) > 4096 || body[20] != 65 {
		return nil, fmt.Errorf("a body of %d bytes is no aes128gcm of one record", len(body))
	}
	salt, theirs, sealed := body[:16], body[21:86], body[86:]
	if size := int(body[16])<<24 | int(body[17])<<16 | int(body[18])<<8 | int(body[19]); size < len(body) {
		return nil, errors.New("more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, err
	}
	shared, err := private.ECDH(sender)
	if err != nil {
		return nil, err
	}
	ikm := expand(extract(auth, shared), "WebPush: info\x00"+string(private.PublicKey().Bytes())+string(theirs), 32)
	prk := extract(salt, ikm)
	block, err := aes.NewCipher(expand(prk, "Content-Encoding: aes128gcm\x00", 16))
	if err != nil {
		return nil, err
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	text, err := box.Open(nil, expand(prk, "Content-Encoding: nonce\x00", 12), sealed, nil)
	if err != nil {
		return nil, errors.New("the message does not open")
	}
	text = []byte(strings.TrimRight(string(text), "\x00"))
	if len(text) == 0 || text[len(text)-1] != 2 {
		return nil, errors.New("the record does not say that it is the last")
	}
	return text[:len(text)-1], nil
}

// vouched checks the Authorization header of a push message: signed by key, for
// this origin, for at most a day, by somebody who can be written to.
func vouched(header, origin, key string, now time.Time) error {
	fields := map[string]string{}
	scheme, rest, _ := strings.Cut(header, " ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	parts := strings.Split(fields["t"], ".")
	if scheme != "vapid" || fields["k"] != key || len(parts) != 3 {
		return errors.New("no VAPID of the server that the phone subscribed to")
	}
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(raw) != 65 {
		return errors.New("the key is no point of P-256")
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(sig) != 64 {
		return errors.New("no ES256 signature")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return errors.New("the signature does not fit")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return err
	}
	end := time.Unix(claims.Exp, 0)
	if claims.Aud != origin || !end.After(now) || end.Sub(now) > 24*time.Hour || !strings.HasPrefix(claims.Sub, "mailto:") && !strings.HasPrefix(claims.Sub, "https:") {
		return fmt.Errorf("claims %s do not fit %s", text, origin)
	}
	return nil
}
