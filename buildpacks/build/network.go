package build

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/internal/netns"
)

// ports returns what is open in a build's network: our registry, and the
// addresses that the operator named. Names are looked up for every build.
func (b *Builder) ports(ctx context.Context) ([]netns.Port, error) {
	ports := []netns.Port{{Addr: b.registry, Dial: b.cfg.DialRegistry}}
	for _, reach := range b.cfg.Reach {
		addrs, err := resolve(ctx, reach)
		if err != nil {
			return nil, fmt.Errorf("address to reach from builds: %w", err)
		}
		for _, addr := range addrs {
			if addr == b.registry {
				continue
			}
			ports = append(ports, netns.Port{Addr: addr, Dial: func(ctx context.Context) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "tcp", addr.String())
			}})
		}
	}
	return ports, nil
}

// resolve returns the IPv4 addresses of HOST:PORT; a build has no IPv6.
func resolve(ctx context.Context, hostPort string) ([]netip.AddrPort, error) {
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

func resolveOne(ctx context.Context, hostPort string) (netip.AddrPort, error) {
	addrs, err := resolve(ctx, hostPort)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(addrs) == 0 {
		return netip.AddrPort{}, errors.New("no IPv4 address")
	}
	return addrs[0], nil
}

func removeVolume(ctx context.Context, e Engine, name string) error {
	_, err := e.VolumeRemove(ctx, name, client.VolumeRemoveOptions{Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove volume %s: %w", name, err)
	}
	return nil
}
