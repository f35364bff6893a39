// Package duty is the commune's duty desk (trực ban): the shift and what one
// officer leaves for the next.
//
// # Words
//
//	desk      trực ban công an xã, phường
//	handover  bàn giao ca: a note for the next shift, never changed afterwards
//	shift     ca trực: one officer's duty, planned, taken, handed over
//	rota      lịch trực: the shifts of a desk
//
// # Promises
//
//   - A handover note is on disk before the desk is told so.
//   - A shift is not handed over while an incident waits for the desk, or a note of
//     the last week is unread.
//   - A desk reads and writes the notes of its own unit only.
package duty
