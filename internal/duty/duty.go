package duty

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

// longest is how many letters a note may have.
const longest = 4000

// Handover is what one shift leaves for the next.
type Handover struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// Rights says who may read and write the notes of a unit.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
	MayHandover(a people.Actor) bool
	MayReadHandovers(a people.Actor) bool
}

// Service is the duty desk at work.
type Service struct {
	DB     *store.DB
	Rights Rights
	Alarms Alarms
	Folk   Folk
	Now    func() time.Time
}

// unit is whose notes a reads and writes.
func unit(a people.Actor) place.UnitCode { return a.Scope.Unit }

// Leave writes a handover note for the actor's unit. The same outbox key is the
// same note.
func (v *Service) Leave(ctx context.Context, a people.Actor, key, text string) (Handover, error) {
	const op = "duty.Leave"
	if !v.Rights.MayHandover(a) {
		return Handover{}, fault.New(op, fault.Denied, "fault.denied")
	}
	h, err := v.note(op, a, key, text)
	if err != nil {
		return Handover{}, err
	}
	return h, fault.Wrap(op, v.DB.Tx(ctx, func(tx *sql.Tx) error { return v.put(ctx, tx, a, h) }))
}

// note makes a note of what somebody wrote.
func (v *Service) note(op string, a people.Actor, key, text string) (Handover, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return Handover{}, fault.New(op, fault.Invalid, "duty.note_empty")
	case n > longest:
		return Handover{}, fault.New(op, fault.Invalid, "duty.note_too_long")
	}
	h := Handover{ID: ulid.Make().String(), At: v.Now(), By: a.Name, Text: text}
	if h.By == "" {
		h.By = a.Token
	}
	if key != "" {
		sum := sha256.Sum256([]byte(string(a.Person) + a.Token + "/" + key))
		h.ID = hex.EncodeToString(sum[:16])
	}
	return h, nil
}

func (v *Service) put(ctx context.Context, tx *sql.Tx, a people.Actor, h Handover) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO duty_handover (id, unit, at_ms, by_name, body, by_person) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO NOTHING`, h.ID, string(unit(a)), h.At.UnixMilli(), h.By, h.Text, string(a.Person))
	return err
}

// Read lists the newest notes of the actor's unit, newest first.
func (v *Service) Read(ctx context.Context, a people.Actor) ([]Handover, error) {
	const op = "duty.Read"
	if !v.Rights.MayReadHandovers(a) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	rows, err := v.DB.Read().QueryContext(ctx, `
		SELECT id, at_ms, by_name, body FROM duty_handover WHERE unit = $1 ORDER BY at_ms DESC, id DESC LIMIT 50`, string(unit(a)))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	notes, err := scan(rows)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return notes, nil
}

func scan(rows *sql.Rows) ([]Handover, error) {
	defer func() { _ = rows.Close() }()
	notes := []Handover{}
	for rows.Next() {
		var h Handover
		var at int64
		if err := rows.Scan(&h.ID, &at, &h.By, &h.Text); err != nil {
			return nil, fmt.Errorf("read handovers: %w", err)
		}
		h.At = time.UnixMilli(at).UTC()
		notes = append(notes, h)
	}
	return notes, rows.Err()
}
