package homeassistant

import (
	"testing"

	"github.com/keng-vn/keng/internal/dialect"
	"github.com/keng-vn/keng/internal/signal"
)

func BenchmarkDecode(b *testing.B) {
	report, _ := Dialect{}.DecodeHub(dialect.Message{Topic: "homeassistant/binary_sensor/x/config", Payload: []byte(z2mSmoke)})
	d := dialect.Device{Kind: signal.Smoke, Topic: "homeassistant/binary_sensor/x", Capabilities: report.Found[0].Capabilities}
	m := dialect.Message{Topic: "zigbee2mqtt/kitchen", Payload: []byte(`{"smoke":true,"battery":97}`)}
	for b.Loop() {
		if r, err := (Dialect{}).Decode(d, m); err != nil || len(r) != 1 {
			b.Fatal(r, err)
		}
	}
}
