package privacy

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
	"golang.org/x/text/unicode/norm"

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

const (
	longest  = 2000 // letters of a request or an answer
	mostOpen = 5    // requests that one person may have open
)

// Rights says who may do what. *people.Rights is one.
type Rights interface {
	May(a people.Actor, verb string, on people.Thing) bool
	MaySeeNames(a people.Actor, g place.Group) bool
	MaySeePhones(a people.Actor, g place.Group) bool
}

// Recorder is the log of acts.
type Recorder interface {
	Append(ctx context.Context, tx *sql.Tx, a audit.Act) (audit.Entry, error)
}

// Entries are the log of acts as one person may read it.
type Entries interface {
	Of(ctx context.Context, person string, before int64, limit int) ([]audit.Entry, error)
	Show(ctx context.Context, person string, n int64) (audit.Shown, error)
	Erase(ctx context.Context, tx *sql.Tx, person string) error
}

// Proofs makes proofs of entries; see [audit.Head].
type Proofs interface {
	Proof(ctx context.Context, n int64) ([]byte, error)
	Verifier() string
}

// Folk knows people. *people.Book is one.
type Folk interface {
	Group(g place.GroupID) []people.Person
	Person(id people.ID) (people.Person, bool)
}

// Holder is a slice that holds something about people.
type Holder interface {
	Holds(ctx context.Context, person people.ID) ([]people.Section, error)
}

// Eraser is a slice that can forget a person, inside the transaction.
type Eraser interface {
	Erase(ctx context.Context, tx *sql.Tx, person people.ID) error
}

// Service answers people about their data. Make it with [New].
type Service struct {
	DB        *store.DB
	Rights    Rights
	Record    Recorder
	Entries   Entries
	Proofs    Proofs // nil: nothing is signed here
	Folk      Folk
	Holders   []Holder
	Erasers   []Eraser
	Rules     place.Rules
	Directory func() *place.Directory
	Now       func() time.Time
	Log       *slog.Logger

	looks *looks
}

// New makes the service ready for its looks.
func New(v Service) *Service {
	v.looks = &looks{wake: make(chan struct{}, 1)}
	return &v
}

// unitOf is the commune of a resident's group, or an officer's own unit.
func (v *Service) unitOf(a people.Actor) place.UnitCode {
	if g, ok := v.Directory().Group(a.Group); ok {
		return g.Commune
	}
	return a.Scope.Unit
}

func (v *Service) may(a people.Actor, verb string, unit place.UnitCode) bool {
	return unit != "" && v.Rights.May(a, verb, people.Thing{Kind: "Area", Unit: unit})
}

// tidy makes what somebody wrote fit.
func tidy(op, text string, must bool) (string, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	switch n := utf8.RuneCountInString(text); {
	case n == 0 && must:
		return "", fault.New(op, fault.Invalid, "mydata.text_needed")
	case n > longest:
		return "", fault.New(op, fault.Invalid, "mydata.text_too_long")
	}
	return text, nil
}

// Ask makes a request of a person. The same outbox key is the same request.
func (v *Service) Ask(ctx context.Context, a people.Actor, key string, k Kind, text string) (Request, error) {
	const op = "privacy.Ask"
	if a.Person == "" {
		return Request{}, fault.New(op, fault.Denied, "mydata.persons_only")
	}
	text, err := tidy(op, text, k == Correct || k == Withdraw)
	if err != nil {
		return Request{}, err
	}
	now := v.Now()
	r := Request{ID: ulid.Make().String(), Person: a.Person, Unit: v.unitOf(a), Kind: k, Text: text, Made: now}
	if r.Reply, r.Due, err = clocks(v.Rules, r.Unit, k, now); err != nil {
		return r, fault.Wrap(op, err)
	}
	if key != "" {
		r.ID = keyed(a, key)
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if had, err := readRequest(ctx, tx, r.ID); err == nil {
			r = had
			return nil
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		n, err := countOpen(ctx, tx, a.Person)
		if err != nil {
			return err
		}
		if n >= mostOpen {
			return fault.New(op, fault.Conflict, "mydata.too_many_open")
		}
		if err := insertRequest(ctx, tx, r); err != nil {
			return err
		}
		_, err = v.Record.Append(ctx, tx, audit.Act{Name: "privacy.ask", Area: string(r.Unit), By: string(a.Person), On: "request/" + r.ID, Of: []string{string(a.Person)}, Body: map[string]string{"kind": string(k)}})
		return err
	})
	if err != nil {
		return r, fault.Wrap(op, err)
	}
	return r, nil
}

// Mine lists a person's own requests, newest first.
func (v *Service) Mine(ctx context.Context, a people.Actor) ([]Request, error) {
	const op = "privacy.Mine"
	if a.Person == "" {
		return nil, fault.New(op, fault.Denied, "mydata.persons_only")
	}
	list, err := readRequests(ctx, v.DB.Read(), `person = $1 ORDER BY made_ms DESC, id DESC LIMIT 100`, a.Person)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return list, nil
}

// Queue lists the requests of the actor's unit: open ones first, the most urgent
// at the top.
func (v *Service) Queue(ctx context.Context, a people.Actor) ([]Request, error) {
	const op = "privacy.Queue"
	if !v.may(a, "privacy.queue", a.Scope.Unit) {
		return nil, fault.New(op, fault.Denied, "fault.denied")
	}
	list, err := readRequests(ctx, v.DB.Read(), `unit = $1 ORDER BY CASE WHEN ended_ms = 0 THEN 0 ELSE 1 END, CASE WHEN ended_ms = 0 THEN due_ms ELSE -ended_ms END, id LIMIT 200`, a.Scope.Unit)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return list, nil
}

