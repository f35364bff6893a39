package dc09

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines writes events as "zone kind category property level value".
func lines(events []Event) []string {
	var out []string
	for _, e := range events {
		level := "event"
		if e.Reading.Level {
			level = "state"
		}
		out = append(out, strings.Join([]string{
			e.Zone, string(e.Reading.Kind), string(e.Reading.Category), e.Reading.Property, level, e.Reading.Value,
		}, "|"))
	}
	return out
}

func TestSIACodes(t *testing.T) {
	for data, want := range map[string][]string{
		"NFA129":                           {"129|alarm|fire|FA/129|event|FA zone 129"},
		"Nri1/FA05^Bếp^":                   {"05|alarm|fire|FA/05|event|FA zone 05: Bếp"},
		"Nri1BA503^Volum.Taverna   ^":      {"503|alarm|intrusion|BA/503|event|BA zone 503: Volum.Taverna"},
		"NFA01|AKitchen":                   {"01|alarm|fire|FA/01|event|FA zone 01: Kitchen"},
		"NFH129":                           {"129|restore|fire|FA/129|event|FH zone 129"},
		"NFR1":                             {"1|restore|fire|FA/1|event|FR zone 1", "1|fault_restore||FT/1|state|FR zone 1"},
		"NFT1":                             {"1|fault||FT/1|state|FT zone 1"},
		"NFJ1":                             {"1|fault_restore||FT/1|state|FJ zone 1"},
		"NFX1":                             {"1|test||FA/1|event|FX zone 1"},
		"NGA1":                             {"1|alarm|gas|GA/1|event|GA zone 1"},
		"NKA1":                             {"1|alarm|fire|KA/1|event|KA zone 1"},
		"Nri0KR1^TAST. 001 ^":              {"1|restore|fire|KA/1|event|KR zone 1: TAST. 001", "1|fault_restore||KT/1|state|KR zone 1: TAST. 001"},
		"NWA1":                             {"1|alarm|flood|WA/1|event|WA zone 1"},
		"Nri1/PA501":                       {"501|alarm|panic|PA/501|event|PA zone 501"},
		"NHA1":                             {"1|alarm|holdup|HA/1|event|HA zone 1"},
		"NBA1":                             {"1|alarm|intrusion|BA/1|event|BA zone 1"},
		"NBV":                              {"|alarm|intrusion|BA/|event|BV"},
		"NFG7":                             {"7|alarm|fire|FA/7|event|FG zone 7"},
		"NMA1":                             {"1|alarm|medical|MA/1|event|MA zone 1"},
		"NQA1":                             {"1|alarm|medical|QA/1|event|QA zone 1"},
		"NSA1":                             {"1|alarm|fire|SA/1|event|SA zone 1"},
		"NUA1":                             {"1|alarm|other|UA/1|event|UA zone 1"},
		"NZA1":                             {"1|alarm|technical|ZA/1|event|ZA zone 1"},
		"NTA1":                             {"1|tamper||TA/1|state|TA zone 1"},
		"NTR1":                             {"1|tamper_restore||TA/1|state|TR zone 1"},
		"NYT":                              {"|low_battery||YT/|state|YT"},
		"NYR":                              {"|battery_ok||YT/|state|YR"},
		"NXT4":                             {"4|low_battery||XT/4|state|XT zone 4"},
		"NXR4":                             {"4|battery_ok||XT/4|state|XR zone 4"},
		"NYC":                              {"|fault||YC/|state|YC"},
		"NYK":                              {"|fault_restore||YC/|state|YK"},
		"NAT":                              {"|fault||AT/|state|AT"},
		"NAR":                              {"|fault_restore||AT/|state|AR"},
		"NRX":                              {"|test||test/|event|RX"},
		"NRP":                              {"|heartbeat||report|event|RP"},
		"NZQ1":                             {"1|heartbeat||report|event|ZQ zone 1"},
		"Nti19:44/id1/ri4/RP":              {"|heartbeat||report|event|RP"},
		"NRR|Atest":                        {"|heartbeat||report|event|RR: test"},
		"Nri1/FA01/FA02":                   {"01|alarm|fire|FA/01|event|FA zone 01", "02|alarm|fire|FA/02|event|FA zone 02"},
		"Nri/BA1":                          {"1|alarm|intrusion|BA/1|event|BA zone 1"},
		"BA1":                              {"1|alarm|intrusion|BA/1|event|BA zone 1"},
		"NA12":                             {"|heartbeat||report|event|"}, // no activity of somebody at home
		"Nid4/ri1/OP003^Nguyễn Văn A^":     {"|heartbeat||report|event|"}, // who disarmed, and when, is nobody's business
		"Nri1/CL501|ANguyễn Văn A":         {"|heartbeat||report|event|"},
		"NFA01^" + strings.Repeat("x", 99): {"01|alarm|fire|FA/01|event|FA zone 01: " + strings.Repeat("x", 80)},
		"NFA01^a\x00\nb\xff^":              {"01|alarm|fire|FA/01|event|FA zone 01: ab"},
	} {
		events, err := siaEvents(data)
		if diff := cmp.Diff(want, lines(events)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", data, err, diff)
		}
	}
	for _, data := range []string{"", "N", "12345", "nonsense", "|A text alone"} {
		if events, err := siaEvents(data); err == nil {
			t.Errorf("%q: %v", data, lines(events))
		}
	}
	if events, err := siaEvents("N" + strings.Repeat("FA1/", 100)); err != nil || len(events) > mostEvents+1 {
		t.Errorf("%d events of one message, %v", len(events), err)
	}
}

