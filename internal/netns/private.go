package netns

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// rulePriority is where our policy rules stand: behind the kernel's local
// table (0), so that loopback and opened ports work, and before the main one.
const rulePriority = 100

// Private are the IPv4 addresses that no build reaches, whatever the host routes
// to: RFC 6890's private and special ranges, and all of multicast.
func Private() []netip.Prefix {
	list := []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
		"172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
	}
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// closeTo makes ranges unreachable in a namespace by policy rules, which
// hold even where a connected route is more specific. A build cannot undo
// them: it has no CAP_NET_ADMIN.
func closeTo(h *netlink.Handle, ranges []netip.Prefix) error {
	have, err := list(func() ([]netlink.Rule, error) {
		return h.RuleListFiltered(unix.AF_INET, &netlink.Rule{Priority: rulePriority}, netlink.RT_FILTER_PRIORITY)
	})
	if err != nil {
		return fmt.Errorf("list policy rules: %w", err)
	}
	closed := make(map[string]bool)
	for _, r := range have {
		if r.Dst != nil {
			closed[r.Dst.String()] = true
		}
	}
	for _, p := range ranges {
		dst := prefixNet(p)
		if closed[dst.String()] {
			continue
		}
		closed[dst.String()] = true
		r := netlink.NewRule()
		r.Family = unix.AF_INET
		r.Priority = rulePriority
		r.Dst = dst
		r.Type = unix.RTN_UNREACHABLE
		if err := h.RuleAdd(r); err != nil {
			return fmt.Errorf("close %s: %w", p, err)
		}
	}
	return nil
}

// closeHost makes the host's own addresses unreachable, so that a build that
// asks for one fails at once: the firewall would let it wait. The addresses
// are those of this moment, since a laptop's change.
func (n *Namespace) closeHost() error {
	own, err := hostAddresses()
	if err != nil {
		return err
	}
	return inside(n.file, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink: %w", err)
		}
		defer h.Close()
		return closeTo(h, own)
	})
}

// hostAddresses are the host's own, public ones among them.
func hostAddresses() ([]netip.Prefix, error) {
	addrs, err := list(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok && !ip.IsLoopback() {
			out = append(out, netip.PrefixFrom(ip, 32))
		}
	}
	return out, nil
}
