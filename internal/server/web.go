package server

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"go.uber.org/zap"

	"slipway/internal/logs"
	"slipway/internal/port"
	"slipway/internal/router"
	"slipway/internal/state"
)

// letsEncrypt issues certificates unless --acme-ca names another.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// openRouter makes what takes requests to apps.
func (s *server) openRouter() {
	s.hosts = newHosts(s.dynos, s.store, s.set.Domain, hostOf(s.addrs.public))
	s.router = router.New(router.Config{
		Apps: s.hosts, Domain: s.set.Domain, Port: s.addrs.port, TLSPort: cmp.Or(s.addrs.tlsPort, s.addrs.port),
		WakeTimeout: s.set.WakeTimeout, FirstByte: s.set.RequestTimeout, Logger: s.log,
		Log: func(app, line string) {
			s.logs.Append(app, logs.Line{At: time.Now(), Source: "slipway", Dyno: "router", Text: line})
		},
	})
}

// openTLS prepares the certificates: those of apps, and our own for who asks for
// another name.
func (s *server) openTLS(ctx context.Context) error {
	if err := s.openCA(); err != nil {
		return err
	}
	conf := router.TLSConfig{
		Storage: filepath.Join(s.set.Data, "certificates"), Log: s.log,
		HTTPPort: portOf(s.addrs.http), TLSPort: portOf(s.addrs.https),
		AllowHost: func(ctx context.Context, host string) bool {
			_, ours := s.hosts.Find(ctx, host)
			return ours || host == s.hosts.own
		},
	}
	if s.set.ACMEEmail != "" {
		conf.Email, conf.CA = s.set.ACMEEmail, cmp.Or(s.set.ACMECA, letsEncrypt)
	}
	var err error
	if s.tls, err = router.OpenTLS(conf); err != nil {
		return err
	}
	return s.useCerts(ctx)
}

// useCerts takes over the certificates that people brought.
func (s *server) useCerts(ctx context.Context) error {
	all, err := s.store.AllCerts(ctx)
	if err != nil {
		return err
	}
	brought := make([]router.Cert, 0, len(all))
	for _, c := range all {
		brought = append(brought, router.Cert{Chain: c.Chain, Key: c.Key})
	}
	if err := s.tls.SetCerts(brought); err != nil {
		s.log.Warn("some certificates cannot be used", zap.Error(err))
	}
	return nil
}

// checkCert says what a certificate is good for.
func checkCert(chain, key string) ([]string, time.Time, error) {
	pair, err := router.CheckPair(router.Cert{Chain: chain, Key: key}, time.Now())
	return pair.Names, pair.NotAfter, err
}

// changed follows what was changed of an app besides its releases.
func (s *server) changed(ctx context.Context, app string) {
	s.hosts.forget()
	s.dynos.Changed(app)
	if err := s.followDrains(ctx, app); err != nil {
		s.log.Warn("drains not followed", zap.String("app", app), zap.Error(err))
	}
	if err := s.useCerts(ctx); err != nil {
		s.log.Warn("certificates not followed", zap.String("app", app), zap.Error(err))
	}
}

// destroy removes an app with all that belongs to it.
func (s *server) destroy(ctx context.Context, by state.Actor, app string) error {
	if err := s.drains.Set(app, nil); err != nil {
		return err
	}
	err := s.dep.Destroy(ctx, s.git, by, app)
	s.hosts.forget()
	return err
}

// appsFirst sends requests for apps' hosts to the router, others on.
func (s *server) appsFirst(next http.Handler) http.Handler {
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.router.Match(r) {
			s.router.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
	return port.Handler(s.tls.HTTP(all))
}

// hostOf is an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

// web is the address of an app.
func (a addresses) web(app string) string {
	scheme, port, usual := "http", a.port, "80"
	if a.secure {
		scheme, port, usual = "https", a.tlsPort, "443"
	}
	host := app + "." + a.domain
	if port != usual {
		host = net.JoinHostPort(host, port)
	}
	return fmt.Sprintf("%s://%s/", scheme, host)
}
