package pktline

import (
	"io"
	"sync"
	"time"
)

// A Band is one of the three streams that side-band and side-band-64k carry.
type Band byte

// The bands of a [Mux].
const (
	BandData     Band = 1 // the pack or the report
	BandProgress Band = 2 // for the user's eyes
	BandFatal    Band = 3 // an error in words, after which nothing follows
)

// The payloads of side-band and side-band-64k, the band's byte not included.
const (
	SmallBand = 1000 - headerLen - 1
	LargeBand = MaxPacket - headerLen - 1
)

// A Mux multiplexes bands over one writer. Its methods may be called by several
// goroutines at once; what one Write writes stays together. Its first error is
// kept and returned by every later call.
type Mux struct {
	w     io.Writer
	flush func() error
	max   int

	mu   sync.Mutex
	buf  []byte
	err  error
	done bool
	last time.Time
}

// NewMux returns a multiplexer over w that splits at max bytes of payload,
// [SmallBand] or [LargeBand]. flush is called after each write of progress or
// of an error, so that these arrive at once; nil if w is not buffered.
func NewMux(w io.Writer, flush func() error, maxData int) *Mux {
	if flush == nil {
		flush = func() error { return nil }
	}
	return &Mux{w: w, flush: flush, max: min(max(maxData, 1), LargeBand), last: time.Now()}
}

// Band returns the writer of a band.
func (m *Mux) Band(b Band) io.Writer { return &bandWriter{m: m, band: b} }

// Keepalive writes an empty packet if nothing was written since the given
// time, and returns when something last was. After [Mux.Close] it writes nothing.
func (m *Mux) Keepalive(b Band, since time.Time) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done || m.err != nil || m.last.After(since) {
		return m.last, m.err
	}
	m.err = m.send(b, nil)
	m.flushLocked()
	return m.last, m.err
}

// Close writes the final flush packet and flushes. Later writes fail with
// [io.ErrClosedPipe]. A second call does nothing.
func (m *Mux) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done {
		return m.err
	}
	m.done = true
	if m.err == nil {
		_, m.err = io.WriteString(m.w, "0000")
	}
	m.flushLocked()
	return m.err
}

func (m *Mux) write(b Band, p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done {
		return 0, io.ErrClosedPipe
	}
	written := 0
	for len(p) > 0 && m.err == nil {
		n := min(len(p), m.max)
		if m.err = m.send(b, p[:n]); m.err != nil {
			break
		}
		written += n
		p = p[n:]
	}
	if b != BandData {
		m.flushLocked()
	}
	return written, m.err
}

func (m *Mux) send(b Band, p []byte) error {
	m.buf = AppendHeader(m.buf[:0], len(p)+1)
	m.buf = append(m.buf, byte(b))
	m.buf = append(m.buf, p...)
	m.last = time.Now()
	_, err := m.w.Write(m.buf)
	return err
}

func (m *Mux) flushLocked() {
	if m.err == nil {
		m.err = m.flush()
	}
}

type bandWriter struct {
	m    *Mux
	band Band
}

func (w *bandWriter) Write(p []byte) (int, error) { return w.m.write(w.band, p) }
