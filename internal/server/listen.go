package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// addresses are how the parts are reached.
type addresses struct {
	http     string // where HTTP listens
	https    string // where HTTP with TLS listens, "" if it does not
	ssh      string // where SSH listens, "" if it does not
	url      string // of HTTP, as clients know it; no slash at the end
	public   string // HOST:PORT of url
	registry string // loopback HOST:PORT under which builds know the registry
	socket   string // of the registry alone, for builds
	domain   string
	port     string // of http
	tlsPort  string // of https
	secure   bool   // apps are known by their address with TLS
}

// listeners are the open doors, before anybody answers them.
type listeners struct {
	http     []net.Listener // the public one, and a loopback one if that is not
	https    net.Listener   // nil if TLS is off
	ssh      net.Listener   // nil if SSH is off
	registry net.Listener   // a socket in the data directory
}

func (l *listeners) close() {
	for _, ln := range append(l.http, l.https, l.ssh, l.registry) {
		if ln != nil {
			_ = ln.Close() // closed already when the servers ran
		}
	}
}

// listen opens all ports, so that one that is taken is noticed at once.
func (s *server) listen(ctx context.Context) (l *listeners, err error) {
	l = &listeners{}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	web, err := listenTCP(ctx, "http", s.set.HTTP)
	if err != nil {
		return l, err
	}
	l.http = append(l.http, web)
	bound, err := netip.ParseAddrPort(web.Addr().String())
	if err != nil {
		return l, fmt.Errorf("address of --http: %w", err)
	}
	port := strconv.Itoa(int(bound.Port()))
	s.addrs = addresses{http: web.Addr().String(), registry: "127.0.0.1:" + port, domain: s.set.Domain, port: port}
	if !bound.Addr().IsLoopback() && !bound.Addr().IsUnspecified() {
		inner, err := listenTCP(ctx, "http", s.addrs.registry)
		if err != nil {
			return l, err
		}
		l.http = append(l.http, inner)
	}
	s.addrs.url = strings.TrimRight(s.set.URL, "/")
	if s.addrs.url == "" {
		s.addrs.url = "http://" + s.addrs.http
		if bound.Addr().IsUnspecified() {
			s.addrs.url = "http://127.0.0.1:" + port
		}
	}
	_, public, ok := strings.Cut(s.addrs.url, "://")
	if !ok || public == "" {
		return l, fmt.Errorf("--url %q: write http://HOST:PORT", s.addrs.url)
	}
	s.addrs.public = public
	if s.set.HTTPS != "" {
		if l.https, err = listenTCP(ctx, "https", s.set.HTTPS); err != nil {
			return l, err
		}
		s.addrs.https, s.addrs.secure = l.https.Addr().String(), s.set.ACMEEmail != ""
		s.addrs.tlsPort = strconv.Itoa(portOf(s.addrs.https))
	}
	if s.set.SSH != "" {
		if l.ssh, err = listenTCP(ctx, "ssh", s.set.SSH); err != nil {
			return l, err
		}
		s.addrs.ssh = l.ssh.Addr().String()
	}
	return l, s.listenRegistry(ctx, l)
}

// listenRegistry opens the socket by which builds reach the registry. It is in
// the data directory, which nobody else can enter.
func (s *server) listenRegistry(ctx context.Context, l *listeners) error {
	s.addrs.socket = filepath.Join(s.set.Data, "registry.sock")
	if err := os.Remove(s.addrs.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove old socket: %w", err)
	}
	var (
		err error
		lc  net.ListenConfig
	)
	l.registry, err = lc.Listen(ctx, "unix", s.addrs.socket)
	if err != nil {
		return fmt.Errorf("listen on %s (if the path is too long, give --data a shorter one): %w", s.addrs.socket, err)
	}
	return nil
}

func listenTCP(ctx context.Context, setting, address string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, unix.EADDRINUSE) {
		return nil, fmt.Errorf("--%s %s: %w: stop what uses the port, or give another", setting, address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w: write ADDRESS:PORT, with an address of this machine", setting, address, err)
	}
	return ln, nil
}
