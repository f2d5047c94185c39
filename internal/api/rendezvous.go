package api

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"slipway/internal/dyno"
)

// quiet is how long a dyno may write nothing after its client has said that it
// sends no more: Heroku's does so when it is interrupted, not when its input ends.
const quiet = 5 * time.Second

// Rendezvous joins a connection to the one-off dyno that a secret was given out
// for, as Heroku's client wants it: after a first line of ours, what either side
// sends is what the other reads. It returns when the dyno has ended, and closes
// the connection. When the client goes away, or ctx is done, the dyno is stopped.
func (h *Handler) Rendezvous(ctx context.Context, conn net.Conn, secret string) {
	defer func() { _ = conn.Close() }() // all was said, or nobody is there
	with, ok := h.api.meetings.take(secret, time.Now())
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	out := newVisitor(ctx, conn, !with.shown)
	unblock := context.AfterFunc(ctx, out.hurry)
	defer unblock()
	// It is a message of its own: Heroku's client drops the first that it gets.
	if out.send([]byte("rendezvous\r\n")) != nil {
		return
	}
	if ok {
		h.api.meet(ctx, gone, with, out)
		return
	}
	out.say("this address was used before, or is older than a minute: run the command again")
	out.part(brusque)
	_, _ = io.Copy(io.Discard, conn) // it is over, however it ends
}

// meet copies between a client and a dyno until the dyno has ended and the client
// has noticed.
func (a *api) meet(ctx context.Context, gone context.CancelCauseFunc, with meeting, out *visitor) {
	stdin, feed := io.Pipe()
	over := make(chan struct{})
	var hearing sync.WaitGroup
	defer hearing.Wait()
	hearing.Go(func() {
		err := hear(out.conn, feed, with.tty)
		_ = feed.Close() // of a pipe: it cannot fail
		if !errors.Is(err, io.EOF) || out.idle(over, quiet) {
			gone(errGone)
		}
	})
	_, err := a.Dynos.Attach(ctx, with.app, with.dyno, dyno.Terminal{Stdin: stdin, Stdout: out, Stderr: out})
	close(over)
	_ = stdin.Close() // hear does not wait for a reader any more
	out.flush()
	defer out.part(farewell)
	if err == nil || ctx.Err() != nil {
		return // it has said all, or was stopped
	}
	if _, body, ok := shown(err); ok {
		out.say(body.Message)
		return
	}
	a.log.Error("attach failed", zap.String("app", with.app), zap.String("dyno", with.dyno), zap.Error(err))
	out.say("internal error: the server's log says more")
}

// endOfFile is what Heroku's client sends when its input ends. A terminal knows
// what it means; without one we do.
const endOfFile = 4

// lull is after how long without another byte an end of file at the end of a
// message is meant as one. In a file it is a byte like others.
const lull = time.Second

// hear passes on what the client sends, until it sends no more (io.EOF) or the
// connection breaks. What the process does not read any more is dropped.
func hear(conn net.Conn, feed *io.PipeWriter, tty bool) error {
	buf := make([]byte, 16<<10)
	var ending *time.Timer // runs after an end of file
	defer func() {
		if ending != nil {
			ending.Stop()
		}
	}()
	for {
		n, err := conn.Read(buf)
		sent := buf[:n]
		if ending != nil && n > 0 {
			if ending.Stop() {
				_, _ = feed.Write([]byte{endOfFile})
			}
			ending = nil
		}
		if !tty && n > 0 && sent[n-1] == endOfFile {
			sent = sent[:n-1]
			ending = time.AfterFunc(lull, func() { _ = feed.Close() }) // of a pipe: it cannot fail
		}
		_, _ = feed.Write(sent)
		if err != nil {
			return err
		}
	}
}
