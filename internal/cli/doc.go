// Package cli is the client's side of the slipway command: one file a verb. It
// talks to a server through [slipway/internal/client] only, and never reads the
// environment itself: [Config] carries what it may know of it.
package cli
