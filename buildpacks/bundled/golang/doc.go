// Package golang is Slipway's buildpack for Go: bin/detect and bin/build as one
// program.
//
// It installs the toolchain that go.mod asks for, which is a module of the
// module proxy (golang.org/toolchain) and is checked against the checksum
// database as any other, and compiles the app's programs. The toolchain, the
// modules and Go's own build cache are layers of the cache; only the programs
// are in the image.
//
// It never changes go.mod, go.sum or vendor, and does not know what came before
// modules (dep, godep, glide): such an app is told how to move on.
package golang
