// Package web is the HTTP kit: what every slice needs to answer a browser or a
// program, and what none should decide for itself.
//
// # Words
//
//	kit      the routes, the typed operations and the chain around them
//	op       a typed operation; it is also the OpenAPI that clients are made from
//	problem  what went wrong, as RFC 9457 problem+json, in the reader's language
//	stream   server-sent events to one screen
//	visit    one finished request, as logs and metrics see it: never who, never where from
//
// # Promises
//
//   - A cause never reaches a client; only the sentence of its key does.
//   - A request log holds the route's pattern, the status and the time taken: no
//     address, no path, no query, no person.
//   - State changes asked for by another site are refused (Fetch metadata, Origin).
//   - No address of a client is stored anywhere, not even to limit what it asks;
//     what is vital is never limited.
//   - Half requests and silent connections hold nobody up who asks.
//   - Bodies are at most [BodyLimit], where a route does not say more; fields that are not known are ignored, so
//     that an older server understands a newer client.
//   - A slow screen never holds up another, nor the one who tells it; what it
//     missed is replaced by one "reload".
package web
