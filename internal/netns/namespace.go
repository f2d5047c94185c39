package netns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// A Namespace is the network namespace of one build.
type Namespace struct {
	file   *os.File
	path   string
	device string // the host's end of the veth pair; "" where it is not ours
	cfg    Config
	later  func(remove func() error) // given to a pool; nil to remove at once

	ctx    context.Context //nolint:containedctx // the namespace's own life, which its relays share
	cancel context.CancelFunc
	work   group

	mu     sync.Mutex
	open   []io.Closer
	closed bool
}

// New makes a namespace. The caller closes it.
func New(ctx context.Context, cfg Config) (*Namespace, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if err := prepareHost(cfg); err != nil {
		return nil, err
	}
	n, err := makeNamespace(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return n, n.orClose(n.ready(ctx, cfg.Ports))
}

// Attach opens cfg.Ports, relays DNS and closes private addresses inside the
// existing namespace at nsPath (/proc/PID/ns/net). The namespace keeps its own
// way out. Close ends the relays and leaves the namespace to its owner.
func Attach(ctx context.Context, nsPath string, cfg Config) (*Namespace, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	file, err := os.Open(nsPath)
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	n := newNamespace(ctx, file, cfg)
	n.path = nsPath
	err = inside(file, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open netlink: %w", err)
		}
		defer h.Close()
		return errors.Join(turnOn("net/ipv6/conf/all/disable_ipv6"), raiseLoopback(h), closeTo(h, Private()))
	})
	if err == nil {
		err = n.closeHost()
	}
	if err == nil {
		err = n.openDNS(ctx)
	}
	if err == nil {
		err = n.openPorts(ctx, cfg.Ports)
	}
	return n, n.orClose(err)
}

func (c Config) check() (Config, error) {
	if c.Instance == "" {
		c.Instance = "main"
	}
	if c.Ready <= 0 {
		c.Ready = 1
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	for _, r := range c.Instance {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') || len(c.Instance) > 6 {
			return c, fmt.Errorf("bad instance %q: want up to six letters or digits", c.Instance)
		}
	}
	return c, nil
}

// prepareHost makes sure of what all namespaces share.
func prepareHost(cfg Config) error {
	changed, err := forwarding()
	if err != nil {
		return err
	}
	if changed {
		cfg.Log.Info("turned on net.ipv4.ip_forward, which builds and dynos need to reach the outside")
	}
	fw := &firewall{instance: cfg.Instance}
	if changed, err = fw.ensure(); err != nil {
		return err
	}
	if changed {
		cfg.Log.Info("wrote the firewall", zap.String("table", fw.table().Name))
	}
	return nil
}

func newNamespace(ctx context.Context, file *os.File, cfg Config) *Namespace {
	n := &Namespace{file: file, cfg: cfg}
	// Relays end with Close, not with whoever asked for the namespace.
	n.ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return n
}

// makeNamespace makes a namespace that has no ports yet.
func makeNamespace(ctx context.Context, cfg Config) (*Namespace, error) {
	file, err := newNetNS()
	if err != nil {
		return nil, err
	}
	n := newNamespace(ctx, file, cfg)
	// Others in this PID namespace can open it while we hold it.
	n.path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd())
	if n.device, err = connect(file, cfg.Instance); err == nil {
		err = n.openDNS(ctx)
	}
	return n, n.orClose(err)
}

// ready finishes a namespace that makeNamespace made, maybe long ago.
func (n *Namespace) ready(ctx context.Context, ports []Port) error {
	if err := n.closeHost(); err != nil {
		return err
	}
	return n.openPorts(ctx, ports)
}

func (n *Namespace) orClose(err error) error {
	if err == nil {
		return nil
	}
	return errors.Join(err, n.Close())
}

// Path names the namespace for others to join. It is good until Close.
func (n *Namespace) Path() string { return n.path }

// ResolvConf is the text of /etc/resolv.conf for what runs inside.
func (n *Namespace) ResolvConf() string { return "nameserver " + DNS + "\n" }

// openDNS starts the resolver.
func (n *Namespace) openDNS(ctx context.Context) error {
	var (
		udp net.PacketConn
		tcp net.Listener
		lc  net.ListenConfig
	)
	err := inside(n.file, func() (err error) {
		if udp, err = lc.ListenPacket(ctx, "udp4", DNS+":53"); err != nil {
			return err
		}
		tcp, err = lc.Listen(ctx, "tcp4", DNS+":53")
		return err
	})
	r := &resolver{fixed: n.cfg.Resolvers, log: n.cfg.Log}
	if udp != nil {
		n.keep(udp)
		n.work.run(func() { r.serveUDP(n.ctx, udp, &n.work) })
	}
	if err != nil {
		return fmt.Errorf("open resolver: %w", err)
	}
	n.keep(tcp)
	n.work.run(func() { relay(n.ctx, tcp, r.dialTCP, &n.work, n.cfg.Log) })
	return nil
}

// openPorts opens further ports.
func (n *Namespace) openPorts(ctx context.Context, ports []Port) error {
	if len(ports) == 0 {
		return nil
	}
	listeners := make([]net.Listener, 0, len(ports))
	err := inside(n.file, func() error {
		for _, p := range ports {
			l, err := listen(ctx, p.Addr)
			if err != nil {
				return fmt.Errorf("open port %s: %w", p.Addr, err)
			}
			listeners = append(listeners, l)
		}
		return nil
	})
	for i, l := range listeners {
		n.keep(l)
		n.work.run(func() { relay(n.ctx, l, ports[i].Dial, &n.work, n.cfg.Log) })
	}
	return err
}

// listen runs inside the namespace. An address that is not loopback is put on
// the loopback device, where it hides the real one.
func listen(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	if ip := addr.Addr(); ip.Is4() && !ip.IsLoopback() {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return nil, err
		}
		defer h.Close()
		lo, err := h.LinkByName("lo")
		if err != nil {
			return nil, err
		}
		err = h.AddrAdd(lo, &netlink.Addr{IPNet: prefixNet(netip.PrefixFrom(ip, 32))})
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, err
		}
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr.String())
}

// keep remembers what Close closes.
func (n *Namespace) keep(c io.Closer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = append(n.open, c)
}

// Close ends the relays and removes the namespace; one of a [Pool] soon after.
// Closing twice is no error.
func (n *Namespace) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	open := n.open
	n.mu.Unlock()
	n.cancel()
	var errs []error
	for _, c := range open {
		errs = append(errs, c.Close())
	}
	n.work.Wait()
	if n.later != nil {
		n.later(n.remove)
	} else {
		errs = append(errs, n.remove())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close network: %w", err)
	}
	return nil
}

// remove takes some 20 ms, in which the kernel waits for itself.
func (n *Namespace) remove() error {
	if n.device == "" {
		return n.file.Close()
	}
	return errors.Join(removeDevice(n.device), n.file.Close())
}

// removeDevice removes the veth pair at once; the kernel alone would take its
// time.
func removeDevice(name string) error {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if missing := (netlink.LinkNotFoundError{}); errors.As(err, &missing) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return err
}
