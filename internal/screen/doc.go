// Package screen is what one person sees: everything a phone or the duty console
// needs at once, and then every change as it happens.
//
// # Words
//
//	state   tất cả những gì một màn hình cần, in one answer
//	stream  what changes after that, as server-sent events
//	shell   the page around it, which also works without a network
//
// # Promises
//
//   - A screen gets only what its person may know: another group does not exist
//     for him, a hold-up exists only at the desk.
//   - A screen that was away is brought up to date, or told to fetch everything
//     again; it is never left behind in silence.
//   - Silence for 5 s means that the connection is lost: something is sent every 2 s.
package screen
