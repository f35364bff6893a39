package device

import (
	"context"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// SQL holds the migrations of this slice.
//
//go:embed sql
var SQL embed.FS

// hubRow and deviceRow are rows as they are stored.
type hubRow struct {
	name string
	secretHash
	webhookKey []byte
}

type deviceRow struct {
	NewDevice // without Password
	secretHash
	bypassedUntil time.Time
}

// same reports whether n asks for what r is already.
func (r deviceRow) same(n NewDevice) bool {
	password := n.Password
	n.Password = ""
	return r.NewDevice == n && (n.Username == "" || r.fits(password))
}

// other reports whether n is another thing at another place, about which what
// was known of the old one says nothing.
func (r deviceRow) other(n NewDevice) bool {
	return r.Kind != n.Kind || r.Dialect != n.Dialect || r.Topic != n.Topic || r.Hub != n.Hub || r.Username != n.Username
}

// Put makes the hubs and devices what a village file says, inside tx. Those
// that are not named stay; putting the same again changes nothing. A device that
// moved to another topic or hub starts without a past. The caller bumps the
// village's version, and the running process reads again.
func Put(ctx context.Context, tx *sql.Tx, hubs []NewHub, devices []NewDevice) (Changes, error) {
	var c Changes
	hadHubs, err := readHubs(ctx, tx)
	if err != nil {
		return c, err
	}
	had, err := readDevices(ctx, tx)
	if err != nil {
		return c, err
	}
	if err := distinct(hubs, devices, hadHubs, had); err != nil {
		return c, err
	}
	for _, h := range hubs {
		if err := putHub(ctx, tx, h, hadHubs, &c.Hubs); err != nil {
			return c, err
		}
	}
	for _, d := range devices {
		if err := putDevice(ctx, tx, d, had, &c.Devices); err != nil {
			return c, err
		}
	}
	return c, nil
}

// distinct refuses a user name that two would sign in with, and a hub that does
// not exist.
func distinct(hubs []NewHub, devices []NewDevice, hadHubs map[string]hubRow, had map[signal.DeviceID]deviceRow) error {
	hub, user := map[string]bool{}, map[string]signal.DeviceID{}
	for name := range hadHubs {
		hub[name] = true
	}
	for _, h := range hubs {
		hub[h.Username] = true
	}
	named := map[signal.DeviceID]bool{}
	for _, d := range devices {
		named[d.ID] = true
	}
	for id, r := range had {
		if !named[id] && r.Username != "" {
			user[r.Username] = id
		}
	}
	for _, d := range devices {
		if d.Hub != "" && !hub[d.Hub] {
			return conflict("device.hub_unknown", d.ID, d.Hub)
		}
		if d.Username == "" {
			continue
		}
		if _, taken := user[d.Username]; taken || hub[d.Username] {
			return conflict("device.username_taken", d.ID, d.Username)
		}
		user[d.Username] = d.ID
	}
	return nil
}

func conflict(key string, id signal.DeviceID, name string) error {
	return &fault.Error{Op: "device.Put", Kind: fault.Conflict, Key: key, Args: map[string]any{"device": string(id), "username": name}}
}

func putHub(ctx context.Context, tx *sql.Tx, h NewHub, had map[string]hubRow, t *place.Tally) error {
	old, known := had[h.Username]
	switch {
	case known && old.fits(h.Password):
		t.Unchanged++
		return nil
	case known:
		t.Changed++
	default:
		t.Added++
	}
	s := hashSecret(h.Password)
	_, err := tx.ExecContext(ctx, `INSERT INTO device_hub (username, salt, hash, webhook_key) VALUES ($1, $2, $3, $4)
		ON CONFLICT (username) DO UPDATE SET salt = excluded.salt, hash = excluded.hash, webhook_key = excluded.webhook_key`,
		h.Username, s.salt, s.hash, hex.EncodeToString(WebhookKey(h.Password)))
	if err != nil {
		return fmt.Errorf("put hub %s: %w", h.Username, err)
	}
	return nil
}

func putDevice(ctx context.Context, tx *sql.Tx, n NewDevice, had map[signal.DeviceID]deviceRow, t *place.Tally) error {
	old, known := had[n.ID]
	switch {
	case known && old.same(n):
		t.Unchanged++
		return nil
	case known:
		t.Changed++
	default:
		t.Added++
	}
	if known && old.other(n) {
		if err := forget(ctx, tx, n.ID); err != nil {
			return err
		}
	}
	var s secretHash
	if n.Username != "" {
		s = hashSecret(n.Password)
	}
	armed := 0
	if n.Armed {
		armed = 1
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO device
		(id, home_id, kind, dialect, topic, hub, model, username, salt, hash, secret, armed, category)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET home_id = excluded.home_id, kind = excluded.kind, dialect = excluded.dialect,
			topic = excluded.topic, hub = excluded.hub, model = excluded.model, username = excluded.username,
			salt = excluded.salt, hash = excluded.hash, secret = excluded.secret, armed = excluded.armed, category = excluded.category`,
		string(n.ID), string(n.Home), string(n.Kind), n.Dialect, n.Topic, n.Hub, n.Model, n.Username, s.salt, s.hash, n.Secret, armed, string(n.Category))
	if err != nil {
		return fmt.Errorf("put device %s: %w", n.ID, err)
	}
	return nil
}

// forget drops what was learned of a device.
func forget(ctx context.Context, tx *sql.Tx, id signal.DeviceID) error {
	for _, q := range [...]string{`DELETE FROM device_state WHERE device_id = $1`, `DELETE FROM device_ability WHERE device_id = $1`} {
		if _, err := tx.ExecContext(ctx, q, string(id)); err != nil {
			return fmt.Errorf("forget device %s: %w", id, err)
		}
	}
	return nil
}

// Remove takes devices and hubs out of the village. Those that are not known are
// passed over; a hub that still has devices is refused.
func Remove(ctx context.Context, tx *sql.Tx, devices []signal.DeviceID, hubs []string) (Changes, error) {
	var c Changes
	for _, id := range devices {
		if err := forget(ctx, tx, id); err != nil {
			return c, err
		}
		if err := drop(ctx, tx, &c.Devices, `DELETE FROM device WHERE id = $1`, string(id)); err != nil {
			return c, err
		}
	}
	for _, name := range hubs {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE hub = $1`, name).Scan(&n); err != nil {
			return c, fmt.Errorf("remove hub %s: %w", name, err)
		}
		if n > 0 {
			return c, conflict("device.hub_in_use", "", name)
		}
		for _, q := range [...]string{`DELETE FROM device_found WHERE hub = $1`, `DELETE FROM device_unknown WHERE hub = $1`} {
			if _, err := tx.ExecContext(ctx, q, name); err != nil {
				return c, fmt.Errorf("remove hub %s: %w", name, err)
			}
		}
		if err := drop(ctx, tx, &c.Hubs, `DELETE FROM device_hub WHERE username = $1`, name); err != nil {
			return c, err
		}
	}
	return c, nil
}

