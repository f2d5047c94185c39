package state

import (
	"net/url"
	"slices"
	"time"
)

// A Drain is an address to which an app's log lines are sent.
type Drain struct {
	ID      string
	App     string // the app's name
	URL     string // syslog://, syslog+tls:// or https://; it may hold a password
	Token   string // how the receiver tells drains apart: "d.UUID"
	Created time.Time
}

const (
	// MaxDrains is the most drains of an app.
	MaxDrains = 10
	// maxDrainURL is the most bytes of a drain's address.
	maxDrainURL = 2048
)

// CheckDrain returns nil for an address that log lines can be sent to, else
// [ErrInvalid]. Its words do not hold the address, which may hold a password.
func CheckDrain(address string) error {
	if len(address) > maxDrainURL {
		return Invalid("the drain's address has %d bytes, want at most %d", len(address), maxDrainURL)
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || !slices.Contains([]string{"syslog", "syslog+tls", "https"}, u.Scheme) {
		return Invalid("a drain's address is syslog://HOST:PORT, syslog+tls://HOST:PORT or https://HOST/PATH")
	}
	return nil
}

// Target says where the drain leads, without the secrets in its address.
func (d Drain) Target() string {
	u, err := url.Parse(d.URL)
	if err != nil {
		return "an unreadable address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
}
