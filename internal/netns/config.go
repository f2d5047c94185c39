package netns

import (
	"context"
	"net"
	"net/netip"

	"go.uber.org/zap"
)

// A Port is an address inside a build's network namespace, our registry at
// 127.0.0.1:5000 say, whose connections are carried to Dial.
type Port struct {
	// Addr is where the build finds it. A loopback address needs nothing
	// else; any other address is added to the namespace's loopback device.
	Addr netip.AddrPort
	// Dial makes the other end of each connection. It runs outside the
	// namespace, once a connection; its context ends with the namespace.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Config configures a [Namespace].
type Config struct {
	// Instance is a short name of this server, unique on the machine: up to
	// six letters or digits. Device names and the nftables table carry it,
	// and Recover removes only what carries it. "main" if empty.
	Instance string
	// Ports are opened in the namespace.
	Ports []Port
	// Resolvers answer DNS queries; those of the host's resolv.conf if nil.
	Resolvers []netip.AddrPort
	// Ready is how many namespaces a [Pool] keeps ready; 1 if zero.
	Ready int
	// Log gets what is changed on the host; nothing if nil.
	Log *zap.Logger
}
