package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects to a TCP port of what runs inside, over the namespace's own
// loopback device: no route leads there from the host, and none is needed. The
// connection is the host's to use and to close, and outlives the Namespace.
func (n *Namespace) Dial(ctx context.Context, port uint16) (net.Conn, error) {
	conn, err := n.dial(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("dial port %d inside: %w", port, err)
	}
	return conn, nil
}

// dial only begins to connect inside, which takes a thread: one for each
// connection to a program that does not accept would be too many.
func (n *Namespace) dial(ctx context.Context, port uint16) (_ net.Conn, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fd := -1
	err = inside(n.file, func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(port), Addr: [4]byte{127, 0, 0, 1}})
		if err != nil && !errors.Is(err, unix.EINPROGRESS) {
			return os.NewSyscallError("connect", err)
		}
		return nil
	})
	if err != nil {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close() //nolint:errcheck // the connection has its own
	if err := connected(ctx, f); err != nil {
		return nil, err
	}
	return net.FileConn(f)
}

// connected waits until a socket is connected.
func connected(ctx context.Context, f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			failed = os.NewSyscallError("connect", err)
			return true
		}
		_, err = unix.Getpeername(int(fd))
		return err == nil // else it is still on its way
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(err, failed)
}
