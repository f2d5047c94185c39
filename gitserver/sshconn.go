package gitserver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/cpu"
)

const (
	sshVersion = "SSH-2.0-Slipway"
	// quickReads is how many reads of a connection have their data acknowledged
	// at once: the handshake and the first command. A client that waits for our
	// delayed acknowledgement, as OpenSSH does behind NEWKEYS, loses 40 ms.
	quickReads  = 64
	greetingMax = 16 << 10
)

// A sshConn is a TCP connection with the deadlines of a git server. It sends
// our version itself, so that the client's first words are known before the
// handshake is configured.
type sshConn struct {
	net.Conn
	r     *bufio.Reader
	idle  time.Duration
	quick int

	mu       sync.Mutex
	greeted  bool // the handshake's own version line was left out
	open     bool // signed in, and a session was opened
	auth     authState
	sessions int
}

// openConn greets the client. The handshake, sign-in and the first request for
// a session must be done within the given time.
func openConn(c net.Conn, handshake, idle time.Duration) (*sshConn, error) {
	conn := &sshConn{Conn: c, r: bufio.NewReaderSize(c, greetingMax), idle: idle, quick: quickReads}
	if err := c.SetDeadline(time.Now().Add(handshake)); err != nil {
		return nil, fmt.Errorf("set deadline: %w", err)
	}
	if _, err := c.Write([]byte(sshVersion + "\r\n")); err != nil {
		return nil, fmt.Errorf("greet: %w", err)
	}
	return conn, nil
}

// Read reads, and has the data acknowledged at once early in the connection.
func (c *sshConn) Read(p []byte) (int, error) {
	if c.r.Buffered() > 0 {
		return c.r.Read(p)
	}
	if c.quick > 0 {
		c.quick--
		quickAck(c.Conn)
	}
	return c.Conn.Read(p)
}

// Write writes, with a deadline once the client is signed in; until then that
// of the handshake holds.
func (c *sshConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.greeted && bytes.Equal(p, []byte(sshVersion+"\r\n")) {
		c.greeted = true
		c.mu.Unlock()
		return len(p), nil
	}
	if c.open {
		_ = c.SetWriteDeadline(time.Now().Add(c.idle)) // the write itself fails on a broken connection
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// An authState is how far somebody has come in signing in.
type authState int

const (
	authNone  authState = iota // no key was offered
	authTried                  // none that let them in
	authDone
)

func (c *sshConn) note(state authState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.auth = max(c.auth, state)
}

// refused reports whether somebody has tried to sign in and could not.
func (c *sshConn) refused() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.auth == authTried
}

// SetDeadline does nothing: the SSH library would lift ours.
func (c *sshConn) SetDeadline(time.Time) error { return nil }

// enter notes that a session begins: while there is one, silence is its
// business.
func (c *sshConn) enter(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions >= limit {
		return false
	}
	c.sessions++
	c.open = true
	_ = c.Conn.SetDeadline(time.Time{}) // a broken connection is noticed by the next read
	return true
}

// leave notes that a session ended. A connection without one may idle for a
// while, for OpenSSH's ControlPersist.
func (c *sshConn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions--; c.sessions == 0 {
		_ = c.SetReadDeadline(time.Now().Add(c.idle)) // a broken connection is noticed by the next read
	}
}

// ciphers chooses what to offer. Clients decide by their own order, and
// OpenSSH's begins with ChaCha20, at half the speed of AES-GCM where the
// processor knows AES: so that is all that is offered to an OpenSSH that takes
// it. Nil stands for everything.
func (c *sshConn) ciphers() []string {
	if !cpu.X86.HasAES && !cpu.ARM64.HasAES {
		return nil
	}
	fast := []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM}
	offered := c.peekCiphers()
	if slices.ContainsFunc(offered, func(name string) bool { return slices.Contains(fast, name) }) {
		return fast
	}
	return nil
}

// peekCiphers looks at the ciphers in the first packet of an OpenSSH client,
// which sends it right behind its version (RFC 4253, sections 4.2 and 7.1).
func (c *sshConn) peekCiphers() []string {
	line, err := c.peekLine()
	if err != nil || !strings.HasPrefix(line, "SSH-2.0-OpenSSH_") {
		return nil
	}
	const head = 4 + 1 + 1 + 16 // length, padding, type, cookie
	b, err := c.r.Peek(len(line) + head)
	if err != nil {
		return nil
	}
	size := binary.BigEndian.Uint32(b[len(line):]) + 4
	if size > greetingMax-256 || b[len(line)+5] != 20 {
		return nil
	}
	b, err = c.r.Peek(len(line) + int(size))
	if err != nil {
		return nil
	}
	lists := b[len(line)+head:]
	for range 2 { // key exchanges, host keys
		if _, lists = nameList(lists); lists == nil {
			return nil
		}
	}
	names, _ := nameList(lists)
	return names
}

// peekLine returns the client's first line with its end, unread.
func (c *sshConn) peekLine() (string, error) {
	for n := 1; n <= 255; n++ {
		b, err := c.r.Peek(max(n, min(c.r.Buffered(), 255)))
		if err != nil {
			return "", err
		}
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			return string(b[:i+1]), nil
		}
		n = len(b)
	}
	return "", bufio.ErrBufferFull
}

func nameList(b []byte) (names []string, rest []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil
	}
	return strings.Split(string(b[4:4+n]), ","), b[4+n:]
}
