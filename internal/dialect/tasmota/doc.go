// Package tasmota speaks the MQTT language of Tasmota firmware: buttons, switch
// inputs, 433 MHz codes behind an RF bridge, and relays that drive a siren.
//
// # Words
//
//	topic   chủ đề: Tasmota's own setting Topic, e.g. "tasmota_alley1"; the village file gives it
//	part    bộ phận: what of the device is meant: <topic>/POWER2, /Button1, /Switch1, /0x7028D2
//	relay   rơ-le: a POWER output; a siren or lamp is one
//	pulse   xung: PulseTime, after which a relay opens by itself
//
// # Promises
//
//   - A press is a button's SINGLE to PENTA or HOLD, a switch input's ON, TOGGLE or
//     HOLD, or the RF code that the village file names. A POWER state is never an alarm:
//     it is the relay's own echo.
//   - An RF bridge without a code rings for no code: the neighbour's garage remote is no alarm.
//   - A siren is switched on only after its PulseTime is set, so that it stops without Keng.
//   - FullTopic, prefixes, state texts and switch names are taken from Tasmota's own
//     discovery when it was heard, else the firmware's defaults hold.
//   - An RF device proves its life only by its own code; the bridge's heartbeat is not its own.
//
// Source: Tasmota documentation, Buttons-and-Switches and Commands; firmware
// sources xdrv_12_discovery, support_switch_v4, xdrv_06_snfbridge, xdrv_17_rcswitch.
package tasmota
