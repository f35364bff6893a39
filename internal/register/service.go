package register

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/audit"
	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// Migrations are this slice's tables.
//
//go:embed sql/*.sql
var Migrations embed.FS

// UndoFor is how long an import can be taken back.
const UndoFor = 30 * 24 * time.Hour

// Rights says who may. people.Rights is one.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
}

// Recorder writes who saw or did what into the log, inside tx.
type Recorder interface {
	Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error)
}

// Wires says to which homes devices are wired. Inside tx.
type Wires interface {
	Wired(ctx context.Context, tx *sql.Tx) (map[place.HomeID]bool, error)
}

// Service reads and writes lists. Fill the exported fields; Refresh, Wires and Log
// may be nil.
type Service struct {
	DB      *store.DB
	Rights  Rights
	Refresh func(context.Context) error // lets everybody take what was written
	Changed func(ids ...people.ID)      // of whom nothing may be remembered
	Wires   Wires
	Log     Recorder
	Now     func() time.Time
}

// Report is what an import did, or what a check found that it would do.
type Report struct {
	ID      string // "" for a check, and for an import that changed nothing
	Checked bool
	Wrong   []Wrong
	Ignored []string // headings that nobody knows
	Groups  Tally
	Homes   Tally
	People  Tally
}

// Bad reports whether something is more than a warning.
func (r Report) Bad() bool {
	return slices.ContainsFunc(r.Wrong, func(w Wrong) bool { return !w.Warning })
}

// Changes reports whether anything is different now.
func (r Report) Changes() bool {
	return r.Groups.Added+r.Groups.Changed+r.Homes.Added+r.Homes.Changed+r.People.Added+r.People.Changed > 0
}

// Operator is who types a command at the machine itself. Nobody who asks over the
// network is this: it is neither a person nor a token.
func Operator() people.Actor { return people.Actor{Name: "operator"} }

// may reports whether a may do verb with the list of a unit. The operator may: the
// data is his to keep.
func (v *Service) may(op string, a people.Actor, verb string, unit place.UnitCode) error {
	u, ok := place.UnitOf(unit)
	if !ok || u.Parent == "" {
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "register.not_a_commune", Args: map[string]any{"unit": string(unit)}}
	}
	if a == Operator() {
		return nil
	}
	if !v.Rights.May(a, verb, people.Thing{Kind: "Area", ID: string(unit), Unit: unit}) {
		return fault.New(op, fault.Denied, "fault.denied")
	}
	return nil
}

var errDry = errors.New("dry run")

// Import takes the list r of a unit into the village, in one transaction: all of
// it or nothing. A check does everything but the last step. The error of a list
// that is refused is fault.Invalid with key register.refused; the report's rows
// say why.
func (v *Service) Import(ctx context.Context, a people.Actor, unit place.UnitCode, file string, r io.Reader, check bool) (Report, error) {
	const op = "register.Import"
	rep := Report{Checked: check, Wrong: []Wrong{}, Ignored: []string{}}
	if err := v.may(op, a, "register.import", unit); err != nil {
		return rep, err
	}
	rows, err := cells(r)
	if err != nil {
		return rep, err
	}
	s := read(rows)
	rep.Ignored = append(rep.Ignored, s.ignored...)
	if len(s.wrong) > 0 && len(s.lines) == 0 {
		rep.Wrong = s.wrong
		return rep, fault.New(op, fault.Invalid, "register.refused")
	}
	var made []thing
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		w, err := now(ctx, tx, unit)
		if err != nil {
			return err
		}
		for _, l := range s.lines {
			if !s.doubts(l.row) {
				w.take(&s, l)
			}
		}
		slices.SortStableFunc(s.wrong, func(a, b Wrong) int { return a.Row - b.Row })
		if rep.Wrong = append(rep.Wrong, s.wrong...); rep.Bad() {
			return fault.New(op, fault.Invalid, "register.refused")
		}
		if made, err = w.write(ctx, tx, &rep); err != nil || !rep.Changes() {
			return err
		}
		if check {
			return errDry
		}
		rep.ID = "r-" + random()
		if err := v.remember(ctx, tx, rep.ID, a, unit, file, len(s.lines), made); err != nil {
			return err
		}
		if err := place.Bump(ctx, tx); err != nil {
			return err
		}
		return v.record(ctx, tx, a, unit, "register.import", rep.ID)
	})
	if errors.Is(err, errDry) {
		return rep, nil
	}
	return rep, v.told(ctx, op, err, made)
}

