package logs

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const partialAfter = 200 * time.Millisecond

var _ io.WriteCloser = (*Writer)(nil)

// A Writer makes lines of a stream of bytes, such as a dyno's output. What has
// no line end is a line after 200 ms, so that a prompt is seen; a line end that
// comes later adds no empty line. Lines are whole
// only if each is written by one goroutine at a time.
type Writer struct {
	store             *Store
	app, source, dyno string
	late              *time.Timer

	mu      sync.Mutex
	partial []byte // no more than MaxLine
	shown   bool   // the beginning of the present line is in the log already
	closed  bool
}

// Writer returns a writer to an app's log. The caller closes it.
func (s *Store) Writer(app, source, dyno string) *Writer {
	w := &Writer{store: s, app: app, source: source, dyno: dyno}
	w.late = time.AfterFunc(partialAfter, w.showPartial)
	w.late.Stop()
	return w
}

// Write never fails, except after Close. When the disk is behind, it takes a
// little longer; see [Store.Append].
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, io.ErrClosedPipe
	}
	whole := bytes.LastIndexByte(p, '\n') + 1
	if whole > 0 {
		w.lines(string(w.partial) + string(p[:whole]))
		w.partial, w.shown = w.partial[:0], false
	}
	w.keep(p[whole:])
	return len(p), nil
}

// lines logs whole lines, but for a line end that only ends what is shown.
func (w *Writer) lines(text string) {
	if w.shown {
		text = strings.TrimPrefix(strings.TrimPrefix(text, "\r"), "\n")
		if text == "" {
			return
		}
	}
	w.log(text)
}

// keep waits for the end of a line, which must not take too much.
func (w *Writer) keep(rest []byte) {
	for len(w.partial)+len(rest) >= MaxLine {
		n := MaxLine - len(w.partial)
		w.partial, rest = append(w.partial, rest[:n]...), rest[n:]
		w.logPartial()
	}
	w.partial = append(w.partial, rest...)
	if len(w.partial) == 0 {
		w.late.Stop()
		return
	}
	w.late.Reset(partialAfter)
}

func (w *Writer) showPartial() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.logPartial()
	}
}

// logPartial leaves a character that has only begun to its other half.
func (w *Writer) logPartial() {
	n := len(w.partial)
	for i := 1; i < utf8.UTFMax && i <= n; i++ {
		if b := w.partial[n-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(w.partial[n-i:]) {
				n -= i
			}
			break
		}
	}
	if n == 0 {
		return
	}
	w.log(string(w.partial[:n]))
	w.partial = append(w.partial[:0], w.partial[n:]...)
	w.shown = true
}

func (w *Writer) log(text string) {
	w.store.Append(w.app, Line{At: time.Now(), Source: w.source, Dyno: w.dyno, Text: text})
}

// Close logs what has no line end yet.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	w.late.Stop()
	if len(w.partial) > 0 {
		w.log(string(w.partial))
	}
	return nil
}
