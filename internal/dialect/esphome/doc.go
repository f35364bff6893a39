// Package esphome speaks the MQTT topics of an ESPHome node: binary sensors and
// events that raise an alarm, switches and lights that sound or shine.
//
// # Words
//
//	node       nút ESPHome: one chip, with its topic prefix, e.g. "alley1"
//	component  thành phần: binary_sensor, event, switch, light
//	object     đối tượng: one entity of a component, e.g. "smoke"
//
// # Promises
//
//   - A binary sensor's ON is an alarm until its OFF; an event is a press unless it is a release.
//   - A switch or a light is what Keng commands; its state is never an alarm.
//   - ESPHome marks what it publishes live as retained. The mark is passed on as it
//     came: package device knows whether the broker stored the message.
//   - A switch has no duration. Keng asserts it and takes it back; the recipe in
//     docs/devices.md makes the node itself let go after three minutes.
//
// Source: ESPHome documentation, MQTT client component; sources of components/mqtt.
package esphome
