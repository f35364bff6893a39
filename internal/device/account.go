package device

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
)

// secretHash is a password as it is stored: HMAC-SHA256 under a salt of its own.
// These are the passwords of machines: long, random, made by whoever sets up a
// hub, and checked 10,000 times within seconds when a village reconnects. A slow
// hash would make that storm an outage; it protects words that people choose,
// and people do not sign in here.
type secretHash struct{ salt, hash string } // hex

func hashSecret(password string) secretHash {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return secretHash{hex.EncodeToString(salt), mac(hex.EncodeToString(salt), password)}
}

// fits reports whether password is the one. The time it takes does not tell how
// much of it was right.
func (h secretHash) fits(password string) bool {
	return hmac.Equal([]byte(mac(h.salt, password)), []byte(h.hash)) && h.hash != ""
}

func mac(key, text string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// WebhookKey is the key that a hub signs its signals with over HTTP, derived
// from its password so that a hub has one secret: HMAC-SHA256(password, "keng-webhook-v1").
func WebhookKey(password string) []byte {
	m := hmac.New(sha256.New, []byte(password))
	m.Write([]byte("keng-webhook-v1"))
	return m.Sum(nil)
}

// account is who may sign in over MQTT.
type account struct {
	secretHash
	space    broker.Space
	prefixes []string // nil for a hub
}

// nobody is checked when a user name is not known, so that the answer takes as
// long as for a wrong password.
var nobody = account{secretHash: secretHash{salt: strings.Repeat("0", 32), hash: strings.Repeat("0", 64)}}

// SignIn implements [broker.Handler].
func (v *Service) SignIn(user, password string) (broker.Account, bool) {
	a, known := v.now.Load().accounts[user]
	if !known {
		a = nobody
	}
	if !a.fits(password) || !known {
		v.counts.refused.Add(1)
		return broker.Account{}, false
	}
	return broker.Account{Space: a.space, Prefixes: a.prefixes, Seal: a.hash}, true
}

// Still reports whether user would be let in now as a, who signed in earlier.
func (v *Service) Still(user string, a broker.Account) bool {
	now, known := v.now.Load().accounts[user]
	return known && now.hash == a.Seal && now.space == a.Space && (now.prefixes == nil) == (a.Prefixes == nil) && slices.Equal(now.prefixes, a.Prefixes)
}

// prefixes lists the topics that a device with an account of its own may use:
// for each topic it speaks or listens on, that up to where the device's own name
// ends ("stat/plug/RESULT" of "plug" gives "stat/plug"), else the topic itself.
func prefixes(d dialect.Dialect, w dialect.Device, commands []string) []string {
	seen, list := map[string]bool{}, []string{}
	for _, t := range append(append([]string{w.Topic}, d.Topics(w)...), commands...) {
		p := t
		for head := w.Topic; head != ""; head = parent(head) {
			if cut := upTo(t, head); cut != "" {
				p = cut
				break
			}
			if behindHub[d.Name()] {
				break
			}
		}
		if !seen[p] && p != "" {
			seen[p] = true
			list = append(list, p)
		}
	}
	return list
}

// behindHub names the dialects whose topics hold many devices under one head:
// the head of one is not its own.
var behindHub = map[string]bool{"zigbee2mqtt": true, "homeassistant": true}

// guarded names the dialects whose devices leave a will with the front when they
// say that they are there: until it is heard they are, however silent. An ESPHome
// board says nothing for months when nothing happens.
var guarded = map[string]bool{"tasmota": true, "esphome": true}

// parent cuts the last level off a topic; "" has none.
func parent(topic string) string {
	i := strings.LastIndexByte(topic, '/')
	if i < 0 {
		return ""
	}
	return topic[:i]
}

// upTo returns topic up to the end of head, when head is whole levels of it.
func upTo(topic, head string) string {
	i := strings.Index("/"+topic+"/", "/"+head+"/")
	if i < 0 || head == "" {
		return ""
	}
	return topic[:i+len(head)]
}
