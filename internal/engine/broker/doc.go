// Package broker is the MQTT front for devices: a small listener (3.1.1 and 5.0,
// TCP, TLS and WebSocket) inside the process, or a standing broker joined as a
// client. It is no general broker: no offline queues, because a siren is driven
// by desired state and a stale command must never ring.
//
// # Promises
//
//   - A PUBACK leaves only after the handler said that the message is safe.
//   - Each hub's topics live in a space of their own.
//   - Packets are bounded; a slow or broken client hurts only itself.
package broker
