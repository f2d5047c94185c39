package logs

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// ErrDrain is returned for a URL that no drain can have.
var ErrDrain = errors.New("a drain is syslog://HOST:PORT, syslog+tls://HOST:PORT or https://HOST/PATH")

// A Drain is a place that an app's lines are sent to.
type Drain struct {
	ID    string // what people call it
	URL   string // syslog://, syslog+tls:// or https://; may hold a password
	Token string // tells the receiver which drain it is
}

// A target is a drain's URL in parts.
type target struct {
	scheme string
	addr   string        // host and port
	host   string        // for the certificate
	url    string        // for HTTP, without user
	user   *url.Userinfo // may be nil
}

// CheckDrain returns an error that fits ErrDrain, and does not repeat the
// password, unless there can be a drain with the URL.
func CheckDrain(raw string) error {
	_, err := parseDrain(raw, false)
	return err
}

func parseDrain(raw string, allowHTTP bool) (target, error) {
	u, err := url.Parse(raw)
	if err != nil { // its text has the URL
		return target{}, fmt.Errorf("the URL cannot be read: %w", ErrDrain)
	}
	ports := map[string]string{"syslog": "514", "syslog+tls": "6514", "https": "443"}
	if allowHTTP {
		ports["http"] = "80"
	}
	port := ports[u.Scheme]
	switch {
	case port == "":
		return target{}, fmt.Errorf("scheme %.20q: %w", u.Scheme, ErrDrain)
	case u.Hostname() == "" || len(u.Host) > 300 || len(raw) > 2000:
		return target{}, fmt.Errorf("host %.40q: %w", u.Hostname(), ErrDrain)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t := target{scheme: u.Scheme, host: u.Hostname(), addr: net.JoinHostPort(u.Hostname(), port), user: u.User}
	u.User, u.Fragment = nil, ""
	t.url = u.String()
	return t, nil
}
