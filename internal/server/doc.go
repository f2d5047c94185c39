// Package server is the whole program behind "slipway serve": it reads the
// settings, wires the packages together, and runs them until it is told to stop.
// It and cmd are the only readers of flags, files and the environment.
package server
