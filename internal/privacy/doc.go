// Package privacy lets everybody see who saw what of theirs, and ask for their
// rights over it (quyền của chủ thể dữ liệu).
//
// Law: Personal Data Protection Law 91/2025/QH15 and Decree 356/2025/NĐ-CP, whose
// clocks are rows of configuration ([place.Rules], keys "privacy.").
//
// # Words
//
//	look      lượt xem: somebody from outside the group read its names
//	entry     một dòng "ai đã xem gì của tôi", in one sentence, with its proof
//	request   yêu cầu của chủ thể dữ liệu: see, correct, export, delete, withdraw
//	section   một phần dữ liệu đang giữ: what one slice holds about a person
//
// # Promises
//
//   - Whoever from outside reads the names of a group is in the log, once for each
//     officer, group and hour, and each of its people can read it.
//   - A look is on disk before the names are shown, unless the disk does not answer
//     within 200 ms: then they are shown all the same, for an alarm does not wait,
//     and the look is written as soon as that is possible.
//   - A person reads entries about himself only, and can check each of them without
//     believing us.
//   - A request has its legal clock from the moment it is made, and an answer that
//     is kept.
//   - Erasing somebody removes what every slice holds of him; the log of acts stays
//     whole.
package privacy
