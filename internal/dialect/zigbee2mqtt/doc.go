// Package zigbee2mqtt understands Zigbee devices behind an unmodified
// Zigbee2MQTT (versions 1 and 2): smoke, heat, gas, CO and water detectors,
// contacts, motion, buttons, and every siren that says how it is commanded.
//
// # Words
//
//	base       the hub's first topic levels, "zigbee2mqtt" unless changed there
//	expose     one property that a device lists in base/bridge/devices: name,
//	           type, values, access (1 published, 2 settable, 4 can be asked for)
//	danger     a property whose name says what is wrong: smoke, gas_alarm_1
//	generic    a property that only says "alarm"; the device's kind says of what
//	echo       what a siren says about itself after a command
//	form       the one property by which a siren is made to sound
//	companion  a setting sent along with the form: duration, volume, melody
//
// # How a property is understood
//
// Nothing is decided by a list of models. The words of a property's name and of
// its value say what it means; the exposes say which value is "on" and whether
// the property can be set. What can be set is a setting or a siren, never a
// danger. So a model that did not exist when this was written works as well, as
// long as its vendor uses the words of the field.
//
// # Promises
//
//   - smoke, gas, CO, heat, water and SOS properties ring whatever kind the
//     village file gave the device: a combined detector is wired once.
//   - A number is a measurement, never an alarm: gas 12.4 is a meter.
//   - One press is one alarm: hold counts, the release that follows does not.
//   - An echo is [signal.Sounding] or [signal.Quiet]. An alarm property that can
//     be set is an echo too, also on a device of kind smoke.
//   - A test is reported beside the alarm that the test makes, never in its place:
//     a stuck test button must not blind a detector.
//   - Faults of one device are one reading: one good sign does not hide a bad one.
//   - A siren is commanded by what it can do, always with a duration where it has
//     a field for one, and only through properties that can be set.
//
// Sources: zigbee2mqtt.io "MQTT topics and messages" and "Exposes"; ZCL 8
// chapter 8 (IAS zone and IAS warning device). Payload shapes and the few facts
// in known.go are re-typed from the published device definitions.
package zigbee2mqtt
