// Package broker is the MQTT front for devices: a small listener (3.1.1 and 5.0,
// TCP, TLS and WebSocket) inside the process, or a standing broker joined as a
// client. It is no general broker: no offline queues and no sessions that outlive
// a connection, because a siren is driven by desired state and a stale command
// must never ring. Topics are UTF-8 of at most 1,024 bytes; times are durations.
//
// # Words
//
//   - Front: what the rest of Keng sees of MQTT. [Listener] and [Joined] are the two.
//   - Space: one hub's topics. A hub is one account, whose clients (Zigbee2MQTT,
//     Home Assistant) hear each other through Keng.
//   - Hub, device: an account for a whole space, and one that keeps to prefixes.
//   - Done, safe, owed: a message is safe when the handler called done; until then
//     its acknowledgement is owed.
//   - Kept: a retained message.
//   - Urgent: what Keng sends by [Front]; it goes ahead of what clients say to each
//     other.
//
// # Promises
//
//   - A PUBACK or PUBREC leaves only after the handler said that the message is
//     safe, and reading goes on meanwhile. They leave in the order of the messages,
//     until one has been unsafe for 2 s: then it no longer holds up the others.
//   - Who signed in with a password that was changed or taken away since is sent away
//     when [Listener.Revoke] is called.
//   - The handler hears a message before other clients do.
//   - Each hub's topics live in a space of their own: subscriptions, retained
//     messages, wills and client IDs never meet those of another.
//   - A client that takes over an ID of its own account is welcomed after the old
//     one's will is out; it cannot take one of another account.
//   - A command that is older than its ttl is dropped, wherever it waits, and none
//     is ever sent twice by us.
//   - Packets, queues, subscriptions and retained messages are bounded; a slow or
//     broken client hurts only itself. Send never waits.
//   - 10,000 idle devices take less than 9 KB of memory each (BenchmarkIdleDevices).
//
// The standards are MQTT 3.1.1 and MQTT 5.0 (OASIS); section numbers in the code
// are those of 5.0. Left out, and said so to the client where 5.0 can: sessions,
// shared subscriptions, subscription identifiers, topic aliases, extended
// authentication. QoS 2 is taken from clients and sent to them as QoS 1.
package broker