// now reads who lives in a unit.
func now(ctx context.Context, tx *sql.Tx, unit place.UnitCode) (*village, error) {
	all, err := place.All(ctx, tx)
	if err != nil {
		return nil, err
	}
	folk, err := people.Everybody(ctx, tx)
	if err != nil {
		return nil, err
	}
	return newVillage(unit, all, folk), nil
}

// thing is something that an import made or changed.
type thing struct {
	kind, id string
	was      string // JSON, "" when it was made
	now      string // digest
	person   people.ID
}

// write brings the plan into the database and adds up.
func (w *village) write(ctx context.Context, tx *sql.Tx, rep *Report) (made []thing, err error) {
	note := func(t *Tally, kind, id string, was any, known bool, now any) {
		switch {
		case !known:
			t.Added++
			made = append(made, thing{kind: kind, id: id, now: digest(id, now)})
		case text(was) != text(now):
			t.Changed++
			made = append(made, thing{kind: kind, id: id, was: text(was), now: digest(id, now)})
		default:
			t.Unchanged++
		}
	}
	touched := []place.Group{}
	for _, g := range w.groups {
		was, known := w.was[g.ID]
		seen := slices.ContainsFunc(g.Homes, func(h place.Home) bool { return w.seen[h.ID] })
		if known && !seen {
			continue
		}
		touched = append(touched, g)
		note(&rep.Groups, "group", string(g.ID), stateOfGroup(was), known, stateOfGroup(g))
		for _, h := range g.Homes {
			if !w.seen[h.ID] {
				continue
			}
			i := slices.IndexFunc(was.Homes, func(x place.Home) bool { return x.ID == h.ID })
			var old place.Home
			if i >= 0 {
				old = was.Homes[i]
			}
			note(&rep.Homes, "home", string(h.ID), stateOfHome(old), i >= 0, stateOfHome(h))
		}
	}
	if _, err := place.Put(ctx, tx, touched, false); err != nil {
		return nil, err
	}
	for _, g := range touched {
		for _, h := range g.Homes {
			for i, p := range w.adults[h.ID] {
				if p.was == nil {
					id, err := people.Enlist(ctx, tx, g.ID, h.ID, people.NewMember{Name: p.Name, Phone: p.Phone, Role: p.Role}, i)
					if err != nil {
						return nil, err
					}
					p.ID = id
					note(&rep.People, "person", string(id), nil, false, stateOfPerson(p.Person))
					continue
				}
				if !w.named[p.ID] {
					continue
				}
				note(&rep.People, "person", string(p.ID), stateOfPerson(*p.was), true, stateOfPerson(p.Person))
				if stateOfPerson(*p.was) == stateOfPerson(p.Person) {
					continue
				}
				if err := people.Correct(ctx, tx, p.ID, p.Name, p.Phone); err != nil {
					return nil, err
				}
			}
		}
	}
	return made, nil
}

