package api

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	// maxRecord is what one message of TLS carries, in bytes (RFC 8446, 5.1).
	maxRecord = 16 << 10
	// patience is how long a client may not take a byte: somebody reads the page
	// before.
	patience = time.Hour
)

// A visitor is a client that has come by rendezvous. What a dyno writes to it
// keeps its order, and is held up by a client that is slow.
type visitor struct {
	ctx   context.Context //nolint:containedctx // the connection's own life
	conn  net.Conn
	whole bool          // the ends of lines are not parted: the client's output is no terminal
	wrote chan struct{} // holds one if something was written

	mu   sync.Mutex
	held []byte // the end of what was written; see partition
}

func newVisitor(ctx context.Context, conn net.Conn, whole bool) *visitor {
	return &visitor{ctx: ctx, conn: conn, whole: whole, wrote: make(chan struct{}, 1)}
}

// Write implements [io.Writer] for a dyno's output.
func (v *visitor) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	messages, rest := partition(append(v.held, p...), v.whole)
	for _, message := range messages {
		if err := v.send(message); err != nil {
			return 0, err
		}
	}
	v.held = bytes.Clone(rest)
	return len(p), nil
}

// flush sends what was held back.
func (v *visitor) flush() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.held) > 0 {
		_ = v.send(v.held) // a client that is gone is not told
	}
	v.held = nil
}

// say tells the client something that is not the dyno's.
func (v *visitor) say(text string) {
	_ = v.send(fmt.Appendf(nil, " !     %s\r\n", text)) // a client that is gone is not told
}

func (v *visitor) send(message []byte) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if v.ctx.Err() != nil { // after the deadline was set, so that hurry's stands
		return context.Cause(v.ctx)
	}
	if _, err := v.conn.Write(message); err != nil {
		return err
	}
	select {
	case v.wrote <- struct{}{}:
	default:
	}
	return nil
}

// idle waits until nothing was written for so long, and is false if the dyno has
// ended before.
func (v *visitor) idle(over <-chan struct{}, long time.Duration) bool {
	late := time.NewTimer(long)
	defer late.Stop()
	for {
		select {
		case <-v.ctx.Done():
			return false
		case <-over:
			return false
		case <-v.wrote:
			late.Reset(long)
		case <-late.C:
			return true
		}
	}
}

// hurry lets nobody wait for the client any more.
func (v *visitor) hurry() { _ = v.conn.SetDeadline(time.Now()) } // of a connection that is closed, if it fails

const (
	// farewell is how long a client may take to notice that all is over.
	farewell = time.Minute
	// brusque is that for one that was not let in, who may be anybody.
	brusque = 5 * time.Second
)

// part closes our side. The connection is to be read until the client has closed
// its own: if it were closed with something unread, the system would throw away
// what the client has not taken yet.
func (v *visitor) part(within time.Duration) {
	closeWrite(v.conn)
	if inner, ok := v.conn.(interface{ NetConn() net.Conn }); ok {
		closeWrite(inner.NetConn())
	}
	_ = v.conn.SetReadDeadline(time.Now().Add(within)) // of a connection that is closed, if it fails
	if v.ctx.Err() != nil {
		v.hurry()
	}
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the client is gone, if it fails
	}
}

// exitStatus is what Heroku's client, if it is to exit with the command's code,
// makes the command write before the code, and then looks for.
const exitStatus = "\uFFFF heroku-command-exit-status: "

// maxCode is how long the line may go on after exitStatus, in bytes.
const maxCode = 16

// partition makes messages of what a dyno has written. Heroku's client looks at each
// message alone, so a line with an exit status is one of its own, and what may be
// the beginning of such a line is held back, as the rest. With whole, so is a
// carriage return, of which the line feed may be to come.
func partition(data []byte, whole bool) (messages [][]byte, rest []byte) {
	add := func(part []byte) {
		for len(part) > 0 {
			n := min(len(part), maxRecord)
			if n < len(part) && part[n-1] == '\r' && part[n] == '\n' {
				n--
			}
			messages, part = append(messages, part[:n]), part[n:]
		}
	}
	for {
		before, after, found := bytes.Cut(data, []byte(exitStatus))
		if !found {
			break
		}
		add(before)
		data = data[len(before):]
		end := bytes.IndexByte(after[:min(len(after), maxCode)], '\n')
		switch {
		case end >= 0:
			add(data[:len(exitStatus)+end+1])
			data = after[end+1:]
		case len(after) < maxCode:
			return messages, data
		default: // it only looks like one
			add(data[:len(exitStatus)])
			data = after
		}
	}
	n := unfinished(data)
	if n == 0 && whole && bytes.HasSuffix(data, []byte("\r")) {
		n = 1
	}
	add(data[:len(data)-n])
	return messages, data[len(data)-n:]
}

// unfinished is how long the beginning of an exit status is that stands at the end.
func unfinished(data []byte) int {
	for n := min(len(data), len(exitStatus)-1); n > 0; n-- {
		if bytes.HasSuffix(data, []byte(exitStatus[:n])) {
			return n
		}
	}
	return 0
}
