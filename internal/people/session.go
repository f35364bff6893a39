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
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// Cookie is the name of the cookie that holds a session's secret where Keng is
// reached by plain http, which only a loopback address should be.
const Cookie = "keng_session"

// SecureCookie is its name where everybody comes by https. A browser takes a
// cookie of that name only from Keng itself, never from a neighbouring site.
const SecureCookie = "__Host-keng"

// Way is how somebody came in. Values are stored; append only.
type Way string

// The ways in.
const (
	ByInvite   Way = "invite"
	ByPasskey  Way = "passkey"
	ByPhrase   Way = "phrase"   // six pairs of words on paper
	ByProvince Way = "province" // the province's own sign-in
	ByDemo     Way = "demo"
)

// Session is a person signed in on one device.
type Session struct {
	Person  Person
	Secret  string    // goes into the cookie; stored hashed
	Expires time.Time // without further use
	Ends    time.Time // however much it is used; zero for never
}

// keep is how long the browser may keep the session's cookie. An officer's idle
// time is the server's business: an open desk is in use.
func (s Session) keep() time.Time {
	if !s.Ends.IsZero() {
		return s.Ends
	}
	return s.Expires
}

// SignIn begins a session of a person without an invite. Only the demo does so.
func (v *Service) SignIn(ctx context.Context, id ID) (Session, error) {
	var s Session
	err := v.DB.Tx(ctx, func(tx *sql.Tx) (err error) {
		s, err = v.Begin(ctx, tx, "people.SignIn", id, ByDemo)
		return err
	})
	return s, err
}

// Begin begins a session inside tx, for whoever has proved who he is. The device
// is the one behind ctx.
func (v *Service) Begin(ctx context.Context, tx *sql.Tx, op string, id ID, way Way) (Session, error) {
	p, err := findPerson(ctx, tx, op, id, v.Now())
	if err != nil {
		return Session{}, err
	}
	now := v.Now()
	l := v.limits(p, now)
	s := Session{Person: p, Secret: newSecret(), Ends: l.end(now)}
	s.Expires = l.until(now, s.Ends)
	_, err = tx.ExecContext(ctx, `INSERT INTO session (hash, person, began_ms, expires_ms, device, way, used_ms, ends_ms) VALUES ($1, $2, $3, $4, $5, $6, $3, $7)`,
		digest(s.Secret), id, now.UnixMilli(), s.Expires.UnixMilli(), DeviceIn(ctx), way, store.Millis(s.Ends))
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
	v.drop(func(h string, _ seen) bool { return h == hash })
	return nil
}

// seen is what the last look at a session or token found.
type seen struct {
	actor   Actor     // with every post that nobody ended; [Actor.at] says which are held
	expires time.Time // zero for a token that has no end
	ends    time.Time // zero for never
	limit   limit
	began   time.Time // zero for a token
	way     Way
	reads   bool      // a token that reads and never acts
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
	s, err := v.authenticate(r)
	return s.actor, err
}

func (v *Service) authenticate(r *http.Request) (seen, error) {
	secret, token := v.credentials(r)
	if secret == "" && !token {
		return seen{}, nil
	}
	s, err := v.look(r.Context(), secret, token)
	s.actor = s.actor.at(v.Now())
	return s, err
}

