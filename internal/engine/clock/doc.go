// Package clock tells the time that Keng records and waits by. The machine's own
// clock may jump, an hour either way, when somebody or NTP sets it; an alarm's
// deadlines must not jump with it.
//
// # Words
//
//	steady  time that only runs forward at the speed of a good watch
//	jump    the machine's clock and steady time differ by more than [Tolerance]
//
// # Promises
//
//   - Between two reports of a jump, [Clock.Now] only runs forward, whatever
//     happens to the machine's clock.
//   - After a report it follows the machine's clock again, so that people see the
//     right time, and whoever holds deadlines was told by how much to move them.
//   - While that happens nothing is due too early.
//   - Times are UTC and whole milliseconds, as they are stored.
package clock
