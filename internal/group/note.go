package group

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// purpose of the key under which notes are sealed.
const purpose = "group note"

// SetNote writes the note of a's home, for those who come to help; an empty one
// takes it away.
func (v *Service) SetNote(ctx context.Context, a people.Actor, note string) error {
	const op = "group.SetNote"
	if _, err := v.at(op, a, "group.note_write"); err != nil {
		return err
	}
	note, err := text(op, note, "", longNote)
	if err != nil {
		return err
	}
	if note == "" {
		return fault.Wrap(op, v.DB.Exec(ctx, `DELETE FROM group_note WHERE home = $1`, a.Home))
	}
	if !v.Box.Ready() {
		return fault.New(op, fault.Busy, "group.note_no_key")
	}
	sealed, err := v.Box.Seal(purpose, string(a.Home), []byte(note))
	if err != nil {
		return fault.Wrap(op, err)
	}
	return fault.Wrap(op, v.DB.Exec(ctx, `INSERT INTO group_note (home, sealed, at_ms, by_person) VALUES ($1, $2, $3, $4)
		ON CONFLICT (home) DO UPDATE SET sealed = excluded.sealed, at_ms = excluded.at_ms, by_person = excluded.by_person`,
		a.Home, base64.StdEncoding.EncodeToString(sealed), v.Now().UnixMilli(), a.Person))
}

// OwnNote is the note of a's home, "" when there is none, and who opened it.
func (v *Service) OwnNote(ctx context.Context, a people.Actor) (string, []Opening, error) {
	const op = "group.OwnNote"
	if _, err := v.at(op, a, "group.note_read"); err != nil {
		return "", nil, err
	}
	note, err := v.unseal(ctx, v.DB.Read(), a.Home)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if err != nil {
		return "", nil, fault.Wrap(op, err)
	}
	all, err := readOpenings(ctx, v.DB.Read(), a.Home)
	if err != nil {
		return "", nil, fault.Wrap(op, err)
	}
	seen := []Opening{}
	for _, o := range all {
		e, known, err := v.emergency(ctx, o.Incident)
		if err != nil {
			return "", nil, fault.Wrap(op, err)
		}
		if shown(e, known) {
			seen = append(seen, o)
		}
	}
	return note, seen, nil
}

// unseal reads and opens a home's note; sql.ErrNoRows when there is none.
func (v *Service) unseal(ctx context.Context, q place.Querier, h place.HomeID) (string, error) {
	var sealed string
	if err := q.QueryRowContext(ctx, `SELECT sealed FROM group_note WHERE home = $1`, h).Scan(&sealed); err != nil {
		return "", err
	}
	if !v.Box.Ready() {
		return "", fault.New("group.ReadNote", fault.Busy, "group.note_no_key")
	}
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("note of home %s: %w", h, err)
	}
	note, err := v.Box.Open(purpose, string(h), b)
	if err != nil {
		return "", &fault.Error{Op: "group.ReadNote", Kind: fault.Internal, Key: "group.note_not_open", Err: err}
	}
	return string(note), nil
}

func (v *Service) emergency(ctx context.Context, id string) (Emergency, bool, error) {
	if v.Alarms == nil {
		return Emergency{}, false, nil
	}
	return v.Alarms.Emergency(ctx, id)
}

// helper is the group of incident id, in which a may open notes now. Who may not
// know of the incident, or not open, learns nothing of it.
func (v *Service) helper(ctx context.Context, op string, a people.Actor, id string) (g place.Group, silent bool, err error) {
	if a.Nobody() {
		return g, false, fault.New(op, fault.Unknown, "fault.sign_in")
	}
	e, known, err := v.emergency(ctx, id)
	if err != nil {
		return g, false, fault.Wrap(op, err)
	}
	g, here := v.Village.Directory().Group(e.Group)
	on := people.Thing{Kind: "Note", ID: id, Group: g, Attrs: facts(e, a)}
	if !known || !here || !v.Rights.May(a, "group.note_open", on) {
		return place.Group{}, false, fault.New(op, fault.NotFound, "group.note_not_now")
	}
	return g, e.Silent, nil
}

// Notes lists the homes that left a note, for a who may open them in incident id.
func (v *Service) Notes(ctx context.Context, a people.Actor, id string) ([]place.HomeID, error) {
	const op = "group.Notes"
	g, _, err := v.helper(ctx, op, a, id)
	if err != nil {
		return nil, err
	}
	have, err := withNotes(ctx, v.DB.Read())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	homes := []place.HomeID{}
	for _, h := range g.Homes {
		if have[h.ID] {
			homes = append(homes, h.ID)
		}
	}
	return homes, nil
}

// OpenNote shows the note of home h to a, who helps in incident id. That he opened
// it is on disk before he reads it: what cannot be written down is not shown.
func (v *Service) OpenNote(ctx context.Context, a people.Actor, id string, h place.HomeID) (string, time.Time, error) {
	const op = "group.OpenNote"
	g, silent, err := v.helper(ctx, op, a, id)
	if err != nil {
		return "", time.Time{}, err
	}
	if !has(g.Homes, h) {
		return "", time.Time{}, fault.New(op, fault.NotFound, "group.note_none")
	}
	var note string
	at := v.Now()
	err = v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		note, err = v.unseal(ctx, tx, h)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(op, fault.NotFound, "group.note_none")
		}
		if err != nil {
			return err
		}
		var of []people.ID
		for _, p := range v.Folk.Group(g.ID) {
			if p.Home == h && !silent { // what the log shows at once would betray it
				of = append(of, p.ID)
			}
		}
		look := newID("o-")
		if _, err := tx.ExecContext(ctx, `INSERT INTO group_opening (id, home, incident, person, role, at_ms, leaf) VALUES ($1, $2, $3, $4, $5, $6, '')`,
			look, h, id, a.Person, a.Role, at.UnixMilli()); err != nil {
			return err
		}
		leaf, err := v.write(ctx, tx, a, g.Commune, record("group.note_open", onHome(h), of, map[string]string{"incident": id}))
		if err != nil || leaf == "" {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE group_opening SET leaf = $2 WHERE id = $1`, look, leaf)
		return err
	})
	if err != nil {
		return "", time.Time{}, fault.Wrap(op, err)
	}
	return note, at, nil
}
