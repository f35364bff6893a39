package people

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
)

// SessionView is a session as its owner sees it.
type SessionView struct {
	ID      string    `json:"id"`
	Device  string    `json:"device" doc:"Chrome, Android; empty when not known"`
	Way     Way       `json:"way" doc:"how it began: invite, passkey, phrase, province, demo; empty when not known"`
	Began   time.Time `json:"began"`
	Used    time.Time `json:"used" doc:"last use, to the day for a resident"`
	Expires time.Time `json:"expires" doc:"without further use"`
	Current bool      `json:"current" doc:"the one that asks"`
}

// handleLength is how much of a session's digest names it to its owner. It opens
// nothing: the secret itself is 256 bits, and this is a quarter of its hash.
const handleLength = 16

// Sessions lists a person's sessions, last used first. mine is the secret of the
// one that asks.
func (v *Service) Sessions(ctx context.Context, id ID, mine string) ([]SessionView, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT hash, device, way, began_ms, used_ms, expires_ms FROM session WHERE person = $1 AND expires_ms > $2
		ORDER BY used_ms DESC, began_ms DESC, hash`, id, v.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []SessionView{}
	for rows.Next() {
		var s SessionView
		var hash string
		var began, used, expires int64
		if err := rows.Scan(&hash, &s.Device, &s.Way, &began, &used, &expires); err != nil {
			return nil, fmt.Errorf("read sessions: %w", err)
		}
		s.ID, s.Current = hash[:handleLength], hash == digest(mine)
		s.Began, s.Used, s.Expires = store.Instant(began), store.Instant(max(began, used)), store.Instant(expires)
		if u, ok := v.lastUse(hash); ok && u.After(s.Used) {
			s.Used = u.UTC()
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// lastUse is a use that is not written yet.
func (v *Service) lastUse(hash string) (time.Time, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	u, ok := v.slide[hash]
	return u.at, ok
}

// EndSession ends the session that its owner calls handle.
func (v *Service) EndSession(ctx context.Context, id ID, handle string) error {
	const op = "people.EndSession"
	if len(handle) != handleLength {
		return fault.New(op, fault.NotFound, "people.session_unknown")
	}
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person = $1 AND substr(hash, 1, 16) = $2`, id, handle)
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.NotFound, Key: "people.session_unknown", Err: err}
		}
		return nil
	})
	if err == nil {
		v.Changed(id)
	}
	return err
}

// EndOthers ends all sessions of a person but the one whose secret is mine, and
// says how many they were.
func (v *Service) EndOthers(ctx context.Context, id ID, mine string) (int, error) {
	var ended int64
	err := v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM session WHERE person = $1 AND hash <> $2`, id, digest(mine))
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		ended, err = res.RowsAffected()
		return err
	})
	if err == nil {
		v.Changed(id)
	}
	return int(ended), err
}

// Lately reports whether the session behind cookies (the Cookie header) began
// within d: its owner has just proved who he is.
func (v *Service) Lately(ctx context.Context, cookies string, d time.Duration) (bool, error) {
	s, err := v.look(ctx, v.secretOf(cookies), false)
	return err == nil && v.Now().Sub(s.began) <= d, err
}

type sessionsOutput struct{ Body []SessionView }

type cookieInput struct {
	Cookies string `header:"Cookie" hidden:"true"`
}

type sessionInput struct {
	ID string `path:"id" maxLength:"64"`
}

type endedOutput struct {
	Body struct {
		Ended int `json:"ended"`
	}
}

func (v *Service) listSessions(ctx context.Context, in *cookieInput) (*sessionsOutput, error) {
	a, err := signedIn(ctx, "people.Sessions")
	if err != nil {
		return nil, err
	}
	list, err := v.Sessions(ctx, a.Person, v.secretOf(in.Cookies))
	return &sessionsOutput{list}, err
}

func (v *Service) endSession(ctx context.Context, in *sessionInput) (*struct{}, error) {
	a, err := signedIn(ctx, "people.EndSession")
	if err != nil {
		return nil, err
	}
	return nil, v.EndSession(ctx, a.Person, in.ID)
}

func (v *Service) endOthers(ctx context.Context, in *cookieInput) (*endedOutput, error) {
	a, err := signedIn(ctx, "people.EndOthers")
	if err != nil {
		return nil, err
	}
	out := &endedOutput{}
	out.Body.Ended, err = v.EndOthers(ctx, a.Person, v.secretOf(in.Cookies))
	return out, err
}