// bearer reports the token that r brings.
func bearer(r *http.Request) (secret string, ok bool) {
	kind, value, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(kind, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(value), true
}

// credentials are what r brings: a token before a cookie.
func (v *Service) credentials(r *http.Request) (secret string, token bool) {
	if secret, token = bearer(r); token {
		return secret, true
	}
	return v.secretOf(r.Header.Get("Cookie")), false
}

func (v *Service) look(ctx context.Context, secret string, token bool) (seen, error) {
	const op = "people.Authenticate"
	now, hash := v.Now(), digest(secret)
	v.mu.Lock()
	old, known := v.known[hash]
	until := v.slide[hash].until
	v.mu.Unlock()
	if known && old.good(now, fresh) {
		v.touch(hash, old, now)
		return old, nil
	}
	read := v.readSession
	if token {
		read = v.readToken
	}
	s, err := read(ctx, hash)
	if until.After(s.expires) && !s.expires.IsZero() { // used since it was last written
		s.expires = until
	}
	switch {
	case err == nil && s.good(now, fresh):
		v.remember(hash, s)
		v.touch(hash, s, now)
		return s, nil
	case err == nil, errors.Is(err, sql.ErrNoRows):
		v.drop(func(h string, _ seen) bool { return h == hash })
		return seen{}, fault.New(op, fault.Unknown, "fault.sign_in")
	case known && old.good(now, withoutDatabase) && ctx.Err() == nil:
		return old, nil
	}
	return seen{}, &fault.Error{Op: op, Kind: fault.Busy, Key: "fault.busy", Err: err}
}

func (v *Service) readSession(ctx context.Context, hash string) (seen, error) {
	var p Person
	var began, expires, ends int64
	s := seen{at: v.Now()}
	err := v.DB.Read().QueryRowContext(ctx, `SELECT `+personColumns+`, s.began_ms, s.expires_ms, s.ends_ms, s.way FROM session s JOIN person p ON p.id = s.person
		WHERE s.hash = $1`, hash).Scan(append(p.into(), &began, &expires, &ends, &s.way)...)
	if err != nil {
		return s, err
	}
	if p.Posts, err = heldBy(ctx, v.DB.Read(), p.ID); err != nil {
		return s, err
	}
	s.actor = p.actor()
	s.began, s.expires, s.ends, s.limit = time.UnixMilli(began), time.UnixMilli(expires), store.Instant(ends), v.limits(p.at(s.at), s.at)
	return s, nil
}

func (v *Service) readToken(ctx context.Context, hash string) (seen, error) {
	var a Actor
	var scope string
	var expires int64
	s := seen{at: v.Now()}
	err := v.DB.Read().QueryRowContext(ctx, `SELECT name, role, scope, expires_ms, reads FROM token WHERE hash = $1 AND revoked_ms = 0`, hash).Scan(&a.Token, &a.Role, &scope, &expires, &s.reads)
	a.Name, a.Scope = a.Token, place.ParseScope(scope)
	a.Group = a.Scope.Group
	s.actor, s.expires = a, store.Instant(expires)
	return s, err
}

func (v *Service) remember(hash string, s seen) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= mostRemembered {
		clear(v.known)
		clear(v.cookies)
	}
	v.known[hash] = s
}

// drop forgets what is known of sessions and tokens that match, so that the next
// request asks the database.
func (v *Service) drop(match func(hash string, s seen) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for hash, s := range v.known {
		if match(hash, s) {
			delete(v.known, hash)
			delete(v.slide, hash)
			delete(v.cookies, hash)
		}
	}
}

// use is a session that was used since it was last written.
type use struct{ at, until time.Time }

// touch notes that a session is in use, so that it lasts.
func (v *Service) touch(hash string, s seen, now time.Time) {
	if s.began.IsZero() {
		return
	}
	until := s.limit.until(now, s.ends)
	v.mu.Lock()
	defer v.mu.Unlock()
	k, ok := v.known[hash]
	if !ok || until.Sub(k.expires) < s.limit.step() {
		return
	}
	k.expires = until
	v.known[hash], v.slide[hash] = k, use{now, until}
	if s.ends.IsZero() {
		v.cookies[hash] = until
	}
}

// extend reports the new end of a session whose cookie should be written again:
// once a day at most, and only where it has no fixed end.
func (v *Service) extend(secret string) (time.Time, bool) {
	hash := digest(secret)
	v.mu.Lock()
	defer v.mu.Unlock()
	until, ok := v.cookies[hash]
	delete(v.cookies, hash)
	return until, ok
}
