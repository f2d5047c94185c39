// Package testkit has what several packages' tests need: a server in a process
// of its own, a Python package index on loopback, and a way to run an image. It
// is used by tests only.
package testkit
