// Package drive is what one siren shall do, what it was told and what it said of
// itself, and from these what it is to be told next, and when. It knows no radio, no
// clock and no lock: package device has those and does what is due.
//
// # Words
//
//	want     what the siren shall do now; it replaces whatever was wanted before
//	settled  the siren is known to do it: it said so, or it never says and its hub acknowledged
//	ladder   how far the present command got: L0 queued, L1 sent, L2 accepted, L3 sounding
//	contact  the siren, or its hub, is there again
//
// # Promises
//
//   - A siren that shall sound is told until it is settled, and again before it stops
//     by itself; one that cannot say what it does is told three times more.
//   - What it shall no longer do is never told again.
//   - One that sounds for no reason is told to stop, after a moment for whoever tries
//     it at the device.
package drive
