package dialect

import (
	"encoding/json"
	"time"

	"github.com/keng-vn/keng/internal/signal"
)

// Message is one MQTT message inside a hub's own topic space.
type Message struct {
	Topic   string
	Payload []byte
	Retain  bool // as published; on a standing broker: a stored value, not a live one
	Dup     bool // the sender says it may have sent this before
}

// Device is what a dialect must know about one device.
type Device struct {
	ID           signal.DeviceID
	Kind         signal.DeviceKind
	Topic        string          // as the village file gives it
	Model        string          // "HS2WD-E"; "" when unknown
	Capabilities json.RawMessage // what discovery said: z2m "exposes", a Home Assistant config; nil when unknown
}

// Reading is one thing that a message says about one device. Whether it rings is
// not decided here: package device compares it with what was known before.
type Reading struct {
	Kind     signal.Kind
	Category signal.Category // of an alarm or restore; "" means the default of the device's kind
	Property string          // what spoke: "smoke", "action", "Button1"
	Level    bool            // true: a state that holds until restored (smoke: true); false: a pulse (a press)
	Seq      string          // the sender's own number of the event, "" when it has none
	SeenAt   time.Time       // the sender's own time of the reading (last_seen, Time); zero when it has none
	Value    string          // short text for people: "smoke=true", "battery 12 %"
	Number   float64         // battery in percent for low_battery and battery_ok, else 0
}

// Want is what a siren or lamp shall do now.
type Want struct {
	Sounding bool
	Duration time.Duration // the siren stops by itself after this; always above zero when sounding
	Pattern  Pattern
}

// Pattern is how a siren shall sound, as far as the model can.
type Pattern string

// The patterns.
const (
	AlarmPattern  Pattern = "alarm"    // many fast strokes
	OriginPattern Pattern = "origin"   // the house where it began: steady, so that neighbours find it
	DrillPattern  Pattern = "drill"    // clearly not the alarm: quieter, interrupted
	TestPattern   Pattern = "test"     // one short sound
	CalmPattern   Pattern = "all_calm" // one long soft stroke at 22:00
)

// Dialect speaks the language of one family of devices. It keeps no state and
// is safe for use by many goroutines.
type Dialect interface {
	// Name is the word in a village file: "zigbee2mqtt".
	Name() string
	// Topics lists the exact topics on which d says anything, its own first.
	Topics(d Device) []string
	// Decode says what m means for d. A message that says nothing of interest is
	// no reading and no error; one that cannot be understood is an error, whose
	// text is shown to the group leader.
	Decode(d Device, m Message) ([]Reading, error)
	// Command returns the messages that bring siren or lamp d to w, or an error
	// if d cannot be commanded. They are never retained.
	Command(d Device, w Want) ([]Message, error)
	// Confirms reports whether d tells by itself that it sounds ([signal.Sounding]),
	// so that an acknowledged command alone is no proof.
	Confirms(d Device) bool
}

// HubReport is what a hub says about itself and the devices behind it.
type HubReport struct {
	Presence signal.Kind // signal.Online or signal.Offline, "" when nothing was said
	Found    []Found     // devices announced by discovery
}

// Found is a device that announced itself: "found, not yet assigned" until
// somebody gives it a home, and the capabilities of one that has a home.
type Found struct {
	Topic        string            // as a village file would give it
	Name         string            // what people call it
	Model        string            // "HS2WD-E"
	Kind         signal.DeviceKind // best guess, "" when it is of no use to Keng
	Capabilities json.RawMessage
	Gone         bool // discovery withdrew it
}

// HubDialect is a [Dialect] with hub-wide topics: bridge state, discovery.
type HubDialect interface {
	Dialect
	// HubTopics lists topic filters (MQTT wildcards allowed) of hub-wide messages.
	HubTopics() []string
	// DecodeHub says what hub-wide message m means.
	DecodeHub(m Message) (HubReport, error)
}
