// Package notify carries messages to people outside the house: to their phones by
// Web Push, by SMS, by voice, by e-mail, and to programs by a signed webhook.
//
// # Words
//
//	message  tin nhắn: one thing for one person through one channel; its key names it
//	key      who, for what, by which channel, at which stage; the same key is the same message
//	lane     đường gửi: everything that goes to one host; each has its own bounded workers
//	attempt  one try to hand a message over
//	breaker  cầu dao: a host that only fails is left alone for a while
//	receipt  báo đã nhận: what comes back from the phone itself
//
// # Stages
//
// Post drops what was posted before (dedup), journals the rest, and hands each
// message to the lane of its host. A lane asks first whether the message is still
// wanted, sends or tries again, and records each attempt and what became of it.
//
// # Promises
//
//   - The same key is sent once. After a crash, what was not known to be accepted
//     is sent again under the same id, by which phones and gateways know it.
//   - A restart loses nothing that was written; a stuck disk delays a message by
//     a quarter of a second, then it leaves all the same.
//   - One dead or slow receiver delays no other: lanes are bounded, every attempt
//     has its own limit of time, and one that dawdles gives its place away.
//   - A subscription is called gone on 404 and 410 only.
//   - Nothing leaves for an address of a private network, another port or by a
//     redirect, unless the operator himself named that host.
//   - What a message said, and to which number, is forgotten when it is done.
//   - All push messages have the same length; the push service reads none of them.
//
// Standards: RFC 8030 (Web Push), RFC 8291 and 8188 (its encryption), RFC 8292 (VAPID).
package notify
