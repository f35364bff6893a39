package dc09

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keng-vn/keng/internal/signal"
)

// contactEvents reads Contact ID: qualifier, code, area and zone, "1110 01 005".
// Some panels leave the spaces out.
func contactEvents(data string) ([]Event, error) {
	s := strings.ReplaceAll(strings.TrimSpace(data), " ", "")
	if len(s) < 9 || span(s[:9], isHexDigit, 9) != s[:9] {
		return nil, fmt.Errorf("Contact ID data %q is not readable", clip(data))
	}
	qualifier, number, zone := s[0], s[1:4], s[6:9]
	n, err := strconv.Atoi(number)
	if err != nil {
		return event("E"+number, zone, "", nil), nil // a code with letters is some maker's own
	}
	switch qualifier {
	case '1':
		return event("E"+number, zone, "", contactMeans(n)), nil
	case '3':
		return event("R"+number, zone, "", ended(contactMeans(n))), nil
	case '6': // a condition reported before that still holds
		events := event("E"+number, zone, "", contactMeans(n))
		for i := range events {
			events[i].Reading.Level = true
		}
		return events, nil
	}
	return nil, fmt.Errorf("Contact ID qualifier %q is none of 1, 3 and 6", qualifier)
}

// ended turns a meaning into its end; a test and a sign of life have none.
func ended(all []means) []means {
	var ends []means
	for _, m := range all {
		end, ok := map[signal.Kind]signal.Kind{
			signal.Alarm: signal.Restore, signal.Fault: signal.FaultRestore,
			signal.TamperOpen: signal.TamperClosed, signal.LowBattery: signal.BatteryOK,
		}[m.kind]
		if ok {
			ends = append(ends, means{end, m.category, m.property})
		}
	}
	return ends
}

// contactMeans says what Contact ID code n means; none when it is of no use to Keng.
func contactMeans(n int) []means {
	property := strconv.Itoa(n)
	if c := contactAlarm(n); c != "" {
		return []means{{signal.Alarm, c, property}}
	}
	if k := contactCondition(n); k != "" {
		return []means{{kind: k, property: property}}
	}
	return nil
}

// contactAlarm is the danger of an alarm code, "" for a code that is no alarm.
func contactAlarm(n int) signal.Category {
	switch {
	case n >= 100 && n <= 102: // medical, personal emergency, no sign from somebody alone
		return signal.Medical
	case n >= 110 && n <= 118: // fire, smoke, combustion, water flow, heat, call point, duct, flame, near alarm
		return signal.Fire
	case n == 120 || n == 123: // panic; audible panic
		return signal.Panic
	case n == 121 || n == 122 || n >= 124 && n <= 129 || n == 146: // duress, silent, hold-up
		return signal.HoldUp
	case n >= 130 && n <= 136 || n == 138 || n == 139 || n == 155 || n == 374 || n == 423:
		return signal.Intrusion // burglary; foil break; exit error; forced access
	case n == 140 || n == 150: // general alarm, 24 h zone that is no burglary
		return signal.Other
	case n == 151 || n == 157: // gas; bottled gas low
		return signal.GasLeak
	case n == 154:
		return signal.Flood
	case n == 162:
		return signal.Monoxide
	case slices.Contains([]int{152, 153, 158, 159, 161, 163}, n): // cooling, heating, temperature, air flow, tank
		return signal.Technical
	}
	return ""
}

// contactCondition is the state of the system that a code tells.
func contactCondition(n int) signal.Kind {
	switch {
	case slices.Contains([]int{137, 144, 145, 341, 383}, n):
		return signal.TamperOpen
	case n == 302 || n == 311 || n == 384 || n == 338: // batteries of panel, missing, of a sensor, of an expander
		return signal.LowBattery
	case n == 601 || n == 604 || n == 607: // manual test, fire test, walk test
		return signal.Test
	case n == 141 || n == 142 || n == 143 || n == 147 || n == 156, n >= 200 && n <= 206, n >= 300 && n <= 393:
		return signal.Fault // polling loop, expander, supervision, day trouble; fire supervisory; troubles
	}
	return ""
}
