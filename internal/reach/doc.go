// Package reach calls people: it knows their phones and numbers, makes the calls of
// an incident, takes their receipts, and says beforehand which phone would not ring.
//
// # Words
//
//	phone     điện thoại đã ghi danh: one browser of one person that takes push messages
//	probe     thử máy: a test push; how long it took to arrive is shown, and it is repeated monthly
//	case      sự cố, as far as calling needs it
//	stage     vòng gọi: one reason to call somebody in a case; each calls a person once by each channel
//	receipt   báo đã nhận: the phone itself says that it has the message, also signed out
//	notice    thông báo: what is no alarm; a person may choose channels and quiet hours for it
//
// # Promises
//
//   - An alarm calls every person of every home by push at once, and by SMS and
//     voice where no receipt came, as the plan of the incident says. It cannot be
//     muted but by leaving.
//   - Calling never stands in the way of the sirens: it begins after they were
//     told, and works while the disk does not.
//   - Nobody is called twice at one stage by one channel, also after a crash.
//   - A hold-up is told to the duty desk only, and its message does not say so. A
//     drill and a bell test say what they are and go to their group only.
//   - A lock screen shows the kind of danger and the home, nothing else.
//   - A phone that would not wake its owner is known beforehand, with what to do.
//   - A subscription is dropped when its push service says that it is gone, by its
//     owner, and with its owner; for no other reason.
package reach
