package netns_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"slipway/internal/netns"
)

func newNS(t *testing.T, cfg netns.Config) *netns.Namespace {
	t.Helper()
	ns, err := netns.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
		if err := netns.Recover(context.WithoutCancel(t.Context()), cfg); err != nil {
			t.Error(err)
		}
		if left := devices(t, "sl"); len(left) > 0 && t.Name() != "TestSeveral" {
			t.Errorf("devices left: %v", left)
		}
		if left := tables(t); len(left) > 0 {
			t.Errorf("tables left: %v", left)
		}
	})
	return ns
}

func devices(tb testing.TB, prefix string) (names []string) {
	tb.Helper()
	links, err := netlink.LinkList()
	if err != nil {
		tb.Fatal(err)
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, prefix) {
			names = append(names, l.Attrs().Name)
		}
	}
	return names
}

func tables(t *testing.T) (names []string) {
	t.Helper()
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, tab := range list {
		if strings.HasPrefix(tab.Name, "slipway") {
			names = append(names, tab.Name)
		}
	}
	return names
}

// asked connects to the outside and returns the address that it saw.
func asked(t *testing.T, ns *netns.Namespace) string {
	t.Helper()
	conn, err := dialIn(ns.Path(), "tcp4", outsideAddr+outsidePort)
	if err != nil {
		t.Errorf("the outside is not reached: %v", err)
		return ""
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestReach(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "reach", Resolvers: resolvers(t)})
	if got := asked(t, ns); got != hostAddr {
		t.Errorf("the outside saw %q, want the host's address %s", got, hostAddr)
	}
	// Listeners of the host, on every address.
	for _, addr := range []string{"127.0.0.1:0", hostAddr + ":0", "[::1]:0"} {
		l, err := listen(t, "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		closed(t, ns.Path(), l.Addr().String())
		if strings.HasPrefix(addr, hostAddr) {
			unreachable(t, ns.Path(), l.Addr().String())
		}
	}
	// A private address that the host itself reaches.
	if err := netlink.RouteReplace(&netlink.Route{Dst: mustNet(privateAddr + "/32"), Gw: net.ParseIP(outsideAddr)}); err != nil {
		t.Fatal(err)
	}
	conn, err := dial(time.Second, "tcp4", privateAddr+outsidePort)
	if err != nil {
		t.Fatalf("the host does not reach the private address, so the test says nothing: %v", err)
	}
	conn.Close()
	for _, addr := range []string{privateAddr, "169.254.169.254", "192.168.1.1", "172.17.0.1", "100.64.0.1", "224.0.0.1", "169.254.96.1"} {
		unreachable(t, ns.Path(), addr+outsidePort)
	}
}

// unreachable expects a connection to fail at once.
func unreachable(t *testing.T, path, addr string) {
	t.Helper()
	began := time.Now()
	conn, err := dialIn(path, "tcp4", addr)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, unix.EHOSTUNREACH) && !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("%s: %v, want unreachable", addr, err)
	}
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("%s: took %v to fail", addr, took)
	}
}

func mustNet(s string) *net.IPNet {
	_, n, err := net.ParseCIDR(s)
	if err != nil {
		panic(err)
	}
	return n
}

// A program with CAP_NET_RAW writes its own packets, past the policy rules of
// its namespace. Taking those away plays one.
func TestFirewallAlone(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "fw"})
	err := in(ns.Path(), func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		rules, err := h.RuleList(unix.AF_INET)
		if err != nil {
			return err
		}
		n := 0
		for _, r := range rules {
			if r.Priority == 100 {
				n++
				if err := h.RuleDel(&r); err != nil {
					return err
				}
			}
		}
		if n == 0 {
			return errors.New("no rules to take away")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.RouteReplace(&netlink.Route{Dst: mustNet(privateAddr + "/32"), Gw: net.ParseIP(outsideAddr)}); err != nil {
		t.Fatal(err)
	}
	l, err := listen(t, "tcp4", hostAddr+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, addr := range []string{privateAddr + outsidePort, l.Addr().String()} {
		closed(t, ns.Path(), addr)
	}
	if got := asked(t, ns); got != hostAddr {
		t.Errorf("the outside saw %q", got)
	}
}

func TestPorts(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "ports", Ports: []netns.Port{
		{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Dial: echo},
		{Addr: netip.MustParseAddrPort("10.1.2.3:80"), Dial: echo},
		{Addr: netip.MustParseAddrPort("127.0.0.1:5001"), Dial: func(context.Context) (net.Conn, error) { return nil, errors.New("down") }},
	}})
	talk(t, ns.Path(), "127.0.0.1:5000")
	talk(t, ns.Path(), "10.1.2.3:80")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { talk(t, ns.Path(), "127.0.0.1:5000") })
	}
	wg.Wait()
	closed(t, ns.Path(), "10.1.2.4:80")
	conn, err := dialIn(ns.Path(), "tcp4", "127.0.0.1:5001")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, err := io.ReadAll(conn); len(text) > 0 {
		t.Errorf("a port whose other end is down said %q, %v", text, err)
	}
}

