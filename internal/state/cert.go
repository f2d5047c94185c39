package state

import "time"

// A Cert is a TLS certificate that somebody brought for an app's domains.
type Cert struct {
	ID      string
	App     string // the app's name
	Chain   string // PEM, the leaf first
	Key     string // PEM, a secret
	Created time.Time
}
