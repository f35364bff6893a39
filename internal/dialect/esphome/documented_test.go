package esphome

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
	_, section, _ := strings.Cut(string(page), "\n## ESPHome\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| (\\w+) \\| `(.+)` \\| `(.+)` \\| `(.+)` \\| `(.+)` \\|$").FindAllStringSubmatch(section, -1)
	if len(rows) < 10 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		d := dialect.Device{Kind: signal.DeviceKind(row[1]), Topic: row[2]}
		got, err := Dialect{}.Decode(d, dialect.Message{Topic: row[3], Payload: []byte(row[4])})
		if said := heard(got, d.Kind); err != nil || said != row[5] {
			t.Errorf("%s %s: heard %s %v, documented %s", row[3], row[4], said, err, row[5])
		}
		listens := false
		for _, topic := range (Dialect{}).Topics(d) {
			listens = listens || topic == row[3]
		}
		if !listens {
			t.Errorf("%s of topic %s does not listen on %s", d.Kind, d.Topic, row[3])
		}
	}
}
