// Package homeassistant speaks Home Assistant's MQTT discovery, both ways: it
// reads what devices announce (binary_sensor, siren, event, device_automation,
// switch) and announces a neighbour group to Home Assistant as an
// alarm_control_panel with one binary_sensor per home.
//
// # Words
//
//	entity     thực thể: one announced thing, on homeassistant/<component>/[<node>/]<object>/config
//	config     cấu hình: what it announced: topics, payloads, templates
//	device     thiết bị: a device payload announces many entities at once, on homeassistant/device/<id>/config
//
// # Promises
//
//   - Both forms of discovery are read, with abbreviations and the base topic "~";
//     [dialect.Found] carries the config written out in full.
//   - A template is a program of somebody else. Only "{{ value }}" and paths into
//     "value_json" are followed; any other is an error that shows the template.
//   - A siren's or switch's state is [signal.Sounding] or [signal.Quiet], never an alarm.
//   - A siren is told a duration unless its config says that it knows none; a switch
//     knows none. Commands are never retained, whatever the config asks for.
//   - What Keng itself announces (origin "Keng") is never read back.
//   - Announcing shows the state of group and homes, and takes no command: nobody
//     disarms an alarm from Home Assistant.
//
// A dialect keeps no memory, so availability_mode "all" and "any" are told as
// "latest": each availability topic gives a reading of its own whose Property is
// the topic.
//
// Source: Home Assistant documentation, integrations mqtt, binary_sensor.mqtt,
// siren.mqtt, event.mqtt, device_trigger.mqtt, alarm_control_panel.mqtt.
package homeassistant
