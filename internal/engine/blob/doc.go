// Package blob keeps what is too large for a table: pictures, voice notes. It is a
// folder; each slice has a room of its own in it.
//
// # Words
//
//	blob  bytes under a random name; never changed, only put and deleted
//	room  the blobs of one slice
//
// # Promises
//
//   - A blob that was put is on disk, whole, before its name is told.
//   - A name is random: it says nothing of what is in it, who put it, or what else
//     there is; a string that is no name never reaches the file system.
//   - What is deleted is gone from the folder; what somebody put and never wrote
//     down is found by [Room.Each] and can be swept.
//   - Files and folders are readable by Keng's own user only.
package blob
