package state

import (
	"net"
	"time"
)

// An Actor is who changes something, and from where.
type Actor struct {
	User string // "admin"; "slipway" for the server itself
	From string // the address of the request, "127.0.0.1"; "" for the server itself
}

// ActorAt is a user at a remote HOST:PORT.
func ActorAt(user, remote string) Actor {
	from, _, err := net.SplitHostPort(remote)
	if err != nil {
		from = remote // a socket's has no port
	}
	return Actor{User: user, From: from}
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