func TestContactIDCodes(t *testing.T) {
	for data, want := range map[string][]string{
		"1110 01 005":  {"005|alarm|fire|110/005|event|E110 zone 005"},
		"111001005":    {"005|alarm|fire|110/005|event|E110 zone 005"},
		" 1111 00 129": {"129|alarm|fire|111/129|event|E111 zone 129"},
		"1112 01 005":  {"005|alarm|fire|112/005|event|E112 zone 005"},
		"1117 01 005":  {"005|alarm|fire|117/005|event|E117 zone 005"},
		"1118 01 005":  {"005|alarm|fire|118/005|event|E118 zone 005"},
		"3110 01 005":  {"005|restore|fire|110/005|event|R110 zone 005"},
		"6110 01 005":  {"005|alarm|fire|110/005|state|E110 zone 005"},
		"1100 01 005":  {"005|alarm|medical|100/005|event|E100 zone 005"},
		"1102 01 005":  {"005|alarm|medical|102/005|event|E102 zone 005"},
		"1120 01 005":  {"005|alarm|panic|120/005|event|E120 zone 005"},
		"1121 01 005":  {"005|alarm|holdup|121/005|event|E121 zone 005"},
		"1122 01 005":  {"005|alarm|holdup|122/005|event|E122 zone 005"},
		"1123 01 005":  {"005|alarm|panic|123/005|event|E123 zone 005"},
		"1130 01 005":  {"005|alarm|intrusion|130/005|event|E130 zone 005"},
		"1139 01 005":  {"005|alarm|intrusion|139/005|event|E139 zone 005"},
		"1137 01 005":  {"005|tamper||137/005|state|E137 zone 005"},
		"3137 01 005":  {"005|tamper_restore||137/005|state|R137 zone 005"},
		"1151 01 005":  {"005|alarm|gas|151/005|event|E151 zone 005"},
		"1154 01 005":  {"005|alarm|flood|154/005|event|E154 zone 005"},
		"1162 01 005":  {"005|alarm|co|162/005|event|E162 zone 005"},
		"1150 01 005":  {"005|alarm|other|150/005|event|E150 zone 005"},
		"1158 01 005":  {"005|alarm|technical|158/005|event|E158 zone 005"},
		"1301 00 000":  {"000|fault||301/000|state|E301 zone 000"},
		"3301 00 000":  {"000|fault_restore||301/000|state|R301 zone 000"},
		"1302 00 000":  {"000|low_battery||302/000|state|E302 zone 000"},
		"3302 00 000":  {"000|battery_ok||302/000|state|R302 zone 000"},
		"1384 00 007":  {"007|low_battery||384/007|state|E384 zone 007"},
		"1373 00 007":  {"007|fault||373/007|state|E373 zone 007"},
		"1383 00 007":  {"007|tamper||383/007|state|E383 zone 007"},
		"1601 00 000":  {"000|test||601/000|event|E601 zone 000"},
		"3601 00 000":  {"000|heartbeat||report|event|R601 zone 000"},
		"1602 00 000":  {"000|heartbeat||report|event|E602 zone 000"},
		"1700 99 999":  {"999|heartbeat||report|event|E700 zone 999"},
		"1A10 00 001":  {"001|heartbeat||report|event|EA10 zone 001"},
		"1401 01 057":  {"|heartbeat||report|event|"}, // who disarmed
		"3401 01 057":  {"|heartbeat||report|event|"}, // who armed
	} {
		events, err := contactEvents(data)
		if diff := cmp.Diff(want, lines(events)); err != nil || diff != "" {
			t.Errorf("%s: %v %s", data, err, diff)
		}
	}
	for _, data := range []string{"", "1110", "2110 01 005", "9110 01 005", "x110 01 005", "1110 01 zzz"} {
		if events, err := contactEvents(data); err == nil {
			t.Errorf("%q: %v", data, lines(events))
		}
	}
}

