// Package audit is the log of who did what with whose data (nhật ký minh bạch):
// a transparency log that anybody may hold against its keeper.
//
// # Words
//
//	act         việc đã làm: somebody looked, granted, invited, erased
//	leaf        what of an act is in the log for ever: commitments, no content
//	row         what of an act is beside the log, until somebody is erased
//	commitment  cam kết: SHA-256 under a key, which hides what it holds
//	opening     the key of one commitment in one leaf
//	checkpoint  size and root of the log, signed
//	witness     bên chứng kiến: an independent body that signs it too
//
// A leaf is JSON: {v, t: minute, act: "slice.verb", area: unit, salt, by, on, of,
// body}. by, on and of are commitments under a key of that person or thing, body
// under a key of that entry: C(k, v) = SHA-256("keng/commit/v1" || k || v), where
// k = HMAC-SHA-256(key, salt) differs in every leaf. So nobody without a key can
// tell that two leaves speak of the same person, an opening for one leaf opens no
// other, and whoever has his own key finds every leaf that speaks of him.
//
// The tree is that of RFC 6962, read as C2SP tlog-tiles; checkpoints and
// cosignatures are C2SP tlog-checkpoint, tlog-cosignature and tlog-witness.
//
// # Promises
//
//   - The leaf is in the database transaction of the act: no act without a leaf, no
//     leaf without an act, whenever the power goes.
//   - No name, telephone number or free text is in a leaf, and no hash without a key:
//     the types do not let it.
//   - Erasing a person removes keys and rows; the leaves stay and the log is whole.
//   - What was once signed is never signed otherwise: who shows two histories is
//     found out by anybody who compares checkpoints.
//   - Nothing in an alarm waits for this log, its key or a witness.
package audit
