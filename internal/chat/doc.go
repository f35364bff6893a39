// Package chat is a neighbour group's digital contact channel: words, pictures and
// voice notes among those who share an alarm, the thread of an incident, the
// leader's announcements, and the duty desk's notices with counts of reach.
//
// # Words
//
//	message       lời nhắn: words, a picture (ảnh) or a voice note (lời nói)
//	thread        trao đổi: the messages of a group, or of one incident (sự cố)
//	announcement  thông báo của tổ trưởng, to the group
//	notice        thông báo của trực ban, to groups that it chose
//	warning       cảnh báo of a province or an authority, for an area, until it expires
//	seen          đã xem: counted, never listed by name
//	removed       đã gỡ khỏi màn hình by the leader; taken back (thu hồi) by its author
//	window        lượt đọc: an officer reads an incident's thread while it is open
//	rev           number of a change of a group's thread; a screen asks for what came after it
//
// # Promises
//
//   - A group's thread is read by its residents only. An officer reads the thread of
//     an incident that called him, while it is open, and not after; every such window
//     is an entry in the log of who saw what.
//   - A message sent twice is one message. What a screen gathers by asking for what
//     came after its last rev is the same thread that a new screen is given.
//   - Pictures and voice notes hold nothing but what is seen and heard: no place, no
//     device, no name, nothing behind the end.
//   - Who has seen an announcement is known as a count only.
//   - What was taken back, removed or is older than the retention is deleted for good,
//     with its file.
//   - A hold-up leaves no trace here.
//
// Law: Law 91/2025/QH15 on personal data protection; how long messages are kept is a
// dated row of configuration (keep.chat_days).
package chat
