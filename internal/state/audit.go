package state

import "time"

// An Actor is who changes something, and from where.
type Actor struct {
	User string // "admin"; "slipway" for the server itself
	From string // the address of the request, "127.0.0.1"; "" for the server itself
}

// An Audit says that something was changed. It is written in the transaction
// that makes the change.
type Audit struct {
	ID      int64 // rises
	At      time.Time
	Actor   Actor
	App     string // the app's name at that time; "" if it concerns none
	Action  string // "app.create", "release.create", "formation.update", …
	Details string // in words, without secrets
}
