// Package seal closes short texts that rest in the database, so that who holds
// only the database, or a copy of it, reads nothing.
//
// # Words
//
//	key     chìa khoá: 32 random bytes in keng.key, beside the data and not in it
//	purpose what a text is for; each has a key of its own
//	row     the id of the row that a sealed text stands in
//
// # Promises
//
//   - A sealed text opens under its purpose and in its row only: moved to another
//     row, or changed by one bit, it does not open (AES-256-GCM).
//   - Its length tells no more than the next 256 bytes.
//   - The key file is made once, mode 0600, and never written again; one that
//     others may read is refused.
//
// Standards: HKDF is RFC 5869 with SHA-256, AES-GCM is NIST SP 800-38D.
package seal
