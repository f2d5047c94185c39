package python

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"slipway/buildpacks"
)

// output is the transcript.
type output struct{ w io.Writer }

func (o output) step(format string, args ...any) {
	fmt.Fprintf(o.w, "-----> "+format+"\n", args...)
}

func (o output) detail(format string, args ...any) {
	fmt.Fprintf(o.w, "       "+format+"\n", args...)
}

// block shows a warning or an error.
func (o output) block(format string, args ...any) {
	text := strings.Trim(fmt.Sprintf(format, args...), "\n")
	_, _ = io.WriteString(o.w, buildpacks.Block(strings.Split(text, "\n"))) // nobody is left to tell
}

// fail shows an error; the build returns what it returns.
func (o output) fail(format string, args ...any) error {
	o.block(format, args...)
	return errShown
}

// longestLine is how much of a line without an end is held back.
const longestLine = 64 << 10

// An indenter passes lines on behind seven spaces, each as soon as it is whole.
type indenter struct {
	w    io.Writer
	see  func(line []byte) // may be nil
	rest []byte
}

func (i *indenter) Write(p []byte) (int, error) {
	i.rest = append(i.rest, p...)
	for {
		end := bytes.IndexByte(i.rest, '\n')
		if end < 0 && len(i.rest) < longestLine {
			return len(p), nil
		}
		line, used := i.rest, len(i.rest)
		if end >= 0 {
			line, used = i.rest[:end], end+1
		}
		if err := i.line(line); err != nil {
			return 0, err
		}
		i.rest = i.rest[used:]
	}
}

func (i *indenter) line(line []byte) error {
	line = bytes.TrimRight(line, "\r")
	if cr := bytes.LastIndexByte(line, '\r'); cr >= 0 {
		line = line[cr+1:] // a line that was drawn over
	}
	if i.see != nil {
		i.see(line)
	}
	out := make([]byte, 0, len(line)+8)
	if len(line) > 0 {
		out = append(append(out, "       "...), line...)
	}
	_, err := i.w.Write(append(out, '\n'))
	return err
}

// Close passes on a last line without an end.
func (i *indenter) Close() error {
	if len(i.rest) == 0 {
		return nil
	}
	line := i.rest
	i.rest = nil
	return i.line(line)
}
