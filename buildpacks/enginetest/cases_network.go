package enginetest

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"slipway/buildpacks/build"
)

// A gate is a TCP server on loopback whose connections stay open until it is
// opened.
type gate struct {
	addr string
	open chan struct{}
}

func newGate(t *testing.T) *gate {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	g := &gate{addr: l.Addr().String(), open: make(chan struct{})}
	var conns sync.WaitGroup
	ended := make(chan struct{})
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer func() { _ = c.Close() }() // what matters was written
				select {
				case <-g.open:
					_, _ = io.WriteString(c, "gate is open\n")
				case <-ended:
				}
			})
		}
	})
	t.Cleanup(func() {
		close(ended)
		_ = l.Close() // it ends Accept
		conns.Wait()
	})
	return g
}

// netcat is a command that connects to addr.
func netcat(addr string) string {
	host, port, _ := strings.Cut(addr, ":")
	return fmt.Sprintf("nc -w 5 %s %s </dev/null", host, port)
}

func (s *suite) testNetwork(t *testing.T) {
	closed, reached := newGate(t), newGate(t)
	close(closed.open)
	close(reached.open)
	b := s.newBuilder(t, func(c *build.Config) { c.Reach = []string{reached.addr} })
	var script strings.Builder
	fmt.Fprintf(&script, "echo \"reached: $(%s)\"\n", netcat(reached.addr))
	fmt.Fprintf(&script, "echo \"closed: $(%s 2>&1)\"\n", netcat(closed.addr))
	fmt.Fprintf(&script, "echo \"registry: $(%s >/dev/null 2>&1 && echo open)\"\n", netcat(s.registry.addr))
	for _, ip := range privateAddresses(t) {
		_, port, _ := strings.Cut(closed.addr, ":")
		fmt.Fprintf(&script, "echo \"private %s: $(nc -w 2 %s %s </dev/null 2>&1)\"\n", ip, ip, port)
	}
	r, out := s.request("network", script.String())
	s.build(t, b, r)
	out.has(t, "reached: gate is open\n", "registry: open\n")
	if n := strings.Count(out.String(), "gate is open"); n != 1 {
		t.Errorf("the build reached %d servers on the host, want 1:\n%s", n, out)
	}
	s.nothingLeft(t, "")
}

// privateAddresses returns the host's own addresses, on each of which
// something listens.
func privateAddresses(t *testing.T) []string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatalf("list addresses: %v", err)
	}
	var ips []string
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || n.IP.IsLoopback() {
			continue
		}
		ips = append(ips, n.IP.String())
	}
	return ips
}

func (s *suite) testDNS(t *testing.T) {
	b := s.newBuilder(t, nil)
	r, out := s.request("dns", "nslookup "+strings.TrimSuffix(dnsName, ".")+" 2>&1; cat /etc/resolv.conf; true")
	s.build(t, b, r)
	out.has(t, dnsAnswer)
}

// testLive has the build wait for the test in the middle of a line.
func (s *suite) testLive(t *testing.T) {
	g := newGate(t)
	b := s.newBuilder(t, func(c *build.Config) { c.Reach = []string{g.addr} })
	r, out := s.request("live", "echo first line; echo -n 'Downloading '; "+netcat(g.addr)+"; echo last line")
	ended := make(chan error, 1)
	go func() {
		_, err := b.Build(t.Context(), r)
		ended <- err
	}()
	if err := out.wait(t.Context(), "first line\nDownloading "); err != nil {
		t.Error(err)
	}
	close(g.open)
	if err := <-ended; err != nil {
		t.Fatalf("Build() = %v\n%s", err, out)
	}
	out.has(t, "first line\nDownloading gate is open\nlast line\n")
}

// testConcurrent has three builds wait for each other.
func (s *suite) testConcurrent(t *testing.T) {
	g := newGate(t)
	b := s.newBuilder(t, func(c *build.Config) { c.Reach = []string{g.addr} })
	const n = 3
	ended := make(chan error, n)
	var outs []*output
	for i := range n {
		app := fmt.Sprintf("app-%d", i)
		r, out := s.request(app, "echo ready; "+netcat(g.addr)+"; echo I am $(cat name)", "name", app)
		outs = append(outs, out)
		go func() {
			_, err := b.Build(t.Context(), r)
			ended <- err
		}()
	}
	for _, out := range outs {
		if err := out.wait(t.Context(), "ready\n"); err != nil {
			t.Error(err)
		}
	}
	close(g.open)
	for range n {
		if err := <-ended; err != nil {
			t.Errorf("Build() = %v", err)
		}
	}
	for i, out := range outs {
		out.has(t, fmt.Sprintf("I am app-%d\n", i))
	}
	s.nothingLeft(t, "")
}

// testTurns has one build hold the app while another waits for it.
func (s *suite) testTurns(t *testing.T) {
	g := newGate(t)
	b := s.newBuilder(t, func(c *build.Config) { c.Reach = []string{g.addr} })
	first, out := s.request("turns", "echo ready; "+netcat(g.addr))
	second, out2 := s.request("turns", "echo second")
	ended := make(chan error, 2)
	start := func(r build.Request) {
		go func() {
			_, err := b.Build(t.Context(), r)
			ended <- err
		}()
	}
	start(first)
	if err := out.wait(t.Context(), "ready\n"); err != nil {
		t.Error(err)
	}
	start(second)
	if out2.String() != "" {
		t.Errorf("the second build runs already: %s", out2)
	}
	close(g.open)
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("Build() = %v", err)
		}
	}
	out2.has(t, "second\n")
}
