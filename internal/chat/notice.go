package chat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// noticesShown is how many of a unit's notices are listed.
const noticesShown = 100

// groupsAtOnce is how many groups get a notice in one transaction, so that a press
// never waits long for the disk.
const groupsAtOnce = 50

// Bulletin is a notice or a warning before it is published.
type Bulletin struct {
	ID      NoticeID // "" makes one up; the same ID is the same bulletin
	Kind    Kind     // Notice or Warning
	Unit    place.UnitCode
	Groups  []place.GroupID
	Title   string
	Text    string
	Level   string // of a warning
	Expires time.Time
	By      people.Actor
}

// Published is a notice or a warning, and how far it reached.
type Published struct {
	ID        NoticeID
	Kind      Kind
	At        time.Time
	By        string
	Title     string
	Text      string
	Level     string
	Expires   time.Time
	Withdrawn time.Time // zero: it stands
	Groups    int       // that got it
	People    int       // who live in them
	Seen      int       // of them who have seen it
}

// Notify publishes a notice of a's unit in groups, or in all that a answers for
// when groups is empty. The same key from the same person is the same notice.
func (v *Service) Notify(ctx context.Context, a people.Actor, key string, groups []place.GroupID, title, text string, until time.Time) (Published, error) {
	const op = "chat.Notify"
	unit, err := v.unit(op, a)
	if err != nil {
		return Published{}, err
	}
	if !v.Rights.May(a, "chat.notify", office(unit)) {
		return Published{}, fault.New(op, fault.Denied, "chat.denied")
	}
	b := Bulletin{Kind: Notice, Unit: unit, By: a}
	if b.Groups, err = v.chosen(op, a, groups); err != nil {
		return Published{}, err
	}
	if b.Title, err = tidy(op, title, longestTitle, true); err != nil {
		return Published{}, err
	}
	if b.Text, err = tidy(op, text, longest, false); err != nil {
		return Published{}, err
	}
	if b.Expires, err = expires(op, v.Now(), until); err != nil {
		return Published{}, err
	}
	if !v.pace.ok(a, v.Now()) {
		return Published{}, fault.New(op, fault.Busy, "chat.too_many")
	}
	b.ID = NoticeID(newID(v.Now()))
	if key != "" {
		b.ID = NoticeID(mark(a, key, ""))
	}
	if err := v.Publish(ctx, b); err != nil {
		return Published{}, err
	}
	return v.notice(ctx, op, b.ID)
}

// unit is the unit whose notices a reads, and publishes if he may.
func (v *Service) unit(op string, a people.Actor) (place.UnitCode, error) {
	for _, at := range a.Places() {
		if at.Unit != "" && at.Neighbourhood == "" && v.Rights.May(a, "chat.notices", office(at.Unit)) {
			return at.Unit, nil
		}
	}
	return "", fault.New(op, fault.Denied, "chat.denied")
}

