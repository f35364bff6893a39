// Package place knows where people live: province > commune or ward >
// neighbourhood > neighbour group > home, with the official unit codes built in.
//
// # Words
//
//	unit           đơn vị hành chính, with its official code; two tiers since 2025-07-01
//	neighbourhood  thôn, bản, xóm, tổ dân phố; no official code
//	group          tổ liên gia, 5 to 15 adjoining homes; the size is configuration
//	home           a household's house
//	directory      who lives where, as it stood at one version of the village
//	boundary       ranh giới of a unit; brought by the operator, never shipped
//
// # Promises
//
//   - Unit codes are strings with their leading zeros.
//   - "Hoà" and "Hòa", "đ" and "d" meet in [Fold].
//   - A [Directory] never changes; who holds one sees one village, not two halves.
//   - An import in another process is seen within [Every].
//
// Source of the units: thanglequoc/vietnamese-provinces-database (MIT), which
// follows Decision 19/2025/QĐ-TTg; see units.SOURCE.md.
package place
