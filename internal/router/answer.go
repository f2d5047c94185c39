package router

import (
	"errors"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"time"
)

const (
	// maxInformational is how many answers may come before the real one.
	maxInformational = 8
	// continueTimeout is how long a client is kept waiting for a dyno that
	// does not know "Expect: 100-continue".
	continueTimeout = time.Second
)

// talk sends the request over a connection and passes the answer back. The
// connection is reusable if both went through to the end.
func (x *exchange) talk(c *conn) (v verdict, reusable bool, fail *failure) {
	x.send(c)
	resp, v, fail := x.await(c)
	switch {
	case resp == nil:
	case resp.StatusCode == http.StatusSwitchingProtocols:
		fail = x.change(c, resp)
	default:
		fail = x.relay(c, resp)
		reusable = fail == nil && !resp.Close
	}
	switch {
	case x.upload != nil:
		if fail == nil && x.tunnel == nil {
			x.flush() // the client need not wait for what follows
		}
		reusable = x.upload.finish(fail == nil) && reusable
	case x.body.kind == streamed:
		reusable = false // the dyno did not want the body
	}
	return v, reusable, fail
}

// send sends the request, but for a body that is streamed. What cannot be sent
// was perhaps answered nevertheless, so that reading tells more.
func (x *exchange) send(c *conn) {
	// One deadline for both ways; uploads and answers then set their own. If
	// it cannot be set, the connection is closed, and writing says so.
	_ = c.SetDeadline(time.Now().Add(x.rt.cfg.FirstByte))
	x.writeHead(c.bw)
	if x.body.kind == small {
		_, _ = c.bw.Write(x.body.bytes())
	}
	err := c.bw.Flush()
	if x.body.kind != streamed {
		c.releaseWriter()
		return
	}
	if err == nil {
		_ = c.SetDeadline(time.Time{}) // closed, as above
		if !x.body.expect {
			x.startUpload(c)
		}
	}
}

// await reads up to the header of the answer, passing on what comes before it.
func (x *exchange) await(c *conn) (*http.Response, verdict, *failure) {
	if x.body.kind == streamed && x.body.expect {
		x.awaitContinue(c)
	}
	if _, err := c.br.Peek(1); err != nil {
		v, fail := x.silent(c)
		return nil, v, fail
	}
	x.body.release() // it will not be sent again
	for range maxInformational {
		c.headLeft = int64(x.rt.cfg.MaxResponseHeader)
		resp, err := http.ReadResponse(c.br, x.r)
		c.headLeft = math.MaxInt64
		switch {
		case err != nil:
			return nil, settled, x.broken(c, failSlow, failAnswer)
		case resp.StatusCode >= 200, resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, settled, nil
		case resp.StatusCode == http.StatusContinue:
			x.startUpload(c)
		case resp.StatusCode > http.StatusContinue:
			x.inform(resp)
		default: // net/http would panic
			return nil, settled, failAnswer
		}
	}
	return nil, settled, failAnswer
}

// awaitContinue gives the dyno a moment to ask for the body, or to refuse it.
func (x *exchange) awaitContinue(c *conn) {
	_ = c.SetReadDeadline(time.Now().Add(continueTimeout)) // fails if closed, as reading does
	_, err := c.br.Peek(1)
	_ = c.SetReadDeadline(time.Now().Add(x.rt.cfg.FirstByte))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		_ = c.SetReadDeadline(time.Time{})
		x.startUpload(c)
	}
}

// silent tells what it means that a dyno said nothing at all.
func (x *exchange) silent(c *conn) (verdict, *failure) {
	fail := x.broken(c, failSlow, failSilent)
	switch {
	case fail == failBroken:
		fail = failSilent
	case fail != failSilent:
		return settled, fail
	}
	switch {
	case !x.repeatable():
		return settled, fail
	case c.kept:
		return stale, fail
	}
	return unanswered, fail
}

