// Package cnb is what Slipway's own buildpacks have in common: bin/detect and
// bin/build as one program over libcnb ([Program]), the transcript that the
// pusher reads ([Output]), commands that a build runs ([Command]) and files.
//
// A buildpack's detection is a pure function, [Detect], of the answer that
// package buildpacks gives. So a push and `slipway detect` can ask it without
// starting a process, and get what bin/detect would say.
package cnb
