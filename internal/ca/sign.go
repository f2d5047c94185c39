package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// authorityLife is how long people need not trust another certificate.
	authorityLife = 10 * 365 * 24 * time.Hour
	// leafLife is how long a certificate can be used that was stolen with its
	// key; there is no revocation.
	leafLife = 7 * 24 * time.Hour
	// skew is how far a client's clock may be behind ours.
	skew = 24 * time.Hour
)

// selfSign makes the authority's certificate.
//
// People put it among those that their whole system trusts, so it must be good
// for this server only: whoever steals the key from the data directory must not
// be able to pass for their bank. The name constraints (RFC 5280, 4.2.1.10) say
// so, and clients check them: the names that the server has, with those below
// them, and its addresses one by one. There is always one of each kind, since a
// kind without a constraint would be permitted whole. All of 127.0.0.0/8 is this
// machine, whatever the port.
func selfSign(key *ecdsa.PrivateKey, of names, domain string, now time.Time) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(public)
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Slipway"}, CommonName: fmt.Sprintf("Slipway local CA %x", id[:4])},
		NotBefore: now.Add(-skew), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         slices.Clone(of.dns),
		PermittedIPRanges:           []*net.IPNet{network(netip.MustParsePrefix("127.0.0.0/8"))},
	}
	if isName(domain) && !slices.Contains(of.dns, domain) {
		template.PermittedDNSDomains = append(template.PermittedDNSDomains, domain)
	}
	for _, addr := range of.ips {
		if addr.Is4() && addr.IsLoopback() {
			continue
		}
		template.PermittedIPRanges = append(template.PermittedIPRanges, network(netip.PrefixFrom(addr, addr.BitLen())))
	}
	return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
}

func network(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// sign makes a certificate for a server. It has no common name, which old
// verifiers would hold against the constraints.
func (a *Authority) sign(of names, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	end := now.Add(leafLife)
	if end.After(a.cert.NotAfter) {
		end = a.cert.NotAfter
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Organization: []string{"Slipway"}},
		NotBefore: now.Add(-skew), NotAfter: end,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              of.dns,
	}
	for _, addr := range of.ips {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// fresh tells whether a certificate still has a third of its life before it.
func fresh(leaf *x509.Certificate, now time.Time) bool {
	return now.Add(leafLife/3).Before(leaf.NotAfter) && !now.Before(leaf.NotBefore)
}

// permitted parts what an authority may sign for from what it may not.
func permitted(authority *x509.Certificate, wanted names) (may names, beyond []string) {
	for _, name := range wanted.dns {
		if permitsName(authority, name) {
			may.dns = append(may.dns, name)
		} else {
			beyond = append(beyond, name)
		}
	}
	for _, addr := range wanted.ips {
		if slices.ContainsFunc(authority.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(addr.AsSlice()) }) {
			may.ips = append(may.ips, addr)
		} else {
			beyond = append(beyond, addr.String())
		}
	}
	return may, beyond
}

func permitsName(authority *x509.Certificate, name string) bool {
	return slices.ContainsFunc(authority.PermittedDNSDomains, func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}
