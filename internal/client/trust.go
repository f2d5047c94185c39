package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
)

// maxCA bounds a certificate, in bytes.
const maxCA = 64 << 10

// CA asks the server for the certificate of its own authority, in PEM. Whoever is
// on the way could give another one: its fingerprint must be compared before it is
// trusted.
func (c *Client) CA(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base()+"/ca.pem", nil)
	if err != nil {
		return nil, fmt.Errorf("server address %q: %w", c.URL, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// It cannot be checked before it is trusted, and nothing secret is sent.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxCA))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", c.URL, err)
	}
	if block, _ := pem.Decode(raw); resp.StatusCode != http.StatusOK || block == nil {
		return nil, fmt.Errorf("%s has no certificate authority: is a Slipway server at this address, and not an app?", c.URL)
	}
	return raw, nil
}

// TrustAlso are the authorities that the system trusts, and the one in PEM.
func TrustAlso(ca []byte) *x509.CertPool {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // this one is trusted all the same
	}
	roots.AppendCertsFromPEM(ca)
	return roots
}

// web is what speaks HTTP.
func (c *Client) web() *http.Client {
	if c.Roots == nil {
		return http.DefaultClient
	}
	c.ownWeb.Do(func() {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: c.Roots}
		c.own = &http.Client{Transport: transport}
	})
	return c.own
}
