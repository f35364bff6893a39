// Package village reads the village file, in which an operator or a group leader
// says who lives where and what is wired to which home, and imports it.
//
// # Words
//
//	village file  tệp xóm: YAML or JSON; docs/village-file.md shows its shape
//	row           one thing that is wrong or doubtful, with its line
//	prune         take out what the file's groups have and the file does not name
//	sample        a village that is made up: for the demo, the simulator, the bench
//
// # Promises
//
//   - Every bad row is named at once, with its line and what to do, in Vietnamese
//     or English; then nothing of the file is imported.
//   - The same file again changes nothing and says so. Nothing is removed unless asked.
//   - A dry run does everything but the last step, so it tells exactly what the
//     import will do.
//   - A group of an unusual size, a home without a place, a leader who is missing
//     are warnings: people decide, not the parser.
package village
