// Package policy answers "may they?" from text: Cedar policies, one file for each
// slice, and the schema that they are checked against. It knows nothing of
// people: entities in, a decision and the policies that made it out.
//
// # Words
//
//	policy    điều luật của máy: a permit or a forbid, with its @id
//	schema    which kinds of things there are, and which verbs fit which
//	action    the verb that somebody wants to do, "alarm.raise"
//	decision  yes or no, and by which policies
//
// A slice brings two files here: <slice>.cedar and <slice>.cedarschema. base.cedarschema
// holds what all share: places, homes, people and programs.
//
// # Promises
//
//   - What no policy permits is denied; a forbid overrides every permit; a policy
//     that cannot be evaluated denies.
//   - A policy without an @id, with one that is taken, with a verb or a kind that
//     the schema does not know, or one that can never apply refuses the start.
//   - A policy speaks of kinds and relations, never of one person or one place: a
//     text that names somebody refuses the start. So a decision is the same for
//     everybody who stands in the same relation, and may be remembered.
package policy
