package router

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// copySize is that of copy buffers.
const copySize = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, copySize); return &b }}

func getBuffer() *[]byte {
	if b, ok := buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, copySize)
	return &b
}

// bodyKind is how a request's body is passed on.
type bodyKind int

const (
	noBody bodyKind = iota
	// small bodies are read before a dyno is connected to: a slow client
	// holds none, and the request can be sent to another one.
	small
	streamed
)

// A body is that of a request.
type body struct {
	kind    bodyKind
	length  int64 // -1 if it is sent in chunks
	expect  bool  // the client waits for a 100 before it sends
	trailer http.Header
	buf     *[]byte // a small body
	read    bool    // buf holds all of it
}

// of tells what body a request has.
func (b *body) of(r *http.Request) {
	b.length = r.ContentLength
	if r.Body == nil || r.Body == http.NoBody || b.length == 0 {
		// Some servers want a length with these (RFC 9110, 8.6).
		b.length = 0
		return
	}
	b.expect = strings.EqualFold(r.Header.Get("Expect"), "100-continue")
	b.trailer = r.Trailer
	b.kind = streamed
	if 0 < b.length && b.length <= copySize && !b.expect {
		b.kind = small
	}
}

// fill reads a small body from the client.
func (x *exchange) fill() *failure {
	b := &x.body
	if b.kind != small || b.read {
		return nil
	}
	if b.buf == nil {
		b.buf = getBuffer()
	}
	// A client that sends so little has no reason to take longer.
	_ = x.rc.SetReadDeadline(time.Now().Add(x.rt.cfg.Idle)) // not to be had on every ResponseWriter
	if _, err := io.ReadFull(x.r.Body, (*b.buf)[:b.length]); err != nil {
		return clientFailure(err)
	}
	_ = x.rc.SetReadDeadline(time.Time{})
	b.read = true
	return nil
}

// bytes is a small body.
func (b *body) bytes() []byte { return (*b.buf)[:b.length] }

func (b *body) release() {
	if b.buf != nil {
		buffers.Put(b.buf)
		b.buf = nil
	}
}

// clientFailure tells why a body could not be read.
func clientFailure(err error) *failure {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return failLoiter
	case errors.As(err, &tooLarge):
		return failBody
	}
	return failGone
}

// writeBodyHeader writes the fields that say how the body is sent.
func (x *exchange) writeBodyHeader(bw *bufio.Writer) {
	b := &x.body
	switch {
	case b.kind == noBody:
		if x.r.Method == http.MethodPost || x.r.Method == http.MethodPut || x.r.Method == http.MethodPatch {
			_, _ = bw.WriteString("Content-Length: 0\r\n")
		}
		return
	case b.length >= 0:
		var digits [20]byte
		_, _ = bw.WriteString("Content-Length: ")
		_, _ = bw.Write(strconv.AppendInt(digits[:0], b.length, 10))
		_, _ = bw.WriteString("\r\n")
	default:
		_, _ = bw.WriteString("Transfer-Encoding: chunked\r\n")
		for name := range b.trailer {
			writeStrings(bw, "Trailer: ", name, "\r\n")
		}
	}
	if b.expect {
		_, _ = bw.WriteString("Expect: 100-continue\r\n")
	}
}
