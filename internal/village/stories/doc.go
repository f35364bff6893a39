// Package stories tells what people live through with Keng, in a real browser: a
// resident's phone, a neighbour's, the leader's, the duty desk's, each signed in by
// itself, with a whole Keng behind them (package stage). Each test is one story;
// its name is the promise.
//
// They need Chromium (Debian: chromium) and the built screens (make web). Without
// Chromium they are skipped, except where CI is set: there they fail. With
// KENG_PICTURES=1 the pictures in docs/pictures are taken anew.
//
// # Words
//
//	person   somebody with a browser of his own: nothing is shared with others
//	phone    360 × 780 points with a finger; desk: 1440 × 900 with mouse and keys
//	watch    what a browser complains about: errors, refused rules, lost requests
package stories
