package gitserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	glssh "github.com/gliderlabs/ssh"
	"go.uber.org/zap"
	"golang.org/x/crypto/ssh"
)

const (
	sessionsPerConn = 10               // as OpenSSH's MaxSessions
	shutdownGrace   = 10 * time.Second // for the last words of sessions
	userExtension   = "user"
)

// ServeSSH serves ln until ctx is done, and closes it. Sessions may go on for
// Config.StopTimeout, are cancelled then, and may still tell their clients. It
// returns after everything that it started has stopped; nil if ctx ended it.
func (s *Server) ServeSSH(ctx context.Context, ln net.Listener) error {
	keys, err := hostKeys(s.cfg.HostKeyDir)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	// Sessions hear of the end first, connections are cut when they are done.
	sessions, endSessions := context.WithCancelCause(context.WithoutCancel(ctx))
	defer endSessions(nil)
	d := &sshDoor{s: s, conns: make(map[net.Conn]struct{})}
	d.srv = d.server(sessions, keys)

	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // ends accept
	defer stop()
	err = d.accept(ctx, ln)
	d.drain(context.WithoutCancel(ctx), s.cfg.StopTimeout)
	endSessions(errShutdown)
	d.finish(context.WithoutCancel(ctx))
	select {
	case <-ctx.Done():
		return nil
	default:
		return errors.Join(err, ln.Close())
	}
}

// An sshDoor is one run of ServeSSH.
type sshDoor struct {
	s   *Server
	srv *glssh.Server

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	sessions int
	closed   bool          // no session may begin
	idle     chan struct{} // closed when closed and no session is left

	running sync.WaitGroup // connections
}

// server configures the SSH library: nothing but sessions and public keys.
func (d *sshDoor) server(ctx context.Context, keys []ssh.Signer) *glssh.Server {
	srv := &glssh.Server{
		Version: sshVersion[len("SSH-2.0-"):],
		ChannelHandlers: map[string]glssh.ChannelHandler{
			"session": func(_ *glssh.Server, conn *ssh.ServerConn, nc ssh.NewChannel, gctx glssh.Context) {
				d.session(ctx, conn, nc, connOf(gctx))
			},
			"default": func(_ *glssh.Server, _ *ssh.ServerConn, nc ssh.NewChannel, _ glssh.Context) {
				_ = nc.Reject(ssh.Prohibited, "only git commands run here") // the connection is gone
			},
		},
		RequestHandlers: map[string]glssh.RequestHandler{
			"default": func(glssh.Context, *glssh.Server, *ssh.Request) (bool, []byte) { return false, nil },
		},
		ConnCallback: func(gctx glssh.Context, c net.Conn) net.Conn {
			gctx.SetValue(connKey{}, c)
			return c
		},
		ServerConfigCallback: func(gctx glssh.Context) *ssh.ServerConfig {
			return d.s.sshConfig(ctx, connOf(gctx))
		},
	}
	for _, key := range keys {
		srv.AddHostKey(key)
	}
	return srv
}

type connKey struct{}

func connOf(ctx glssh.Context) *sshConn {
	c, _ := ctx.Value(connKey{}).(*sshConn)
	return c
}

// sshConfig is the configuration of one connection's handshake.
func (s *Server) sshConfig(ctx context.Context, conn *sshConn) *ssh.ServerConfig {
	tried, told, remote := "", false, conn.RemoteAddr().String()
	var last ssh.PublicKey
	return &ssh.ServerConfig{
		Config: ssh.Config{Ciphers: conn.ciphers()},
		// The library switches "none" on, as it knows no handler of ours.
		NoClientAuthCallback: func(ssh.ConnMetadata) (*ssh.Permissions, error) {
			return nil, ErrUnauthorized
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			last = key
			conn.note(authTried)
			user, err := s.signInKey(ctx, remote, key)
			if err == nil {
				return &ssh.Permissions{Extensions: map[string]string{userExtension: user}}, nil
			}
			if !errors.Is(err, ErrUnauthorized) {
				s.log.Error("look up key", zap.Error(err))
			}
			tried += "\n  " + key.Type() + " " + ssh.FingerprintSHA256(key)
			return nil, ErrUnauthorized
		},
		AuthLogCallback: func(_ ssh.ConnMetadata, _ string, err error) {
			if err == nil && last != nil { // it has proved to have the key
				conn.note(authDone)
				s.signIns.succeeded(remote, anyKey, string(last.Marshal()))
			}
		},
		// Clients turn to this when no key is left: the moment for words.
		KeyboardInteractiveCallback: func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			if told {
				return nil, ErrUnauthorized
			}
			told = true
			return nil, &ssh.BannerError{Err: ErrUnauthorized, Message: s.keyWords(remote, tried)}
		},
	}
}

