package cap

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

// Rights says who may do what. *people.Rights is one.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
}

// Source knows incidents.
type Source interface {
	// Lives are the incidents of groups that a may know of: open, and closed since.
	Lives(ctx context.Context, a people.Actor, groups []place.Group, since time.Time) ([]Life, error)
	// Life is incident id for a; false when there is none that he may know of.
	Life(ctx context.Context, a people.Actor, id string) (Life, bool, error)
}

// Warning is what goes to groups.
type Warning struct {
	ID      string
	Unit    place.UnitCode
	Groups  []place.GroupID
	Title   string
	Text    string
	Level   string
	Expires time.Time
	By      people.Actor
}

// Board shows warnings to groups. Doing either again is safe.
type Board interface {
	Show(ctx context.Context, w Warning) error
	Recall(ctx context.Context, id string) error
}

// Service speaks CAP. Fill all fields.
type Service struct {
	DB      *store.DB
	Village func() *place.Directory
	Rights  Rights
	Source  Source
	Board   Board
	Now     func() time.Time
}

// Taken is what became of a message.
type Taken struct {
	Identifier string `json:"identifier"`
	Status     string `json:"status"`
	MsgType    string `json:"msg_type"`
	Shown      bool   `json:"shown" doc:"it became a notice"`
	Groups     int    `json:"groups" doc:"neighbour groups that got it"`
	Again      bool   `json:"again" doc:"it was taken before; nothing changed"`
}

// id names a message of a sender.
func id(sender, identifier string, sent time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", sender, identifier, sent.Unix()))
	return hex.EncodeToString(sum[:16])
}

func areaOf(g place.Group) people.Thing { return people.Thing{Kind: "Area", Group: g} }

// unit is the unit for which a may warn.
func (v *Service) unit(a people.Actor) (place.UnitCode, error) {
	for _, at := range a.Places() {
		if at.Unit != "" && at.Neighbourhood == "" && v.Rights.May(a, "cap.warn", people.Thing{Kind: "Area", Unit: at.Unit}) {
			return at.Unit, nil
		}
	}
	return "", fault.New("cap.Take", fault.Denied, "cap.denied")
}

// Take reads a message and does what it says, for the groups that a answers for.
func (v *Service) Take(ctx context.Context, a people.Actor, from io.Reader) (Taken, error) {
	const op = "cap.Take"
	unit, err := v.unit(a)
	if err != nil {
		return Taken{}, err
	}
	m, err := Read(from)
	if err != nil {
		return Taken{}, err
	}
	t := Taken{Identifier: m.Identifier, Status: m.Status, MsgType: m.MsgType}
	key := id(m.Sender, m.Identifier, m.Sent)
	switch err := v.DB.Read().QueryRowContext(ctx, `SELECT shown, groups FROM cap_in WHERE id = $1 AND by_token = $2`, key, a.Token).Scan(&t.Shown, &t.Groups); {
	case err == nil:
		t.Again = true
		return t, nil
	case !errors.Is(err, sql.ErrNoRows):
		return t, fault.Wrap(op, err)
	}
	verdict, err := judge(m, v.Now())
	if err != nil {
		return t, err
	}
	w := Warning{ID: "cap-" + key, Unit: unit, Title: verdict.title, Text: verdict.text, Level: verdict.level, Expires: verdict.expires, By: a}
	if verdict.show {
		if w.Groups, err = v.groups(a, m); err != nil {
			return t, err
		}
		if m.Status == "Exercise" {
			w.Title = exercise + w.Title
		}
	}
	if t, err = v.do(ctx, m, key, verdict, w, t, a); err != nil {
		return t, fault.Wrap(op, err)
	}
	return t, nil
}

// exercise stands before the title of a warning that is only practised.
const exercise = "[Diễn tập] "

// groups are those in the area of m for which a may warn.
func (v *Service) groups(a people.Actor, m Alert) ([]place.GroupID, error) {
	if !m.known() {
		return nil, bad("cap.area_unknown", "area")
	}
	f, list, others := m.field(), []place.GroupID{}, 0
	for _, g := range v.Village().Groups() {
		switch {
		case !f.covers(g):
		case v.Rights.May(a, "cap.warn", areaOf(g)):
			list = append(list, g.ID)
		default:
			others++
		}
	}
	if len(list) == 0 && others > 0 {
		return nil, fault.New("cap.Take", fault.Denied, "cap.not_your_area")
	}
	return list, nil
}

