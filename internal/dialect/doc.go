// Package dialect says what it takes to understand a family of real devices.
// Each dialect (zigbee2mqtt, tasmota, esphome, homeassistant, plainjson, dc09)
// has a package of its own below this one: pure functions from bytes to
// readings and from wishes to bytes, fuzzed, without state.
//
// # Promises
//
//   - No payload makes a dialect panic; what it cannot read is an error with a
//     text that a group leader can act on.
//   - A siren's own echo is [signal.Sounding] or [signal.Quiet], never an alarm.
//   - A command always carries a duration where the device knows one, and is
//     never retained.
package dialect
