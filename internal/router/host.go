package router

import (
	"net/http"
	"strings"
)

// How long a name and its parts may be (RFC 1035, 2.3.4).
const (
	maxHost  = 253
	maxLabel = 63
)

// Match tells whether a request is for an app: its host is one label before the
// domain, whether there is such an app or not, or a domain of an app.
func (rt *Router) Match(r *http.Request) bool {
	host, ok := hostname(r.Host)
	if !ok {
		return false
	}
	if rt.underDomain(host) {
		return true
	}
	_, found := rt.cfg.Apps.Find(r.Context(), host)
	return found
}

// underDomain tells whether host is exactly one label before the domain.
func (rt *Router) underDomain(host string) bool {
	label, ok := strings.CutSuffix(host, rt.suffix)
	return ok && rt.suffix != "" && label != "" && strings.IndexByte(label, '.') < 0
}

// hostname takes a Host header apart: the name in lower case, without the port
// and without the dot at the end. It is not ok for what is no DNS name, an
// address among them.
func hostname(hostport string) (name string, ok bool) {
	name, port, found := strings.Cut(hostport, ":")
	if found && !isPort(port) {
		return "", false
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxHost {
		return "", false
	}
	last := name
	for rest, more := name, true; more; {
		last, rest, more = strings.Cut(rest, ".")
		if !isLabel(last) {
			return "", false
		}
	}
	// A name whose last label is a number is an IPv4 address (RFC 1123, 2.1).
	if isDigits(last) {
		return "", false
	}
	return strings.ToLower(name), true
}

// isLabel tells whether s is a part of a name (RFC 1035, 2.3.1). Underscores
// are not of the standard, but in use.
func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func isPort(s string) bool { return len(s) <= 5 && isDigits(s) }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
