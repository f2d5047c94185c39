package state

import (
	"net/netip"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// A Domain is a host name of an app, beside its own APP.DOMAIN.
type Domain struct {
	ID       string
	App      string // the app's name
	Hostname string // lower case, without a dot at the end; "*.example.com" stands for all names below
	Created  time.Time
}

// MaxDomains is the most domains of an app.
const MaxDomains = 100

// maxHostname is the most bytes of a host name in the DNS (RFC 1035, section
// 2.3.4), and bounds what is converted to it.
const maxHostname = 253

var (
	toASCII = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true),
		idna.Transitional(false), idna.VerifyDNSLength(true))
	digits = regexp.MustCompile(`^[0-9]+$`)
)

// CheckHostname returns the form in which a domain's host name is kept (lower
// case, in ASCII, without a dot at the end), or [ErrInvalid].
func CheckHostname(name string) (string, error) {
	bad := func(why string) (string, error) {
		return "", Invalid("host name %.80q %s: give one such as www.example.com", name, why)
	}
	if len(name) > 4*maxHostname {
		return bad("is too long")
	}
	rest, wildcard := strings.CutPrefix(strings.TrimSuffix(name, "."), "*.")
	if strings.HasSuffix(rest, ".") {
		return bad("ends with two dots")
	}
	if _, err := netip.ParseAddr(rest); err == nil {
		return bad("is an address")
	}
	host, err := toASCII.ToASCII(rest)
	if err != nil {
		return bad("is not valid")
	}
	if wildcard {
		host = "*." + host
	}
	if len(host) > maxHostname {
		return bad("is too long")
	}
	last := strings.LastIndexByte(strings.TrimPrefix(host, "*."), '.')
	if last < 0 {
		return bad("has no dot in it")
	}
	if digits.MatchString(host[strings.LastIndexByte(host, '.')+1:]) {
		return bad("ends with a number")
	}
	return host, nil
}
