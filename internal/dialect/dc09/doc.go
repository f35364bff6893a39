// Package dc09 receives what certified alarm panels and dialers report over IP:
// ANSI/SIA DC-09 with the contents SIA DC-03 (token SIA-DCS), Ademco Contact ID,
// SIA DC-05 (ADM-CID), and link tests (NULL), plain or encrypted, on TCP and UDP.
//
// It is no MQTT dialect: a panel calls, and waits for an answer. So it has a
// [Server] of its own, which hands readings to a [Handler].
//
// # Words
//
//	panel    tủ báo cháy, tủ báo động (premises equipment): the one who reports
//	receiver máy thu (central station receiver): Keng
//	account  mã khách hàng: who reports, e.g. "1234"
//	zone     vùng, điểm: where it is, e.g. "05"
//	ACK      understood and kept; NAK: set your clock and send again; DUH: I cannot use this, do not repeat
//
// # Promises
//
//   - ACK leaves only after the handler said that every event of the message is
//     safe. When it said no, or nothing in time, there is no answer at all, and the
//     panel sends again: DUH would make it give up.
//   - No answer to a wrong CRC. NAK, with our time, to an encrypted message whose
//     time is missing, unreadable (a wrong key looks so too) or outside -40 to +20 s.
//     DUH to an unknown account, an unknown token, contents that cannot be read, an
//     encrypted message where no key is known, and a plain one where a key is.
//   - A well-formed event with a code that Keng does not know is a sign of life and is
//     acknowledged: panels have been seen to repeat it for ever, ahead of the next alarm.
//   - A wrong length field with a right CRC is accepted and counted: panels that write
//     it in decimal exist.
//   - The time of a plain message is not believed: panels that send local time exist.
//   - Who arms or disarms a house, and when, is not passed on.
//   - Frames, connections and waiting are bounded.
//
// DC-09's encryption (AES-CBC, zero IV) has no seal: it hides, and by its time it
// keeps old messages out, but somebody on the line can garble what he cannot read.
//
// Source: ANSI/SIA DC-09-2013 sections 5.4, 5.5, 5.6 and annex C (drafts for public
// review), DC-09-2021; SIA DC-03 and DC-05 codes; behaviour of panels as reported in
// the issue trackers of open receivers.
package dc09