// change reads an open request that a may answer, lets f change it and logs the
// act, all in one transaction.
func (v *Service) change(ctx context.Context, op, act string, a people.Actor, id string, f func(context.Context, *sql.Tx, *Request) error) (Request, error) {
	var r Request
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		var err error
		if r, err = readRequest(ctx, tx, id); errors.Is(err, sql.ErrNoRows) {
			return fault.New(op, fault.NotFound, "mydata.no_request")
		} else if err != nil {
			return err
		}
		if !v.may(a, "privacy.queue", r.Unit) {
			return fault.New(op, fault.NotFound, "mydata.no_request")
		}
		if !v.may(a, "privacy.answer", r.Unit) || r.Person == a.Person {
			return fault.New(op, fault.Denied, "fault.denied")
		}
		if !r.Ended.IsZero() {
			return fault.New(op, fault.Conflict, "mydata.already_answered")
		}
		person := r.Person
		if _, err := v.Record.Append(ctx, tx, audit.Act{Name: act, Area: string(r.Unit), By: a.By(), On: "request/" + r.ID, Of: []string{string(person)}, Body: map[string]string{"kind": string(r.Kind)}}); err != nil {
			return err
		}
		if err := f(ctx, tx, &r); err != nil {
			return err
		}
		return updateRequest(ctx, tx, r)
	})
	if err != nil {
		return r, fault.Wrap(op, err)
	}
	return r, nil
}

// Take tells the person that the request is being dealt with: the first clock.
func (v *Service) Take(ctx context.Context, a people.Actor, id string) (Request, error) {
	return v.change(ctx, "privacy.Take", "privacy.take", a, id, func(_ context.Context, _ *sql.Tx, r *Request) error {
		if r.Taken.IsZero() {
			r.Taken = v.Now()
		}
		return nil
	})
}

// Lengthen gives a request as much time again, once, with the reason.
func (v *Service) Lengthen(ctx context.Context, a people.Actor, id, why string) (Request, error) {
	const op = "privacy.Lengthen"
	why, err := tidy(op, why, true)
	if err != nil {
		return Request{}, err
	}
	return v.change(ctx, op, "privacy.lengthen", a, id, func(_ context.Context, _ *sql.Tx, r *Request) error {
		if !r.Longer.IsZero() {
			return fault.New(op, fault.Conflict, "mydata.longer_once")
		}
		r.Longer, r.Answer = v.Now(), why
		r.Due = r.Due.Add(r.Due.Sub(r.Made))
		if r.Taken.IsZero() {
			r.Taken = r.Longer
		}
		return nil
	})
}

// Answer ends a request. A request to delete that is granted erases the person.
func (v *Service) Answer(ctx context.Context, a people.Actor, id string, o Outcome, text string) (Request, error) {
	const op = "privacy.Answer"
	if o != Done && o != Refused {
		return Request{}, fault.New(op, fault.Invalid, "fault.invalid")
	}
	text, err := tidy(op, text, o == Refused)
	if err != nil {
		return Request{}, err
	}
	act := "privacy.grant"
	if o == Refused {
		act = "privacy.refuse"
	}
	r, err := v.change(ctx, op, act, a, id, func(ctx context.Context, tx *sql.Tx, r *Request) error {
		now := v.Now()
		if r.Taken.IsZero() {
			r.Taken = now
		}
		r.Ended, r.Outcome, r.Answer, r.By = now, o, text, a.By()
		if r.Kind != Delete || o != Done {
			return nil
		}
		person := r.Person
		r.Person, r.Text = "", ""
		return v.erase(ctx, tx, a, r.Unit, person)
	})
	if err == nil && r.Kind == Delete && o == Done {
		v.sweep(ctx)
	}
	return r, err
}

// erase removes a person everywhere. The entry that says so names him under a key
// that goes with him.
func (v *Service) erase(ctx context.Context, tx *sql.Tx, a people.Actor, unit place.UnitCode, person people.ID) error {
	if _, err := v.Record.Append(ctx, tx, audit.Act{Name: "privacy.erase", Area: string(unit), By: a.By(), On: "person/" + string(person)}); err != nil {
		return err
	}
	for _, e := range v.Erasers {
		if err := e.Erase(ctx, tx, person); err != nil {
			return err
		}
	}
	for _, q := range []string{
		`UPDATE privacy_request SET person = '', body = '', answer = '' WHERE person = $1`,
		`UPDATE privacy_request SET by_id = '' WHERE by_id = $1`,
		`DELETE FROM privacy_look WHERE by_id = $1`,
	} {
		if _, err := tx.ExecContext(ctx, q, person); err != nil {
			return fmt.Errorf("erase requests: %w", err)
		}
	}
	return v.Entries.Erase(ctx, tx, string(person))
}

// sweep empties what a database keeps of deleted rows where it can be emptied
// without a pause.
func (v *Service) sweep(ctx context.Context) {
	if err := v.DB.Sweep(ctx); err != nil {
		v.Log.Warn("what was erased still stands in the database's own log; it goes with its next checkpoint", slog.Any("err", err))
	}
}
