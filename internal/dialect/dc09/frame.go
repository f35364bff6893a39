package dc09

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Frame is one message of a panel: LF crc 0LLL "id" seq Rrcvr Lpref #acct [data][extended]_time CR.
type Frame struct {
	Token     string    // "SIA-DCS", "ADM-CID", "NULL"; without the "*" of an encrypted one
	Encrypted bool      // Data, Extended and Stamp are empty until [Frame.Open]
	Seq       string    // four digits
	Receiver  string    // "R0" as sent, "" when absent
	Line      string    // "L0" as sent
	Account   string    // upper case; of the header, else of the data
	Data      string    // between the brackets, without the account: "Nri1/FA05"
	Extended  []string  // further brackets: "X006E07.77", "Y49N06.66"
	Stamp     time.Time // UTC, zero when absent or unreadable

	CRCOK     bool
	LengthOK  bool
	binaryCRC bool   // the CRC came as two raw bytes
	account   string // of the header, as sent
	cipher    []byte // what is encrypted
}

// timeLayout is _HH:MM:SS,MM-DD-YYYY, in UTC.
const timeLayout = "_15:04:05,01-02-2006"

// header forms: how many bytes stand before the quote of "id".
const (
	noHeader     = 0
	binaryHeader = 6 // two raw bytes of CRC, four digits of length
	asciiHeader  = 8 // four digits each
)

// headerForm says in which form b begins, without its LF.
func headerForm(b []byte) int {
	switch {
	case len(b) > asciiHeader && b[asciiHeader] == '"' && isHex(b[:asciiHeader]):
		return asciiHeader
	case len(b) > binaryHeader && b[binaryHeader] == '"' && isHex(b[2:binaryHeader]):
		return binaryHeader
	}
	return noHeader
}

