// Package duty is the commune's duty desk (trực ban): the shift and what one
// officer leaves for the next.
//
// # Words
//
//	desk      trực ban công an xã, phường
//	handover  bàn giao ca: a note for the next shift, never changed afterwards
//
// # Promises
//
//   - A handover note is on disk before the desk is told so.
//   - A desk reads and writes the notes of its own unit only.
package duty
