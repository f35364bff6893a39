package device

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// recent remembers idempotency keys for as long as a signature holds, and longer
// if there is room. It is written down: a restart is no hour of grace for whoever
// caught a signed message.
type recent struct {
	mu    sync.Mutex
	keys  map[string][sha256.Size]byte // body by hub and key
	signs map[string]string            // key by signature
	order []remembrance
}

type remembrance struct{ hub, key, sign string }

func (r remembrance) id() string { return r.hub + "\x00" + r.key }

func newRecent() *recent {
	return &recent{keys: map[string][sha256.Size]byte{}, signs: map[string]string{}}
}

// load reads what was remembered before a restart.
func (c *recent) load(ctx context.Context, db place.Querier) error {
	return each(ctx, db, `SELECT hub, post_key, sign, sum FROM device_post ORDER BY at_ms, hub, post_key`, func(rows *sql.Rows) error {
		var r remembrance
		var text string
		if err := rows.Scan(&r.hub, &r.key, &r.sign, &text); err != nil {
			return err
		}
		var sum [sha256.Size]byte
		_, err := hex.Decode(sum[:], []byte(text))
		c.keys[r.id()], c.signs[r.sign] = sum, r.key
		c.order = append(c.order, r)
		return err
	})
}

// key returns the key of the act that a request is: its own, or that of the same
// signed message sent before under another key, which would be somebody
// replaying it. "" means that the key was used for something else. What is new is
// to be written.
func (c *recent) key(hub, key, sign string, body []byte, now time.Time) (act string, write store.Op) {
	r, sum := remembrance{hub, key, sign}, sha256.Sum256(body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, ok := c.signs[sign]; ok {
		return first, nil
	}
	if had, ok := c.keys[r.id()]; ok && had != sum {
		return "", nil
	}
	c.keys[r.id()], c.signs[sign] = sum, key
	c.order = append(c.order, r)
	var old *remembrance
	if len(c.order) > keysKept {
		old = &c.order[0]
		c.order = slices.Clip(c.order[1:])
		delete(c.signs, old.sign)
		if !slices.ContainsFunc(c.order, func(o remembrance) bool { return o.id() == old.id() }) {
			delete(c.keys, old.id())
		}
	}
	return key, func(ctx context.Context, tx *store.Batch) error {
		if old != nil {
			if err := tx.Exec(ctx, `DELETE FROM device_post WHERE sign = $1`, old.sign); err != nil {
				return err
			}
		}
		return tx.Exec(ctx, `INSERT INTO device_post (sign, hub, post_key, sum, at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (sign) DO NOTHING`,
			r.sign, r.hub, r.key, hex.EncodeToString(sum[:]), now.UnixMilli())
	}
}
