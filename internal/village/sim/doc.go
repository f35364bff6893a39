// Package sim is a village's devices: every hub of a village file as an MQTT
// client with its buttons, detectors and sirens, in their own dialects, for
// demonstrations, for tests by hand and for storms.
//
// # Words
//
//	alley  a hub's connection with the devices behind it
//	mute   a siren that obeys and never says so, or that never hears
//	storm  every group pressed at once
//
// # Promises
//
//   - Over the wire a simulated device cannot be told from a real one: the same
//     topics, payloads, availability and echoes.
//   - The same seed does the same things in the same order.
package sim
