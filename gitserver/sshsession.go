package gitserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/crypto/ssh"

	"slipway/gitserver/pktline"
)

const (
	maxSessionRequests = 64
	maxExecLine        = 4096
	lingerTime         = 200 * time.Millisecond
	exitRefused        = 1
	exitFailed         = 128 // as git's own die()
)

// session serves one channel: one git command.
func (d *sshDoor) session(ctx context.Context, conn *ssh.ServerConn, nc ssh.NewChannel, c *sshConn) {
	if !d.enter() {
		_ = nc.Reject(ssh.ResourceShortage, "the server is shutting down; try again in a moment") // the connection is gone
		return
	}
	defer d.leave()
	if !c.enter(sessionsPerConn) {
		_ = nc.Reject(ssh.ResourceShortage, "too many sessions on one connection") // the connection is gone
		return
	}
	ch, reqs, err := nc.Accept()
	if err != nil {
		c.leave()
		return
	}
	ss := &sshSession{s: d.s, ch: ch, conn: c, user: conn.Permissions.Extensions[userExtension]}
	// A client that opens a session and asks for nothing is cut off.
	lazy := time.AfterFunc(d.s.cfg.HandshakeTimeout, func() { _ = c.Close() })
	line, ok := ss.await(reqs)
	lazy.Stop()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var rest sync.WaitGroup
	rest.Go(func() {
		// The channel's requests end with the channel: that is how a client that
		// goes away is noticed.
		for req := range reqs {
			if req.Type == "eow@openssh.com" { // its reader is gone
				cancel(errGone)
			}
			_ = req.Reply(false, nil) // the connection is gone
		}
		cancel(errGone)
	})
	if ok {
		ss.exit(ss.run(ctx, line))
	}
	_ = ch.Close() // the client may have closed it
	c.leave()
	rest.Wait()
	ss.draining.Wait()
}

// A sshSession is one channel.
type sshSession struct {
	s       *Server
	ch      ssh.Channel
	conn    *sshConn
	user    string
	version int  // of the wire protocol, from GIT_PROTOCOL
	unread  bool // the client may still send

	draining sync.WaitGroup
}

// await answers requests until one says what to run; ok is false if there is
// none. A shell is what an empty line stands for.
func (ss *sshSession) await(reqs <-chan *ssh.Request) (line string, ok bool) {
	seen := 0
	for req := range reqs {
		if seen++; seen > maxSessionRequests {
			return "", false
		}
		switch req.Type {
		case "exec":
			var p struct{ Line string }
			if err := ssh.Unmarshal(req.Payload, &p); err != nil || len(p.Line) > maxExecLine || p.Line == "" {
				_ = req.Reply(false, nil) // the connection is gone
				return "", false
			}
			_ = req.Reply(true, nil) // the connection is gone
			return p.Line, true
		case "shell":
			_ = req.Reply(true, nil) // the connection is gone
			return "", true
		case "env":
			_ = req.Reply(ss.setenv(req.Payload), nil) // the connection is gone
		default:
			_ = req.Reply(false, nil) // pty, agent, X11, subsystem, ...
		}
	}
	return "", false
}

// setenv takes GIT_PROTOCOL and no other variable.
func (ss *sshSession) setenv(payload []byte) bool {
	var p struct{ Key, Value string }
	if err := ssh.Unmarshal(payload, &p); err != nil || p.Key != "GIT_PROTOCOL" || len(p.Value) > 256 {
		return false
	}
	ss.version = wireVersion(p.Value)
	return true
}

func (ss *sshSession) exit(status uint32) {
	// The client may be gone; then nobody wants the status.
	_, _ = ss.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
	_ = ss.ch.CloseWrite() // it may be closed
}

