// Package say holds every sentence that Keng says to people, by key, in
// Vietnamese (the default) and in English. Code holds keys only.
//
// # Words
//
//	key       "alarm.group_unknown": the slice, a point, what it is about
//	sentence  text for a key with values in braces: "{home} cần cứu"
//
// Sentences live in vi.json and en.json, sorted by key. {name} is a value that the
// caller gives. {n|home|homes} is the first word when n is 1 and else the second.
//
// # Promises
//
//   - Both languages have the same keys with the same values, and every key of a
//     fault in the code has its sentence.
//   - Text is NFC, also when a value was not.
//   - A missing value never shows a brace to people, and a missing key never
//     breaks a page: the key itself is shown.
//   - Keys are only added; an old one is never given another meaning.
package say
