//go:build !linux

package gitserver

import "net"

// quickAck does nothing where TCP_QUICKACK is not to be had.
func quickAck(net.Conn) {}
