package netns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// Dial connects to a TCP port of what runs inside, over the namespace's own
// loopback device: no route leads there from the host, and none is needed. The
// connection is the host's to use and to close, and outlives the Namespace.
func (n *Namespace) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	var (
		conn net.Conn
		d    net.Dialer
	)
	err := inside(n.file, func() (err error) {
		conn, err = d.DialContext(ctx, "tcp4", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dial port %d inside: %w", port, err)
	}
	return conn, nil
}
