package signin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
)

// Argon2id as OWASP's password storage cheat sheet has it: 19 MiB, two passes.
const (
	argonPasses   = 2
	argonKiB      = 19 << 10
	argonLanes    = 1
	phrasesAtOnce = 2 // 38 MiB and two processors at most; others wait
	phraseWait    = 10 * time.Second
)

// paper is a card and its phrase as they are stored.
type paper struct {
	card   string
	person people.ID
	salt   []byte
	hash   []byte
	code   string // sealed; "" for a resident
	step   int64  // of the last code that was used
}

// Paper is what somebody writes on paper. It is shown once.
type Paper struct {
	Card  string   `json:"card" doc:"4172 0395: says whose it is"`
	Words []string `json:"words" doc:"six pairs: the secret"`
	Code  *Code    `json:"code" doc:"an officer's secret for codes; null for a resident"`
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// derive makes two keys of a phrase: one that knows it again, one that seals what
// only its owner may open. It takes a while, on purpose.
func derive(phrase string, salt []byte) (known, sealing []byte) {
	k := argon2.IDKey([]byte(phrase), salt, argonPasses, argonKiB, argonLanes, 64)
	return k[:32], k[32:]
}

// check is what is stored of the key that knows a phrase again.
func check(known []byte) []byte {
	sum := sha256.Sum256(known)
	return sum[:]
}

// newCard draws eight digits, no zero in front.
func newCard() string {
	n, err := rand.Int(rand.Reader, big.NewInt(90_000_000))
	if err != nil {
		panic(err) // the system's random numbers never fail
	}
	return fmt.Sprint(n.Int64() + 10_000_000)
}

// ShowCard writes a card's number as people read it aloud: "4172 0395".
func ShowCard(card string) string {
	if len(card) != 8 {
		return card
	}
	return card[:4] + " " + card[4:]
}

// readCard is the inverse of [ShowCard], forgiving spaces, points and dashes.
func readCard(s string) (string, bool) {
	if len(s) > 40 {
		return "", false
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-\u00a0\t", r) {
			return -1
		}
		return r
	}, s)
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		return "", false
	}
	return s, true
}

// crowded waits for room to try a phrase: memory for a few is all there is.
func (v *Service) crowded(ctx context.Context, op string) (leave func(), err error) {
	timer := time.NewTimer(phraseWait)
	defer timer.Stop()
	select {
	case v.room <- struct{}{}:
		return func() { <-v.room }, nil
	case <-timer.C:
		return nil, fault.New(op, fault.Busy, "fault.busy")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// MakePhrase makes the paper of a, and for an officer the secret for codes. One
// that he had is good no more.
func (v *Service) MakePhrase(ctx context.Context, a people.Actor) (Paper, error) {
	const op = "signin.MakePhrase"
	p, err := people.Find(ctx, v.DB.Read(), op, a.Person, v.Now())
	if err != nil {
		return Paper{}, err
	}
	leave, err := v.crowded(ctx, op)
	if err != nil {
		return Paper{}, err
	}
	defer leave()
	out := Paper{Words: newPhrase()}
	phrase, _, ok := readPhrase(strings.Join(out.Words, " "))
	if !ok {
		return Paper{}, fmt.Errorf("a phrase of our own cannot be read")
	}
	salt, card := random(16), newCard()
	known, sealing := derive(phrase, salt)
	sealed := ""
	if p.Role.Officer() {
		secret := random(codeSecret)
		if sealed, err = seal(sealing, secret, card); err != nil {
			return Paper{}, err
		}
		if out.Code, err = newCode(secret, card); err != nil {
			return Paper{}, err
		}
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM phrase WHERE person = $1`, p.ID); err != nil {
			return fmt.Errorf("end phrase: %w", err)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO phrase (card, person, salt, hash, code, step, made_ms, used_ms) VALUES ($1, $2, $3, $4, $5, 0, $6, 0)`,
			card, p.ID, text64(salt), text64(check(known)), sealed, v.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("keep phrase: %w", err) // of 90 million numbers this one was drawn before: once more
		}
		return v.record(ctx, tx, "signin.add_phrase", p.ID)
	})
	out.Card = ShowCard(card)
	return out, err
}