// do shows and recalls, then writes down that it was done: broken off in between,
// the same message does it again.
func (v *Service) do(ctx context.Context, m Alert, key string, d verdict, w Warning, t Taken, a people.Actor) (Taken, error) {
	over, err := v.over(ctx, key)
	if err != nil {
		return t, err
	}
	if d.show && !over && len(w.Groups) > 0 {
		if err := v.Board.Show(ctx, w); err != nil {
			return t, err
		}
		t.Shown, t.Groups = true, len(w.Groups)
	}
	var gone []string
	if d.recall {
		for _, r := range m.References {
			if r.Sender != m.Sender {
				continue // nobody withdraws what another said
			}
			old := id(r.Sender, r.Identifier, r.Sent)
			gone = append(gone, old)
			if err := v.Board.Recall(ctx, "cap-"+old); err != nil {
				return t, err
			}
		}
	}
	now := v.Now().UnixMilli()
	return t, v.DB.Tx(ctx, func(tx *sql.Tx) error {
		for _, old := range gone {
			if _, err := tx.ExecContext(ctx, `INSERT INTO cap_over (id, at_ms) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, old, now); err != nil {
				return err
			}
		}
		shown := 0
		if t.Shown {
			shown = 1
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO cap_in (id, sender, sent_ms, status, msg_type, at_ms, by_token, shown, groups) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
			key, m.Sender, m.Sent.UnixMilli(), m.Status, m.MsgType, now, a.Token, shown, t.Groups)
		return err
	})
}

// over reports whether a message was replaced or cancelled before it came.
func (v *Service) over(ctx context.Context, key string) (bool, error) {
	var n int
	err := v.DB.Read().QueryRowContext(ctx, `SELECT count(*) FROM cap_over WHERE id = $1`, key).Scan(&n)
	return n > 0, err
}

// Feed is the messages of the incidents that a may read, newest first: open ones,
// and those closed since.
func (v *Service) Feed(ctx context.Context, a people.Actor, since time.Time) ([]Alert, error) {
	const op = "cap.Feed"
	var groups []place.Group
	seen := map[place.GroupID]bool{}
	may := false
	for _, at := range a.Places() {
		may = may || at.Unit != "" && v.Rights.May(a, "cap.read", people.Thing{Kind: "Area", Unit: at.Unit})
		for _, g := range v.Village().In(at) {
			if !seen[g.ID] && v.Rights.May(a, "cap.read", areaOf(g)) {
				seen[g.ID], may = true, true
				groups = append(groups, g)
			}
		}
	}
	if !may {
		return nil, fault.New(op, fault.Denied, "cap.denied")
	}
	lives, err := v.Source.Lives(ctx, a, groups, since)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	var list []Alert
	for _, l := range lives {
		list = append(list, Messages(l)...)
	}
	return newestFirst(list), nil
}

// Message is one message for a, by its identifier.
func (v *Service) Message(ctx context.Context, a people.Actor, identifier string) (Alert, error) {
	const op = "cap.Message"
	incident, n, err := incidentOf(identifier)
	if err != nil {
		return Alert{}, &fault.Error{Op: op, Kind: fault.NotFound, Key: "cap.no_message", Err: err}
	}
	l, ok, err := v.Source.Life(ctx, a, incident)
	if err != nil {
		return Alert{}, fault.Wrap(op, err)
	}
	if !ok {
		return Alert{}, fault.New(op, fault.NotFound, "cap.no_message")
	}
	if !v.Rights.May(a, "cap.read", areaOf(l.Group)) {
		return Alert{}, fault.New(op, fault.Denied, "cap.denied")
	}
	list := Messages(l)
	if n > len(list) {
		return Alert{}, fault.New(op, fault.NotFound, "cap.no_message")
	}
	return list[n-1], nil
}
