package netns_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/netns"
)

func TestDial(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "dial"})
	for _, addr := range []string{"127.0.0.1:8080", "0.0.0.0:8081"} {
		var l net.Listener
		err := in(ns.Path(), func() (err error) {
			l, err = listen(t, "tcp4", addr)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		port := netip.MustParseAddrPort(addr).Port()
		conn, err := ns.Dial(t.Context(), port)
		if err != nil {
			t.Fatalf("Dial(%d) = %v", port, err)
		}
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(accepted, "hello")
		accepted.Close()
		if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
			t.Errorf("port %d says %q, %v", port, got, err)
		}
		conn.Close()
		l.Close()
		began := time.Now()
		if _, err := ns.Dial(t.Context(), port); !errors.Is(err, syscall.ECONNREFUSED) || time.Since(began) > time.Second {
			t.Errorf("Dial(%d) = %v after %s, want refused at once", port, err, time.Since(began))
		}
	}
}

// A program that accepts nothing holds a caller up for as long as it wants.
func TestDialGivenUp(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "full"})
	fd := -1
	err := in(ns.Path(), func() (err error) {
		if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		return errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Port: 8080}), unix.Listen(fd, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		conn, err := ns.Dial(ctx, 8080)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil || n > 10 {
			t.Fatalf("Dial() = %v at the %dth time, want deadline exceeded", err, n)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ns.Dial(ctx, 8080); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial() = %v, want canceled", err)
	}
}

func TestDialClosed(t *testing.T) {
	ns := newNS(t, netns.Config{Instance: "gone"})
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := ns.Dial(t.Context(), 8080); err == nil {
		conn.Close()
		t.Error("a closed namespace was dialled")
	}
}

func TestReachPorts(t *testing.T) {
	l, err := listen(t, "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ports, err := netns.Reach(t.Context(), l.Addr().String())
	if err != nil || len(ports) != 1 || ports[0].Addr.String() != l.Addr().String() {
		t.Fatalf("Reach() = %v, %v", ports, err)
	}
	conn, err := ports[0].Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for _, bad := range []string{"", "localhost", "localhost:", "localhost:0", "localhost:http", "localhost:65536", ":80:80"} {
		if _, err := netns.Reach(t.Context(), bad); err == nil {
			t.Errorf("Reach(%q) succeeds", bad)
		}
	}
}

func BenchmarkDial(b *testing.B) {
	ns, err := netns.New(b.Context(), netns.Config{Instance: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ns.Dial(b.Context(), 8080); !errors.Is(err, syscall.ECONNREFUSED) {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	ns.Close()
	netns.Recover(b.Context(), netns.Config{Instance: "bench"})
}
