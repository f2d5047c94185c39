package dynotest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// Addresses that the host has during the suite: a private one, and one that
// could be anybody's (RFC 5737).
const (
	privateAddr = "10.213.7.1"
	publicAddr  = "203.0.113.213"
)

// hostAddresses gives the host addresses that a dyno must not reach.
func hostAddresses(tb testing.TB) {
	tb.Helper()
	// Of this process alone; a bridge, since not every kernel has dummies.
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("dyt%d", os.Getpid())}}
	if err := netlink.LinkAdd(link); err != nil {
		tb.Fatalf("make device: %v", err)
	}
	tb.Cleanup(func() {
		if err := netlink.LinkDel(link); err != nil {
			tb.Errorf("remove device: %v", err)
		}
	})
	for _, addr := range []string{privateAddr, publicAddr} {
		parsed, err := netlink.ParseAddr(addr + "/32")
		if err == nil {
			err = netlink.AddrAdd(link, parsed)
		}
		if err != nil {
			tb.Fatalf("set address: %v", err)
		}
	}
	if err := netlink.LinkSetUp(link); err != nil {
		tb.Fatalf("raise device: %v", err)
	}
}

// listen answers "from the host" on every address of the host.
func listen(tb testing.TB) (port string) {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp4", "0.0.0.0:0")
	if err != nil {
		tb.Fatalf("listen: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "from the host\n")
			_ = conn.Close() // the other end may have gone
		}
	}()
	tb.Cleanup(func() {
		_ = l.Close() // only accepted
		<-done
	})
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func (s *suite) testNetwork(t *testing.T) {
	t.Helper()
	port := listen(t)
	for _, addr := range []string{privateAddr, publicAddr} {
		var d net.Dialer
		conn, err := d.DialContext(t.Context(), "tcp4", net.JoinHostPort(addr, port))
		if err != nil {
			t.Fatalf("the host does not reach itself, so the test says nothing: %v", err)
		}
		_ = conn.Close()
	}
	host, opened, err := net.SplitHostPort(s.env.Reach[0])
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := s.run(t, "nc -w 3 "+host+" "+opened); out != "from the host\n" {
		t.Errorf("the opened address says %q", out)
	}
	neighbour := s.start(t, s.spec("ip -4 addr show eth0; "+serve("8080")))
	neighbour.expect("inet ")
	found := regexp.MustCompile(`inet ([0-9.]+)`).FindStringSubmatch(neighbour.out.now())
	if found == nil {
		t.Fatalf("a dyno has no address: %s", neighbour.out.now())
	}
	eventually(t, func() error { return says(t, neighbour, 8080) })
	for _, target := range []string{
		"127.0.0.1 " + port, "127.0.0.1 8080", privateAddr + " " + port, publicAddr + " " + port,
		found[1] + " 8080", "169.254.169.254 80", "169.254.96.1 " + port, "172.17.0.1 " + port,
	} {
		if out, exit := s.run(t, "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 "+target); exit.Code == 0 || strings.Contains(out, "hello") || strings.Contains(out, "from the host") {
			t.Errorf("nc %s ends with %+v: %q", target, exit, out)
		}
	}
	// The neighbour's own loopback is where it should be.
	if err := says(t, neighbour, 8080); err != nil {
		t.Error(err)
	}
}

func (s *suite) testDial(t *testing.T) {
	t.Helper()
	for _, addr := range []string{"127.0.0.1", "0.0.0.0"} {
		p := s.start(t, s.spec("read x; "+serve(addr+":5000")))
		began := time.Now()
		if _, err := p.Dial(t.Context(), 5000); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(began) > time.Second {
			t.Errorf("Dial() = %v after %s, want refused at once", err, time.Since(began))
		}
		_, _ = fmt.Fprintln(p.stdin, "go")
		eventually(t, func() error { return says(t, p, 5000) })
		if err := p.Remove(t.Context()); err != nil {
			t.Errorf("Remove() = %v", err)
		}
		if conn, err := p.Dial(t.Context(), 5000); err == nil {
			_ = conn.Close()
			t.Error("a removed dyno answers")
		}
	}
}

// serve is a command that serves "hello" by HTTP on a port.
func serve(port string) string {
	return "cd /tmp && echo hello > index.html && exec httpd -f -p " + port
}

// says checks that a port of a dyno answers.
func says(tb testing.TB, p *proc, port uint16) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	conn, err := p.Dial(ctx, port)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // only read
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(string(got), "hello\n") {
		return fmt.Errorf("port %d says %q, want hello", port, got)
	}
	return nil
}

// eventually tries until there is no error.
func eventually(tb testing.TB, try func() error) {
	tb.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-late.C:
			tb.Fatalf("still: %v", err)
		}
	}
}
