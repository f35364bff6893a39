// Package register is the list of households that a commune already keeps, as a
// spreadsheet: read into Keng, taken back, and written out again.
//
// # Words
//
//	list     danh sách hộ: one row for each adult, with his home and group
//	column   cột, known by its heading in Vietnamese, with or without marks
//	check    chạy thử: everything but the last step
//	undo     hoàn tác: what an import made is taken out, if nobody touched it since
//
// # Promises
//
//   - Every row that is wrong is named, with its column and what to do; then nothing
//     of the list is taken.
//   - A list that Keng wrote changes nothing when it is read again.
//   - A list adds and corrects; it takes out nobody, and changes nobody's role who is
//     here already.
//   - Undo takes out what the import made and puts back what it changed; what
//     somebody has touched since stays and is named. Thirty days later nothing of
//     what was before is kept.
//   - A file of any bytes is refused with a sentence; what it unpacks to is bounded,
//     and nothing of it is written to the disk unsealed by the reader.
package register
