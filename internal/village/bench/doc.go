// Package bench measures the alarm from outside, as a neighbour would: a button
// publishes, seven sirens with connections of their own are commanded, and the
// time until the last of them has read its command is taken. It measures Keng
// beside raw Mosquitto, which only copies a message seven times (the floor), and
// beside Mosquitto with Node-RED, which is how such an alarm is usually built.
//
// # Words
//
//	press      one button's PUBLISH, QoS 1
//	ring       a siren's client has read a command to sound
//	repeat     a second command to a siren that was commanded for this press
//	crowd      the devices that are connected and say nothing, in a process of their own
//	street     the groups that press and ring, in the measuring process
//	round      presses that are measured together
//	front      one system under test, as child processes on 127.0.0.1
//
// # Promises
//
//   - One clock: a press begins when its PUBLISH is written and ends when the
//     seventh siren's client has read its command, in the same process.
//   - Presses leave on time, whether or not earlier ones have rung; how late they
//     left is in the report.
//   - Every system gets the same devices, the same load and a fresh start in each
//     run, and the runs are interleaved.
//   - A press that did not ring all its sirens, a ring nobody asked for, or a
//     press without its incident makes the run invalid, and the report says so.
//   - A system that is not installed is named as missing.
//   - Every verdict is computed from the numbers beside it.
package bench
