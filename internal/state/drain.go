package state

import "time"

// A Drain is an address to which an app's log lines are sent.
type Drain struct {
	ID      string
	App     string // the app's name
	URL     string // syslog://, syslog+tls:// or https://; it may hold a password
	Token   string // how the receiver tells drains apart: "d.UUID"
	Created time.Time
}
