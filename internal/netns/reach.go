package netns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// Reach opens HOST:PORT, a database on the host say, to what runs inside: under
// the same addresses there, and by the host's network. Names are looked up.
func Reach(ctx context.Context, hostPort string) ([]Port, error) {
	addrs, err := Resolve(ctx, hostPort)
	if err != nil {
		return nil, err
	}
	ports := make([]Port, len(addrs))
	for i, addr := range addrs {
		ports[i] = Port{Addr: addr, Dial: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr.String())
		}}
	}
	return ports, nil
}

// Resolve returns the IPv4 addresses of HOST:PORT; there is no IPv6 inside.
func Resolve(ctx context.Context, hostPort string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, fmt.Errorf("%q is not HOST:PORT", hostPort)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("%q has no port number", hostPort)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil, fmt.Errorf("look up %q: %w", host, err)
	}
	var addrs []netip.AddrPort
	for _, ip := range ips {
		addrs = append(addrs, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return addrs, nil
}
