package port

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// handshake is the first byte of a TLS connection (RFC 8446, 5.1). No method of
// HTTP begins with it.
const handshake = 0x16

var (
	errPlain = errors.New("no TLS where there has to be")
	errKind  = errors.New("not a TCP connection")
)

// identify finds out what a connection speaks. It is HTTP if word is "".
func (l *Listener) identify(ctx context.Context, conn net.Conn) (found net.Conn, word string, err error) {
	if err := conn.SetDeadline(time.Now().Add(l.cfg.Patience)); err != nil {
		return nil, "", err
	}
	first, err := peek(conn)
	switch {
	case err != nil:
		return nil, "", err
	case first == handshake:
		return l.secure(ctx, conn)
	case l.cfg.Only:
		return nil, "", refuse(conn)
	}
	return conn, "", nil
}

// refuse says that a port speaks TLS only. What the client has sent is read, since
// the system would else throw the answer away; not for long.
func refuse(conn net.Conn) error {
	_, err := io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nThis port speaks TLS: write https:// for http://.\n")
	if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
		err = errors.Join(half.CloseWrite(), conn.SetReadDeadline(time.Now().Add(refusal)))
		_, _ = io.CopyN(io.Discard, conn, maxRefused) // it is over, however it ends
	}
	return errors.Join(errPlain, err)
}

// refusal is how long a client that is refused may go on, and maxRefused how many
// bytes.
const (
	refusal    = time.Second
	maxRefused = 64 << 10
)

// peek reads the first byte and leaves it where it is, so that what comes after
// gets the connection as the system made it, with all that it can do.
func peek(conn net.Conn) (byte, error) {
	tcp, ok := conn.(syscall.Conn)
	if !ok {
		return 0, errKind
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var (
		b    [1]byte
		n    int
		rerr error
	)
	err = raw.Read(func(fd uintptr) bool {
		for {
			n, _, rerr = unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK)
			if !errors.Is(rerr, unix.EINTR) {
				return !errors.Is(rerr, unix.EAGAIN)
			}
		}
	})
	switch {
	case err != nil:
		return 0, err
	case rerr != nil:
		return 0, rerr
	case n == 0:
		return 0, io.EOF
	}
	return b[0], nil
}

// secure does the handshake. Then a client that has agreed on a protocol speaks
// HTTP; of others the first line tells.
func (l *Listener) secure(ctx context.Context, conn net.Conn) (net.Conn, string, error) {
	secured := tls.Server(conn, l.cfg.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, "", fmt.Errorf("TLS handshake: %w", err)
	}
	if secured.ConnectionState().NegotiatedProtocol != "" || l.cfg.Talk == nil {
		return secured, "", nil
	}
	c := &unnamed{Conn: secured}
	word, err := c.firstWord()
	return c, word, err
}

// An unnamed connection has TLS, and its client has not named a protocol. What
// was read of it to find out is read again.
type unnamed struct {
	*tls.Conn
	head []byte
}

// Read implements [net.Conn].
func (c *unnamed) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	if c.head = c.head[n:]; len(c.head) == 0 {
		c.head = nil
	}
	return n, nil
}

// maxWord bounds the first line of what is not HTTP, in bytes.
const maxWord = 128

// firstWord takes the first line off, if it is one word. It is "" for a request
// of HTTP, whose first line has spaces (RFC 9112, 3); an empty line may come
// before that (2.2).
func (c *unnamed) firstWord() (string, error) {
	buf := make([]byte, 0, 4<<10)
	for {
		n, err := c.Conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		line, rest, whole := bytes.Cut(buf[:min(len(buf), maxWord)], []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case whole && len(line) > 0 && !bytes.Contains(line, []byte(" ")):
			c.head = buf[min(len(buf), maxWord)-len(rest):]
			return string(line), nil
		case whole, bytes.Contains(line, []byte(" ")), len(buf) >= maxWord:
			c.head = buf
			return "", nil
		case err != nil:
			return "", err
		}
	}
}
