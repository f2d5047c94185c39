package router

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
)

// lull is how long the rest of a body may take once the answer is complete,
// before the connection is given up.
const lull = 50 * time.Millisecond

// An upload streams a request's body to a dyno, while the answer may already
// come the other way.
type upload struct {
	x    *exchange
	c    *conn
	last lastByte
	done chan struct{}

	sent bool // the whole body; set before done

	mu      sync.Mutex
	stopped bool
	fail    *failure // what the client did wrong
}

// failure tells what the client did wrong. A request whose client is gone has
// often ended because reading from it failed, and then it is about to be known.
func (u *upload) failure(gone bool) *failure {
	if gone {
		u.wait(lull)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.fail
}

// startUpload begins to send the body. Somebody must call finish.
func (x *exchange) startUpload(c *conn) {
	if x.body.kind != streamed || x.upload != nil {
		return
	}
	// Else net/http reads all of the body before it sends the answer.
	_ = x.rc.EnableFullDuplex() // HTTP/2 needs no leave
	u := &upload{x: x, c: c, done: make(chan struct{})}
	u.last.touch()
	c.other = &u.last
	x.upload = u
	go func() {
		defer close(u.done)
		u.run()
	}()
}

func (u *upload) run() {
	err := u.copy()
	switch {
	case err == nil:
		u.sent = true
		u.stop(time.Time{})
	case errors.Is(err, errDyno):
		// It may have answered before it closed.
	default:
		u.mu.Lock()
		if !u.stopped {
			u.fail = clientFailure(err)
		}
		u.mu.Unlock()
		_ = u.c.Close() // wakes who waits for the answer
		return
	}
	// The dyno's time to answer begins now.
	_ = u.c.SetReadDeadline(time.Now().Add(u.x.rt.cfg.FirstByte)) // fails if closed; reading then fails too
}

// errDyno marks an error of the dyno's side.
var errDyno = errors.New("the dyno does not take the body")

func (u *upload) copy() error {
	buf := getBuffer()
	defer buffers.Put(buf)
	for u.allow(time.Now().Add(u.x.rt.cfg.Idle)) {
		n, err := u.x.r.Body.Read(*buf)
		if n > 0 {
			u.last.touch()
			if u.write((*buf)[:n]) != nil {
				return errDyno
			}
			u.last.touch()
		}
		if errors.Is(err, io.EOF) {
			return u.end()
		}
		if err != nil {
			return err
		}
	}
	return errDyno
}

// allow sets until when the client may be silent. It is false once there is
// nothing more to read.
func (u *upload) allow(till time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopped {
		_ = u.x.rc.SetReadDeadline(till) // not to be had on every ResponseWriter
	}
	return !u.stopped
}

// stop sets the deadline for the last time.
func (u *upload) stop(till time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopped {
		u.stopped = true
		_ = u.x.rc.SetReadDeadline(till) // as in allow
	}
}

func (u *upload) write(p []byte) error {
	if err := u.c.SetWriteDeadline(time.Now().Add(u.x.rt.cfg.Idle)); err != nil {
		return err
	}
	if u.x.body.length >= 0 {
		_, err := u.c.Write(p)
		return err
	}
	var digits [20]byte
	bw := u.c.bw
	_, _ = bw.Write(strconv.AppendInt(digits[:0], int64(len(p)), 16))
	_, _ = bw.WriteString("\r\n")
	_, _ = bw.Write(p)
	_, _ = bw.WriteString("\r\n")
	return bw.Flush() // keeps the first error
}

// end writes what follows the last chunk.
func (u *upload) end() error {
	if u.x.body.length >= 0 {
		return nil
	}
	bw := u.c.bw
	_, _ = bw.WriteString("0\r\n")
	for name, values := range u.x.r.Trailer {
		for _, v := range values {
			writeStrings(bw, name, ": ", v, "\r\n")
		}
	}
	_, _ = bw.WriteString("\r\n")
	if bw.Flush() != nil {
		return errDyno
	}
	return nil
}

// finish waits for the upload, a moment if the answer is complete, and stops
// it otherwise. It tells whether the dyno got all of the body.
func (u *upload) finish(answered bool) bool {
	if answered && u.wait(lull) {
		return u.sent
	}
	u.stop(time.Unix(1, 0))
	_ = u.c.Close() // it may wait for the dyno
	<-u.done
	return u.sent
}

// wait tells whether the upload ends within d.
func (u *upload) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-u.done:
		return true
	case <-t.C:
		return false
	}
}
