package people

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/engine/store"
	"github.com/keng-vn/keng/internal/place"
)

// tokenRoles are the roles that a program may have. A member is always a person.
var tokenRoles = []Role{Desk, Leader, Deputy, Auditor, Admin}

// Token is what may be known of a bearer token after it was made.
type Token struct {
	Name    string
	Role    Role
	Scope   place.Scope
	Reads   bool // reads and never acts
	Made    time.Time
	Expires time.Time // zero for never
	Revoked time.Time // zero while it is good
}

// TokenWish says what a new token shall be.
type TokenWish struct {
	Role  Role
	Scope place.Scope   // a unit, or for a leader or deputy also a group; zero for an admin: the province
	Name  string        // how it stands in records; "" makes one up
	For   time.Duration // 0 for no end
	Reads bool          // reads and never acts
}

// CreateToken is [Service.MakeToken] for a token without an end.
func (v *Service) CreateToken(ctx context.Context, r Role, scope place.Scope, name string) (secret string, err error) {
	return v.MakeToken(ctx, TokenWish{Role: r, Scope: scope, Name: name})
}

// MakeToken makes a bearer token and returns its secret, which nobody can find
// out again.
func (v *Service) MakeToken(ctx context.Context, t TokenWish) (secret string, err error) {
	const op = "people.CreateToken"
	r, scope, name := t.Role, t.Scope, t.Name
	if !slices.Contains(tokenRoles, r) {
		return "", &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.role_unknown", Args: map[string]any{"role": string(r)}}
	}
	if r == Admin && scope == (place.Scope{}) {
		scope.Unit = place.Province().Code
	}
	if t.For < 0 {
		return "", fault.New(op, fault.Invalid, "people.token_past")
	}
	var expires int64
	if t.For > 0 {
		expires = v.Now().Add(t.For).UnixMilli()
	}
	name = place.Tidy(name)
	if name == "" {
		name = fmt.Sprintf("%s-%s-%s", r, scope, strings.ToLower(newCode()[:6]))
	}
	if len(name) > 100 {
		return "", fault.New(op, fault.Invalid, "people.name_needed")
	}
	secret = "keng_" + newSecret()
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if err := checkScope(ctx, tx, op, r, scope); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO token (name, hash, role, scope, made_ms, revoked_ms, expires_ms, reads) VALUES ($1, $2, $3, $4, $5, 0, $6, $7) ON CONFLICT DO NOTHING`,
			name, digest(secret), r, scope.String(), v.Now().UnixMilli(), expires, bit(t.Reads))
		if err != nil {
			return fmt.Errorf("write token: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.Conflict, Key: "people.token_exists", Args: map[string]any{"name": name}, Err: err}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// checkScope refuses a unit that does not exist, and a group unless it exists
// and the role is held in groups.
func checkScope(ctx context.Context, tx *sql.Tx, op string, r Role, s place.Scope) error {
	if s.Group == "" {
		if _, ok := place.UnitOf(s.Unit); !ok {
			return &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.unit_unknown", Args: map[string]any{"unit": string(s.Unit)}}
		}
		return nil
	}
	exists, err := place.GroupExists(ctx, tx, s.Group)
	if err != nil {
		return err
	}
	if !exists || r.Officer() {
		return &fault.Error{Op: op, Kind: fault.Invalid, Key: "people.unit_unknown", Args: map[string]any{"unit": s.String()}}
	}
	return nil
}

// RevokeToken ends a token; in every process within a second.
func (v *Service) RevokeToken(ctx context.Context, name string) error {
	const op = "people.RevokeToken"
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE token SET revoked_ms = $1 WHERE name = $2 AND revoked_ms = 0`, v.Now().UnixMilli(), name)
		if err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.NotFound, Key: "people.token_unknown", Args: map[string]any{"name": name}, Err: err}
		}
		return nil
	})
}

// Tokens lists all tokens, revoked ones too, by name.
func (v *Service) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT name, role, scope, made_ms, revoked_ms, expires_ms, reads FROM token ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []Token
	for rows.Next() {
		var t Token
		var scope string
		var made, revoked, expires int64
		if err := rows.Scan(&t.Name, &t.Role, &scope, &made, &revoked, &expires, &t.Reads); err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		t.Scope, t.Made, t.Expires, t.Revoked = place.ParseScope(scope), store.Instant(made), store.Instant(expires), store.Instant(revoked)
		list = append(list, t)
	}
	return list, rows.Err()
}
