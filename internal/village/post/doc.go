// Package post is the world outside that Keng calls people through: a push
// service with phones behind it, and a gateway for SMS and voice. Both are real
// servers on this machine that check what they get as strictly as they can, keep
// it, and misbehave when told to. They share no code with what they test.
//
// # Words
//
//	service  a push service: RFC 8030, and it demands VAPID (RFC 8292)
//	phone    what subscribed there; it opens what it gets (RFC 8291)
//	mood     how a phone's endpoint, or the gateway, behaves
//	gateway  the reference of docs/gateway.md: takes orders, calls back
//
// # Promises
//
//   - What a standard forbids is refused with 400 and remembered as a complaint.
//   - A phone keeps every message that reached it, in order, also the ones that
//     it got twice.
package post
