// Package device is every button, detector, siren and hub: which home it is
// wired to, what it says, whether it is alive, and what a siren shall do now.
//
// # Words
//
//	hub      trung tâm: one MQTT account with its own topic space (Zigbee2MQTT, Home Assistant, an ESP32)
//	device   thiết bị, wired to one home
//	reading  what one message says about one device, before the rules
//	desire   what a siren shall do now; asserted until confirmed, never queued
//
// # Promises
//
//   - Never an alarm: retained or stale values, unavailable then the value of
//     before, the first state after a restart, a siren's own echo.
//   - Always an alarm: a change to danger, also as the first word of a device
//     that was away.
//   - A stale command can never ring: a siren that comes back gets today's desire.
//   - What is not understood is counted and shown to the leader; it never rings.
//
// Source: study of Alarmo's lesson on unavailable devices; EN 54-2 for faults.
package device
