// Package fault is the one vocabulary of errors: what went wrong, in which
// operation, and what the person in front of the screen may be told.
//
// # Promises
//
//   - The chain of causes is for the log; people only ever see the sentence for
//     [Error.Key] in their language.
//   - Kinds and keys are only added: a stored number or key keeps its meaning.
//   - An error that is no fault counts as [Internal], so that nothing leaks.
package fault
