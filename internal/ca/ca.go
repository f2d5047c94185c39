package ca

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// File is the name of the file in Config.Dir that holds the authority's
// certificate.
const File = "ca.pem"

const keyFile = "ca-key.pem"

// Config configures an [Authority].
type Config struct {
	// Dir is where the authority's key and certificate are kept; required.
	Dir string
	// Hosts are the names and IP addresses of the server itself. Those of the
	// machine that only it can use are always among them.
	Hosts []string
	// Domain is what the apps' names end with; there are no apps if it is "".
	Domain string
	Now    func() time.Time // time.Now if nil
}

// An Authority signs certificates for one server. It may be used by many
// goroutines.
type Authority struct {
	now    func() time.Time
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	names  names
	suffix string // ".Domain", or ""
	beyond []string

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by name; that of the server itself is ""
}

// Open reads the authority, or makes it on the first start.
func Open(cfg Config) (*Authority, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	wanted := namesOf(append([]string{"localhost", "127.0.0.1", "::1"}, cfg.Hosts...))
	a := &Authority{now: cfg.Now, leaves: map[string]*tls.Certificate{}}
	domain := strings.ToLower(cfg.Domain)
	if isName(domain) {
		a.suffix = "." + domain
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	var err error
	if a.key, err = loadKey(filepath.Join(cfg.Dir, keyFile), filepath.Join(cfg.Dir, File)); err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	a.cert, err = loadCert(filepath.Join(cfg.Dir, File), a.key, func() ([]byte, error) {
		return selfSign(a.key, wanted, domain, cfg.Now())
	}, cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	a.names, a.beyond = permitted(a.cert, wanted)
	if a.suffix != "" && !permitsName(a.cert, domain) {
		a.beyond, a.suffix = append(a.beyond, domain), ""
	}
	return a, nil
}

// Beyond are the names and addresses that were asked for, and that an authority
// made for others may not sign for.
func (a *Authority) Beyond() []string { return slices.Clone(a.beyond) }

// PEM is the authority's certificate, which clients are to trust.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Fingerprint is the SHA-256 of the authority's certificate, as openssl shows it.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// maxLeaves bounds how many certificates are kept: strangers choose the names.
const maxLeaves = 1000

// Certificate finds or makes the certificate for a handshake. Who asks for a name
// that is not the server's, or for none, gets the server's own.
func (a *Authority) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name, now := a.app(hello.ServerName), a.now()
	a.mu.Lock()
	leaf := a.leaves[name]
	a.mu.Unlock()
	if leaf != nil && fresh(leaf.Leaf, now) {
		return leaf, nil
	}
	of := a.names
	if name != "" {
		of = names{dns: []string{name}}
	}
	leaf, err := a.sign(of, now)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.leaves) >= maxLeaves {
		clear(a.leaves)
	}
	a.leaves[name] = leaf
	return leaf, nil
}

// app is the name of an app's host, or "" for any other.
func (a *Authority) app(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	label, ok := strings.CutSuffix(host, a.suffix)
	if a.suffix == "" || !ok || strings.Contains(label, ".") || !isName(host) || slices.Contains(a.names.dns, host) {
		return ""
	}
	return host
}

// names are what a certificate is for.
type names struct {
	dns []string
	ips []netip.Addr
}

// maxNames bounds what one certificate is for.
const maxNames = 64

// namesOf sorts names and addresses; what is neither is left out.
func namesOf(hosts []string) (n names) {
	for _, host := range hosts {
		host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
		addr, err := netip.ParseAddr(host)
		addr = addr.Unmap().WithZone("")
		switch {
		case len(n.dns)+len(n.ips) == maxNames:
			return n
		case err == nil && !addr.IsUnspecified() && !slices.Contains(n.ips, addr):
			n.ips = append(n.ips, addr)
		case err != nil && isName(host) && !slices.Contains(n.dns, host):
			n.dns = append(n.dns, host)
		}
	}
	return n
}

// isName tells whether a text can be a host name in lower case (RFC 1123, 2.1).
func isName(s string) bool {
	const maxHost, maxLabel = 253, 63
	if len(s) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}
