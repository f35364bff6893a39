package device

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/engine/broker"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/say"
	"github.com/keng-vn/keng/internal/engine/web"
	"github.com/keng-vn/keng/internal/signal"
)

const (
	// ClockSkew is how far a sender's clock may be off. An older signature is
	// somebody replaying it.
	ClockSkew = 5 * time.Minute
	// savedWithin is how long the answer waits for the disk.
	savedWithin = 2 * time.Second
	// keysKept is how many idempotency keys are remembered to find one that is used
	// for two different things.
	keysKept = 4096
)

// post is the body of POST /v1/signal.
type post struct {
	Device   signal.DeviceID `json:"device"`
	Event    string          `json:"event"` // press, alarm, restore, test, heartbeat
	Category signal.Category `json:"category"`
}

// webhook takes a signed signal. It answers 202 when it is on disk; 503 means
// that it rang but is not saved yet, and the sender sends it again.
func (v *Service) webhook(w http.ResponseWriter, r *http.Request) error {
	const op = "device.Webhook"
	body, err := io.ReadAll(io.LimitReader(r.Body, web.BodyLimit+1))
	if err != nil || len(body) > web.BodyLimit {
		return fault.New(op, fault.Invalid, "fault.too_large")
	}
	now := time.Now()
	hub, signature, err := v.signed(r, body, now)
	if err != nil {
		return err
	}
	d, reading, err := v.posted(r, hub, body)
	if err != nil {
		return err
	}
	key := web.OutboxKey(r.Context())
	if key == "" {
		return fault.New(op, fault.Invalid, "webhook.key_missing")
	}
	key, write := v.recent.key(hub, key, signature, body, now)
	if key == "" {
		return fault.New(op, fault.Conflict, "webhook.key_reused")
	}
	if write != nil { // before the alarm: when that is on disk, this is
		v.Journal.Do(write, nil)
	}
	reading.Seq = key
	if !v.Heard(r.Context(), d.ID, []dialect.Reading{reading}, true) {
		return fault.New(op, fault.Busy, "webhook.rung_not_saved")
	}
	return web.JSON(w, http.StatusAccepted, map[string]any{"accepted": true})
}

// signed checks who sent body: the hub's name and signature, hex.
func (v *Service) signed(r *http.Request, body []byte, now time.Time) (hub, signature string, err error) {
	const op = "device.Webhook"
	hub = r.Header.Get("Keng-Hub")
	stamp := r.Header.Get("Keng-Timestamp")
	signature, ok := strings.CutPrefix(r.Header.Get("Keng-Signature"), "sha256=")
	key, known := v.now.Load().webhook[hub]
	if !known {
		key = []byte(nobody.hash) // an unknown hub takes as long as a wrong key
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(stamp + "."))
	m.Write(body)
	signature = strings.ToLower(signature)
	fits := hmac.Equal([]byte(hex.EncodeToString(m.Sum(nil))), []byte(signature))
	if !ok || !known || !fits {
		v.counts.refused.Add(1)
		return "", "", fault.New(op, fault.Unknown, "webhook.signature_wrong")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "", "", fault.New(op, fault.Unknown, "webhook.timestamp_wrong")
	}
	if off := now.Sub(time.Unix(seconds, 0)); off.Abs() > ClockSkew {
		return "", "", &fault.Error{Op: op, Kind: fault.Unknown, Key: "webhook.clock_wrong", Args: map[string]any{"seconds": int(off.Seconds())}}
	}
	return hub, signature, nil
}

// posted reads the body: which device, and what it says.
func (v *Service) posted(r *http.Request, hub string, body []byte) (*wired, dialect.Reading, error) {
	const op = "device.Webhook"
	var p post
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, dialect.Reading{}, &fault.Error{Op: op, Kind: fault.Invalid, Key: "fault.bad_json", Err: err}
	}
	d := v.now.Load().devices[p.Device]
	if d == nil || d.space != broker.Space(hub) {
		return nil, dialect.Reading{}, fault.New(op, fault.NotFound, "webhook.device_unknown")
	}
	reading, ok := p.reading()
	alarms := reading.Kind == signal.Alarm && (d.sounds() || d.Kind == signal.Hub)
	if !ok || alarms {
		return nil, dialect.Reading{}, unprocessable(r.Context(), "webhook.event_unknown")
	}
	return d, reading, nil
}

// reading is what the post says, in the words of the rules.
func (p post) reading() (dialect.Reading, bool) {
	r := dialect.Reading{Property: "webhook", Category: p.Category, Value: clip(p.Event, 20)}
	switch p.Event {
	case "press":
		r.Kind = signal.Alarm
	case "alarm":
		r.Kind, r.Level = signal.Alarm, true
	case "restore":
		r.Kind, r.Level = signal.Restore, true
	case "test":
		r.Kind = signal.Test
	case "heartbeat":
		r.Kind = signal.Heartbeat
	default:
		return r, false
	}
	return r, p.Category == "" || slices.Contains(signal.Categories[:], p.Category)
}

// unprocessable is a request that is well formed and cannot be meant.
func unprocessable(ctx context.Context, key string) error {
	return &web.Problem{
		Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity),
		Detail: say.In(web.LangOf(ctx)).Text(key, nil), Key: key,
	}
}

// Heard takes readings of a device that did not come over MQTT, and reports
// whether they are safe: false when that took longer than two seconds or ctx
// ended, and they must be sent again. firm says that the readings' numbers are
// never used twice. A device that is not known hears nothing and is safe.
func (v *Service) Heard(ctx context.Context, id signal.DeviceID, rs []dialect.Reading, firm bool) bool {
	d := v.now.Load().devices[id]
	if d == nil || len(rs) == 0 {
		return true
	}
	now := time.Now()
	f := d.facts(dialect.Message{}, now)
	f.Firm, f.Hash = firm, hashOf(rs)
	saved := make(chan struct{})
	owed := owe(func() { close(saved) })
	v.counts.messages.Add(1)
	v.take(d, rs, f, now, owed)
	owed.pay()
	limit := time.NewTimer(savedWithin)
	defer limit.Stop()
	select {
	case <-saved:
		return true
	case <-limit.C:
	case <-ctx.Done():
	}
	return false
}

// hashOf tells readings apart that came without a payload of their own.
func hashOf(rs []dialect.Reading) uint64 {
	h := fnv.New64a()
	for _, r := range rs {
		_, _ = io.WriteString(h, string(r.Kind)+"\x00"+r.Property+"\x00"+r.Seq+"\x00"+r.Value+"\x00")
	}
	return h.Sum64()
}
