package signin_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// device is somebody's telephone with one passkey in it, as W3C Web Authentication
// describes it: ES256, no attestation. It never asks its owner whether to lie.
type device struct {
	t      *testing.T
	origin string
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
	still  bool // the counter does not count
	blind  bool // it cannot verify its owner
}

func newDevice(t *testing.T, origin string) *device {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &device{t: t, origin: origin, key: k, id: id}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// authData is what the authenticator says of itself.
func (d *device) authData(rp string, attested []byte) []byte {
	sum := sha256.Sum256([]byte(rp))
	flags := byte(0x01) // somebody is there
	if !d.blind {
		flags |= 0x04 // and it is its owner
	}
	if attested != nil {
		flags |= 0x40
	}
	if !d.still {
		d.count++
	}
	b := append(sum[:], flags)
	b = binary.BigEndian.AppendUint32(b, d.count)
	return append(b, attested...)
}

func (d *device) clientData(kind string, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// text is a CBOR text, at most 23 bytes.
func text(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) }

// long is a CBOR byte string.
func long(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x59}, uint16(len(b))), b...)
}

// create answers navigator.credentials.create.
func (d *device) create(options []byte) []byte {
	d.t.Helper()
	var o struct {
		PublicKey struct {
			Challenge string
			RP        struct{ ID string }
			User      struct{ ID string }
		}
	}
	if err := json.Unmarshal(options, &o); err != nil {
		d.t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.handle = handle
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	cose := bytes.Join([][]byte{{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, long(point[1:33]), {0x22}, long(point[33:])}, nil)
	attested := bytes.Join([][]byte{make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(d.id))), d.id, cose}, nil)
	object := bytes.Join([][]byte{{0xa3}, text("fmt"), text("none"), text("attStmt"), {0xa0}, text("authData"), long(d.authData(o.PublicKey.RP.ID, attested))}, nil)
	return d.answer(map[string]any{"clientDataJSON": b64(d.clientData("webauthn.create", o.PublicKey.Challenge)), "attestationObject": b64(object), "transports": []string{"internal"}})
}

// get answers navigator.credentials.get.
func (d *device) get(options []byte) []byte {
	d.t.Helper()
	var o struct {
		PublicKey struct{ Challenge, RPID string }
	}
	if err := json.Unmarshal(options, &o); err != nil {
		d.t.Fatal(err)
	}
	client := d.clientData("webauthn.get", o.PublicKey.Challenge)
	auth := d.authData(o.PublicKey.RPID, nil)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(auth), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig), "userHandle": b64(d.handle)})
}

func (d *device) answer(response map[string]any) []byte {
	b, err := json.Marshal(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}