func text64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Tried is what somebody typed to come in by paper.
type Tried struct {
	Card  string
	Words string
	Code  string // six digits, for an officer
}

// InByPhrase begins a session for whoever has the paper, and the code if he is an
// officer. Everything that is not right gets the same answer at the same cost:
// a card that nobody has, wrong words, a wrong, missing or used code.
func (v *Service) InByPhrase(ctx context.Context, t Tried) (people.Session, error) {
	const op = "signin.InByPhrase"
	var s people.Session
	card, ok := readCard(t.Card)
	if !ok {
		return s, fault.New(op, fault.Invalid, "signin.card_wrong")
	}
	phrase, stranger, ok := readPhrase(t.Words)
	switch {
	case stranger != "":
		return s, &fault.Error{Op: op, Kind: fault.Invalid, Key: "signin.word_unknown", Args: map[string]any{"word": stranger}}
	case !ok:
		return s, fault.New(op, fault.Invalid, "signin.words_wrong")
	}
	if wait := v.tries.begin(card, v.Now()); wait > 0 {
		return s, &fault.Error{Op: op, Kind: fault.Busy, Key: "signin.wait", Args: map[string]any{"seconds": int((wait + time.Second - 1) / time.Second)}}
	}
	leave, err := v.crowded(ctx, op)
	if err != nil {
		return s, err
	}
	defer leave()
	had, err := v.paperOf(ctx, card)
	if err != nil {
		return s, err
	}
	known, sealing := derive(phrase, had.salt)
	if subtle.ConstantTimeCompare(check(known), had.hash) != 1 || had.person == "" {
		return s, fault.New(op, fault.Unknown, "signin.wrong")
	}
	err = v.DB.Tx(ctx, func(tx *sql.Tx) error {
		p, err := people.Find(ctx, tx, op, had.person, v.Now())
		if err != nil {
			return err
		}
		step := had.step
		if p.Role.Officer() {
			if step, err = v.rightCode(had, sealing, t.Code); err != nil {
				return err
			}
		}
		res, err := tx.ExecContext(ctx, `UPDATE phrase SET step = $1, used_ms = $2 WHERE card = $3 AND hash = $4 AND step = $5`, step, v.Now().UnixMilli(), card, text64(had.hash), had.step)
		if err != nil {
			return fmt.Errorf("write phrase: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 { // ended, or its code used, in this moment
			return &fault.Error{Op: op, Kind: fault.Unknown, Key: "signin.wrong", Err: err}
		}
		s, err = v.People.Begin(ctx, tx, op, p.ID, people.ByPhrase)
		return err
	})
	if err == nil {
		v.tries.right(card)
	}
	return s, err
}

// paperOf reads a card, or the dummy when nobody has it.
func (v *Service) paperOf(ctx context.Context, card string) (paper, error) {
	p := paper{card: card}
	var salt, hash string
	err := v.DB.Read().QueryRowContext(ctx, `SELECT person, salt, hash, code, step FROM phrase WHERE card = $1`, card).Scan(&p.person, &salt, &hash, &p.code, &p.step)
	if errors.Is(err, sql.ErrNoRows) {
		return v.dummy, nil
	}
	if err == nil {
		p.salt, err = base64.RawURLEncoding.DecodeString(salt)
	}
	if err == nil {
		p.hash, err = base64.RawURLEncoding.DecodeString(hash)
	}
	if err != nil {
		return p, fmt.Errorf("read phrase: %w", err)
	}
	return p, nil
}

// seal closes secret with key for one card.
func seal(key, secret []byte, card string) (string, error) {
	box, err := boxOf(key)
	if err != nil {
		return "", err
	}
	nonce := random(box.NonceSize())
	return text64(box.Seal(nonce, nonce, secret, []byte(card))), nil
}

// unseal is the inverse of seal.
func unseal(key []byte, sealed, card string) ([]byte, error) {
	box, err := boxOf(key)
	if err != nil {
		return nil, err
	}
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < box.NonceSize() {
		return nil, errors.New("this was not sealed here")
	}
	return box.Open(nil, b[:box.NonceSize()], b[box.NonceSize():], []byte(card))
}

func boxOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
