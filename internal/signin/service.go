package signin

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
)

// Migrations are the tables of this package, after those of people.
//
//go:embed sql/*.sql
var Migrations embed.FS

// freshFor is how long after signing in somebody may add a key without proving
// once more who he is: a telephone that lies unlocked must not give one away.
const freshFor = 15 * time.Minute

// Service lets people back in. Make it with [New].
type Service struct {
	DB       *store.DB
	People   *people.Service
	Log      *slog.Logger
	Now      func() time.Time
	Origin   string    // "https://keng.example.vn"; "": http://localhost at any port
	Province *Province // nil: there is none
	Record   people.Recorder

	challenges *challenges
	tries      tries
	room       chan struct{} // a token for each phrase that is being tried
	dummy      paper         // what is tried when nobody has the card
}

// New makes the service and lets p end keys together with sessions.
func New(db *store.DB, p *people.Service, log *slog.Logger, now func() time.Time) *Service {
	v := &Service{DB: db, People: p, Log: log, Now: now, challenges: newChallenges(), room: make(chan struct{}, phrasesAtOnce)}
	v.dummy = paper{salt: random(16), hash: check(random(32))}
	p.Renewed = v.EndKeys
	return v
}

// Kind is what a key is. Values are shown to programs; append only.
type Kind string

// The kinds of keys.
const (
	Passkey Kind = "passkey"
	Phrase  Kind = "phrase"
	Account Kind = "province"
)

// Key is one way by which a person comes in, as he sees it.
type Key struct {
	ID   string     `json:"id"`
	Kind Kind       `json:"kind" enum:"passkey,phrase,province"`
	Name string     `json:"name" doc:"what its owner calls the device; the number of the card; the address of the province's sign-in"`
	Made time.Time  `json:"made"`
	Used *time.Time `json:"used" doc:"null until it is used"`
}

// Keys lists how a person comes in, oldest first.
func (v *Service) Keys(ctx context.Context, id people.ID) ([]Key, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT 'passkey', id, name, made_ms, used_ms FROM passkey WHERE person = $1
		UNION ALL SELECT 'phrase', card, card, made_ms, used_ms FROM phrase WHERE person = $1
		UNION ALL SELECT 'province', subject, issuer, made_ms, used_ms FROM province_link WHERE person = $1 ORDER BY 4, 2`, id)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Key{}
	for rows.Next() {
		var k Key
		var made, used int64
		if err := rows.Scan(&k.Kind, &k.ID, &k.Name, &made, &used); err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		k.Made = time.UnixMilli(made).UTC()
		if used != 0 {
			t := time.UnixMilli(used).UTC()
			k.Used = &t
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// RemoveKey takes one of a person's keys away. An officer keeps one: without any,
// his next shift would need two colleagues.
func (v *Service) RemoveKey(ctx context.Context, a people.Actor, kind Kind, id string) error {
	const op = "signin.RemoveKey"
	q, ok := map[Kind]string{
		Passkey: `DELETE FROM passkey WHERE person = $1 AND id = $2`,
		Phrase:  `DELETE FROM phrase WHERE person = $1 AND card = $2`,
		Account: `DELETE FROM province_link WHERE person = $1 AND subject = $2`,
	}[kind]
	if !ok {
		return fault.New(op, fault.NotFound, "signin.key_gone")
	}
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, q, a.Person, id)
		if err != nil {
			return fmt.Errorf("remove key: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.NotFound, Key: "signin.key_gone", Err: err}
		}
		if n, err := keysOf(ctx, tx, a.Person); err != nil || n == 0 && a.Role.Officer() {
			return &fault.Error{Op: op, Kind: fault.Conflict, Key: "signin.last_key", Err: err}
		}
		return v.record(ctx, tx, "signin.remove_key", a.Person)
	})
}

// keysOf counts a person's keys inside tx.
func keysOf(ctx context.Context, tx *sql.Tx, id people.ID) (n int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM passkey WHERE person = $1) + (SELECT count(*) FROM phrase WHERE person = $1)
		+ (SELECT count(*) FROM province_link WHERE person = $1)`, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count keys: %w", err)
	}
	return n, nil
}

// EndKeys takes all keys of a person away inside tx: he has a new phone.
func (v *Service) EndKeys(ctx context.Context, tx *sql.Tx, id people.ID) error {
	for _, q := range []string{`DELETE FROM passkey WHERE person = $1`, `DELETE FROM phrase WHERE person = $1`, `DELETE FROM province_link WHERE person = $1`} {
		if _, err := tx.ExecContext(ctx, q, id); err != nil {
			return fmt.Errorf("end keys: %w", err)
		}
	}
	return nil
}

func (v *Service) record(ctx context.Context, tx *sql.Tx, name string, id people.ID) error {
	if v.Record == nil {
		return nil
	}
	return v.Record(ctx, tx, name, string(id), id)
}

// mayAdd refuses to add a key to whoever has one and came in long ago: he proves
// first who he is.
func (v *Service) mayAdd(ctx context.Context, op, cookies string, id people.ID) error {
	lately, err := v.People.Lately(ctx, cookies, freshFor)
	if err != nil || lately {
		return err
	}
	list, err := v.Keys(ctx, id)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return fault.New(op, fault.Denied, "signin.prove_first")
	}
	return nil
}
