package api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

func wantsEvents(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/event-stream")
}

// An eventWriter writes each line as an event, whose ID is the byte behind it.
type eventWriter struct {
	w    io.Writer
	at   int64
	line []byte // that has not ended
}

// newEventWriter begins an answer of events. Who had some before says so, and
// goes on behind the last one.
func newEventWriter(w http.ResponseWriter, r *http.Request) *eventWriter {
	streamHeader(w, "text/event-stream")
	from, err := strconv.ParseInt(r.Header.Get("Last-Event-Id"), 10, 64)
	if err != nil || from < 0 {
		from = 0
	}
	return &eventWriter{w: w, at: from}
}

// Write keeps what is behind the last line for later. It holds no more than an
// output has.
func (e *eventWriter) Write(p []byte) (int, error) {
	e.line = append(e.line, p...)
	for {
		end := bytes.IndexByte(e.line, '\n')
		if end < 0 {
			return len(p), nil
		}
		if err := e.event(e.line[:end], end+1); err != nil {
			return 0, err
		}
		e.line = e.line[end+1:]
	}
}

// end writes what is left without a line's end.
func (e *eventWriter) end() {
	if len(e.line) > 0 {
		_ = e.event(e.line, len(e.line)) // the client is gone: nobody is left to tell
	}
}

func (e *eventWriter) event(line []byte, size int) error {
	e.at += int64(size)
	// A carriage return would end the line (HTML, section 9.2.5).
	_, err := fmt.Fprintf(e.w, "id: %d\ndata: %s\n\n", e.at, bytes.ReplaceAll(line, []byte("\r"), nil))
	return err
}
