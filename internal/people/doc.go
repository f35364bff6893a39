// Package people knows who: residents of homes, officers of units, how they
// sign in and which roles they hold where.
//
// # Words
//
//	member, leader, deputy  thành viên, tổ trưởng, tổ phó of a neighbour group
//	desk                    trực ban, the commune's duty officer
//	invite                  thư mời: one use, by link or QR
//	token                   bearer token of a program, stored hashed
//
// # Promises
//
//   - A secret (invite, session, token) is stored only as its hash.
//   - What an actor may not know exists is not found for him.
//   - Admin runs the machine and reads nobody's data.
package people