func (v *Service) remember(ctx context.Context, tx *sql.Tx, id string, a people.Actor, unit place.UnitCode, file string, rows int, made []thing) error {
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if name == "." || len(name) > 120 {
		name = ""
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO register_import (id, unit, at_ms, by_actor, file, rows_read, undone_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
		id, unit, v.Now().UnixMilli(), by(a), name, rows); err != nil {
		return fmt.Errorf("remember import: %w", err)
	}
	for _, m := range made {
		if _, err := tx.ExecContext(ctx, `INSERT INTO register_made (import_id, kind, id, was, now) VALUES ($1, $2, $3, $4, $5)`, id, m.kind, m.id, m.was, m.now); err != nil {
			return fmt.Errorf("remember import: %w", err)
		}
	}
	return nil
}

func by(a people.Actor) string {
	switch {
	case a.Person != "":
		return string(a.Person)
	case a.Token != "":
		return "token/" + a.Token
	}
	return audit.Machine
}

func (v *Service) record(ctx context.Context, tx *sql.Tx, a people.Actor, unit place.UnitCode, name, id string) error {
	if v.Log == nil {
		return nil
	}
	on := ""
	if id != "" {
		on = "import/" + id
	}
	_, err := v.Log.Append(ctx, tx, audit.Act{Name: name, Area: string(unit), By: by(a), On: on})
	return err
}

// recordExport writes down an export, so that everybody whose name left Keng can
// read it: one entry for each group, in portions.
func (v *Service) recordExport(ctx context.Context, tx *sql.Tx, a people.Actor, w *village) error {
	if v.Log == nil {
		return nil
	}
	for _, g := range w.groups {
		var of []string
		for _, h := range g.Homes {
			for _, p := range w.adults[h.ID] {
				of = append(of, string(p.ID))
			}
		}
		for some := range slices.Chunk(of, portion) {
			if _, err := v.Log.Append(ctx, tx, audit.Act{Name: "register.export", Area: string(w.unit), By: by(a), On: "group/" + string(g.ID), Of: some}); err != nil {
				return err
			}
		}
	}
	return v.record(ctx, tx, a, w.unit, "register.export", "")
}

// portion is how many persons stand in one entry of the log.
const portion = 50

// told lets everybody take what was written.
func (v *Service) told(ctx context.Context, op string, err error, made []thing) error {
	if err != nil {
		return fault.Wrap(op, err)
	}
	var ids []people.ID
	for _, m := range made {
		if m.kind == "person" {
			ids = append(ids, people.ID(m.id))
		}
	}
	if v.Changed != nil && len(ids) > 0 {
		v.Changed(ids...)
	}
	if v.Refresh != nil && len(made) > 0 {
		_ = v.Refresh(ctx) // the watcher takes it at its next look
	}
	return nil
}

// Kept is something that an undo left as it is, because somebody touched it since.
type Kept struct {
	Kind string `json:"kind" enum:"group,home,person"`
	Name string `json:"name"`
}

// Undo takes back an import: what it made is gone, what it changed is as before.
// What somebody touched since stays, and is named.
func (v *Service) Undo(ctx context.Context, a people.Actor, id string) (kept []Kept, err error) {
	const op = "register.Undo"
	kept = []Kept{}
	var made []thing
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		var unit place.UnitCode
		var at, undone int64
		err := tx.QueryRowContext(ctx, `SELECT unit, at_ms, undone_ms FROM register_import WHERE id = $1`, id).Scan(&unit, &at, &undone)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(op, fault.NotFound, "register.import_unknown")
		}
		if err != nil {
			return err
		}
		if err := v.may(op, a, "register.import", unit); err != nil {
			return fault.New(op, fault.NotFound, "register.import_unknown")
		}
		if undone != 0 {
			return fault.New(op, fault.Conflict, "register.undone_already")
		}
		if v.Now().Sub(time.UnixMilli(at)) > UndoFor {
			return fault.New(op, fault.Conflict, "register.undo_too_late")
		}
		if made, err = readMade(ctx, tx, id); err != nil {
			return err
		}
		w, err := now(ctx, tx, unit)
		if err != nil {
			return err
		}
		if kept, err = v.revert(ctx, tx, w, made); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE register_import SET undone_ms = $2 WHERE id = $1`, id, v.Now().UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM register_made WHERE import_id = $1`, id); err != nil {
			return err
		}
		if err := place.Bump(ctx, tx); err != nil {
			return err
		}
		return v.record(ctx, tx, a, unit, "register.undo", id)
	})
	return kept, v.told(ctx, op, err, made)
}

