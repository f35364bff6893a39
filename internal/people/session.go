package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/place"
)

// Cookie is the name of the cookie that holds a session's secret.
const Cookie = "keng_session"

// Session is a person signed in on one device.
type Session struct {
	Person  Person
	Secret  string // goes into the cookie; stored hashed
	Expires time.Time
}

// lasts is how long a session of role r lasts without use.
func lasts(r Role) time.Duration {
	if r.Officer() {
		return OfficerSession
	}
	return ResidentSession
}

// SignIn begins a session of a person without an invite. Only the demo does so.
func (v *Service) SignIn(ctx context.Context, id ID) (Session, error) {
	var s Session
	err := v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		s, err = begin(ctx, tx, "people.SignIn", id, v.Now())
		return err
	})
	return s, err
}

func begin(ctx context.Context, tx *sql.Tx, op string, id ID, now time.Time) (Session, error) {
	p, err := findPerson(ctx, tx, op, id)
	if err != nil {
		return Session{}, err
	}
	s := Session{Person: p, Secret: newSecret(), Expires: now.Add(lasts(p.Role))}
	_, err = tx.ExecContext(ctx, `INSERT INTO session (hash, person, began_ms, expires_ms) VALUES ($1, $2, $3, $4)`,
		digest(s.Secret), id, now.UnixMilli(), s.Expires.UnixMilli())
	if err != nil {
		return s, fmt.Errorf("begin session: %w", err)
	}
	return s, nil
}

// SignOut ends the session of that secret. One that is not known is ended already.
func (v *Service) SignOut(ctx context.Context, secret string) error {
	hash := digest(secret)
	if err := v.DB.Exec(ctx, `DELETE FROM session WHERE hash = $1`, hash); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, hash)
	delete(v.slide, hash)
	return nil
}

// seen is what the last look at a session or token found.
type seen struct {
	actor   Actor
	expires time.Time // zero for a token
	at      time.Time // of the look
}

func (s seen) good(now time.Time, within time.Duration) bool {
	return now.Sub(s.at) <= within && (s.expires.IsZero() || now.Before(s.expires))
}

// Authenticate finds out who sends r, by bearer token or else by cookie. Without
// either it is nobody and no error; with a wrong one, fault.Unknown. A role that
// was taken away is gone within a second.
//
// While the database cannot be asked, who was known in the last 15 minutes
// stays known: a broken disk signs nobody out in the middle of an alarm.
func (v *Service) Authenticate(r *http.Request) (Actor, error) {
	secret, token := credentials(r)
	if secret == "" && !token {
		return Actor{}, nil
	}
	s, err := v.look(r.Context(), secret, token)
	if err != nil {
		return Actor{}, err
	}
	return s.actor, nil
}

// credentials are what r brings: a token before a cookie.
func credentials(r *http.Request) (secret string, token bool) {
	if kind, value, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		return strings.TrimSpace(value), true
	}
	if c, err := r.Cookie(Cookie); err == nil {
		return c.Value, false
	}
	return "", false
}

func (v *Service) look(ctx context.Context, secret string, token bool) (seen, error) {
	const op = "people.Authenticate"
	now, hash := v.Now(), digest(secret)
	v.mu.Lock()
	old, known := v.known[hash]
	v.mu.Unlock()
	if known && old.good(now, fresh) {
		return old, nil
	}
	read := v.readSession
	if token {
		read = v.readToken
	}
	s, err := read(ctx, hash)
	switch {
	case err == nil && s.good(now, fresh):
		v.remember(hash, s)
		return s, nil
	case err == nil, errors.Is(err, sql.ErrNoRows):
		v.forget(hash)
		return seen{}, fault.New(op, fault.Unknown, "fault.sign_in")
	case known && old.good(now, withoutDatabase) && ctx.Err() == nil:
		return old, nil
	}
	return seen{}, &fault.Error{Op: op, Kind: fault.Busy, Key: "fault.busy", Err: err}
}

func (v *Service) readSession(ctx context.Context, hash string) (seen, error) {
	var p Person
	var expires int64
	err := v.DB.Read().QueryRowContext(ctx, `SELECT `+personColumns+`, s.expires_ms FROM session s JOIN person p ON p.id = s.person
		WHERE s.hash = $1`, hash).Scan(append(p.into(), &expires)...)
	a := Actor{Person: p.ID, Name: p.Name, Role: p.Role, Home: p.Home, Group: p.Scope.Group, Scope: p.Scope}
	return seen{actor: a, expires: time.UnixMilli(expires), at: v.Now()}, err
}

func (v *Service) readToken(ctx context.Context, hash string) (seen, error) {
	var a Actor
	var scope string
	err := v.DB.Read().QueryRowContext(ctx, `SELECT name, role, scope FROM token WHERE hash = $1 AND revoked_ms = 0`, hash).Scan(&a.Token, &a.Role, &scope)
	a.Name, a.Scope = a.Token, place.ParseScope(scope)
	a.Group = a.Scope.Group
	return seen{actor: a, at: v.Now()}, err
}

func (v *Service) remember(hash string, s seen) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= mostRemembered {
		clear(v.known)
	}
	v.known[hash] = s
}

func (v *Service) forget(hash string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, hash)
}

// extend notes that a resident's session is in use, once a day, and reports its
// new end when the cookie should be written again.
func (v *Service) extend(secret string) (time.Time, bool) {
	hash := digest(secret)
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.known[hash]
	until := v.Now().Add(ResidentSession)
	if !ok || s.expires.IsZero() || s.actor.Role.Officer() || until.Sub(s.expires) < slideEvery || v.slide[hash].After(s.expires) {
		return time.Time{}, false
	}
	v.slide[hash] = until
	return until, true
}
