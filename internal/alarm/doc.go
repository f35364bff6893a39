// Package alarm is the household-group alarm (tổ liên gia an toàn PCCC và
// ANTT): one press rings every home of the group, neighbours answer, the duty
// desk knows, and nobody is forgotten.
//
// # Words
//
//	incident      sự cố: the response case of one group and one danger
//	origin        nơi phát: the home and device, or person, that raised it
//	condition     tình trạng: is the danger still reported
//	annunciation  phát còi: what the sirens do
//	response      ứng cứu: has anybody taken it
//	closure       kết thúc: by a named person, with a cause
//	roll-call     điểm danh: per home and per person; the worst answer stands for the home
//	ladder        L0 queued, L1 sent, L2 accepted, L3 sounding or on a screen, L4 a person answered
//	step          a rung of the escalation plan, in seconds, as data
//	drill         diễn tập; bell test: thử chuông
//	mistaken      báo nhầm: never the same thing as a false report (báo cháy giả)
//
// # Promises
//
//   - Ring first: a slow, full or broken disk never delays a siren, and the
//     first alarm of a group is never grouped, limited or delayed.
//   - A press whose done was called is in the journal, with its incident.
//   - The same press twice is one alarm; a second home is "spreading" and resounds.
//   - Acknowledge, silence and close are three acts with three rights; one
//     home's answer never stops another's siren.
//   - Only a named person closes a live incident. Intent is never inferred.
//   - A drill or a bell test never reaches the live desk; a hold-up reaches
//     nobody else.
//   - Every step of an open incident has a time, and time survives a restart.
//
// Law: Law 55/2024/QH15 art. 20; Decree 106/2025 art. 27.4.b punishes only an
// intended false report. Keng is not the transmitter of Decree 105/2025 art. 27.
package alarm
