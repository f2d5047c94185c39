package netns

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	// DNS is where a namespace's resolver listens, UDP and TCP, port 53.
	DNS = "127.0.0.53"

	dnsTimeout  = 2 * time.Second // one resolver's
	dnsParallel = 128             // queries at once
	dnsSize     = 64 << 10
)

// A resolver relays DNS queries to the host's resolvers, by the host's network.
type resolver struct {
	fixed []netip.AddrPort
	log   *zap.Logger
}

// upstream reads the host's resolv.conf anew, since it changes when a laptop
// moves.
func (r *resolver) upstream() []netip.AddrPort {
	if r.fixed != nil {
		return r.fixed
	}
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	var found []netip.AddrPort
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(f[1]); err == nil {
			found = append(found, netip.AddrPortFrom(addr, 53))
		}
	}
	return found
}

// serveUDP answers queries until conn is closed.
func (r *resolver) serveUDP(ctx context.Context, conn net.PacketConn, work *group) {
	slots := make(chan struct{}, dnsParallel)
	buf := make([]byte, dnsSize)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		query := bytes.Clone(buf[:n])
		select {
		case slots <- struct{}{}:
		default:
			continue // the asker asks again
		}
		work.run(func() {
			defer func() { <-slots }()
			answer, err := r.ask(ctx, query)
			if err != nil {
				r.log.Debug("dns query failed", zap.Error(err))
				answer = serverFailure(query)
			}
			if answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		})
	}
}

// ask sends a query to one resolver after the other.
func (r *resolver) ask(ctx context.Context, query []byte) ([]byte, error) {
	var errs []error
	for _, to := range r.upstream() {
		answer, err := exchange(ctx, to, query)
		if err == nil {
			return answer, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no resolver answers: %w", errors.Join(errs...))
}

func exchange(ctx context.Context, to netip.AddrPort, query []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, dnsTimeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", to.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, dnsSize)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		// RFC 1035, 4.1.1: the first two bytes are the query's own.
		if n >= 12 && bytes.Equal(buf[:2], query[:2]) {
			return buf[:n], nil
		}
	}
}

// serverFailure makes SERVFAIL of a query, so that the asker need not wait.
func serverFailure(query []byte) []byte {
	const headerSize, response, servfail = 12, 0x80, 2
	if len(query) < headerSize {
		return nil
	}
	answer := bytes.Clone(query)
	answer[2] |= response
	answer[3] = answer[3]&0xf0 | servfail
	return answer
}

// dialTCP reaches the first resolver that answers over TCP.
func (r *resolver) dialTCP(ctx context.Context) (net.Conn, error) {
	var errs []error
	for _, to := range r.upstream() {
		d := net.Dialer{Timeout: dnsTimeout}
		conn, err := d.DialContext(ctx, "tcp", to.String())
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no resolver answers: %w", errors.Join(errs...))
}
