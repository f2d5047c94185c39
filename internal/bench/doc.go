// Package bench compares Slipway with its peers, side by side in one run: make
// bench runs it. It has no code outside its tests, which are built with the tag
// "bench" only, and it fails when a peer is missing or something cannot be
// measured, never when a goal is missed.
package bench
