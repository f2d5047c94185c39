package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	containertypes "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

const (
	// The numbers of streams in Docker's multiplexed format.
	streamStdout = 1
	streamStderr = 2
	// headerSize is what precedes each piece of output: the stream's number,
	// three zeros, and the length in four bytes.
	headerSize = 8
	// maxBuffered bounds the output that waits for a reader. Then the
	// container waits.
	maxBuffered = 1 << 20
)

// ContainerAttach implements DockerClient, for output only.
func (e *Engine) ContainerAttach(ctx context.Context, id string, o client.ContainerAttachOptions) (client.ContainerAttachResult, error) {
	c, err := e.container(id)
	if err != nil {
		return client.ContainerAttachResult{}, err
	}
	if o.Stdin {
		return client.ContainerAttachResult{}, invalid("the embedded engine gives containers no input")
	}
	s := newStream(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams = append(c.streams, s)
	if c.state == containertypes.StateExited {
		s.end()
	}
	return client.ContainerAttachResult{
		HijackedResponse: client.NewHijackedResponse(s, "application/vnd.docker.multiplexed-stream"),
	}, ctx.Err()
}

// copyOutput hands what a container writes to whoever is attached.
func (c *container) copyOutput(kind byte, r *os.File) {
	defer r.Close() //nolint:errcheck // only read
	buf := make([]byte, headerSize+32<<10)
	for {
		n, err := r.Read(buf[headerSize:])
		if n > 0 {
			clear(buf[:headerSize])
			buf[0] = kind
			binary.BigEndian.PutUint32(buf[4:], uint32(n))
			for _, s := range c.attached() {
				s.put(kind, buf[:headerSize+n])
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *container) attached() []*stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams
}

// endStreams lets readers see the end after the last byte.
func (c *container) endStreams() {
	for _, s := range c.attached() {
		s.end()
	}
}

// closeStreams takes what nobody has read away.
func (c *container) closeStreams() {
	for _, s := range c.attached() {
		_ = s.Close()
	}
}

// A stream is one attached reader: a queue of bytes that looks like a network
// connection.
type stream struct {
	out, err bool
	drained  chan struct{} // closed when the reader has seen the end, or left

	mu      sync.Mutex
	changed sync.Cond
	queue   []byte
	ended   bool // no more will be put
	closed  bool // nobody reads any more
	once    sync.Once
}

var _ net.Conn = (*stream)(nil)

func newStream(o client.ContainerAttachOptions) *stream {
	s := &stream{out: o.Stdout, err: o.Stderr, drained: make(chan struct{})}
	s.changed.L = &s.mu
	return s
}

// put queues one piece of output. It waits while the queue is full.
func (s *stream) put(kind byte, piece []byte) {
	if kind == streamStdout && !s.out || kind == streamStderr && !s.err {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > maxBuffered && !s.closed {
		s.changed.Wait()
	}
	if s.closed || s.ended {
		return
	}
	s.queue = append(s.queue, piece...)
	s.changed.Broadcast()
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.changed.Broadcast()
}

// Read implements net.Conn. A reader that asks again after the last byte has
// dealt with all of it.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && !s.ended && !s.closed {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case len(s.queue) == 0:
		s.once.Do(func() { close(s.drained) })
		return 0, io.EOF
	}
	n := copy(p, s.queue)
	s.queue = s.queue[n:]
	s.changed.Broadcast()
	return n, nil
}

// Close implements net.Conn.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.queue = nil
	s.once.Do(func() { close(s.drained) })
	s.changed.Broadcast()
	return nil
}

// CloseWrite ends the input, of which there is none.
func (s *stream) CloseWrite() error { return nil }

// Write implements net.Conn; there is no input.
func (s *stream) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// LocalAddr implements net.Conn.
func (s *stream) LocalAddr() net.Addr { return streamAddr{} }

// RemoteAddr implements net.Conn.
func (s *stream) RemoteAddr() net.Addr { return streamAddr{} }

// SetDeadline implements net.Conn; there are none.
func (s *stream) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn; there are none.
func (s *stream) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn; there are none.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

type streamAddr struct{}

func (streamAddr) Network() string { return "container" }
func (streamAddr) String() string  { return "output" }