func (s *Server) keyWords(remote, tried string) string {
	if wait := s.signIns.wait(remote, ""); wait > 0 {
		return tooManyFailures(wait).text + "\n"
	}
	if tried == "" {
		return "Your SSH client offered no public key. Make one with ssh-keygen, have it added to your account here, and try again.\n"
	}
	return "None of your SSH keys is known here. Have one of them added to your account, and try again:" + tried + "\n"
}

// accept takes connections until the listener is closed.
func (d *sshDoor) accept(ctx context.Context, ln net.Listener) error {
	var delay time.Duration
	for {
		c, err := ln.Accept()
		if err == nil {
			delay = 0
			d.start(c)
			continue
		}
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("accept: %w", err)
		}
		// Out of file descriptors, most likely.
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		d.s.log.Warn("accept", zap.Error(err), zap.Duration("retry_in", delay))
		select {
		case <-time.After(delay):
		case <-ctx.Done():
		}
	}
}

// start serves a connection, unless there are too many.
func (d *sshDoor) start(c net.Conn) {
	remote := c.RemoteAddr().String()
	leave, err := d.s.conns.enter(remote)
	if err != nil {
		turnAway(c, err)
		return
	}
	if wait := d.s.signIns.wait(remote, anyKey); wait > 0 {
		leave()
		turnAway(c, tooManyFailures(wait))
		return
	}
	d.mu.Lock()
	d.conns[c] = struct{}{}
	d.mu.Unlock()
	d.running.Go(func() {
		defer func() {
			_ = c.Close() // closed already, as a rule
			d.mu.Lock()
			delete(d.conns, c)
			d.mu.Unlock()
			leave()
		}()
		conn, err := openConn(c, d.s.cfg.HandshakeTimeout, d.s.cfg.IdleTimeout)
		if err != nil {
			d.s.log.Debug("ssh connection", zap.Error(err))
			return
		}
		d.srv.HandleConn(conn)
		if conn.refused() {
			d.s.signIns.failed(remote)
		}
	})
}

// turnAway closes a connection with words: what a server says before its
// version is shown by clients that are asked to (RFC 4253, section 4.2).
func turnAway(c net.Conn, err error) {
	_ = c.SetWriteDeadline(time.Now().Add(time.Second)) // best effort
	_, _ = c.Write([]byte(err.Error() + "\r\n"))        // best effort
	_ = c.Close()                                       // best effort
}

// enter notes that a session begins; false if the door is closed.
func (d *sshDoor) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.sessions++
	return true
}

func (d *sshDoor) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions--
	if d.closed && d.sessions == 0 {
		close(d.idle)
	}
}

// drain lets no session begin any more, and waits for those under way.
func (d *sshDoor) drain(ctx context.Context, timeout time.Duration) {
	d.mu.Lock()
	d.closed = true
	d.idle = make(chan struct{})
	if d.sessions == 0 {
		close(d.idle)
	}
	d.mu.Unlock()
	d.await(ctx, timeout)
}

// await returns when no session is left, or when it has waited long enough.
func (d *sshDoor) await(ctx context.Context, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case <-d.idle:
	case <-ctx.Done():
	}
}

// finish waits for the sessions, which were told to end, and then cuts the
// connections.
func (d *sshDoor) finish(ctx context.Context) {
	d.await(ctx, shutdownGrace)
	d.mu.Lock()
	for c := range d.conns {
		_ = c.Close() // it ends its own goroutines
	}
	d.mu.Unlock()
	d.running.Wait()
	<-d.idle
}
