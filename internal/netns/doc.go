// Package netns makes the network that one build, or one dyno, lives in.
//
// A [Namespace] is a Linux network namespace with one way out: a veth pair
// and NAT by nftables. What runs inside reaches the outside, but neither the
// host's loopback nor any private address, whatever the host routes to.
// Names are resolved by a relay inside the namespace that speaks to the
// host's resolvers, so that a resolver on a private address still works.
// Single addresses are opened by a [Port]: a listener inside the namespace
// whose connections are carried to a Dial function of the caller.
//
// [Attach] gives the same relays, routes and filter to a namespace that
// somebody else made, the one of a Docker container say.
//
// The package does not run anything inside the namespace and knows nothing
// of containers. It needs root. All functions may be called concurrently.
//
//	ns, err := netns.New(ctx, netns.Config{Dir: dir, Instance: "1f2e3d", Ports: []netns.Port{{
//		Addr: netip.MustParseAddrPort("127.0.0.1:5000"),
//		Dial: dialRegistry,
//	}}})
//	if err != nil {
//		return err
//	}
//	defer ns.Close()
//	run(ns.Path(), ns.ResolvConf())
package netns