func drop(ctx context.Context, tx *sql.Tx, t *place.Tally, q, id string) error {
	res, err := tx.ExecContext(ctx, q, id)
	if err != nil {
		return fmt.Errorf("remove %s: %w", id, err)
	}
	if n, err := res.RowsAffected(); err == nil && n > 0 {
		t.Removed++
	}
	return nil
}

func readHubs(ctx context.Context, db place.Querier) (map[string]hubRow, error) {
	all := map[string]hubRow{}
	err := each(ctx, db, `SELECT username, salt, hash, webhook_key FROM device_hub`, func(rows *sql.Rows) error {
		var h hubRow
		var key string
		if err := rows.Scan(&h.name, &h.salt, &h.hash, &key); err != nil {
			return err
		}
		var err error
		h.webhookKey, err = hex.DecodeString(key)
		all[h.name] = h
		return err
	})
	return all, err
}

func readDevices(ctx context.Context, db place.Querier) (map[signal.DeviceID]deviceRow, error) {
	all := map[signal.DeviceID]deviceRow{}
	err := each(ctx, db, `SELECT id, home_id, kind, dialect, topic, hub, model, username, salt, hash, secret, armed, category, bypassed_until_ms
		FROM device`, func(rows *sql.Rows) error {
		var r deviceRow
		var until int64
		err := rows.Scan(&r.ID, &r.Home, &r.Kind, &r.Dialect, &r.Topic, &r.Hub, &r.Model, &r.Username, &r.salt, &r.hash, &r.Secret, &r.Armed, &r.Category, &until)
		r.bypassedUntil = fromMS(until)
		all[r.ID] = r
		return err
	})
	return all, err
}

// known is what is remembered of a device over a restart.
type known struct {
	state State
	rev   int64
}

func readStates(ctx context.Context, db place.Querier) (map[signal.DeviceID]known, error) {
	all := map[signal.DeviceID]known{}
	err := each(ctx, db, `SELECT device_id, rev, seen_ms, proven_ms, levels, presses, rest FROM device_state`, func(rows *sql.Rows) error {
		var id signal.DeviceID
		var k known
		var seen, proven int64
		var levels, presses, rest string
		if err := rows.Scan(&id, &k.rev, &seen, &proven, &levels, &presses, &rest); err != nil {
			return err
		}
		var more restOfState
		err := errors.Join(json.Unmarshal([]byte(levels), &k.state.Levels), json.Unmarshal([]byte(presses), &k.state.Presses), json.Unmarshal([]byte(rest), &more))
		more.into(&k.state)
		k.state.Seen, k.state.Proven = fromMS(seen), fromMS(proven)
		all[id] = k
		return err
	})
	return all, err
}

