package router

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// tunnelBuffer is small, as there may be thousands of tunnels that say little.
const tunnelBuffer = 4 << 10

// A tunnel carries bytes both ways, after both sides have changed to another
// protocol.
type tunnel struct {
	client net.Conn
	dyno   net.Conn
	idle   time.Duration
	last   lastByte
}

// cut ends it.
func (t *tunnel) cut() {
	_ = t.client.Close() // closed already, perhaps
	_ = t.dyno.Close()
}

// change passes an answer on by which the dyno changes the protocol, and then
// all that either side says.
func (x *exchange) change(c *conn, resp *http.Response) *failure {
	protocol := upgradeOf(resp.Header)
	if x.upgrade == "" || !strings.EqualFold(protocol, x.upgrade) {
		return failAnswer
	}
	client, buffered, err := x.rc.Hijack()
	if err != nil {
		return failOurs
	}
	defer func() { _ = client.Close() }() // closed already, perhaps
	t := &tunnel{client: client, dyno: c.Conn, idle: x.rt.cfg.Idle}
	t.last.touch()
	x.tunnel, x.status = t, http.StatusSwitchingProtocols
	if !x.rt.enter(t) {
		return failBroken
	}

	cleanAnswer(resp.Header)
	resp.Header["Via"] = append(resp.Header["Via"], via)
	resp.Header["Connection"] = []string{"Upgrade"}
	resp.Header["Upgrade"] = []string{protocol}
	// The deadlines of the request do not count any more.
	_ = client.SetDeadline(time.Now().Add(t.idle)) // writing tells
	writeStrings(buffered.Writer, "HTTP/1.1 101 Switching Protocols\r\n")
	_ = resp.Header.Write(buffered)
	_, _ = buffered.WriteString("\r\n")
	// The dyno may have said something together with its answer.
	early, _ := io.CopyN(buffered, c.br, int64(c.br.Buffered()))
	c.release()
	if buffered.Flush() != nil {
		return failLeft
	}
	_ = client.SetDeadline(time.Time{})
	_ = c.SetDeadline(time.Time{})
	// Not through buffered for longer than must be: net/http takes an end that
	// it reads there for the end of the request.
	n, fail := t.run(io.MultiReader(io.LimitReader(buffered, int64(buffered.Reader.Buffered())), client))
	x.bytes = early + n
	return fail
}

// enter and leave keep account of tunnels, for Close.
func (rt *Router) enter(t *tunnel) bool {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return false
	}
	rt.tunnels[t] = struct{}{}
	rt.open.Add(1)
	return true
}

func (rt *Router) leave(t *tunnel) {
	rt.mu.Lock()
	_, entered := rt.tunnels[t]
	delete(rt.tunnels, t)
	rt.mu.Unlock()
	if entered {
		rt.open.Done()
	}
}

// run copies both ways until both sides have ended. It returns how many bytes
// the client got.
func (t *tunnel) run(fromClient io.Reader) (n int64, fail *failure) {
	var (
		wg   sync.WaitGroup
		up   error
		down error
	)
	wg.Go(func() { _, up = t.copy(t.dyno, t.client, fromClient) })
	n, down = t.copy(t.client, t.dyno, t.dyno)
	wg.Wait()
	if errors.Is(up, os.ErrDeadlineExceeded) || errors.Is(down, os.ErrDeadlineExceeded) {
		return n, failIdle
	}
	// How a connection of this kind ends is between the two sides.
	return n, nil
}

// copy carries what from says, r reading from it, and then tells to that
// nothing follows.
func (t *tunnel) copy(to, from net.Conn, r io.Reader) (copied int64, err error) {
	buf := make([]byte, tunnelBuffer)
	for {
		left := t.last.left(t.idle)
		if left <= 0 {
			t.cut()
			return copied, os.ErrDeadlineExceeded
		}
		_ = from.SetReadDeadline(time.Now().Add(left)) // reading tells
		n, err := r.Read(buf)
		if n > 0 {
			t.last.touch()
			_ = to.SetWriteDeadline(time.Now().Add(t.idle)) // writing tells
			w, werr := to.Write(buf[:n])
			copied += int64(w)
			if werr != nil {
				t.cut()
				return copied, werr
			}
			t.last.touch()
		}
		switch {
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case errors.Is(err, io.EOF) && closeWrite(to):
			return copied, nil
		}
		t.cut()
		return copied, err
	}
}

// closeWrite tells the other side that nothing follows, where that can be told.
func closeWrite(c net.Conn) bool {
	half, ok := c.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