// Half of a connection ends before the other: an HTTP/1.0 client, say.
func TestHalfClose(t *testing.T) {
	l, err := listen(t, "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		text, _ := io.ReadAll(conn)
		fmt.Fprintf(conn, "got %d", len(text))
	}()
	ns := newNS(t, netns.Config{Instance: "half", Ports: []netns.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:7"), Dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", l.Addr().String())
	}}}})
	conn, err := dialIn(ns.Path(), "tcp4", "127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write(make([]byte, 1<<20))
	conn.(*net.TCPConn).CloseWrite()
	if text, err := io.ReadAll(conn); string(text) != "got 1048576" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestDNS(t *testing.T) {
	// The first resolver is not there.
	ns := newNS(t, netns.Config{Instance: "dns", Resolvers: append([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}, resolvers(t)...)})
	if got := ns.ResolvConf(); got != "nameserver 127.0.0.53\n" {
		t.Errorf("resolv.conf = %q", got)
	}
	query := "\x12\x34query-of-some-length"
	conn, err := dialIn(ns.Path(), "udp4", netns.DNS+":53")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, query)
	buf := make([]byte, 512)
	if n, err := conn.Read(buf); string(buf[:n]) != query+"answer" {
		t.Errorf("UDP answer = %q, %v", buf[:n], err)
	}
	tcp, err := dialIn(ns.Path(), "tcp4", netns.DNS+":53")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	tcp.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(tcp, query)
	if _, err := io.ReadFull(tcp, buf[:len(query)]); err != nil || string(buf[:len(query)]) != query {
		t.Errorf("TCP answer = %q, %v", buf[:len(query)], err)
	}
}

func TestDNSDown(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "nodns", Resolvers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}})
	conn, err := dialIn(ns.Path(), "udp4", netns.DNS+":53")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00")
	buf := make([]byte, 512)
	if n, err := conn.Read(buf); err != nil || n < 12 || buf[2]&0x80 == 0 || buf[3]&0xf != 2 {
		t.Errorf("answer = %q, %v, want SERVFAIL", buf[:n], err)
	}
}

