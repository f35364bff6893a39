package place

import (
	"strings"
	"testing"
	"time"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestRulesHoldWhereAndWhenTheySay(t *testing.T) {
	rs, err := ReadRules(strings.NewReader(`key,unit,from,until,value,source
n,,2020-01-01,,114,law
n,,2027-01-01,,116,a later law
n,25,2026-01-01,2026-06-01,119,a pilot of the province
n,04792,2026-03-01,2026-04-01,118,a pilot of the ward
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		unit UnitCode
		on   string
		want string
	}{
		{"04792", "2019-12-31", ""}, {"04792", "2020-01-01", "114"}, {"04792", "2026-01-15", "119"}, {"04792", "2026-03-01", "118"},
		{"04795", "2026-03-01", "119"}, {"04792", "2026-04-01", "119"}, {"04792", "2026-06-01", "114"}, {"04792", "2027-01-01", "116"}, {"", "2026-03-01", "114"},
	} {
		got, _ := rs.At("n", tt.unit, day(tt.on))
		if got.Value != tt.want {
			t.Errorf("in %s on %s: %q, want %q", tt.unit, tt.on, got.Value, tt.want)
		}
	}
}

func TestBadRulesAreNamed(t *testing.T) {
	_, err := ReadRules(strings.NewReader("key,unit,from,until,value,source\nn,99999,2020-01-01,,1,x\nn,,yesterday,,1,x\nn,,2020-01-01,,1,\nn,,2020-01-01,2019-01-01,1,x\n"))
	for _, want := range []string{"line 2", "line 3", "line 4", "line 5"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
	if _, err := ReadRules(strings.NewReader("a,b\n")); err == nil {
		t.Error("another table was taken for rules")
	}
}

func TestEmergencyNumbersAreConfiguration(t *testing.T) {
	rs := BuiltInRules()
	for key, want := range map[string]string{"number.fire_rescue": "114", "number.police": "113", "number.ambulance": "115", "number.disaster": "112", "group.least": "5", "group.most": "15"} {
		r, ok := rs.At(key, "04792", day("2026-11-24"))
		if !ok || r.Value != want || r.Source == "" {
			t.Errorf("%s is %+v, want %s with a source", key, r, want)
		}
	}
	if rs.Keys("number.")[0] != "number.fire_rescue" {
		t.Error("114 does not come first")
	}
}
