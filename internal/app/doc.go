// Package app ties the ropes: it builds every part of Keng from its options,
// starts them in order and stops them in the opposite order. Only commands and
// the village's stage import it; it decides nothing.
package app
