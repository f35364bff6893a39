package signin

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
	"github.com/keng-vn/keng/internal/place"
)

// mostPasskeys is how many a person may have: every phone and tablet of a life.
const mostPasskeys = 20

// holder is a person as the library sees him. His handle is the id that says
// nothing about him.
type holder struct {
	person people.Person
	keys   []webauthn.Credential
	texts  []string // of keys, as they are stored
}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return []byte(h.person.ID) }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.person.Name }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.person.Name }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// party is Keng as the holder of keys at origin, the address that the browser
// says it is at.
func (v *Service) party(op, origin string) (*webauthn.WebAuthn, error) {
	want := v.Origin
	if want == "" {
		want = origin
	}
	u, err := url.Parse(want)
	if err != nil || u.Host == "" || v.Origin == "" && u.Hostname() != "localhost" || v.Origin != "" && origin != v.Origin {
		return nil, &fault.Error{Op: op, Kind: fault.Conflict, Key: "signin.not_here", Err: err}
	}
	w, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: "Kẻng", RPOrigins: []string{want}})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys: %w", err)
	}
	return w, nil
}

// verifies is whether the device must verify its owner: always for an officer.
func verifies(p people.Person) protocol.UserVerificationRequirement {
	if p.Role.Officer() {
		return protocol.VerificationRequired
	}
	return protocol.VerificationPreferred
}

// BeginAdd says what a browser needs to make a passkey for a.
func (v *Service) BeginAdd(ctx context.Context, a people.Actor, origin string) (*protocol.CredentialCreation, error) {
	const op = "signin.BeginAdd"
	w, err := v.party(op, origin)
	if err != nil {
		return nil, err
	}
	h, err := v.holder(ctx, op, a.Person)
	if err != nil {
		return nil, err
	}
	if len(h.keys) >= mostPasskeys {
		return nil, fault.New(op, fault.Conflict, "signin.too_many")
	}
	made, _, err := w.BeginRegistration(h, func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = v.challenges.make("add "+string(a.Person), v.Now())
		o.AuthenticatorSelection = selection(h.person)
		o.Attestation = protocol.PreferNoAttestation // which model somebody owns is his business
		for _, k := range h.keys {
			o.CredentialExcludeList = append(o.CredentialExcludeList, k.Descriptor())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("begin passkey: %w", err)
	}
	return made, nil
}

func selection(p people.Person) protocol.AuthenticatorSelection {
	yes := true
	return protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: &yes, UserVerification: verifies(p)}
}

