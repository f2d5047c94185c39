package gitserver

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// quickAck has what arrives next on a TCP connection acknowledged without
// delay. It is a hint; errors do not matter.
func quickAck(c net.Conn) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
