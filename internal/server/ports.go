package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"path/filepath"

	"go.uber.org/zap"

	"slipway/internal/ca"
	"slipway/internal/port"
)

// openCA opens our own certificate authority.
func (s *server) openCA() error {
	var err error
	s.ca, err = ca.Open(ca.Config{
		Dir: filepath.Join(s.set.Data, "ca"), Domain: s.set.Domain,
		Hosts: append([]string{hostOf(s.addrs.public)}, ownAddresses(hostOf(s.addrs.http))...),
	})
	if err != nil {
		return err
	}
	s.log.Info("certificate authority ready", zap.String("file", filepath.Join(s.set.Data, "ca", ca.File)), zap.String("sha256", s.ca.Fingerprint()))
	if beyond := s.ca.Beyond(); len(beyond) > 0 {
		s.log.Warn("the certificate authority was made for other names: to serve these with TLS, remove its directory, and let clients trust the new one",
			zap.Strings("names", beyond), zap.String("directory", filepath.Join(s.set.Data, "ca")))
	}
	return nil
}

// ownAddresses are those by which a listener is reached: for all of the
// machine's, those that it has now.
func ownAddresses(host string) []string {
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.IsUnspecified() {
		return []string{host}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // --url can name one
	}
	var out []string
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsGlobalUnicast() {
			out = append(out, p.Addr().String())
		}
	}
	return out
}

// ports are the listeners of the HTTP server. The one port speaks TLS and plain
// HTTP, since some clients know only the one address, with https before it.
func (s *server) ports(l *listeners) []*port.Listener {
	apps := s.tls.Config()
	both := &tls.Config{
		MinVersion: apps.MinVersion, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if cert, err := apps.GetCertificate(hello); err == nil {
				return cert, nil
			}
			return s.ca.Certificate(hello)
		},
	}
	talk := func(ctx context.Context, conn net.Conn, word string) { s.api.Rendezvous(ctx, conn, word) }
	var all []*port.Listener
	for _, ln := range l.http {
		all = append(all, port.New(ln, port.Config{TLS: both, Talk: talk}))
	}
	if l.https != nil {
		all = append(all, port.New(l.https, port.Config{TLS: apps, Only: true, Talk: talk}))
	}
	for _, cfg := range []*tls.Config{both, apps} {
		// What a dyno writes at once stays together: see internal/api, rendezvous.
		cfg.DynamicRecordSizingDisabled = true
	}
	return all
}