// run runs one command and returns its exit status. A panic ends the command
// only, as it does over HTTP.
func (ss *sshSession) run(ctx context.Context, line string) (status uint32) {
	defer func() {
		if p := recover(); p != nil {
			ss.s.log.Error("panic in a session", zap.String("panic", fmt.Sprint(p)), zap.Stack("stack"))
			ss.complain("internal error; try again")
			status = exitFailed
		}
	}()
	if line == "" {
		ss.complain("You are signed in as " + ss.user + ", but there is no shell here: only git push, fetch and clone work.")
		return exitRefused
	}
	cmd, err := parseExec(line)
	if err != nil {
		ss.complain(err.Error())
		return exitRefused
	}
	c := ss.s.newCall("", ss.user, TransportSSH, ss.conn.RemoteAddr().String())
	name, err := repositoryName(cmd.path)
	if err == nil {
		c = ss.s.newCall(name, ss.user, TransportSSH, ss.conn.RemoteAddr().String())
		c.version = ss.version
		err = ss.s.admit(ctx, c, cmd.service)
	}
	w, in := ss.open()
	if err == nil {
		err = ss.s.advertise(ctx, c, w, cmd.service)
	}
	if err != nil {
		text := nameWords(err)
		if !errors.Is(err, ErrName) {
			text = ss.s.words(ctx, c, err)
		}
		// The client may be gone; git shows this as "remote error".
		_ = pktline.NewWriter(w.out).Line("ERR " + text + "\n")
		_ = w.flush()
		return exitFailed
	}
	err = ss.s.serveService(ctx, c, w, cmd.service)
	linger := lingerTime
	if ss.unread {
		linger = drainTime
	}
	ss.drain(ctx, in, linger)
	if err != nil {
		c.log.Debug("call ended with an error", zap.String("service", cmd.service), zap.Error(err))
		return exitFailed
	}
	return 0
}

func (ss *sshSession) complain(text string) {
	_, _ = io.WriteString(ss.ch.Stderr(), text+"\n") // the connection is gone
}

// open makes the streams of a service, with deadlines.
func (ss *sshSession) open() (*wire, io.Reader) {
	cut := func() { _ = ss.conn.Close() } // ends whatever waits for it
	in := &watchedReader{r: ss.ch, pace: ss.s.newPace(), timer: stoppedTimer(cut)}
	out := &watchedWriter{w: ss.ch, pace: ss.s.newPace(), timer: stoppedTimer(cut)}
	w := newWire(in, out)
	w.until = in.pace.end
	w.notes = &watchedWriter{w: ss.ch.Stderr(), pace: ss.s.newPace(), timer: stoppedTimer(cut)}
	// Words overtake what the client sends; it is drained behind them.
	w.drain = func(context.Context) { ss.unread = true }
	return w, in
}

// drain takes what the client still sends, until it ends or it is enough. A git
// that is cut off while it sends would not show our words; go-git fails if the
// channel is closed before it has said that it sends no more.
func (ss *sshSession) drain(ctx context.Context, in io.Reader, limit time.Duration) {
	_ = ss.ch.CloseWrite() // the client may be gone
	ended := make(chan struct{})
	ss.draining.Go(func() {
		defer close(ended)
		_, _ = io.CopyN(io.Discard, in, drainBytes) // words follow in any case
	})
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// stoppedTimer is a timer that calls f when it is first reset and runs out.
func stoppedTimer(f func()) *time.Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return t
}

// A watchedReader cuts off a client that sends nothing for too long, or too
// slowly.
type watchedReader struct {
	r     io.Reader
	pace  *pace
	timer *time.Timer
}

func (r *watchedReader) Read(p []byte) (int, error) {
	until, done := r.pace.wait()
	r.timer.Reset(time.Until(until))
	defer r.timer.Stop()
	n, err := r.r.Read(p)
	done(n)
	return n, broken(err)
}

// A watchedWriter cuts off a client that reads nothing for too long, or too
// slowly. It may be used by several goroutines at once.
type watchedWriter struct {
	w    io.Writer
	pace *pace

	mu    sync.Mutex
	timer *time.Timer
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	until, done := w.pace.wait()
	w.timer.Reset(time.Until(until))
	defer w.timer.Stop()
	n, err := w.w.Write(p)
	done(n)
	return n, err
}
