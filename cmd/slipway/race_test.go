//go:build race

package main

// race tells whether the race detector watches.
const race = true
