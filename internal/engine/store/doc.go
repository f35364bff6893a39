// Package store opens the database: SQLite in one file by default, PostgreSQL
// when a province outgrows it. Slices write one SQL text that both engines
// accept: $1 placeholders, RETURNING, ON CONFLICT, times as Unix milliseconds,
// JSON as TEXT.
//
// # Words
//
//	committer  the one writer of what must not be lost: it gathers what is
//	           waiting into one transaction and one sync (group commit)
//	op         a piece of work inside such a transaction
//
// # Promises
//
//   - An op's done is called with nil only after its transaction is on disk
//     (SQLite: WAL, synchronous=FULL; PostgreSQL: its own commit).
//   - A full or broken disk loses nothing that is waiting: the committer tries
//     again until it succeeds, in order, and says that it is stuck.
//   - Migrations only go forward, each in its own transaction, once.
package store
