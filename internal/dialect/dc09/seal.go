package dc09

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// How far the time of an encrypted message may be from ours. Source: ANSI/SIA
// DC-09-2013, 5.5.1.8.
const (
	oldest = -40 * time.Second
	newest = 20 * time.Second
)

// ParseKey reads an AES key of 128, 192 or 256 bits from hexadecimal digits.
func ParseKey(s string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, errors.New("key is not written in hexadecimal digits")
	}
	switch len(key) {
	case 16, 24, 32:
		return key, nil
	}
	return nil, fmt.Errorf("key has %d bits; 128, 192 or 256 (32, 48 or 64 digits) are possible", 8*len(key))
}

// Open decrypts f. An error means that the key is wrong or that what was sealed
// has no readable time.
func (f Frame) Open(key []byte) (Frame, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return f, fmt.Errorf("key: %w", err)
	}
	plain := make([]byte, len(f.cipher))
	cipher.NewCBCDecrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(plain, f.cipher)
	if err := f.content(unpad(string(plain), f.account)); err != nil {
		return f, fmt.Errorf("wrong key? %w", err)
	}
	if f.Stamp.IsZero() {
		return f, errors.New("wrong key? no readable time in the encrypted part")
	}
	f.cipher = nil
	return f, nil
}

// unpad drops the padding: all before "#<account>|" where the data repeats the
// account, else up to the first "|", or up to the bracket of an empty message.
func unpad(plain, account string) string {
	if i := strings.Index(plain, "#"+account+"|"); account != "" && i >= 0 {
		return plain[i:]
	}
	i := strings.IndexAny(plain, "|]")
	if i >= 0 && plain[i] == '|' {
		i++
	}
	return plain[max(i, 0):]
}

// fresh reports whether the time of an encrypted frame is near enough to now.
func (f Frame) fresh(now time.Time) bool {
	d := f.Stamp.Sub(now)
	return d >= oldest && d <= newest
}

// Ack is the answer that f was understood and kept. It is encrypted when f was.
func (f Frame) Ack(now time.Time, key []byte) ([]byte, error) {
	if !f.Encrypted {
		stamp := ""
		if !f.Stamp.IsZero() {
			stamp = now.UTC().Format(timeLayout)
		}
		return f.wrap(`"ACK"` + f.head() + "[]" + stamp), nil
	}
	region, err := seal("|]"+now.UTC().Format(timeLayout), key)
	if err != nil {
		return nil, err
	}
	return f.wrap(`"*ACK"` + f.head() + "[" + region), nil
}

// Nak tells the panel our time, so that it sets its clock and sends again. It is
// never encrypted. Source: ANSI/SIA DC-09-2013, 5.5.3.2.
func (f Frame) Nak(now time.Time) []byte {
	return f.wrap(`"NAK"0000R0L0A0[]` + now.UTC().Format(timeLayout))
}

// Duh tells the panel that we cannot use f and that it shall not repeat it. It is
// never encrypted. Source: ANSI/SIA DC-09-2013, 5.5.3.3.
func (f Frame) Duh() []byte { return f.wrap(`"DUH"` + f.head() + "[]") }

// head repeats what the panel sent, so that it knows its message again.
func (f Frame) head() string {
	line := f.Line
	if line == "" {
		line = "L0"
	}
	s := f.Seq + f.Receiver + line
	if f.account != "" {
		s += "#" + f.account
	}
	return s
}

// wrap puts body between LF and CR, with CRC and length in f's own form.
func (f Frame) wrap(body string) []byte {
	crc := crc16([]byte(body))
	head := fmt.Sprintf("%04X", crc)
	if f.binaryCRC {
		head = string([]byte{byte(crc >> 8), byte(crc)})
	}
	return fmt.Appendf(nil, "\n%s%04X%s\r", head, len(body), body)
}

// seal pads region with 1 to 16 bytes in front, encrypts it and writes it in digits.
func seal(region string, key []byte) (string, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fmt.Errorf("key: %w", err)
	}
	plain := append(padding(aes.BlockSize-len(region)%aes.BlockSize), region...)
	cipher.NewCBCEncrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(plain, plain)
	return strings.ToUpper(hex.EncodeToString(plain)), nil
}

// padding is n random letters and digits: never "|", "[" or "]".
func padding(n int) []byte { return bytes.Clone([]byte(rand.Text())[:n]) }
