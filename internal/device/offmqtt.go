package device

import (
	"fmt"

	"github.com/keng-vn/keng/internal/dialect"
)

// webhookDialect is the word of devices that speak only over POST /v1/signal.
const webhookDialect = "webhook"

// OffMQTT is the dialect of devices that do not speak over MQTT: "webhook", and
// "dc09", whose receiver talks to [Panels]. They have no topics and cannot be
// commanded.
type OffMQTT string

// Name implements [dialect.Dialect].
func (n OffMQTT) Name() string { return string(n) }

// Topics implements [dialect.Dialect].
func (OffMQTT) Topics(dialect.Device) []string { return nil }

// Decode implements [dialect.Dialect].
func (OffMQTT) Decode(dialect.Device, dialect.Message) ([]dialect.Reading, error) { return nil, nil }

// Command implements [dialect.Dialect].
func (n OffMQTT) Command(dialect.Device, dialect.Want) ([]dialect.Message, error) {
	return nil, fmt.Errorf("a device of dialect %s cannot be commanded", string(n))
}

// Confirms implements [dialect.Dialect].
func (OffMQTT) Confirms(dialect.Device) bool { return false }

// offMQTT reports whether d never speaks over MQTT.
func (d *wired) offMQTT() bool {
	_, off := d.lang.(OffMQTT)
	return off
}
