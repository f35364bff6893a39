// Package arch holds the tests that keep the house in shape: which package may
// lean on which, what every package says of itself, and that the promises, the
// dependencies and the pages under docs are what they claim. It has no code of
// its own.
//
// The tests open every file themselves, so that go test's cache sees a change in
// any of them; a call to "go list" would stay green from the cache.
//
// # Floors
//
// Imports go down only; a package never imports a neighbour on its own floor,
// but for the few that sameFloor names with the why.
//
//	command  cmd/*
//	village  internal/village and below: the village file, simulated devices, a
//	         whole Keng on a stage, bench
//	app      internal/app: wiring by hand
//	slice    internal/<slice>: alarm, device, duty, ...
//	part     internal/<slice>/<part>: of that slice, which alone may import it
//	dialect  internal/dialect and below
//	ground   internal/place, people, signal, fact
//	engine   internal/engine/* and web (the bundles)
//
// # Test kits
//
// A package whose name ends in "test" and begins with its parent's name
// (store/storetest) is a test kit: it stands on its parent's floor, may lean on
// its parent and on package testing, and only tests may import it.
package arch
