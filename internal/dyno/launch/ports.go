package launch

import (
	"context"
	"net/netip"

	"go.uber.org/zap"

	"slipway/internal/netns"
)

// Ports are the addresses that the operator opened to dynos, each HOST:PORT. One
// whose name cannot be looked up now is missing, rather than the dyno.
func Ports(ctx context.Context, list []string, log *zap.Logger) []netns.Port {
	var ports []netns.Port
	seen := make(map[netip.AddrPort]bool)
	for _, reach := range list {
		opened, err := netns.Reach(ctx, reach)
		if err != nil {
			log.Warn("address not opened to a dyno", zap.String("address", reach), zap.Error(err))
			continue
		}
		for _, p := range opened {
			if !seen[p.Addr] {
				seen[p.Addr] = true
				ports = append(ports, p)
			}
		}
	}
	return ports
}
