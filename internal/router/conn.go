package router

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// readSize holds a small answer whole, so that it takes one read.
	readSize  = 16 << 10
	writeSize = 4 << 10
)

var errHeaderTooLarge = errors.New("header fields of the answer are too large")

// A conn is a connection to a dyno, while a request uses it.
type conn struct {
	net.Conn
	shelf *shelf
	kept  bool // it served a request before
	br    *bufio.Reader
	bw    *bufio.Writer

	// failed is the error of the last read. bufio and net/http do not always
	// pass it on: a line that is cut off is a line to them.
	failed error

	headLeft int64 // how many bytes the answer's header may still take
	// rolling is how long the dyno may be silent; the deadline was set
	// beforehand if zero.
	rolling time.Duration
	// flush is whose answer goes to the client before each read that may take
	// its time; nobody's if nil.
	flush *exchange
	// other is when the last byte went the other way, where that counts.
	other *lastByte
}

// lastByte is a moment that two goroutines share.
type lastByte struct{ at atomic.Int64 }

func (l *lastByte) touch() { l.at.Store(time.Now().UnixNano()) }

// left is how much of d remains since the moment; zero or less if nothing.
func (l *lastByte) left(d time.Duration) time.Duration {
	return d - time.Duration(time.Now().UnixNano()-l.at.Load())
}

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readSize) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeSize) }}
)

func newConn(c net.Conn, s *shelf, kept bool) *conn {
	u := &conn{Conn: c, shelf: s, kept: kept, headLeft: math.MaxInt64}
	u.br, _ = readers.Get().(*bufio.Reader)
	u.bw, _ = writers.Get().(*bufio.Writer)
	u.br.Reset(u)
	u.bw.Reset(c)
	return u
}

// release lets go of the buffers. Nobody may use the conn after.
func (c *conn) release() {
	c.releaseWriter()
	if c.br != nil {
		c.br.Reset(nil)
		readers.Put(c.br)
		c.br = nil
	}
}

// releaseWriter lets go of bw, so that a request that waits holds less.
func (c *conn) releaseWriter() {
	if c.bw != nil {
		c.bw.Reset(nil)
		writers.Put(c.bw)
		c.bw = nil
	}
}

// Read reads for the buffer br.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.read(p)
	c.failed = err
	return n, err
}

func (c *conn) read(p []byte) (int, error) {
	if c.flush != nil {
		c.flush.flush()
	}
	patience := c.rolling
	for {
		if patience > 0 {
			if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
				return 0, err
			}
		}
		n, err := c.Conn.Read(p)
		if n > 0 {
			if c.headLeft -= int64(n); c.headLeft < 0 {
				return 0, errHeaderTooLarge
			}
			return n, nil
		}
		if c.rolling > 0 && c.other != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			if patience = c.other.left(c.rolling); patience > 0 {
				continue
			}
		}
		return n, err
	}
}

// isReset tells whether the other side is known to have closed the connection.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}
