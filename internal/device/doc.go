// Package device is every button, detector, siren and hub: which home it is
// wired to, what it says, whether it is alive, and what a siren shall do now.
//
// # Words
//
//	hub      trung tâm: one MQTT account with its own topic space (Zigbee2MQTT, Home Assistant, an ESP32)
//	device   thiết bị, wired to one home
//	reading  what one message says about one device, before the rules
//	level    a state that holds until restored; it rings on a change to danger
//	press    lần ấn: a pulse; the same one delivered twice has one key
//	desire   what a siren shall do now; asserted until confirmed, never queued
//	bypass   tạm ngừng: out of service, by a person, until a time
//	proven   đã thử: rang or was tested within 30 days
//	stranger a found device without a home, or a message that nobody could read
//
// # Promises
//
//   - Never an alarm: retained or stale values, unavailable then the value of
//     before, the first state after a restart, a siren's own echo.
//   - Always an alarm: a change to danger, also as the first word of a device
//     that was away.
//   - A stale command can never ring: a siren that comes back gets today's desire.
//   - The first command of an alarm leaves before Take returns and waits for
//     nothing; repeats give way to it.
//   - What is not understood is counted and shown to the leader; it never rings.
//   - A message is acknowledged when what hangs on it is on disk: see below.
//   - A password is stored only as its hash.
//
// # What a crash may lose
//
// The sign of life of a device, for up to a minute; battery and faults, for up to
// five seconds. Never what an alarm depends on: a press is remembered before its
// alarm is journaled, so that its repetition keeps its key; a level is written
// after its alarm, so that it can never say "rang already" of an alarm that is
// lost; a restore is acknowledged only when it is written, so that a device whose
// restore was lost sends it again before it can raise the next alarm. A restore at
// QoS 0 may be lost if the power fails within the same few milliseconds; then the
// detector is shown as standing at alarm.
//
// Source: study of Alarmo's lesson on unavailable devices; EN 54-2 for faults;
// OPC UA Part 9 for out of service.
package device
