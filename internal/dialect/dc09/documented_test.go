package dc09

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

// heard writes readings as docs/devices.md does: "alarm* fire, tamper*".
func heard(readings []dialect.Reading, k signal.DeviceKind) string {
	var words []string
	for _, r := range readings {
		word := string(r.Kind)
		if r.Level {
			word += "*"
		}
		if r.Category == "" && (r.Kind == signal.Alarm || r.Kind == signal.Restore) {
			r.Category = signal.DefaultCategory(k)
		}
		if r.Kind != signal.Heartbeat {
			words = append(words, strings.TrimSpace(word+" "+string(r.Category)))
		}
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

// TestDocumentedMessages tries the table of docs/devices.md.
func TestDocumentedMessages(t *testing.T) {
	page, err := os.ReadFile("../../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Alarm panels: SIA DC-09\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| ([A-Z-]+) \\| `(.+)` \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) < 17 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		events, err := Frame{Token: row[1], Data: strings.TrimPrefix(row[2], "-")}.Events()
		var got []dialect.Reading
		for _, e := range events {
			got = append(got, e.Reading)
			if e.Zone != strings.TrimPrefix(row[3], "-") {
				t.Errorf("%s: zone %s, documented %s", row[2], e.Zone, row[3])
			}
		}
		if said := heard(got, ""); err != nil || said != row[4] {
			t.Errorf("%s %s: heard %s %v, documented %s", row[1], row[2], said, err, row[4])
		}
	}
}
