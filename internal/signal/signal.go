package signal

import (
	"time"

	"github.com/keng-vn/keng/internal/place"
)

// DeviceID names a device, as its village file does: "g1-h1-smoke".
type DeviceID string

// DeviceKind is what a device is for.
type DeviceKind string

// The kinds of device a village file may name.
const (
	Button  DeviceKind = "button"
	Smoke   DeviceKind = "smoke"
	Heat    DeviceKind = "heat"
	Gas     DeviceKind = "gas"
	CO      DeviceKind = "co"
	Water   DeviceKind = "water"
	Contact DeviceKind = "contact"
	Motion  DeviceKind = "motion"
	Tamper  DeviceKind = "tamper"
	Siren   DeviceKind = "siren"
	Lamp    DeviceKind = "lamp"
	Hub     DeviceKind = "hub"
)

// DeviceKinds lists every kind, in the order people are shown them.
var DeviceKinds = [...]DeviceKind{Button, Smoke, Heat, Gas, CO, Water, Contact, Motion, Tamper, Siren, Lamp, Hub}

// Kind is what a device says about itself or its surroundings.
type Kind string

// The kinds of signal (study: normalised device event).
const (
	Alarm        Kind = "alarm"         // danger: a press, smoke, a break-in
	Restore      Kind = "restore"       // the danger's condition ended; the alarm stays latched
	Test         Kind = "test"          // somebody pressed the device's own test button
	Fault        Kind = "fault"         // the device says it is broken
	FaultRestore Kind = "fault_restore" // and is well again
	TamperOpen   Kind = "tamper"        // the casing was opened
	TamperClosed Kind = "tamper_restore"
	LowBattery   Kind = "low_battery"
	BatteryOK    Kind = "battery_ok"
	Heartbeat    Kind = "heartbeat" // any sign of life
	Offline      Kind = "offline"
	Online       Kind = "online"
	Sounding     Kind = "sounding" // a siren reports that it sounds
	Quiet        Kind = "quiet"    // a siren reports that it does not
)

// Category is which danger. One open incident per group and category.
type Category string

// The categories.
const (
	Fire      Category = "fire"
	GasLeak   Category = "gas"
	Monoxide  Category = "co"
	Intrusion Category = "intrusion"
	HoldUp    Category = "holdup" // silent: duty desk only
	Medical   Category = "medical"
	Panic     Category = "panic" // a button whose danger is not known yet
	Flood     Category = "flood"
	Technical Category = "technical"
	Other     Category = "other"
)

// Categories lists every category.
var Categories = [...]Category{Fire, GasLeak, Monoxide, Intrusion, HoldUp, Medical, Panic, Flood, Technical, Other}

// DefaultCategory is the danger that an alarm of a device of kind k means when
// the device does not say. A button is [Panic]: intent is never inferred.
func DefaultCategory(k DeviceKind) Category {
	switch k {
	case Smoke, Heat:
		return Fire
	case Gas:
		return GasLeak
	case CO:
		return Monoxide
	case Water:
		return Flood
	case Contact, Motion, Tamper:
		return Intrusion
	}
	return Panic
}

// Signal is one event of one device that belongs to a home, normalised.
type Signal struct {
	Key      string        `json:"key"`              // the same event delivered twice has the same key
	Resent   bool          `json:"resent,omitempty"` // certainly the same event: the sender says so, or a level that did not change
	Device   DeviceID      `json:"device"`
	DevKind  DeviceKind    `json:"device_kind"`
	Home     place.HomeID  `json:"home"`
	Group    place.GroupID `json:"group"`
	Kind     Kind          `json:"kind"`
	Category Category      `json:"category,omitempty"`
	At       time.Time     `json:"at"` // when Keng received it, UTC; device clocks are not trusted
}
