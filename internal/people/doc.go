// Package people knows who: residents of homes, officers of units, how they
// sign in and which roles they hold where.
//
// # Words
//
//	member, leader, deputy  thành viên, tổ trưởng, tổ phó of a neighbour group
//	desk                    trực ban, the commune's duty officer
//	grant                   trao vai trò: for whom, which role, where, from, to, by whom
//	post                    a role that is held now
//	invite                  thư mời: one use, by link or QR
//	token                   bearer token of a program, stored hashed
//
// # Promises
//
//   - A secret (invite, session, token) is stored only as its hash.
//   - What an actor may not know exists is not found for him.
//   - Every decision is the policies' (internal/engine/policy); none is made in SQL
//     or by a handler.
//   - An officer's role needs two persons, and nobody gives himself one.
//   - A role that is over or was taken back holds nothing, at the next request.
//   - Admin runs the machine and reads nobody's data.
package people
