package state

import (
	"crypto/tls"
	"time"
)

// A Cert is a TLS certificate that somebody brought for an app's domains.
type Cert struct {
	ID      string
	App     string // the app's name
	Chain   string // PEM, the leaf first
	Key     string // PEM, a secret
	Created time.Time
}

const (
	// MaxCerts is the most certificates of an app.
	MaxCerts = 20
	// maxPEM is the most bytes of a chain, and of a key.
	maxPEM = 64 << 10
)

// CheckCert returns nil for a chain and a key that belong together, else
// [ErrInvalid].
func CheckCert(c Cert) error {
	if len(c.Chain) > maxPEM || len(c.Key) > maxPEM {
		return Invalid("the certificate or its key has more than %d bytes: give the leaf and its chain only", maxPEM)
	}
	if _, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.Key)); err != nil {
		return Invalid("this is no certificate with its key, both in PEM and the leaf first (%v)", err)
	}
	return nil
}
