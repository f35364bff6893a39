// Package cap speaks the Common Alerting Protocol, CAP 1.2 (OASIS, 2010): the life
// of an incident goes out to programs that may know, a warning of an authority
// comes in and becomes a notice to the groups of its area.
//
// # Words
//
//	alert     bản tin CAP: one message; Alert, Update or Cancel
//	consumer  chương trình nhận: a program with a token that may read
//	warning   cảnh báo of a province or an authority, for an area, until it expires
//	geocode   mã đơn vị hành chính: the official code of a province, commune or ward
//
// # Promises
//
//   - What goes out holds no name, telephone or house: which danger, which group, a
//     circle around it, and how far the response is.
//   - An identifier never changes what it says; a later message refers to the earlier
//     ones. A drill is an Exercise, a bell test is a Test, a hold-up never goes out.
//   - What comes in is held against the schema of CAP 1.2; a document type, an older
//     version, a wrong date or too large a file gets a sentence that says so.
//   - The same warning twice is one; an Update replaces and a Cancel withdraws what the
//     same sender said before.
//   - The sender's token is what is trusted, and for its own area only; a signature
//     inside the message is not looked at.
package cap
