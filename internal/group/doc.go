// Package group is the neighbour group as its own people run it: who founded it,
// which homes and adults belong to it, by which rules, with what equipment and
// which skills, next to whom; and what a home leaves for those who come to help.
//
// # Words
//
//	found       lập tổ: a leader makes a group on the phone
//	charter     quy chế hoạt động: the group's rules, in versions that never change
//	signature   chữ ký của hộ: one for each home and version, by an adult for himself
//	term        nhiệm kỳ of a leader or deputy, in days
//	neighbour   tổ giáp ranh: asked by one leader, accepted by the other
//	assembly    điểm tập kết: where everybody meets
//	gear        phương tiện: extinguisher, breaking tool, ladder, keys
//	skill       kỹ năng: given by the person himself
//	note        ghi chú niêm phong: "bà cụ không đi lại được", the gas valve, the door code
//	opening     lần mở: one look at a note, which its home sees
//
// # Promises
//
//   - Founding, adding and leaving go through the tables of the village: alarm,
//     screens and sirens know at once.
//   - Nobody is entered for another adult: who is invited comes by himself.
//   - Leaving needs no reason and waits for nothing but a loud alarm. A person's
//     name, telephone, sessions, skills and, with the last of the home, its note
//     are gone; what was signed stays without a name.
//   - A note opens for its own home; and, while a live alarm of its group is open, for
//     the duty desk, the leader, and who answered that he is coming. Never in a
//     drill, never after, never for an administrator. Each opening is written down
//     before the note is shown, and its home sees it; that of a silent alarm when it is over.
//   - A group's size is advice from dated configuration, never a hard limit.
//
// Practice: the rules are signed by every household (bachthong.gov.vn,
// conganbacninh.vn); equipment per house as in the guidance of the fire police (C07).
package group
