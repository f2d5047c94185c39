package gitserver

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	drainBytes = 64 << 20
	drainTime  = 10 * time.Second
)

// An httpDoor is the streams of one HTTP exchange: it keeps the deadlines,
// inflates the body, and sees to it that the body is read to its end, without
// which net/http would not notice a client that goes away.
type httpDoor struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	rc    *http.ResponseController
	body  io.Reader // inflated, bounded
	begun bool      // something was sent
	in    *pace
	out   *pace
}

func newHTTPDoor(s *Server, w http.ResponseWriter, r *http.Request) *httpDoor {
	return &httpDoor{s: s, w: w, r: r, rc: http.NewResponseController(w), in: s.newPace(), out: s.newPace()}
}

// open prepares the body for a service.
func (d *httpDoor) open() (*wire, error) {
	// An error is told while the client still sends.
	if err := d.rc.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("enable full duplex: %w", err)
	}
	d.body = idleReader{d}
	switch encoding := d.r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bufio.NewReader(d.body))
		if err != nil {
			return nil, &httpError{http.StatusBadRequest, "the body is not gzip"}
		}
		d.body = z
	default:
		return nil, &httpError{http.StatusUnsupportedMediaType, fmt.Sprintf("content encoding %q is not supported; send gzip or none", clip(encoding, 32))}
	}
	d.body = &boundedReader{r: d.body, left: d.s.cfg.MaxRequest, max: d.s.cfg.MaxRequest}
	w := newWire(d.body, d)
	w.push = d.flush
	w.until = d.in.end
	w.drain = d.drain
	w.ended = func() error { return d.ended(w.in) }
	return w, nil
}

// ended checks that nothing follows what was read, and lets net/http watch the
// connection from here on.
func (d *httpDoor) ended(in *bufio.Reader) error {
	_, err := in.ReadByte()
	switch {
	case err == nil:
		return refuse("unexpected data behind the end of the request; check what lies between you and the server")
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read request: %w", err)
	}
	if _, err := io.CopyN(io.Discard, idleReader{d}, 1); err == nil {
		return refuse("unexpected data behind the compressed request")
	}
	d.forget()
	return nil
}

// forget lifts the deadline for reading: a passed one would look like a client
// that is gone.
func (d *httpDoor) forget() {
	_ = d.rc.SetReadDeadline(time.Time{}) // not supported: there was none
}

// close lifts both deadlines, for the next request on the connection.
func (d *httpDoor) close() {
	d.forget()
	_ = d.rc.SetWriteDeadline(time.Time{}) // not supported: there was none
}

// Write sends, with a deadline for a client that does not read, or too slowly.
func (d *httpDoor) Write(p []byte) (int, error) {
	d.begun = true
	until, done := d.out.wait()
	_ = d.rc.SetWriteDeadline(until) // not supported: in tests only
	n, err := d.w.Write(p)
	done(n)
	return n, err
}

// flush sends what net/http still holds.
func (d *httpDoor) flush() error {
	until, done := d.out.wait()
	_ = d.rc.SetWriteDeadline(until) // not supported: in tests only
	err := d.rc.Flush()
	done(0)
	return err
}

// drain takes the rest of the body, up to a limit. A client that is cut off
// while it sends would not see our answer.
func (d *httpDoor) drain(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	_ = d.rc.SetReadDeadline(time.Now().Add(drainTime)) // not supported: in tests only
	_, _ = io.CopyN(io.Discard, d.r.Body, drainBytes)   // an answer is due in any case
	d.forget()
}

// idleReader reads the raw body, with a deadline for a client that is silent or
// too slow.
type idleReader struct{ d *httpDoor }

func (r idleReader) Read(p []byte) (int, error) {
	until, done := r.d.in.wait()
	_ = r.d.rc.SetReadDeadline(until) // not supported: in tests only
	n, err := r.d.r.Body.Read(p)
	done(n)
	if errors.Is(err, io.EOF) {
		r.d.forget()
		return n, io.EOF
	}
	return n, broken(err)
}

// boundedReader fails where a limit is passed.
type boundedReader struct {
	r         io.Reader
	left, max int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, refuse("the request is larger than %d bytes; push in parts", b.max)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n, refuse("the request is larger than %d bytes; push in parts", b.max)
	}
	return n, err
}
