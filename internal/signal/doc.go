// Package signal is the one vocabulary between devices and alarms: what a
// button, detector or siren says, whatever dialect it speaks.
//
// # Words
//
//	device    thiết bị: nút ấn, đầu báo, còi, đèn
//	signal    tín hiệu: one normalised event of one device
//	category  loại sự cố: which danger
//
// # Promises
//
//   - Times are Keng's own; a device's clock is never trusted.
//   - The same event delivered twice has the same [Signal.Key].
package signal
