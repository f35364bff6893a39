package reach

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
)

// Migrations are the tables of this slice.
//
//go:embed sql/*.sql
var Migrations embed.FS

// Load reads every phone and wish: calling must not wait for the disk.
func (v *Service) Load(ctx context.Context) error {
	phones, err := v.readPhones(ctx)
	if err != nil {
		return fmt.Errorf("load phones: %w", err)
	}
	wishes, err := v.readWishes(ctx)
	if err != nil {
		return fmt.Errorf("load wishes: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.phones, v.owner, v.wishes = map[people.ID][]Phone{}, map[string]people.ID{}, wishes
	for _, p := range phones {
		v.phones[p.Person] = append(v.phones[p.Person], p)
		v.owner[p.ID] = p.Person
	}
	return nil
}

func (v *Service) readPhones(ctx context.Context) (all []Phone, err error) {
	rows, err := v.DB.Read().QueryContext(ctx, `
		SELECT id, person, endpoint, p256dh, auth, lang, label, made_ms, asked_ms, proven_ms, took_ms FROM reach_phone ORDER BY made_ms, id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p Phone
		var made, asked, proven, took int64
		if err := rows.Scan(&p.ID, &p.Person, &p.Endpoint, &p.P256dh, &p.Auth, &p.Lang, &p.Label, &made, &asked, &proven, &took); err != nil {
			return nil, err
		}
		p.Made, p.Asked, p.Proven, p.Took = store.Instant(made), store.Instant(asked), store.Instant(proven), time.Duration(took)*time.Millisecond
		all = append(all, p)
	}
	return all, rows.Err()
}

func (v *Service) readWishes(ctx context.Context) (map[people.ID]Wish, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT person, chat, notices, quiet_from, quiet_to, trouble FROM reach_wish`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[people.ID]Wish{}
	for rows.Next() {
		var who people.ID
		var w Wish
		var chat, notices int
		if err := rows.Scan(&who, &chat, &notices, &w.QuietFrom, &w.QuietTo, &w.trouble); err != nil {
			return nil, err
		}
		w.Chat, w.Notices = chat == 1, notices == 1
		all[who] = w
	}
	return all, rows.Err()
}

// keep writes a phone, and takes it into memory. A subscription belongs to whoever
// enrolled it last: the phone was handed on.
func (v *Service) keep(ctx context.Context, p Phone) error {
	if err := v.DB.Exec(ctx, `
		INSERT INTO reach_phone (id, person, endpoint, p256dh, auth, lang, label, made_ms, asked_ms, proven_ms, took_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET person = excluded.person, p256dh = excluded.p256dh, auth = excluded.auth, lang = excluded.lang,
			label = excluded.label, asked_ms = excluded.asked_ms, proven_ms = excluded.proven_ms, took_ms = excluded.took_ms`,
		p.ID, p.Person, p.Endpoint, p.P256dh, p.Auth, string(p.Lang), p.Label, p.Made.UnixMilli(), store.Millis(p.Asked), store.Millis(p.Proven), p.Took.Milliseconds()); err != nil {
		return fmt.Errorf("keep phone: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lose(p.ID)
	v.phones[p.Person] = append(v.phones[p.Person], p)
	slices.SortFunc(v.phones[p.Person], func(a, b Phone) int { return a.Made.Compare(b.Made) })
	v.owner[p.ID] = p.Person
	return nil
}

// lose takes a phone out of memory. v.mu is held.
func (v *Service) lose(id string) {
	who, ok := v.owner[id]
	if !ok {
		return
	}
	v.phones[who] = slices.DeleteFunc(v.phones[who], func(p Phone) bool { return p.ID == id })
	if len(v.phones[who]) == 0 {
		delete(v.phones, who)
	}
	delete(v.owner, id)
}

// drop forgets a phone of somebody.
func (v *Service) drop(ctx context.Context, who people.ID, id string) error {
	if err := v.DB.Exec(ctx, `DELETE FROM reach_phone WHERE id = $1 AND person = $2`, id, who); err != nil {
		return fmt.Errorf("forget phone: %w", err)
	}
	v.mu.Lock()
	if v.owner[id] == who {
		v.lose(id)
	}
	v.mu.Unlock()
	v.changed(who)
	return nil
}

// Forget drops every phone of somebody: he has a new one, or has left.
func (v *Service) Forget(ctx context.Context, who people.ID) error {
	if err := v.DB.Exec(ctx, `DELETE FROM reach_phone WHERE person = $1`, who); err != nil {
		return fmt.Errorf("forget phones: %w", err)
	}
	v.mu.Lock()
	for _, p := range append([]Phone(nil), v.phones[who]...) {
		v.lose(p.ID)
	}
	v.mu.Unlock()
	v.changed(who)
	return nil
}

func (v *Service) keepWish(ctx context.Context, who people.ID, w Wish) error {
	bit := map[bool]int{true: 1}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO reach_wish (person, chat, notices, quiet_from, quiet_to, trouble, trouble_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (person) DO UPDATE SET chat = excluded.chat, notices = excluded.notices, quiet_from = excluded.quiet_from,
				quiet_to = excluded.quiet_to, trouble = excluded.trouble, trouble_ms = excluded.trouble_ms`,
			who, bit[w.Chat], bit[w.Notices], w.QuietFrom, w.QuietTo, w.trouble, v.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep wish: %w", err)
	}
	v.mu.Lock()
	v.wishes[who] = w
	v.mu.Unlock()
	return nil
}

// wishOf is what somebody chose.
func (v *Service) wishOf(who people.ID) Wish {
	v.mu.Lock()
	defer v.mu.Unlock()
	if w, ok := v.wishes[who]; ok {
		return w
	}
	return usual()
}

// changed tells the screens of somebody's group that his home's phones changed.
func (v *Service) changed(who people.ID) {
	if p, ok := v.Folk.Person(who); ok && p.Home != "" && v.Readier != nil {
		v.Readier(p.Scope.Group)
	}
}
