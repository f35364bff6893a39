package signin

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/keng-vn/keng/internal/engine/fault"
	"github.com/keng-vn/keng/internal/people"
)

const (
	codeSecret = 20               // bytes, as RFC 4226 wants
	codeStep   = 30 * time.Second // RFC 6238; what authenticator apps know
	codeDrift  = 1                // steps that a telephone's clock may be off
)

// Code is the secret of an officer's authenticator app, shown once.
type Code struct {
	Secret string `json:"secret" doc:"base32, to be typed in"`
	URI    string `json:"uri" doc:"otpauth://..."`
	QR     string `json:"qr" doc:"the URI as a picture, data:image/svg+xml"`
}

func newCode(secret []byte, card string) (*Code, error) {
	k, err := totp.Generate(totp.GenerateOpts{Issuer: "Keng", AccountName: card, Secret: secret})
	if err != nil {
		return nil, fmt.Errorf("make code: %w", err)
	}
	pic, err := people.QR(k.URL())
	return &Code{k.Secret(), k.URL(), pic}, err
}

// rightCode is the step of code, if it is right and later than the last that was
// used: a code over somebody's shoulder is good for nothing.
func (v *Service) rightCode(p paper, sealing []byte, code string) (int64, error) {
	const op = "signin.InByPhrase"
	wrong := fault.New(op, fault.Unknown, "signin.wrong")
	if p.code == "" {
		return 0, wrong // made while he was a resident
	}
	secret, err := unseal(sealing, p.code, p.card)
	if err != nil {
		return 0, fmt.Errorf("open the secret for codes: %w", err)
	}
	now := v.Now().Unix() / int64(codeStep/time.Second)
	for step := max(now-codeDrift, p.step+1); step <= now+codeDrift; step++ {
		want, err := codeAt(secret, step)
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, nil
		}
	}
	return 0, wrong
}

// codeAt is the code of one step of 30 seconds.
func codeAt(secret []byte, step int64) (string, error) {
	s := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	code, err := hotp.GenerateCodeCustom(s, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return code, nil
}
