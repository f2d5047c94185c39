package cnb

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"slipway/buildpacks"
)

// An Output is the transcript of a build, as Heroku's reads.
type Output struct{ W io.Writer }

// Step begins something.
func (o Output) Step(format string, args ...any) {
	fmt.Fprintf(o.W, "-----> "+format+"\n", args...)
}

// Detail says more about a step.
func (o Output) Detail(format string, args ...any) {
	fmt.Fprintf(o.W, "       "+format+"\n", args...)
}

// Block shows a warning or an error.
func (o Output) Block(format string, args ...any) {
	text := strings.Trim(fmt.Sprintf(format, args...), "\n")
	_, _ = io.WriteString(o.W, buildpacks.Block(strings.Split(text, "\n"))) // nobody is left to tell
}

// Fail shows an error; the build returns what it returns.
func (o Output) Fail(format string, args ...any) error {
	o.Block(format, args...)
	return ErrShown
}

// longestLine is how much of a line without an end is held back.
const longestLine = 64 << 10

// An Indenter passes lines on to W behind seven spaces, each as soon as it is
// whole. Its user closes it, for a last line without an end.
type Indenter struct {
	W    io.Writer
	See  func(line []byte)      // is shown each line; may be nil
	Drop func(line []byte) bool // tells lines that are not passed on; may be nil
	rest []byte
}

// Write takes output of a command.
func (i *Indenter) Write(p []byte) (int, error) {
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

func (i *Indenter) line(line []byte) error {
	line = bytes.TrimRight(line, "\r")
	if cr := bytes.LastIndexByte(line, '\r'); cr >= 0 {
		line = line[cr+1:] // a line that was drawn over
	}
	if i.See != nil {
		i.See(line)
	}
	if i.Drop != nil && i.Drop(line) {
		return nil
	}
	out := make([]byte, 0, len(line)+8)
	if len(line) > 0 {
		out = append(append(out, "       "...), line...)
	}
	_, err := i.W.Write(append(out, '\n'))
	return err
}

// Close passes on a last line without an end.
func (i *Indenter) Close() error {
	if len(i.rest) == 0 {
		return nil
	}
	line := i.rest
	i.rest = nil
	return i.line(line)
}