// chosen are the groups of a notice, each once, all of which a may notify.
func (v *Service) chosen(op string, a people.Actor, ids []place.GroupID) ([]place.GroupID, error) {
	if len(ids) == 0 {
		for _, at := range a.Places() {
			for _, g := range v.Village().In(at) {
				if v.Rights.May(a, "chat.notify", area(g)) {
					ids = append(ids, g.ID)
				}
			}
		}
		if len(ids) == 0 {
			return nil, fault.New(op, fault.Invalid, "chat.no_groups")
		}
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) > mostGroups {
		return nil, fault.New(op, fault.Invalid, "fault.invalid")
	}
	for _, id := range ids {
		if _, err := v.may(op, a, "chat.notify", id, Case{}); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// Warn publishes what an authority says, as far as it fits a screen. Who may was
// asked before.
func (v *Service) Warn(ctx context.Context, b Bulletin) error {
	b.Title, b.Text = fit(b.Title, longestTitle), fit(b.Text, longest)
	return v.Publish(ctx, b)
}

// Publish puts b into its groups. Doing it again, also after it broke off in the
// middle, adds only what is missing. Who may was asked before.
func (v *Service) Publish(ctx context.Context, b Bulletin) error {
	const op = "chat.Publish"
	now := v.Now().UTC().Truncate(time.Millisecond)
	err := v.DB.Exec(ctx, `
		INSERT INTO chat_notice (id, deed, kind, unit, at_ms, by_person, by_token, title, body, level, expires_ms, withdrawn_ms)
		VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) ON CONFLICT (id) DO NOTHING`,
		string(b.ID), string(b.Kind), string(b.Unit), now.UnixMilli(), string(b.By.Person), b.By.Token, b.Title, b.Text, b.Level, b.Expires.UnixMilli())
	if err != nil {
		return fault.Wrap(op, err)
	}
	for part := range slices.Chunk(b.Groups, groupsAtOnce) {
		if err := v.spread(ctx, b, part); err != nil {
			return fault.Wrap(op, err)
		}
	}
	return nil
}

func (v *Service) spread(ctx context.Context, b Bulletin, groups []place.GroupID) error {
	var told []Message
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		told = told[:0]
		for _, g := range groups {
			m := v.draft(b.By, b.Kind, g)
			m.Notice, m.Title, m.Body, m.Level, m.Expires = b.ID, b.Title, b.Text, b.Level, b.Expires
			m, fresh, err := insert(ctx, tx, m, "notice/"+string(b.ID)+"/"+string(g))
			if err != nil {
				return err
			}
			if fresh {
				told = append(told, m)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range told {
		v.tell(m)
	}
	return nil
}

// Recall takes a notice or warning away from every group. Doing it again is safe.
func (v *Service) Recall(ctx context.Context, id NoticeID) error {
	const op = "chat.Recall"
	if err := v.DB.Exec(ctx, `UPDATE chat_notice SET withdrawn_ms = $1 WHERE id = $2 AND withdrawn_ms = 0`, v.Now().UnixMilli(), string(id)); err != nil {
		return fault.Wrap(op, err)
	}
	for {
		var gone []Message
		err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
			rows, err := tx.QueryContext(ctx, `SELECT `+columns+counts+fmt.Sprintf(` FROM chat_message m WHERE m.notice = $2 AND m.removed = '' ORDER BY m.group_id LIMIT %d`, groupsAtOnce), "", string(id))
			if err != nil {
				return err
			}
			if gone, err = collect(rows); err != nil {
				return err
			}
			for k, m := range gone {
				if gone[k], err = blank(ctx, tx, m, ByDesk, v.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fault.Wrap(op, err)
		}
		if len(gone) == 0 {
			return nil
		}
		for _, m := range gone {
			v.tell(m)
		}
	}
}

// Withdraw takes a notice of a's unit away.
func (v *Service) Withdraw(ctx context.Context, a people.Actor, id NoticeID) (Published, error) {
	const op = "chat.Withdraw"
	unit, kind, err := v.owner(ctx, op, id)
	if err != nil {
		return Published{}, err
	}
	if !v.Rights.May(a, "chat.notices", office(unit)) {
		return Published{}, fault.New(op, fault.NotFound, "chat.notice_unknown")
	}
	if kind != Notice || !v.Rights.May(a, "chat.withdraw", office(unit)) {
		return Published{}, fault.New(op, fault.Denied, "chat.denied")
	}
	if err := v.Recall(ctx, id); err != nil {
		return Published{}, err
	}
	return v.notice(ctx, op, id)
}

func (v *Service) owner(ctx context.Context, op string, id NoticeID) (unit place.UnitCode, k Kind, err error) {
	err = v.DB.Read().QueryRowContext(ctx, `SELECT unit, kind FROM chat_notice WHERE id = $1`, string(id)).Scan(&unit, &k)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", fault.New(op, fault.NotFound, "chat.notice_unknown")
	}
	if err != nil {
		return "", "", fault.Wrap(op, err)
	}
	return unit, k, nil
}

// Notices lists the newest notices of a's unit, and the warnings for it.
func (v *Service) Notices(ctx context.Context, a people.Actor) ([]Published, error) {
	const op = "chat.Notices"
	unit, err := v.unit(op, a)
	if err != nil {
		return nil, err
	}
	above := place.ParentOf(unit)
	list, err := v.notices(ctx, `(unit = $1 OR unit = $2 AND kind = 'warning') AND at_ms >= $3 ORDER BY at_ms DESC, id DESC`, string(unit), string(above), v.cut(unit).UnixMilli())
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return list, nil
}

func (v *Service) notice(ctx context.Context, op string, id NoticeID) (Published, error) {
	list, err := v.notices(ctx, `id = $1`, string(id))
	if err != nil {
		return Published{}, fault.Wrap(op, err)
	}
	if len(list) == 0 {
		return Published{}, fault.New(op, fault.NotFound, "chat.notice_unknown")
	}
	return list[0], nil
}

// notices reads what where says; where is one of this file's own texts.
func (v *Service) notices(ctx context.Context, where string, args ...any) ([]Published, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT id, kind, at_ms, by_person, by_token, title, body, level, expires_ms, withdrawn_ms FROM chat_notice WHERE `+where+fmt.Sprintf(` LIMIT %d`, noticesShown), args...) // #nosec G202 -- no value is in the text
	if err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	list, err := v.collectNotices(rows)
	if err != nil {
		return nil, err
	}
	for k := range list {
		if err := v.count(ctx, &list[k]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (v *Service) collectNotices(rows *sql.Rows) ([]Published, error) {
	defer func() { _ = rows.Close() }()
	list := []Published{}
	for rows.Next() {
		var p Published
		var person people.ID
		var token string
		var at, until, gone int64
		if err := rows.Scan(&p.ID, &p.Kind, &at, &person, &token, &p.Title, &p.Text, &p.Level, &until, &gone); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
		p.At, p.Expires, p.By = time.UnixMilli(at).UTC(), time.UnixMilli(until).UTC(), token
		if person != "" {
			p.By = v.Folk.Name(person)
		}
		if gone != 0 {
			p.Withdrawn = time.UnixMilli(gone).UTC()
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// count fills in how far p reached.
func (v *Service) count(ctx context.Context, p *Published) error {
	if err := v.DB.Read().QueryRowContext(ctx, `SELECT count(DISTINCT s.person) FROM chat_seen s JOIN chat_message m ON m.id = s.message WHERE m.notice = $1`, string(p.ID)).Scan(&p.Seen); err != nil {
		return fmt.Errorf("count who has seen it: %w", err)
	}
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT group_id FROM chat_message WHERE notice = $1`, string(p.ID))
	if err != nil {
		return fmt.Errorf("count groups: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var g place.GroupID
		if err := rows.Scan(&g); err != nil {
			return fmt.Errorf("count groups: %w", err)
		}
		p.Groups++
		p.People += len(v.Folk.Group(g))
	}
	return rows.Err()
}
