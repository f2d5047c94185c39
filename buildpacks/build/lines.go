package build

import (
	"bytes"
	"sync"
	"time"
)

const (
	partialAfter = 40 * time.Millisecond // promise 3: shown within 50 ms
	longestLine  = 32 << 10              // a longer one is passed on in pieces
)

// A lineSink gets text as lines. A partial line may come first in pieces,
// each the next bytes of it; the line itself is then its last piece.
type lineSink interface {
	// text is one piece; whole says that a newline ended it.
	text(stream int, piece string, whole bool)
}

// A lineWriter cuts one stream of output into lines of plain text, at once
// where they are whole and after partialAfter where they are not.
type lineWriter struct {
	sink   lineSink
	stream int

	mu     sync.Mutex
	plain  plainText
	piece  []byte // of a Write, made plain
	buf    []byte
	timer  *time.Timer
	closed bool
}

func newLineWriter(sink lineSink, stream int) *lineWriter {
	return &lineWriter{sink: sink, stream: stream}
}

// Write never fails: output that cannot be shown must not end a build.
func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	l.piece = l.plain.add(l.piece[:0], p)
	p = l.piece
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.buf = append(l.buf, p...)
			break
		}
		l.emit(append(l.buf, p[:i]...), true)
		p = p[i+1:]
	}
	switch {
	case len(l.buf) > longestLine:
		l.emit(l.buf, false)
	case len(l.buf) > 0 && l.timer == nil && !l.closed:
		l.timer = time.AfterFunc(partialAfter, l.flush)
	}
	return n, nil
}

// Close passes on what is left and stops the timer.
func (l *lineWriter) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.buf = l.plain.end(l.buf)
	l.emit(l.buf, true)
	return nil
}

func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = nil
	if !l.closed && len(l.buf) > 0 { // else the line ended while the timer fired
		l.emit(l.buf, false)
	}
}

func (l *lineWriter) emit(piece []byte, whole bool) {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.buf = l.buf[:0]
	if l.closed && len(piece) == 0 {
		return
	}
	if whole { // else more of the line may follow
		piece = bytes.TrimSuffix(piece, []byte{'\r'})
	}
	l.sink.text(l.stream, string(piece), whole)
}
