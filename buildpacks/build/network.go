package build

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"slipway/internal/netns"
)

// ports returns what is open in a build's network: our registry, and the
// addresses that the operator named. Names are looked up for every build.
func (b *Builder) ports(ctx context.Context) ([]netns.Port, error) {
	ports := []netns.Port{{Addr: b.registry, Dial: b.cfg.DialRegistry}}
	for _, reach := range b.cfg.Reach {
		opened, err := netns.Reach(ctx, reach)
		if err != nil {
			return nil, fmt.Errorf("address to reach from builds: %w", err)
		}
		for _, p := range opened {
			if p.Addr != b.registry {
				ports = append(ports, p)
			}
		}
	}
	return ports, nil
}

func resolveOne(ctx context.Context, hostPort string) (netip.AddrPort, error) {
	addrs, err := netns.Resolve(ctx, hostPort)
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