// broken tells what it means that reading from the dyno failed: something that
// the client did, a time that has passed, a closed connection, or else.
func (x *exchange) broken(c *conn, late, other *failure) *failure {
	gone := x.r.Context().Err() != nil
	if x.upload != nil {
		if fail := x.upload.failure(gone); fail != nil {
			return fail
		}
	}
	switch {
	case gone:
		return failGone
	case errors.Is(c.failed, os.ErrDeadlineExceeded):
		return late
	case errors.Is(c.failed, io.EOF), isReset(c.failed):
		return failBroken
	}
	return other
}

// inform passes on an answer that comes before the real one.
func (x *exchange) inform(resp *http.Response) {
	if !x.r.ProtoAtLeast(1, 1) {
		return // RFC 9110, 15.2
	}
	h := x.w.Header()
	cleanAnswer(resp.Header)
	maps.Copy(h, resp.Header)
	x.w.WriteHeader(resp.StatusCode)
	clear(h)
}

// cleanAnswer removes the fields of one connection.
func cleanAnswer(h http.Header) {
	for _, field := range h["Connection"] {
		for name := range tokens(field) {
			h.Del(name)
		}
	}
	for _, name := range []string{
		"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		delete(h, name)
	}
}

// relay passes the answer on.
func (x *exchange) relay(c *conn, resp *http.Response) *failure {
	h := x.w.Header()
	cleanAnswer(resp.Header)
	maps.Copy(h, resp.Header)
	h["Via"] = append(h["Via"], via)
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // else net/http guesses one
	}
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	x.mayWrite()
	x.status = resp.StatusCode
	x.w.WriteHeader(resp.StatusCode)
	x.unflushed = true
	c.flush, c.rolling = x, x.rt.cfg.Idle
	fail := x.copy(c, resp.Body)
	c.flush, c.rolling = nil, 0
	if fail != nil {
		_ = c.Close() // so that closing the body does not read the rest of it
	}
	_ = resp.Body.Close() // it was read to its end
	if fail == nil && len(resp.Trailer) > 0 {
		x.trail(resp)
	}
	x.mayWrite() // what net/http still has
	return fail
}

func (x *exchange) copy(c *conn, answer io.Reader) *failure {
	if answer == http.NoBody {
		return nil
	}
	buf := getBuffer()
	defer buffers.Put(buf)
	for {
		n, err := answer.Read(*buf)
		if n > 0 {
			if x.upload != nil {
				x.upload.allow(time.Now().Add(x.rt.cfg.Idle))
			}
			x.mayWrite()
			w, werr := x.w.Write((*buf)[:n])
			x.wrote()
			x.bytes += int64(w)
			x.unflushed = true
			if errors.Is(werr, os.ErrDeadlineExceeded) {
				return failIdle
			}
			if werr != nil {
				return failLeft
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return started(x.broken(c, failIdle, failBroken))
		}
	}
}

// started is what a failure is called once the answer has begun.
func started(fail *failure) *failure {
	switch fail {
	case failGone:
		return failLeft
	case failLoiter:
		return failIdle
	}
	return fail
}

// trail passes on the fields that came after the body.
func (x *exchange) trail(resp *http.Response) {
	// Else net/http may send a length, and no trailer then.
	x.flush()
	maps.Copy(x.w.Header(), resp.Trailer)
}

// mayWrite sets until when the client must have taken what is written next.
func (x *exchange) mayWrite() {
	now := time.Now()
	if x.writeTill.Sub(now) < x.rt.cfg.Idle*9/10 {
		x.writeTill = now.Add(x.rt.cfg.Idle)
		_ = x.rc.SetWriteDeadline(x.writeTill) // not to be had on every ResponseWriter
	}
}

// wrote takes the deadline back where it matters: HTTP/2 streams end by it even
// if nothing waits to be written.
func (x *exchange) wrote() {
	if x.r.ProtoMajor > 1 {
		x.writeTill = time.Time{}
		_ = x.rc.SetWriteDeadline(time.Time{}) // as above
	}
}

// flush sends the client what it was not sent yet.
func (x *exchange) flush() {
	if x.unflushed {
		x.unflushed = false
		x.mayWrite()
		_ = x.rc.Flush() // the next write, or the request's context, tells
		x.wrote()
	}
}
