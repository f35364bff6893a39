// Package plainjson understands whatever a tinkerer's ESP32 or an outside script
// is likely to send: a bare word ("press", "ON", "offline") or a JSON object with
// the keys that people choose by themselves. In a village file it is called json.
//
// # Words
//
//	deed    what a message says was done: press, alarm, restore, test, heartbeat
//	danger  which danger, in English or Vietnamese: fire, chay, intruder, trom
//
// # Promises
//
//   - A button's message is a pulse: each press is one alarm, letting go is none.
//   - A detector's message is a state: it holds until the opposite is said. States
//     of the same danger are one, whatever key carried them.
//   - A siren or lamp never raises an alarm; what it says is its echo.
//   - A number other than 0 and 1 is a measurement, never an alarm; a number under
//     gas or co is always one.
//   - What is not understood is an error that says what would be.
package plainjson
