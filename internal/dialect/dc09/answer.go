package dc09

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// answer does with one frame what the standard says and returns what to send,
// nil for no answer. It waits until the handler has kept what the frame reports.
func (s *Server) answer(ctx context.Context, raw []byte) []byte {
	s.counts.frames.Add(1)
	f, err := Parse(raw)
	switch {
	case err != nil:
		s.strange(&s.counts.unreadable, f, string(raw), err)
		return nil
	case !f.CRCOK:
		s.counts.badCRC.Add(1)
		return nil
	case f.Token == "ACK" || f.Token == "NAK" || f.Token == "DUH": // never answer an answer
		return nil
	case !f.LengthOK:
		s.counts.badLength.Add(1)
	}
	key, known := s.Keys(f.Account)
	if !known {
		s.strange(&s.counts.unknownAccount, f, string(raw), fmt.Errorf("account %q is not known", f.Account))
		return f.Duh()
	}
	opened, answer, ok := s.open(f, string(raw), key)
	if !ok {
		return answer
	}
	return s.report(ctx, opened, key)
}

// open decrypts f and checks its time. ok is false when answer is all there is to do.
func (s *Server) open(f Frame, raw string, key []byte) (opened Frame, answer []byte, ok bool) {
	switch {
	case !f.Encrypted && key != nil:
		s.strange(&s.counts.plainRefused, f, raw, errors.New("the account has a key, but the message is not encrypted"))
		return f, f.Duh(), false
	case !f.Encrypted:
		return f, nil, true
	case key == nil:
		s.strange(&s.counts.noKey, f, raw, errors.New("the message is encrypted, but the account has no key"))
		return f, f.Duh(), false
	}
	opened, err := f.Open(key)
	if err != nil {
		s.strange(&s.counts.badKey, f, raw, err)
		return f, f.Nak(s.now()), false
	}
	if !opened.fresh(s.now()) {
		s.counts.badTime.Add(1)
		return f, f.Nak(s.now()), false
	}
	return opened, nil, true
}

// report hands the events of f to the handler and acknowledges once all are safe.
func (s *Server) report(ctx context.Context, f Frame, key []byte) []byte {
	events, err := f.Events()
	if err != nil {
		s.strange(&s.counts.unreadable, f, f.clear(), err)
		return f.Duh()
	}
	if !s.keep(ctx, f, events) {
		s.counts.notKept.Add(1)
		return nil
	}
	ack, err := f.Ack(s.now(), key)
	if err != nil { // the key opened the frame a moment ago
		return nil
	}
	s.counts.acknowledged.Add(1)
	return ack
}

// keep waits until the handler has said yes to every event, or no to one.
func (s *Server) keep(ctx context.Context, f Frame, events []Event) bool {
	said := make(chan bool, len(events))
	for _, e := range events {
		raw := f.clear()
		if e.Private {
			raw = f.headline()
		}
		var once sync.Once
		s.Handler.Signal(f.Account, e.Zone, e.Reading, raw, func(ok bool) { once.Do(func() { said <- ok }) })
	}
	patience := time.NewTimer(cmp.Or(s.Wait, defaultWait))
	defer patience.Stop()
	for range events {
		select {
		case ok := <-said:
			if !ok {
				return false
			}
		case <-patience.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// headline is f for the record, without its data.
func (f Frame) headline() string {
	star := ""
	if f.Encrypted {
		star = "*"
	}
	return readableAll(`"` + star + f.Token + `"` + f.head())
}

// clear is f for the record, decrypted.
func (f Frame) clear() string {
	var b strings.Builder
	b.WriteString(f.headline() + "[" + f.Data + "]")
	for _, x := range f.Extended {
		if x[0] == 'K' { // a request to change the key
			x = "K..."
		}
		b.WriteString("[" + x + "]")
	}
	if !f.Stamp.IsZero() {
		b.WriteString(f.Stamp.Format(timeLayout))
	}
	return readableAll(b.String())
}
