package chat

import (
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keng-vn/keng/internal/engine/fault"
)

// The product's own bounds; no law sets them.
const (
	longest       = 2000 // letters of a message
	longestTitle  = 120
	photoBytes    = 8 << 20
	voiceBytes    = 2 << 20
	voiceSeconds  = 60
	mostAtOnce    = 200              // messages in one answer
	windowSleeps  = 30 * time.Minute // an officer who did not read for so long opens a new window
	noticeAtMost  = 90 * 24 * time.Hour
	mostGroups    = 5000 // of one notice
	perMinute     = 30   // deeds of one person
	sweepOlder    = time.Hour
	defaultKeep   = 90 // days, where no rule says otherwise
	keepKey       = "keep.chat_days"
	leastKeepDays = 1
	mostKeepDays  = 3650
)

// tidy brings what somebody wrote to NFC without spaces around, without control
// characters but line ends, or says what is wrong.
func tidy(op, s string, most int, needed bool) (string, error) {
	if !utf8.ValidString(s) {
		return "", fault.New(op, fault.Invalid, "fault.invalid")
	}
	s = norm.NFC.String(strings.TrimSpace(strings.Map(visible, strings.ReplaceAll(s, "\r\n", "\n"))))
	switch n := utf8.RuneCountInString(s); {
	case n == 0 && needed:
		return "", fault.New(op, fault.Invalid, "chat.empty")
	case n > most:
		return "", &fault.Error{Op: op, Kind: fault.Invalid, Key: "chat.too_long", Args: map[string]any{"n": most}}
	}
	return s, nil
}

// fit brings what another machine wrote to at most so many letters.
func fit(s string, most int) string {
	s = norm.NFC.String(strings.TrimSpace(strings.Map(visible, strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n"))))
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return s
}

// visible drops what could make one text look like another: controls, and marks
// that turn the direction of writing.
func visible(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == '\ufeff':
		return -1
	}
	return r
}

// belongs is the incident that a message belongs to: the one it was said to, or
// else the one that rings in its group. A hold-up is nobody's: nothing shows that
// it exists. ok is false when there is no such incident for this group.
func belongs(said string, c Case, ringing Case) (incident string, ok bool) {
	if said != "" {
		if c.ID != said || c.Silent {
			return "", false
		}
		return said, true
	}
	if ringing.Open && ringing.Live && !ringing.Silent {
		return ringing.ID, true
	}
	return "", true
}

// expires is when a notice ends, or says what is wrong with that time. The zero
// time is never, which is cut to the longest.
func expires(op string, now, until time.Time) (time.Time, error) {
	if until.IsZero() {
		return now.Add(noticeAtMost), nil
	}
	if !until.After(now) {
		return until, fault.New(op, fault.Invalid, "chat.expires_past")
	}
	if until.Sub(now) > noticeAtMost {
		return now.Add(noticeAtMost), nil
	}
	return until, nil
}