func TestSeveral(t *testing.T) {
	a := newNS(t, netns.Config{Instance: "sevrl"})
	b := newNS(t, netns.Config{Instance: "sevrl"})
	asked(t, a)
	asked(t, b)
	// One build does not reach the other.
	var addr string
	err := in(b.Path(), func() error {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		list, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil || len(list) != 1 {
			return fmt.Errorf("addresses %v, %w", list, err)
		}
		addr = list[0].IP.String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := in(b.Path(), func() error {
		l, err := listen(t, "tcp4", addr+":1234")
		if err != nil {
			return err
		}
		t.Cleanup(func() { l.Close() })
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	closed(t, a.Path(), addr+":1234")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// docker plays what a Docker daemon leaves in the firewall.
func docker(t *testing.T, commands ...string) {
	t.Helper()
	path, err := exec.LookPath("iptables-nft")
	if err != nil {
		t.Skip("no iptables-nft")
	}
	for _, c := range commands {
		if out, err := exec.CommandContext(t.Context(), path, strings.Fields(c)...).CombinedOutput(); err != nil {
			t.Fatalf("iptables %s: %v: %s", c, err, out)
		}
	}
}

func TestDocker(t *testing.T) {
	for name, setup := range map[string][]string{
		"DOCKER-USER":    {"-P FORWARD DROP", "-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-I FORWARD -j DOCKER-USER"},
		"policy of drop": {"-P FORWARD DROP"},
	} {
		t.Run(name, func(t *testing.T) {
			docker(t, setup...)
			defer docker(t, "-P FORWARD ACCEPT", "-F", "-X")
			ns := newNS(t, netns.Config{Instance: "dock"})
			if got := asked(t, ns); got != hostAddr {
				t.Errorf("the outside saw %q", got)
			}
			rules := func() int {
				out, err := exec.CommandContext(t.Context(), "iptables-nft", "-S").CombinedOutput()
				if err != nil || strings.Contains(string(out), "incompatible") {
					t.Errorf("iptables cannot list its rules any more: %v: %s", err, out)
				}
				return strings.Count(string(out), "sldock-+")
			}
			if n := rules(); n != 2 {
				t.Errorf("%d rules, want 2", n)
			}
			second := newNS(t, netns.Config{Instance: "dock"})
			if n := rules(); n != 2 {
				t.Errorf("%d rules after a second network, want 2", n)
			}
			if err := errors.Join(ns.Close(), second.Close(), netns.Recover(t.Context(), netns.Config{Instance: "dock"})); err != nil {
				t.Error(err)
			}
			if n := rules(); n != 0 {
				t.Errorf("%d rules are left", n)
			}
		})
	}
}

func TestAttach(t *testing.T) {
	// A namespace as Docker makes it: a connected private network, with the
	// host on it.
	var theirs *os.File
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			theirs, err = os.Open("/proc/thread-self/ns/net")
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	path := fmt.Sprintf("/proc/self/fd/%d", theirs.Fd())
	err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "docker9"}, PeerName: "eth0", PeerNamespace: netlink.NsFd(theirs.Fd())})
	if err == nil {
		err = errors.Join(address("docker9", "172.31.0.1/16"), up("docker9"))
	}
	if err == nil {
		err = in(path, func() error {
			return errors.Join(up("lo"), address("eth0", "172.31.0.2/16"), up("eth0"), route("172.31.0.1"))
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	defer netlink.LinkDel(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "docker9"}})
	l, err := listen(t, "tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	conn, err := dialIn(path, "tcp4", "172.31.0.1:"+port)
	if err != nil {
		t.Fatalf("the namespace does not reach the host, so the test says nothing: %v", err)
	}
	conn.Close()
	for range 2 { // a namespace can be attached to again
		ns, err := netns.Attach(t.Context(), path, netns.Config{
			Resolvers: resolvers(t), Ports: []netns.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Dial: echo}},
		})
		if err != nil {
			t.Fatal(err)
		}
		talk(t, path, "127.0.0.1:5000")
		for _, addr := range []string{"172.31.0.1", hostAddr} {
			unreachable(t, path, net.JoinHostPort(addr, port))
		}
		if err := ns.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPool(t *testing.T) {
	cfg := netns.Config{Instance: "pool"}
	p, err := netns.OpenPool(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			ns, err := p.Get(t.Context(), []netns.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Dial: echo}})
			if err != nil {
				t.Error(err)
				return
			}
			talk(t, ns.Path(), "127.0.0.1:5000")
			asked(t, ns)
			if err := ns.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// An address that the host got after the namespace was made.
	const late = "203.0.113.77"
	if err := address("uplink", late+"/32"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		link, err := netlink.LinkByName("uplink")
		if err == nil {
			err = netlink.AddrDel(link, &netlink.Addr{IPNet: mustNet(late + "/32")})
		}
		if err != nil {
			t.Error(err)
		}
	}()
	// The rules come back if somebody flushes them.
	c, err := nftables.New()
	if err != nil {
		t.Fatal(err)
	}
	c.FlushRuleset()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	ns, err := p.Get(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := asked(t, ns); got != hostAddr {
		t.Errorf("the outside saw %q", got)
	}
	unreachable(t, ns.Path(), late+outsidePort)
	if err := errors.Join(ns.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if left := append(devices(t, "slpool"), tables(t)...); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := p.Get(t.Context(), nil); err == nil {
		t.Error("a closed pool gave a network")
	}
}

func crash() {
	_, err := netns.New(context.Background(), netns.Config{Instance: "crash"})
	fmt.Println("made", err)
	select {}
}

func TestRecover(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), "BUILDNET_TEST_CRASH=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "made <nil>\n" {
		t.Fatal(line, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if len(tables(t)) == 0 {
		t.Fatal("nothing was left to recover from")
	}
	if err := netns.Recover(t.Context(), netns.Config{Instance: "crash"}); err != nil {
		t.Fatal(err)
	}
	if left := append(devices(t, "slcras"), tables(t)...); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func BenchmarkNew(b *testing.B) {
	cfg := netns.Config{Instance: "bench"}
	for b.Loop() {
		ns, err := netns.New(b.Context(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		if err := ns.Close(); err != nil {
			b.Fatal(err)
		}
	}
	netns.Recover(b.Context(), cfg)
}

func BenchmarkPoolGet(b *testing.B) {
	p, err := netns.OpenPool(b.Context(), netns.Config{Instance: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	ports := []netns.Port{{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Dial: echo}}
	for b.Loop() {
		ns, err := p.Get(b.Context(), ports)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := ns.Close(); err != nil {
			b.Fatal(err)
		}
		// The next one takes a moment, as between builds.
		<-time.After(400 * time.Millisecond)
		b.StartTimer()
	}
}
