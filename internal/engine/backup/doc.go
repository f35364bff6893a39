// Package backup writes everything that Keng keeps into one file, from a running
// server, and reads it back: on SQLite and on PostgreSQL, and from either into the
// other.
//
// # Words
//
//	backup    one file (sao lưu): gzipped tar, optionally inside age encryption
//	head      the first entry: who made it, when, with which migrations and tables
//	part      a piece of a table, one row a line as a JSON array, or a kept file
//	manifest  the last entry: size, SHA-256 and rows of every part
//
// # Promises
//
//   - A backup is one moment: everything that was on disk before [Head.Made] is in
//     it, and nothing by halves. Nobody who writes waits for it.
//   - A file that appears under its name is whole and on disk; until then it has
//     another name, and mode 0600 from its first byte.
//   - Restoring is all or nothing. A part that is missing, that is not what was
//     written, a newer schema, a name that no migration of ours makes: refused.
//   - Nothing in a backup chooses a path or a piece of SQL.
package backup
