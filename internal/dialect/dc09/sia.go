package dc09

import (
	"fmt"
	"strings"

	"github.com/keng-vn/keng/internal/signal"
)

// mostEvents bounds how many events one message may carry.
const mostEvents = 16

// siaEvents reads DC-03 contents: an optional N (new) or O (old), modifiers of two
// small letters ("ri1" area, "ti10:23" time), codes of two capitals with the zone,
// "/" between them, text as "^...^" or "|A...".
func siaEvents(data string) ([]Event, error) {
	if len(data) >= 3 && (data[0] == 'N' || data[0] == 'O') && (isPair(data[1:], isCapital) || isPair(data[1:], isSmall)) {
		data = data[1:]
	}
	var events []Event
	for s := data; s != "" && len(events) < mostEvents; {
		switch {
		case s[0] == '/' || s[0] == ' ':
			s = s[1:]
		case s[0] == '|':
			var text string
			text, s, _ = strings.Cut(s[1:], "|")
			annotate(events, text)
		case isPair(s, isSmall):
			s = s[2:]
			s = s[len(span(s, isModifier, 20)):]
		case isPair(s, isCapital):
			var code, zone, text string
			code, zone, text, s = cutCode(s)
			events = append(events, event(code, zone, text, siaMeans(code))...)
		default:
			return events, orNone(events, fmt.Errorf("SIA data %q is not readable", clip(data)))
		}
	}
	return events, orNone(events, errNoEvent)
}

// annotate adds a text block, such as "AKitchen", to the event before it.
func annotate(events []Event, block string) {
	text, isText := strings.CutPrefix(block, "A")
	if !isText || len(events) == 0 {
		return
	}
	if e := &events[len(events)-1]; !e.Private && readable(text) != "" {
		e.Reading.Value += ": " + readable(text)
	}
}

// orNone is err when nothing was read. What was read counts, whatever follows it.
func orNone(events []Event, err error) error {
	if len(events) > 0 {
		return nil
	}
	return err
}

// cutCode cuts "BA05^Cua truoc^" off s: code, zone, text, and what follows.
func cutCode(s string) (code, zone, text, rest string) {
	code, s = s[:2], s[2:]
	zone = span(s, isDigit, 8)
	s = s[len(zone):]
	if t, ok := strings.CutPrefix(s, "^"); ok {
		text, s, _ = strings.Cut(t, "^")
		return code, zone, text, s
	}
	end := strings.IndexAny(s, "/|^")
	if end < 0 {
		end = len(s)
	}
	return code, zone, s[:end], s[end:]
}

func isCapital(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isSmall(c byte) bool    { return c >= 'a' && c <= 'z' }
func isModifier(c byte) bool { return isDigit(c) || c == ':' || c == '.' || c == '-' }

func isPair(s string, allowed func(byte) bool) bool {
	return len(s) >= 2 && allowed(s[0]) && allowed(s[1])
}

// siaMeans says what a DC-03 code means; none when it is of no use to Keng.
func siaMeans(code string) []means {
	if m := siaSpecial(code); m.kind != "" {
		return []means{m}
	}
	category := siaCategory(code[0])
	if category == "" {
		return nil
	}
	alarm := means{signal.Alarm, category, code[:1] + "A"}
	fault := means{kind: signal.Fault, property: code[:1] + "T"}
	switch code[1] {
	case 'A': // alarm
		return []means{alarm}
	case 'H': // alarm restored
		return []means{{signal.Restore, category, alarm.property}}
	case 'R': // restored, of alarm or trouble
		return []means{{signal.Restore, category, alarm.property}, {kind: signal.FaultRestore, property: fault.property}}
	case 'T': // trouble
		return []means{fault}
	case 'J': // trouble restored
		return []means{{kind: signal.FaultRestore, property: fault.property}}
	case 'S': // supervisory: unsafe condition of the system
		return []means{{kind: signal.Fault, property: code}}
	case 'X': // activated during a test
		return []means{{kind: signal.Test, property: alarm.property}}
	}
	return nil
}

// siaCategory is the danger of a family of codes, by first letter.
func siaCategory(letter byte) signal.Category {
	switch letter {
	case 'F', 'K', 'S': // fire, heat, sprinkler
		return signal.Fire
	case 'G':
		return signal.GasLeak
	case 'W':
		return signal.Flood
	case 'P':
		return signal.Panic
	case 'H': // hold-up, duress
		return signal.HoldUp
	case 'B':
		return signal.Intrusion
	case 'M', 'Q': // medical, personal emergency
		return signal.Medical
	case 'U': // zone of unknown type
		return signal.Other
	case 'Z': // freeze
		return signal.Technical
	}
	return ""
}

// siaSpecial are the codes whose second letter does not follow the families.
func siaSpecial(code string) means {
	switch code {
	case "FM", "FG": // verified by a second point, not yet verified: smoke is smoke
		return means{signal.Alarm, signal.Fire, "FA"}
	case "BM", "BV": // verified
		return means{signal.Alarm, signal.Intrusion, "BA"}
	case "EA", "DF": // exit zone violated, door forced
		return means{signal.Alarm, signal.Intrusion, code}
	case "TA", "TT", "ES", "XS": // enclosures
		return means{kind: signal.TamperOpen, property: code[:1] + "A"}
	case "TR", "TH", "TJ", "EJ", "XJ":
		return means{kind: signal.TamperClosed, property: code[:1] + "A"}
	case "YT", "XT": // batteries of panel and transmitter
		return means{kind: signal.LowBattery, property: code}
	case "YR", "XR":
		return means{kind: signal.BatteryOK, property: code[:1] + "T"}
	case "RX", "TX", "TP": // manual, unspecified and walk test
		return means{kind: signal.Test, property: "test"}
	case "PF", "SM": // one maker's own use of these families: malfunctions
		return means{kind: signal.Fault, property: code}
	}
	return siaTrouble(code)
}

// siaTrouble are faults of the panel and their ends, each under the fault's code.
func siaTrouble(code string) means {
	switch code {
	case "AT", "AS", "BD", "BZ", "EM", "ET", "FW", "FY", "FZ", "IA", "LT", "NT", "OU", "RY", "UY", "UZ",
		"XL", "XQ", "YA", "YC", "YF", "YI", "YM", "YP", "YS", "YX":
		return means{kind: signal.Fault, property: code}
	}
	ends := map[string]string{
		"AR": "AT", "AN": "AS", "BE": "BD", "EN": "EM", "ER": "ET", "FQ": "FW", "FV": "FS", "IR": "IA", "LR": "LT", "NR": "NT",
		"OV": "OU", "XH": "XQ", "YH": "YA", "YJ": "YI", "YK": "YC", "YQ": "YP", "YZ": "YX",
	}
	if fault := ends[code]; fault != "" {
		return means{kind: signal.FaultRestore, property: fault}
	}
	return means{}
}
