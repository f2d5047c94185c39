package netns_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The tests run in a network namespace of their own that plays the host: its
// firewall and devices are theirs to change, and nothing is left of them.
//
//	build 169.254.96.x -- host 203.0.113.2 -- outside 203.0.113.1, 10.9.9.9
//
// The middle one is what tests call the host.
const (
	inHost      = "BUILDNET_TEST_HOST"
	hostAddr    = "203.0.113.2"
	outsideAddr = "203.0.113.1"
	privateAddr = "10.9.9.9"
	outsidePort = ":8080"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "SKIP: network namespaces need root")
		return
	}
	if dir := os.Getenv("BUILDNET_TEST_CRASH"); dir != "" {
		crash()
		return
	}
	if os.Getenv(inHost) != "" {
		stop, err := outside()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.Exit(code) }), goleak.IgnoreCurrent())
		stop()
		return
	}
	cmd := exec.CommandContext(context.Background(), "/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inHost+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// in runs fn on a thread in the namespace at path.
func in(path string, fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is thrown away
		f, err := os.Open(path)
		if err == nil {
			defer f.Close()
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = fn()
		}
		done <- err
	}()
	return <-done
}

// dialIn connects from inside a namespace.
func dialIn(path, network, addr string) (net.Conn, error) {
	return dialFor(5*time.Second, path, network, addr)
}

func dial(timeout time.Duration, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	return d.DialContext(context.Background(), network, addr)
}

func listen(t *testing.T, network, addr string) (net.Listener, error) {
	t.Helper()
	return (&net.ListenConfig{}).Listen(t.Context(), network, addr)
}

func dialFor(timeout time.Duration, path, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := in(path, func() (err error) {
		conn, err = dial(timeout, network, addr)
		return err
	})
	return conn, err
}

// closed expects an address not to be reached.
func closed(t *testing.T, path, addr string) {
	t.Helper()
	conn, err := dialFor(300*time.Millisecond, path, "tcp", addr)
	if err == nil {
		conn.Close()
		t.Errorf("%s was reached", addr)
	}
}

// outside makes the rest of the world: another namespace, with a server that
// says who asks.
func outside() (stop func(), err error) {
	if err := up("lo"); err != nil {
		return nil, err
	}
	var world *os.File
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			world, err = os.Open("/proc/thread-self/ns/net")
		}
		done <- err
	}()
	if err := <-done; err != nil {
		return nil, err
	}
	path := fmt.Sprintf("/proc/self/fd/%d", world.Fd())
	err = netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "uplink", MTU: 1400}, PeerName: "uplink", PeerNamespace: netlink.NsFd(world.Fd())})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(address("uplink", hostAddr+"/24"), up("uplink"), route(outsideAddr)); err != nil {
		return nil, err
	}
	var l net.Listener
	err = in(path, func() error {
		if err := errors.Join(up("lo"), address("uplink", outsideAddr+"/24"), address("lo", privateAddr+"/32"), up("uplink")); err != nil {
			return err
		}
		l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "0.0.0.0"+outsidePort)
		return err
	})
	if err == nil {
		err = carrier("uplink")
	}
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
			io.WriteString(conn, host)
			conn.Close()
		}
	}()
	return func() { l.Close(); world.Close() }, nil
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

func address(name, addr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(addr)
	if err != nil {
		return err
	}
	return netlink.AddrAdd(link, a)
}

// carrier waits until a device sends what it is given.
func carrier(name string) error {
	for deadline := time.Now().Add(5 * time.Second); ; {
		link, err := netlink.LinkByName(name)
		if err != nil || link.Attrs().OperState == netlink.OperUp {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not come up", name)
		}
		runtime.Gosched()
	}
}

func route(via string) error {
	return netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(via)})
}

// echo is a port's other end.
func echo(context.Context) (net.Conn, error) {
	a, b := net.Pipe()
	go func() {
		defer b.Close()
		buf := make([]byte, 5)
		if _, err := io.ReadFull(b, buf); err == nil {
			b.Write(append([]byte("echo "), buf...))
		}
	}()
	return a, nil
}

// talk expects an echo.
func talk(t *testing.T, path, addr string) {
	t.Helper()
	conn, err := dialIn(path, "tcp4", addr)
	if err != nil {
		t.Errorf("dial %s: %v", addr, err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, "hello")
	if got, err := io.ReadAll(conn); string(got) != "echo hello" {
		t.Errorf("%s said %q, %v", addr, got, err)
	}
}

// resolvers is one fake resolver on the host's loopback, UDP and TCP.
func resolvers(t *testing.T) []netip.AddrPort {
	t.Helper()
	l, err := listen(t, "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			conn.WriteTo(append(buf[:n:n], "answer"...), from)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.Copy(c, c)
			c.Close()
		}
	}()
	return []netip.AddrPort{netip.MustParseAddrPort(l.Addr().String())}
}