func readMade(ctx context.Context, tx *sql.Tx, id string) (made []thing, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT kind, id, was, now FROM register_made WHERE import_id = $1 ORDER BY kind, id`, id)
	if err != nil {
		return nil, fmt.Errorf("read import: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var m thing
		if err := rows.Scan(&m.kind, &m.id, &m.was, &m.now); err != nil {
			return nil, fmt.Errorf("read import: %w", err)
		}
		made = append(made, m)
	}
	return made, rows.Err()
}

// revert undoes people, then homes, then groups: a home goes when nobody lives in
// it any more and nothing is wired to it, a group when it has no homes.
func (v *Service) revert(ctx context.Context, tx *sql.Tx, w *village, made []thing) (kept []Kept, err error) {
	kept = []Kept{}
	came := map[people.ID]bool{}
	for _, g := range w.groups {
		here, err := people.Arrived(ctx, tx, g.ID)
		if err != nil {
			return nil, err
		}
		for id := range here {
			came[id] = true
		}
	}
	for _, m := range made {
		if m.kind != "person" {
			continue
		}
		if name, err := w.revertPerson(ctx, tx, m, came); err != nil {
			return nil, err
		} else if name != "" {
			kept = append(kept, Kept{"person", name})
		}
	}
	wired := map[place.HomeID]bool{}
	if v.Wires != nil {
		if wired, err = v.Wires.Wired(ctx, tx); err != nil {
			return nil, err
		}
	}
	of := map[string]thing{}
	for _, m := range made {
		of[m.kind+"/"+m.id] = m
	}
	var put []place.Group
	for _, g := range w.groups {
		g, left, err := w.revertGroup(g, of, wired)
		if err != nil {
			return nil, err
		}
		kept = append(kept, left...)
		put = append(put, g)
	}
	if _, err := place.Put(ctx, tx, put, true); err != nil {
		return nil, err
	}
	for _, g := range put {
		m, is := of["group/"+string(g.ID)]
		if is && m.was == "" && len(g.Homes) == 0 && m.now == digest(m.id, stateOfGroup(w.was[g.ID])) {
			if err := place.Remove(ctx, tx, g.ID); err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}

// revertPerson undoes one person, or says what he is called when he stays.
func (w *village) revertPerson(ctx context.Context, tx *sql.Tx, m thing, came map[people.ID]bool) (kept string, err error) {
	for h, all := range w.adults {
		i := slices.IndexFunc(all, func(a adult) bool { return string(a.ID) == m.id })
		if i < 0 {
			continue
		}
		p := all[i]
		switch {
		case m.now != digest(m.id, stateOfPerson(p.Person)), m.was == "" && came[p.ID]:
			return p.Name, nil
		case m.was == "":
			w.adults[h] = slices.Delete(slices.Clone(all), i, i+1)
			return "", people.Remove(ctx, tx, p.ID)
		}
		var was personState
		if err := json.Unmarshal([]byte(m.was), &was); err != nil {
			return "", err
		}
		return "", people.Correct(ctx, tx, p.ID, was.Name, was.Phone)
	}
	return "", nil // he left since
}

// revertGroup undoes a group and its homes.
func (w *village) revertGroup(g place.Group, of map[string]thing, wired map[place.HomeID]bool) (place.Group, []Kept, error) {
	var kept []Kept
	if m, is := of["group/"+string(g.ID)]; is {
		switch {
		case m.now != digest(m.id, stateOfGroup(g)):
			kept = append(kept, Kept{"group", g.Name})
		case m.was != "":
			var was groupState
			if err := json.Unmarshal([]byte(m.was), &was); err != nil {
				return g, nil, err
			}
			g.Name, g.Neighbourhood = was.Name, was.Neighbourhood
		}
	}
	homes := []place.Home{}
	for _, h := range g.Homes {
		m, is := of["home/"+string(h.ID)]
		switch {
		case !is:
		case m.now != digest(m.id, stateOfHome(h)), m.was == "" && (len(w.adults[h.ID]) > 0 || wired[h.ID]):
			kept = append(kept, Kept{"home", h.Name})
		case m.was == "":
			continue
		default:
			var was homeState
			if err := json.Unmarshal([]byte(m.was), &was); err != nil {
				return g, nil, err
			}
			h.Name, h.Address, h.Lat, h.Lon, h.Placed = was.Name, was.Address, was.Lat, was.Lon, was.Placed
		}
		homes = append(homes, h)
	}
	g.Homes = homes
	return g, kept, nil
}

// Export writes the list of a unit, as [Service.Import] reads it.
func (v *Service) Export(ctx context.Context, a people.Actor, unit place.UnitCode, out io.Writer) error {
	const op = "register.Export"
	if err := v.may(op, a, "register.export", unit); err != nil {
		return err
	}
	var lines []line
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		w, err := now(ctx, tx, unit)
		if err != nil {
			return err
		}
		lines = w.lines()
		return v.recordExport(ctx, tx, a, w)
	})
	if err := v.told(ctx, op, err, nil); err != nil {
		return err
	}
	if err := write(out, lines); err != nil {
		return fault.Wrap(op, err)
	}
	return nil
}

// lines are the village as a list: a row for each adult, and one for a home
// without any.
func (w *village) lines() (all []line) {
	groups := slices.Clone(w.groups)
	slices.SortFunc(groups, func(a, b place.Group) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, g := range groups {
		for _, h := range g.Homes {
			l := line{group: g.ID, groupName: g.Name, neighbourhood: g.Neighbourhood, home: h.ID, homeName: h.Name, address: h.Address, lat: h.Lat, lon: h.Lon, placed: h.Placed}
			for _, p := range w.adults[h.ID] {
				l.name, l.phone, l.role = p.Name, p.Phone, p.Role
				all = append(all, l)
			}
			if len(w.adults[h.ID]) == 0 {
				l.name, l.phone, l.role = "", "", people.Member
				all = append(all, l)
			}
		}
	}
	return all
}

// Past is an import as a list shows it.
type Past struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	File   string    `json:"file"`
	Rows   int       `json:"rows"`
	Undone bool      `json:"undone"`
	Late   bool      `json:"late" doc:"too long ago to be taken back"`
}

// Imports lists the newest imports of a unit.
func (v *Service) Imports(ctx context.Context, a people.Actor, unit place.UnitCode) ([]Past, error) {
	const op = "register.Imports"
	if err := v.may(op, a, "register.import", unit); err != nil {
		return nil, err
	}
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT id, at_ms, file, rows_read, undone_ms FROM register_import WHERE unit = $1 ORDER BY at_ms DESC, id LIMIT 20`, unit)
	if err != nil {
		return nil, v.told(ctx, op, err, nil)
	}
	defer func() { _ = rows.Close() }()
	all := []Past{}
	for rows.Next() {
		var p Past
		var at, undone int64
		if err := rows.Scan(&p.ID, &at, &p.File, &p.Rows, &undone); err != nil {
			return nil, v.told(ctx, op, err, nil)
		}
		p.At, p.Undone = time.UnixMilli(at).UTC(), undone != 0
		p.Late = v.Now().Sub(p.At) > UndoFor
		all = append(all, p)
	}
	return all, v.told(ctx, op, rows.Err(), nil)
}

// Tidy forgets what was before imports that can no longer be undone.
func (v *Service) Tidy(ctx context.Context) error {
	return v.DB.Exec(ctx, `DELETE FROM register_made WHERE import_id IN (SELECT id FROM register_import WHERE at_ms < $1)`, v.Now().Add(-UndoFor).UnixMilli())
}

// Run tidies once a day until ctx is done.
func (v *Service) Run(ctx context.Context) {
	tick := time.NewTicker(24 * time.Hour)
	defer tick.Stop()
	for {
		_ = v.Tidy(ctx) // tomorrow again
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
