package dockerd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
)

// newBridge makes a network device for the daemon's containers, with an
// address range that no other device has.
func newBridge() (string, error) {
	name := "sliptest" + strings.ToLower(rand.Text()[:6])
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}}); err != nil {
		return "", fmt.Errorf("make bridge: %w", err)
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return "", fmt.Errorf("find bridge: %w", err)
	}
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(10, 128+random[0]/2, random[1], 1), Mask: net.CIDRMask(24, 32)}}
	if err := netlink.AddrAdd(link, addr); err != nil {
		return "", errors.Join(fmt.Errorf("give bridge an address: %w", err), removeBridge(name))
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return "", errors.Join(fmt.Errorf("raise bridge: %w", err), removeBridge(name))
	}
	return name, nil
}

func removeBridge(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil //nolint:nilerr // it is gone
	}
	return netlink.LinkDel(link)
}
