package router

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Cert is a certificate that somebody brought.
type Cert struct {
	Chain string // PEM, the leaf first
	Key   string // PEM, a secret
}

// certs finds certificates by name: "www.example.com", "*.example.com". It is
// made once and then only read.
type certs map[string]*tls.Certificate

// newCerts indexes what can be used. The error tells of the rest.
func newCerts(brought []Cert) (certs, error) {
	found := certs{}
	var errs []error
	for _, c := range brought {
		pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.Key))
		if err != nil {
			errs = append(errs, fmt.Errorf("use certificate: %w", err))
			continue
		}
		for _, name := range pair.Leaf.DNSNames {
			name = strings.ToLower(name)
			// Whoever renews one need not remove the old one first.
			if old := found[name]; old == nil || old.Leaf.NotAfter.Before(pair.Leaf.NotAfter) {
				found[name] = &pair
			}
		}
	}
	return found, errors.Join(errs...)
}

// match finds the certificate of a host, which is in lower case, and tells
// whether it is valid now; nil if there is none.
func (c certs) match(host string, now time.Time) (cert *tls.Certificate, valid bool) {
	cert = c[host]
	if cert == nil {
		if _, parent, ok := strings.Cut(host, "."); ok {
			cert = c["*."+parent]
		}
	}
	if cert == nil {
		return nil, false
	}
	return cert, !now.Before(cert.Leaf.NotBefore) && !now.After(cert.Leaf.NotAfter)
}