func TestSameMessageHasTheSameSeq(t *testing.T) {
	seq := func(body string) string {
		f, err := Parse(plain(body))
		if err != nil {
			t.Fatal(err)
		}
		events, err := f.Events()
		if err != nil {
			t.Fatal(err)
		}
		return events[0].Reading.Seq
	}
	first := seq(`"SIA-DCS"0007L0#1234[#1234|NFA01]_14:12:04,09-25-2019`)
	if again := seq(`"SIA-DCS"0007R1L1#1234[#1234|NFA01]_14:12:04,09-25-2019`); again != first {
		t.Errorf("sent again: %q and %q", first, again)
	}
	for name, body := range map[string]string{
		"another number":  `"SIA-DCS"0008L0#1234[#1234|NFA01]_14:12:04,09-25-2019`,
		"another account": `"SIA-DCS"0007L0#1235[#1235|NFA01]_14:12:04,09-25-2019`,
		"another time":    `"SIA-DCS"0007L0#1234[#1234|NFA01]_14:12:05,09-25-2019`,
		"another zone":    `"SIA-DCS"0007L0#1234[#1234|NFA02]_14:12:04,09-25-2019`,
	} {
		if seq(body) == first {
			t.Errorf("%s is taken for the same message", name)
		}
	}
}

func TestAddress(t *testing.T) {
	for topic, want := range map[string]Address{"1234": {"1234", ""}, "12ab/05": {"12AB", "05"}} {
		if got, err := ParseAddress(topic); err != nil || got != want {
			t.Errorf("%s: %v, %v", topic, got, err)
		}
	}
	for _, topic := range []string{"", "/", "/5", "1234/", "1234/x", "12 34", "1234/5/6", "12345678901234567"} {
		if got, err := ParseAddress(topic); err == nil {
			t.Errorf("%q: %v", topic, got)
		}
	}
	for _, tc := range []struct {
		topic, account, zone string
		want                 bool
	}{
		{"1234", "1234", "", true},
		{"1234", "1234", "7", true},
		{"1234", "01234", "7", false},
		{"12ab", "12AB", "7", true},
		{"1234/05", "1234", "5", true},
		{"1234/05", "1234", "005", true},
		{"1234/05", "1234", "50", false},
		{"1234/05", "1234", "", false},
		{"1234/0", "1234", "000", true},
		{"1234/0", "1234", "", false},
	} {
		a, err := ParseAddress(tc.topic)
		if err != nil || a.Covers(tc.account, tc.zone) != tc.want {
			t.Errorf("%s covers %s/%s: want %v (%v)", tc.topic, tc.account, tc.zone, tc.want, err)
		}
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("SIA-DCS", "Nri1/FA05^Bếp^")
	f.Add("SIA-DCS", "Nid4/ri1/OP003^A^")
	f.Add("ADM-CID", "1110 01 005")
	f.Fuzz(func(t *testing.T, token, data string) {
		events, err := Frame{Token: token, Data: data}.Events()
		if err == nil && len(events) == 0 {
			t.Error("neither an event nor an error")
		}
		for _, e := range events {
			if e.Reading.Kind == "" || e.Reading.Seq == "" || len(e.Reading.Value) > 1000 {
				t.Errorf("%+v", e)
			}
		}
	})
}
