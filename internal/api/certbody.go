package api

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"slipway/internal/state"
	"slipway/internal/wire"
)

// A cert is a certificate and what it says of itself.
type cert struct {
	state.Cert
	hosts []string  // that it is for
	until time.Time // when it ends
	leaf  *x509.Certificate
	chain *x509.CertPool // what came after the leaf
}

// look reads a certificate. One that cannot be used any more is shown all the
// same, to be removed.
func (a *api) look(c state.Cert) cert {
	out := cert{Cert: c, leaf: &x509.Certificate{}, chain: x509.NewCertPool()}
	rest := []byte(c.Chain)
	for i := 0; ; i++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if i == 0 {
			out.leaf = one
		} else {
			out.chain.AddCert(one)
		}
	}
	hosts, until, err := a.CheckCert(c.Chain, c.Key)
	if err != nil {
		hosts, until = out.leaf.DNSNames, out.leaf.NotAfter
	}
	out.hosts, out.until = slices.Concat([]string{}, hosts), until
	return out
}

// isFor says whether a certificate is for a host name, which may be "*.HOST".
func (c cert) isFor(hostname string) bool {
	return slices.Contains(c.hosts, hostname) || (c.leaf.Raw != nil && c.leaf.VerifyHostname(hostname) == nil)
}

// show leaves the key out.
func (c cert) show(app state.App, domains []wire.Domain) wire.Cert {
	ids := []string{}
	for _, d := range domains {
		if c.isFor(d.Hostname) {
			ids = append(ids, d.ID)
		}
	}
	return wire.Cert{
		ID: c.ID, Name: certName(c.Cert), App: refTo(app), Chain: c.Chain, Domains: ids, CreatedAt: c.Created, UpdatedAt: c.Created,
		SSLCert: wire.SSLCert{
			ID: idOf(app, "certificate", c.ID), Domains: c.hosts, StartsAt: c.leaf.NotBefore, ExpiresAt: c.until,
			Issuer: c.leaf.Issuer.String(), Subject: c.leaf.Subject.String(),
			SelfSigned: bytes.Equal(c.leaf.RawIssuer, c.leaf.RawSubject), CASigned: c.trusted(),
		},
	}
}

// trusted says whether this server's system trusts who signed the certificate.
func (c cert) trusted() bool {
	if c.leaf.Raw == nil {
		return false
	}
	_, err := c.leaf.Verify(x509.VerifyOptions{Intermediates: c.chain})
	return err == nil
}

// certName is a name of the form that Heroku gives to certificates.
func certName(c state.Cert) string {
	const enough = 8
	return "cert-" + c.ID[:min(len(c.ID), enough)]
}
