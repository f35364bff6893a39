// Package stage is a whole Keng in one process, with everything around it: the
// village's devices over real MQTT, people who can sign in, and a door in front
// of the pages that can be shut, held or made to lose an answer. Stories and
// trials play on it.
//
// # Words
//
//	stage  sàn: a running Keng with its village
//	door   cửa: the way from the browsers to the pages; its address stays the
//	       same while Keng behind it is restarted
//	fate   what becomes of one request at the door
//
// # Promises
//
//   - Nothing is pretended: pages, devices and programs come in over the network,
//     as they do in an alley.
//   - A stage leaves nothing behind: when Close returns, its goroutines and
//     connections have ended.
//   - What a trial expects is waited for and never slept for; who waits in vain is
//     told what there was instead.
package stage
