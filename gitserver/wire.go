package gitserver

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"
)

const wireBuffer = 64 << 10

// A call is one request of a client: who, what and how.
type call struct {
	id        string
	repo      string // a valid name
	dir       string // where the repository lies
	user      string
	transport string
	remote    string // the client's HOST:PORT
	version   int    // of the wire protocol; 0, 1 or 2
	hooks     *Hooks // nil runs none
	stateless bool   // HTTP: each request stands alone
	log       *zap.Logger
}

// A wire is the two streams between a client and a service, as both transports
// offer them. A transport fills it in and keeps its deadlines.
type wire struct {
	in  *bufio.Reader
	out *bufio.Writer
	// push sends what out has flushed; nil if nothing lies between.
	push func() error
	// ended returns an error unless the client's message ends here. Over SSH,
	// where the stream stays open, it is nil.
	ended func() error
	// drain sees to it that a bounded amount of what the client still sends is
	// taken, so that it can read our last words, which follow.
	drain func(ctx context.Context)
	// until sets the time at which nothing is read any more; nil where the
	// transport cannot.
	until func(time.Time)
	// notes is where progress goes for a client without side bands.
	notes io.Writer
}

// serveService runs a service behind its advertisement.
func (s *Server) serveService(ctx context.Context, c *call, w *wire, service string) error {
	switch {
	case service == serviceReceive:
		return s.receivePack(ctx, c, w)
	case c.version == 2:
		return s.uploadPackV2(ctx, c, w)
	}
	return s.uploadPack(ctx, c, w)
}

// newWire buffers the two streams.
func newWire(in io.Reader, out io.Writer) *wire {
	ahead := wireBuffer
	if in == http.NoBody {
		ahead = 0 // the least that there is
	}
	return &wire{
		in:    bufio.NewReaderSize(in, ahead),
		out:   bufio.NewWriterSize(out, wireBuffer),
		notes: io.Discard,
		drain: func(context.Context) {},
	}
}

// flush sends everything that was written.
func (w *wire) flush() error {
	if err := w.out.Flush(); err != nil {
		return err
	}
	if w.push == nil {
		return nil
	}
	return w.push()
}

// endAt sets the time at which nothing is read any more.
func (w *wire) endAt(t time.Time) {
	if w.until != nil {
		w.until(t)
	}
}

// finish reads to the end of the client's message, where the transport has one.
func (w *wire) finish() error {
	if w.ended == nil {
		return nil
	}
	return w.ended()
}