func readAbilities(ctx context.Context, db place.Querier) (map[signal.DeviceID]json.RawMessage, error) {
	all := map[signal.DeviceID]json.RawMessage{}
	err := each(ctx, db, `SELECT device_id, capabilities FROM device_ability`, func(rows *sql.Rows) error {
		var id signal.DeviceID
		var c string
		err := rows.Scan(&id, &c)
		all[id] = json.RawMessage(c)
		return err
	})
	return all, err
}

func each(ctx context.Context, db place.Querier, q string, f func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return fmt.Errorf("read devices: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("read devices: %w", err)
		}
	}
	return rows.Err()
}

// restOfState is the part of [State] that no query asks for; times in Unix ms.
type restOfState struct {
	LastKey    int64  `json:"last_key,omitempty"`
	GapMS      int64  `json:"gap_ms,omitempty"`
	Steady     int    `json:"steady,omitempty"`
	Learning   int64  `json:"learning_ms,omitempty"`
	SenderSeen int64  `json:"sender_seen_ms,omitempty"`
	Doubt      int64  `json:"doubt_ms,omitempty"`
	Away       int64  `json:"away_ms,omitempty"`
	Fault      string `json:"fault,omitempty"`
	Tamper     bool   `json:"tamper,omitempty"`
	LowBattery bool   `json:"low_battery,omitempty"`
	Battery    *int   `json:"battery,omitempty"`
	Testing    int64  `json:"testing_ms,omitempty"`
	Confirmed  bool   `json:"confirmed,omitempty"`
	Missed     int64  `json:"missed_ms,omitempty"`
}

func (s State) rest() restOfState {
	r := restOfState{
		LastKey: s.LastKey, GapMS: s.Gap.Milliseconds(), Steady: s.Steady, Learning: toMS(s.Learning), SenderSeen: toMS(s.SenderSeen),
		Doubt: toMS(s.Doubt), Away: toMS(s.Away), Fault: s.Fault, Tamper: s.Tamper, LowBattery: s.LowBattery,
		Testing: toMS(s.Testing), Confirmed: s.Confirmed, Missed: toMS(s.Missed),
	}
	if s.HasBattery {
		r.Battery = &s.Battery
	}
	return r
}

func (r restOfState) into(s *State) {
	s.LastKey, s.Gap, s.Steady, s.Learning = r.LastKey, time.Duration(r.GapMS)*time.Millisecond, r.Steady, fromMS(r.Learning)
	s.SenderSeen, s.Doubt, s.Away = fromMS(r.SenderSeen), fromMS(r.Doubt), fromMS(r.Away)
	s.Fault, s.Tamper, s.LowBattery, s.Confirmed = r.Fault, r.Tamper, r.LowBattery, r.Confirmed
	s.Testing, s.Missed = fromMS(r.Testing), fromMS(r.Missed)
	if r.Battery != nil {
		s.Battery, s.HasBattery = *r.Battery, true
	}
}

// save returns the op that writes a state. Writes may overtake each other on
// their way here; the revision puts that right.
func save(id signal.DeviceID, s State, rev int64) store.Op {
	return func(ctx context.Context, tx *store.Batch) error {
		levels, e1 := json.Marshal(s.Levels)
		presses, e2 := json.Marshal(s.Presses)
		rest, e3 := json.Marshal(s.rest())
		if err := errors.Join(e1, e2, e3); err != nil {
			return errors.Join(store.ErrOp, err)
		}
		return tx.Exec(ctx, `INSERT INTO device_state (device_id, rev, seen_ms, proven_ms, levels, presses, rest)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (device_id) DO UPDATE SET rev = excluded.rev, seen_ms = excluded.seen_ms, proven_ms = excluded.proven_ms,
				levels = excluded.levels, presses = excluded.presses, rest = excluded.rest
			WHERE device_state.rev < excluded.rev`,
			string(id), rev, toMS(s.Seen), toMS(s.Proven), string(levels), string(presses), text(string(rest)))
	}
}

func saveAbility(id signal.DeviceID, capabilities json.RawMessage) store.Op {
	return func(ctx context.Context, tx *store.Batch) error {
		return tx.Exec(ctx, `INSERT INTO device_ability (device_id, capabilities) VALUES ($1, $2)
			ON CONFLICT (device_id) DO UPDATE SET capabilities = excluded.capabilities`, string(id), text(string(capabilities)))
	}
}

func toMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
