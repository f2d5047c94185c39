package router

import (
	"net/http"
	"strings"
)

// maxHost is how long a name may be (RFC 1035, 2.3.4).
const maxHost = 253

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
	name = hostport
	if i := strings.IndexByte(name, ':'); i >= 0 {
		if !isPort(name[i+1:]) {
			return "", false
		}
		name = name[:i]
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxHost {
		return "", false
	}
	letters, start := false, 0
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			if i == start || i-start > 63 {
				return "", false
			}
			start, letters = i+1, false
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_':
			letters = true
		case '0' <= c && c <= '9':
		default:
			return "", false
		}
	}
	// A name whose last label is a number is an IPv4 address (RFC 1123, 2.1).
	if !letters || start == len(name) || len(name)-start > 63 {
		return "", false
	}
	return strings.ToLower(name), true
}

func isPort(s string) bool {
	if len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
