package netns

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// insideName is the device that a build sees.
	insideName = "eth0"
	// upTimeout bounds the wait for a device, of which the kernel takes up to
	// a second.
	upTimeout = 3 * time.Second
	// tries bounds the search for a free address.
	tries = 64
)

// Builds get addresses out of a corner of the link-local range that neither
// clouds nor other tools use. They are seen only on the veth pair: what leaves
// the host carries the host's address.
func pool() netip.Prefix { return netip.MustParsePrefix("169.254.96.0/20") }

// gateway is an address that nobody has. Builds know its hardware address, so
// the host needs no address on its end.
func gateway() netip.Addr { return netip.MustParseAddr("169.254.96.1") }

func hostMAC() net.HardwareAddr  { return net.HardwareAddr{0xee, 0xee, 0xee, 0xee, 0xee, 0xee} }
func buildMAC() net.HardwareAddr { return net.HardwareAddr{0x02, 0x73, 0x6c, 0x69, 0x70, 0x01} }

// devicePrefix begins the names of the host's ends. With the random part, they
// fit in the kernel's 15 bytes.
func devicePrefix(instance string) string { return "sl" + instance }

// connect joins the namespace to the host by a veth pair, and returns the
// name of the host's end. The pair goes with the namespace.
func connect(ns *os.File, instance string) (string, error) {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	name := devicePrefix(instance) + "-" + hex.EncodeToString(b[:])
	mtu := outsideMTU()
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Name: name, HardwareAddr: hostMAC(), MTU: mtu, TxQLen: 1000},
		PeerName:         insideName,
		PeerHardwareAddr: buildMAC(),
		PeerMTU:          uint32(mtu),
		PeerNamespace:    netlink.NsFd(ns.Fd()),
	}
	if err := netlink.LinkAdd(veth); err != nil {
		return "", fmt.Errorf("make veth: %w", err)
	}
	addr, err := hostEnd(name)
	if err == nil {
		err = inside(ns, func() error { return buildEnd(addr) })
	}
	if err == nil {
		err = waitUp(name)
	}
	if err != nil {
		return "", errors.Join(err, netlink.LinkDel(veth))
	}
	return name, nil
}

// hostEnd brings the host's end up and routes an address to it, which it
// chooses: the kernel refuses a second route to the same.
func hostEnd(name string) (netip.Addr, error) {
	// A host end without IPv6 has no link-local address to be reached at.
	if err := turnOn("net/ipv6/conf/" + name + "/disable_ipv6"); err != nil {
		return netip.Addr{}, err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find veth: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return netip.Addr{}, fmt.Errorf("raise veth: %w", err)
	}
	for range tries {
		addr, err := randomAddr()
		if err != nil {
			return netip.Addr{}, err
		}
		err = netlink.RouteAdd(&netlink.Route{
			LinkIndex: link.Attrs().Index,
			Dst:       prefixNet(netip.PrefixFrom(addr, 32)),
			Scope:     netlink.SCOPE_LINK,
		})
		if errors.Is(err, unix.EEXIST) {
			continue
		}
		if err != nil {
			return netip.Addr{}, fmt.Errorf("route to namespace: %w", err)
		}
		return addr, addNeighbour(link, addr, buildMAC())
	}
	return netip.Addr{}, errors.New("no free address for a network")
}

// waitUp waits until the kernel has noticed that both ends are up. Before
// that, it drops what is sent to the build, and a first connection would take
// a second. To ask makes it notice, since Linux 6.8; before, it takes a moment.
func waitUp(name string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range int(upTimeout / time.Millisecond) {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("find veth: %w", err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		<-tick.C
	}
	return fmt.Errorf("device %s does not come up", name)
}

// buildEnd runs inside the namespace.
func buildEnd(addr netip.Addr) error {
	for _, conf := range []string{"all", "default"} {
		if err := turnOn("net/ipv6/conf/" + conf + "/disable_ipv6"); err != nil {
			return err
		}
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink: %w", err)
	}
	defer h.Close()
	if err := raiseLoopback(h); err != nil {
		return err
	}
	link, err := h.LinkByName(insideName)
	if err != nil {
		return fmt.Errorf("find veth: %w", err)
	}
	if err := h.AddrAdd(link, &netlink.Addr{IPNet: prefixNet(netip.PrefixFrom(addr, 32))}); err != nil {
		return fmt.Errorf("set address: %w", err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("raise veth: %w", err)
	}
	err = h.NeighAdd(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: gateway().AsSlice(), HardwareAddr: hostMAC(),
	})
	if err != nil {
		return fmt.Errorf("set gateway: %w", err)
	}
	err = h.RouteAdd(&netlink.Route{
		LinkIndex: link.Attrs().Index, Gw: gateway().AsSlice(), Flags: int(netlink.FLAG_ONLINK),
	})
	if err != nil {
		return fmt.Errorf("set default route: %w", err)
	}
	return closeTo(h, Private())
}

func raiseLoopback(h *netlink.Handle) error {
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("raise loopback: %w", err)
	}
	return nil
}

func addNeighbour(link netlink.Link, addr netip.Addr, mac net.HardwareAddr) error {
	err := netlink.NeighAdd(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: addr.AsSlice(), HardwareAddr: mac,
	})
	if err != nil {
		return fmt.Errorf("set neighbour: %w", err)
	}
	return nil
}

func randomAddr() (netip.Addr, error) {
	// The first sixteen are the gateway's and spare.
	n, err := rand.Int(rand.Reader, big.NewInt(1<<12-32))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("choose address: %w", err)
	}
	base := pool().Addr().As4()
	off := int(n.Int64()) + 16
	base[2] += byte(off >> 8)
	base[3] = byte(off)
	return netip.AddrFrom4(base), nil
}

// outsideMTU is that of the device with the default route, so that packets of
// builds fit where the host's do.
func outsideMTU() int {
	const ethernet = 1500
	routes, err := list(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{}, netlink.RT_FILTER_DST)
	})
	if err != nil {
		return ethernet
	}
	for _, r := range routes {
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil && link.Attrs().MTU > 0 {
			return link.Attrs().MTU
		}
	}
	return ethernet
}

func prefixNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), 32)}
}
