package device

import (
	"time"

	"github.com/keng-vn/keng/internal/place"
	"github.com/keng-vn/keng/internal/signal"
)

// NewHub is a hub as a village file names it.
type NewHub struct {
	Username, Password string
}

// NewDevice is a device as a village file names it.
type NewDevice struct {
	ID       signal.DeviceID
	Home     place.HomeID
	Kind     signal.DeviceKind
	Dialect  string // "zigbee2mqtt", "json", ...
	Topic    string // as the dialect wants it
	Hub      string // username of its hub; "" when it signs in by itself
	Model    string
	Username string // account of its own, "" for none
	Password string
	Secret   string // key of an encrypted dialect, "" for none
	Armed    bool   // contact, motion: rings as intrusion; others ring anyway
	// Category is which danger a press of a button means: [signal.HoldUp] makes it
	// silent, for the duty desk only. "": the device says, or nobody knows yet.
	Category signal.Category
}

// Changes is what [Put] and [Remove] did.
type Changes struct{ Hubs, Devices place.Tally }

// Unknown is a message that nobody could read: from an unknown topic, or not
// understood.
type Unknown struct {
	Hub     string    `json:"hub"`
	Topic   string    `json:"topic"`
	Payload string    `json:"payload"` // first 200 characters
	Reason  string    `json:"reason"`  // what the dialect said, or "device.topic_unknown"
	Count   int64     `json:"count"`
	At      time.Time `json:"at"`
	saved   bool      // a row of it may be in the database
}

// Found is a device that a hub announced and nobody gave a home yet.
type Found struct {
	Hub     string            `json:"hub"`
	Dialect string            `json:"dialect"`
	Topic   string            `json:"topic"`
	Name    string            `json:"name"`
	Model   string            `json:"model"`
	Kind    signal.DeviceKind `json:"kind"`
	At      time.Time         `json:"at"`
	saved   bool
}
