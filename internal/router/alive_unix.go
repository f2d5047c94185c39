//go:build unix

package router

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// alive tells whether a kept connection is still open and silent, without
// waiting. A dyno has nothing to say before it was asked.
func alive(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return true // a pipe; reading will tell
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	// Control and not Read: Read minds the deadline of the last request.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = err == unix.EAGAIN || err == unix.EWOULDBLOCK
	})
	return err == nil && open
}
