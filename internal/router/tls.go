package router

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"go.uber.org/zap"
)

// TLSConfig configures a [TLS]. Its zero value has the certificates that people
// bring, and no others.
type TLSConfig struct {
	// CA is the ACME directory that certificates are got from,
	// https://acme-v02.api.letsencrypt.org/directory say; nowhere if "".
	// Whoever sets it agrees to the CA's terms.
	CA string
	// Email is where the CA writes to, if anything is wrong.
	Email string
	// Storage is a directory for keys and certificates; required with CA.
	Storage string
	// AllowHost tells for which names (lower case) a certificate may be got;
	// for none if nil.
	AllowHost func(ctx context.Context, host string) bool
	// HTTPPort and TLSPort are where our own servers listen, for the CA's
	// challenges; 80 and 443 if zero. The CA itself always asks at 80 and 443.
	HTTPPort, TLSPort int
	// Roots are trusted when the CA is spoken to; the system's if nil.
	Roots *x509.CertPool
	Log   *zap.Logger // nothing is logged if nil
}

// A TLS finds the certificate for each connection: one that somebody brought,
// or else one that the CA issues when the first client asks for the name. It may
// be used by many goroutines.
type TLS struct {
	log   *zap.Logger
	own   atomic.Pointer[certs]
	cache *certmagic.Cache // nil without a CA
	acme  *certmagic.Config
	ca    *certmagic.ACMEIssuer
}

// errNoCertificate is for whom nobody has a certificate.
var errNoCertificate = errors.New("no certificate for this name")

// OpenTLS makes a TLS. Close it after the servers that use it have stopped.
func OpenTLS(cfg TLSConfig) (*TLS, error) {
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	t := &TLS{log: cfg.Log.Named("tls")}
	t.own.Store(&certs{})
	if cfg.CA == "" {
		return t, nil
	}
	if cfg.Storage == "" {
		return nil, errors.New("open TLS: certificates need a directory to be kept in")
	}
	if err := os.MkdirAll(cfg.Storage, 0o700); err != nil {
		return nil, fmt.Errorf("open TLS: %w", err)
	}
	// certmagic names no context for what it does between handshakes.
	t.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return t.acme, nil },
		Logger:           t.log,
	})
	t.acme = certmagic.New(t.cache, certmagic.Config{
		Storage:  &certmagic.FileStorage{Path: cfg.Storage},
		OnDemand: &certmagic.OnDemandConfig{DecisionFunc: decide(cfg.AllowHost)},
		Logger:   t.log,
	})
	t.ca = certmagic.NewACMEIssuer(t.acme, certmagic.ACMEIssuer{
		CA: cfg.CA, Email: cfg.Email, Agreed: true,
		AltHTTPPort: cfg.HTTPPort, AltTLSALPNPort: cfg.TLSPort,
		TrustedRoots: cfg.Roots, Logger: t.log,
	})
	t.acme.Issuers = []certmagic.Issuer{t.ca}
	return t, nil
}

// decide says yes to the names of apps.
func decide(allow func(context.Context, string) bool) func(context.Context, string) error {
	return func(ctx context.Context, name string) error {
		host, ok := hostname(name)
		if !ok || allow == nil || !allow(ctx, host) {
			return errNoCertificate
		}
		return nil
	}
}

// SetCerts replaces the certificates that people brought. They win over those
// of the CA. It uses what can be used, and returns an error about the rest.
func (t *TLS) SetCerts(brought []Cert) error {
	found, err := newCerts(brought)
	t.own.Store(&found)
	return err
}

// Config is for an HTTP server, for HTTP/2 as well. It may not be changed.
func (t *TLS) Config() *tls.Config {
	cfg := &tls.Config{
		GetCertificate: t.certificate,
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
	}
	if t.acme != nil {
		cfg.NextProtos = append(cfg.NextProtos, acmez.ACMETLS1Protocol)
	}
	return cfg
}

func (t *TLS) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	// RFC 8737, 3: the CA offers this protocol and no other.
	challenge := len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acmez.ACMETLS1Protocol
	if challenge && t.acme != nil {
		return t.acme.GetCertificateWithContext(hello.Context(), hello)
	}
	host := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	own, valid := t.own.Load().match(host, time.Now())
	switch {
	case own != nil && (valid || t.acme == nil):
		return own, nil
	case t.acme == nil || host == "":
		return nil, errNoCertificate
	}
	cert, err := t.acme.GetCertificateWithContext(hello.Context(), hello)
	if err != nil && own != nil {
		return own, nil // an expired one says more than none; certmagic has logged the error
	}
	return cert, err
}

// HTTP answers the CA's challenges and passes all other requests on. It belongs
// before the server of plain HTTP.
func (t *TLS) HTTP(next http.Handler) http.Handler {
	if t.ca == nil {
		return next
	}
	return t.ca.HTTPChallengeHandler(next)
}

// Close stops the upkeep of certificates.
func (t *TLS) Close() {
	if t.cache != nil {
		t.cache.Stop()
	}
}
