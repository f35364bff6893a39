package dc09

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// Event is one thing that a message reports.
type Event struct {
	Zone    string // as sent: "05"; "" when it concerns the whole account
	Code    string // "FA"; of Contact ID "E110", and "R110" for its restore
	Private bool   // somebody armed or disarmed: nothing of it may be passed on
	Reading dialect.Reading
}

// means is one reading of a code.
type means struct {
	kind     signal.Kind
	category signal.Category // of an alarm or restore
	property string          // what an event and its restore have in common
}

// Events reads the data of f, which must be open. A NULL message is a sign of life.
func (f Frame) Events() ([]Event, error) {
	var events []Event
	var err error
	switch f.Token {
	case "SIA-DCS":
		events, err = siaEvents(f.Data)
	case "ADM-CID":
		events, err = contactEvents(f.Data)
	case "NULL":
		events = []Event{life("NULL")}
	default:
		err = fmt.Errorf("token %q is not supported", f.Token)
	}
	for i := range events {
		events[i].Reading.Seq = f.key()
	}
	return events, err
}

// key is the same for the same message sent again: sequence number, time, and the
// contents, since sequence numbers return after 9999 and some panels send no time.
func (f Frame) key() string {
	h := fnv.New64a()
	h.Write([]byte(f.Account + "\x00" + f.Token + "\x00" + f.Data))
	stamp := ""
	if !f.Stamp.IsZero() {
		stamp = f.Stamp.Format("20060102T150405")
	}
	return fmt.Sprintf("%s-%s-%016x", f.Seq, stamp, h.Sum64())
}

// life is an event that says only that the panel is alive.
func life(code string) Event {
	return Event{Code: code, Reading: dialect.Reading{Kind: signal.Heartbeat, Property: "report"}}
}

// event makes the events of one code: one per meaning, or a sign of life.
func event(code, zone, text string, all []means) []Event {
	if len(all) == 0 {
		e := life(code)
		if e.Private = isPrivate(code); !e.Private {
			e.Zone, e.Reading.Value = zone, describe(code, zone, text)
		}
		return []Event{e}
	}
	var events []Event
	for _, m := range all {
		events = append(events, Event{Zone: zone, Code: code, Reading: dialect.Reading{
			Kind: m.kind, Category: m.category, Property: m.property + "/" + zone,
			Level: !happens(m.kind),
			Value: describe(code, zone, text),
		}})
	}
	return events
}

// happens reports whether k is an event. Alarms and their ends are events here,
// not states: a panel need not report that an alarm is over before the next one.
func happens(k signal.Kind) bool {
	return k == signal.Alarm || k == signal.Restore || k == signal.Test
}

// describe is "FA zone 05: Bep" for people.
func describe(code, zone, text string) string {
	s := code
	if zone != "" {
		s += " zone " + zone
	}
	if text = readable(text); text != "" {
		s += ": " + text
	}
	return s
}

// readable keeps printable characters, at most 80.
func readable(s string) string {
	s = readableAll(s)
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80])
	}
	return strings.TrimSpace(s)
}

// readableAll keeps printable characters.
func readableAll(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// isPrivate reports whether a code tells who came, went, armed or disarmed:
// openings, closings and access of DC-03, group 4 of Contact ID.
func isPrivate(code string) bool {
	if len(code) == 4 {
		return code[1] == '4'
	}
	return strings.ContainsRune("OCDJN", rune(code[0]))
}

var errNoEvent = errors.New("no event in the data")