// FinishAdd keeps the passkey that a browser made. name is how its owner calls the
// device.
func (v *Service) FinishAdd(ctx context.Context, a people.Actor, origin, name string, answer []byte) error {
	const op = "signin.FinishAdd"
	w, err := v.party(op, origin)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return refused(op, fault.Invalid, "signin.key_refused", err)
	}
	challenge := parsed.Response.CollectedClientData.Challenge
	if !v.challenges.ours(challenge, "add "+string(a.Person), v.Now()) {
		return fault.New(op, fault.Invalid, "signin.too_late")
	}
	h, err := v.holder(ctx, op, a.Person)
	if err != nil {
		return err
	}
	began := webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: w.Config.RPID, UserID: h.WebAuthnID(), UserVerification: verifies(h.person),
		CredParams: webauthn.CredentialParametersDefault(),
	}
	key, err := w.CreateCredential(h, began, parsed)
	if err != nil {
		return refused(op, fault.Invalid, "signin.key_refused", err)
	}
	if !v.challenges.spend(challenge, v.Now()) {
		return fault.New(op, fault.Invalid, "signin.too_late")
	}
	if name = place.Tidy(name); name == "" || len(name) > 100 {
		name = people.DeviceIn(ctx)
	}
	return v.DB.Tx(ctx, func(tx *sql.Tx) error {
		text, err := json.Marshal(key)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO passkey (id, person, name, data, made_ms, used_ms) VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (id) DO NOTHING`,
			keyID(key.ID), a.Person, name, string(text), v.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("keep passkey: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return &fault.Error{Op: op, Kind: fault.Conflict, Key: "signin.key_known", Err: err}
		}
		return v.record(ctx, tx, "signin.add_key", a.Person)
	})
}

func keyID(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// refused hides from people why the library said no, and tells operators.
func refused(op string, k fault.Kind, key string, err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		err = fmt.Errorf("%w: %s", err, e.DevInfo)
	}
	return &fault.Error{Op: op, Kind: k, Key: key, Err: err}
}

// holder reads a person and his passkeys.
func (v *Service) holder(ctx context.Context, op string, id people.ID) (holder, error) {
	p, err := people.Find(ctx, v.DB.Read(), op, id, v.Now())
	if err != nil {
		return holder{}, err
	}
	h := holder{person: p}
	rows, err := v.DB.Read().QueryContext(ctx, `SELECT data FROM passkey WHERE person = $1 ORDER BY made_ms, id`, id)
	if err != nil {
		return h, fmt.Errorf("read passkeys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		var k webauthn.Credential
		if err := rows.Scan(&text); err != nil {
			return h, fmt.Errorf("read passkeys: %w", err)
		}
		if err := json.Unmarshal([]byte(text), &k); err != nil {
			return h, fmt.Errorf("read passkey: %w", err)
		}
		h.keys, h.texts = append(h.keys, k), append(h.texts, text)
	}
	return h, rows.Err()
}

// BeginIn says what a browser needs to open Keng with any passkey that it has for
// it. verify asks the device to verify its owner.
func (v *Service) BeginIn(origin string, verify bool) (*protocol.CredentialAssertion, error) {
	w, err := v.party("signin.BeginIn", origin)
	if err != nil {
		return nil, err
	}
	need := protocol.VerificationPreferred
	if verify {
		need = protocol.VerificationRequired
	}
	asked, _, err := w.BeginDiscoverableLogin(webauthn.WithChallenge(v.challenges.make("in", v.Now())), webauthn.WithUserVerification(need))
	if err != nil {
		return nil, fmt.Errorf("begin sign-in: %w", err)
	}
	return asked, nil
}

// In begins a session for whoever's passkey signed the answer.
func (v *Service) In(ctx context.Context, origin string, answer []byte) (people.Session, error) {
	const op = "signin.In"
	var none people.Session
	w, err := v.party(op, origin)
	if err != nil {
		return none, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return none, refused(op, fault.Unknown, "signin.key_unknown", err)
	}
	challenge := parsed.Response.CollectedClientData.Challenge
	if !v.challenges.ours(challenge, "in", v.Now()) {
		return none, fault.New(op, fault.Unknown, "signin.too_late")
	}
	var h holder
	find := func(_, handle []byte) (webauthn.User, error) {
		h, err = v.holder(ctx, op, people.ID(handle))
		return h, err
	}
	_, key, err := w.ValidatePasskeyLogin(find, webauthn.SessionData{Challenge: challenge, RelyingPartyID: w.Config.RPID, UserVerification: protocol.VerificationPreferred}, parsed)
	if err != nil {
		return none, refused(op, fault.Unknown, "signin.key_unknown", err)
	}
	if h.person.Role.Officer() && !parsed.Response.AuthenticatorData.Flags.HasUserVerified() {
		return none, fault.New(op, fault.Unknown, "signin.verify")
	}
	if key.Authenticator.CloneWarning {
		v.Log.Warn("a passkey's counter went back: it may be a copy", "person", string(h.person.ID))
		return none, fault.New(op, fault.Unknown, "signin.key_copied")
	}
	if !v.challenges.spend(challenge, v.Now()) {
		return none, fault.New(op, fault.Unknown, "signin.too_late")
	}
	var s people.Session
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if err := v.used(ctx, tx, op, h, key); err != nil {
			return err
		}
		s, err = v.People.Begin(ctx, tx, op, h.person.ID, people.ByPasskey)
		return err
	})
	return s, err
}

// used writes the counter of a passkey down, unless it was removed meanwhile or
// used at the same moment: of two with one counter, one is a copy.
func (v *Service) used(ctx context.Context, tx *sql.Tx, op string, h holder, key *webauthn.Credential) error {
	after, err := json.Marshal(key)
	if err != nil {
		return err
	}
	before := ""
	for i, k := range h.keys {
		if bytes.Equal(k.ID, key.ID) {
			before = h.texts[i]
		}
	}
	res, err := tx.ExecContext(ctx, `UPDATE passkey SET data = $1, used_ms = $2 WHERE id = $3 AND person = $4 AND data = $5`,
		string(after), v.Now().UnixMilli(), keyID(key.ID), h.person.ID, before)
	if err != nil {
		return fmt.Errorf("write passkey: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return &fault.Error{Op: op, Kind: fault.Unknown, Key: "signin.key_unknown", Err: err}
	}
	return nil
}

// Works reports whether passkeys can be used by a browser that is at host, as far
// as the server knows, and the address at which they can.
func (v *Service) Works(host string, secure bool) (ok bool, at string) {
	if v.Origin != "" {
		return v.Origin == map[bool]string{true: "https://", false: "http://"}[secure]+host, v.Origin
	}
	u := url.URL{Host: host}
	return u.Hostname() == "localhost", ""
}

var _ webauthn.User = holder{}