func isHex(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// Cut takes the first whole frame off a stream and drops what is before it. ok is
// false when more bytes are needed; rest is then all that must be kept.
func Cut(stream []byte) (frame, rest []byte, ok bool) {
	for i := range stream {
		start := i
		switch {
		case stream[i] == '\n':
			start++
		case i > 0: // a frame begins after LF; only at the very start some leave it out
			continue
		}
		form := headerForm(stream[start:])
		if form == noHeader {
			if len(stream)-start <= asciiHeader && mayBegin(stream[start:], start > i) {
				return nil, stream[i:], false
			}
			continue
		}
		body := stream[start+form:]
		end := bytes.IndexByte(body, '\r')
		if end < 0 {
			return nil, stream[i:], false
		}
		return stream[start : start+form+end], body[end+1:], true
	}
	return nil, nil, false
}

// mayBegin reports whether a few bytes may still become a header.
func mayBegin(b []byte, afterLF bool) bool { return afterLF || isHex(b) }

// Parse reads a frame without its LF and CR. Whether CRC and length fit is for
// the caller to judge; an error means that it is no DC-09 frame at all.
func Parse(b []byte) (Frame, error) {
	b = bytes.TrimRight(b, "\r\n\x00")
	form := headerForm(b)
	if form == noHeader { // a raw CRC may begin with LF too, so LF goes only now
		b = bytes.TrimPrefix(b, []byte("\n"))
		form = headerForm(b)
	}
	if form == noHeader {
		return Frame{}, errors.New(`no DC-09 frame: crc, length and "id" expected`)
	}
	body := b[form:]
	length, err := strconv.ParseUint(string(b[form-4:form]), 16, 32)
	f := Frame{
		binaryCRC: form == binaryHeader,
		LengthOK:  err == nil && int(length) == len(body),
		CRCOK:     headerCRC(b, form) == crc16(body),
	}
	if err := f.body(string(body)); err != nil {
		return Frame{}, err
	}
	return f, nil
}

func headerCRC(b []byte, form int) uint16 {
	if form == binaryHeader {
		return uint16(b[0])<<8 | uint16(b[1])
	}
	v, _ := strconv.ParseUint(string(b[:4]), 16, 16) // hexadecimal, as headerForm saw
	return uint16(v)
}

// crc16 is CRC-16/ARC: polynomial 0x8005 reflected, start 0.
func crc16(b []byte) uint16 {
	var crc uint16
	for _, c := range b {
		crc ^= uint16(c)
		for range 8 {
			odd := crc & 1
			crc >>= 1
			if odd == 1 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

// body reads "id" seq Rrcvr Lpref #acct [ and what follows.
func (f *Frame) body(s string) error {
	token, s, closed := strings.Cut(strings.TrimPrefix(s, `"`), `"`)
	f.Token, f.Encrypted = strings.CutPrefix(token, "*")
	if !closed || f.Token == "" || len(f.Token) > 16 {
		return errors.New(`no "id" in the frame`)
	}
	if f.Seq = span(s, isDigit, 4); len(f.Seq) != 4 {
		return errors.New("no sequence number of four digits")
	}
	s = s[4:]
	f.Receiver, s = cutField(s, 'R')
	f.Line, s = cutField(s, 'L')
	if rest, ok := strings.CutPrefix(s, "#"); ok {
		f.account = span(rest, isLetterOrDigit, 16)
		s = rest[len(f.account):]
	}
	f.Account = strings.ToUpper(f.account)
	content, ok := strings.CutPrefix(s, "[")
	if !ok {
		return fmt.Errorf("no data after the account: %q", clip(s))
	}
	if f.Encrypted {
		return f.sealed(content)
	}
	return f.content(content)
}

// cutField cuts a letter and up to six hexadecimal digits off s; none may follow.
func cutField(s string, letter byte) (field, rest string) {
	if s == "" || s[0] != letter {
		return "", s
	}
	n := 1 + len(span(s[1:], isHexDigit, 6))
	return s[:n], s[n:]
}

// sealed reads the encrypted region, which is written in hexadecimal digits.
func (f *Frame) sealed(content string) error {
	cipher, err := hex.DecodeString(strings.TrimSuffix(content, "]"))
	if err != nil || len(cipher) == 0 || len(cipher)%16 != 0 {
		return errors.New("the encrypted part is not whole blocks of hexadecimal digits")
	}
	f.cipher = cipher
	return nil
}

// content reads data][extended][...]_time, in the clear.
func (f *Frame) content(s string) error {
	data, tail, closed := strings.Cut(s, "]")
	if !closed {
		return errors.New("the data is not closed by a bracket")
	}
	account, data := cutAccount(data)
	if f.Account == "" {
		f.Account = strings.ToUpper(account)
	}
	f.Data = data
	for strings.HasPrefix(tail, "[") {
		var more string
		if more, tail, closed = strings.Cut(tail[1:], "]"); !closed {
			return errors.New("extended data is not closed by a bracket")
		}
		if more != "" {
			f.Extended = append(f.Extended, more)
		}
	}
	f.Stamp = parseStamp(tail)
	return nil
}

// parseStamp reads _HH:MM:SS,MM-DD-YYYY, zero when it is something else. The comma
// goes first: package time would take ",09" for a fraction of a second.
func parseStamp(s string) time.Time {
	clock, date, _ := strings.Cut(s, ",")
	t, err := time.Parse("_15:04:05 01-02-2006", clock+" "+date)
	if err != nil {
		return time.Time{}
	}
	return t
}

// cutAccount cuts "#1234|" or "|" off the front of the data. Some panels leave the
// "#" out; then "1234|" is an account when contents begin after it.
func cutAccount(data string) (account, rest string) {
	s, marked := strings.CutPrefix(data, "#")
	account = span(s, isLetterOrDigit, 16)
	rest, closed := strings.CutPrefix(s[len(account):], "|")
	switch {
	case marked:
		return account, rest
	case closed && (account == "" || rest != "" && (isDigit(rest[0]) || rest[0] == 'N' || rest[0] == 'O')):
		return account, rest
	}
	return "", data
}

// span is the longest head of s, up to most bytes, whose bytes are all allowed.
func span(s string, allowed func(byte) bool, most int) string {
	n := 0
	for n < len(s) && n < most && allowed(s[n]) {
		n++
	}
	return s[:n]
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isHexDigit(c byte) bool { return isHex([]byte{c}) }
func isLetterOrDigit(c byte) bool {
	return isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// clip shortens what a panel sent for people's eyes.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
