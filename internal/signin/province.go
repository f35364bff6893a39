package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
)

// Province is the province's own sign-in, an OpenID Connect provider. Officers who
// were invited link their account once; nobody comes in whom Keng does not know.
type Province struct {
	Issuer   string // "https://sso.example.vn"
	ClientID string
	Secret   string
	Client   *http.Client // nil: the usual one

	mu    sync.Mutex
	found *oidc.Provider // asked for when it is needed first: Keng starts without it
}

const (
	provinceWait = 10 * time.Second // for the provider to answer
	errandFor    = 10 * time.Minute // for somebody to sign in there
)

// errand is what a browser carries to the provider and back, sealed in a cookie.
type errand struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`           // PKCE
	Link     people.ID `json:"l,omitempty"` // who wants to link his account; "" to come in
	Until    int64     `json:"u"`           // Unix ms
}

func (p *Province) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	found, err := oidc.NewProvider(p.with(ctx), p.Issuer)
	if err != nil {
		return nil, &fault.Error{Op: "signin.Province", Kind: fault.Busy, Key: "signin.province_away", Err: err}
	}
	p.found = found
	return found, nil
}

// with lets the libraries use our client.
func (p *Province) with(ctx context.Context) context.Context {
	c := p.Client
	if c == nil {
		c = &http.Client{Timeout: provinceWait}
	}
	return oidc.ClientContext(ctx, c)
}

func (p *Province) config(found *oidc.Provider, back string) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: found.Endpoint(), RedirectURL: back, Scopes: []string{oidc.ScopeOpenID}}
}

// Depart says where to send a browser, and what it must carry. back is the
// address to which the provider sends it back.
func (v *Service) Depart(ctx context.Context, back string, link people.ID) (to, carry string, err error) {
	ctx, cancel := context.WithTimeout(ctx, provinceWait)
	defer cancel()
	found, err := v.Province.provider(ctx)
	if err != nil {
		return "", "", err
	}
	e := errand{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Link: link, Until: v.Now().Add(errandFor).UnixMilli()}
	text, err := json.Marshal(e)
	if err != nil {
		return "", "", err
	}
	if carry, err = seal(v.challenges.key[:], text, "province"); err != nil {
		return "", "", err
	}
	to = v.Province.config(found, back).AuthCodeURL(e.State, oidc.Nonce(e.Nonce), oauth2.S256ChallengeOption(e.Verifier))
	return to, carry, nil
}

// Return takes a browser that comes back from the provider: it links the account
// of whoever left to do so, and begins a session for everybody else.
func (v *Service) Return(ctx context.Context, a people.Actor, back, carry, state, code string) (people.Session, error) {
	const op = "signin.Return"
	var s people.Session
	e, ok := v.carried(carry)
	if !ok || subtle.ConstantTimeCompare([]byte(e.State), []byte(state)) != 1 || e.Link != "" && e.Link != a.Person {
		return s, fault.New(op, fault.Invalid, "signin.too_late")
	}
	ctx, cancel := context.WithTimeout(ctx, provinceWait)
	defer cancel()
	subject, err := v.Province.subject(ctx, back, code, e)
	if err != nil {
		return s, err
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if e.Link != "" {
			return v.link(ctx, tx, subject, e.Link)
		}
		var id people.ID
		err := tx.QueryRowContext(ctx, `UPDATE province_link SET used_ms = $1 WHERE issuer = $2 AND subject = $3 RETURNING person`, v.Now().UnixMilli(), v.Province.Issuer, subject).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(op, fault.Unknown, "signin.province_unknown")
		}
		if err != nil {
			return fmt.Errorf("read link: %w", err)
		}
		s, err = v.People.Begin(ctx, tx, op, id, people.ByProvince)
		return err
	})
	return s, err
}

func (v *Service) carried(carry string) (e errand, ok bool) {
	text, err := unseal(v.challenges.key[:], carry, "province")
	if err != nil || json.Unmarshal(text, &e) != nil {
		return e, false
	}
	return e, v.Now().UnixMilli() < e.Until
}

// subject is whom the provider says the browser is.
func (p *Province) subject(ctx context.Context, back, code string, e errand) (string, error) {
	const op = "signin.Return"
	found, err := p.provider(ctx)
	if err != nil {
		return "", err
	}
	got, err := p.config(found, back).Exchange(p.with(ctx), code, oauth2.VerifierOption(e.Verifier))
	if err != nil {
		return "", &fault.Error{Op: op, Kind: fault.Unknown, Key: "signin.province_refused", Err: errors.New("the provider took the code for wrong, or was away")}
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		return "", fault.New(op, fault.Unknown, "signin.province_refused")
	}
	token, err := found.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(p.with(ctx), raw)
	if err != nil || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(e.Nonce)) != 1 || token.Subject == "" {
		return "", fault.New(op, fault.Unknown, "signin.province_refused")
	}
	return token.Subject, nil
}

// link lets an officer come in by his account from now on.
func (v *Service) link(ctx context.Context, tx *sql.Tx, subject string, id people.ID) error {
	const op = "signin.Link"
	res, err := tx.ExecContext(ctx, `INSERT INTO province_link (issuer, subject, person, made_ms, used_ms) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING`,
		v.Province.Issuer, subject, id, v.Now().UnixMilli())
	if err != nil {
		return fmt.Errorf("keep link: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return &fault.Error{Op: op, Kind: fault.Conflict, Key: "signin.key_known", Err: err}
	}
	return v.record(ctx, tx, "signin.link", id)
}
