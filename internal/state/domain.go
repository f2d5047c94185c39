package state

import "time"

// A Domain is a host name of an app, beside its own APP.DOMAIN.
type Domain struct {
	ID       string
	App      string // the app's name
	Hostname string // lower case, without a dot at the end
	Created  time.Time
}
